/* front/quarantine.c - making one, and what leaves it. See quarantine.h. */
#include "front/quarantine.h"

#include "front/place.h"
#include "os/os.h"

/* NULL: none is wanted, or there is no memory. */
static quarantine_t *quarantine_of(thread_t *t)
{
    size_t bytes = os_pages(sizeof(quarantine_t));
    if (quarantine_most() == 0 || t->arena == NULL)
        return NULL;
    if (t->quarantine == NULL && (t->quarantine = os_map(bytes)) != NULL)
        os_count_metadata(bytes);
    return t->quarantine;
}

static void *take_oldest(quarantine_t *q)
{
    size_t i = q->first++ % QUARANTINE_SLOTS;
    q->bytes -= q->ring[i].size;
    link_unmark(q->ring[i].mem);
    return q->ring[i].mem;
}

/* Caches and places enter the core themselves. */
static void give_outside(thread_t *t, void *mem)
{
    thread_leave();
    if (!cache_give(t, chunk_of(mem)))
        place_give(chunk_of(mem));
    (void)thread_enter();
}

CM_NOINLINE void quarantine_hold(thread_t *t, void *mem, size_t size)
{
    quarantine_t *q = quarantine_of(t);
    if (q != NULL) {
        while (!quarantine_put(t, q, mem, size))
            give_outside(t, take_oldest(q));
    } else if (!quarantine_pass(t, mem, size)) {
        give_outside(t, mem);
    }
    thread_leave();
}

void quarantine_flush(thread_t *t)
{
    quarantine_t *q = CM_SECURE ? t->quarantine : NULL;
    while (q != NULL && q->first != q->next) {
        void *mem = take_oldest(q);
        inbox_post(&arena_of(chunk_of(mem))->inbox, mem, mem);
    }
}
