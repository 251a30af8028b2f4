/*
 * front/purger.h - giving memory back while the program does something else, or nothing.
 *
 * The purger is a thread that lives only as long as there is something to age. Whoever
 * leaves an arena with PURGER_START bytes waiting in it, or keeps a mapping, calls for
 * it; the next thread_leave, which holds no lock, starts it. Every tick (an age is
 * PURGE_TICKS of them) it merges what waits in depots and in the spare magazines of
 * threads that have come to rest, and purges what has been free for an age. When next to
 * nothing waits it ends: an idle process has no thread more than the program made, and
 * neither exit by the last thread's pthread_exit nor a later setuid or unshare has to
 * reckon with one for longer than it takes.
 *
 *   idle -> called -> running -> idle        by compare-and-swap; `running` is of one
 *   ^______________________|                 generation: a child of fork starts its own
 *
 * An errand (statistics every few seconds) makes it start with the program and stay for
 * as long as a thread has a cache: the last one's pthread_exit still ends the process.
 *
 * Without a thread (background=off, a program that has none, or none can be made) whoever
 * is called does a tick's work itself when a tick has gone by; with purge_age=0 everybody
 * purges all at once.
 */
#ifndef CM_FRONT_PURGER_H
#define CM_FRONT_PURGER_H

#include "core/arena.h"

typedef enum purger_state { PURGER_IDLE, PURGER_CALLED, PURGER_RUNNING } purger_state_t;

extern _Atomic uint32_t purger_state; /* generation << 2 | state */

/* The constructor's share: from here on a thread may be started. */
void purger_init(void);

/* A caller about to leave a: is there enough waiting? Under a's lock. */
void purger_look_locked(const arena_t *a);

/* Run at each tick by the purger's thread, which has no libc. A constructor sets it, and
 * calls. NULL: there is none. */
extern void (*purger_errand)(void);

/* There is something to do. Lock-free. */
void purger_call(void);

/* Do what the call was for. Caller holds no lock and is not inside. */
void purger_answer(void);

/* For thread_leave: one load, in nearly all cases. */
CM_INLINE void purger_poll(void)
{
    uint32_t state = atomic_load_explicit(&purger_state, memory_order_relaxed);
    if (cm_unlikely((state & 3) == PURGER_CALLED))
        purger_answer();
}

/* A tick's work, over all arenas. False: next to nothing waits any more. */
bool purger_tick(void);

#endif
