/*
 * core/arenas.c - the table of arenas, and which one a thread gets.
 *
 * The table only grows, so that arena_at needs no lock. The lock keeps two starting
 * threads from making the same entry or taking the same unused arena; everything under it
 * is right at every instruction, so a child inherits it.
 */
#include "base/options.h"
#include "core/arena.h"
#include "os/os.h"

arena_table_t arena_table = {.limit = 2, .count = 1, .arenas = {&main_arena}};

unsigned arena_count(void)
{
    return atomic_load_explicit(&arena_table.count, memory_order_acquire);
}

arena_t *arena_at(unsigned index)
{
    return atomic_load_explicit(&arena_table.arenas[index], memory_order_relaxed);
}

CM_START void arena_limit_init(unsigned processors)
{
    size_t wish = atomic_load_explicit(&cm_options.arena_max, memory_order_relaxed);
    if (wish == 0)
        wish = CM_TINY || processors < ARENAS_LEAST ? ARENAS_LEAST : processors;
    arena_table.limit = wish > ARENA_MAX ? ARENA_MAX : (unsigned)wish;
}

/* A new arena, its struct behind the heap_info of its first heap. NULL: no memory. */
static arena_t *arena_new(unsigned index)
{
    heap_info *h = heap_new(sizeof(arena_t) + CACHE_LINE + 2 * CHUNK_MIN);
    if (h == NULL)
        return NULL;
    uintptr_t at = (uintptr_t)(h + 1);
    at = (at + CACHE_LINE - 1) & ~(uintptr_t)(CACHE_LINE - 1);
    arena_t *a = (arena_t *)at; /* NOLINT(performance-no-int-to-ptr) */
    a->index = index;
    heap_set_first(h, a + 1);
    arena_open(a, h);
    return a;
}

unsigned arena_threads(const arena_t *a)
{
    uint64_t users = atomic_load_explicit(&a->users, memory_order_seq_cst);
    return users >> 32 == cm_generation() ? (unsigned)users : 0;
}

/* Add one thread or take one away; returns how many there are then. */
static unsigned count_thread(arena_t *a, int change)
{
    uint64_t users = atomic_load_explicit(&a->users, memory_order_relaxed);
    uint64_t mine = cm_generation();
    unsigned now;
    do {
        unsigned count = users >> 32 == mine ? (unsigned)users : 0;
        now = change > 0 ? count + 1 : count - (count > 0);
    } while (!atomic_compare_exchange_weak_explicit(
        &a->users, &users, mine << 32 | now, memory_order_seq_cst, memory_order_relaxed));
    return now;
}

static bool usable(arena_t *a)
{
    uint32_t word = atomic_load_explicit(&a->lock.word, memory_order_relaxed);
    return word == 0 || word >> 1 == cm_generation();
}

/*
 * How busy an arena is for one who chooses. A count of another process, before a fork,
 * tells only that threads have been there: the one that forked may use it still.
 */
static unsigned load_of(const arena_t *a)
{
    uint64_t users = atomic_load_explicit(&a->users, memory_order_relaxed);
    bool ours = users >> 32 == cm_generation();
    return ours ? (unsigned)users : (unsigned)users != 0;
}

static arena_t *least_loaded(void)
{
    arena_t *best = NULL;
    unsigned least = ~0u;
    for (unsigned i = 0; i < arena_count(); i++) {
        arena_t *a = arena_at(i);
        unsigned load = load_of(a);
        if (load < least && usable(a)) {
            best = a;
            least = load;
        }
    }
    return best;
}

static arena_t *add_arena(void)
{
    unsigned count = arena_count();
    if (count >= ARENA_MAX)
        return NULL;
    arena_t *a = arena_new(count);
    if (a != NULL) {
        atomic_store_explicit(&arena_table.arenas[count], a, memory_order_relaxed);
        atomic_store_explicit(&arena_table.count, count + 1, memory_order_release);
    }
    return a;
}

/* Arenas that a fork has orphaned do not count against the limit. */
static unsigned usable_count(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < arena_count(); i++)
        n += usable(arena_at(i));
    return n;
}

arena_t *arena_join(void)
{
    cm_lock_take_or_inherit(&arena_table.lock);
    arena_t *a = least_loaded();
    bool idle = a != NULL && load_of(a) == 0;
    if (!idle && (a == NULL || usable_count() < arena_table.limit)) {
        arena_t *fresh = add_arena();
        a = fresh != NULL ? fresh : a;
    }
    if (a != NULL)
        count_thread(a, 1);
    cm_lock_drop(&arena_table.lock);
    return a;
}

/* The last one looks at the inbox once more; post in front/foreign.c has the order. */
void arena_leave(arena_t *a)
{
    if (count_thread(a, -1) == 0 && arena_lock(a)) {
        arena_drain_locked(a);
        arena_unlock(a);
    }
}
