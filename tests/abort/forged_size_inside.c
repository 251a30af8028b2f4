/* forged_size_inside.c - the size leads into the chunk itself, to where no header is. */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    size_t half = (size_of(mem) / 2) & ~(size_t)15;
    poke(mem, -WORD, half | (peek(mem, -WORD) & (A | P)));
    poke(mem, (ptrdiff_t)half - WORD, P); /* it claims that the chunk is in use */
    expect("invalid size", mem);
    give(mem);
}

MISTAKE(forged)
