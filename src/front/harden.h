/*
 * front/harden.h - the secure variant, between the program and the caches.
 *
 * A heap chunk bears a secret word, the canary, behind its payload, where an overflow has
 * to pass. It also tells chunks in use from those that were given back:
 *   in use <=> the word is canary_of(c);
 *   given back, and not yet merged <=> the word is ~canary_of(c)
 *
 * A thread holds what it frees back for a while (the quarantine), so that who still uses
 * it finds it zeroed and not somebody else's.
 * Every function here does nothing in another variant. M chunks end in a page without
 * access instead (core/large.c).
 */
#ifndef CM_FRONT_HARDEN_H
#define CM_FRONT_HARDEN_H

#include "front/thread.h"

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

/* mem is handed out; NULL is nothing. Returns it. */
CM_INLINE void *harden_out(void *mem)
{
    if (cm_unlikely(mem == NULL) || !cm_secure(canary))
        return mem;
    mchunkptr c = chunk_of(mem);
    size_t word = chunk_word(c);
    if (cm_likely((word & CHUNK_M) == 0))
        *canary_place(c, word & ~CHUNK_FLAGS) = canary_of(c);
    return mem;
}

/* Fatal unless c is in use and nothing was written behind its payload. */
void harden_check(const chunk_t *c);

/* c, which is in use, was resized where it stands from before bytes. */
void harden_resized(mchunkptr c, size_t before);

/* c is given back: checked, marked, zeroed. */
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

/* Hold c back. Returns a chunk's memory whose time is up, or NULL; call again with NULL
 * until there is none. */
void *quarantine_exchange(thread_t *t, mchunkptr c);

/* All of t's is posted to its arenas. */
void quarantine_flush(thread_t *t);

/* What the caller of free says of mem must fit it. */
void harden_sized(const void *mem, size_t n, size_t align);

#endif
