/*
 * inspect/snapshot.c - see snapshot.h.
 *
 * Everything below "in the copy" runs in the child: one thread, no lock, no libc but
 * memcpy, and memory that nobody else sees. It may die of whatever it meets; the program
 * then learns that there was no scan.
 */
#include "inspect/snapshot.h"

#include "core/large.h"
#include "front/thread.h"
#include "inspect/roots.h"
#include "os/stop.h"

#define ROOT_BUFFER (256 * KIB)
#define LEAKS_MOST ((size_t)1 << (CM_TINY ? 14 : 20))
#define CONFIRM_MS 500 /* a pointer does not stay in a register for that long */
#define EXTRA_MOST 1024

/* What the program has told us; under `lock`, and right at every instruction. Stored as
 * complements: not to be a root by itself. */
static struct {
    cm_lock lock; /* of whoever scans, too: one at a time */
    size_t count;
    range_t ranges[EXTRA_MOST]; /* low == high: the chunk there is ignored */
} extra;

typedef struct snapshot {
    const snapshot_wish_t *wish;
    const leak_list_t *before;
    leak_list_t *list;
    os_stopped_t self;
    const os_stopped_t *stopped;
    size_t stopped_count;
    int process;
    bool locked[ARENA_MAX];
    reach_t reach;
    roots_t roots;
    char *buffer;
} snapshot_t;

/* --- in the copy: the heaps --- */

/* Chunks end to end, as far as their sizes make sense: what lies behind damage is part of
 * the last one. */
static void enter_chunks(reach_t *r, const arena_t *a, const heap_info *h)
{
    const chunk_t *c = chunk_at(h, h->first - (uintptr_t)h);
    while (c != a->top) {
        size_t size = chunk_size(c), room = (size_t)(heap_end(h) - (const char *)c);
        if (size < CHUNK_MIN || size % CHUNK_ALIGN != 0 || size >= room)
            return;
        bool owned = !chunk_is_free(c) && !link_marked(chunk_mem(c));
        reach_chunk(r, (uintptr_t)chunk_mem(c), owned);
        c = chunk_next(c);
    }
    if ((uintptr_t)chunk_mem(c) < (uintptr_t)heap_end(h))
        reach_chunk(r, (uintptr_t)chunk_mem(c), false);
}

static bool enter_heap(snapshot_t *s, const arena_t *a, const heap_info *h)
{
    uintptr_t start = (uintptr_t)h, low = h->first + CHUNK_HEADER;
    size_t reserved = heap_is_break(h) ? h->committed : h->reserved;
    roots_exclude(&s->roots, start, start + reserved);
    if (low >= start + h->committed)
        return true;
    if (!reach_heap(&s->reach, low, start + h->committed,
                    (const char *)h + (low - start)))
        return false;
    enter_chunks(&s->reach, a, h);
    return true;
}

static bool enter_large(snapshot_t *s, const large_info *info)
{
    const chunk_t *c = large_chunk(info);
    uintptr_t start = (uintptr_t)info, mem = (uintptr_t)chunk_mem(c);
    roots_exclude(&s->roots, start, start + info->mapped);
    return reach_large(&s->reach, mem, start + info->mapped, chunk_mem(c));
}

/* What is not locked by us belongs to a process before a fork. Its memory stays a root. */
static bool enter_arena(snapshot_t *s, const arena_t *a)
{
    if (!s->locked[a->index]) {
        s->list->arenas_left++;
        return true;
    }
    bool fits = true;
    for (const heap_info *h = a->newest; h != NULL && fits; h = h->older)
        fits = enter_heap(s, a, h);
    for (const large_info *l = a->larges; l != NULL && fits; l = l->older)
        fits = enter_large(s, l);
    return fits;
}

static void exclude(snapshot_t *s, const void *low, size_t size)
{
    roots_exclude(&s->roots, (uintptr_t)low, (uintptr_t)low + size);
}

