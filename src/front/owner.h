/*
 * front/owner.h - whose chunk a user's pointer is, before anything near it is believed.
 */
#ifndef CM_FRONT_OWNER_H
#define CM_FRONT_OWNER_H

#include "core/arena.h"
#include "core/guard.h"
#include "os/os.h"

/* The secure variant: c's header is in memory that is there. Behind a heap that is
 * smaller than others, since address space is short, a mapping may lie. */
CM_INLINE bool owner_can_read(const chunk_t *c)
{
    if (registry_has_heap(c)) {
        const heap_info *h = heap_of(c);
        if ((size_t)((const char *)c - (const char *)h) < h->reserved)
            return (const char *)c < heap_end(h);
    }
    return registry_has_main(c) || os_is_mapped(c);
}

/* The chunk of mem. A pointer that no call here can have returned is fatal. O(1). */
CM_INLINE mchunkptr owner_chunk(const void *mem)
{
    if (cm_unlikely(((uintptr_t)mem & (CHUNK_ALIGN - 1)) != 0))
        cm_panic(PANIC_MISALIGNED, mem);
    if (cm_unlikely(guard_has(mem)))
        guard_check(mem);
    mchunkptr c = chunk_of(mem);
    if (CM_SECURE && !owner_can_read(c))
        cm_panic(PANIC_FOREIGN, mem);
    size_t word = chunk_word_plain(c);
    if ((word & CHUNK_M) != 0) {
        (void)large_info_of(c);
        return c;
    }
    if (cm_unlikely((word & CHUNK_A) != 0 ? !registry_has_heap(c)
                                          : !registry_has_main(c)))
        cm_panic(PANIC_FOREIGN, mem);
    if (CM_SECURE)
        (void)chunk_word(c); /* verifies the seal, now that c is known to be in a heap */
    if (cm_unlikely((word & ~CHUNK_FLAGS) < CHUNK_MIN ||
                    (word & (CHUNK_ALIGN - 1) & ~CHUNK_FLAGS) != 0))
        cm_panic(PANIC_SIZE, mem);
    return c;
}

#endif
