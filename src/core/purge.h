/*
 * core/purge.h - giving memory back to the kernel.
 *
 * What is free is first kept: it will most likely be asked for again, and a page that
 * goes and comes back costs as much as a thousand hits. What has been free for
 * PURGE_TICKS ticks goes: whole pages inside free chunks, what top has not reached
 * lately, heaps without a chunk in use, mappings kept for reuse. Chunks that have waited
 * in the depot for as long are merged first.
 *
 * The arena's lock is not held while the kernel takes pages of free chunks: purge takes
 * the chunks out of their bins, as chunks in use that bear link_key, and gives them back
 * when they are clean. Those on the way stand in a list, `away`, so that a child of fork
 * finds them again.
 */
#ifndef CM_CORE_PURGE_H
#define CM_CORE_PURGE_H

#include "base/options.h"
#include "core/arena.h"

/* Only a call of the program's own moves the break down: whoever else moves it, a thread
 * of the program or another allocator in it, reckons with the program's calls and not
 * with the purger, and sbrk takes no lock. */
typedef enum purge_what {
    PURGE_AGED, /* what has been free for long */
    PURGE_ALL,  /* all that is free now */
    PURGE_TRIM  /* that, and the addresses up to the break with it */
} purge_what_t;

/* Free memory ages at all. If not, only a full top, an empty heap or a trim gives any
 * back. */
CM_INLINE bool purge_ages(void)
{
    return atomic_load_explicit(&cm_options.purge_age, memory_order_relaxed) !=
           OPTION_NEVER;
}

/* After a free: give top's end back if it has passed the trim threshold and does not
 * age. */
void purge_top_locked(arena_t *a);

/* Give back top beyond pad bytes. Returns the bytes given back. */
size_t purge_trim_locked(arena_t *a, size_t pad);

/* Bytes of a that age: free pages, top, the depot. What is less than a page is not
 * counted. */
size_t purge_waiting_locked(const arena_t *a);

/* Another tick has gone by: what is in the inbox goes to the depot, what is there ages,
 * and so does top's mark. */
void purge_tick_locked(arena_t *a);

/* Merge what has waited in the depot without being asked for. Takes the lock by itself, a
 * class and a few magazines at a time. */
void purge_depot(arena_t *a);

/* Give back free chunks' pages and empty heaps. Takes the lock by itself, a few times;
 * the caller holds none. Returns the bytes given back. */
size_t purge_free(arena_t *a, purge_what_t what);

/* Give back what top has not reached for a tick (PURGE_AGED: and PURGE_TICKS more), or
 * all of it but pad bytes, a piece at a time; in allocated heaps the addresses with it
 * (PURGE_AGED: beyond the trim threshold). */
size_t purge_top(arena_t *a, purge_what_t what, size_t pad);

#endif
