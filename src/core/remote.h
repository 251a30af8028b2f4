/*
 * core/remote.h - chunks on their way home.
 *
 * An inbox is a stack of magazines, linked through their chunks' payload (link.h), that
 * threads of other arenas have freed: each of one class, or a single chunk of any size.
 * Anybody pushes; the holder of the arena's lock takes all. So there is no pop of one and
 * no ABA: a push only needs that the head it linked to is still the head, whatever
 * happened to it in between.
 * Orders: push is sequentially consistent, for the look at the arena's threads that
 * follows it (post in front/foreign.c), and so releases the links and the chunk's last
 * contents; take acquires them.
 * A chunk in an inbox is in use as far as the heap knows: its P stays set, and nobody
 * merges it.
 */
#ifndef CM_CORE_REMOTE_H
#define CM_CORE_REMOTE_H

#include "core/link.h"

typedef struct inbox {
    _Atomic(void *) first;
} CM_ALIGNED(CACHE_LINE) inbox_t;

/* Post a magazine. Lock-free; async-signal-safe. */
CM_INLINE void inbox_post(inbox_t *inbox, magazine_t m)
{
    void *head = atomic_load_explicit(&inbox->first, memory_order_relaxed);
    do
        magazine_set(m, head);
    while (!atomic_compare_exchange_weak_explicit(
        &inbox->first, &head, m.first, memory_order_seq_cst, memory_order_relaxed));
}

/* The same for one chunk's memory. */
CM_INLINE void inbox_post_one(inbox_t *inbox, void *mem)
{
    link_set(mem, NULL);
    inbox_post(inbox, (magazine_t){mem, 1});
}

/* Take everything; NULL: it was empty. Caller holds the arena's lock. Pairs with
 * inbox_post. */
CM_INLINE void *inbox_take(inbox_t *inbox)
{
    if (atomic_load_explicit(&inbox->first, memory_order_relaxed) == NULL)
        return NULL;
    return atomic_exchange_explicit(&inbox->first, NULL, memory_order_acquire);
}

#endif
