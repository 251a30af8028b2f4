/* free_stack.c - the pointer leads to the stack. */
#include "abort.h"

static void foreign(void)
{
    _Alignas(16) char stack[4 * SMALL];
    memset(stack, 0, sizeof stack);
    expect("foreign pointer", stack + 32);
    give(stack + 32);
}

MISTAKE(foreign)
