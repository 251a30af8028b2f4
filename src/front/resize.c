/*
 * front/resize.c - realloc: where the chunk stands, if it can; boundary tags make that nearly free.
 */
#include "front/front.h"
#include "front/owner.h"
#include "front/place.h"
#include "os/os.h"

#include <string.h>

static void *move(void *mem, mchunkptr c, size_t n)
{
    void *moved = front_malloc(n);
    if (moved == NULL)
        return NULL;
    size_t keep = chunk_usable(c);
    memcpy(moved, mem, keep < n ? keep : n);
    place_give(c);
    return moved;
}

/* Small enough that a mapping of its own would be waste. */
static bool fits_heap(size_t n) { return n < MMAP_THRESHOLD_DEFAULT / 2; }

static void *resize_large(void *mem, mchunkptr c, size_t n)
{
    mchunkptr resized = fits_heap(n) ? NULL : place_resize_large(c, n);
    if (resized != NULL)
        return chunk_mem(resized);
    void *moved = move(mem, c, n);
    return moved == NULL && n <= chunk_usable(c) ? mem : moved;
}

static void *resize_heap(void *mem, mchunkptr c, size_t n)
{
    size_t size = chunk_size_for(n), have = chunk_size(c);
    if (size <= have) {
        if (have - size >= CHUNK_MIN)
            place_cut(c, size);
        return mem;
    }
    return place_grow(c, size) ? mem : move(mem, c, n);
}

void *front_realloc(void *mem, size_t n)
{
    mchunkptr c = owner_chunk(mem);
    if (n > REQUEST_MAX)
        return NULL;
    return (chunk_word(c) & CHUNK_M) != 0 ? resize_large(mem, c, n)
                                          : resize_heap(mem, c, n);
}

size_t front_usable(const void *mem) { return chunk_usable(owner_chunk(mem)); }
