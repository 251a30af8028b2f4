/* forged_size_odd.c - the size is no multiple of 16. */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    poke(mem, -WORD, peek(mem, -WORD) | 8);
    expect("invalid size", mem);
    give(mem);
}

MISTAKE(forged)
