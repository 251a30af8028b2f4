/* double_free_top_small.c - the chunk went from the thread's cache into top, which is
 * then no larger than a hit of the cache. */
#include "abort.h"

static void twice(void)
{
    take(SMALL);
    char *mem = take(SMALL);
    give(mem);
    malloc_trim(0);
    expect(DOUBLE_FREE_TOP, mem);
    give(mem);
}

MISTAKE(twice)
