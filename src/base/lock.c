/* base/lock.c - waiting for a lock. See lock.h for the states of the word. */
#include "base/lock.h"

#include "base/config.h"

static bool spin(cm_lock *lock)
{
    for (int i = 0; i < LOCK_SPINS; i++) {
        if (atomic_load_explicit(&lock->word, memory_order_relaxed) == 0 &&
            cm_lock_try(lock))
            return true;
        cm_pause();
    }
    return false;
}

bool cm_lock_wait(cm_lock *lock)
{
    if (spin(lock))
        return true;
    uint32_t contended = cm_generation() << 1 | 1;
    for (;;) {
        uint32_t seen = 0;
        /* Who has slept takes the lock as contended: others may still sleep behind it. */
        if (atomic_compare_exchange_strong_explicit(&lock->word, &seen, contended,
                                                    memory_order_acquire,
                                                    memory_order_relaxed))
            return true;
        if ((seen | 1) != contended)
            return false;
        if (seen == contended || atomic_compare_exchange_strong_explicit(
                                     &lock->word, &seen, contended, memory_order_relaxed,
                                     memory_order_relaxed))
            host_wait(&lock->word, contended);
    }
}

void cm_lock_take_or_inherit(cm_lock *lock)
{
    while (!cm_lock_take(lock)) {
        uint32_t seen = atomic_load_explicit(&lock->word, memory_order_relaxed);
        uint32_t mine = cm_generation() << 1;
        if (seen != 0 && (seen | 1) != (mine | 1) &&
            atomic_compare_exchange_strong_explicit(
                &lock->word, &seen, mine, memory_order_acquire, memory_order_relaxed))
            return;
    }
}
