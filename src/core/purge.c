/* core/purge.c - see purge.h. */
#include "core/purge.h"

#include "base/options.h"
#include "os/os.h"

/* Top keeps pad bytes and a chunk; whole pages beyond go. */
size_t purge_trim_locked(arena_t *a, size_t pad)
{
    if (a->top == NULL)
        return 0;
    heap_info *h = a->newest;
    uintptr_t keep = os_pages((uintptr_t)a->top + CHUNK_MIN + pad);
    size_t before = h->committed;
    size_t bytes = heap_shrink(h, (char *)keep); /* NOLINT(performance-no-int-to-ptr) */
    if (h->committed != before) {
        a->system -= before - h->committed;
        size_t flags = chunk_word(a->top) & CHUNK_FLAGS;
        chunk_set_word(a->top, (size_t)(heap_end(h) - (char *)a->top) | flags);
    }
    return bytes;
}

/* Unless the user has fixed it, a top that is a small part of the heap stays: a
 * program that frees and allocates at its end would fault the same pages in again and
 * again. */
static size_t trim_threshold(const arena_t *a)
{
    size_t threshold =
        atomic_load_explicit(&cm_options.trim_threshold, memory_order_relaxed);
    if (atomic_load_explicit(&cm_options.thresholds_fixed, memory_order_relaxed))
        return threshold;
    size_t share =
        a->system / TRIM_SHARE < TRIM_LEAST ? TRIM_LEAST : a->system / TRIM_SHARE;
    return share > threshold ? share : threshold;
}

void purge_top_locked(arena_t *a)
{
    if (chunk_size(a->top) > trim_threshold(a))
        purge_trim_locked(
            a, atomic_load_explicit(&cm_options.top_pad, memory_order_relaxed));
}

/* The inside of a free chunk: its links before, its footer behind. */
static size_t purge_chunk(mchunkptr c)
{
    char *from = (char *)(c + 1), *to = (char *)c + bin_size(c);
    char *first =
        (char *)os_pages((uintptr_t)from); /* NOLINT(performance-no-int-to-ptr) */
    char *last = to - ((uintptr_t)to & (os_page - 1));
    return first < last && os_purge(first, (size_t)(last - first))
               ? (size_t)(last - first)
               : 0;
}

static size_t purge_bin(mchunkptr first)
{
    size_t bytes = 0;
    mchunkptr c = first;
    while (c != NULL) {
        mchunkptr next = bin_next(c);
        bytes += purge_chunk(c);
        c = next != first ? next : NULL;
    }
    return bytes;
}

size_t purge_all_locked(arena_t *a, size_t pad)
{
    size_t bytes = 0;
    heap_use_small_pages(a->newest);
    for (unsigned i = bin_index(os_page); i < BIN_COUNT; i++)
        bytes += purge_bin(a->bins.first[i]);
    return bytes + purge_trim_locked(a, pad);
}
