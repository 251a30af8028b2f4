/* core/kept.c - freed mappings that are kept for reuse. See large.h for the invariant. */
#include "base/options.h"
#include "core/guard.h"
#include "core/large.h"
#include "os/os.h"

static _Atomic size_t live, kept_bytes;
_Atomic size_t large_live_most;
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

static bool may_keep(void)
{
    return keep_age() != 0 && atomic_load_explicit(&in_demand, memory_order_relaxed);
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
static void keep_rest(char *rest, size_t mapped)
{
    large_info *info = large_place(rest, mapped, chunk_start(sizeof(large_info)));
    info->magic = LARGE_KEPT_MAGIC ^ (uintptr_t)info;
    info->ticks = 0;
    if (!is_wanted(info) || !may_keep() || !put(info))
        os_unmap(info, mapped);
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
    size_t mapped = best->mapped;
    if (mapped < need) { /* its pages are worth more than fresh ones */
        large_info *grown = os_remap(best, mapped, need, true);
        if (grown == NULL) {
            os_unmap(best, mapped);
            return NULL;
        }
        best = grown;
        *zero = (zone_t){(uintptr_t)grown + mapped, UINTPTR_MAX};
        mapped = need;
    } else if (mapped - need > need / 4) {
        keep_rest((char *)best + need, mapped - need);
        mapped = need;
    }
    large_count_live((ptrdiff_t)mapped);
    large_place((char *)best, mapped, first);
    large_make_room(0);
    return chunk_at(best, first);
}

bool large_keep(mchunkptr c)
{
    large_info *info = large_info_of(c);
    if (guard_has(info)) {
        guard_give(info);
        return false;
    }
    large_count_live(-(ptrdiff_t)info->mapped);
    info->magic = LARGE_KEPT_MAGIC ^ (uintptr_t)info;
    info->ticks = 0;
    bool wanted = is_wanted(info);
    bool kept_it = os_guard() == 0 && !cm_secure(zero) && may_keep() &&
                   large_make_room(info->mapped) && put(info);
    if (kept_it && !wanted)
        atomic_store_explicit(&unwanted, true, memory_order_relaxed);
    if (!kept_it) {
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
