/*
 * core/top.h - the chunk at the end of an arena's newest heap, and how that heap gets
 * longer or another one follows it.
 *
 * Invariant: top is NULL, or top + its size == heap_end(newest) and P is set: no free
 * chunk lies before it. It has at least CHUNK_MIN bytes. What is carved from it is the
 * only memory that may be known to be zero. Locks: the arena's, for everything here.
 */
#ifndef CM_CORE_TOP_H
#define CM_CORE_TOP_H

#include "core/arena.h"

/* Bytes of top, 0 without one. A size that does not lead to the heap's end is fatal. */
size_t top_size(const arena_t *a);

/* Top starts at `at` and reaches to the newest heap's end. */
void top_set(arena_t *a, char *at);

/* Lengthen the newest heap so that top has need bytes. False: not possible there. */
bool top_extend(arena_t *a, size_t need);

/* Carve a chunk in use from top; a->zero_from is set. NULL: no memory. */
mchunkptr top_take(arena_t *a, size_t size);

/* The newest heap is all top and is about to go: take it out of the list, and make the
 * end of the next older one top again. False: that one ends in a chunk in use. */
bool top_reopen(arena_t *a);

/* Take a heap that is not the newest out of the arena's list. */
void top_forget_heap(arena_t *a, heap_info *h);

#endif
