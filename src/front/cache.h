/*
 * front/cache.h - thread caches: the hit path, and what happens on a miss.
 *
 * A hit takes no lock, no atomic operation, no call, no division and no table. It is
 * written here once and inlined into malloc, free and operator new; src/README.md
 * accounts for each of its instructions. See thread.h for the struct and its invariants.
 */
#ifndef CM_FRONT_CACHE_H
#define CM_FRONT_CACHE_H

#include "front/harden.h"
#include "front/memcheck.h"

/* Requests up to this hit on an exact class. */
#define CACHE_HIT_MAX (CLASS_EXACT_MAX - CHUNK_OVERHEAD)

/* The bin of an exact class: the class's index times a bin's size is the chunk's size. */
_Static_assert(sizeof(cache_bin_t) == CHUNK_ALIGN,
               "an exact class's bin is found by adding its size");
CM_INLINE cache_bin_t *cache_exact_bin(thread_t *t, size_t size)
{
    return (cache_bin_t *)(void *)((char *)t->bins + size);
}

/* Take a chunk's memory from a bin; NULL: it is empty. A hit is none, either, where a
 * guarded chunk is due: the miss will see to that. The room is there before the chunk is
 * gone, here, and gone behind it in cache_push: a signal handler that spills the bin in
 * between may find a chunk more than it counts, but none less. */
CM_INLINE void *cache_pop(thread_t *t, cache_bin_t *b, bool hit)
{
    uintptr_t mem = b->head ^ t->secret.mask;
    if (cm_unlikely(mem == 0))
        return NULL;
    if (cm_unlikely(++t->taken == 0) && hit) {
        t->taken = SIZE_MAX; /* as it was */
        return NULL;
    }
    if (!CM_SECURE && cm_unlikely((mem & (CHUNK_ALIGN - 1)) != 0))
        cm_panic(PANIC_LINKS, (const void *)mem); /* NOLINT(performance-no-int-to-ptr) */
    uintptr_t *words = (uintptr_t *)mem;          /* NOLINT(performance-no-int-to-ptr) */
    uintptr_t next = words[0];
    b->room++;
    cm_signal_fence();
    b->head = next;
    if (CM_SECURE)
        words = harden_choose(t, b, words);
    words[1] = 0;
    return words;
}

/* Put a chunk's memory into a bin. Pre: b->room > 0. The link is there before the head
 * leads to it: a signal handler that allocates in between must not follow user data. The
 * first fence keeps the two words two stores: the next malloc loads one of them, and had
 * to wait for a vector. */
CM_INLINE void cache_push(thread_t *t, cache_bin_t *b, void *mem, uint32_t room,
                          uintptr_t key)
{
    uintptr_t *words = mem;
    words[0] = b->head;
    cm_signal_fence();
    words[1] = key;
    cm_signal_fence();
    b->head = (uintptr_t)mem ^ t->secret.mask;
    cm_signal_fence();
    b->room = room - 1;
}

/* The hit of malloc; NULL: a miss, or too large. */
CM_INLINE void *cache_malloc(size_t n)
{
    if (cm_unlikely(n > CACHE_HIT_MAX))
        return NULL;
    thread_t *t = thread_self;
    return harden_out(cache_pop(t, cache_exact_bin(t, chunk_size_for(n)), true));
}

/* The same for the classes above, which are found by a shift; NULL for the exact ones,
 * too. */
CM_INLINE void *cache_malloc_wide(size_t n)
{
    if (n <= CACHE_HIT_MAX || n > CLASS_MAX - CHUNK_OVERHEAD)
        return NULL;
    thread_t *t = thread_self;
    unsigned k = class_for_wide(chunk_size_for(n));
    return harden_out(cache_pop(t, &t->bins[k], true));
}

/* The same at a multiple of align, a power of two: the first chunk of an exact class, if
 * it lies at one. In the secure variant another chunk may go in its place. */
CM_INLINE void *cache_aligned(size_t align, size_t n)
{
    if (CM_SECURE || cm_unlikely(n > CACHE_HIT_MAX || align > ALIGNED_RUN))
        return NULL;
    thread_t *t = thread_self;
    size_t size = (chunk_size_for(n) + align - 1) & ~(align - 1);
    cache_bin_t *b = cache_exact_bin(t, size);
    if (cm_unlikely(size > CLASS_EXACT_MAX ||
                    ((b->head ^ t->secret.mask) & (align - 1)) != 0))
        return NULL;
    return cache_pop(t, b, true);
}

/* The hit of free, of a chunk of least to most bytes; false: a miss, and nothing has
 * changed. */
