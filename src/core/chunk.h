/*
 * core/chunk.h - the header of a chunk, and the only code that reads or writes its words.
 *
 *   mchunkptr -> +-----------------------------+  last word of the previous chunk: its
 *                | prev_size                   |  size if that one is free, else the
 *                +-----------------------------+  application's data
 *                | size                | A|M|P |
 *         mem -> +-----------------------------+
 *                | payload (in use)            |  free: fd, bk, ...; and the size again
 *                |                             |  in the last word
 *   next chunk ->+-----------------------------+
 *
 * Invariants. The next chunk's P is clear <=> this chunk is free. Free => footer == size,
 * flag bits clear. size is a multiple of CHUNK_ALIGN and at least CHUNK_MIN, but for the
 * fencepost, which is a header alone.
 *
 * In the secure variant the highest bits of the size word, which no size needs, hold a
 * seal of the address, the size and the flags (core/seal.h). chunk_word verifies it at
 * each reading: whoever believes a header has had it verified.
 *
 * Writers hold the arena's lock. The size word is atomic because its owner reads it on
 * free while a neighbour's free, under the lock, changes its P; the bits that the owner
 * looks at (size, A, M) stand still.
 */
#ifndef CM_CORE_CHUNK_H
#define CM_CORE_CHUNK_H

#include "base/options.h"
#include "base/report.h"
#include "core/seal.h"

typedef struct malloc_chunk {
    size_t prev_size;
    _Atomic size_t size_flags;
    uintptr_t fd, bk; /* free chunks only: links, hidden (core/bin.h) */
} chunk_t;
typedef chunk_t *mchunkptr;

#define CHUNK_P ((size_t)1)
#define CHUNK_M ((size_t)2)
#define CHUNK_A ((size_t)4)
#define CHUNK_FLAGS ((size_t)7)
#define FENCEPOST_SIZE CHUNK_HEADER

_Static_assert(sizeof(chunk_t) == CHUNK_MIN,
               "the smallest chunk holds the links of a free one");
_Static_assert(CHUNK_MIN % CHUNK_ALIGN == 0 && CHUNK_HEADER % 8 == 0,
               "payloads are aligned");

/* Largest request that any function accepts: sizes over PTRDIFF_MAX fail (glibc,
 * malloc(3)). */
#define REQUEST_MAX ((size_t)PTRDIFF_MAX - 2 * HEAP_MAX_SIZE)

/* Bytes of a heap chunk that are the secure variant's, behind the payload, whether it
 * uses them or not. */
#define CHUNK_CANARY (CM_SECURE ? SIZE_SZ : 0)

/* What a heap chunk needs beyond the payload, rounding apart. */
#define CHUNK_OVERHEAD (SIZE_SZ + CHUNK_CANARY)

/* Bytes of the chunk that serves a request: one header word more, rounded up. Pre: n <=
 * REQUEST_MAX. */
CM_INLINE size_t chunk_size_for(size_t n)
{
    size_t size = (n + CHUNK_OVERHEAD + CHUNK_ALIGN - 1) & ~(CHUNK_ALIGN - 1);
    return size < CHUNK_MIN ? CHUNK_MIN : size;
}

CM_INLINE mchunkptr chunk_at(const void *base, size_t offset)
{
    return (mchunkptr)(void *)((char *)(uintptr_t)base + offset);
}

/* The first place at or behind address where a chunk's payload is aligned. */
CM_INLINE uintptr_t chunk_start(uintptr_t address)
{
    return ((address + CHUNK_HEADER + CHUNK_ALIGN - 1) & ~(uintptr_t)(CHUNK_ALIGN - 1)) -
           CHUNK_HEADER;
}

CM_INLINE mchunkptr chunk_of(const void *mem)
{
    return (mchunkptr)(void *)((char *)(uintptr_t)mem - CHUNK_HEADER);
}

CM_INLINE void *chunk_mem(const chunk_t *c)
{
    return (char *)(uintptr_t)c + CHUNK_HEADER;
}

/* Bytes of c before the first place where a chunk may start whose mem is a multiple of
 * align: none, or a chunk's. */
CM_INLINE size_t chunk_lead(const chunk_t *c, size_t align)
{
    size_t lead = -(uintptr_t)chunk_mem(c) & (align - 1);
    return lead > 0 && lead < CHUNK_MIN ? lead + align : lead;
}

