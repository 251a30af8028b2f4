/* core/purge.c - see purge.h. */
#include "core/purge.h"

#include "base/options.h"
#include "core/top.h"
#include "os/os.h"

/* --- top --- */

/* Top keeps pad bytes and a chunk; whole pages beyond go, and the addresses with them. */
size_t purge_trim_locked(arena_t *a, size_t pad)
{
    if (a->top == NULL)
        return 0;
    heap_info *h = a->newest;
    uintptr_t keep = os_pages((uintptr_t)a->top + CHUNK_MIN + pad);
    size_t before = h->committed;
    size_t bytes = heap_shrink(h, (char *)keep); /* NOLINT(performance-no-int-to-ptr) */
    if (h->committed != before) {
        a->system -= before - h->committed;
        size_t flags = chunk_word(a->top) & CHUNK_FLAGS;
        chunk_set_word(a->top, (size_t)(heap_end(h) - (char *)a->top) | flags);
    }
    return bytes;
}

/* Unless the user has fixed it, a top that is a small part of the heap stays: a
 * program that frees and allocates at its end would fault the same pages in again and
 * again. */
static size_t trim_threshold(const arena_t *a)
{
    size_t threshold =
        atomic_load_explicit(&cm_options.trim_threshold, memory_order_relaxed);
    if (atomic_load_explicit(&cm_options.thresholds_fixed, memory_order_relaxed))
        return threshold;
    size_t share =
        a->system / TRIM_SHARE < TRIM_LEAST ? TRIM_LEAST : a->system / TRIM_SHARE;
    return share > threshold ? share : threshold;
}

CM_NEAR void purge_top_locked(arena_t *a)
{
    bool fixed = atomic_load_explicit(&cm_options.thresholds_fixed, memory_order_relaxed);
    if ((fixed || !purge_ages()) && chunk_size(a->top) > trim_threshold(a))
        purge_trim_locked(
            a, atomic_load_explicit(&cm_options.top_pad, memory_order_relaxed));
}

/* A newest heap that is all top goes when there is an older one to take its place. */
static heap_info *drop_newest(arena_t *a, purge_what_t what)
{
    heap_info *h = a->newest;
    bool unused = a->top != NULL && (uintptr_t)a->top == h->first &&
                  (what != PURGE_AGED ||
                   (a->top_mark <= h->first && a->top_mark_before <= h->first));
    return unused && !heap_is_break(h) && h->older != NULL && top_reopen(a) ? h : NULL;
}

/* Where top's memory may go from: what it has reached of late stays. */
static char *top_keep(const arena_t *a, purge_what_t what, size_t pad)
{
    uintptr_t keep = (uintptr_t)a->top + CHUNK_MIN + pad;
    if (what == PURGE_AGED) {
        keep = a->top_mark > keep ? a->top_mark : keep;
        keep = a->top_mark_before > keep ? a->top_mark_before : keep;
    }
    return (char *)os_pages(keep); /* NOLINT(performance-no-int-to-ptr) */
}

/* Top's addresses go too. */
static bool is_cut(const arena_t *a, purge_what_t what)
{
    if (heap_is_break(a->newest))
        return what == PURGE_TRIM;
    return what != PURGE_AGED || top_size(a) > trim_threshold(a);
}

static size_t purge_top_piece(arena_t *a, purge_what_t what, size_t pad, heap_info **gone)
{
    *gone = NULL;
    if (!arena_lock(a))
        return 0;
    size_t bytes = 0;
    *gone = drop_newest(a, what);
    if (a->top != NULL) {
        heap_use_small_pages(a->newest);
        bytes = heap_purge_end(a->newest, top_keep(a, what, pad), PURGE_PIECE);
        if (bytes == 0 && is_cut(a, what))
            bytes =
                purge_trim_locked(a, (size_t)(top_keep(a, what, pad) - (char *)a->top));
    }
    arena_unlock(a);
    return bytes;
}

size_t purge_top(arena_t *a, purge_what_t what, size_t pad)
{
    size_t bytes = 0, piece;
    heap_info *gone;
    do {
        piece = purge_top_piece(a, what, pad, &gone);
        if (gone != NULL) {
            piece += gone->committed;
            heap_delete(gone);
        }
        bytes += piece;
    } while (piece > 0);
    return bytes;
}

/* --- free chunks --- */

typedef struct taken {
    mchunkptr chunk[PURGE_AT_ONCE];
    zone_t clean[PURGE_AT_ONCE]; /* before; then after */
    unsigned count;
    heap_info *empty; /* heaps without a chunk in use, linked by older */
} taken_t;

static void take_away(arena_t *a, mchunkptr c, taken_t *t)
{
    (void)bin_size(
        c); /* the list has led here, and no neighbour: is it a chunk at all? */
    pages_t pages = arena_unfile_locked(a, c);
    heap_info *h = arena_empty_heap(a, c);
    if (h != NULL) {
        top_forget_heap(a, h);
        h->older = t->empty;
        t->empty = h;
        return;
    }
    chunk_set_prev_inuse(chunk_next(c));
    link_set(chunk_mem(c), a->away);
    a->away = chunk_mem(c);
    t->chunk[t->count] = c;
    t->clean[t->count++] = pages.clean;
}

