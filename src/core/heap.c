/* core/heap.c - getting, growing and giving back heaps. See heap.h for the invariants. */
#include "core/heap.h"

#include "base/options.h"
#include "os/os.h"

/* What to commit when at least need bytes are missing: grow with the heap, so that the
 * calls stay few. */
static size_t step(size_t need, size_t committed)
{
    size_t grow = committed / 4;
    if (grow < HEAP_STEP_MIN)
        grow = HEAP_STEP_MIN;
    if (grow > HEAP_STEP_MAX)
        grow = HEAP_STEP_MAX;
    return os_pages(need > grow ? need : grow);
}

static void heap_init(heap_info *h, size_t committed, size_t reserved)
{
    h->magic = HEAP_MAGIC;
    h->arena = NULL;
    h->older = h->newer = NULL;
    h->committed = committed;
    h->reserved = reserved;
    heap_set_first(h, h + 1);
    h->ready = os_pages((uintptr_t)(h + 1));
    h->small = (uintptr_t)h;
}

/* What to commit from p on, to get at least size bytes and end where a huge page does. */
static size_t to_grain(const char *p, size_t size)
{
    uintptr_t grain = os_grain();
    return (((uintptr_t)p + size + grain - 1) & ~(grain - 1)) - (uintptr_t)p;
}

/* No heap could be had lately. At the limit every malloc would come here and make dozens
 * of system calls, though another arena can still serve it: so only now and then, and
 * when nobody can (heap_retry), is the kernel asked again. */
static _Atomic unsigned scarce; /* 0: not; else 1 + the calls since */

void heap_retry(void) { atomic_store_explicit(&scarce, 0, memory_order_relaxed); }

static bool is_scarce(void)
{
    return atomic_load_explicit(&scarce, memory_order_relaxed) != 0 &&
           atomic_fetch_add_explicit(&scarce, 1, memory_order_relaxed) % SCARCE_RETRY !=
               0;
}

/* Reserve as much as there is: a limit on address space (RLIMIT_AS) may allow a small
 * heap only. */
static heap_info *reserve(size_t need, size_t *reserved)
{
    heap_info *h = NULL;
    for (size_t size = HEAP_MAX_SIZE; h == NULL && size >= need + os_guard(); size /= 2) {
        h = os_reserve(size, HEAP_MAX_SIZE);
        *reserved = size;
    }
    return h;
}

/* Reserve, commit and register. NULL: not possible. */
static heap_info *obtain(size_t need)
{
    size_t reserved, commit = step(need, 0);
    heap_info *h = reserve(need, &reserved);
    if (h == NULL)
        return NULL;
    os_choose_pages(h, reserved);
    commit = to_grain((const char *)h, commit);
    if (commit > reserved - os_guard())
        commit = reserved - os_guard();
    if (!os_commit(h, commit) && !os_commit(h, commit = need))
        commit = 0;
    if (commit == 0 || !registry_add(h)) {
        os_release(h, reserved, commit);
        return NULL;
    }
    heap_init(h, commit, reserved);
    return h;
}

heap_info *heap_new(size_t room)
{
    size_t need = os_pages(room + sizeof(heap_info) + CHUNK_MIN);
    if (need + os_guard() > HEAP_MAX_SIZE || !os_may_grow(need) || is_scarce())
        return NULL;
    heap_info *h = obtain(need < HEAP_STEP_MIN ? HEAP_STEP_MIN : need);
    atomic_store_explicit(&scarce, h == NULL, memory_order_relaxed);
    return h;
}

heap_info *heap_new_at_break(size_t room)
{
    size_t size = os_pages(room + sizeof(heap_info) + CHUNK_MIN);
    char *at = os_may_grow(size) ? os_break() : NULL;
    if (at == NULL)
        return NULL;
    size_t before = -(uintptr_t)at & (os_page - 1);
    size_t commit = to_grain(at + before, step(size, 0));
    char *got = os_break_move((ptrdiff_t)(before + commit));
    if (got == NULL)
        got = os_break_move((ptrdiff_t)(before + (commit = size)));
    if (got == NULL)
        return NULL;
    if (got != at) { /* somebody moved the break just now; not every time */
        os_break_move(-(ptrdiff_t)(before + commit));
        return NULL;
    }
    os_choose_pages(at + before, commit);
    heap_info *h = (heap_info *)(void *)(at + before);
    heap_init(h, commit, 0);
    registry_add_main(h, heap_end(h));
    return h;
}

/* The kernel does with wrong pages whatever it is told to. */
static void require_sound(const heap_info *h)
{
    if (cm_unlikely(!heap_is_sound(h)))
        cm_panic(PANIC_HEAP, h);
}

