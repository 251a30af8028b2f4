/*
 * front/harden.h - the secure variant, between the program and the caches.
 *
 * A heap chunk bears a secret word, the canary, behind its payload, where an overflow has
 * to pass. It also tells chunks in use from those that were given back:
 *   in use <=> the word is canary_of(c);
 *   given back, and not yet merged <=> the word is ~canary_of(c)
 *
 * What is given back is held for a while before it is anybody's (quarantine.h).
 * Every function here does nothing in another variant. M chunks end in a page without
 * access instead (core/large.c).
 */
#ifndef CM_FRONT_HARDEN_H
#define CM_FRONT_HARDEN_H

#include "front/thread.h"

#include <string.h>

/* The first byte in memory is zero: no string function reads or writes beyond it. */
CM_INLINE size_t canary_of(const chunk_t *c)
{
    return seal_of((size_t)c, ~(size_t)c) & ~(size_t)0xff;
}

CM_INLINE size_t *canary_place(const chunk_t *c, size_t size)
{
    return &chunk_at(c, size)->prev_size;
}

CM_INLINE bool canary_is_borne(const chunk_t *c)
{
    return cm_secure(canary) && (chunk_word(c) & CHUNK_M) == 0;
}

/* mem, of a heap, is handed out; NULL is nothing. Returns it. */
CM_INLINE void *harden_out(void *mem)
{
    if (cm_unlikely(mem == NULL) || !cm_secure(canary))
        return mem;
    mchunkptr c = chunk_of(mem);
    *canary_place(c, chunk_size(c)) = canary_of(c);
    return mem;
}

/* Bytes of mem's chunk, if that is in use, in a heap, and all that can be verified is as
 * it should be; else 0, and owner_chunk and harden_check know why. Each word is looked at
 * once. */
CM_INLINE size_t harden_size(const void *mem)
{
    const chunk_t *c = chunk_of(mem);
    size_t heap = registry_has_main(c) ? 0 : CHUNK_A;
    if (cm_unlikely(((uintptr_t)mem & (CHUNK_ALIGN - 1)) != 0) ||
        (heap != 0 && !heap_has(c)))
        return 0;
    size_t sealed = atomic_load_explicit(&c->size_flags, memory_order_relaxed);
    size_t word = sealed & CHUNK_WORD_MASK, size = word & ~(CHUNK_ALIGN - 1);
    if (cm_unlikely(!chunk_seal_is_right(c, sealed) ||
                    (word & (CHUNK_ALIGN - 1) & ~CHUNK_P) != heap ||
                    (cm_secure(canary) && *canary_place(c, size) != canary_of(c))))
        return 0;
    return size;
}

/* Fatal unless c is in use and nothing was written behind its payload. */
void harden_check(const chunk_t *c);

/* The chunk of mem, likewise. */
mchunkptr harden_owner(const void *mem);

/* c, which is in use, was resized where it stands from before bytes. */
void harden_resized(mchunkptr c, size_t before);

/* Sizes of chunks that are zeroed without a call. */
#define HARDEN_STORE ((size_t)16)
#define HARDEN_FEW (16 * HARDEN_STORE)

CM_INLINE bool harden_is_small(size_t size)
{
    return size - CHUNK_OVERHEAD - HARDEN_STORE <= HARDEN_FEW - HARDEN_STORE;
}

/* To give size bytes back takes a call: to zero them, or since no cache keeps them. */
CM_INLINE bool harden_takes_call(size_t size)
{
    return !harden_is_small(size) && (cm_secure(zero) || size > CLASS_MAX);
}

/* Zero n bytes at mem in four blocks, that overlap where n is less than they are: no
 * branch that a processor would guess wrong where sizes are mixed. Pre: n is one to four
 * blocks. */
CM_INLINE void harden_zero_blocks(char *mem, size_t n, size_t block)
{
    size_t last = n - block, second = block < last ? block : last;
    __builtin_memset(mem, 0, block);
    __builtin_memset(mem + second, 0, block);
    __builtin_memset(mem + last - second, 0, block);
    __builtin_memset(mem + last, 0, block);
}

/* Zero n bytes at mem. Pre: HARDEN_STORE <= n <= HARDEN_FEW. */
CM_INLINE void harden_zero_few(char *mem, size_t n)
{
    if (n <= 4 * HARDEN_STORE)
        harden_zero_blocks(mem, n, HARDEN_STORE);
    else
        harden_zero_blocks(mem, n, 4 * HARDEN_STORE);
}

/* c, of size bytes, was verified to be in use, and is no longer. */
CM_INLINE void harden_mark(mchunkptr c, size_t size)
{
    if (cm_secure(canary))
        *canary_place(c, size) = ~*canary_place(c, size);
}

/* c, of size bytes in a heap, is given back: zeroed and marked. */
CM_INLINE void harden_wipe(mchunkptr c, size_t size)
{
    if (cm_secure(zero))
        memset(chunk_mem(c), 0, size - CHUNK_OVERHEAD);
    harden_mark(c, size);
}

/* The same for a size that is small, without a call. */
CM_INLINE void harden_wipe_small(mchunkptr c, size_t size)
{
    if (cm_secure(zero))
        harden_zero_few(chunk_mem(c), size - CHUNK_OVERHEAD);
    harden_mark(c, size);
}

/* c is given back: checked, zeroed, marked. */
void harden_in(mchunkptr c);

/* One of the first two chunks of b, which had been words and what it leads to; chance
 * says which, without a branch that a processor would guess wrong every other time.
 * b->head is the second one before; whichever stays leads to the third one after. */
CM_INLINE uintptr_t *harden_choose(const thread_t *t, cache_bin_t *b, uintptr_t *words)
{
    uintptr_t second = b->head ^ t->secret.mask;
    if (cm_unlikely(second == 0))
        return words;
    if (cm_unlikely(!thread_window_has(t, second)) &&
        ((second & (CHUNK_ALIGN - 1)) != 0 || !registry_has((const void *)second)))
        cm_panic(PANIC_LINKS, (const void *)second); /* NOLINT */
    if (!cm_secure(shuffle))
        return words;
    size_t chance = seal_of((uintptr_t)words, t->taken) >> (SIZE_SZ * 4) & 1;
    uintptr_t swap = ((uintptr_t)words ^ second) & -chance;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    *(uintptr_t *)(second ^ swap) = *(uintptr_t *)second;
    b->head ^= swap;
    return (uintptr_t *)((uintptr_t)words ^ swap); /* NOLINT */
}

/* What the caller of free says of mem must fit it. */
void harden_sized(const void *mem, size_t n, size_t align);

#endif
