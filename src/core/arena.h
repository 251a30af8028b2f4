/*
 * core/arena.h - heaps and free chunks that some threads share.
 *
 * Owns the merging of chunks, top, and the table of arenas. Invariants, under the arena's
 * lock:
 *   no two neighbouring free chunks; no free chunk before top; top (or NULL) ends the
 *   newest heap at heap_end; a free chunk is in its bin, its pages are noted in `dirty`.
 * An allocated arena's struct lies in its first heap; the main arena's is static.
 * Locks: `lock` for everything here but `inbox` and `users`. A thread holds at most one
 * arena's lock (but for a scan for leaks, inspect/snapshot.c). After a fork an arena
 * whose lock is orphaned is never touched again (base/lock.h); its chunks may be read and
 * are never freed.
 */
#ifndef CM_CORE_ARENA_H
#define CM_CORE_ARENA_H

#include "base/lock.h"
#include "core/bin.h"
#include "core/depot.h"
#include "core/dirty.h"
#include "core/heap.h"
#include "core/remote.h"

struct large_info;

#define ARENA_MAGIC CM_MAGIC(0x6e6572) /* "ren" */

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): lines apart, on purpose */
typedef struct arena {
    size_t magic;   /* ARENA_MAGIC from its first heap on */
    unsigned index; /* in the table; 0 is the main arena */
    /* What is above is constant, and read by whoever frees a chunk of this arena. */
    cm_lock lock CM_ALIGNED(CACHE_LINE);
    _Atomic uint64_t users; /* generation << 32 | threads that allocate from it */
    mchunkptr top;          /* NULL: the arena has none */
    uintptr_t top_mark, top_mark_before; /* as far as top has come of late, and before */
    zone_t zero;                         /* of the chunk taken last: this reads as zero */
    heap_info *newest;                   /* of its heaps */
    struct large_info *larges;           /* its M chunks */
    size_t large_count, large_bytes;
    size_t system, system_most; /* bytes committed in heaps, now and at most */
    bins_t bins;
    dirty_t dirty;
    depot_t depot;
    void *away;       /* free chunks whose pages are just being purged, linked */
    uint32_t away_by; /* generation of the process that is about it; 0: nobody */
    inbox_t inbox;
} arena_t;

extern arena_t main_arena;

/* The table: arenas[i] is set for i < count. arenas.c alone writes it; readers from
 * outside find it by its address. */
typedef struct arena_table {
    cm_lock lock;
    _Atomic unsigned limit; /* arenas that there may be */
    _Atomic unsigned count;
    _Atomic(arena_t *) arenas[ARENA_MAX];
} arena_table_t;

extern arena_table_t arena_table;

/* Arenas made so far; arena_at(i) for i below it. Lock-free. */
unsigned arena_count(void);
arena_t *arena_at(unsigned index);

/* For a thread that starts: an arena that nobody uses, else a new one, else the least
 * loaded. Counts it in. */
arena_t *arena_join(void);
void arena_leave(arena_t *a);

/* Threads that allocate from a. A child of fork counts anew, without its parent's. */
unsigned arena_threads(const arena_t *a);

/* Set how many arenas there may be; 0: as many as processors. */
void arena_limit_init(unsigned processors);

/* Take a's lock. False: orphaned by a fork. */
CM_INLINE bool arena_lock(arena_t *a) { return cm_lock_take(&a->lock); }

CM_INLINE void arena_unlock(arena_t *a) { cm_lock_drop(&a->lock); }

/* a stands in the table: the pointer may come from a heap_info that was overwritten. */
CM_INLINE bool arena_is_ours(const arena_t *a)
{
    return a == &main_arena ||
           (registry_has_heap(a) && a->index < ARENA_MAX && arena_at(a->index) == a);
}

/* The arena of a heap chunk whose heap has been looked up in the registry. Never changes
 * while in use. A heap_info that names what is no arena is fatal. */
