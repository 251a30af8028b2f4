/* front/foreign.c - see foreign.h. */
#include "front/foreign.h"

/* An arena that no thread uses is drained by whoever posts to it. The post comes
 * before the look at its threads, and a thread's leaving before its last look at the
 * inbox (arena_leave), both in one order for all: so one of the two sees the other. */
static void post(arena_t *a, magazine_t m)
{
    inbox_post(&a->inbox, m);
    if (arena_threads(a) == 0 && arena_lock(a)) {
        arena_drain_locked(a);
        arena_unlock(a);
    }
}

static void send(outgoing_t *o)
{
    if (o->chunks.first == NULL)
        return;
    post(o->arena, o->chunks);
    o->chunks = (magazine_t){NULL, 0};
}

void foreign_collect(thread_t *t, arena_t *a, unsigned k, void *mem)
{
    outgoing_t *o = &t->out[k % OUTGOING];
    if (o->arena != a || o->k != k) {
        send(o);
        o->arena = a;
        o->k = k;
    }
    link_set(mem, o->chunks.first);
    o->chunks.first = mem;
    if (++o->chunks.count >= class_magazine(class_size(k)))
        send(o);
}

static void post_one(arena_t *a, void *mem)
{
    link_set(mem, NULL);
    post(a, (magazine_t){mem, 1});
}

/* out[] is its own thread's: who drains another one's spares posts one by one. */
magazine_t foreign_send(thread_t *t, unsigned k, magazine_t m)
{
    magazine_t own = {NULL, 0};
    while (m.first != NULL) {
        void *mem = m.first;
        arena_t *owner = arena_of(chunk_of(mem));
        m.first = link_next(mem);
        if (owner == t->arena) {
            link_set(mem, own.first);
            own.first = mem;
            own.count++;
        } else if (t == thread_self) {
            foreign_collect(t, owner, k, mem);
        } else {
            post_one(owner, mem);
        }
    }
    return own;
}

void foreign_flush(thread_t *t)
{
    for (unsigned i = 0; i < OUTGOING; i++)
        send(&t->out[i]);
}
