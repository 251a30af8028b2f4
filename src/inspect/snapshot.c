/*
 * inspect/snapshot.c - see snapshot.h.
 *
 * Everything below "in the copy" runs in the child: one thread, no lock, no libc but
 * memcpy, and memory that nobody else sees. It may die of whatever it meets; the program
 * then learns that there was no scan.
 */
#include "inspect/snapshot.h"

#include "inspect/scene.h"
#include "inspect/walk.h"
#include "os/stop.h"

#define LEAKS_MOST ((size_t)1 << (CM_TINY ? 14 : 20))
#define CONFIRM_MS 500 /* a pointer does not stay in a register for that long */

typedef struct snapshot {
    const snapshot_wish_t *wish;
    const leak_list_t *before;
    leak_list_t *list;
    os_stopped_t self;
    const os_stopped_t *stopped;
    size_t stopped_count;
    int process;
    bool locked[ARENA_MAX];
    reader_t reader;
    scene_t scene;
    os_pagemap_t pages;
} snapshot_t;

/* --- in the copy --- */

static void go_on(const char *what, uintptr_t where, void *arg)
{
    (void)what, (void)where, (void)arg; /* what is damaged is a CMALLOC_DAMAGED item */
}

/* What we have not locked belongs to a process before a fork. Its memory is a root. */
static void walk_arenas(snapshot_t *s)
{
    walk_t w = {&s->reader, link_secret.key, scene_item, go_on, &s->scene, WALK_OWN_SEAL};
    for (unsigned i = 0; i < arena_count(); i++) {
        uintptr_t arena = (uintptr_t)arena_at(i);
        if (s->locked[i])
            (void)(walk_arena(&w, arena) != 0 || walk_larges(&w, arena) != 0);
        else
            s->list->arenas_left++;
    }
}

static void walk_kept_ones(snapshot_t *s)
{
    for (unsigned i = 0; i < LARGE_KEPT; i++) {
        const large_info *info =
            atomic_load_explicit(&large_kept[i], memory_order_acquire);
        if (info != NULL)
            roots_exclude(&s->scene.roots, (uintptr_t)info,
                          (uintptr_t)info + info->mapped);
    }
}

/* Our memory may have holes: pages behind a file's end, memory of a device. */
static size_t read_own(scene_t *scene, uintptr_t at, void *to, size_t n)
{
    (void)scene;
    return os_read_memory(0, at, to, n);
}

static uintptr_t next_own(scene_t *scene, uintptr_t at, uintptr_t high)
{
    snapshot_t *s = (snapshot_t *)(void *)((char *)scene - offsetof(snapshot_t, scene));
    return os_pagemap_next(&s->pages, at, high);
}

static void scan_kernel_word(uintptr_t word, void *arg) { scene_word(arg, word, 0); }

static void enter_stack(snapshot_t *s, const os_stopped_t *thread)
{
    roots_stack(&s->scene.roots, thread->sp, thread->local);
}

static void mark_all(snapshot_t *s)
{
    scene_word(&s->scene, s->self.alternate, 0);
    for (size_t i = 0; i < s->stopped_count; i++)
        scene_word(&s->scene, s->stopped[i].alternate, 0);
    os_kernel_words(0, s->process, scan_kernel_word, &s->scene);
    scene_mark(&s->scene);
}

static bool work(void *arg)
{
    snapshot_t *s = arg;
    const scene_wish_t wish = {.unaligned = s->wish->unaligned, .mask = s->wish->mask};
    reader_self(&s->reader);
    /* The program's limits are not for the copy. */
    cm_option_store(&cm_options.limit_hard, 0);
    scene_init(&s->scene, &s->reader, &wish);
    if (!os_mappings(0, roots_mapping, &s->scene.roots))
        return false;
    os_pagemap_open(&s->pages);
    s->scene.read = read_own;
    s->scene.next = next_own;
    walk_arenas(s);
    walk_kept_ones(s);
    scene_own(&s->scene, &cmalloc_root);
    /* s lies on a stack, and knows where the first chunk of all begins. */
    roots_exclude(&s->scene.roots, (uintptr_t)s, (uintptr_t)(s + 1));
    enter_stack(s, &s->self);
    for (size_t i = 0; i < s->stopped_count; i++)
        enter_stack(s, &s->stopped[i]);
    if (!scene_seal(&s->scene))
        return false;
    mark_all(s);
    return leak_find(&s->scene.reach, s->before, s->list);
}

