/* free_variable.c - the pointer leads to a variable of the program. */
#include "abort.h"

static _Alignas(16) char variable[4 * SMALL];

static void foreign(void)
{
    expect("foreign pointer", variable + 32);
    give(variable + 32);
}

MISTAKE(foreign)
