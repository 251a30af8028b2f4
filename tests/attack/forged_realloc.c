/* forged_realloc.c - the next chunk's size is forged and the chunk grown by realloc: it
 * is large enough already, says its header, and stays where it is. */
#include "attack.h"

static void grow(size_t n)
{
    void *a = take(n), *b = take(n), *c = take(n);
    (void)a;
    wall();
    size_t size = size_of(b);
    if ((size_t)c - (size_t)b != size)
        return;
    poke(b, -WORD, peek(b, -WORD) + size);
    char *grown = see_realloc(b, 2 * size - WORD);
    forget(b);
    if (grown != NULL)
        judge(grown, 2 * size - WORD);
}

static void small(void) { grow(SMALL); }
static void middle(void) { grow(MIDDLE); }
static void binned(void) { grow(BINNED); }

ATTACK(small, middle, binned)
