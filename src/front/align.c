/*
 * front/align.c - memory at a multiple of more than CHUNK_ALIGN.
 *
 * Small sizes are looked for in the thread's cache first: what was freed there by a
 * program that asks for one alignment and size again and again is aligned already, and
 * lies first in its class.
 */
#include "front/front.h"
#include "front/place.h"

static void *take_aligned(size_t align, size_t n)
{
    thread_t *t = thread_self;
    cache_bin_t *b = &t->bins[class_of(chunk_size_for(n))];
    uintptr_t *link = &b->head;
    for (int i = 0; i < ALIGNED_LOOK; i++) {
        uintptr_t mem = *link ^ t->secret.mask;
        if (mem == 0)
            return NULL;
        uintptr_t *words = link_show(*link);
        if ((mem & (align - 1)) == 0) {
            *link = words[0];
            b->room++;
            link_unmark(words);
            return harden_out(words);
        }
        link = words;
    }
    return NULL;
}

void *front_aligned(size_t align, size_t n)
{
    if (align <= CHUNK_ALIGN)
        return front_malloc(n);
    if (n <= CLASS_MAX - CHUNK_OVERHEAD) {
        /* Of a class, so that the cache finds it when it comes back. */
        n = class_round(chunk_size_for(n)) - SIZE_SZ - chunk_canary();
        void *mem = take_aligned(align, n);
        if (mem != NULL)
            return mem;
    }
    place_t place = {.n = n, .align = align};
    return place_take(&place) ? chunk_mem(place.chunk) : NULL;
}
