/* forged_mapped_flag.c - M says that the chunk is a mapping of its own. */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    poke(mem, -WORD, peek(mem, -WORD) | M);
    expect("foreign pointer", mem);
    give(mem);
}

MISTAKE(forged)
