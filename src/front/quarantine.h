/*
 * front/quarantine.h - the secure variant: a thread holds what it frees back for a while,
 * so that who still uses it finds it zeroed and not somebody else's.
 *
 * A ring of the chunks that were freed last, with their sizes: what a header says
 * meanwhile is not asked. They bear the mark of chunks that wait (core/link.h).
 *   bytes == the sum of their sizes
 * Its own thread's alone, which has thread_inside set meanwhile.
 */
#ifndef CM_FRONT_QUARANTINE_H
#define CM_FRONT_QUARANTINE_H

#include "front/cache.h"
#include "front/sample.h"

typedef struct held {
    void *mem;
    size_t size;
} held_t;

typedef struct quarantine {
    size_t bytes;
    unsigned first, next; /* counts of what went out and came in, ever */
    held_t ring[QUARANTINE_SLOTS];
} quarantine_t;

_Static_assert((QUARANTINE_SLOTS & (QUARANTINE_SLOTS - 1)) == 0, "counts may overflow");

CM_INLINE size_t quarantine_most(void)
{
    return atomic_load_explicit(&cm_options.quarantine, memory_order_relaxed);
}

/* mem's chunk, which was verified, lies in a further heap of t's arena. While samples are
 * taken no free is a hit. */
CM_INLINE bool quarantine_is_near(const thread_t *t, const void *mem)
{
    return !sample_on() && !registry_has_main(mem) && heap_of(mem)->arena == t->arena;
}

/* What t no longer holds back goes into its bin, as in any other variant. False: there is
 * no room, or it is not of t's arena, or the window has to move first. */
CM_INLINE bool quarantine_pass(thread_t *t, void *mem, size_t size)
{
    cache_bin_t *b = size <= CLASS_EXACT_MAX ? cache_exact_bin(t, size)
                                             : &t->bins[class_of_wide(size)];
    uint32_t room = b->room;
    if (cm_unlikely(room == 0 || (!thread_window_has(t, (uintptr_t)mem) &&
                                  !quarantine_is_near(t, mem))))
        return false;
    cache_push(t, b, mem, room, t->secret.key);
    return true;
}

/* One comes in for one that goes out while the bytes are in the last eighth of what there
 * may be: where sizes are mixed, a processor cannot guess how many of them would make
 * room for just this one. */
CM_INLINE bool quarantine_is_full(const quarantine_t *q)
{
    size_t most = quarantine_most();
    return q->bytes > most - most / 8 || q->next - q->first == QUARANTINE_SLOTS;
}

CM_INLINE bool quarantine_is_over(const quarantine_t *q)
{
    return q->bytes > quarantine_most();
}

/* Pre: there is room. */
CM_INLINE void quarantine_put(quarantine_t *q, held_t new)
{
    q->ring[q->next++ % QUARANTINE_SLOTS] = new;
    q->bytes += new.size;
    link_mark(new.mem);
}

/* t has yet to be attached, or to make its quarantine. */
CM_INLINE bool quarantine_is_due(const thread_t *t)
{
    return t->quarantine == NULL && (quarantine_most() != 0 || t->arena == NULL);
}

/* The hit: what must goes out and mem's chunk in, or into its bin at once where nothing
 * shall be held back. False: that is no hit, and it is in neither. */
CM_INLINE bool quarantine_exchange(thread_t *t, void *mem, size_t size)
{
    quarantine_t *q = t->quarantine;
    if (cm_unlikely(q == NULL))
        return quarantine_most() == 0 && quarantine_pass(t, mem, size);
    if (cm_likely(quarantine_is_full(q))) {
        do {
            const held_t *old = &q->ring[q->first % QUARANTINE_SLOTS];
            if (!quarantine_pass(t, old->mem, old->size))
                return false;
            q->bytes -= old->size;
            q->first++;
        } while (cm_unlikely(quarantine_is_over(q)));
    }
    quarantine_put(q, (held_t){mem, size});
    return true;
}

/* Hold back mem's chunk of size bytes, CLASS_MAX or less, if the option says so. Pre:
 * inside the core, which it leaves. */
void quarantine_hold(thread_t *t, void *mem, size_t size);

/* All of t's is posted to its arenas. */
void quarantine_flush(thread_t *t);

#endif
