/*
 * core/purge.h - giving memory back to the kernel.
 *
 * Locks: the arena's, for everything here; it guards the very memory that goes.
 */
#ifndef CM_CORE_PURGE_H
#define CM_CORE_PURGE_H

#include "core/arena.h"

/* After a free: give top's end back if it has passed the trim threshold. */
void purge_top_locked(arena_t *a);

/* Give back top beyond pad bytes. Returns the bytes given back. */
size_t purge_trim_locked(arena_t *a, size_t pad);

/* Give back every whole page of every free chunk, and top beyond pad bytes. Returns the
 * bytes given back. */
size_t purge_all_locked(arena_t *a, size_t pad);

#endif
