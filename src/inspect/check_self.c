/* inspect/check_self.c - checking this process; the first fault ends it. See check.h. */
#include "front/thread.h"
#include "inspect/check.h"

static void check_end(check_t *c, const char *what, uintptr_t where)
{
    (void)c;
    cm_panic(what, (const void *)where); /* NOLINT(performance-no-int-to-ptr) */
}

void check_arena_locked(arena_t *a)
{
    reader_t reader;
    check_t c;
    reader_self(&reader);
    check_init(&c, &reader, &link_secret, check_end, NULL);
    arena_drain_locked(a);
    check_arena(&c, (uintptr_t)a);
}

/* Of other threads, what is under their lock. */
static void check_thread_here(thread_t *t)
{
    reader_t reader;
    check_t c;
    reader_self(&reader);
    check_init(&c, &reader, &link_secret, check_end, NULL);
    if (!cm_lock_take(&t->lock))
        return;
    check_thread(&c, (uintptr_t)t, t == thread_self);
    cm_lock_drop(&t->lock);
}

int check_all(void)
{
    int checked = 0;
    if (!thread_enter())
        return 0;
    for (unsigned i = 0; i < arena_count(); i++) {
        arena_t *a = arena_at(i);
        if (!arena_lock(a))
            continue;
        check_arena_locked(a);
        arena_unlock(a);
        checked++;
    }
    for (thread_t *t = thread_first(); t != NULL; t = thread_after(t))
        check_thread_here(t);
    thread_leave();
    return checked;
}
