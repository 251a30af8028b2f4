/* double_free_middle.c - the chunk waits in the thread's cache, in a class that is no
 * hit. */
#include "abort.h"

static void twice(void)
{
    char *mem = take(MIDDLE);
    give(mem);
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
