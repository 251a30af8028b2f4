/* double_free_merged.c - the chunk was merged with the one before it, and is the
 * middle of a free chunk. */
#include "abort.h"

static void twice(void)
{
    char *before = take_walled(), *mem = next_of(before);
    take(SMALL);
    give(before);
    give(mem);
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