CM_INLINE bool cache_free_between(void *mem, size_t least, size_t most)
{
    thread_t *t = thread_self;
    if (cm_unlikely(!thread_window_has(t, (uintptr_t)mem)))
        return false;
    size_t word = chunk_word(chunk_of(mem)), size = word & ~(CHUNK_ALIGN - 1);
    if (cm_unlikely(size < least || size > most))
        return false;
    if (most > CLASS_EXACT_MAX && cm_unlikely((word & CHUNK_M) != 0))
        return false; /* an M chunk of an exact class would be none */
    cache_bin_t *b = most <= CLASS_EXACT_MAX ? cache_exact_bin(t, size)
                                             : &t->bins[class_of_wide(size)];
    uint32_t room = b->room;
    uintptr_t key = t->secret.key;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): not NULL, see above */
    if (cm_unlikely(room == 0 || ((uintptr_t *)mem)[1] == key))
        return false;
    cache_push(t, b, mem, room, key);
    return true;
}

CM_INLINE bool cache_free(void *mem)
{
    return cache_free_between(mem, 0, CLASS_EXACT_MAX);
}

CM_INLINE bool cache_free_wide(void *mem)
{
    return cache_free_between(mem, CLASS_EXACT_MAX + 1, CLASS_MAX);
}

/* realloc leaves a chunk of have bytes as it is where size bytes are wanted. */
CM_INLINE bool cache_is_enough(size_t have, size_t size)
{
    return size <= have && (have - size < CHUNK_MIN || have - size <= have / 4);
}

/* The hit of realloc: mem stays where it is. */
CM_INLINE bool cache_stays(const void *mem, size_t n)
{
    if (CM_SECURE || cm_unlikely(!thread_window_has(thread_self, (uintptr_t)mem)))
        return false;
    size_t word = chunk_word(chunk_of(mem)), have = word & ~(CHUNK_ALIGN - 1);
    bool fits = n - 1 < have && (word & CHUNK_M) == 0; /* and n is not 0 */
    return fits && cache_is_enough(have, chunk_size_for(n));
}

/* A chunk for a request of up to CLASS_MAX bytes with its header, from any class. NULL:
 * no memory, or t has no cache. */
void *cache_take(thread_t *t, size_t n);

/* Memory of a chunk of the class size, at a multiple of align, more than CHUNK_ALIGN.
 * NULL also if there is none at hand. */
void *cache_take_aligned(thread_t *t, size_t align, size_t size);

/* t has no cache, or must not use it. */
CM_INLINE bool cache_is_off(const thread_t *t)
{
    return t->arena == NULL || memcheck_on() ||
           atomic_load_explicit(&cm_options.perturb, memory_order_relaxed) != 0;
}

/* Keep chunk c of size CLASS_MAX or less, whoever it belongs to. False: the cache is
 * off. */
bool cache_give(thread_t *t, mchunkptr c);

/* The same in the secure variant. Pre: the cache is on; inside. */
void cache_give_inside(thread_t *t, mchunkptr c);

/* Chunk c of t's arena has been freed outside of the window: frees around it are hits
 * from now on. Only in memory that stays the arena's for ever: the break, and the heap
 * that holds the arena's struct. A later heap may go, and another arena's come there. */
CM_INLINE void cache_move_window(thread_t *t, const chunk_t *c)
{
    if ((chunk_word(c) & CHUNK_A) == 0) {
        t->window = atomic_load_explicit(&registry.main_low, memory_order_relaxed);
        t->span = (atomic_load_explicit(&registry.main_high, memory_order_relaxed) -
                   t->window) /
                  CHUNK_ALIGN;
    } else if (heap_of(c) == heap_of((const void *)t->arena)) {
        t->window = (uintptr_t)heap_of(c);
        t->span = HEAP_MAX_SIZE / CHUNK_ALIGN;
    }
}

/* A thread that has taken a quarter of a magazine keeps what is not of its arena: hot as
 * it is, it is handed out again. (A half: ring takes 1.12 times as long; nothing: larson,
 * where those who free are not those who allocate, 1.12 times.) */
CM_INLINE bool cache_in_demand(const cache_bin_t *b) { return b->room > b->cap / 4; }

/* Send home mem, a chunk of a's of class k, by and by. False: t has no cache, or is in
 * the core already. */
bool cache_send_home(thread_t *t, arena_t *a, unsigned k, void *mem);

/* Sum of all threads' charges; <= CACHE_BUDGET but for the least caps. */
extern _Atomic size_t cache_charged;

/* Park a magazine of class k in the depot of t's arena, and send home what is not of
 * there. True: nobody has asked that depot for the class of late. */
bool cache_park(thread_t *t, unsigned k, magazine_t m);

/* What is in a bin of t's, which is empty then. */
magazine_t cache_unload(thread_t *t, cache_bin_t *b);

/* The cap of class k is no larger from now on, if no more chunks are in the bin. */
void cache_shrink(thread_t *t, unsigned k, unsigned cap);

/* At a visit to the arena: park the next class if it is not in use (drain.c). */
void cache_look_round(thread_t *t);

/* Give all that t holds to the arenas; for its own thread. Its caps go back to zero. */
void cache_flush(thread_t *t);

/* Give what threads hold and do not need at once, their spare magazines, to the
 * arenas. */
void cache_drain_spares(void);

/* A tick has gone by: merge the spare magazines of threads that have not come for any in
 * a while. */
void cache_drain_idle(void);

#endif
