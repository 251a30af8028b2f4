/* inspect/stats.c - adding up a walk. See stats.h. */
#include "inspect/stats.h"

/* Of free memory: what is in memory, and what is not. */
static void add_free(cmalloc_stats *s, reader_t *r, uintptr_t from, size_t size)
{
    size_t resident = r == NULL ? size : r->resident(r, from, size);
    s->free_resident += resident;
    s->free_purged += size - resident;
}

/* The heap's bytes are metadata until a chunk claims them: what its heap_info, the
 * arena's struct and the fencepost take up is what remains. */
static void add_heap(cmalloc_stats *s, const cmalloc_item *item)
{
    s->heap_count++;
    s->heaps += item->size;
    s->mapped += item->size;
    s->metadata += item->size;
    s->reserved += item->reserved - item->size;
}

static void add_chunk(cmalloc_stats *s, reader_t *r, const cmalloc_item *item)
{
    s->metadata -= item->size;
    switch (item->kind) {
    case CMALLOC_INUSE:
        s->live += item->size - SIZE_SZ;
        s->overhead += SIZE_SZ;
        s->live_count++;
        break;
    case CMALLOC_CACHED:
        s->cached += item->size;
        s->cached_count++;
        break;
    case CMALLOC_FREE:
        s->binned += item->size;
        s->free_count++;
        s->free_largest = item->size > s->free_largest ? item->size : s->free_largest;
        add_free(s, r, (uintptr_t)item->address, item->size);
        break;
    case CMALLOC_TOP:
        s->top += item->size;
        add_free(s, r, (uintptr_t)item->address, item->size);
        break;
    case CMALLOC_DAMAGED:
        s->damaged += item->size;
        break;
    default: /* a fencepost */
        s->metadata += item->size;
    }
}

static void add_mapping(cmalloc_stats *s, reader_t *r, const cmalloc_item *item)
{
    uintptr_t mapping = (uintptr_t)item->address - item->prev_size;
    s->mapped += item->reserved;
    if (item->kind == CMALLOC_MMAPPED) {
        s->mmapped += item->reserved;
        s->mmapped_count++;
        s->live += item->size - CHUNK_HEADER;
        s->overhead += item->reserved - (item->size - CHUNK_HEADER);
        s->live_count++;
    } else {
        s->kept += item->reserved;
        s->kept_count++;
        add_free(s, r, mapping, item->reserved);
    }
}

void stats_add_item(cmalloc_stats *s, reader_t *reader, const cmalloc_item *item)
{
    if (item->kind == CMALLOC_ARENA)
        s->arena_count++;
    else if (item->kind == CMALLOC_HEAP)
        add_heap(s, item);
    else if (item->kind == CMALLOC_MMAPPED || item->kind == CMALLOC_KEPT)
        add_mapping(s, reader, item);
    else
        add_chunk(s, reader, item);
}

int stats_visit(const cmalloc_item *item, void *arg)
{
    stats_set_t *set = arg;
    cmalloc_stats *s = &set->process;
    if (item->arena < STATS_ARENAS) {
        s = &set->arenas[item->arena];
        if (item->arena >= set->arena_count)
            set->arena_count = item->arena + 1;
    }
    stats_add_item(s, set->reader, item);
    return 0;
}

void stats_add_arena(cmalloc_stats *s, const arena_t *a, size_t canary)
{
    size_t canaries = canary * (s->live_count - s->mmapped_count);
    s->live -= canaries;
    s->overhead += canaries;
    s->heaps_most += a->system_most;
}

/* Every field is a size_t; all but the largest chunk add up. */
void stats_add(cmalloc_stats *to, const cmalloc_stats *s)
{
    size_t largest =
        to->free_largest > s->free_largest ? to->free_largest : s->free_largest;
    const size_t *from = (const size_t *)s;
    size_t *sums = (size_t *)to;
    for (size_t i = 0; i < sizeof *s / sizeof *from; i++)
        sums[i] += from[i];
    to->free_largest = largest;
}

void stats_add_counts(cmalloc_stats *s, const os_counts_t *counts)
{
    size_t metadata = atomic_load_explicit(&counts->metadata, memory_order_relaxed);
    s->metadata += metadata;
    s->mapped += metadata;
    s->mapped_most = atomic_load_explicit(&counts->committed_most, memory_order_relaxed);
    s->returns = atomic_load_explicit(&counts->returns, memory_order_relaxed);
    s->returned = atomic_load_explicit(&counts->returned, memory_order_relaxed);
}

/* Every chunk that was handed out is live or has been freed. */
static void set_frees(stats_set_t *set, size_t held)
{
    cmalloc_stats *s = &set->process;
    s->frees = s->allocations > held ? s->allocations - held : 0;
    for (unsigned i = 0; i < set->arena_count; i++)
        if (set->busy[i])
            s->frees = 0;
}

void stats_sum(stats_set_t *set)
{
    set->total = (cmalloc_stats){0};
    for (unsigned i = 0; i < set->arena_count; i++)
        stats_add(&set->total, &set->arenas[i]);
    set_frees(set, set->total.live_count + set->process.live_count);
    stats_add(&set->total, &set->process);
}
