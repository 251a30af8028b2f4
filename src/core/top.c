/* core/top.c - see top.h. */
#include "core/top.h"

#include "core/large.h"
#include "os/os.h"

void top_set(arena_t *a, char *at)
{
    heap_info *h = a->newest;
    size_t size = (size_t)(heap_end(h) - at);
    a->top = (mchunkptr)(void *)at;
    if ((uintptr_t)at > a->top_mark)
        a->top_mark = (uintptr_t)at;
    chunk_set_word(a->top, size | CHUNK_P | heap_flag(h));
    if (h->fresh < (uintptr_t)at + CHUNK_HEADER)
        h->fresh = (uintptr_t)at + CHUNK_HEADER;
}

size_t top_size(const arena_t *a)
{
    if (a->top == NULL)
        return 0;
    size_t size = chunk_size(a->top);
    if (cm_unlikely((char *)a->top + size != heap_end(a->newest)))
        cm_panic(PANIC_TOP, chunk_mem(a->top));
    return size;
}

/* Where a heap's fencepost is, if it is no larger than it must be. */
static mchunkptr last_chunk(const heap_info *h)
{
    return (mchunkptr)(void *)(heap_end(h) - FENCEPOST_SIZE);
}

/* From here on a heap's pages are neither written nor made ready. */
static uintptr_t top_untouched(const heap_info *h)
{
    uintptr_t fresh = os_pages(h->fresh);
    return fresh > h->ready ? fresh : h->ready;
}

/* The newest heap is about to be an older one: its top becomes a free chunk before a
 * fencepost. */
static void top_close(arena_t *a)
{
    size_t size = top_size(a);
    mchunkptr c = a->top;
    if (c == NULL)
        return;
    size_t word = chunk_word(c) & CHUNK_FLAGS, free = size - FENCEPOST_SIZE;
    zone_t clean = {top_untouched(a->newest), UINTPTR_MAX};
    a->top = NULL;
    a->newest->fresh = UINTPTR_MAX;
    if (free < CHUNK_MIN) { /* too small for a chunk: all of it is the fencepost's */
        chunk_set_word(last_chunk(a->newest), 0);
        chunk_set_word(c, FENCEPOST_SIZE | word);
        return;
    }
    mchunkptr post = chunk_at(c, free);
    chunk_set_word(post, FENCEPOST_SIZE | (word & CHUNK_A) | CHUNK_P);
    chunk_set_free(c, free, word);
    arena_file_locked(a, c, (pages_t){clean, a->dirty.now});
}

static void count_system(arena_t *a, size_t before)
{
    a->system += a->newest->committed - before;
    if (a->system > a->system_most)
        a->system_most = a->system;
}

static void link_heap(arena_t *a, heap_info *h)
{
    top_close(a);
    h->arena = a;
    h->older = a->newest;
    h->newer = NULL;
    if (a->newest != NULL)
        a->newest->newer = h;
    a->newest = h;
    a->top_mark = a->top_mark_before = 0;
    count_system(a, 0);
}

/* The neighbours of h in the arena's list agree. */
CM_FAR static bool is_linked(const arena_t *a, const heap_info *h)
{
    const heap_info *newer = h->newer, *older = h->older;
    return heap_is_sound(h) &&
           (newer != NULL ? heap_is_sound(newer) && newer->older == h : a->newest == h) &&
           (older == NULL || (heap_is_sound(older) && older->newer == h));
}

static void require_linked(const arena_t *a, const heap_info *h)
{
    if (cm_unlikely(!is_linked(a, h)))
        cm_panic(PANIC_HEAP, h);
}

CM_FAR void top_forget_heap(arena_t *a, heap_info *h)
{
    require_linked(a, h);
    if (h->newer != NULL)
        h->newer->older = h->older;
    else
        a->newest = h->older;
    if (h->older != NULL)
        h->older->newer = h->newer;
    a->system -= h->committed;
}

CM_FAR bool top_reopen(arena_t *a)
{
    heap_info *h = a->newest->older;
    require_linked(a, a->newest);
    mchunkptr post = last_chunk(h);
    if (!chunk_is_fencepost(post) || chunk_prev_inuse(post))
        return false;
    pages_t pages = {ZONE_NONE, 0};
    mchunkptr c = arena_take_prev_locked(a, post, &pages);
    top_forget_heap(a, a->newest);
    a->top_mark = a->top_mark_before = 0;
    h->fresh = h->ready = (uintptr_t)heap_end(h);
    top_set(a, (char *)c);
    return true;
}

bool top_extend(arena_t *a, size_t need)
{
    if (a->top == NULL)
        return false;
    size_t before = a->newest->committed;
    if (!heap_grow(a->newest, need - top_size(a)))
        return false;
    count_system(a, before);
    top_set(a, (char *)a->top);
    return true;
}

void arena_open(arena_t *a, heap_info *h)
{
    a->magic = ARENA_MAGIC;
    link_heap(a, h);
    top_set(a, (char *)h->first); /* NOLINT(performance-no-int-to-ptr) */
}

/* Make top at least need bytes: in the newest heap, else at the break (main arena), else
 * in a new heap. */
static bool make_top(arena_t *a, size_t need)
{
    large_make_way();
    if (top_extend(a, need))
        return true;
    heap_info *h = a == &main_arena ? heap_new_at_break(need) : NULL;
    if (h == NULL)
        h = heap_new(need);
    if (h == NULL)
        return false;
    arena_open(a, h);
    return true;
}

mchunkptr top_take(arena_t *a, size_t size)
{
    /* What stays behind must still be a chunk. */
    if (top_size(a) < size + CHUNK_MIN && !make_top(a, size + CHUNK_MIN))
        return NULL;
    mchunkptr c = a->top;
    a->zero = (zone_t){a->newest->fresh, UINTPTR_MAX};
    heap_make_ready(a->newest, (uintptr_t)c + size + CHUNK_HEADER, size);
    chunk_set_word(c, size | (chunk_word(c) & CHUNK_FLAGS));
    top_set(a, (char *)c + size);
    return c;
}
