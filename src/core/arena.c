/* core/arena.c - taking, freeing, splitting and merging chunks. See arena.h for the
 * invariants. */
#include "core/arena.h"

#include "base/options.h"
#include "core/large.h"
#include "core/purge.h"
#include "core/top.h"
#include "os/os.h"

arena_t main_arena;

/* --- taking --- */

/* c, in use and have bytes large, keeps size of them; the rest, if it is a chunk, is free
 * and binned, with what is known of the pages. */
static void split(arena_t *a, mchunkptr c, size_t have, size_t size, pages_t pages)
{
    a->zero = pages.clean;
    size_t flags = chunk_word(c) & CHUNK_FLAGS;
    if (have - size < CHUNK_MIN) {
        chunk_set_word(c, have | flags);
        chunk_set_prev_inuse(chunk_at(c, have));
        return;
    }
    mchunkptr rest = chunk_at(c, size);
    chunk_set_word(c, size | flags);
    chunk_set_free(rest, have - size, (flags & CHUNK_A) | CHUNK_P);
    arena_file_locked(a, rest, pages);
    a->zero = zone_cut(a->zero, (zone_t){0, (uintptr_t)rest});
}

/* A free chunk that holds size bytes at a multiple of align leaves its bin. */
static mchunkptr take_free(arena_t *a, size_t size, size_t align, pages_t *pages)
{
    mchunkptr c = bin_take(&a->bins, size, align);
    if (c == NULL && align > CHUNK_ALIGN) /* one that has room for any lead */
        c = bin_take(&a->bins, size + align + CHUNK_MIN, CHUNK_ALIGN);
    if (c != NULL)
        *pages = dirty_leave(&a->dirty, c);
    return c;
}

/* c, in use, without its first lead bytes, which are given back. */
static mchunkptr cut_lead(arena_t *a, mchunkptr c, size_t lead)
{
    if (lead == 0)
        return c;
    size_t word = chunk_word(c);
    mchunkptr aligned = chunk_at(c, lead);
    chunk_set_word(aligned, ((word & ~CHUNK_FLAGS) - lead) | (word & CHUNK_A) | CHUNK_P);
    chunk_set_word(c, lead | (word & CHUNK_FLAGS));
    arena_give_locked(a, c);
    return aligned;
}

static mchunkptr take_top(arena_t *a, size_t size, size_t align)
{
    if (align <= CHUNK_ALIGN)
        return top_take(a, size);
    mchunkptr c = top_take(a, size + align + CHUNK_MIN);
    if (c != NULL) {
        c = cut_lead(a, c, chunk_lead(c, align));
        arena_cut_locked(a, c, size);
    }
    return c;
}

/* A chunk that holds count times size bytes, or less. A smaller hole goes before a larger
 * one, which may be wanted whole; but not, at first, for less than a quarter of them: the
 * next visit would follow too soon. Where sizes drift holes are what there is plenty of,
 * and any is taken. */
static mchunkptr take_piece(arena_t *a, size_t size, size_t align, unsigned count)
{
    pages_t pages;
    unsigned least = depot_drifts(&a->depot) ? 1 : (count + 3) / 4;
    mchunkptr c = take_free(a, size * least, align, &pages);
    if (c == NULL && least > 1)
        c = take_free(a, size, align, &pages);
    if (c == NULL) {
        c = take_top(a, size * count, align);
        return c != NULL || count == 1 ? c : take_top(a, size, align);
    }
    size_t have = chunk_size(c), lead = chunk_lead(c, align), fit = (have - lead) / size;
    split(a, c, have, lead + size * (fit < count ? fit : count), pages);
    return cut_lead(a, c, lead);
}

mchunkptr arena_take_locked(arena_t *a, size_t size, size_t align)
{
    arena_merge_idle_locked(a);
    return take_piece(a, size, align, 1);
}

/* --- runs --- */

/* Chunk c, in use, becomes count chunks in use of size bytes each, the last one with what
 * is left over. */
static magazine_t cut_run(mchunkptr c, size_t size, unsigned count)
{
    size_t word = chunk_word(c), left = word & ~CHUNK_FLAGS;
    void *first = chunk_mem(c);
    for (unsigned i = 1; i < count; i++) {
        mchunkptr next = chunk_at(c, size);
        chunk_set_word(c, size | (word & CHUNK_FLAGS));
        link_set(chunk_mem(c), chunk_mem(next));
        word |= CHUNK_P;
        left -= size;
        c = next;
    }
    chunk_set_word(c, left | (word & CHUNK_FLAGS));
    link_set(chunk_mem(c), NULL);
    return (magazine_t){first, count};
}

/* The secure variant: a run in an order that nobody can foretell. Each chunk goes to one
 * end or the other. */