static void exclude_our_own(snapshot_t *s)
{
    for (unsigned i = 0; i < LARGE_KEPT; i++) {
        const large_info *info =
            atomic_load_explicit(&large_kept[i], memory_order_acquire);
        if (info != NULL)
            exclude(s, info, info->mapped);
    }
    for (const thread_t *t = thread_first(); t != NULL; t = thread_after(t))
        exclude(s, t, sizeof *t);
    exclude(s, &main_arena, sizeof main_arena);
    exclude(s, &registry, sizeof registry);
    exclude(s, &extra, sizeof extra);
}

static bool enter_heaps(snapshot_t *s)
{
    bool fits =
        reach_init(&s->reach, s->wish->unaligned ? 1 : SIZE_SZ, s->wish->mask, false);
    for (unsigned i = 0; i < arena_count() && fits; i++)
        fits = enter_arena(s, arena_at(i));
    exclude_our_own(s);
    return fits && reach_seal(&s->reach);
}

/* --- in the copy: the roots --- */

/* A word may stand across the end of the buffer. */
static void scan_root(uintptr_t low, uintptr_t high, void *arg)
{
    snapshot_t *s = arg;
    for (uintptr_t at = low; at < high;) {
        size_t n = high - at < ROOT_BUFFER ? high - at : ROOT_BUFFER;
        size_t got = os_read_memory(0, at, s->buffer, n);
        reach_scan(&s->reach, s->buffer, got, at);
        if (got == 0)
            at = (at & ~(uintptr_t)(os_page - 1)) + os_page;
        else if (at + got >= high)
            return;
        else
            at += got == n ? got - SIZE_SZ : got;
    }
}

static void scan_kernel_word(uintptr_t word, void *arg)
{
    snapshot_t *s = arg;
    reach_word(&s->reach, word, 0);
}

static void scan_extra(snapshot_t *s)
{
    for (size_t i = 0; i < extra.count; i++) {
        uintptr_t low = ~extra.ranges[i].low, high = ~extra.ranges[i].high;
        if (low == high)
            reach_word(&s->reach, low, 0);
        else
            scan_root(low, high, s);
    }
}

static void enter_stack(snapshot_t *s, const os_stopped_t *thread)
{
    roots_stack(&s->roots, thread->sp, thread->local);
    reach_word(&s->reach, thread->alternate, 0);
}

static bool scan_roots(snapshot_t *s)
{
    enter_stack(s, &s->self);
    for (size_t i = 0; i < s->stopped_count; i++)
        enter_stack(s, &s->stopped[i]);
    s->buffer = os_map(ROOT_BUFFER);
    if (s->buffer == NULL || !roots_seal(&s->roots))
        return false;
    roots_each(&s->roots, scan_root, s);
    scan_extra(s);
    os_kernel_words(0, s->process, scan_kernel_word, s);
    return true;
}

static bool work(void *arg)
{
    snapshot_t *s = arg;
    return os_mappings(0, roots_mapping, &s->roots) && enter_heaps(s) && scan_roots(s) &&
           leak_find(&s->reach, s->before, s->list);
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

leak_list_t *snapshot_leaks(const snapshot_wish_t *wish)
{
    cm_lock_take_or_inherit(&extra.lock);
    leak_list_t *list = scan_once(wish, NULL);
    if (!is_final(wish, list)) {
        os_sleep(CONFIRM_MS);
        leak_list_t *second = scan_once(wish, list);
        leak_list_free(list);
        list = second;
    }
    cm_lock_drop(&extra.lock);
    return list;
}

bool snapshot_add_root(const void *low, size_t size)
{
    cm_lock_take_or_inherit(&extra.lock);
    bool fits = extra.count < EXTRA_MOST;
    if (fits) {
        extra.ranges[extra.count] = (range_t){~(uintptr_t)low, ~((uintptr_t)low + size)};
        extra.count++;
    }
    cm_lock_drop(&extra.lock);
    return fits;
}

bool snapshot_ignore(const void *mem) { return snapshot_add_root(mem, 0); }

bool snapshot_remove_root(const void *low)
{
    bool found = false;
    cm_lock_take_or_inherit(&extra.lock);
    for (size_t i = 0; i < extra.count && !found; i++) {
        found = ~extra.ranges[i].low == (uintptr_t)low;
        if (found)
            extra.ranges[i] = extra.ranges[--extra.count];
    }
    cm_lock_drop(&extra.lock);
    return found;
}
