/* double_free_parked.c - the first free is so long ago that the chunk has moved from the
 * thread's cache to its arena. */
#include "abort.h"

static void twice(void)
{
    enum { MANY = 2000 };
    static char *mem[MANY];
    for (unsigned i = 0; i < MANY; i++)
        mem[i] = take(SMALL);
    for (unsigned i = 0; i < MANY; i++)
        give(mem[i]);
    expect("double free", mem[0]);
    give(mem[0]);
}

MISTAKE(twice)
