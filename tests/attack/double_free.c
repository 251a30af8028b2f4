/* double_free.c - a chunk is freed twice and then had twice: at once, with another one in
 * between, after it has been merged, and of every kind of size. */
#include "attack.h"

static void twice(size_t n)
{
    stock(n);
    void *a = take(n);
    wall();
    give(a);
    give(a);
    spend_stock();
    go_on(n, 800);
}

static void around(size_t n)
{
    stock(n);
    void *a = take(n), *b = take(n);
    wall();
    give(a);
    give(b);
    give(a);
    spend_stock();
    go_on(n, 800);
}

/* The first free has merged it with its neighbours. */
static void merged(void)
{
    void *a = take(BINNED), *b = take(BINNED), *c = take(BINNED);
    wall();
    give(a);
    give(c);
    give(b);
    give(b);
    go_on(BINNED, 200);
}

static void small_twice(void) { twice(SMALL); }
static void small_around(void) { around(SMALL); }
static void middle_twice(void) { twice(MIDDLE); }
static void middle_around(void) { around(MIDDLE); }
static void binned_twice(void) { twice(BINNED); }
static void binned_around(void) { around(BINNED); }

ATTACK(small_twice, small_around, middle_twice, middle_around, binned_twice,
       binned_around, merged)
