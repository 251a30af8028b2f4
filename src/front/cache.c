/*
 * front/cache.c - misses: refilling and spilling.
 *
 * A miss runs with thread_inside set, so that a signal handler which comes in between
 * takes the emergency way.
 */
#include "front/cache.h"

#include "front/foreign.h"

#include "base/options.h"
#include "front/sample.h"

_Atomic size_t cache_charged;

/* --- capacity --- */

/* Chunks in the longest magazine for the class: a small one that is in demand before
 * others has them of twice the length. */
static unsigned longest(thread_t *t, unsigned k)
{
    size_t size = class_size(k);
    bool busy = t->changes[k] == CACHE_BUSY;
    t->changes[k] += !busy;
    return class_magazine(size) << (busy && size <= CLASS_EXACT_MAX);
}

/* All are modulo their width: the cap may be less than it was. Returns the sum of all
 * charges, each for what is in the bin and in the spare. */
static size_t set_cap(thread_t *t, unsigned k, unsigned cap)
{
    cache_bin_t *b = &t->bins[k];
    size_t more = 2 * ((size_t)cap - b->cap) * class_size(k);
    t->charge += more;
    b->room += cap - b->cap;
    b->cap = cap;
    return atomic_fetch_add_explicit(&cache_charged, more, memory_order_relaxed) + more;
}

/* Twice the cap, up to a full magazine, as long as the budget lasts. False: it stays. */
static bool grow_cap(thread_t *t, unsigned k)
{
    unsigned before = t->bins[k].cap, most = longest(t, k);
    unsigned cap = before == 0 ? 1 : 2 * before;
    if (cap > most)
        cap = most;
    if (cap <= before)
        return false;
    if (set_cap(t, k, cap) <= CACHE_BUDGET || cap <= MAGAZINE_LEAST)
        return true;
    set_cap(t, k, before);
    return false;
}

void cache_shrink(thread_t *t, unsigned k, unsigned cap)
{
    const cache_bin_t *b = &t->bins[k];
    if (b->cap > cap && b->cap - b->room <= cap)
        set_cap(t, k, cap);
}

/* --- refill --- */

/* Chunks are mostly freed in the order of their addresses, or against it, and each leads
 * to the next: so the lines that its first two point along are asked for together. Left
 * alone, a processor stops looking ahead at the end of each page. */
static void look_ahead(magazine_t m)
{
    if (m.count < 2)
        return;
    uintptr_t next = (uintptr_t)link_next(m.first);
    uintptr_t step = next > (uintptr_t)m.first ? CACHE_LINE : -(uintptr_t)CACHE_LINE;
    for (int i = 0; i < MAGAZINE_AHEAD; i++, next += step)
        cm_prefetch((const void *)next); /* NOLINT(performance-no-int-to-ptr) */
}

/* Pre: the bin is empty. */
static void load(thread_t *t, unsigned k, magazine_t m)
{
    cache_bin_t *b = &t->bins[k];
    look_ahead(m);
    if (m.count > b->cap) /* another thread's: larger than what this one has grown to */
        set_cap(t, k, m.count);
    b->head = (uintptr_t)m.first ^ t->secret.mask;
    b->room = b->cap - m.count;
}

/* Chunks of class k from t's arena, at a multiple of align where a run is cut for
 * them. */
static magazine_t fetch(thread_t *t, unsigned k, size_t align, unsigned count)
{
    magazine_t m = {NULL, 0};
    arena_t *a = thread_lock_arena(t);
    if (a == NULL)
        return m;
    if (a == t->arena) {
        arena_drain_locked(a);
        m = depot_take(&a->depot, k, count);
        if (m.count == 0)
            m = arena_take_run_locked(a, class_size(k), align, count);
        purger_look_locked(a);
    }
    arena_unlock(a);
    return m;
}

