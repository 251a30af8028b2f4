/* damaged_top.c - the last chunk of the heap overflows into top's size. */
#include "abort.h"

static void damaged(void)
{
    char *last = take_walled(), *top;
    last = next_of(last);
    top = next_of(last);
    poke(top, -WORD, ((size_t)PTRDIFF_MAX & ~(size_t)15) | P);
    expect("damaged top", top);
    take(BINNED);
}

MISTAKE(damaged)
