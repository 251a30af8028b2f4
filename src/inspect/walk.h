/*
 * inspect/walk.h - the one visitor of arenas, heaps and chunks.
 *
 * Everything that looks at the heap (check, statistics, the demo, cmalloc_walk) comes
 * through here. It holds the lock of the arena that it is in; chunks in the inbox are
 * sorted into the depot first. A chunk in use that bears link_key counts as cached.
 */
#ifndef CM_INSPECT_WALK_H
#define CM_INSPECT_WALK_H

#include "cmalloc.h"
#include "core/arena.h"

typedef int (*walk_visit)(const cmalloc_item *item, void *arg);

/* All arenas; what cmalloc_walk does. */
int walk_all(walk_visit visit, void *arg);

/* One arena, its heaps, its chunks and its M chunks. Caller holds its lock. */
int walk_arena_locked(arena_t *a, walk_visit visit, void *arg);

/* Check one arena's invariants; damage is fatal. Caller holds its lock. */
void check_arena_locked(arena_t *a);

/* All arenas, each under its lock. Returns how many. */
int check_all(void);

#endif
