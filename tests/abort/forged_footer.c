/* forged_footer.c - a write after free has changed the last word of a free chunk, which
 * the chunk behind it relies on. */
#include "abort.h"

static void forged(void)
{
    char *before = take_walled(), *mem = next_of(before);
    take(BINNED);
    give(before);
    poke(mem, -2 * WORD, 4096);
    expect("size != next->prev_size", mem - 4096);
    give(mem);
}

MISTAKE(forged)
