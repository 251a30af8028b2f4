/* broken_link_previous.c - a write after free has changed the second link of a free
 * chunk, which then merges with a neighbour. */
#include "abort.h"

static void broken(void)
{
    char *mem = take_walled(), *next = next_of(mem);
    take(BINNED);
    give(mem);
    poke(mem, WORD, (size_t)mem);
    expect("broken links", mem);
    give(next);
}

MISTAKE(broken)
