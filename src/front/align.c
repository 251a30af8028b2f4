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

void *front_aligned_miss(size_t align, size_t n)
{
    if (align <= CHUNK_ALIGN)
        return front_malloc_miss(n);
    size_t wide = n;
    if (n <= CLASS_MAX / 2) {
        size_t unit = align <= ALIGNED_RUN ? align : CHUNK_ALIGN;
        size_t size = class_round((chunk_size_for(n) + unit - 1) & ~(unit - 1));
        void *mem = harden_out(cache_take_aligned(thread_get(), align, size));
        mem = sample_cached(mem, n, align);
        if (mem != NULL)
            return mem;
        wide = size - CHUNK_OVERHEAD;
    }
    place_t place = {.n = wide, .align = align};
    return place_take(&place) ? memcheck_taken(sample_placed(chunk_mem(place.chunk)), n)
                              : NULL;
}
