/* forged_prev_size.c - an overflow has cleared P and made up a prev_size that leads
 * out of the heap (or, of one chunk, in front of it). */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    poke(mem, -2 * WORD, (size_t)1 << (8 * WORD - 2));
    poke(mem, -WORD, peek(mem, -WORD) & ~(size_t)P);
    expect("size != next->prev_size", mem);
    give(mem);
}

MISTAKE(forged)
