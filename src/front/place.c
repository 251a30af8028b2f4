/* front/place.c - see place.h. */
#include "front/place.h"

#include "base/options.h"
#include "core/large.h"
#include "front/cache.h"
#include "front/trim.h"
#include "os/os.h"

_Atomic size_t place_taken;

static void count_taken(thread_t *t)
{
    if (t->arena != NULL)
        t->taken++;
    else
        atomic_fetch_add_explicit(&place_taken, 1, memory_order_relaxed);
}

/* --- M chunks --- */

static bool may_map(void)
{
    return atomic_load_explicit(&large_count, memory_order_relaxed) <
           atomic_load_explicit(&cm_options.mmap_max, memory_order_relaxed);
}

/* Into the list of the thread's arena; in a signal handler, or when no arena can be had,
 * it is in no list. */
static void link_large(mchunkptr c, thread_t *t)
{
    arena_t *a = t == NULL ? NULL : thread_lock_arena(t);
    if (a == NULL)
        return;
    large_link_locked(a, c);
    arena_unlock(a);
}

static bool take_large(place_t *p, thread_t *t)
{
    p->chunk = p->align <= CHUNK_ALIGN ? large_reuse(p->n, &p->zero) : NULL;
    if (p->chunk == NULL) {
        p->chunk = large_map(p->n, p->align);
        p->zero = (zone_t){0, UINTPTR_MAX};
    }
    if (p->chunk == NULL)
        return false;
    atomic_fetch_add_explicit(&large_count, 1, memory_order_relaxed);
    link_large(p->chunk, t);
    return true;
}

CM_FAR mchunkptr place_take_guarded(size_t n, size_t align, const guard_trace_t *who)
{
    thread_t *t = thread_get();
    if (!thread_enter())
        return NULL;
    mchunkptr c = guard_take(n, align, who);
    if (c != NULL) {
        atomic_fetch_add_explicit(&large_count, 1, memory_order_relaxed);
        link_large(c, t);
        count_taken(t);
    }
    thread_leave();
    return c;
}

/* Out of its arena's list. False: the list is an orphan's; then it does not matter that
 * it keeps the entry. */
static void unlink_large(mchunkptr c)
{
    arena_t *a = large_info_of(c)->arena;
    if (a == NULL || !arena_lock(a))
        return;
    large_unlink_locked(a, c);
    arena_unlock(a);
}

static void give_large(mchunkptr c)
{
    unlink_large(c);
    if (large_keep(c))
        purger_call();
    atomic_fetch_sub_explicit(&large_count, 1, memory_order_relaxed);
}

/* --- heap chunks --- */

static bool take_from(arena_t *a, place_t *p)
{
    size_t size = chunk_size_for(p->n);
    arena_drain_locked(a);
    p->chunk = arena_take_locked(a, size, p->align);
    p->zero = p->align <= CHUNK_ALIGN ? a->zero : ZONE_NONE;
    if (p->chunk != NULL)
        link_unmark(chunk_mem(p->chunk));
    return p->chunk != NULL;
}

static bool take_from_thread(thread_t *t, place_t *p)
{
    arena_t *a = thread_lock_arena(t);
    if (a == NULL)
        return false;
    bool taken = take_from(a, p);
    arena_unlock(a);
    return taken;
}

static bool take_from_others(const thread_t *t, place_t *p)
{
    for (unsigned i = 0; i < arena_count(); i++) {
        arena_t *a = arena_at(i);
        if (a == t->arena || !arena_lock(a))
            continue;
        bool taken = take_from(a, p);
        arena_unlock(a);
        if (taken)
            return true;
    }
    return false;
}

static bool take_entered(place_t *p, thread_t *t)
{
    size_t wide =
        chunk_size_for(p->n) + (p->align > CHUNK_ALIGN ? p->align + CHUNK_MIN : 0);
    bool fits = wide <= ARENA_CHUNK_MAX;
    bool large = !fits || (wide >= atomic_load_explicit(&cm_options.mmap_threshold,
                                                        memory_order_relaxed) &&
                           may_map());
    if (large && take_large(p, t))
        return true;
    return fits && (take_from_thread(t, p) || take_from_others(t, p) ||
                    (!large && p->n >= os_page && take_large(p, t)));
}