static magazine_t shuffle(magazine_t m)
{
    if (!cm_secure(shuffle) || m.first == NULL)
        return m;
    void *first = m.first, *last = m.first, *next;
    size_t chance = seal_chance();
    void *mem = link_next(first);
    for (link_set(first, NULL); mem != NULL; mem = next) {
        next = link_next(mem);
        if ((chance & 1) != 0) {
            link_set(mem, first);
            first = mem;
        } else {
            link_set(last, mem);
            link_set(mem, NULL);
            last = mem;
        }
        chance = chance >> 1 | chance << (SIZE_SZ * 8 - 1);
    }
    return (magazine_t){first, m.count};
}

/* Chunks of just this size from their bin. */
static magazine_t take_exact(arena_t *a, size_t size, unsigned count)
{
    magazine_t m = {NULL, 0};
    if (size >= BIN_EXACT_LIMIT)
        return m;
    unsigned index = bin_index(size);
    while (m.count < count && a->bins.first[index] != NULL) {
        mchunkptr c = bin_take_first(&a->bins, index);
        chunk_set_prev_inuse(chunk_next(c));
        link_set(chunk_mem(c), m.first);
        m.first = chunk_mem(c);
        m.count++;
    }
    return m;
}

magazine_t arena_take_run_locked(arena_t *a, size_t size, size_t align, unsigned count)
{
    magazine_t m = {NULL, 0};
    if (align <= CHUNK_ALIGN && (m = take_exact(a, size, count)).count > 0)
        return m;
    depot_missed(&a->depot, class_of(size));
    arena_merge_idle_locked(a);
    mchunkptr c = take_piece(a, size, align, count);
    if (c == NULL)
        return m;
    size_t fit = chunk_size(c) / size;
    return shuffle(cut_run(c, size, fit < count ? (unsigned)fit : count));
}

/* --- giving --- */

/* Where the memory that holds c starts. Pre: the registry knows c. */
static uintptr_t bound_low(const chunk_t *c)
{
    return (chunk_word(c) & CHUNK_A) != 0
               ? (uintptr_t)heap_of(c)
               : atomic_load_explicit(&registry.main_low, memory_order_relaxed);
}

static bool lies_in(const arena_t *a, const chunk_t *c)
{
    return (chunk_word(c) & CHUNK_A) != 0 ? heap_of(c)->arena == a : a == &main_arena;
}

static bool lies_in_top(const arena_t *a, const chunk_t *c)
{
    return a->top != NULL && c >= a->top && (const char *)c < heap_end(a->newest);
}

CM_FAR bool arena_was_given_locked(const arena_t *a, const chunk_t *c)
{
    size_t size = chunk_size(c), room = chunk_room(c);
    return lies_in_top(a, c) || (size >= CHUNK_MIN && size + FENCEPOST_SIZE <= room &&
                                 !chunk_prev_inuse(chunk_next(c)));
}

/* What a double free or an overflow would have left behind. O(1). */
static void check_inuse(const arena_t *a, const chunk_t *c)
{
    size_t size = chunk_size(c), room = chunk_room(c);
    if (cm_unlikely(room < CHUNK_MIN || !lies_in(a, c)))
        cm_panic(PANIC_SIZE, chunk_mem(c));
    if (cm_unlikely(lies_in_top(a, c)))
        cm_panic(PANIC_DOUBLE_FREE, chunk_mem(c));
    if (cm_unlikely(size < CHUNK_MIN || size % CHUNK_ALIGN != 0 ||
                    size > room - FENCEPOST_SIZE))
        cm_panic(PANIC_SIZE, chunk_mem(c));
    const chunk_t *next = chunk_at(c, size);
    if (cm_unlikely(!chunk_prev_inuse(next)))
        cm_panic(PANIC_DOUBLE_FREE, chunk_mem(c));
    /* What is neither top nor a fencepost has a header behind it, which will be read. */
    size_t beyond = chunk_size(next), left = room - size;
    if (next != a->top && beyond != FENCEPOST_SIZE)
        left -= FENCEPOST_SIZE;
    if (cm_unlikely(beyond < FENCEPOST_SIZE || beyond > left ||
                    ((chunk_word(next) ^ chunk_word(c)) & (CHUNK_A | CHUNK_M)) != 0))
        cm_panic(PANIC_SIZE, chunk_mem(c));
}

mchunkptr arena_take_prev_locked(arena_t *a, mchunkptr c, pages_t *pages)
{
    size_t size = chunk_prev_size(c);
    if (cm_unlikely(size < CHUNK_MIN || size % CHUNK_ALIGN != 0 ||
                    size > (uintptr_t)c - bound_low(c)))
        cm_panic(PANIC_FOOTER, chunk_mem(c));
    mchunkptr prev = chunk_prev(c);
    if (cm_unlikely(chunk_size(prev) != size))
        cm_panic(PANIC_FOOTER, chunk_mem(prev));
    *pages = dirty_unite(*pages, arena_unfile_locked(a, prev));
    return prev;
}

heap_info *arena_empty_heap(const arena_t *a, const chunk_t *c)
{
    heap_info *h = heap_of(c);
    return (chunk_word(c) & CHUNK_A) != 0 && (uintptr_t)c == h->first && h != a->newest &&
                   h->older != NULL && chunk_is_fencepost(chunk_next(c))
               ? h
               : NULL;
}