/* False: another thread is just about it. A child of fork takes over what its parent had
 * taken out. */
static bool begin(arena_t *a)
{
    if (a->away_by == cm_generation())
        return false;
    void *left = a->away;
    a->away = NULL;
    a->away_by = cm_generation();
    arena_give_list_locked(a, left);
    return true;
}

static bool take_some(arena_t *a, purge_what_t what, taken_t *t)
{
    mchunkptr c;
    t->count = 0;
    t->empty = NULL;
    if (!arena_lock(a))
        return false;
    uint32_t ticks = what == PURGE_AGED ? PURGE_TICKS : 0;
    bool due = a->away != NULL || dirty_expired(&a->dirty, ticks) != NULL;
    bool begun = due && begin(a);
    while (begun && t->count < PURGE_AT_ONCE &&
           (c = dirty_expired(&a->dirty, ticks)) != NULL)
        take_away(a, c, t);
    if (t->count > 0)
        heap_use_small_pages(a->newest);
    arena_unlock(a);
    return begun;
}

static size_t purge_range(zone_t s)
{
    return zone_size(s) > 0 &&
                   os_purge((void *)s.from,
                            zone_size(s)) /* NOLINT(performance-no-int-to-ptr) */
               ? zone_size(s)
               : 0;
}

/* The dirty pages before and behind the clean ones. What the kernel refuses stays
 * dirty. */
static size_t purge_chunk(const chunk_t *c, zone_t *clean)
{
    zone_t whole = dirty_pages(c);
    if (zone_size(*clean) == 0)
        clean->from = clean->to = whole.to;
    size_t before = purge_range((zone_t){whole.from, clean->from});
    size_t behind = purge_range((zone_t){clean->to, whole.to});
    clean->from -= before;
    clean->to += behind;
    return before + behind;
}

static void give_back(arena_t *a, const taken_t *t)
{
    if (!arena_lock(a))
        return;
    a->away = NULL;
    a->away_by = 0;
    for (unsigned i = 0; i < t->count; i++)
        arena_give_pages_locked(a, t->chunk[i], (pages_t){t->clean[i], a->dirty.now});
    arena_unlock(a);
}

static size_t delete_heaps(heap_info *h)
{
    size_t bytes = 0;
    while (h != NULL) {
        heap_info *next = h->older;
        bytes += h->committed;
        heap_delete(h);
        h = next;
    }
    return bytes;
}

static size_t purge_some(arena_t *a, purge_what_t what)
{
    taken_t t;
    if (!take_some(a, what, &t))
        return 0;
    size_t bytes = delete_heaps(t.empty);
    for (unsigned i = 0; i < t.count; i++)
        bytes += purge_chunk(t.chunk[i], &t.clean[i]);
    give_back(a, &t);
    return bytes;
}

/* Whoever wants all of it, since memory is short, wants what another thread has out
 * too. */
static void wait_for_others(arena_t *a)
{
    static _Atomic uint32_t nobody_wakes_us;
    bool busy = true;
    for (unsigned i = 0; i < PURGE_PATIENCE && busy && arena_lock(a); i++) {
        busy = a->away_by == cm_generation();
        arena_unlock(a);
        if (busy)
            os_doze(&nobody_wakes_us, 0, 1);
    }
}

size_t purge_free(arena_t *a, purge_what_t what)
{
    size_t bytes = 0, some;
    if (what != PURGE_AGED)
        wait_for_others(a);
    while ((some = purge_some(a, what)) > 0)
        bytes += some;
    return bytes;
}

/* --- ageing --- */

size_t purge_waiting_locked(const arena_t *a)
{
    size_t top =
        a->top == NULL ? 0 : heap_dirty_end(a->newest, (char *)a->top + CHUNK_MIN);
    return a->dirty.bytes + a->depot.bytes + top;
}

void purge_tick_locked(arena_t *a)
{
    a->dirty.now++;
    arena_drain_locked(a);
    depot_tick(&a->depot);
    if (a->dirty.now % (PURGE_TICKS / 2) == 0) {
        a->top_mark_before = a->top_mark;
        a->top_mark = (uintptr_t)a->top;
    }
}

static bool merge_some_locked(arena_t *a, unsigned k)
{
    for (unsigned n = 0; n < PURGE_MAGAZINES; n++) {
        magazine_t m = depot_take_idle(&a->depot, k);
        if (m.count == 0)
            return false;
        arena_give_aged_locked(a, m.first);
    }
    return true;
}

void purge_depot(arena_t *a)
{
    for (unsigned k = 0; k < CLASS_COUNT; k++) {
        bool more = true;
        while (more && arena_lock(a)) {
            more = merge_some_locked(a, k);
            arena_unlock(a);
        }
    }
}
