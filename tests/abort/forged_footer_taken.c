/* forged_footer_taken.c - a write after free has changed the last word of a free chunk,
 * which is then taken out of its bin. */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    give(mem);
    poke(next_of(mem), -2 * WORD, 4096);
    expect("size != next->prev_size", mem);
    take(BINNED);
}

MISTAKE(forged)
