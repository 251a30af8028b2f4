/*
 * core/seal.h - keyed checksums of what the heap says about itself.
 *
 * A seal tells words that we have written from words that an overflow has. It is a sieve,
 * not a cipher: who can read many sealed words and compute may find the key; who can only
 * write cannot. The key is drawn with the secret of the links (link_init) and never
 * stands in memory that is handed out.
 */
#ifndef CM_CORE_SEAL_H
#define CM_CORE_SEAL_H

#include "base/compiler.h"

typedef struct seal_key {
    size_t a, b;
} seal_key_t;

extern seal_key_t seal_key; /* constant once the first thread has attached */

/* The seal of two words. */
CM_INLINE size_t seal_of(size_t a, size_t b)
{
    return cm_fold_product(a ^ seal_key.a, b ^ seal_key.b);
}

/* A word of chance, from a counter: for decisions, not for secrets. Threads may get the
 * same one. */
CM_INLINE size_t seal_chance(void)
{
    static _Atomic size_t count;
    size_t n = atomic_load_explicit(&count, memory_order_relaxed) + 1;
    atomic_store_explicit(&count, n, memory_order_relaxed);
    return seal_of(n * (size_t)0x9e3779b97f4a7c15u, seal_key.a);
}

#endif
