/* double_free_mapped.c - the chunk was a mapping of its own: after the first free its
 * header may be unmapped, or be kept for reuse, or belong to somebody else. */
#include "attack.h"

static void gone(void)
{
    void *a = take(MAPPED);
    give(a);
    give(a);
    go_on(MAPPED, 20);
}

/* One of three: the allocator has reason to keep it. */
static void kept(void)
{
    void *a = take(MAPPED), *b = take(MAPPED), *c = take(MAPPED);
    give(b);
    give(c);
    give(b);
    (void)a;
    go_on(MAPPED, 20);
}

ATTACK(gone, kept)
