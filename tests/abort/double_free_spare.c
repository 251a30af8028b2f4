/* double_free_spare.c - so many were freed since that the chunk is no longer in the
 * thread's bin, and not yet in its arena. */
#include "abort.h"

static void twice(void)
{
    enum { MANY = 100 };
    static char *mem[MANY];
    for (unsigned i = 0; i < MANY; i++)
        mem[i] = take(SMALL);
    for (unsigned i = 0; i < MANY; i++)
        give(mem[i]);
    expect("double free", mem[0]);
    give(mem[0]);
}

MISTAKE(twice)
