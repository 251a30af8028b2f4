/* core/registry.c - entering heaps. See registry.h. */
#include "core/registry.h"

registry_t registry;

bool registry_add(const void *heap)
{
    uintptr_t slot = (uintptr_t)heap >> HEAP_MAX_SHIFT;
    if (slot / REGISTRY_WORD_BITS >= REGISTRY_WORDS)
        return false;
    atomic_fetch_or_explicit(&registry.heaps[slot / REGISTRY_WORD_BITS],
                             (size_t)1 << (slot % REGISTRY_WORD_BITS),
                             memory_order_relaxed);
    return true;
}

void registry_remove(const void *heap)
{
    uintptr_t slot = (uintptr_t)heap >> HEAP_MAX_SHIFT;
    atomic_fetch_and_explicit(&registry.heaps[slot / REGISTRY_WORD_BITS],
                              ~((size_t)1 << (slot % REGISTRY_WORD_BITS)),
                              memory_order_relaxed);
}

void registry_add_main(const void *low, const void *high)
{
    uintptr_t old = atomic_load_explicit(&registry.main_low, memory_order_relaxed);
    if (old == 0 || (uintptr_t)low < old)
        atomic_store_explicit(&registry.main_low, (uintptr_t)low, memory_order_relaxed);
    if ((uintptr_t)high > atomic_load_explicit(&registry.main_high, memory_order_relaxed))
        atomic_store_explicit(&registry.main_high, (uintptr_t)high, memory_order_relaxed);
}

void registry_cut_main(const void *old, const void *high)
{
    if (atomic_load_explicit(&registry.main_high, memory_order_relaxed) == (uintptr_t)old)
        atomic_store_explicit(&registry.main_high, (uintptr_t)high, memory_order_relaxed);
}
