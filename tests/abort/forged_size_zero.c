/* forged_size_zero.c - an underflow has cleared the size, but for the flags. */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    poke(mem, -WORD, peek(mem, -WORD) & (A | M | P));
    expect("invalid size", mem);
    give(mem);
}

MISTAKE(forged)
