/*
 * core/dirty.h - which free chunks still hold memory of the kernel's, the longest free
 * first.
 *
 *          +--------+---------------+------------------ - - - --------------+--------+
 *   free   | header | fd bk, notes  |  whole pages: clean (given back, zero) | footer |
 *   chunk  +--------+---------------+  or dirty                             +--------+
 *
 * A free chunk with whole pages between its notes and its footer has notes: which of
 * these pages are clean, since when the others are free, its neighbours in the list. So
 * the purger finds what to give back without a look at the heap, and calloc what is zero.
 * Invariants, under the arena's lock, for every binned chunk with whole pages:
 *   clean lies within dirty_pages(c) and reads as zero;
 *   it is in the list <=> not all of its whole pages are clean;
 *   bytes == the sum of dirty bytes over the list.
 * Notes are a freed chunk's payload, which a program may still write to: links are hidden
 * and checked, as those of bins are, and a span is cut to the chunk.
 */
#ifndef CM_CORE_DIRTY_H
#define CM_CORE_DIRTY_H

#include "core/link.h"

/* Addresses from `from` up to `to`; from >= to: none. */
typedef struct zone {
    uintptr_t from, to;
} zone_t;

#define ZONE_NONE ((zone_t){UINTPTR_MAX, 0})

CM_INLINE size_t zone_size(zone_t s) { return s.from < s.to ? s.to - s.from : 0; }

CM_INLINE zone_t zone_cut(zone_t s, zone_t to)
{
    return (zone_t){s.from > to.from ? s.from : to.from, s.to < to.to ? s.to : to.to};
}

CM_INLINE zone_t zone_larger(zone_t a, zone_t b)
{
    return zone_size(a) >= zone_size(b) ? a : b;
}

/* What is known of a free chunk's pages: which are clean, and the tick since when the
 * others are free. */
typedef struct pages {
    zone_t clean;
    uint32_t since;
} pages_t;

typedef struct dirty_chunk {
    chunk_t chunk;
    uintptr_t older, newer; /* in the list: links, hidden; NULL ends it */
    pages_t pages;
} dirty_chunk_t;

typedef struct dirty {
    mchunkptr oldest, newest;
    size_t bytes;
    uint32_t now; /* the tick; the purger counts it on */
} dirty_t;

/* The whole pages of a free chunk that neither notes nor footer touch. */
zone_t dirty_pages(const chunk_t *c);

/* A chunk that has just been binned: note what is known of its pages. */
void dirty_enter(dirty_t *d, mchunkptr c, pages_t pages);

/* A chunk that leaves, or has just left, its bin; returns what is known of its pages. */
pages_t dirty_leave(dirty_t *d, mchunkptr c);

/* Two neighbours become one: the older age, and the larger clean span; the smaller one's
 * pages count as dirty again, which costs a call that finds nothing to do. */
pages_t dirty_unite(pages_t a, pages_t b);

/* The oldest chunk that has been free for `ticks`; NULL: there is none. */
mchunkptr dirty_expired(const dirty_t *d, uint32_t ticks);

#endif
