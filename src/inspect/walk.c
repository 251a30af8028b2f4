/*
 * inspect/walk.c - see walk.h. Heaps are chained newest first and may lie anywhere; to
 * visit them by address the next higher one is looked for each time, which is cheap
 * beside walking its chunks.
 */
#include "inspect/walk.h"

#include "core/large.h"
#include "front/thread.h"

static heap_info *next_heap(const arena_t *a, const heap_info *after)
{
    heap_info *best = NULL;
    for (heap_info *h = a->newest; h != NULL; h = h->older)
        if (h > after && (best == NULL || h < best))
            best = h;
    return best;
}

static cmalloc_kind kind_of(const arena_t *a, const chunk_t *c)
{
    if (c == a->top)
        return CMALLOC_TOP;
    if (chunk_is_fencepost(c))
        return CMALLOC_FENCEPOST;
    if (chunk_is_free(c))
        return CMALLOC_FREE;
    return link_marked(chunk_mem(c)) ? CMALLOC_CACHED : CMALLOC_INUSE;
}

static int visit_chunk(const arena_t *a, const heap_info *h, const chunk_t *c,
                       walk_visit visit, void *arg)
{
    cmalloc_item item = {.kind = kind_of(a, c),
                         .arena = a->index,
                         .flags = (unsigned)(chunk_word(c) & CHUNK_FLAGS),
                         .address = c,
                         .heap = h,
                         .mem = chunk_mem(c),
                         .size = chunk_size(c),
                         .prev_size = chunk_prev_inuse(c) ? 0 : chunk_prev_size(c)};
    return visit(&item, arg);
}

/* Chunks must lie end to end up to top or the fencepost; a size that leads elsewhere is
 * fatal. */
static int walk_heap(const arena_t *a, const heap_info *h, walk_visit visit, void *arg)
{
    cmalloc_item item = {.kind = CMALLOC_HEAP,
                         .arena = a->index,
                         .address = h,
                         .heap = h,
                         .size = h->committed,
                         .reserved = heap_is_break(h) ? h->committed : h->reserved};
    int stop = visit(&item, arg);
    const chunk_t *c = chunk_at(h, h->first - (uintptr_t)h);
    while (stop == 0) {
        size_t size = chunk_size(c), room = (size_t)(heap_end(h) - (const char *)c);
        if (size < FENCEPOST_SIZE || size > room ||
            (size == room && c != a->top && !chunk_is_fencepost(c)))
            cm_panic(PANIC_SIZE, chunk_mem(c));
        stop = visit_chunk(a, h, c, visit, arg);
        if (c == a->top || chunk_is_fencepost(c))
            break;
        c = chunk_next(c);
    }
    return stop;
}

static int walk_larges(const arena_t *a, walk_visit visit, void *arg)
{
    int stop = 0;
    for (large_info *info = a->larges; info != NULL && stop == 0; info = info->older) {
        const chunk_t *c = large_chunk(info);
        cmalloc_item item = {.kind = CMALLOC_MMAPPED,
                             .arena = a->index,
                             .flags = (unsigned)(chunk_word(c) & CHUNK_FLAGS),
                             .address = c,
                             .mem = chunk_mem(c),
                             .size = chunk_size(c)};
        stop = visit(&item, arg);
    }
    return stop;
}

int walk_arena_locked(arena_t *a, walk_visit visit, void *arg)
{
    arena_drain_locked(a);
    cmalloc_item item = {
        .kind = CMALLOC_ARENA, .arena = a->index, .address = a, .size = sizeof *a};
    int stop = visit(&item, arg);
    for (heap_info *h = next_heap(a, NULL); h != NULL && stop == 0; h = next_heap(a, h))
        stop = walk_heap(a, h, visit, arg);
    return stop;
}

int walk_all(walk_visit visit, void *arg)
{
    int stop = 0;
    if (!thread_enter())
        return 0;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < arena_count() && stop == 0; i++) {
            arena_t *a = arena_at(i);
            if (!arena_lock(a))
                continue;
            stop =
                pass == 0 ? walk_arena_locked(a, visit, arg) : walk_larges(a, visit, arg);
            arena_unlock(a);
        }
    thread_leave();
    return stop;
}
