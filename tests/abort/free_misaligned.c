/* free_misaligned.c - the pointer is no multiple of 16. */
#include "abort.h"

static void misaligned(void)
{
    char *mem = take(SMALL);
    expect("misaligned pointer", mem + 8);
    give(mem + 8);
}

MISTAKE(misaligned)
