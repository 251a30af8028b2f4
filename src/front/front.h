/*
 * front/front.h - what the API offers, without the names that the linker sees.
 *
 * Every function takes and returns user pointers, fails with NULL and leaves errno alone:
 * the API sets it, in one place. Thread-safe. In a signal handler that interrupted one of
 * them on the same thread they never wait: memory is then mapped anew, and what is freed
 * is posted to its arena.
 */
#ifndef CM_FRONT_FRONT_H
#define CM_FRONT_FRONT_H

#include "front/cache.h"

void *front_malloc_miss(size_t n);
void front_free_miss(void *mem);

CM_INLINE void *front_malloc(size_t n)
{
    void *mem = cache_malloc(n);
    return cm_likely(mem != NULL) ? mem : front_malloc_miss(n);
}

/* NULL is nothing; what is not ours is fatal. In the secure variant nothing goes to a
 * cache at once. */
CM_INLINE void front_free(void *mem)
{
    if (CM_SECURE || !cm_likely(cache_free(mem)))
        front_free_miss(mem);
}

/* The same, for a caller that knows what he asked for. */
CM_INLINE void front_free_sized(void *mem, size_t n, size_t align)
{
    if (CM_SECURE)
        harden_sized(mem, n, align);
    front_free(mem);
}

void *front_calloc(size_t n);

/* n bytes with mem's contents. NULL: no memory, and mem is as it was. Pre: mem != NULL, n
 * != 0. */
void *front_realloc(void *mem, size_t n);

void *front_aligned_miss(size_t align, size_t n);

/* n bytes at a multiple of align. Pre: align is a power of two. */
CM_INLINE void *front_aligned(size_t align, size_t n)
{
    void *mem = cache_aligned(align, n);
    return cm_likely(mem != NULL) ? mem : front_aligned_miss(align, n);
}

/* Bytes that may be used behind mem. */
size_t front_usable(const void *mem);

/* Give the calling thread's cached chunks to their arenas, and merge those there with
 * their neighbours. */
void front_flush(void);

/* Give back all that can be given back, but pad bytes of each arena's top. True: some
 * memory went. */
bool front_trim(size_t pad);

#endif
