/*
 * front/thread.h - what a thread has of its own, from its first call to behind its last.
 *
 * The thread-local variable is one pointer and never NULL. It points to `thread_none` before the first call, to the thread's
 * own struct while it is attached, and to `thread_gone` once its exit handler has run; a thread that allocates or
 * frees after that goes straight to an arena each time.
 * A thread is known by the address of its struct and never by a thread id: a child of vfork shares both
 * memory and struct with its parent, which waits.
 * Locks: none; a thread_t is touched by its own thread alone, except while it is in the list of free ones.
 */
#ifndef CM_FRONT_THREAD_H
#define CM_FRONT_THREAD_H

#include "core/arena.h"

typedef struct thread {
    arena_t *arena;           /* NULL: not attached */
    struct thread *next_free; /* in the list of structs without a thread */
} thread_t;

extern thread_t thread_none, thread_gone;
extern CM_TLS thread_t *thread_self;
extern CM_TLS bool thread_inside; /* the core: who comes here now is a signal handler */

/* The constructor's share: from here on threads are told when they exit. */
void thread_init(void);

/* Give the calling thread a struct and an arena; returns thread_self, which stays thread_none if there is no memory. */
thread_t *thread_attach(void);

/* The calling thread's struct, attached if it may be. */
CM_INLINE thread_t *thread_get(void)
{
    thread_t *t = thread_self;
    return cm_likely(t != &thread_none) ? t : thread_attach();
}

/* Lock the arena that t allocates from; another one if a fork has orphaned it. NULL: there is none. */
arena_t *thread_lock_arena(thread_t *t);

/* Enter the core. False: this thread is inside it already, below a signal handler. */
CM_INLINE bool thread_enter(void)
{
    if (cm_unlikely(thread_inside))
        return false;
    thread_inside = true;
    cm_signal_fence();
    return true;
}

CM_INLINE void thread_leave(void)
{
    cm_signal_fence();
    thread_inside = false;
}

#endif
