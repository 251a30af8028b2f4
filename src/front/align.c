/*
 * front/align.c - memory at a multiple of more than CHUNK_ALIGN.
 *
 * Small sizes come from the thread's cache. Their chunks are a multiple of the alignment,
 * so that in a run of such chunks all are aligned if the first one is, and what was freed
 * serves the next such request.
 */
#include "front/front.h"
#include "front/memcheck.h"
#include "front/place.h"
#include "front/sample.h"

/* The first chunk of its class, if it will do. In the secure variant another one may go
 * in its place. */
CM_INLINE void *aligned_hit(thread_t *t, size_t align, size_t size)
{
    cache_bin_t *b = &t->bins[class_of(size)];
    bool will_do = ((b->head ^ t->secret.mask) & (align - 1)) == 0;
    return !CM_SECURE && cm_likely(will_do) ? cache_pop(t, b, true) : NULL;
}

void *front_aligned(size_t align, size_t n)
{
    if (align <= CHUNK_ALIGN)
        return front_malloc(n);
    size_t wide = n;
    if (n <= CLASS_MAX / 2) {
        size_t unit = align <= ALIGNED_RUN ? align : CHUNK_ALIGN;
        size_t size = class_round((chunk_size_for(n) + unit - 1) & ~(unit - 1));
        void *mem = aligned_hit(thread_self, align, size);
        if (mem == NULL) {
            mem = harden_out(cache_take_aligned(thread_get(), align, size));
            mem = sample_cached(mem, n, align);
        }
        if (mem != NULL)
            return mem;
        wide = size - SIZE_SZ - chunk_canary();
    }
    place_t place = {.n = wide, .align = align};
    return place_take(&place) ? memcheck_taken(sample_placed(chunk_mem(place.chunk)), n)
                              : NULL;
}
