/* forged_mapping.c - an underflow has overwritten the whole head of a mapped chunk. */
#include "abort.h"

static void forged(void)
{
    char *mem = take(MAPPED);
    size_t head = peek(mem, -2 * WORD); /* from the mapping's start to the chunk */
    memset(mem - 2 * WORD - head, 0x55, head);
    expect("foreign pointer", mem);
    give(mem);
}

MISTAKE(forged)
