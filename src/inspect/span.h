/*
 * inspect/span.h - memory that holds chunks, a heap or one M chunk, with two bits for
 * each place where a payload may begin.
 *
 * A granule is CHUNK_ALIGN bytes, counted from the payload of the first chunk on.
 *   start[g]       a chunk's payload begins in granule g
 *   mark[g]        and it has been reached, or was never to be looked for
 *   mark[g + 1]    and it is nobody's: free, or cached
 * (A chunk has at least two granules.) start has two coarser levels, one bit for a word
 * of the level below, so that the chunk of an interior pointer is found in O(1). A
 * pointer just behind a chunk's end counts as one into it: C allows it.
 */
#ifndef CM_INSPECT_SPAN_H
#define CM_INSPECT_SPAN_H

#include "core/chunk.h"

#define SPAN_WORD_BITS (sizeof(size_t) * 8)
#define SPAN_WORD_SHIFT (CM_64BIT ? 6u : 5u)
#define SPAN_LARGE_SHIFT (SPAN_WORD_BITS - 1) /* one granule, whatever the size */
#define SPAN_HEAP_SHIFT 4u
_Static_assert((size_t)1 << SPAN_HEAP_SHIFT == CHUNK_ALIGN,
               "a granule is the least distance");

CM_INLINE bool span_bit(const size_t *map, size_t i)
{
    return (map[i >> SPAN_WORD_SHIFT] >> (i & (SPAN_WORD_BITS - 1)) & 1) != 0;
}

CM_INLINE void span_bit_set(size_t *map, size_t i)
{
    map[i >> SPAN_WORD_SHIFT] |= (size_t)1 << (i & (SPAN_WORD_BITS - 1));
}

CM_INLINE void span_bit_clear(size_t *map, size_t i)
{
    map[i >> SPAN_WORD_SHIFT] &= ~((size_t)1 << (i & (SPAN_WORD_BITS - 1)));
}

#define SPAN_LEVELS 3

typedef struct span {
    uintptr_t low, high; /* [payload of the first chunk, end of the last one) */
    const char *bytes;   /* where they lie, from low on; the header before it as well */
    unsigned shift;      /* log2 of a granule; an M chunk is one granule */
    size_t own;          /* an M chunk's marks: it needs no bitmap */
    size_t *start[SPAN_LEVELS], *mark;
    uintptr_t *from; /* by granule: the word through which it was reached; or NULL */
    size_t mapped;   /* bytes of the bitmaps, at start[0] */
} span_t;

CM_INLINE size_t span_granule(const span_t *s, uintptr_t p)
{
    return (p - s->low) >> s->shift;
}

CM_INLINE uintptr_t span_mem(const span_t *s, size_t g)
{
    return s->low + (g << s->shift); /* SPAN_LARGE_SHIFT: g is 0 */
}

CM_INLINE size_t span_words(size_t bits)
{
    return (bits + SPAN_WORD_BITS - 1) / SPAN_WORD_BITS;
}

CM_INLINE void span_set_start(span_t *s, size_t g)
{
    span_bit_set(s->start[0], g);
    span_bit_set(s->start[1], g >> SPAN_WORD_SHIFT);
    span_bit_set(s->start[2], g >> SPAN_WORD_SHIFT >> SPAN_WORD_SHIFT);
}

/* Bits of the word before and at bit i. */
CM_INLINE size_t span_up_to(size_t word, size_t i)
{
    return word & (~(size_t)0 >> (SPAN_WORD_BITS - 1 - (i & (SPAN_WORD_BITS - 1))));
}

/* The highest start at or before granule g; there is one, since the first chunk's is the
 * span's first. */
CM_INLINE size_t span_start(const span_t *s, size_t g)
{
    size_t at[SPAN_LEVELS] = {g >> SPAN_WORD_SHIFT},
           word = span_up_to(s->start[0][at[0]], g);
    unsigned level = 0;
    while (word == 0 && level + 1 < SPAN_LEVELS) {
        level++;
        at[level] = at[level - 1] >> SPAN_WORD_SHIFT;
        size_t below = at[level - 1] & (SPAN_WORD_BITS - 1);
        word = s->start[level][at[level]] & (((size_t)1 << below) - 1);
    }
    while (word == 0)
        word = s->start[level][--at[level]];
    size_t found = at[level] * SPAN_WORD_BITS + cm_log2(word);
    while (level > 0)
        found = found * SPAN_WORD_BITS + cm_log2(s->start[--level][found]);
    return found;
}

/* Bytes of the chunk at mem that are the program's, within the span. */
CM_INLINE size_t span_usable(const span_t *s, uintptr_t mem)
{
    size_t usable = chunk_usable(chunk_of(s->bytes + (mem - s->low)));
    size_t most = s->high - mem + (s->shift == SPAN_HEAP_SHIFT ? SIZE_SZ : 0);
    return usable < most ? usable : most;
}

#endif
