/* double_free_flushed.c - a trim has merged the chunk with the one before it, and it
 * still bears the mark of a cached one. */
#include "abort.h"

static void twice(void)
{
    enum { MANY = 16 };
    char *mem[MANY];
    for (unsigned i = 0; i < MANY; i++)
        mem[i] = take(SMALL);
    for (unsigned i = 0; i + 1 < MANY; i++)
        give(mem[i]);
    size_t mark = peek(mem[0], WORD);
    if (malloc_trim)
        malloc_trim(0);
    unsigned i = 0;
    while (i + 1 < MANY && peek(mem[i], WORD) != mark)
        i++;
    expect("double free", mem[i]);
    give(mem[i]);
}

MISTAKE(twice)