/* Memory is short: what is kept ready goes back, to the heaps and from them to the
 * kernel. */
static void reclaim(thread_t *t)
{
    trim_all(t, 0);
    heap_retry();
}

static bool take_or_reclaim(place_t *p, thread_t *t)
{
    if (take_entered(p, t))
        return true;
    reclaim(t);
    bool before = os_heed_soft_limit(false);
    bool taken = take_entered(p, t);
    os_heed_soft_limit(before);
    return taken;
}

/* In a signal handler, below our own frames: a mapping, and no lock to reclaim with. */
static bool take_interrupted(place_t *p)
{
    bool before = os_heed_soft_limit(false);
    bool taken = take_large(p, NULL);
    os_heed_soft_limit(before);
    return taken;
}

bool place_take(place_t *p)
{
    if (p->n > REQUEST_MAX || p->align > REQUEST_MAX - p->n)
        return false;
    thread_t *t = thread_get();
    bool entered = thread_enter();
    bool taken = entered ? take_or_reclaim(p, t) : take_interrupted(p);
    if (taken)
        count_taken(t);
    if (entered)
        thread_leave();
    if (CM_SECURE && taken && (chunk_word(p->chunk) & CHUNK_M) == 0)
        harden_out(chunk_mem(p->chunk));
    return taken;
}

/* Below a signal handler no lock may be taken: whoever holds the arena next frees the
 * chunk. */
static void give_interrupted(mchunkptr c)
{
    bool large = (chunk_word(c) & CHUNK_M) != 0;
    arena_t *a = large ? large_info_of(c)->arena : arena_of(c);
    if (a != NULL)
        inbox_post_one(&a->inbox, chunk_mem(c));
    else
        large_keep(c);
    if (large)
        atomic_fetch_sub_explicit(&large_count, 1, memory_order_relaxed);
}

static void give_to_arena(mchunkptr c)
{
    arena_t *a = arena_of(c);
    if (!arena_lock(a))
        return; /* an orphan's chunk stays where it is */
    arena_give_locked(a, c);
    purger_look_locked(a);
    arena_unlock(a);
}

void place_give(mchunkptr c)
{
    if (!thread_enter()) {
        give_interrupted(c);
        return;
    }
    if ((chunk_word(c) & CHUNK_M) != 0)
        give_large(c);
    else
        give_to_arena(c);
    thread_leave();
}

CM_FAR bool place_grow(mchunkptr c, size_t size)
{
    bool grown = false;
    if (size > ARENA_CHUNK_MAX || !thread_enter())
        return false;
    arena_t *a = arena_of(c);
    if (arena_lock(a)) {
        grown = arena_grow_locked(a, c, size);
        arena_unlock(a);
    }
    thread_leave();
    return grown;
}

CM_FAR void place_cut(mchunkptr c, size_t size)
{
    if (!thread_enter())
        return;
    arena_t *a = arena_of(c);
    if (arena_lock(a)) {
        arena_cut_locked(a, c, size);
        arena_unlock(a);
    }
    thread_leave();
}

static mchunkptr resize_or_reclaim(mchunkptr c, size_t n, thread_t *t)
{
    mchunkptr resized = large_resize(c, n);
    if (resized != NULL || os_may_grow(n))
        return resized;
    reclaim(t);
    bool before = os_heed_soft_limit(false);
    resized = large_resize(c, n);
    os_heed_soft_limit(before);
    return resized;
}

CM_FAR mchunkptr place_resize_large(mchunkptr c, size_t n)
{
    thread_t *t = thread_get();
    if (!thread_enter())
        return NULL;
    unlink_large(c);
    mchunkptr resized = resize_or_reclaim(c, n, t);
    link_large(resized != NULL ? resized : c, t);
    thread_leave();
    return resized;
}
