/* front/foreign.c - see foreign.h. */
#include "front/foreign.h"

/* An arena that no thread uses is drained by whoever posts to it. The post comes
 * before the look at its threads, and a thread's leaving before its last look at the
 * inbox (arena_leave), both in one order for all: so one of the two sees the other. */
static void post(arena_t *a, void *first, void *last)
{
    inbox_post(&a->inbox, first, last);
    if (arena_threads(a) == 0 && arena_lock(a)) {
        arena_drain_locked(a);
        arena_unlock(a);
    }
}

static void send(outgoing_t *o)
{
    if (o->first == NULL)
        return;
    post(o->arena, o->first, o->last);
    o->first = NULL;
    o->bytes = 0;
}

void foreign_collect(thread_t *t, arena_t *a, mchunkptr c)
{
    outgoing_t *o = &t->out[a->index % OUTGOING];
    void *mem = chunk_mem(c);
    if (o->arena != a)
        send(o);
    o->arena = a;
    if (o->first == NULL)
        o->last = mem;
    link_set(mem, o->first);
    o->first = mem;
    o->bytes += chunk_size(c);
    if (o->bytes >= OUTGOING_BYTES)
        send(o);
}

/* The last of the chunks from mem on that are owner's and neighbours in their list. */
static void *last_of(const arena_t *owner, void *mem)
{
    void *next = link_next(mem);
    while (next != NULL && arena_of(chunk_of(next)) == owner) {
        mem = next;
        next = link_next(mem);
    }
    return mem;
}

magazine_t foreign_send(const arena_t *a, magazine_t m)
{
    magazine_t own = {NULL, 0};
    void *mem = m.first;
    while (mem != NULL) {
        arena_t *owner = arena_of(chunk_of(mem));
        void *last = owner == a ? mem : last_of(owner, mem), *next = link_next(last);
        if (owner == a) {
            link_set(mem, own.first);
            own.first = mem;
            own.count++;
        } else {
            post(owner, mem, last);
        }
        mem = next;
    }
    return own;
}

void foreign_flush(thread_t *t)
{
    for (unsigned i = 0; i < OUTGOING; i++)
        send(&t->out[i]);
}
