/*
 * front/alloc.c - malloc, calloc and free.
 *
 * The order of places that are asked: the thread's arena; for large sizes a mapping; then, when memory is short, the
 * other arenas and a mapping of any size.
 */
#include "base/options.h"
#include "front/front.h"
#include "front/owner.h"
#include "front/place.h"
#include "os/os.h"

#include <string.h>

static void fill(mchunkptr c, unsigned invert)
{
    size_t byte = atomic_load_explicit(&cm_options.perturb, memory_order_relaxed);
    if (cm_unlikely(byte != 0))
        memset(chunk_mem(c), (int)(byte ^ invert), chunk_usable(c));
}

void *front_malloc(size_t n)
{
    place_t place = {.n = n, .align = CHUNK_ALIGN};
    if (!place_take(&place))
        return NULL;
    fill(place.chunk, 0xff);
    return chunk_mem(place.chunk);
}

void *front_calloc(size_t n)
{
    place_t place = {.n = n, .align = CHUNK_ALIGN};
    if (!place_take(&place))
        return NULL;
    uintptr_t mem = (uintptr_t)chunk_mem(place.chunk),
              end = mem + chunk_usable(place.chunk);
    if (place.zero_from < end)
        end = place.zero_from;
    if (mem < end)
        memset(chunk_mem(place.chunk), 0, end - mem);
    return chunk_mem(place.chunk);
}

void front_free(void *mem)
{
    if (mem == NULL)
        return;
    mchunkptr c = owner_chunk(mem);
    fill(c, 0);
    place_give(c);
}
