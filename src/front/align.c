/* front/align.c - memory at a multiple of more than CHUNK_ALIGN. */
#include "front/front.h"
#include "front/place.h"

void *front_aligned(size_t align, size_t n)
{
    place_t place = {.n = n, .align = align};
    if (align <= CHUNK_ALIGN)
        return front_malloc(n);
    return place_take(&place) ? chunk_mem(place.chunk) : NULL;
}