static bool grow_break(heap_info *h, size_t more)
{
    if (os_break() != heap_end(h))
        return false;
    char *got = os_break_move((ptrdiff_t)more);
    if (got == heap_end(h)) {
        os_choose_pages(got, more);
        h->committed += more;
        registry_add_main(h, heap_end(h));
        return true;
    }
    if (got != NULL)
        os_break_move(-(ptrdiff_t)more);
    return false;
}

static bool grow_reserved(heap_info *h, size_t more)
{
    if (more + os_guard() > h->reserved - h->committed || !os_commit(heap_end(h), more))
        return false;
    h->committed += more;
    return true;
}

bool heap_grow(heap_info *h, size_t more)
{
    require_sound(h);
    size_t need = os_pages(more), wish = step(more, h->committed);
    if (!os_may_grow(wish)) {
        if (!os_may_grow(need))
            return false;
        wish = need;
    }
    if (heap_is_break(h)) {
        wish = to_grain(heap_end(h), wish + cm_options.top_pad);
        return grow_break(h, wish) || grow_break(h, need);
    }
    wish = to_grain(heap_end(h), wish);
    if (wish > h->reserved - h->committed)
        wish = need;
    return grow_reserved(h, wish) || (wish > need && grow_reserved(h, need));
}

void heap_make_ready(heap_info *h, uintptr_t end, size_t size)
{
    uintptr_t from = h->ready, most = (uintptr_t)heap_end(h);
    if (end <= from)
        return;
    require_sound(h);
    if (cm_unlikely(from < (uintptr_t)h))
        cm_panic(PANIC_HEAP, h);
    if (size > READY_MOST) {
        h->ready = os_pages(end);
        return;
    }
    size_t ahead = (from - (uintptr_t)h) / READY_SHARE;
    uintptr_t to = os_pages(end + (ahead < READY_MOST ? ahead : READY_MOST));
    h->ready = to < most ? to : most;
    if (h->ready - from > os_page)
        os_populate((void *)from,
                    h->ready - from); /* NOLINT(performance-no-int-to-ptr) */
}

CM_FAR void heap_use_small_pages(heap_info *h)
{
    for (; h != NULL; h = h->older) {
        require_sound(h);
        if (cm_unlikely(h->small < (uintptr_t)h))
            cm_panic(PANIC_HEAP, h);
        uintptr_t end = (uintptr_t)h + (heap_is_break(h) ? h->committed : h->reserved);
        if (h->small < end) {
            os_forbid_huge((void *)h->small, end - h->small);
            h->small = end;
        }
    }
}

CM_FAR size_t heap_shrink(heap_info *h, char *keep)
{
    char *end = heap_end(h);
    keep += to_grain(keep, 0);
    size_t size = (size_t)(end - keep);
    if (keep >= end)
        return 0;
    require_sound(h);
    if (heap_is_break(h)) {
        if (os_break() != end || os_break_move(-(ptrdiff_t)size) == NULL)
            return heap_purge_end(h, keep, size);
        registry_cut_main(end, keep);
    } else if (!os_decommit(keep, size)) {
        return heap_purge_end(h, keep, size);
    }
    h->committed -= size;
    if (!heap_is_break(h))
        os_choose_pages(keep, size); /* fresh address space has forgotten */
    if (h->small > (uintptr_t)keep)
        h->small = (uintptr_t)keep;
    if (h->fresh > (uintptr_t)keep)
        h->fresh = (uintptr_t)keep;
    if (h->ready > (uintptr_t)keep)
        h->ready = (uintptr_t)keep;
    return size;
}

CM_FAR void heap_delete(heap_info *h)
{
    size_t reserved = h->reserved, committed = h->committed;
    cm_assert(!heap_is_break(h));
    require_sound(h);
    registry_remove(h);
    os_release(h, reserved, committed);
    heap_retry();
}

/* Behind the end of what was written or made ready no page is in memory. */
static uintptr_t touched_end(const heap_info *h)
{
    uintptr_t end = os_pages(h->fresh > h->ready ? h->fresh : h->ready);
    return end < (uintptr_t)heap_end(h) ? end : (uintptr_t)heap_end(h);
}

size_t heap_dirty_end(const heap_info *h, const char *keep)
{
    uintptr_t from = os_pages((uintptr_t)keep), to = touched_end(h);
    return from < to ? to - from : 0;
}

CM_FAR size_t heap_purge_end(heap_info *h, const char *keep, size_t most)
{
    size_t whole = most > os_page ? most & ~(os_page - 1) : os_page;
    size_t dirty = heap_dirty_end(h, keep), bytes = dirty < whole ? dirty : whole;
    uintptr_t from = touched_end(h) - bytes;
    if (bytes == 0 ||
        !os_purge((void *)from, bytes)) /* NOLINT(performance-no-int-to-ptr) */
        return 0;
    h->ready = from;
    if (h->fresh > from)
        h->fresh = from;
    return bytes;
}
