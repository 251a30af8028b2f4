/* forged_size.c - an overflow makes the next chunk look larger than it is, over a live
 * one. Freed and asked for again, it comes back as that large chunk. */
#include "attack.h"

static void forge(size_t n, size_t ahead)
{
    stock(n);
    void *a = take(n), *b = take(n), *victims[4];
    (void)a;
    for (unsigned i = 0; i < 4; i++)
        victims[i] = take(n);
    wall();
    size_t size = size_of(b);
    if ((size_t)victims[0] - (size_t)b != size)
        return; /* not neighbours, or no sizes in the heap */
    poke(b, -WORD, peek(b, -WORD) + size * ahead);
    give(b);
    spend_stock();
    go_on(size * (1 + ahead) - WORD, 20);
    go_on(n, 800);
}

static void small(void) { forge(SMALL, 1); }
static void small_four(void) { forge(SMALL, 4); }
static void middle(void) { forge(MIDDLE, 1); }
static void binned(void) { forge(BINNED, 1); }

/* Not to the end of another chunk, but somewhere into it. */
static void askew(void)
{
    void *a = take(BINNED), *b = take(BINNED);
    (void)a;
    wall();
    poke(b, -WORD, peek(b, -WORD) + 64);
    give(b);
    go_on(BINNED + 64, 20);
}

/* In a chunk that is free already: malloc hands out more than there is. */
static void free_one(void)
{
    void *a = take(BINNED), *b = take(BINNED), *c = take(BINNED);
    (void)a;
    (void)c;
    wall();
    give(b);
    poke(b, -WORD, peek(b, -WORD) + 20000);
    go_on(BINNED + 19000, 20);
}

ATTACK(small, small_four, middle, binned, askew, free_one)
