/*
 * core/registry.h - which addresses are ours.
 *
 * One bit for each HEAP_MAX_SIZE of the address space: set <=> an allocated heap starts
 * there. The range of the application's heap that the main arena has ever held stands
 * beside it. A pointer that comes from outside is looked up here before anything near it
 * is believed. Lock-free: bits change by atomic or/and; a reader sees the bit of a heap
 * that it legitimately holds a chunk of, since whoever handed it the chunk had seen it.
 */
#ifndef CM_CORE_REGISTRY_H
#define CM_CORE_REGISTRY_H

#include "base/compiler.h"
#include "base/config.h"

#define REGISTRY_WORD_BITS (sizeof(size_t) * 8)
#define REGISTRY_WORDS \
    (((uint64_t)1 << (ADDRESS_BITS - HEAP_MAX_SHIFT)) / REGISTRY_WORD_BITS)

typedef struct registry {
    _Atomic uintptr_t main_low, main_high; /* [low, high) */
    _Atomic size_t heaps[REGISTRY_WORDS];
} registry_t;

extern registry_t registry;

/* Enter or remove the allocated heap that starts at heap. False: its address is beyond
 * ADDRESS_BITS. */
bool registry_add(const void *heap);
void registry_remove(const void *heap);

/* Widen the range of the main arena, or have it end at high where it ended at old. No
 * chunk that anybody holds lies behind that. Caller holds the arena's lock. */
void registry_add_main(const void *low, const void *high);
void registry_cut_main(const void *old, const void *high);

/* p lies in an allocated heap of ours. */
CM_INLINE bool registry_has_heap(const void *p)
{
    uintptr_t slot = (uintptr_t)p >> HEAP_MAX_SHIFT;
    if (slot / REGISTRY_WORD_BITS >= REGISTRY_WORDS)
        return false;
    size_t word = atomic_load_explicit(&registry.heaps[slot / REGISTRY_WORD_BITS],
                                       memory_order_relaxed);
    return (word >> (slot % REGISTRY_WORD_BITS) & 1) != 0;
}

/* p lies in what the main arena has of the application's heap (or in a foreign gap of
 * it). */
CM_INLINE bool registry_has_main(const void *p)
{
    uintptr_t low = atomic_load_explicit(&registry.main_low, memory_order_relaxed);
    uintptr_t high = atomic_load_explicit(&registry.main_high, memory_order_relaxed);
    return (uintptr_t)p - low < high - low;
}

CM_INLINE bool registry_has(const void *p)
{
    return registry_has_heap(p) || registry_has_main(p);
}

#endif
