/* cache_poison.c - the link of a freed chunk is overwritten with an address, so that the
 * second malloc returns it: plain, and hidden as glibc's safe linking does with what the
 * attacker knows (no secret, the place of the link). */
#include "attack.h"

static void poison(size_t n, size_t (*encode)(const void *at, size_t target))
{
    stock(n);
    void *a = take(n), *b = take(n);
    wall();
    prey.words[1] = n + 9; /* a header in front of it, should one be asked for */
    give(a);
    give(b);
    poke(b, 0, encode(b, prey_at(2)));
    spend_stock();
    poke(b, 0, encode(b, prey_at(2)));
    go_on(n, 3000);
}

static size_t plain(const void *at, size_t target)
{
    (void)at;
    return target;
}

static size_t safe_linked(const void *at, size_t target)
{
    return (size_t)at >> 12 ^ target;
}

static void small_plain(void) { poison(SMALL, plain); }
static void small_safe_linked(void) { poison(SMALL, safe_linked); }
static void middle_plain(void) { poison(MIDDLE, plain); }
static void middle_safe_linked(void) { poison(MIDDLE, safe_linked); }

ATTACK(small_plain, small_safe_linked, middle_plain, middle_safe_linked)
