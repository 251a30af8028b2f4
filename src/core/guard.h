/*
 * core/guard.h - guarded chunks: allocations that chance has chosen get a page each,
 * between pages that nobody may touch, in the manner of GWP-ASan.
 *
 *   pool -> | no access | page | no access | page | no access | ...
 *
 * A page in use holds one M chunk (core/large.h). Its payload ends where the page ends,
 * as near as its alignment allows, so that an overflow is a fault; one in GUARD_LOW lies
 * at the page's start, for underflows. When it is freed the page is taken away, so that a
 * use is a fault, and serves again as late as possible:
 *   free pages are taken in the order in which they were freed
 *
 * Who allocated a chunk and who freed it is kept beside the pool. There is no lock, so
 * that a signal handler may free what it likes: a page belongs to whoever has made its
 * state GUARD_LIVE, up to who makes it GUARD_FREED. Who explains a fault reads what is
 * there; the process is about to die.
 */
#ifndef CM_CORE_GUARD_H
#define CM_CORE_GUARD_H

#include "core/large.h"

typedef struct guard_trace {
    size_t depth;
    uintptr_t frames[GUARD_FRAMES]; /* return addresses, innermost first */
} guard_trace_t;

typedef enum guard_state { GUARD_UNUSED, GUARD_LIVE, GUARD_FREED } guard_state_t;

typedef struct guard_slot {
    _Atomic guard_state_t state;
    size_t turn;      /* when it was freed: a count of frees */
    size_t n;         /* bytes that were asked for */
    uintptr_t hidden; /* ~ their address: no scan for leaks shall find it here */
    guard_trace_t taken, freed;
} guard_slot_t;

typedef struct guard_pool {
    uintptr_t start;
    size_t size; /* bytes; 0: there is none. Constant once the program runs */
    guard_slot_t *slots;
    _Atomic size_t takes, turns; /* counts of allocations and of frees */
} guard_pool_t;

extern guard_pool_t guard_pool;

/* Make the pool. The constructor's share. False: no memory; nothing will be guarded. */
bool guard_init(void);

/* p lies in the pool. */
CM_INLINE bool guard_has(const void *p)
{
    return (uintptr_t)p - guard_pool.start < guard_pool.size;
}

/* A guarded chunk for n bytes at a multiple of align, in no list; all zero. NULL: all
 * pages are in use, or it does not fit. */
mchunkptr guard_take(size_t n, size_t align, const guard_trace_t *who);

/* mem, which lies in the pool, is about to be freed or resized: fatal unless it is a live
 * chunk's. */
void guard_check(const void *mem);

/* who frees mem, which lies in the pool. Then guard_give takes its page away. */
void guard_freed(const void *mem, const guard_trace_t *who);
void guard_give(large_info *info);

/* What is wrong with an access to address. NULL: it is not the pool's, or nobody can
 * say. */
typedef enum guard_fault { GUARD_USE, GUARD_OVERFLOW, GUARD_UNDERFLOW } guard_fault_t;
const guard_slot_t *guard_explain(uintptr_t address, guard_fault_t *fault);

#endif
