/*
 * front/alloc.c - malloc, calloc and free.
 *
 * The order of places that are asked: the thread's arena; for large sizes a mapping;
 * then, when memory is short, the other arenas and a mapping of any size.
 */
#include "base/options.h"
#include "front/front.h"
#include "front/memcheck.h"
#include "front/owner.h"
#include "front/place.h"
#include "front/quarantine.h"
#include "front/sample.h"
#include "os/os.h"

#include <string.h>

static void fill(mchunkptr c, unsigned invert)
{
    size_t byte = atomic_load_explicit(&cm_options.perturb, memory_order_relaxed);
    if (cm_unlikely(byte != 0))
        memset(chunk_mem(c), (int)(byte ^ invert), chunk_usable(c));
}

/* Below a signal handler that interrupted a miss there is no cache. */
static void *take_cached(size_t n)
{
    return n <= CLASS_MAX - CHUNK_OVERHEAD ? harden_out(cache_take(thread_get(), n))
                                           : NULL;
}

CM_NOINLINE static void *malloc_slow(size_t n)
{
    void *mem = take_cached(n);
    if (mem != NULL)
        return sample_cached(mem, n, CHUNK_ALIGN);
    place_t place = {.n = n, .align = CHUNK_ALIGN};
    if (!place_take(&place))
        return NULL;
    fill(place.chunk, 0xff);
    return memcheck_taken(sample_placed(chunk_mem(place.chunk)), n);
}

void *front_malloc_miss(size_t n)
{
    void *mem = cache_malloc_wide(n);
    return cm_likely(mem != NULL) ? mem : malloc_slow(n);
}

/* Clear the payload but for what reads as zero anyway. */
static void clear_around(mchunkptr c, zone_t zero)
{
    char *start = chunk_mem(c);
    zone_t all = {(uintptr_t)start, (uintptr_t)start + chunk_usable(c)};
    zero = zone_cut(zero, all);
    if (zone_size(zero) == 0)
        zero.from = zero.to = all.to;
    memset(start, 0, zero.from - all.from);
    memset(start + (zero.to - all.from), 0, all.to - zero.to);
}

void *front_calloc(size_t n)
{
    void *mem = cache_malloc(n);
    if (mem == NULL)
        mem = cache_malloc_wide(n);
    if (mem == NULL)
        mem = sample_cached(take_cached(n), n, CHUNK_ALIGN);
    if (mem != NULL)
        return memset(mem, 0, n);
    place_t place = {.n = n, .align = CHUNK_ALIGN};
    if (!place_take(&place))
        return NULL;
    clear_around(place.chunk, place.zero);
    void *fresh = memcheck_taken(sample_placed(chunk_mem(place.chunk)), n);
    return memcheck_zeroed(fresh, n);
}

static bool is_cached_size(const chunk_t *c)
{
    return chunk_size(c) <= CLASS_MAX && (chunk_word(c) & CHUNK_M) == 0;
}

static void give(mchunkptr c)
{
    if (!is_cached_size(c) || !cache_give(thread_get(), c))
        place_give(c);
}

static void hold_back(mchunkptr c)
{
    thread_t *t = thread_get();
    if (thread_enter())
        quarantine_hold(t, chunk_mem(c), chunk_size(c));
    else
        place_give(c);
}

CM_NOINLINE static void free_slow(void *mem)
{
    if (mem == NULL)
        return;
    mchunkptr c = owner_chunk(mem);
    sample_freed(mem);
    memcheck_freed(mem);
    harden_in(c);
    fill(c, 0);
    if (CM_SECURE && is_cached_size(c))
        hold_back(c);
    else
        give(c);
}

/* The registry knows where c lies, and its header is one that a cache may keep. */
static bool is_plain(const chunk_t *c)
{
    size_t word = chunk_word(c), size = word & ~(CHUNK_ALIGN - 1);
    return size >= CHUNK_MIN && size <= CLASS_MAX &&
           (word & (CHUNK_ALIGN - 1) & ~(CHUNK_A | CHUNK_P)) == 0 &&
           ((word & CHUNK_A) != 0 ? registry_has_heap(c) : registry_has_main(c));
}

/* What lies outside of the window goes the way that cache_give would take, too: of a
 * further heap of the thread's arena it is a hit if there is room; of another arena if
 * the bin is in demand, else it is collected. */
static bool free_far(void *mem)
{
    thread_t *t = thread_self;
    if (mem == NULL || ((uintptr_t)mem & (CHUNK_ALIGN - 1)) != 0 || sample_on() ||
        guard_has(mem))
        return false;
    mchunkptr c = chunk_of(mem);
    if (!is_plain(c))
        return false;
    unsigned k = class_of(chunk_size(c));
    cache_bin_t *b = &t->bins[k];
    arena_t *a = (chunk_word(c) & CHUNK_A) != 0 ? heap_of(c)->arena : &main_arena;
    bool foreign = a != t->arena;
    if (link_marked(mem))
        return false;
    if (foreign && !cache_in_demand(b))
        return cache_send_home(t, arena_of(c), k, mem); /* which verifies it */
    if (b->room == 0)
        return false;
    if (foreign)
        atomic_store_explicit(&t->mixed[k], true, memory_order_relaxed);
    else
        cache_move_window(t, c);
    cache_push(t, b, mem, b->room, t->secret.key);
    return true;
}

/* What was told to look at each free. */
static bool is_watched(void)
{
    return sample_on() || memcheck_on() ||
           atomic_load_explicit(&cm_options.perturb, memory_order_relaxed) != 0;
}

/* The same where a call is needed, or a cache first. */
CM_NOINLINE static void free_verified(void *mem, size_t size)
{
    thread_t *t = thread_get();
    if (size > CLASS_MAX || !thread_enter()) {
        free_slow(mem);
        return;
    }
    harden_wipe(chunk_of(mem), size);
    if (cm_likely(quarantine_exchange(t, mem, size)))
        thread_leave_quietly();
    else
        quarantine_hold(t, mem, size);
}

/* The secure variant's hit, of any class. It calls nothing but as the last thing that it
 * does, so that few registers are kept: what is not as it mostly is goes to others. */
CM_INLINE void free_hardened(void *mem)
{
    thread_t *t = thread_self;
    size_t size = harden_size(mem);
    bool sound = size >= CHUNK_MIN && !is_watched();
    if (cm_unlikely(sound && (harden_takes_call(size) || quarantine_is_due(t))))
        free_verified(mem, size);
    else if (cm_unlikely(!sound || !thread_enter()))
        free_slow(mem);
    else {
        harden_wipe_small(chunk_of(mem), size);
        if (cm_likely(quarantine_exchange(t, mem, size)))
            thread_leave_quietly();
        else
            quarantine_hold(t, mem, size);
    }
}

void front_free_miss(void *mem)
{
    if (CM_SECURE)
        free_hardened(mem);
    else if (!(cm_likely(cache_free_wide(mem)) || free_far(mem)))
        free_slow(mem);
}
