/* core/ahead.c - asking for the lines that merging waits for. See arena.h. */
#include "core/arena.h"
#include "core/link.h"

static void touch(uintptr_t p)
{
    cm_prefetch((const void *)p); /* NOLINT(performance-no-int-to-ptr) */
}

/* c's size leads to a header that can be read. */
static bool leads_on(const chunk_t *c)
{
    size_t size = chunk_size(c);
    return size >= CHUNK_MIN && size % CHUNK_ALIGN == 0 &&
           size + FENCEPOST_SIZE <= chunk_room(c);
}

/* The chunk before c, if that is free and where one can be; else NULL. */
static const chunk_t *free_before(const chunk_t *c)
{
    if (chunk_prev_inuse(c))
        return NULL;
    const chunk_t *prev = chunk_prev(c);
    return (uintptr_t)prev % CHUNK_ALIGN == 0 && registry_has(prev) ? prev : NULL;
}

static void touch_links(const chunk_t *c)
{
    touch(c->fd ^ link_secret.mask);
    touch(c->bk ^ link_secret.mask);
}

/* The first two are neighbours, as most will be then. */
static bool is_in_order(const void *first, const void *second)
{
    const chunk_t *c = chunk_of(first), *other = chunk_of(second);
    return chunk_next(c) == other || chunk_next(other) == c;
}

void arena_look_ahead(void *first)
{
    const chunk_t *c[ARENA_AHEAD], *prev[ARENA_AHEAD];
    unsigned n = 0;
    void *second = link_next(first);
    if (second == NULL || is_in_order(first, second))
        return;
    for (; n < ARENA_AHEAD && first != NULL && leads_on(chunk_of(first)); n++) {
        c[n] = chunk_of(first);
        prev[n] = free_before(c[n]);
        touch((uintptr_t)chunk_next(c[n]));
        touch((uintptr_t)prev[n]);
        first = link_next(first);
    }
    for (unsigned i = 0; i < n; i++)
        touch((uintptr_t)chunk_next(chunk_next(c[i])));
    for (unsigned i = 0; i < n; i++) {
        const chunk_t *next = chunk_next(c[i]);
        if (leads_on(next) && chunk_is_free(next))
            touch_links(next);
        if (prev[i] != NULL)
            touch_links(prev[i]);
    }
}
