/* front/thread.c - attaching and leaving. See thread.h for the states. */
#include "front/thread.h"

#include "os/os.h"

#include <pthread.h>

thread_t thread_none, thread_gone;
CM_TLS thread_t *thread_self = &thread_none;
CM_TLS bool thread_inside;

static thread_t first_thread; /* so that the first call of a process needs no memory */

static struct {
    cm_lock lock;
    bool first_used;
    thread_t *free;
    char *slab, *slab_end; /* a page that structs are cut from */
    pthread_key_t key;
    _Atomic bool key_made;
} pool;

static thread_t *struct_cut(void)
{
    if ((size_t)(pool.slab_end - pool.slab) < sizeof(thread_t)) {
        char *slab = os_map(os_pages(sizeof(thread_t)));
        if (slab == NULL)
            return NULL;
        pool.slab = pool.slab_end = slab;
        pool.slab_end = slab + os_pages(sizeof(thread_t));
    }
    thread_t *t = (thread_t *)(void *)pool.slab;
    pool.slab += sizeof(thread_t);
    return t;
}

static thread_t *struct_take(void)
{
    cm_lock_take_or_inherit(&pool.lock);
    thread_t *t = pool.free;
    if (!pool.first_used) {
        pool.first_used = true;
        t = &first_thread;
    } else if (t != NULL) {
        pool.free = t->next_free;
    } else {
        t = struct_cut();
    }
    cm_lock_drop(&pool.lock);
    return t;
}

static void struct_give(thread_t *t)
{
    cm_lock_take_or_inherit(&pool.lock);
    t->next_free = pool.free;
    pool.free = t;
    cm_lock_drop(&pool.lock);
}

/* setspecific may allocate: thread_self must be set before. */
static void ask_for_exit(thread_t *t)
{
    if (atomic_load_explicit(&pool.key_made, memory_order_acquire))
        pthread_setspecific(pool.key, t);
}

thread_t *thread_attach(void)
{
    os_init();
    thread_t *t = struct_take();
    if (t == NULL)
        return &thread_none;
    arena_t *a = arena_join();
    if (a == NULL) {
        struct_give(t);
        return &thread_none;
    }
    t->arena = a;
    thread_self = t;
    ask_for_exit(t);
    return t;
}

static void thread_exit(void *arg)
{
    thread_t *t = arg;
    thread_self = &thread_gone;
    arena_leave(t->arena);
    t->arena = NULL;
    struct_give(t);
}

void thread_init(void)
{
    if (pthread_key_create(&pool.key, thread_exit) != 0)
        return; /* no key left: threads keep their structs */
    atomic_store_explicit(&pool.key_made, true, memory_order_release);
    if (thread_self->arena != NULL)
        ask_for_exit(thread_self);
}

static arena_t *lock_any(void)
{
    for (unsigned i = 0; i < arena_count(); i++)
        if (arena_lock(arena_at(i)))
            return arena_at(i);
    return NULL;
}

arena_t *thread_lock_arena(thread_t *t)
{
    arena_t *a = t->arena;
    if (a != NULL && arena_lock(a))
        return a;
    if (a == NULL)
        return lock_any();
    a = arena_join();
    if (a == NULL || !arena_lock(a))
        return lock_any();
    t->arena = a;
    return a;
}
