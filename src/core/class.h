/*
 * core/class.h - the sizes that thread caches keep.
 *
 * A class is a chunk size: every multiple of CHUNK_ALIGN up to CLASS_EXACT_MAX, then
 * CLASS_STEPS for each doubling up to CLASS_MAX, so that rounding up costs at most 1 part
 * in CLASS_STEPS. The index of an exact class is size / CHUNK_ALIGN: the hit path adds
 * the size to an address and needs no table.
 * A chunk belongs to the largest class that is not larger than it; a request to the
 * smallest that holds it.
 */
#ifndef CM_CORE_CLASS_H
#define CM_CORE_CLASS_H

#include "core/chunk.h"

#define CLASS_EXACT_SHIFT 10
#define CLASS_EXACT_MAX ((size_t)1 << CLASS_EXACT_SHIFT)
#define CLASS_STEP_SHIFT 4
#define CLASS_STEPS (1u << CLASS_STEP_SHIFT)
#define CLASS_MAX_SHIFT 15
#define CLASS_MAX ((size_t)1 << CLASS_MAX_SHIFT)
#define CLASS_COUNT \
    (CLASS_EXACT_MAX / CHUNK_ALIGN + \
     CLASS_STEPS * (CLASS_MAX_SHIFT - CLASS_EXACT_SHIFT) + 1)

/* Chunks in a full magazine: as many as make up MAGAZINE_BYTES, within limits. No
 * magazine at all is longer than MAGAZINE_LONGEST. */
#define MAGAZINE_BYTES_SHIFT 12
#define MAGAZINE_LEAST 2u
#define MAGAZINE_LONGEST 256u
#define MAGAZINE_MOST (CM_TINY ? 2u : MAGAZINE_LONGEST / 2)

/* Class of a chunk of size bytes, more than CLASS_EXACT_MAX. The bits that are shifted
 * out of size count the steps, and one CLASS_STEPS too many. */
CM_INLINE unsigned class_of_wide(size_t size)
{
    unsigned doubling = cm_log2(size);
    return (unsigned)(size >> (doubling - CLASS_STEP_SHIFT)) + CLASS_STEPS * doubling -
           (CLASS_STEPS * (CLASS_EXACT_SHIFT + 1) -
            (unsigned)(CLASS_EXACT_MAX / CHUNK_ALIGN));
}

/* Class of a chunk of size bytes. Pre: size <= CLASS_MAX. */
CM_INLINE unsigned class_of(size_t size)
{
    return size <= CLASS_EXACT_MAX ? (unsigned)(size / CHUNK_ALIGN) : class_of_wide(size);
}

/* The smallest class that a request for a chunk of size bytes, more than CLASS_EXACT_MAX,
 * can be served from. */
CM_INLINE unsigned class_for_wide(size_t size) { return class_of_wide(size - 1) + 1; }

/* size rounded up to a class. Pre: size <= CLASS_MAX. */
CM_INLINE size_t class_round(size_t size)
{
    if (size <= CLASS_EXACT_MAX)
        return size;
    size_t step = (size_t)1 << (cm_log2(size) - CLASS_STEP_SHIFT);
    return (size + step - 1) & ~(step - 1);
}

/* The size of class k, which no chunk in it falls short of. */
CM_INLINE size_t class_size(unsigned k)
{
    unsigned exact = (unsigned)(CLASS_EXACT_MAX / CHUNK_ALIGN);
    if (k <= exact)
        return k * CHUNK_ALIGN;
    unsigned doubling = (k - exact) / CLASS_STEPS, step = (k - exact) % CLASS_STEPS;
    return (size_t)(CLASS_STEPS + step)
           << (CLASS_EXACT_SHIFT - CLASS_STEP_SHIFT + doubling);
}

/* Chunks in a full magazine of a class of this size. */
CM_INLINE unsigned class_magazine(size_t size)
{
    size_t count = ((size_t)1 << MAGAZINE_BYTES_SHIFT) >> cm_log2(size);
    if (count > MAGAZINE_MOST)
        return MAGAZINE_MOST;
    return count < MAGAZINE_LEAST ? MAGAZINE_LEAST : (unsigned)count;
}

#endif
