/* house_of_einherjar.c - P of a chunk is cleared and its prev_size forged, so that its
 * free merges it with a fake chunk before: one whose links lead to itself, or two that
 * lead to each other, within the attacker's own live chunk. */
#include "attack.h"

static void link_fakes(char *one, char *two)
{
    poke(one, 2 * WORD, (size_t)two);
    poke(one, 3 * WORD, (size_t)two);
    poke(two, 2 * WORD, (size_t)one);
    poke(two, 3 * WORD, (size_t)one);
}

static void einherjar(bool ring_of_two)
{
    char *a = take(BINNED), *victim = take(BINNED), *b = take(BINNED);
    wall();
    char *fake = a + 64, *other = ring_of_two ? a + 1024 : fake;
    size_t size = chunk(b) - (size_t)fake;
    poke(fake, WORD, size | P);
    poke(other, WORD, size | P);
    link_fakes(fake, other);
    poke(victim, BINNED - WORD, size);
    poke(b, -WORD, peek(b, -WORD) & ~(size_t)P);
    give(b);
    go_on(BINNED, 20);
}

static void one(void) { einherjar(false); }
static void two(void) { einherjar(true); }

ATTACK(one, two)
