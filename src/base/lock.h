/*
 * base/lock.h - a mutex that a forked child can judge.
 *
 * word == 0                    free
 * word == generation << 1      held, nobody waits
 * word == generation << 1 | 1  held, somebody may wait
 *
 * A generation is one process between two forks. No lock is taken around fork: a child
 * finds each lock either free, and then what it guards is whole (fork copies a causally
 * consistent image: a thread that would write behind the copy waits for the fork to end),
 * or held by a generation that has no thread here. Such a lock is *orphaned*; taking it
 * fails, and its arena is left alone for ever. So fork can never wait for malloc, and
 * nothing that malloc's users wait for inside fork can wait for us.
 */
#ifndef CM_BASE_LOCK_H
#define CM_BASE_LOCK_H

#include "base/host.h"

typedef struct cm_lock {
    _Atomic uint32_t word;
} cm_lock;

bool cm_lock_wait(cm_lock *lock); /* the slow half of cm_lock_take */

CM_INLINE uint32_t cm_generation(void)
{
    _Atomic uint32_t *word = atomic_load_explicit(&host_generation, memory_order_acquire);
    uint32_t generation = atomic_load_explicit(word, memory_order_relaxed);
    return cm_likely(generation != 0) ? generation : host_generation_renew();
}

/* Take the lock if it is free now. Acquire pairs with the release in cm_lock_drop. */
CM_INLINE bool cm_lock_try(cm_lock *lock)
{
    uint32_t expected = 0;
    return atomic_compare_exchange_strong_explicit(
        &lock->word, &expected, cm_generation() << 1, memory_order_acquire,
        memory_order_relaxed);
}

/* Take the lock. Returns false, at once, if it is orphaned. Not for signal handlers. */
CM_INLINE bool cm_lock_take(cm_lock *lock)
{
    return cm_likely(cm_lock_try(lock)) || cm_lock_wait(lock);
}

CM_INLINE void cm_lock_drop(cm_lock *lock)
{
    if (cm_unlikely(atomic_exchange_explicit(&lock->word, 0, memory_order_release) & 1))
        host_wake(&lock->word);
}

/* Take a lock whose data are right at every instruction: an orphaned one changes
 * hands. */
void cm_lock_take_or_inherit(cm_lock *lock);

#endif