/* Bits of the size word that a size may have; the others hold the seal. */
#define CHUNK_SEALED (CM_SECURE && CM_64BIT)
#define CHUNK_SEALED_MASK (~(size_t)0 >> (SIZE_SZ * 8 - ADDRESS_BITS))
#define CHUNK_WORD_MASK (CHUNK_SEALED ? CHUNK_SEALED_MASK : ~(size_t)0)

CM_INLINE size_t chunk_seal(const chunk_t *c, size_t word)
{
    return CHUNK_SEALED ? seal_of((size_t)c, word) & ~CHUNK_WORD_MASK : 0;
}

/* The size word, verified by nobody: for who looks at memory that may be no chunk. */
CM_INLINE size_t chunk_word_plain(const chunk_t *c)
{
    return atomic_load_explicit(&c->size_flags, memory_order_relaxed) & CHUNK_WORD_MASK;
}

/* A size word as it stands in memory bears the seal of c. */
CM_INLINE bool chunk_seal_is_right(const chunk_t *c, size_t sealed)
{
    return !CHUNK_SEALED || ((sealed ^ seal_of((size_t)c, sealed & CHUNK_WORD_MASK)) &
                             ~CHUNK_WORD_MASK) == 0;
}

/* The size word with its flags. In the secure variant a wrong seal is fatal. */
CM_INLINE size_t chunk_word(const chunk_t *c)
{
    size_t sealed = atomic_load_explicit(&c->size_flags, memory_order_relaxed);
    if (cm_unlikely(!chunk_seal_is_right(c, sealed)) && cm_secure(seal))
        cm_panic(PANIC_SEAL, (const char *)c + CHUNK_HEADER);
    return sealed & CHUNK_WORD_MASK;
}

CM_INLINE void chunk_set_word(mchunkptr c, size_t word)
{
    atomic_store_explicit(&c->size_flags, word | chunk_seal(c, word),
                          memory_order_relaxed);
}

CM_INLINE size_t chunk_size(const chunk_t *c) { return chunk_word(c) & ~CHUNK_FLAGS; }

/* P: the chunk before c is in use, so c->prev_size is that chunk's user data. */
CM_INLINE bool chunk_prev_inuse(const chunk_t *c)
{
    return (chunk_word(c) & CHUNK_P) != 0;
}

/* Bytes in the free chunk just before c. Pre: P clear. */
CM_INLINE size_t chunk_prev_size(const chunk_t *c)
{
    cm_assert(!chunk_prev_inuse(c));
    return c->prev_size;
}

CM_INLINE mchunkptr chunk_next(const chunk_t *c) { return chunk_at(c, chunk_size(c)); }

CM_INLINE mchunkptr chunk_prev(const chunk_t *c)
{
    return (mchunkptr)(void *)((char *)(uintptr_t)c - chunk_prev_size(c));
}

CM_INLINE bool chunk_is_fencepost(const chunk_t *c)
{
    return chunk_size(c) == FENCEPOST_SIZE;
}

/* Pre: c is in a heap, and neither a fencepost nor top. */
CM_INLINE bool chunk_is_free(const chunk_t *c)
{
    return !chunk_prev_inuse(chunk_next(c));
}

/* Bytes that the user may write: the next chunk's prev_size is ours while we are in use;
 * M has no next. */
CM_INLINE size_t chunk_usable(const chunk_t *c)
{
    size_t word = chunk_word(c);
    return (word & ~CHUNK_FLAGS) -
           ((word & CHUNK_M) != 0 ? CHUNK_HEADER : CHUNK_OVERHEAD);
}

CM_INLINE void chunk_set_prev_inuse(mchunkptr c)
{
    chunk_set_word(c, chunk_word(c) | CHUNK_P);
}

/* The next chunk learns that this one, c, is free: its P goes and its prev_size is c's
 * footer. */
CM_INLINE void chunk_set_free(mchunkptr c, size_t size, size_t flags)
{
    mchunkptr next = chunk_at(c, size);
    chunk_set_word(c, size | flags);
    next->prev_size = size;
    chunk_set_word(next, chunk_word(next) & ~CHUNK_P);
}

#endif
