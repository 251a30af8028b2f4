/* free_interior.c - the pointer leads into the middle of a chunk. */
#include "abort.h"

static void interior(void)
{
    char *mem = take(BINNED);
    poke(mem, 3200 - WORD, peek(mem, -WORD) & A); /* the flags of this arena, no size */
    expect("invalid size", mem + 3200);
    give(mem + 3200);
}

MISTAKE(interior)
