/* double_free_top.c - the chunk was merged into top. */
#include "abort.h"

static void twice(void)
{
    char *mem = take_walled();
    mem = next_of(mem);
    give(mem);
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
