/* double_free_top.c - the chunk was merged into top. */
#include "abort.h"

static void twice(void)
{
    char *mem = take_walled();
    mem = next_of(mem);
    give(mem);
    expect(DOUBLE_FREE_TOP, mem);
    give(mem);
}

MISTAKE(twice)
