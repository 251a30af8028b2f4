/*
 * inspect/stats.h - sums over the heaps: the contents of mallinfo2, malloc_stats and
 * malloc_info.
 *
 * The sums of one arena are of one moment; those of several are not of the same one.
 * system == live + cached + free + top + overhead, where overhead is fenceposts,
 * heap_infos and arena structs.
 */
#ifndef CM_INSPECT_STATS_H
#define CM_INSPECT_STATS_H

#include "core/arena.h"

typedef struct stats {
    size_t system, system_most; /* bytes committed in heaps */
    size_t live;                /* bytes of chunks in use, headers and all */
    size_t cached,
        cached_count; /* bytes and number of chunks in caches, depots and inboxes */
    size_t free, free_count;   /* bytes and number of chunks in bins */
    size_t top;                /* bytes of top chunks */
    size_t large, large_count; /* M chunks: bytes mapped, and number */
} stats_t;

/* Add up arena a, under its lock. False: it is orphaned, and *s is zero. */
bool stats_arena(arena_t *a, stats_t *s);

/* Add up all arenas. */
void stats_all(stats_t *s);

#endif
