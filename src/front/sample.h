/*
 * front/sample.h - which allocations are samples, for the heap profiler and for guarded
 * chunks, and who made them.
 *
 * Every byte that is allocated is the sampled one with a chance of 1 in `rate`: so a
 * chunk of s bytes is a sample with a chance of 1 - exp(-s / rate), whatever is allocated
 * beside it, and from the samples all can be estimated. Sizes are those of chunks.
 * Chances of different bytes are independent, so that each class may have a count of its
 * own.
 *
 * The hit path knows nothing of this. While samples are taken
 *   - a bin holds chunks that were counted when they were put there (refill in cache.c),
 *     and none behind the next sample: so that the sample itself is a miss;
 *   - no window is open and all frees are misses: what is freed goes to the spare
 *     magazine, to be counted before it is handed out again.
 * When none are, a miss costs a comparison more.
 *
 * A guarded chunk (core/guard.h) is one allocation in so many of a thread, whatever its
 * size; one that is too large for a page is let go. Their distance is drawn like that of
 * samples, and what a thread counts anyway is set so that it comes to zero there, which
 * the hit path sees: so that they cost nothing in between.
 *
 * A site is a call stack, with what was sampled there: live now, and ever. Sites are
 * never taken back; a reader without the lock finds them by `newest`, each whole. A live
 * sample is found by its address when it is freed, most often not to be there, without
 * the lock.
 * The lock is a leaf; nothing is unwound under it. In a child of fork that finds it held
 * the profile stands still.
 */
#ifndef CM_FRONT_SAMPLE_H
#define CM_FRONT_SAMPLE_H

#include "core/guard.h"
#include "front/thread.h"

typedef struct sample_site {
    struct sample_site *next;  /* in its list of sample_table.sites */
    struct sample_site *older; /* of all */
    /* Written under the lock. Counts and bytes of samples, not of what they stand for. */
    _Atomic size_t live, live_bytes, all, all_bytes;
    size_t depth;
    uintptr_t frames[]; /* return addresses, innermost first */
} sample_site_t;

typedef struct sample {
    struct sample *next;
    sample_site_t *site;
    uintptr_t hidden; /* ~ the address: no scan for leaks shall find it here */
    size_t size;
} sample_t;

typedef struct sample_table {
    size_t rate;   /* bytes; 0: no samples are taken. Constant once the program runs */
    size_t guards; /* allocations to a guarded one; 0: none. Constant, too */
    cm_lock lock;
    _Atomic size_t lost; /* samples without memory to keep them */
    _Atomic(sample_site_t *) newest;
    sample_site_t *sites[PROFILE_SITES];
    _Atomic(sample_t *) live[PROFILE_LIVE];
    sample_t *unused;
    char *piece, *piece_end;
} sample_table_t;

extern sample_table_t sample_table;

/* The constructor's share: from here on samples are taken, if the options say so. */
void sample_init(void);

CM_INLINE bool sample_on(void) { return cm_unlikely(sample_table.rate != 0); }

/* Of the magazine of class k that t is about to put into its empty bin: the part that it
 * may, which is counted. What comes behind the next sample waits as the spare. Pre: there
 * is none; t is inside. */
magazine_t sample_cut(thread_t *t, unsigned k, magazine_t m);

void sample_check(void *mem);
void sample_count(void *mem);
void sample_forget(const void *mem);
void *sample_guard(void *mem, size_t n, size_t align);
void sample_guard_freed(const void *mem);

/* mem, if not NULL, comes out of a cache and is handed out for n bytes at a multiple of
 * align: was it the sample? Returns it, or a guarded chunk's memory in its place. */
CM_INLINE void *sample_cached(void *mem, size_t n, size_t align)
{
    if (cm_unlikely(sample_table.guards != 0) && mem != NULL)
        mem = sample_guard(mem, n, align);
    if (sample_on() && mem != NULL)
        sample_check(mem);
    return mem;
}

/* The same for mem that has not been counted yet. */
CM_INLINE void *sample_placed(void *mem)
{
    if (sample_on())
        sample_count(mem);
    return mem;
}

CM_INLINE unsigned sample_list_of(uintptr_t mem)
{
    return (unsigned)((mem / CHUNK_ALIGN * (size_t)0x9E3779B97F4A7C15u) >>
                      (SIZE_SZ * 8 - 20)) %
           PROFILE_LIVE;
}

/* mem is given back. Acquire pairs with the release in enter_sample: whoever frees a
 * sample has got it from who has entered it. */
CM_INLINE void sample_freed(const void *mem)
{
    if (cm_unlikely(guard_has(mem)))
        sample_guard_freed(mem);
    if (sample_on() &&
        atomic_load_explicit(&sample_table.live[sample_list_of((uintptr_t)mem)],
                             memory_order_acquire) != NULL)
        sample_forget(mem);
}

/* mem was resized where it stands, which is a free and an allocation. Returns it. */
CM_INLINE void *sample_resized(void *mem)
{
    sample_freed(mem);
    return sample_placed(mem);
}

#endif
