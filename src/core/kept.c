/* core/kept.c - freed mappings that are kept for reuse. See large.h for the invariant. */
#include "base/options.h"
#include "core/guard.h"
#include "core/large.h"
#include "os/os.h"

static _Atomic size_t live, kept_bytes;
_Atomic size_t large_live_most, large_count;
_Atomic(large_info *) large_kept[LARGE_KEPT];

void large_count_live(ptrdiff_t bytes)
{
    size_t now = atomic_fetch_add_explicit(&live, (size_t)bytes, memory_order_relaxed) +
                 (size_t)bytes;
    if (bytes > 0)
        cm_raise(&large_live_most, now);
}

/* Empty place i. Acquire pairs with the release in put. What was written to after it was
 * freed must not say how much is unmapped. */
static large_info *pick(unsigned i)
{
    large_info *info =
        atomic_exchange_explicit(&large_kept[i], NULL, memory_order_acquire);
    if (info == NULL)
        return NULL;
    if (cm_unlikely(!large_is_sealed(info)))
        cm_panic(PANIC_HEAP, info);
    atomic_fetch_sub_explicit(&kept_bytes, info->mapped, memory_order_relaxed);
    return info;
}

static bool put(large_info *info)
{
    size_t bytes = info->mapped;
    for (unsigned i = 0; i < LARGE_KEPT; i++) {
        large_info *empty = NULL;
        if (atomic_load_explicit(&large_kept[i], memory_order_relaxed) == NULL &&
            atomic_compare_exchange_strong_explicit(&large_kept[i], &empty, info,
                                                    memory_order_release,
                                                    memory_order_relaxed)) {
            atomic_fetch_add_explicit(&kept_bytes, bytes, memory_order_relaxed);
            return true;
        }
    }
    return false;
}

bool large_make_room(size_t bytes)
{
    for (unsigned i = 0; i < LARGE_KEPT; i++) {
        size_t all = atomic_load_explicit(&live, memory_order_relaxed) +
                     atomic_load_explicit(&kept_bytes, memory_order_relaxed) + bytes;
        if (all <= atomic_load_explicit(&large_live_most, memory_order_relaxed))
            return true;
        large_info *info = pick(i);
        if (info != NULL)
            os_unmap(info, info->mapped);
    }
    return false;
}

/* a serves need better than b: the smallest that is large enough, else the largest. */
static bool better(const large_info *a, const large_info *b, size_t need)
{
    if (b == NULL)
        return true;
    if (a->mapped >= need)
        return b->mapped < need || a->mapped < b->mapped;
    return b->mapped < need && a->mapped > b->mapped;
}

static large_info *pick_best(size_t need)
{
    large_info *best = NULL;
    for (unsigned i = 0; i < LARGE_KEPT; i++) {
        large_info *info = pick(i), *other = info;
        if (info == NULL)
            continue;
        if (better(info, best, need)) {
            other = best;
            best = info;
        }
        if (other != NULL && !put(other))
            os_unmap(other, other->mapped);
    }
    return best;
}

/* In the place of a smaller one, if none is empty. */
static bool put_or_replace(large_info *info)
{
    if (put(info))
        return true;
    large_info *least = pick_best(0);
    if (least == NULL || least->mapped >= info->mapped) {
        if (least != NULL)
            large_kept_put(least);
        return false;
    }
    os_unmap(least, least->mapped);
    return put(info);
}

/* --- what is worth keeping --- */

/* Whoever frees one large chunk and goes to sleep has no use for what was kept, and a
 * program without threads nobody to give it back. So the first one is let go; if another
 * is asked for within an age, those that follow are kept, until one has aged in vain. */
static _Atomic uint32_t let_go; /* when the last one was, in milliseconds; 0: never */
static _Atomic bool in_demand;

static size_t keep_age(void)
{
    return atomic_load_explicit(&cm_options.purge_age, memory_order_relaxed);
}

static void note_demand(void)
{
    uint32_t since = atomic_load_explicit(&let_go, memory_order_relaxed);
    if (since != 0 && os_milliseconds() - since < keep_age())
        atomic_store_explicit(&in_demand, true, memory_order_relaxed);
}

static bool is_keeping(void)
{
    return os_guard() == 0 && !cm_secure(zero) && keep_age() != 0;
}

static bool may_keep(void)
{
    return is_keeping() && atomic_load_explicit(&in_demand, memory_order_relaxed);
}

/* Requests below the threshold go to a heap: nobody would ask for a mapping of that size
 * again. But as long as it is there, it may grow for a larger one. */
static bool is_wanted(const large_info *info)
{
    return info->mapped - info->offset >
           atomic_load_explicit(&cm_options.mmap_threshold, memory_order_relaxed);
}

static _Atomic bool unwanted; /* one of those is kept, perhaps */

CM_NEAR void large_make_way(void)
{
    if (cm_likely(!atomic_load_explicit(&unwanted, memory_order_relaxed)))
        return;
    atomic_store_explicit(&unwanted, false, memory_order_relaxed);
    for (unsigned i = 0; i < LARGE_KEPT; i++) {
        large_info *info = pick(i);
        if (info != NULL && (!is_wanted(info) || !put(info)))
            os_unmap(info, info->mapped);
    }
}

/* What need leaves of a kept mapping is kept by itself. */
static void keep_rest(char *rest, size_t mapped, const large_parts_t *parts)
{
    large_info *info = large_place(rest, mapped, chunk_start(sizeof(large_info)), parts);
    info->magic = LARGE_KEPT_MAGIC ^ (uintptr_t)info;
    info->ticks = 0;
    if (!is_wanted(info) || !may_keep() || !put(info))
        os_unmap(info, mapped);
}

/* --- gathering --- */

