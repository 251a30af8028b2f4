/*
 * front/drain.c - what threads hold goes back to the arenas: a class that is not used,
 * all that a thread has, what others have to spare. See cache.h.
 */
#include "front/cache.h"

#include "front/foreign.h"
#include "front/quarantine.h"
#include "front/sample.h"

bool cache_park(thread_t *t, unsigned k, magazine_t m)
{
    arena_t *a = t->arena;
    if (atomic_load_explicit(&t->mixed[k], memory_order_relaxed))
        m = foreign_send(t, k, m);
    if (m.count == 0 || !arena_lock(a))
        return false;
    depot_park(&a->depot, k, m);
    bool cold = depot_is_cold(&a->depot, k);
    purger_look_locked(a);
    arena_unlock(a);
    return cold;
}

magazine_t cache_unload(thread_t *t, cache_bin_t *b)
{
    magazine_t m = {link_show(b->head), b->cap - b->room};
    if (m.first == NULL) /* a signal handler took what was on its way out (cache_pop) */
        m.count = 0;
    b->head = t->secret.mask;
    b->room = b->cap;
    return m;
}

/* Pre: t's lock is held. */
static void empty_class(thread_t *t, unsigned k)
{
    cache_park(t, k, cache_unload(t, &t->bins[k]));
    cache_park(t, k, t->spare[k]);
    t->spare[k] = (magazine_t){NULL, 0};
}

/* Ready against merged, here as in the depot (core/merge.c): what a thread has of sizes
 * that it no longer uses pins the memory around it. At each visit to the arena a hand
 * looks at the next class. One whose bin has not changed since the hand was
 * there last goes to the depot. A bin whose first chunk goes out and comes back between
 * two looks is taken for one; it costs a visit more. */
void cache_look_round(thread_t *t)
{
    unsigned k = t->hand = (t->hand + 1) % CLASS_COUNT;
    const cache_bin_t *b = &t->bins[k];
    uint16_t head = (uint16_t)(b->head / CHUNK_ALIGN);
    bool changed = t->heads[k] != head;
    t->heads[k] = head;
    if (b->cap > 0 && t->changes[k] < CACHE_BUSY) /* no longer, if it ever was */
        cache_shrink(t, k, class_magazine(class_size(k)));
    t->changes[k] = 0;
    if (changed || b->cap == 0 || sample_on())
        return;
    cm_lock_take_or_inherit(&t->lock);
    empty_class(t, k);
    cm_lock_drop(&t->lock);
}

static void flush_class(thread_t *t, unsigned k)
{
    empty_class(t, k);
    t->bins[k].cap = t->bins[k].room = 0;
}

void cache_flush(thread_t *t)
{
    quarantine_flush(t);
    cm_lock_take_or_inherit(&t->lock);
    for (unsigned k = 0; k < CLASS_COUNT; k++)
        if (t->bins[k].cap != 0)
            flush_class(t, k);
    foreign_flush(t);
    cm_lock_drop(&t->lock);
    atomic_fetch_sub_explicit(&cache_charged, t->charge, memory_order_relaxed);
    t->charge = 0;
}

static void drain(thread_t *t)
{
    if (!cm_lock_take(&t->lock))
        return;
    for (unsigned k = 0; t->arena != NULL && k < CLASS_COUNT; k++) {
        cache_park(t, k, t->spare[k]);
        t->spare[k] = (magazine_t){NULL, 0};
    }
    cm_lock_drop(&t->lock);
}

CM_FAR void cache_drain_spares(void)
{
    for (thread_t *t = thread_first(); t != NULL; t = thread_after(t))
        drain(t);
}

static void merge(arena_t *a, magazine_t m)
{
    if (m.count > 0 && arena_lock(a)) {
        arena_give_aged_locked(a, m.first);
        arena_unlock(a);
    }
}

/* Pre: t's lock is held, and it is attached. */
static void merge_spares(thread_t *t)
{
    for (unsigned k = 0; k < CLASS_COUNT; k++) {
        magazine_t m = t->spare[k];
        t->spare[k] = (magazine_t){NULL, 0};
        if (atomic_load_explicit(&t->mixed[k], memory_order_relaxed))
            m = foreign_send(t, k, m);
        merge(t->arena, m);
    }
}

CM_FAR void cache_drain_idle(void)
{
    for (thread_t *t = thread_first(); t != NULL; t = thread_after(t)) {
        if (!cm_lock_take(&t->lock))
            continue;
        t->rest = t->misses == t->seen ? t->rest + 1 : 0;
        t->seen = t->misses;
        if (t->arena != NULL && t->rest == PURGE_TICKS / 2)
            merge_spares(t);
        cm_lock_drop(&t->lock);
    }
}
