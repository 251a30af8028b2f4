/* inspect/stats_self.c - the sums of this process. See stats.h. */
#include "core/large.h"
#include "front/place.h"
#include "inspect/stats.h"
#include "os/os.h"
#include "os/stop.h"

typedef struct sum_of_one {
    cmalloc_stats *s;
    reader_t *reader;
} sum_of_one;

static int add_one(const cmalloc_item *item, void *arg)
{
    const sum_of_one *sum = arg;
    stats_add_item(sum->s, sum->reader, item);
    return 0;
}

static void add_arena_locked(arena_t *a, cmalloc_stats *s, reader_t *reader)
{
    sum_of_one sum = {s, reader};
    walk_arena_locked(a, add_one, &sum);
    walk_larges_locked(a, add_one, &sum);
    stats_add_arena(s, a, CHUNK_CANARY);
}

bool stats_arena(arena_t *a, cmalloc_stats *s, reader_t *reader)
{
    *s = (cmalloc_stats){0};
    if (!arena_lock(a))
        return false;
    add_arena_locked(a, s, reader);
    arena_unlock(a);
    return true;
}

/* Its counts are read while it counts: whole words, right for one moment or the other. */
static void add_thread(cmalloc_stats *s, const thread_t *t)
{
    s->allocations += *(const volatile size_t *)&t->base;
    s->allocations += *(const volatile size_t *)&t->taken;
    s->misses += *(const volatile size_t *)&t->misses;
    s->thread_count += thread_is_attached(t);
}

/* What is no arena's: kept mappings, and bookkeeping outside of heaps. */
static void add_process(cmalloc_stats *s, reader_t *reader)
{
    sum_of_one sum = {s, reader};
    walk_kept_self(add_one, &sum);
    stats_add_counts(s, &os_counts);
    s->mmapped_most = atomic_load_explicit(&large_live_most, memory_order_relaxed);
    s->allocations = atomic_load_explicit(&place_taken, memory_order_relaxed);
    for (thread_t *t = thread_first(); t != NULL; t = thread_after(t))
        add_thread(s, t);
}

void stats_all(cmalloc_stats *s)
{
    *s = (cmalloc_stats){0};
    for (unsigned i = 0; i < arena_count(); i++) {
        cmalloc_stats one;
        stats_arena(arena_at(i), &one, NULL);
        stats_add(s, &one);
    }
    add_process(s, NULL);
}

void stats_take(stats_set_t *set, bool try)
{
    bool entered = thread_enter();
    set->arena_count = arena_count();
    for (unsigned i = 0; i < set->arena_count; i++) {
        arena_t *a = arena_at(i);
        set->busy[i] = try ? !cm_lock_try(&a->lock) : !arena_lock(a);
        if (set->busy[i])
            continue;
        add_arena_locked(a, &set->arenas[i], set->reader);
        arena_unlock(a);
    }
    add_process(&set->process, set->reader);
    stats_sum(set);
    if (entered)
        thread_leave();
}

bool stats_print(int fd, stats_format format, bool try)
{
    stats_set_t *set = os_map(os_pages(sizeof *set));
    reader_t reader;
    cm_text t = {.used = 0, .fd = fd};
    if (set == NULL)
        return false;
    reader_self(&reader);
    set->reader = &reader;
    stats_take(set, try);
    stats_write(&t, set, format, os_process());
    os_unmap(set, os_pages(sizeof *set));
    return true;
}

bool stats_get(unsigned arena, cmalloc_stats *s)
{
    reader_t reader;
    reader_self(&reader);
    if (arena != CMALLOC_NO_ARENA)
        return arena < arena_count() && stats_arena(arena_at(arena), s, &reader);
    stats_set_t *set = os_map(os_pages(sizeof *set));
    if (set == NULL)
        return false;
    set->reader = &reader;
    stats_take(set, false);
    *s = set->total;
    os_unmap(set, os_pages(sizeof *set));
    return true;
}
