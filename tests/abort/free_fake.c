/* free_fake.c - what looks like a chunk of the main arena lies in a variable. */
#include "abort.h"

static _Alignas(16) size_t fake[64];

static void foreign(void)
{
    fake[1] = 128 | P;
    fake[1 + 128 / WORD] = 128 | P;
    expect("foreign pointer", &fake[2]);
    give(&fake[2]);
}

MISTAKE(foreign)
