/* broken_link_cached.c - a write after free has changed the link of a chunk that waits in
 * the thread's cache. It is found when what it leads to is handed out. */
#include "abort.h"

static void broken(void)
{
    char *next = take(SMALL), *mem = take(SMALL);
    give(next);
    give(mem);
    poke(mem, 0, peek(mem, 0) ^ 8); /* seven of eight changes leave an odd address */
    expect("broken links", (char *)((size_t)next ^ 8));
    take(SMALL);
    take(SMALL);
}

MISTAKE(broken)
