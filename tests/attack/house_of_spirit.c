/* house_of_spirit.c - memory that is no chunk is freed, with a header in front of it that
 * makes it look like one; the next malloc of that size returns it. */
#include "attack.h"

static void spirit(size_t size, size_t flags)
{
    stock(size - WORD);
    see_free(take(size - WORD)); /* the thread has a cache */
    prey.words[1] = size | flags;
    for (size_t i = 1 + size / WORD; i < PREY_BYTES / sizeof(size_t); i += size / WORD)
        prey.words[i] = size | P; /* and chunks behind it */
    see_free(&prey.words[2]);
    live_count = 0;
    spend_stock();
    go_on(size - WORD, 800);
}

static void small(void) { spirit(0x70, P); }
static void small_arena(void) { spirit(0x70, P | A); }
static void middle(void) { spirit(0x800, P); }
static void aligned_wrong(void)
{
    prey.words[2] = 0x70 | P;
    see_free(&prey.words[3]);
    go_on(0x68, 200);
}

ATTACK(small, small_arena, middle, aligned_wrong)
