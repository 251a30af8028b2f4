/* free_mapping.c - the pointer leads into a mapping of the program's. */
#include "abort.h"

static void foreign(void)
{
    char *mapping =
        mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect("foreign pointer", mapping + 4096);
    give(mapping + 4096);
}

MISTAKE(foreign)
