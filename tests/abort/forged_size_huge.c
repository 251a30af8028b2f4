/* forged_size_huge.c - the size leads out of the heap. */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    poke(mem, -WORD, peek(mem, -WORD) | (size_t)1 << 30);
    expect("invalid size", mem);
    give(mem);
}

MISTAKE(forged)
