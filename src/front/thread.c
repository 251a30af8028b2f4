/* front/thread.c - attaching and leaving. See thread.h for the states. */
#include "front/thread.h"

#include "front/cache.h"
#include "os/os.h"

#include <pthread.h>
#include <string.h>

const thread_t thread_none;
CM_TLS thread_t *thread_self = (thread_t *)(uintptr_t)&thread_none;
CM_TLS bool thread_inside, thread_gone;

static thread_t first_thread; /* so that the first call of a process needs no memory */

/* Under the lock, and right at every instruction: an entry is lost at worst when a fork
 * comes in between. */
static struct {
    cm_lock lock;
    bool first_used;
    thread_t *free;
    thread_t *fresh; /* mapped, not touched so far, */
    size_t left;     /* so many */
    pthread_key_t key;
    _Atomic bool key_made;
} pool;
_Atomic(thread_t *) thread_all;

thread_t *thread_first(void)
{
    return atomic_load_explicit(&thread_all, memory_order_acquire);
}

thread_t *thread_after(const thread_t *t)
{
    return atomic_load_explicit(&t->next_all, memory_order_acquire);
}

static void publish(thread_t *t)
{
    atomic_store_explicit(&t->next_all, thread_first(), memory_order_relaxed);
    atomic_store_explicit(&thread_all, t, memory_order_release);
}

/* Structs come a mapping at a time. */
static thread_t *struct_new(void)
{
    if (pool.left == 0) {
        size_t bytes = os_pages(THREADS_AT_ONCE * sizeof(thread_t));
        thread_t *structs = os_map(bytes);
        if (structs == NULL)
            return NULL;
        os_count_metadata(bytes);
        pool.fresh = structs;
        pool.left = bytes / sizeof(thread_t);
    }
    thread_t *t = &pool.fresh[--pool.left];
    publish(t);
    return t;
}

static thread_t *struct_take(void)
{
    cm_lock_take_or_inherit(&pool.lock);
    thread_t *t = pool.free;
    if (!pool.first_used) {
        pool.first_used = true;
        t = &first_thread;
        publish(t);
    } else if (t != NULL) {
        pool.free = t->next_free;
    } else {
        t = struct_new();
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

/* Every bin is empty: its hidden head shows NULL. */
static void empty(thread_t *t)
{
    t->secret = link_secret;
    for (unsigned k = 0; k < CLASS_COUNT; k++)
        t->bins[k] = (cache_bin_t){.head = link_secret.mask};
    memset(t->spare, 0, sizeof t->spare);
    memset(t->mixed, 0, sizeof t->mixed);
    memset(t->out, 0, sizeof t->out);
    t->window = t->span = 0;
}

static thread_t *attach(void)
{
    if (link_secret.key == 0) { /* the constructor has not run yet */
        os_init();
        link_init();
    }
    thread_t *t = struct_take();
    if (t == NULL)
        return NULL;
    arena_t *a = arena_join();
    if (a == NULL) {
        struct_give(t);
        return NULL;
    }
    cm_lock_take_or_inherit(&t->lock);
    empty(t);
    t->arena = a;
    cm_lock_drop(&t->lock);
    thread_self = t;
    return t;
}

thread_t *thread_attach(void)
{
    if (thread_gone || !thread_enter())
        return thread_self;
    thread_t *t = attach();
    thread_leave();
    if (t != NULL)
        ask_for_exit(t);
    return thread_self;
}

/* Entered, as any visit to the core: a signal handler that allocates must not wait for
 * it. */
static void thread_exit(void *arg)
{
    thread_t *t = arg;
    bool entered = thread_enter();
    cache_flush(t);
    thread_gone = true;
    thread_self = (thread_t *)(uintptr_t)&thread_none;
    arena_leave(t->arena);
    cm_lock_take_or_inherit(&t->lock);
    t->arena = NULL;
    cm_lock_drop(&t->lock);
    struct_give(t);
    if (entered)
        thread_leave();
}

CM_START void thread_init(void)
{
    if (!os_fork_is_seen())
        pthread_atfork(NULL, NULL, os_forked);
    if (pthread_key_create(&pool.key, thread_exit) != 0)
        return; /* no key left: threads keep their structs */
    atomic_store_explicit(&pool.key_made, true, memory_order_release);
    if (thread_self->arena != NULL)
        ask_for_exit(thread_self);
}

CM_FAR static arena_t *lock_any(void)
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
    /* What the cache holds belongs to the orphan and stays with it. */
    cm_lock_take_or_inherit(&t->lock);
    empty(t);
    t->arena = a;
    cm_lock_drop(&t->lock);
    return a;
}
