/*
 * tools/why.c - `cmalloc why`: fragmentation explained.
 *
 * Memory goes back to the system by whole pages. So a free byte is *pinned* if its page
 * also holds a byte of a chunk in use; its page's chunks in use share the blame in equal
 * parts, and so do those that are cached if there are no others. A free chunk's whole
 * pages are not pinned: a trim gives them back, and what can be merged from caches with
 * them.
 */
#include "tools/stats.h"

#include <stdio.h>

#define SIZES 64 /* rows by size: below it by sixteens to 512, then by doublings */
#define PAGE_CHUNKS 512

typedef struct size_row {
    size_t count, live, pinned; /* chunks that pin, their bytes, and free bytes */
} size_row;

typedef struct heap_row {
    uintptr_t address, last_live; /* last_live: the chunk in use nearest its end */
    size_t last_size, committed, live, live_count, free, pinned;
    unsigned arena;
} heap_row;

typedef struct why {
    size_t page_size;
    size_row sizes[SIZES];
    heap_row *heaps;
    size_t heap_count, heap_room;
    size_t pinned, pinned_by_cached, whole; /* whole: free bytes on whole free pages */
    /* the page that the walk is in */
    uintptr_t page;
    size_t page_free, page_live_count, page_cached;
    size_t page_live[PAGE_CHUNKS]; /* sizes of its chunks in use */
} why_t;

/* --- rows --- */

static unsigned row_of(size_t size)
{
    if (size <= 512)
        return (unsigned)(size / CHUNK_ALIGN);
    unsigned row = 512 / CHUNK_ALIGN + cm_log2(size - 1) - 8;
    return row < SIZES ? row : SIZES - 1;
}

static size_t row_size(unsigned row)
{
    unsigned exact = 512 / CHUNK_ALIGN;
    return row <= exact ? row * CHUNK_ALIGN : (size_t)512 << (row - exact);
}

static heap_row *heap_now(why_t *w) { return &w->heaps[w->heap_count - 1]; }

static void add_heap(why_t *w, const cmalloc_item *item)
{
    if (w->heap_count == w->heap_room) {
        w->heap_room = w->heap_room == 0 ? 64 : 2 * w->heap_room;
        w->heaps = tool_grow(w->heaps, w->heap_room * sizeof *w->heaps);
    }
    w->heaps[w->heap_count++] = (heap_row){.address = (uintptr_t)item->address,
                                           .committed = item->size,
                                           .arena = item->arena};
}

/* --- pages --- */

static void close_page(why_t *w)
{
    size_t n = w->page_live_count;
    if (w->page_free > 0 && n > 0) {
        heap_now(w)->pinned += w->page_free;
        w->pinned += w->page_free;
        for (size_t i = 0; i < n && i < PAGE_CHUNKS; i++) {
            size_row *row = &w->sizes[row_of(w->page_live[i])];
            row->count++;
            row->live += w->page_live[i];
            row->pinned += w->page_free / n + (i < w->page_free % n);
        }
    } else if (w->page_free > 0 && w->page_cached > 0) {
        w->pinned_by_cached += w->page_free;
    } else {
        w->whole += w->page_free;
    }
    w->page_free = w->page_live_count = w->page_cached = 0;
}

static void add_part(why_t *w, const cmalloc_item *item, size_t bytes)
{
    if (item->kind == CMALLOC_FREE || item->kind == CMALLOC_TOP)
        w->page_free += bytes;
    else if (item->kind == CMALLOC_CACHED)
        w->page_cached += bytes;
    else if (w->page_live_count++ < PAGE_CHUNKS)
        w->page_live[w->page_live_count - 1] = item->size;
}

/* Page by page, but for the whole pages in the middle of a chunk. */
static void add_pages(why_t *w, const cmalloc_item *item)
{
    uintptr_t at = (uintptr_t)item->address, end = at + item->size;
    while (at < end) {
        uintptr_t page = at & ~(uintptr_t)(w->page_size - 1), next = page + w->page_size;
        if (page != w->page)
            close_page(w);
        w->page = page;
        if (at == page && next < end) {
            uintptr_t last = end & ~(uintptr_t)(w->page_size - 1);
            if (item->kind == CMALLOC_FREE || item->kind == CMALLOC_TOP)
                w->whole += last - at;
            at = last;
            continue;
        }
        size_t bytes = (next < end ? next : end) - at;
        add_part(w, item, bytes);
        at += bytes;
    }
}

