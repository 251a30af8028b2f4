/* forged_mapped_size.c - the size of a mapped chunk is not its mapping's. */
#include "abort.h"

static void forged(void)
{
    char *mem = take(MAPPED);
    poke(mem, -WORD, peek(mem, -WORD) + 4096);
    expect("invalid size", mem);
    give(mem);
}

MISTAKE(forged)
