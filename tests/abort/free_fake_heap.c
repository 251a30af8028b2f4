/* free_fake_heap.c - what looks like a chunk of an allocated heap lies in a variable. */
#include "abort.h"

static _Alignas(16) size_t fake[64];

static void foreign(void)
{
    fake[1] = 128 | P | A;
    fake[1 + 128 / WORD] = 128 | P;
    expect("foreign pointer", &fake[2]);
    give(&fake[2]);
}

MISTAKE(foreign)
