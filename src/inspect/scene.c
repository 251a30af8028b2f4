/* inspect/scene.c - see scene.h. */
#include "inspect/scene.h"

#define ROOT_BUFFER READER_MOST
#define HOLE_STEP 4096      /* no page is smaller */
#define THREADS_MOST 100000 /* of a list that may be damaged */

extra_roots_t extra_roots;

static size_t read_by_reader(scene_t *s, uintptr_t at, void *to, size_t n)
{
    return reader_read(s->reader, at, to, n);
}

void scene_init(scene_t *s, reader_t *reader, const scene_wish_t *wish)
{
    *s = (scene_t){.reader = reader, .read = read_by_reader};
    reach_init(&s->reach, wish->unaligned ? 1 : SIZE_SZ, wish->mask, wish->paths);
}

void scene_free(scene_t *s)
{
    reach_free(&s->reach);
    roots_free(&s->roots);
    vector_free(&s->lost);
    if (s->buffer != NULL)
        os_unmap(s->buffer, ROOT_BUFFER);
}

/* --- chunks --- */

static bool enter_large(scene_t *s, const cmalloc_item *item)
{
    uintptr_t mem = (uintptr_t)item->mem, mapping = (uintptr_t)item->address;
    mapping -= item->prev_size;
    roots_exclude(&s->roots, mapping, mapping + item->reserved);
    if (item->kind == CMALLOC_KEPT)
        return true;
    const char *header = reader_see(s->reader, (uintptr_t)item->address, CHUNK_HEADER);
    return header == NULL ||
           reach_large(&s->reach, mem, mapping + item->reserved, header + CHUNK_HEADER);
}

/* The heap's first chunk says where its span begins. */
static bool begin_heap(scene_t *s, uintptr_t chunk)
{
    uintptr_t high = s->heap_high;
    const char *header = reader_see(s->reader, chunk, CHUNK_HEADER);
    s->heap_high = 0;
    return header != NULL &&
           reach_heap(&s->reach, chunk + CHUNK_HEADER, high, header + CHUNK_HEADER);
}

static bool enter_chunk(scene_t *s, const cmalloc_item *item)
{
    uintptr_t chunk = (uintptr_t)item->address, mem = (uintptr_t)item->mem;
    if (item->kind == CMALLOC_FENCEPOST || mem >= (uintptr_t)item->heap + s->heap_size)
        return true;
    if (s->heap_high != 0 && !begin_heap(s, chunk))
        return false;
    reach_chunk(&s->reach, mem, item->kind == CMALLOC_INUSE);
    range_t range = {chunk, chunk + item->size};
    return item->kind != CMALLOC_DAMAGED || vector_add(&s->lost, &range, sizeof range);
}

int scene_item(const cmalloc_item *item, void *arg)
{
    scene_t *s = arg;
    uintptr_t address = (uintptr_t)item->address;
    bool fits = true;
    if (item->kind == CMALLOC_HEAP) {
        roots_exclude(&s->roots, address, address + item->reserved);
        s->heap_size = item->size;
        s->heap_high = address + item->size;
    } else if (item->kind == CMALLOC_MMAPPED || item->kind == CMALLOC_KEPT) {
        fits = enter_large(s, item);
    } else if (item->kind != CMALLOC_ARENA) {
        fits = enter_chunk(s, item);
    }
    s->failed = s->failed || !fits;
    return fits ? 0 : 1;
}

/* --- roots --- */

static void exclude(scene_t *s, const void *low, size_t size)
{
    roots_exclude(&s->roots, (uintptr_t)low, (uintptr_t)low + size);
}

void scene_own(scene_t *s, const root_t *root)
{
    uintptr_t t = 0;
    exclude(s, root->main_arena, sizeof(arena_t));
    exclude(s, root->registry, sizeof(registry_t));
    exclude(s, root->extra, sizeof(extra_roots_t));
    exclude(s, root->kept, LARGE_KEPT * sizeof(void *));
    reader_copy(s->reader, (uintptr_t)root->threads, &t, sizeof t);
    for (unsigned i = 0; t != 0 && i < THREADS_MOST; i++) {
        roots_exclude(&s->roots, t, t + sizeof(thread_t));
        if (!reader_copy(s->reader, t + offsetof(thread_t, next_all), &t, sizeof t))
            break;
    }
    s->extra = (uintptr_t)root->extra;
}

/* A word may stand across the end of the buffer. What cannot be read is skipped by the
 * page. */
static void scan_range(uintptr_t low, uintptr_t high, void *arg)
{
    scene_t *s = arg;
    for (uintptr_t at = low;;) {
        at = s->next != NULL ? s->next(s, at, high) : at;
        if (at >= high)
            return;
        size_t n = high - at < ROOT_BUFFER ? high - at : ROOT_BUFFER;
        size_t got = s->read(s, at, s->buffer, n);
        reach_scan(&s->reach, s->buffer, got, at);
        if (got == n && at + n == high)
            return;
        at += got > SIZE_SZ ? got - SIZE_SZ : got;
        if (got < n)
            at = (at + SIZE_SZ + HOLE_STEP) & ~(uintptr_t)(HOLE_STEP - 1);
    }
}

static void scan_extra(scene_t *s)
{
    size_t count = 0;
    uintptr_t at = s->extra + offsetof(extra_roots_t, ranges);
    reader_copy(s->reader, s->extra + offsetof(extra_roots_t, count), &count,
                sizeof count);
    for (size_t i = 0; i < count && i < EXTRA_MOST; i++) {
        range_t range;
        if (!reader_copy(s->reader, at + i * sizeof range, &range, sizeof range))
            return;
        if (range.low == range.high)
            scene_word(s, ~range.low, at + i * sizeof range);
        else
            scan_range(~range.low, ~range.high, s);
    }
}

bool scene_seal(scene_t *s)
{
    s->buffer = os_map(ROOT_BUFFER);
    return !s->failed && s->buffer != NULL && roots_seal(&s->roots) &&
           reach_seal(&s->reach);
}

void scene_mark(scene_t *s)
{
    const range_t *lost = s->lost.at;
    roots_each(&s->roots, scan_range, s);
    s->next =
        NULL; /* untouched pages of a private mapping are zero; of others, unknown */
    for (size_t i = 0; i < s->lost.used / sizeof *lost; i++)
        scan_range(lost[i].low, lost[i].high, s);
    scan_extra(s);
    reach_drain(&s->reach);
}
