/* free_interior_mapped.c - the pointer leads into the middle of a mapped chunk. */
#include "abort.h"

static void interior(void)
{
    char *mem = take(MAPPED);
    expect("foreign pointer", mem + 3200);
    give(mem + 3200);
}

MISTAKE(interior)
