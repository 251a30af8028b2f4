/* realloc_foreign.c - no malloc has returned the pointer. */
#include "abort.h"

static _Alignas(16) char variable[4 * SMALL];

static void foreign(void)
{
    expect("foreign pointer", variable + 32);
    see_realloc(variable + 32, BINNED);
}

MISTAKE(foreign)
