/* forged_mapped_inside.c - a header inside a mapped chunk that leads to the mapping's own
 * description, and is not where that says. */
#include "abort.h"

static void forge(void)
{
    enum { INSIDE = 64 };
    char *mem = take(MAPPED), *fake = mem + INSIDE;
    poke(fake, -2 * WORD, peek(mem, -2 * WORD) + INSIDE);
    poke(fake, -WORD, (size_of(mem) - INSIDE) | M);
    expect("invalid size", fake);
    give(fake);
}

MISTAKE(forge)
