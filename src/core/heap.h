/*
 * core/heap.h - contiguous regions that are subdivided into chunks.
 *
 *   heap -> +-----------+--------------+---------------------------+--------------------+
 *           | heap_info | arena struct | chunks ...            top | reserved, unusable |
 *           +-----------+--------------+---------------------------+--------------------+
 *                        (first heap of                            ^                    ^
 *                        an allocated arena)                       heap_end    + reserved
 *
 * An allocated heap starts at a multiple of HEAP_MAX_SIZE, so that one mask finds its
 * heap_info from any chunk in it (A set). A heap of the application's own heap (A clear)
 * starts where the break was; there is more than one when other users of sbrk have moved
 * the break in between.
 * Invariants: committed <= reserved; [fresh, heap_end) has never been written and is
 * zero; the newest heap of an arena ends in top (if the arena has a top), every other one
 * in a fencepost.
 * Locks: the arena's, for everything here.
 */
#ifndef CM_CORE_HEAP_H
#define CM_CORE_HEAP_H

#include "core/chunk.h"
#include "core/registry.h"

struct arena;

typedef struct heap_info {
    size_t magic; /* HEAP_MAGIC: what a reader of a core file looks for */
    struct arena *arena;
    struct heap_info *older, *newer; /* the arena's heaps */
    size_t committed;                /* usable bytes, from the heap_info on */
    size_t reserved;                 /* bytes of address space */
    uintptr_t fresh;                 /* first byte that was never written */
    uintptr_t ready; /* pages before it are in memory, or were left to the application */
    uintptr_t first; /* the first chunk */
    uintptr_t small; /* no huge pages before it, since pages have been purged */
} CM_ALIGNED(16) heap_info;

#define HEAP_MAGIC CM_MAGIC(0x706165) /* "eap" */

_Static_assert(sizeof(heap_info) % CHUNK_ALIGN == 0, "a chunk may follow a heap_info");

/* Largest chunk that a fresh allocated heap can hold behind head bytes of heap_info and
 * arena. */
CM_INLINE size_t heap_room(size_t head) { return HEAP_MAX_SIZE - head - CHUNK_MIN; }

/* The heap of a chunk with A set. */
CM_INLINE heap_info *heap_of(const void *p)
{
    return (heap_info *)((uintptr_t)p &
                         ~(uintptr_t)(HEAP_MAX_SIZE -
                                      1)); /* NOLINT(performance-no-int-to-ptr) */
}

CM_INLINE char *heap_end(const heap_info *h)
{
    return (char *)(uintptr_t)h + h->committed;
}

/* c's header lies in memory that an allocated heap has committed. */
CM_INLINE bool heap_has(const chunk_t *c)
{
    const heap_info *h = heap_of(c);
    return registry_has_heap(c) &&
           (size_t)((const char *)c - (const char *)h) < h->committed;
}

/* Bytes from c to the end of the memory that holds it. 0: its A flag is wrong. */
CM_INLINE size_t chunk_room(const chunk_t *c)
{
    if ((chunk_word(c) & CHUNK_A) != 0)
        return registry_has_heap(c) ? (size_t)(heap_end(heap_of(c)) - (const char *)c)
                                    : 0;
    uintptr_t high = atomic_load_explicit(&registry.main_high, memory_order_relaxed);
    return registry_has_main(c) ? high - (uintptr_t)c : 0;
}

/* The heap lies in the application's own heap. */
CM_INLINE bool heap_is_break(const heap_info *h) { return h->reserved == 0; }

/* The A flag of its chunks. */
CM_INLINE size_t heap_flag(const heap_info *h) { return heap_is_break(h) ? 0 : CHUNK_A; }

/* h may be followed: it is where a heap can be. Who has overwritten a heap_info can have
 * written anything there. */
CM_INLINE bool heap_is_there(const heap_info *h)
{
    return ((uintptr_t)h & (CHUNK_ALIGN - 1)) == 0 && registry_has(h);
}

/* And its sizes are those of one: the kernel may be asked about its pages. */
CM_INLINE bool heap_is_sound(const heap_info *h)
{
    uintptr_t high = atomic_load_explicit(&registry.main_high, memory_order_relaxed);
    return heap_is_there(h) && h->magic == HEAP_MAGIC &&
           h->first - (uintptr_t)h < h->committed &&
           registry_has_heap(h) == !heap_is_break(h) &&
           (heap_is_break(h) ? h->committed <= high - (uintptr_t)h
                             : h == heap_of(h) && h->committed <= h->reserved &&
                                   h->reserved <= HEAP_MAX_SIZE);
}

/* The heap's chunks start at or behind p, where a payload is aligned. Nothing there was
 * ever written. */
CM_INLINE void heap_set_first(heap_info *h, const void *p)
{
    h->first = chunk_start((uintptr_t)p);
    h->fresh = (uintptr_t)p;
}

/* An allocated heap with at least room usable bytes behind its heap_info, registered.
 * NULL: no memory. */
heap_info *heap_new(size_t room);

/* Ask the kernel again, though it has refused lately. */
void heap_retry(void);

/* A heap at the break, likewise. Main arena only. NULL: refused. */
heap_info *heap_new_at_break(size_t room);

/* Commit at least more bytes behind the heap's end. False: not possible; nothing has
 * changed. */
bool heap_grow(heap_info *h, size_t more);

/* Take the pages from keep on out of use; keep is page-aligned. Returns the bytes given
 * back. */
size_t heap_shrink(heap_info *h, char *keep);

/* Give an allocated heap back. Pre: it is in no arena's list. */
void heap_delete(heap_info *h);

/* Pages inside h and the older heaps are about to be purged. The kernel would make one
 * huge page of a few that are left: measured, khugepaged made 61 MiB of 15 after a trim.
 * So a heap that has been purged has small pages from then on. */
void heap_use_small_pages(heap_info *h);

/* size bytes before end are about to be written for the first time: have the kernel put
 * the pages there in one call. A fault for each costs a multiple of that. Large sizes are
 * left alone: who asks for them may touch a part only. */
void heap_make_ready(heap_info *h, uintptr_t end, size_t size);

/* Bytes of whole pages at or behind keep that may be in memory. */
size_t heap_dirty_end(const heap_info *h, const char *keep);

/* Give up to most bytes, or one page, of them back to the kernel, the last ones first;
 * they stay committed and read as zero. Returns the bytes given back. */
size_t heap_purge_end(heap_info *h, const char *keep, size_t most);

#endif