static magazine_t take_spare(thread_t *t, unsigned k)
{
    cm_lock_take_or_inherit(&t->lock);
    magazine_t m = t->spare[k];
    t->misses++;
    t->spare[k] = (magazine_t){NULL, 0};
    cm_lock_drop(&t->lock);
    return m;
}

/* Fill the empty bin of class k. False: no memory. */
static bool refill(thread_t *t, unsigned k, size_t align)
{
    cache_bin_t *b = &t->bins[k];
    magazine_t m = take_spare(t, k);
    if (m.count == 0) {
        atomic_store_explicit(&t->mixed[k], false, memory_order_relaxed);
        cache_look_round(t);
        m = fetch(t, k, align, b->cap == 0 ? 1 : b->cap);
        grow_cap(t, k);
    }
    if (sample_on())
        m = sample_cut(t, k, m);
    load(t, k, m);
    return m.count > 0;
}

void *cache_take(thread_t *t, size_t n)
{
    unsigned k = class_of(class_round(chunk_size_for(n)));
    if (cache_is_off(t))
        return NULL;
    void *mem = cache_pop(t, &t->bins[k], false);
    if (cm_likely(mem != NULL) || !thread_enter())
        return mem;
    if (refill(t, k, CHUNK_ALIGN))
        mem = cache_pop(t, &t->bins[k], false);
    thread_leave();
    return mem;
}

/* --- aligned --- */

/* One of the first chunks of a bin that lies at a multiple of align. */
static void *pop_aligned(thread_t *t, cache_bin_t *b, size_t align)
{
    uintptr_t *link = &b->head;
    for (int i = 0; i < ALIGNED_LOOK; i++) {
        uintptr_t *words = link_show(*link);
        if (words == NULL)
            return NULL;
        if (((uintptr_t)words & (align - 1)) == 0) {
            if (CM_SECURE)
                (void)link_next(words); /* verified, as in cache_pop */
            b->room++;
            cm_signal_fence();
            *link = words[0];
            t->taken++;
            link_unmark(words);
            return words;
        }
        link = words;
    }
    return NULL;
}

void *cache_take_aligned(thread_t *t, size_t align, size_t size)
{
    unsigned k = class_of(size);
    cache_bin_t *b = &t->bins[k];
    size_t natural = size & -size; /* where one chunk is aligned so are the others */
    if (natural > ALIGNED_RUN)
        natural = ALIGNED_RUN;
    if (cache_is_off(t) || !thread_enter())
        return NULL;
    void *mem = pop_aligned(t, b, align);
    if (mem == NULL && b->room == b->cap && align <= natural && refill(t, k, natural))
        mem = pop_aligned(t, b, align);
    thread_leave();
    return mem;
}

/* --- spill --- */

/* Make room in the full bin of class k: the bin becomes the spare, and what was the spare
 * is parked. */
static void spill(thread_t *t, unsigned k)
{
    cache_bin_t *b = &t->bins[k];
    if (b->cap < CACHE_COLD && grow_cap(t, k))
        return;
    cm_lock_take_or_inherit(&t->lock);
    magazine_t old = t->spare[k];
    t->misses++;
    t->spare[k] = cache_unload(t, b);
    bool cold = cache_park(t, k, old);
    cm_lock_drop(&t->lock);
    /* What nobody asks for is spilled in small magazines: when its thread goes to sleep,
     * few chunks that nobody else can take are left to pin their pages. */
    if (cold)
        cache_shrink(t, k, CACHE_COLD);
    else
        grow_cap(t, k);
    cache_look_round(t);
}

/* --- free --- */

/* A list that goes on behind its length leads round in a circle, perhaps. */
CM_FAR static bool list_has(magazine_t list, const void *mem)
{
    void *m = list.first;
    for (; m != NULL && m != mem; m = link_next(m))
        if (cm_unlikely(list.count-- == 0))
            cm_panic(PANIC_LINKS, m);
    return m != NULL;
}

