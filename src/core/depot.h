/*
 * core/depot.h - chunks that wait in an arena, sorted by class, for any of its threads.
 *
 * Threads park full magazines here and take them whole, both in O(1). What comes home
 * through the inbox is sorted into one loose list a class, which becomes a magazine when
 * it is full.
 * Invariants, under the arena's lock: every chunk here is in use as far as the heap knows
 * and bears link_key; a parked magazine has at least two chunks; bytes == the sum of
 * class sizes over all chunks here. Merging what is here back into the heap is merge.c's
 * decision: ready chunks are fast, merged ones are lean. Which of the two this program
 * wants shows afterwards (as with the ghosts of a cache: Megiddo and Modha, ARC, 2003): a
 * class that is missed when it has been merged should have stayed; one that waits again,
 * to be merged again, before anybody has missed it was rightly merged.
 */
#ifndef CM_CORE_DEPOT_H
#define CM_CORE_DEPOT_H

#include "core/link.h"

typedef struct depot_shelf {
    void *parked; /* first chunk of the magazine parked last */
    magazine_t loose;
    unsigned ticks; /* until what is here is idle */
    bool wanted;    /* since the hand was here */
    bool merged;    /* and not missed since */
} depot_shelf_t;

typedef struct depot {
    size_t bytes;
    depot_shelf_t shelf[CLASS_COUNT];
    unsigned hand;   /* goes round the shelves */
    unsigned merges; /* that nobody has regretted, less what the regrets weigh */
} depot_t;

/* Park a magazine of chunks of class k. An empty one is nothing. */
void depot_park(depot_t *d, unsigned k, magazine_t m);

/* Add one chunk of class k. */
void depot_add(depot_t *d, unsigned k, void *mem);

/* Add a magazine that has come home: as it is, or chunk by chunk if it is a small one. */
void depot_receive(depot_t *d, unsigned k, magazine_t m);

/* Take a magazine of class k, empty if there is none; of one that is more than twice as
 * large, count chunks. Pre: count > 0. */
magazine_t depot_take(depot_t *d, unsigned k, unsigned count);

/* The same for who merges it: that is no demand. */
magazine_t depot_take_back(depot_t *d, unsigned k);

/* The hand goes on to the next class, k. True: there is some of it, and nobody has asked
 * for it since the hand was here last. The caller merges it. */
bool depot_unwanted(depot_t *d, unsigned *k);

/* Class k is asked for, nothing of it is here, and it has to be cut from the heap. */
void depot_missed(depot_t *d, unsigned k);

/* Bytes that may wait here while others need memory. */
CM_INLINE size_t depot_ready(const depot_t *d)
{
    size_t less = d->merges * DEPOT_STEP;
    return less < DEPOT_READY - DEPOT_READY_LEAST ? DEPOT_READY - less
                                                  : DEPOT_READY_LEAST;
}

/* Sizes go and do not come again. */
CM_INLINE bool depot_drifts(const depot_t *d) { return d->merges == DEPOT_DRIFT; }

/* A tick has gone by. What nobody has taken any of for PURGE_TICKS ticks, or parked any
 * of for half of that, is idle. */
void depot_tick(depot_t *d);

/* Nobody has taken any of class k for half an age. */
CM_INLINE bool depot_is_cold(const depot_t *d, unsigned k)
{
    return d->shelf[k].ticks <= PURGE_TICKS / 2;
}

/* Take a magazine of class k if the class is idle. */
magazine_t depot_take_idle(depot_t *d, unsigned k);

#endif
