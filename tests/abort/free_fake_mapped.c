/* free_fake_mapped.c - what looks like a mapped chunk lies in a variable. */
#include "abort.h"

static _Alignas(16) size_t fake[64];
enum { AT = 16 / WORD }; /* of the payload, behind its size */

static void foreign(void)
{
    fake[AT - 1] = 128 | P | M;
    fake[AT - 1 + 128 / WORD] = 128 | P;
    expect("foreign pointer", &fake[AT]);
    give(&fake[AT]);
}

MISTAKE(foreign)