CM_FAR static bool depot_has(const depot_t *d, unsigned k, const void *mem)
{
    bool found = list_has(d->shelf[k].loose, mem);
    size_t left = d->bytes / class_size(k);
    for (void *next, *m = d->shelf[k].parked; m != NULL && !found; m = next) {
        magazine_t parked = magazine_get(m, &next);
        if (cm_unlikely(parked.count > left))
            cm_panic(PANIC_LINKS, m);
        left -= parked.count;
        found = list_has(parked, mem);
    }
    return found;
}

/* mem bears the key. It has been freed before if it is in one of the lists that this
 * thread can look at, or was merged. */
static CM_COLD void check_double_free(thread_t *t, arena_t *a, unsigned k,
                                      const void *mem)
{
    cm_lock_take_or_inherit(&t->lock);
    const cache_bin_t *b = &t->bins[k];
    magazine_t waiting = {link_show(b->head), b->cap - b->room};
    bool found = list_has(waiting, mem) || list_has(t->spare[k], mem);
    cm_lock_drop(&t->lock);
    for (unsigned i = 0; i < OUTGOING && !found; i++)
        found = list_has(t->out[i].chunks, mem);
    if (!found && arena_lock(a)) {
        arena_drain_locked(a);
        found = depot_has(&a->depot, k, mem) || arena_was_given_locked(a, chunk_of(mem));
        arena_unlock(a);
    }
    if (found)
        cm_panic(PANIC_DOUBLE_FREE, mem);
}

/* While samples are taken, what is freed goes to the spare magazine. */
static void give_uncounted(thread_t *t, unsigned k, void *mem)
{
    magazine_t *m = &t->spare[k];
    cm_lock_take_or_inherit(&t->lock);
    t->misses++;
    if (m->count >= t->bins[k].cap)
        grow_cap(t, k);
    if (m->count >= t->bins[k].cap) { /* or more: what sample_cut has left of another's */
        cache_park(t, k, *m);
        *m = (magazine_t){NULL, 0};
    }
    link_set(mem, m->first);
    m->first = mem;
    m->count++;
    cm_lock_drop(&t->lock);
}

static void give_own(thread_t *t, unsigned k, mchunkptr c)
{
    if (sample_on()) {
        give_uncounted(t, k, chunk_mem(c));
        return;
    }
    cache_move_window(t, c);
    if (t->bins[k].room == 0)
        spill(t, k);
    cache_push(t, &t->bins[k], chunk_mem(c), t->bins[k].room, t->secret.key);
}

bool cache_send_home(thread_t *t, arena_t *a, unsigned k, void *mem)
{
    if (cache_is_off(t) || !thread_enter())
        return false;
    foreign_collect(t, a, k, mem);
    thread_leave();
    return true;
}

/* Of another arena: kept as long as the bin is in demand. */
static void give_foreign(thread_t *t, arena_t *a, unsigned k, mchunkptr c)
{
    cache_bin_t *b = &t->bins[k];
    if (!cache_in_demand(b) || sample_on()) {
        foreign_collect(t, a, k, chunk_mem(c));
        return;
    }
    atomic_store_explicit(&t->mixed[k], true, memory_order_relaxed);
    cache_push(t, b, chunk_mem(c), b->room, t->secret.key);
}

CM_INLINE void give_any(thread_t *t, mchunkptr c)
{
    arena_t *a = arena_of(c);
    unsigned k = class_of(chunk_size(c));
    void *mem = chunk_mem(c);
    if (cm_unlikely(link_marked(mem)))
        check_double_free(t, a, k, mem);
    if (a == t->arena)
        give_own(t, k, c);
    else
        give_foreign(t, a, k, c);
}

bool cache_give(thread_t *t, mchunkptr c)
{
    if (cache_is_off(t) || !thread_enter())
        return false;
    give_any(t, c);
    thread_leave();
    return true;
}

/* Called by the quarantine alone: elsewhere give_any is a part of cache_give. */
#if CM_SECURE
void cache_give_inside(thread_t *t, mchunkptr c) { give_any(t, c); }
#endif
