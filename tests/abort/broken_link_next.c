/* broken_link_next.c - a write after free has changed the first link of a free chunk,
 * which is then taken out of its bin. */
#include "abort.h"

static void broken(void)
{
    char *mem = take_walled();
    give(mem);
    poke(mem, 0, (size_t)mem);
    expect("broken links", mem);
    take(BINNED);
}

MISTAKE(broken)
