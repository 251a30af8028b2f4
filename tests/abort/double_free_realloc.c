/* double_free_realloc.c - realloc has moved the chunk, and the program frees the old
 * one. */
#include "abort.h"

static void twice(void)
{
    char *mem = take(SMALL);
    take(SMALL);
    if (see_realloc(mem, BINNED) == mem)
        return;
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
