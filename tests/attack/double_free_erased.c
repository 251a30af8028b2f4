/* double_free_erased.c - between two frees of it the chunk is written to, as by a program
 * that still uses it: what marks it as freed is gone. */
#include "attack.h"

static void erased(size_t n, size_t bytes)
{
    stock(n);
    void *a = take(n);
    wall();
    give(a);
    memset(a, 'x', bytes);
    give(a);
    spend_stock();
    go_on(n, 800);
}

static void small_mark(void)
{
    stock(SMALL);
    void *a = take(SMALL);
    wall();
    give(a);
    poke(a, WORD, 0);
    give(a);
    spend_stock();
    go_on(SMALL, 800);
}

static void small_all(void) { erased(SMALL, SMALL); }
static void middle_all(void) { erased(MIDDLE, MIDDLE); }
static void binned_start(void) { erased(BINNED, 4 * WORD); }

ATTACK(small_mark, small_all, middle_all, binned_start)
