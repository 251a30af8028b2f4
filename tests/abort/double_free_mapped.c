/* double_free_mapped.c - the chunk was a mapping of its own, which is kept for reuse. */
#include "abort.h"

static void twice(void)
{
    char *mem = take(MAPPED);
    give(mem);
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