static void give_checked(arena_t *a, mchunkptr c, pages_t pages)
{
    size_t size = chunk_size(c);
    mchunkptr next = chunk_at(c, size);
    if (!chunk_prev_inuse(c)) {
        mchunkptr prev = arena_take_prev_locked(a, c, &pages);
        size += chunk_size(prev);
        c = prev;
    }
    if (next == a->top) {
        top_set(a, (char *)c);
        purge_top_locked(a);
        return;
    }
    if (!chunk_is_fencepost(next) && chunk_is_free(next)) {
        pages = dirty_unite(pages, arena_unfile_locked(a, next));
        size += chunk_size(next);
        chunk_set_word(next, chunk_word(next) &
                                 ~CHUNK_P); /* a second free of c finds itself free */
    }
    chunk_set_free(c, size, chunk_word(c) & (CHUNK_A | CHUNK_P));
    heap_info *empty = arena_empty_heap(a, c);
    if (empty != NULL)
        pages.clean = ZONE_NONE; /* so that it is listed: the heap will go as a whole */
    arena_file_locked(a, c, pages);
    if (empty != NULL && !purge_ages()) {
        arena_unfile_locked(a, c);
        top_forget_heap(a, empty);
        heap_delete(empty);
    }
}

void arena_give_pages_locked(arena_t *a, mchunkptr c, pages_t pages)
{
    check_inuse(a, c);
    give_checked(a, c, pages);
}

/* Two neighbours in use become one. A second free of the first finds itself free by the
 * header that is inside then. */
static mchunkptr join(mchunkptr c, mchunkptr next)
{
    chunk_set_word(c, chunk_word(c) + chunk_size(next));
    chunk_set_word(next, chunk_word(next) & ~CHUNK_P);
    return c;
}

/* Many chunks of a list have a neighbour right before or behind them in it: those are
 * given as one. What is no neighbour is looked at when all before it have been given, so
 * that a chunk which is twice in the list is found. */
static void give_list(arena_t *a, void *first, uint32_t since)
{
    const pages_t pages = {ZONE_NONE, since};
    mchunkptr run = NULL;
    for (unsigned i = 0; first != NULL; i++) {
        if (i % ARENA_AHEAD == 0)
            arena_look_ahead(first);
        mchunkptr c = chunk_of(first);
        bool behind = run != NULL && chunk_next(run) == c;
        bool before = run != NULL && chunk_next(c) == run;
        if (run != NULL && !behind && !before)
            give_checked(a, run, pages);
        check_inuse(a, c);
        first = link_next(first);
        run = behind ? join(run, c) : before ? join(c, run) : c;
    }
    if (run != NULL)
        give_checked(a, run, pages);
}

void arena_give_list_locked(arena_t *a, void *first)
{
    give_list(a, first, a->dirty.now);
}

void arena_give_aged_locked(arena_t *a, void *first)
{
    give_list(a, first, a->dirty.now - PURGE_TICKS);
}

void arena_drain_locked(arena_t *a)
{
    void *first = inbox_take(&a->inbox);
    while (first != NULL) {
        magazine_t m = magazine_get(first, &first);
        mchunkptr c = chunk_of(m.first);
        size_t word = chunk_word(c), size = word & ~CHUNK_FLAGS;
        if ((word & CHUNK_M) != 0)
            large_give_locked(a, c);
        else if (size <= CLASS_MAX)
            depot_receive(&a->depot, class_of(size), m);
        else
            arena_give_locked(a, c);
    }
}

/* --- resizing in place --- */

CM_FAR bool arena_grow_locked(arena_t *a, mchunkptr c, size_t size)
{
    check_inuse(a, c);
    size_t have = chunk_size(c);
    mchunkptr next = chunk_at(c, have);
    if (next == a->top) {
        if (top_size(a) < size - have + CHUNK_MIN &&
            !top_extend(a, size - have + CHUNK_MIN))
            return false;
        chunk_set_word(c, size | (chunk_word(c) & CHUNK_FLAGS));
        top_set(a, (char *)c + size);
        return true;
    }
    if (chunk_is_fencepost(next) || !chunk_is_free(next) ||
        have + chunk_size(next) < size)
        return false;
    pages_t pages = arena_unfile_locked(a, next);
    split(a, c, have + chunk_size(next), size, pages);
    return true;
}

void arena_cut_locked(arena_t *a, mchunkptr c, size_t size)
{
    check_inuse(a, c);
    size_t have = chunk_size(c), flags = chunk_word(c) & CHUNK_FLAGS;
    if (have - size < CHUNK_MIN)
        return;
    mchunkptr rest = chunk_at(c, size);
    chunk_set_word(c, size | flags);
    chunk_set_word(rest, (have - size) | (flags & CHUNK_A) | CHUNK_P);
    arena_give_locked(a, rest);
}
