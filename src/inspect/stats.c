/* inspect/stats.c - see stats.h. */
#include "inspect/stats.h"

#include "inspect/walk.h"

static int add_item(const cmalloc_item *item, void *arg)
{
    stats_t *s = arg;
    if (item->kind == CMALLOC_INUSE) {
        s->live += item->size;
    } else if (item->kind == CMALLOC_CACHED) {
        s->cached += item->size;
        s->cached_count++;
    } else if (item->kind == CMALLOC_FREE) {
        s->free += item->size;
        s->free_count++;
    } else if (item->kind == CMALLOC_TOP) {
        s->top += item->size;
    }
    return 0;
}

bool stats_arena(arena_t *a, stats_t *s)
{
    *s = (stats_t){0};
    if (!arena_lock(a))
        return false;
    walk_arena_locked(a, add_item, s);
    s->system = a->system;
    s->system_most = a->system_most;
    s->large = a->large_bytes;
    s->large_count = a->large_count;
    arena_unlock(a);
    return true;
}

void stats_all(stats_t *s)
{
    *s = (stats_t){0};
    for (unsigned i = 0; i < arena_count(); i++) {
        stats_t one;
        stats_arena(arena_at(i), &one);
        s->system += one.system;
        s->system_most += one.system_most;
        s->live += one.live;
        s->cached += one.cached;
        s->cached_count += one.cached_count;
        s->free += one.free;
        s->free_count += one.free_count;
        s->top += one.top;
        s->large += one.large;
        s->large_count += one.large_count;
    }
}
