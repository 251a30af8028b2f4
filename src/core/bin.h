/*
 * core/bin.h - the free chunks of an arena, by size.
 *
 * Owns the links of free chunks, which are hidden as those of waiting chunks are
 * (core/link.h): who does not know the secret cannot forge one that passes. Invariants,
 * all under the arena's lock:
 *   every binned chunk is free and in bin_index(its size); a bin is a ring: the chunk
 *   behind c has c before it, and the other way round; bitmap bit clear <=> bin empty.
 * First in, first out: what has been free for longest goes first, the rest has time to
 * merge. Bins below BIN_EXACT_LIMIT hold one size each; the others hold 1/BIN_STEPS of a
 * doubling, unsorted. Not here: merging (arena.c) and top, which is in no bin.
 */
#ifndef CM_CORE_BIN_H
#define CM_CORE_BIN_H

#include "core/link.h"

#define BIN_WORD_BITS (sizeof(size_t) * 8)
#define BIN_WORDS ((BIN_COUNT + BIN_WORD_BITS - 1) / BIN_WORD_BITS)

typedef struct bins {
    size_t bitmap[BIN_WORDS];
    mchunkptr first[BIN_COUNT];
} bins_t;

/* The bin of a chunk's size. Sizes beyond the last step share the last bin. */
CM_INLINE unsigned bin_index(size_t size)
{
    if (size < BIN_EXACT_LIMIT)
        return (unsigned)(size / CHUNK_ALIGN);
    unsigned doubling = cm_log2(size);
    unsigned step = (unsigned)(size >> (doubling - BIN_STEP_SHIFT)) & (BIN_STEPS - 1);
    unsigned index = (unsigned)(BIN_EXACT_LIMIT / CHUNK_ALIGN) +
                     BIN_STEPS * (doubling - BIN_EXACT_SHIFT) + step;
    return index < BIN_COUNT ? index : (unsigned)BIN_COUNT - 1;
}

/* The chunks behind and before c in its ring. A link that leads out of our heaps is
 * fatal. */
mchunkptr bin_next(const chunk_t *c);
mchunkptr bin_prev(const chunk_t *c);

/* The size of a chunk that a bin, and no neighbour, has led to. Fatal unless it leads to
 * the chunk's footer. */
size_t bin_size(const chunk_t *c);

/* Put a free chunk into its bin. Pre: its header and footer say so. A ring that is broken
 * where it goes in is fatal. */
void bin_insert(bins_t *bins, mchunkptr c);

/* Take a chunk out of its bin; a forged footer or link is fatal. */
void bin_unlink(bins_t *bins, mchunkptr c);

/* Take out the first chunk of a bin. Pre: it has one. */
mchunkptr bin_take_first(bins_t *bins, unsigned index);

/* Take out a chunk that holds size bytes with mem at a multiple of align (chunk_lead),
 * of BIN_LOOK chunks of each of as many bins, O(1). NULL: none of them does; if align is
 * CHUNK_ALIGN, there is none. */
mchunkptr bin_take(bins_t *bins, size_t size, size_t align);

#endif