static int visit(const cmalloc_item *item, void *arg)
{
    why_t *w = arg;
    if (item->kind == CMALLOC_HEAP) {
        close_page(w);
        add_heap(w, item);
    }
    if (item->heap == NULL || item->kind == CMALLOC_HEAP || item->kind == CMALLOC_ARENA)
        return 0;
    heap_row *h = heap_now(w);
    if (item->kind == CMALLOC_FREE || item->kind == CMALLOC_TOP) {
        h->free += item->size;
    } else if (item->kind == CMALLOC_INUSE) {
        h->live += item->size;
        h->live_count++;
        h->last_live = (uintptr_t)item->mem;
        h->last_size = item->size;
    }
    add_pages(w, item);
    return 0;
}

static void ignore(const char *what, uintptr_t where, void *arg)
{
    (void)what, (void)where, (void)arg;
}

/* --- telling --- */

static void tell_trim(const why_t *w, const cmalloc_stats *s)
{
    printf("a trim would give back up to\n");
    printf("  %12s  of free chunks and top: their whole pages\n",
           tool_size(w->whole < s->free_purged ? 0 : w->whole - s->free_purged));
    printf("  %12s  of mappings kept for reuse\n", tool_size(s->kept));
    printf("  %12s  on pages that only cached chunks hold, when they are merged\n",
           tool_size(w->pinned_by_cached));
    printf("it cannot give back\n");
    printf("  %12s  free, pinned by chunks in use on the same page\n",
           tool_size(w->pinned));
    printf("  %12s  of %zu chunks in use, with their headers\n",
           tool_size(s->live + s->overhead), s->live_count);
}

static int by_pinned(const void *a, const void *b)
{
    const heap_row *x = a, *y = b;
    return x->pinned > y->pinned ? -1 : x->pinned < y->pinned;
}

static void tell_sizes(const why_t *w, size_t most)
{
    bool told[SIZES] = {false};
    printf("\nwhich sizes pin how much\n");
    printf("  %12s %12s %12s %12s\n", "size up to", "chunks", "their bytes", "pin");
    for (; most > 0; most--) {
        unsigned best = SIZES;
        for (unsigned i = 0; i < SIZES; i++)
            if (!told[i] && w->sizes[i].pinned > 0 &&
                (best == SIZES || w->sizes[i].pinned > w->sizes[best].pinned))
                best = i;
        if (best == SIZES)
            return;
        const size_row *row = &w->sizes[best];
        told[best] = true;
        printf("  %12zu %12zu %12s %12s\n", row_size(best), row->count,
               tool_size(row->live), tool_size(row->pinned));
    }
}

/* A heap goes when nothing in it is in use; the newest one of an arena shrinks to the
 * last chunk that is. */
static void tell_heaps(why_t *w, size_t most)
{
    if (w->heap_count > 0)
        qsort(w->heaps, w->heap_count, sizeof *w->heaps, by_pinned);
    printf("\nwhere, and what keeps the heap\n");
    printf("  %-18s %5s %10s %10s %10s %10s %8s  %s\n", "heap", "arena", "committed",
           "in use", "free", "pinned", "chunks", "last in use");
    for (size_t i = 0; i < w->heap_count && i < most; i++) {
        const heap_row *h = &w->heaps[i];
        printf("  %#-18zx %5u %10s %10s %10s %10s %8zu  ", h->address, h->arena,
               tool_size(h->committed), tool_size(h->live), tool_size(h->free),
               tool_size(h->pinned), h->live_count);
        if (h->last_live == 0)
            printf("none\n");
        else
            printf("%#zx (%zu)\n", h->last_live, h->last_size);
    }
}

int tool_why(int argc, char **argv)
{
    const char *count = tool_option(&argc, argv, "-n");
    size_t most = count == NULL ? 10 : strtoul(count, NULL, 10);
    if (argc != 2 || most == 0)
        tool_usage();
    target_t *t = target_open(argv[1]);
    stats_set_t *set = tool_alloc(sizeof *set);
    why_t *w = tool_alloc(sizeof *w);
    target_stats(t, set);
    w->page_size = t->reader.page;
    t->reader.size = 0;
    target_walk(t, visit, ignore, w);
    close_page(w);
    int status = target_end(t, TOOL_OK);
    const cmalloc_stats *s = &set->total;
    printf("%s mapped, %s in use (%s), %s free\n", tool_size(s->mapped),
           tool_size(s->live), tool_share(s->live, s->mapped),
           tool_size(s->free_resident + s->free_purged));
    tell_trim(w, s);
    tell_sizes(w, most);
    tell_heaps(w, most);
    free(w->heaps);
    free(w);
    free(set);
    target_close(t);
    return status;
}
