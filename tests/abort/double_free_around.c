/* double_free_around.c - another chunk was freed in between. */
#include "abort.h"

static void twice(void)
{
    char *mem = take(SMALL), *other = take(SMALL);
    give(mem);
    give(other);
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
