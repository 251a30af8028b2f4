/* double_free_small.c - the chunk waits in the thread's cache. */
#include "abort.h"

static void twice(void)
{
    char *mem = take(SMALL);
    give(mem);
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
