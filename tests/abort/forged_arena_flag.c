/* forged_arena_flag.c - A says the opposite of where the chunk lies. */
#include "abort.h"

static void forged(void)
{
    char *mem = take_walled();
    poke(mem, -WORD, peek(mem, -WORD) ^ A);
    expect("foreign pointer", mem);
    give(mem);
}

MISTAKE(forged)
