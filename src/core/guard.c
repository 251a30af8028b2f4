/* core/guard.c - see guard.h. */
#include "core/guard.h"

#include "os/os.h"

/* What of a page stands before the payload, at least. */
#define HEAD (chunk_start(sizeof(large_info)) + CHUNK_HEADER)

guard_pool_t guard_pool;

bool guard_init(void)
{
    size_t size = (2 * GUARD_SLOTS + 1) * os_page;
    size_t bytes = os_pages(GUARD_SLOTS * sizeof(guard_slot_t));
    char *pages = os_reserve(size, os_page);
    guard_slot_t *slots = os_map(bytes);
    if (pages == NULL || slots == NULL)
        return false;
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

/* --- under the lock --- */

/* The one that was freed longest ago, or never used. NULL: all are live. */
static guard_slot_t *oldest(void)
{
    guard_slot_t *best = NULL;
    for (guard_slot_t *s = guard_pool.slots; s < guard_pool.slots + GUARD_SLOTS; s++)
        if (s->state != GUARD_LIVE && (best == NULL || s->turn < best->turn))
            best = s;
    return best;
}

static mchunkptr fill_slot(guard_slot_t *s, size_t n, size_t align,
                           const guard_trace_t *who)
{
    const uintptr_t page = page_at((size_t)(s - guard_pool.slots));
    uintptr_t mem = guard_pool.takes++ % GUARD_LOW == GUARD_LOW - 1
                        ? (page + HEAD + align - 1) & ~(align - 1)
                        : (page + os_page - (n + (n == 0))) & ~(align - 1);
    if (!os_commit((void *)page, os_page)) /* NOLINT(performance-no-int-to-ptr) */
        return NULL;
    size_t offset = mem - CHUNK_HEADER - page;
    large_info *info = large_place((char *)page, os_page,
                                   offset); /* NOLINT(performance-no-int-to-ptr) */
    s->state = GUARD_LIVE;
    s->n = n;
    s->hidden = ~mem;
    s->taken = *who;
    s->freed.depth = 0;
    return large_chunk(info);
}

/* --- what others ask --- */

mchunkptr guard_take(size_t n, size_t align, const guard_trace_t *who)
{
    if (guard_pool.size == 0 || align > os_page / 2 || n > os_page - HEAD - align ||
        !cm_lock_take(&guard_pool.lock))
        return NULL;
    guard_slot_t *s = oldest();
    mchunkptr c = s == NULL ? NULL : fill_slot(s, n, align, who);
    cm_lock_drop(&guard_pool.lock);
    return c;
}

void guard_check(const void *mem)
{
    const guard_slot_t *s = slot_at((uintptr_t)mem);
    bool known = s != NULL && s->hidden == ~(uintptr_t)mem;
    if (!known || s->state != GUARD_LIVE)
        cm_panic(known && s->state == GUARD_FREED ? PANIC_DOUBLE_FREE : PANIC_FOREIGN,
                 mem);
}

void guard_freed(const void *mem, const guard_trace_t *who)
{
    if (!cm_lock_take(&guard_pool.lock))
        return;
    slot_at((uintptr_t)mem)->freed = *who;
    cm_lock_drop(&guard_pool.lock);
}

void guard_give(large_info *info)
{
    guard_slot_t *s = slot_at((uintptr_t)info);
    bool taken_away = os_decommit(info, os_page), locked = cm_lock_take(&guard_pool.lock);
    if (taken_away && locked) {
        s->turn = ++guard_pool.turns;
        s->state = GUARD_FREED;
    } else {
        s->hidden = 0; /* lost: neither used again nor freed again */
    }
    if (locked)
        cm_lock_drop(&guard_pool.lock);
}

/* Between two pages the nearer one is meant, unless it was never used. */
static const guard_slot_t *nearer(uintptr_t address)
{
    size_t gap = (address - guard_pool.start) / os_page / 2;
    bool upper = address % os_page >= os_page / 2;
    const guard_slot_t *below = gap > 0 ? &guard_pool.slots[gap - 1] : NULL;
    const guard_slot_t *above = gap < GUARD_SLOTS ? &guard_pool.slots[gap] : NULL;
    const guard_slot_t *first = upper ? above : below, *second = upper ? below : above;
    return first != NULL && first->state != GUARD_UNUSED ? first : second;
}

const guard_slot_t *guard_explain(uintptr_t address, guard_fault_t *fault)
{
    if (address - guard_pool.start >= guard_pool.size)
        return NULL;
    const guard_slot_t *s = slot_at(address);
    if (s == NULL)
        s = nearer(address);
    if (s == NULL || s->state == GUARD_UNUSED)
        return NULL;
    *fault = s->state == GUARD_FREED  ? GUARD_USE
             : address >= page_end(s) ? GUARD_OVERFLOW
                                      : GUARD_UNDERFLOW;
    return s;
}
