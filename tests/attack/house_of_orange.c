/* house_of_orange.c - top is made smaller, so that it does not suffice: what is left of
 * it is freed without a call of free, and a new top comes. */
#include "attack.h"

static void orange(size_t keep)
{
    char *a = take(BINNED);
    char *top = a + size_of(a);
    size_t end = ((size_t)top + keep + 4095) & ~(size_t)4095;
    poke(top, -WORD, (end - (size_t)top + 2 * WORD) | P);
    char *b = see_malloc(100000);
    (void)b;
    forget(a);
    go_on(keep - 4096, 5);
    if (live_count > 0 && live[0].start == top)
        won("the old top was freed and handed out");
}

static void page(void) { orange(8192); }
static void pages(void) { orange(40000); }

ATTACK(page, pages)
