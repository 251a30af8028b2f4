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

void arena_look_ahead(void *first)
{
    const chunk_t *c[ARENA_AHEAD];
    unsigned n = 0;
    for (; n < ARENA_AHEAD && first != NULL && leads_on(chunk_of(first)); n++) {
        c[n] = chunk_of(first);
        touch((uintptr_t)chunk_next(c[n]));
        touch((uintptr_t)free_before(c[n]));
        first = link_next(first);
    }
    for (unsigned i = 0; i < n; i++)
        touch((uintptr_t)chunk_next(chunk_next(c[i])));
    for (unsigned i = 0; i < n; i++) {
        const chunk_t *next = chunk_next(c[i]), *prev = free_before(c[i]);
        if (leads_on(next) && chunk_is_free(next))
            touch_links(next);
        if (prev != NULL)
            touch_links(prev);
    }
}
