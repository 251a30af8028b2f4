/* house_of_spirit_heap.c - the same within a live chunk: the address is in the heap, so
 * no look-up tells that it is no chunk. */
#include "attack.h"

static void spirit(size_t size, size_t lead)
{
    stock(size - WORD);
    char *a = take(BINNED);
    wall();
    see_free(take(size - WORD));
    live_count = 1; /* a */
    for (size_t at = lead - WORD; at < BINNED - size; at += size)
        poke(a, (ptrdiff_t)at, size | P);
    see_free(a + lead);
    spend_stock();
    go_on(size - WORD, 800);
}

static void small(void) { spirit(0x70, 64); }
static void middle(void) { spirit(0x800, 64); }
static void binned(void) { spirit(0x9000, 64); }

ATTACK(small, middle, binned)
