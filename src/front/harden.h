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

CM_INLINE size_t *canary_place(const chunk_t *c) { return &chunk_next(c)->prev_size; }

CM_INLINE bool canary_is_borne(const chunk_t *c)
{
    return cm_secure(canary) && (chunk_word(c) & CHUNK_M) == 0;
}

/* mem is handed out; NULL is nothing. Returns it. */
CM_INLINE void *harden_out(void *mem)
{
    if (CM_SECURE && cm_likely(mem != NULL) && canary_is_borne(chunk_of(mem)))
        *canary_place(chunk_of(mem)) = canary_of(chunk_of(mem));
    return mem;
}

/* Fatal unless c is in use and nothing was written behind its payload. */
void harden_check(const chunk_t *c);

/* c, which is in use, was resized where it stands from before bytes. */
void harden_resized(mchunkptr c, size_t before);

/* c is given back: checked, marked, zeroed. */
void harden_in(mchunkptr c);

/* A bin's first chunk is words, the second may go instead: taken out of the list. NULL:
 * the first one goes. */
uintptr_t *harden_choose(uintptr_t *words);

/* Hold c back. Returns a chunk's memory whose time is up, or NULL; call again with NULL
 * until there is none. */
void *quarantine_exchange(thread_t *t, mchunkptr c);

/* All of t's is posted to its arenas. */
void quarantine_flush(thread_t *t);

/* What the caller of free says of mem must fit it. */
void harden_sized(const void *mem, size_t n, size_t align);

#endif
