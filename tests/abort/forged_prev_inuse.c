/* forged_prev_inuse.c - an overflow has cleared P and made up a prev_size that leads to
 * where no free chunk begins. */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    poke(mem, -2 * WORD, 256);
    poke(mem, -WORD, peek(mem, -WORD) & ~(size_t)P);
    expect("size != next->prev_size", mem - 256);
    give(mem);
}

MISTAKE(forged)
