/* core/dirty.c - see dirty.h. */
#include "core/dirty.h"

#include "core/registry.h"
#include "os/os.h"

static dirty_chunk_t *notes(mchunkptr c) { return (dirty_chunk_t *)(void *)c; }

zone_t dirty_pages(const chunk_t *c)
{
    size_t size = chunk_size(c);
    if (size < os_page)
        return ZONE_NONE;
    return (zone_t){os_pages((uintptr_t)c + sizeof(dirty_chunk_t)),
                    ((uintptr_t)c + size) & ~(uintptr_t)(os_page - 1)};
}

/* The neighbour behind a link of c, which must be a chunk of ours that links back. NULL:
 * the list ends here. */
static mchunkptr neighbour(mchunkptr c, uintptr_t hidden, bool older)
{
    mchunkptr n =
        (mchunkptr)(hidden ^ link_secret.mask); /* NOLINT(performance-no-int-to-ptr) */
    if (n == NULL)
        return NULL;
    if (cm_unlikely((uintptr_t)n % CHUNK_ALIGN != (uintptr_t)c % CHUNK_ALIGN ||
                    !registry_has(n) ||
                    (older ? notes(n)->newer : notes(n)->older) != link_hide(c)))
        cm_panic(PANIC_LINKS, chunk_mem(c));
    return n;
}

static void link_pair(dirty_t *d, mchunkptr older, mchunkptr newer)
{
    if (older != NULL)
        notes(older)->newer = link_hide(newer);
    else
        d->oldest = newer;
    if (newer != NULL)
        notes(newer)->older = link_hide(older);
    else
        d->newest = older;
}

/* Who has been free for some time goes to the old end, so that the list is nearly in
 * order. */
static void list_enter(dirty_t *d, mchunkptr c, bool fresh)
{
    mchunkptr older = fresh ? d->newest : NULL, newer = fresh ? NULL : d->oldest;
    link_pair(d, older, c);
    link_pair(d, c, newer);
}

static void list_leave(dirty_t *d, mchunkptr c)
{
    mchunkptr older = neighbour(c, notes(c)->older, true);
    mchunkptr newer = neighbour(c, notes(c)->newer, false);
    if (cm_unlikely((older == NULL && d->oldest != c) ||
                    (newer == NULL && d->newest != c)))
        cm_panic(PANIC_LINKS, chunk_mem(c));
    link_pair(d, older, newer);
}

void dirty_enter(dirty_t *d, mchunkptr c, pages_t pages)
{
    zone_t whole = dirty_pages(c);
    if (zone_size(whole) == 0)
        return;
    pages.clean = zone_cut(pages.clean, whole);
    notes(c)->pages = pages;
    size_t dirty = zone_size(whole) - zone_size(pages.clean);
    if (dirty == 0)
        return;
    list_enter(d, c, pages.since == d->now);
    d->bytes += dirty;
}

pages_t dirty_leave(dirty_t *d, mchunkptr c)
{
    zone_t whole = dirty_pages(c);
    if (zone_size(whole) == 0)
        return (pages_t){ZONE_NONE, d->now};
    pages_t pages = notes(c)->pages;
    pages.clean = zone_cut(pages.clean, whole);
    size_t dirty = zone_size(whole) - zone_size(pages.clean);
    if (dirty == 0)
        return (pages_t){pages.clean, d->now};
    list_leave(d, c);
    d->bytes -= dirty;
    return pages;
}

pages_t dirty_unite(pages_t a, pages_t b)
{
    return (pages_t){zone_larger(a.clean, b.clean),
                     (int32_t)(a.since - b.since) < 0 ? a.since : b.since};
}

mchunkptr dirty_expired(const dirty_t *d, uint32_t ticks)
{
    if (d->oldest == NULL || d->now - notes(d->oldest)->pages.since < ticks)
        return NULL;
    return d->oldest;
}
