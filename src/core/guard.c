/* core/guard.c - see guard.h. */
#include "core/guard.h"

#include "os/os.h"

/* What of a page stands before the payload, at least. */
#define HEAD (chunk_start(LARGE_INFO_LEAST) + CHUNK_HEADER)

guard_pool_t guard_pool;

bool guard_init(void)
{
    size_t size = (2 * GUARD_SLOTS + 1) * os_page;
    size_t bytes = os_pages(GUARD_SLOTS * sizeof(guard_slot_t));
    guard_slot_t *slots = os_map(bytes);
    char *pages = slots == NULL ? NULL : os_reserve(size, os_page);
    if (pages == NULL) {
        if (slots != NULL)
            os_unmap(slots, bytes);
        return false;
    }
    os_count_metadata(bytes);
    guard_pool.start = (uintptr_t)pages;
    guard_pool.slots = slots;
    guard_pool.size = size;
    return true;
}

/* --- which page is whose --- */

static uintptr_t page_at(size_t i) { return guard_pool.start + (2 * i + 1) * os_page; }

/* The slot whose page address lies in; NULL: it lies between two. */
static guard_slot_t *slot_at(uintptr_t address)
{
    size_t page = (address - guard_pool.start) / os_page;
    return page % 2 == 1 ? &guard_pool.slots[page / 2] : NULL;
}

static uintptr_t page_end(const guard_slot_t *s)
{
    return page_at((size_t)(s - guard_pool.slots)) + os_page;
}

static guard_state_t state_of(const guard_slot_t *s)
{
    return atomic_load_explicit(&s->state, memory_order_acquire);
}

/* --- taking and giving --- */

/* The one that was freed longest ago, or never used. NULL: all are live. */
static guard_slot_t *oldest(void)
{
    guard_slot_t *best = NULL;
    for (guard_slot_t *s = guard_pool.slots; s < guard_pool.slots + GUARD_SLOTS; s++)
        if (state_of(s) != GUARD_LIVE && (best == NULL || s->turn < best->turn))
            best = s;
    return best;
}

/* A slot that is now the caller's. Acquire pairs with the release in guard_give. */
static guard_slot_t *claim(guard_state_t *before)
{
    guard_slot_t *s;
    do {
        s = oldest();
        *before = s == NULL ? GUARD_UNUSED : state_of(s);
    } while (s != NULL &&
             (*before == GUARD_LIVE || !atomic_compare_exchange_weak_explicit(
                                           &s->state, before, GUARD_LIVE,
                                           memory_order_acquire, memory_order_relaxed)));
    return s;
}

static mchunkptr fill_slot(guard_slot_t *s, uintptr_t page, size_t n, size_t align)
{
    size_t take = atomic_fetch_add_explicit(&guard_pool.takes, 1, memory_order_relaxed);
    uintptr_t mem = take % GUARD_LOW == GUARD_LOW - 1
                        ? (page + HEAD + align - 1) & ~(align - 1)
                        : (page + os_page - (n + (n == 0))) & ~(align - 1);
    s->n = n;
    s->hidden = ~mem;
    return large_chunk(large_place((char *)page, /* NOLINT(performance-no-int-to-ptr) */
                                   os_page, mem - CHUNK_HEADER - page, NULL));
}

mchunkptr guard_take(size_t n, size_t align, const guard_trace_t *who)
{
    guard_state_t before;
    if (guard_pool.size == 0 || align > os_page / 2 || n > os_page - HEAD - align)
        return NULL;
    guard_slot_t *s = claim(&before);
    if (s == NULL)
        return NULL;
    uintptr_t page = page_at((size_t)(s - guard_pool.slots));
    if (!os_commit((void *)page, os_page)) { /* NOLINT(performance-no-int-to-ptr) */
        atomic_store_explicit(&s->state, before, memory_order_release);
        return NULL;
    }
    s->taken = *who;
    s->freed.depth = 0;
    return fill_slot(s, page, n, align);
}

void guard_check(const void *mem)
{
    const guard_slot_t *s = slot_at((uintptr_t)mem);
    bool known = s != NULL && s->hidden == ~(uintptr_t)mem;
    if (!known || state_of(s) != GUARD_LIVE)
        cm_panic(known && state_of(s) == GUARD_FREED ? PANIC_DOUBLE_FREE : PANIC_FOREIGN,
                 mem);
}

void guard_freed(const void *mem, const guard_trace_t *who)
{
    slot_at((uintptr_t)mem)->freed = *who;
}

void guard_give(large_info *info)
{
    guard_slot_t *s = slot_at((uintptr_t)info);
    if (!os_decommit(info, os_page)) {
        s->hidden = 0; /* lost: neither used again nor freed again */
        return;
    }
    s->turn = atomic_fetch_add_explicit(&guard_pool.turns, 1, memory_order_relaxed) + 1;
    atomic_store_explicit(&s->state, GUARD_FREED, memory_order_release);
}

/* --- faults --- */

/* Between two pages the nearer one is meant, unless it was never used. */
static const guard_slot_t *nearer(uintptr_t address)
{
    size_t gap = (address - guard_pool.start) / os_page / 2;
    bool upper = address % os_page >= os_page / 2;
    const guard_slot_t *below = gap > 0 ? &guard_pool.slots[gap - 1] : NULL;
    const guard_slot_t *above = gap < GUARD_SLOTS ? &guard_pool.slots[gap] : NULL;
    const guard_slot_t *first = upper ? above : below, *second = upper ? below : above;
    return first != NULL && state_of(first) != GUARD_UNUSED ? first : second;
}

const guard_slot_t *guard_explain(uintptr_t address, guard_fault_t *fault)
{
    if (address - guard_pool.start >= guard_pool.size)
        return NULL;
    const guard_slot_t *s = slot_at(address);
    if (s == NULL)
        s = nearer(address);
    if (s == NULL || state_of(s) == GUARD_UNUSED)
        return NULL;
    *fault = state_of(s) == GUARD_FREED ? GUARD_USE
             : address >= page_end(s)   ? GUARD_OVERFLOW
                                        : GUARD_UNDERFLOW;
    return s;
}
