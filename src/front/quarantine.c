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

static held_t take_oldest(quarantine_t *q)
{
    held_t old = q->ring[q->first++ % QUARANTINE_SLOTS];
    q->bytes -= old.size;
    link_unmark(old.mem);
    return old;
}

/* The long way of quarantine_pass. Places enter the core themselves. */
CM_FAR static void pass_on(thread_t *t, held_t old)
{
    if (quarantine_pass(t, old.mem, old.size))
        return;
    mchunkptr c = chunk_of(old.mem);
    if (CM_SECURE && !cache_is_off(t)) {
        cache_give_inside(t, c);
        return;
    }
    thread_leave();
    place_give(c);
    (void)thread_enter();
}

CM_FAR void quarantine_hold(thread_t *t, void *mem, size_t size)
{
    quarantine_t *q = quarantine_of(t);
    held_t new = {mem, size};
    while (q != NULL && quarantine_is_full(q))
        pass_on(t, take_oldest(q));
    if (q != NULL)
        quarantine_put(q, new);
    else
        pass_on(t, new);
    thread_leave();
}

void quarantine_flush(thread_t *t)
{
    quarantine_t *q = CM_SECURE ? t->quarantine : NULL;
    while (q != NULL && q->first != q->next) {
        void *mem = take_oldest(q).mem;
        inbox_post_one(&arena_of(chunk_of(mem))->inbox, mem);
    }
}