/* --- in the program --- */

static void lock_arenas(snapshot_t *s)
{
    for (unsigned i = 0; i < arena_count(); i++)
        s->locked[i] = arena_lock(arena_at(i));
}

static void release(void *arg)
{
    snapshot_t *s = arg;
    if (s->wish->precise)
        os_start();
    for (unsigned i = 0; i < ARENA_MAX; i++)
        if (s->locked[i])
            arena_unlock(arena_at(i));
    thread_leave();
}

/*
 * The one place where a thread holds more than one arena's lock. Nobody who holds one
 * waits for another, so this cannot deadlock; and nobody who is stopped holds one. A
 * child that another thread forks just now inherits them as orphans.
 */
static CM_NOINLINE bool take(snapshot_t *s)
{
    s->self = os_own_stack();
    if (!thread_enter())
        return false;
    lock_arenas(s);
    if (s->wish->precise)
        s->stopped_count = os_stop(&s->stopped, &s->list->missed);
    return os_in_copy(work, release, s) &&
           atomic_load_explicit(&s->list->whole, memory_order_acquire);
}

/* Registers that the callers want back go to the stack, above take's frame. */
static CM_NOINLINE leak_list_t *scan_once(const snapshot_wish_t *wish,
                                          const leak_list_t *before)
{
    __builtin_unwind_init();
    snapshot_t s = {.wish = wish,
                    .before = before,
                    .list = leak_list_new(LEAKS_MOST),
                    .process = os_process()};
    if (s.list != NULL && !take(&s)) {
        leak_list_free(s.list);
        s.list = NULL;
    }
    return s.list;
}

/* A precise scan that stopped every thread has seen every register. */
static bool is_final(const snapshot_wish_t *wish, const leak_list_t *list)
{
    return list == NULL || wish->once || list->count == 0 ||
           (wish->precise && !wish->twice && list->missed == 0);
}

snapshot_wish_t snapshot_wish(void)
{
    size_t bits = atomic_load_explicit(&cm_options.leak_bits, memory_order_relaxed);
    bool all = bits == 0 || bits >= SIZE_SZ * 8; /* the option knows no machine */
    return (snapshot_wish_t){.unaligned = atomic_load_explicit(&cm_options.leak_unaligned,
                                                               memory_order_relaxed) != 0,
                             .mask = all ? UINTPTR_MAX : ((uintptr_t)1 << bits) - 1};
}

leak_list_t *snapshot_leaks(const snapshot_wish_t *wish)
{
    cm_lock_take_or_inherit(&extra_roots.lock);
    leak_list_t *list = scan_once(wish, NULL);
    if (!is_final(wish, list)) {
        os_sleep(CONFIRM_MS);
        leak_list_t *second = scan_once(wish, list);
        leak_list_free(list);
        list = second;
    }
    cm_lock_drop(&extra_roots.lock);
    return list;
}

bool snapshot_add_root(const void *low, size_t size)
{
    cm_lock_take_or_inherit(&extra_roots.lock);
    bool fits = extra_roots.count < EXTRA_MOST;
    if (fits) {
        extra_roots.ranges[extra_roots.count] =
            (range_t){~(uintptr_t)low, ~((uintptr_t)low + size)};
        extra_roots.count++;
    }
    cm_lock_drop(&extra_roots.lock);
    return fits;
}

bool snapshot_ignore(const void *mem) { return snapshot_add_root(mem, 0); }

bool snapshot_remove_root(const void *low)
{
    bool found = false;
    cm_lock_take_or_inherit(&extra_roots.lock);
    for (size_t i = 0; i < extra_roots.count && !found; i++) {
        found = ~extra_roots.ranges[i].low == (uintptr_t)low;
        if (found)
            extra_roots.ranges[i] = extra_roots.ranges[--extra_roots.count];
    }
    cm_lock_drop(&extra_roots.lock);
    return found;
}
