/*
 * front/thread.h - what a thread has of its own, from its first call to behind its last.
 *
 * The thread-local variable is one pointer and never NULL. It points to the thread's own
 * struct while it is attached; before its first call, and once its exit handler has run,
 * to thread_none, which is constant and empty, so that the hit path asks nothing: no
 * chunk can be had from it, and no address lies in its window. A thread is known by the
 * address of its struct and never by a thread id: a child of vfork shares both memory and
 * struct with its parent, which waits.
 *
 * Cache, by class (core/class.h): the magazine in use, in bins[], and a spare one. So at
 * least a whole magazine of calls lies between two visits to the arena, and nothing walks
 * a list to cut it.
 *   bin.room + number of chunks in bin == bin.cap; bin.cap grows with demand, from zero
 *   every chunk here is in use as far as the heap knows and bears link_key; it belongs to
 *   `arena`, unless mixed[]
 *   [window, window + 16 * span) holds chunks of `arena` only: what lies in it is freed
 *   without a look at its heap
 *
 * bins[], out[], taken, base and the window are touched by their own thread alone.
 * spare[] is guarded by `lock`, so that others can drain the spare magazines of an idle
 * thread. Lock order: thread, then arena.
 */
#ifndef CM_FRONT_THREAD_H
#define CM_FRONT_THREAD_H

#include "front/purger.h"

/* Chunks of one class, ready to hand out. head is hidden as links are (core/link.h). */
typedef struct cache_bin {
    uintptr_t head;
    uint32_t room, cap;
} CM_ALIGNED(16) cache_bin_t;

/* Freed chunks of one class, of another arena, on their way home. */
typedef struct outgoing {
    arena_t *arena;
    magazine_t chunks;
    unsigned k;
} outgoing_t;

typedef struct thread {
    uintptr_t window, span;
    link_secret_t secret;
    size_t taken; /* taken + base: chunks that it has handed out, ever */
    cache_bin_t bins[CLASS_COUNT];

    arena_t *arena; /* NULL: not attached */
    cm_lock lock;
    magazine_t spare[CLASS_COUNT];
    outgoing_t out[OUTGOING];
    size_t base; /* such that taken is 0 where a guarded chunk is due (sample.h) */
    size_t misses, seen; /* under lock: visits to the spares, ever; as of a tick */
    unsigned rest;       /* ticks without any */
    unsigned hand;       /* goes round the classes (drain.c) */
    uint16_t heads[CLASS_COUNT];     /* of the bins, in part, when it was there last */
    uint8_t changes[CLASS_COUNT];    /* of the class's magazine since, up to CACHE_BUSY */
    _Atomic bool mixed[CLASS_COUNT]; /* the class may hold chunks of other arenas */
    size_t charge; /* bytes that caps may hold, counted against CACHE_BUDGET */
    struct quarantine *quarantine; /* the secure variant (quarantine.h) */
    struct sampler *sampler;       /* the heap profiler (sample.h) */
    struct thread *next_free;
    _Atomic(struct thread *) next_all;
} thread_t;

extern const thread_t thread_none;
extern CM_TLS thread_t *thread_self;
extern CM_TLS bool thread_inside; /* the core: who comes here now is a signal handler */
extern CM_TLS bool thread_gone;   /* its exit handler has run: it is not attached again */

/* The constructor's share: from here on threads are told when they exit. */
void thread_init(void);

/* Give the calling thread a struct and an arena; returns thread_self, which is
 * thread_none still if there is no memory, or the thread is gone. */
thread_t *thread_attach(void);

/* All structs there ever were, attached or not; NULL ends the list. Lock-free. */
extern _Atomic(thread_t *) thread_all;
thread_t *thread_first(void);
thread_t *thread_after(const thread_t *t);

/* Looked at without its lock: it may be coming or going just now. */
CM_INLINE bool thread_is_attached(const thread_t *t)
{
    return *(arena_t *const volatile *)&t->arena != NULL;
}

/* The calling thread's struct, attached if it may be. */
CM_INLINE thread_t *thread_get(void)
{
    thread_t *t = thread_self;
    return cm_likely(t != &thread_none) ? t : thread_attach();
}

/* mem may be a chunk's of t's arena, in memory that stays its own. One comparison finds
 * what is NULL, misaligned, or outside: a rotated misaligned offset is larger than any
 * span. */
CM_INLINE bool thread_window_has(const thread_t *t, uintptr_t mem)
{
    uintptr_t offset = mem - t->window;
    return (offset >> 4 | offset << (SIZE_SZ * 8 - 4)) < t->span;
}

/* Lock the arena that t allocates from; another one if a fork has orphaned it. NULL:
 * there is none. */
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

CM_INLINE void thread_leave_quietly(void)
{
    cm_signal_fence();
    thread_inside = false;
}

/* Leave it, and see to what has been asked for meanwhile. Pre: no lock is held. */
CM_INLINE void thread_leave(void)
{
    thread_leave_quietly();
    purger_poll();
}

#endif
