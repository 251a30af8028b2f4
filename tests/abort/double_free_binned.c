/* double_free_binned.c - the chunk is free in a bin. */
#include "abort.h"

static void twice(void)
{
    char *mem = take_walled();
    give(mem);
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