CM_INLINE arena_t *arena_of(const chunk_t *c)
{
    if ((chunk_word(c) & CHUNK_A) == 0)
        return &main_arena;
    arena_t *a = heap_of(c)->arena;
    if (cm_unlikely(!arena_is_ours(a)))
        cm_panic(PANIC_ARENA, chunk_mem(c));
    return a;
}

/* Largest chunk that can lie in a heap of any arena. */
#define ARENA_CHUNK_MAX \
    ((heap_room(sizeof(heap_info) + sizeof(arena_t)) - (CM_SECURE ? 2 : 1) * os_page) & \
     ~(CHUNK_ALIGN - 1))

/* Make h, which is in no list, the newest heap of a, all of it top. */
void arena_open(arena_t *a, heap_info *h);

/* A chunk of at least size bytes, in use, with mem at a multiple of align; NULL: no
 * memory. size is a chunk size, align a power of two, at least CHUNK_ALIGN. */
mchunkptr arena_take_locked(arena_t *a, size_t size, size_t align);

/* A chunk in use becomes free, and one with its free neighbours; what is known of its
 * pages goes with it. Damage is fatal. */
void arena_give_pages_locked(arena_t *a, mchunkptr c, pages_t pages);

/* The same, of a chunk that has just been used. */
CM_INLINE void arena_give_locked(arena_t *a, mchunkptr c)
{
    arena_give_pages_locked(a, c, (pages_t){ZONE_NONE, a->dirty.now});
}

/* c is free already, or inside what is, by the words around it. */
bool arena_was_given_locked(const arena_t *a, const chunk_t *c);

/* The allocated heap that c, free, is all of; NULL: there is more in it, or it has to
 * stay since it is the newest or holds the arena's struct. */
heap_info *arena_empty_heap(const arena_t *a, const chunk_t *c);

/* A free chunk goes into its bin, or leaves it. */
CM_INLINE void arena_file_locked(arena_t *a, mchunkptr c, pages_t pages)
{
    bin_insert(&a->bins, c);
    dirty_enter(&a->dirty, c, pages);
}

CM_INLINE pages_t arena_unfile_locked(arena_t *a, mchunkptr c)
{
    bin_unlink(&a->bins, c);
    return dirty_leave(&a->dirty, c);
}

/* The free chunk before c, taken out of its bin; what is known of its pages is added.
 * Pre: P clear. */
mchunkptr arena_take_prev_locked(arena_t *a, mchunkptr c, pages_t *pages);

/* Make c, in use, at least size bytes large where it stands. False: it is as it was. */
bool arena_grow_locked(arena_t *a, mchunkptr c, size_t size);

/* Cut c, in use, down to size bytes and free the rest if that is a chunk. */
void arena_cut_locked(arena_t *a, mchunkptr c, size_t size);

/* Up to count chunks of class size `size`, linked and marked, with mem at a multiple of
 * align, which divides size: neighbours in address order where one piece can be cut into
 * them. Empty: no memory. */
magazine_t arena_take_run_locked(arena_t *a, size_t size, size_t align, unsigned count);

/* Sort what other arenas' threads have posted into the depot. */
void arena_drain_locked(arena_t *a);

/* Before memory is taken from the heap: what demand has moved away from, the classes that
 * nobody has asked for lately, goes back to it if more waits in the depot than should. As
 * long as the depot itself can serve, nobody comes here. */
void arena_merge_idle_locked(arena_t *a);

/* Merge the whole depot back into the heap. */
void arena_merge_locked(arena_t *a);

/* Merging a chunk is mostly waiting for the lines of its neighbours' headers, and of what
 * their links lead to. Ask for those of the next ARENA_AHEAD chunks of a list together.
 * Nothing is believed but what the registry confirms, and nothing found wrong. Pre: first
 * is not NULL. */
void arena_look_ahead(void *first);

/* Free every chunk of a linked list. */
void arena_give_list_locked(arena_t *a, void *first);

/* The same for chunks that nobody has asked for in a while: their pages may go at
 * once. */
void arena_give_aged_locked(arena_t *a, void *first);

#endif
