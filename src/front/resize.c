/*
 * front/resize.c - realloc: where the chunk stands, if it can; boundary tags make that
 * nearly free.
 */
#include "front/front.h"
#include "front/memcheck.h"
#include "front/owner.h"
#include "front/place.h"
#include "front/sample.h"
#include "os/os.h"

#include <string.h>

static void *move(void *mem, const chunk_t *c, size_t n)
{
    void *moved = front_malloc(n);
    if (moved == NULL)
        return NULL;
    size_t keep = chunk_usable(c);
    memcpy(moved, mem, keep < n ? keep : n);
    front_free(mem);
    return moved;
}

/* Small enough that a mapping of its own would be waste. */
static bool fits_heap(size_t n) { return n < MMAP_THRESHOLD_DEFAULT / 2; }

static void *resize_large(void *mem, mchunkptr c, size_t n)
{
    mchunkptr resized = NULL;
    if (!fits_heap(n)) {
        sample_freed(mem); /* before it may move, and its address be another's */
        resized = place_resize_large(c, n);
    }
    if (resized != NULL)
        return sample_placed(chunk_mem(resized));
    void *moved = move(mem, c, n);
    return moved == NULL && n <= chunk_usable(c) ? mem : moved;
}

/* A chunk that grows once will grow again: it gets a quarter more while it is small, then
 * an eighth, so that a string which is extended byte by byte is moved or lengthened a
 * logarithmic number of times. */
static size_t generous(size_t n)
{
    if (n >= CLASS_MAX / 2)
        return n;
    return n + (n < GROW_BY_MOVE ? n / 4 : n / 8);
}

static void *grow_heap(void *mem, mchunkptr c, size_t n)
{
    size_t more = generous(n), size = chunk_size_for(more);
    if (size > GROW_BY_MOVE) {
        if (size <= CLASS_MAX)
            size = class_round(size);
        size_t before = chunk_size(c);
        if (place_grow(c, size)) {
            harden_resized(c, before);
            return sample_resized(mem);
        }
    }
    void *moved = move(mem, c, more);
    return moved != NULL || more == n ? moved : move(mem, c, n);
}

/* A small chunk moves: two hits and a copy are cheaper than a cut, and its place stays
 * whole for the next of its class. Cut off, the rests would be filled with whatever
 * comes, and objects that were made together lie far apart. */
static void *shrink_heap(void *mem, mchunkptr c, size_t n, size_t size)
{
    size_t have = chunk_size(c);
    void *moved = have <= CLASS_EXACT_MAX ? move(mem, c, n) : NULL;
    if (moved != NULL)
        return moved;
    place_cut(c, size);
    harden_resized(c, have);
    return sample_resized(mem);
}

static void *resize_heap(void *mem, mchunkptr c, size_t n)
{
    size_t size = chunk_size_for(n), have = chunk_size(c);
    if (size > have)
        return grow_heap(mem, c, n);
    return cache_is_enough(have, size) ? sample_resized(mem)
                                       : shrink_heap(mem, c, n, size);
}

void *front_realloc(void *mem, size_t n)
{
    mchunkptr c = CM_SECURE ? harden_owner(mem) : owner_chunk(mem);
    if (n > REQUEST_MAX)
        return NULL;
    if (memcheck_on())
        return move(mem, c, n);
    return (chunk_word(c) & CHUNK_M) != 0 ? resize_large(mem, c, n)
                                          : resize_heap(mem, c, n);
}

CM_FAR size_t front_usable(const void *mem) { return chunk_usable(owner_chunk(mem)); }
