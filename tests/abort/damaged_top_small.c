/* damaged_top_small.c - the last chunk of the heap overflows into top's size, which is
 * smaller then. */
#include "abort.h"

static void damaged(void)
{
    char *last = take_walled(), *top;
    last = next_of(last);
    top = next_of(last);
    poke(top, -WORD, 64 | P | (peek(last, -WORD) & A));
    expect("damaged top", top);
    take(BINNED);
}

MISTAKE(damaged)