typedef struct gathered {
    os_part_t part[LARGE_PARTS];
    large_parts_t parts; /* the same, as a large_info has them */
    size_t bytes;
    char *rest; /* what is left of the last one */
    size_t rest_bytes;
    large_parts_t rest_parts;
} gathered_t;

/* Parts that may be gathered: what is fresh behind them is one more. */
#define GATHER_MOST (LARGE_PARTS - 1)

/* Add as much of info as need asks for. */
static void add(gathered_t *g, large_info *info, size_t need)
{
    size_t at = 0;
    for (size_t i = 0; i < info->parts.count && g->parts.count < GATHER_MOST; i++) {
        size_t size = large_part_size(info, i, at);
        if (size > need - g->bytes)
            size = need - g->bytes;
        if (size == 0)
            break;
        g->part[g->parts.count] = (os_part_t){(char *)info + at, size};
        g->parts.size[g->parts.count++] = size;
        g->bytes += size;
        at += size;
    }
    g->rest = (char *)info + at;
    g->rest_bytes = info->mapped - at;
    g->rest_parts = large_cut_parts(info, at, info->mapped);
}

static bool may_gather(const gathered_t *g, size_t need)
{
    return g->bytes < need && g->parts.count < GATHER_MOST &&
           atomic_load_explicit(&large_count, memory_order_relaxed) <= LARGE_GATHER_MOST;
}

char *large_gather(large_info *info, size_t need, large_parts_t *parts, size_t *fresh)
{
    gathered_t g = {.bytes = 0};
    large_info *picked[LARGE_PARTS];
    unsigned count = 0;
    bool in_use = info->magic == (LARGE_MAGIC ^ (uintptr_t)info);
    if (in_use && info->parts.count > GATHER_MOST)
        return NULL;
    add(&g, info, need);
    size_t wanted = in_use ? g.parts.count : 0;
    while (may_gather(&g, need) && (picked[count] = pick_best(SIZE_MAX)) != NULL)
        add(&g, picked[count++], need);
    char *base = os_gather(g.part, g.parts.count, wanted, need);
    if (base == NULL) {
        while (count > 0)
            large_kept_put(picked[--count]);
        return NULL;
    }
    if (g.rest_bytes > 0)
        keep_rest(g.rest, g.rest_bytes, &g.rest_parts);
    *parts = g.parts;
    parts->count += g.bytes < need;
    *fresh = g.bytes;
    return base;
}

mchunkptr large_reuse(size_t n, zone_t *zero)
{
    const size_t first = chunk_start(sizeof(large_info));
    *zero = ZONE_NONE;
    size_t need = os_pages(first + CHUNK_HEADER + n);
    large_info *best = pick_best(need);
    if (best == NULL) {
        note_demand();
        return NULL;
    }
    size_t mapped = best->mapped, fresh;
    large_parts_t parts;
    char *base = (char *)best;
    if (mapped < need) {
        base = large_gather(best, need, &parts, &fresh);
        if (base == NULL) {
            os_unmap(best, mapped);
            return NULL;
        }
        *zero = (zone_t){(uintptr_t)base + fresh, UINTPTR_MAX};
    } else {
        if (mapped - need <= need / 4)
            need = mapped;
        parts = large_cut_parts(best, 0, need);
        large_parts_t rest = large_cut_parts(best, need, mapped);
        if (mapped > need)
            keep_rest(base + need, mapped - need, &rest);
    }
    large_count_live((ptrdiff_t)need);
    large_place(base, need, first, &parts);
    large_make_room(0);
    return chunk_at(base, first);
}

bool large_keep(mchunkptr c)
{
    large_info *info = large_info_of(c);
    if (guard_has(info)) {
        guard_give(info);
        return false;
    }
    size_t size = info->mapped - info->offset;
    large_count_live(-(ptrdiff_t)info->mapped);
    info->magic = LARGE_KEPT_MAGIC ^ (uintptr_t)info;
    info->ticks = 0;
    if (size <= LARGE_ADAPT_MOST || !is_keeping())
        large_adapt_threshold(size);
    bool wanted = is_wanted(info), may = may_keep();
    bool kept_it = may && large_make_room(info->mapped) && put_or_replace(info);
    if (kept_it && !wanted)
        atomic_store_explicit(&unwanted, true, memory_order_relaxed);
    if (!kept_it) {
        if (may) { /* there are more of them than places: a heap serves better */
            large_adapt_threshold(size);
            atomic_store_explicit(&unwanted, true, memory_order_relaxed);
        }
        os_release(info, info->mapped + os_guard(), info->mapped);
        atomic_store_explicit(&let_go, os_milliseconds(), memory_order_relaxed);
    }
    return kept_it;
}

size_t large_drop_kept(void)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < LARGE_KEPT; i++) {
        large_info *info = pick(i);
        if (info != NULL) {
            bytes += info->mapped;
            os_unmap(info, info->mapped);
        }
    }
    return bytes;
}

large_info *large_kept_take(unsigned i) { return pick(i); }

void large_kept_put(large_info *info)
{
    if (!put(info))
        os_unmap(info, info->mapped);
}

size_t large_kept_bytes(void)
{
    return atomic_load_explicit(&kept_bytes, memory_order_relaxed);
}

/* `ticks` is set to zero by large_keep and counted on here alone; whoever takes a mapping
 * in between ends its count. */
void large_tick(void)
{
    for (unsigned i = 0; i < LARGE_KEPT; i++) {
        large_info *info = pick(i);
        if (info == NULL)
            continue;
        bool aged = ++info->ticks >= PURGE_TICKS;
        if (aged)
            atomic_store_explicit(&in_demand, false, memory_order_relaxed);
        if (aged || !put(info))
            os_unmap(info, info->mapped);
    }
}
