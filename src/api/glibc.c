/*
 * api/glibc.c - glibc's extensions with their documented contents (mallinfo(3),
 * mallopt(3), malloc_info(3), malloc_stats(3), malloc_trim(3)).
 */
#include "base/options.h"
#include "base/report.h"
#include "base/text.h"
#include "front/front.h"
#include "inspect/stats.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

/* The layouts that glibc's <malloc.h> declares; musl has no such header. */
struct mallinfo {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
        keepcost;
};
struct mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
        keepcost;
};

int malloc_trim(size_t pad);
void malloc_stats(void);
int malloc_info(int options, FILE *stream);
struct mallinfo mallinfo(void);
struct mallinfo2 mallinfo2(void);
int mallopt(int param, int value);

CM_EXPORT int malloc_trim(size_t pad) { return front_trim(pad); }

static struct mallinfo2 info(void)
{
    cmalloc_stats s;
    stats_all(&s);
    return (struct mallinfo2){.arena = s.heaps,
                              .ordblks = s.free_count,
                              .smblks = s.cached_count,
                              .fsmblks = s.cached,
                              .hblks = s.mmapped_count,
                              .hblkhd = s.mmapped,
                              .uordblks = s.heaps - s.binned - s.top - s.cached,
                              .fordblks = s.binned + s.top + s.cached,
                              .keepcost = s.top};
}

CM_EXPORT struct mallinfo2 mallinfo2(void) { return info(); }

static int as_int(size_t n) { return n > INT_MAX ? INT_MAX : (int)n; }

CM_EXPORT struct mallinfo mallinfo(void)
{
    struct mallinfo2 m = info();
    return (struct mallinfo){.arena = as_int(m.arena),
                             .ordblks = as_int(m.ordblks),
                             .smblks = as_int(m.smblks),
                             .fsmblks = as_int(m.fsmblks),
                             .hblks = as_int(m.hblks),
                             .hblkhd = as_int(m.hblkhd),
                             .uordblks = as_int(m.uordblks),
                             .fordblks = as_int(m.fordblks),
                             .keepcost = as_int(m.keepcost)};
}

/* --- mallopt: 1 for success, 0 for an unknown number or a value that is not valid --- */

enum {
    TRIM_THRESHOLD = -1,
    TOP_PAD = -2,
    MMAP_THRESHOLD = -3,
    MMAP_MAX = -4,
    CHECK_ACTION = -5,
    PERTURB = -6,
    ARENA_TEST = -7,
    LIMIT_ARENAS = -8,
    MXFAST = 1
};

static int threshold(_Atomic size_t *option, size_t value, size_t most)
{
    if (value > most)
        return 0;
    return cm_option_store(option, value) &&
           cm_option_store(&cm_options.thresholds_fixed, 1);
}

CM_EXPORT int mallopt(int param, int value)
{
    size_t n = (size_t)(ptrdiff_t)value; /* -1 is the largest: never trim */
    switch (param) {
    case TRIM_THRESHOLD:
        return threshold(&cm_options.trim_threshold, n, SIZE_MAX);
    case TOP_PAD:
        return threshold(&cm_options.top_pad, n, HEAP_MAX_SIZE);
    case MMAP_THRESHOLD:
        return threshold(&cm_options.mmap_threshold, n, MMAP_THRESHOLD_MAX);
    case MMAP_MAX:
        return value < 0 ? 0 : threshold(&cm_options.mmap_max, n, SIZE_MAX);
    case PERTURB:
        return cm_option_store(&cm_options.perturb, n & 0xff);
    case LIMIT_ARENAS:
        if (value <= 0)
            return 0;
        if (!cm_option_store(&cm_options.arena_max, n))
            return 0;
        arena_limit_init(1);
        return 1;
    case CHECK_ACTION: /* accepted as in glibc, without effect: checks are always on */
    case ARENA_TEST:
    case MXFAST:
        return 1;
    default:
        return 0;
    }
}

/* --- text --- */

static void line(cm_text *t, const char *name, size_t n)
{
    cm_text_string(t, name);
    cm_text_string(t, " = ");
    cm_text_number(t, n);
    cm_text_string(t, "\n");
}

/* As glibc counts it: bookkeeping is in use. */
static size_t in_use(const cmalloc_stats *s)
{
    return s->heaps - s->binned - s->top - s->cached;
}

CM_EXPORT void malloc_stats(void)
{
    cm_text t = {.used = 0, .fd = 2};
    cmalloc_stats s;
    for (unsigned i = 0; i < arena_count(); i++) {
        stats_arena(arena_at(i), &s, NULL);
        cm_text_string(&t, "Arena ");
        cm_text_number(&t, i);
        cm_text_string(&t, ":\n");
        line(&t, "system bytes    ", s.heaps);
        line(&t, "in use bytes    ", in_use(&s));
    }
    stats_all(&s);
    cm_text_string(&t, "Total (incl. mmap):\n");
    line(&t, "system bytes    ", s.heaps + s.mmapped);
    line(&t, "in use bytes    ", in_use(&s) + s.mmapped);
    line(&t, "mmap regions    ", s.mmapped_count);
    line(&t, "mmap bytes      ", s.mmapped);
    cm_text_flush(&t);
}

typedef struct attribute {
    char name[8];
    size_t value;
} attribute_t;

/* <start a="1" b="2"/> */
static void info_element(FILE *stream, const char *start, const attribute_t *attributes,
                         unsigned count)
{
    cm_text t = {.used = 0, .fd = -1};
    cm_text_string(&t, start);
    for (unsigned i = 0; i < count; i++) {
        cm_text_string(&t, " ");
        cm_text_string(&t, attributes[i].name);
        cm_text_string(&t, "=\"");
        cm_text_number(&t, attributes[i].value);
        cm_text_string(&t, "\"");
    }
    cm_text_string(&t, "/>\n");
    fwrite(t.bytes, 1, t.used, stream);
}

static void info_total(FILE *stream, const char *start, size_t count, size_t size)
{
    const attribute_t both[] = {{"count", count}, {"size", size}};
    info_element(stream, start, both, 2);
}

static void info_size(FILE *stream, const char *start, size_t size)
{
    const attribute_t one[] = {{"size", size}};
    info_element(stream, start, one, 1);
}

/* The elements that glibc's malloc_info writes for an arena and, once more, for all of
 * them. As there, top is among the rest. */
static void info_sums(FILE *stream, const cmalloc_stats *s)
{
    info_total(stream, "<total type=\"fast\"", s->cached_count, s->cached);
    info_total(stream, "<total type=\"rest\"", s->free_count, s->binned + s->top);
    info_size(stream, "<system type=\"current\"", s->heaps);
    info_size(stream, "<system type=\"max\"", s->heaps_most);
    info_size(stream, "<aspace type=\"total\"", s->heaps);
}

static void info_text(FILE *stream, const char *text)
{
    fwrite(text, 1, cm_length(text), stream);
}

/* Free and cached chunks by the bin that is theirs, or would be. */
typedef struct info_sizes {
    struct {
        size_t from, to, total, count;
    } bins[BIN_COUNT];
} info_sizes_t;

static int info_note(const cmalloc_item *item, void *arg)
{
    info_sizes_t *sizes = arg;
    if (item->kind != CMALLOC_FREE && item->kind != CMALLOC_CACHED)
        return 0;
    unsigned k = bin_index(item->size);
    size_t from = sizes->bins[k].from, to = sizes->bins[k].to;
    sizes->bins[k].from = from == 0 || item->size < from ? item->size : from;
    sizes->bins[k].to = item->size > to ? item->size : to;
    sizes->bins[k].total += item->size;
    sizes->bins[k].count++;
    return 0;
}

static void info_write_sizes(FILE *stream, arena_t *a)
{
    info_sizes_t sizes = {0};
    if (!arena_lock(a))
        return;
    walk_arena_locked(a, info_note, &sizes);
    arena_unlock(a); /* the stream may allocate */
    for (unsigned k = 0; k < BIN_COUNT; k++) {
        const attribute_t all[] = {{"from", sizes.bins[k].from},
                                   {"to", sizes.bins[k].to},
                                   {"total", sizes.bins[k].total},
                                   {"count", sizes.bins[k].count}};
        if (sizes.bins[k].count != 0)
            info_element(stream, "<size", all, 4);
    }
}

static void info_arena(FILE *stream, unsigned index)
{
    cm_text t = {.used = 0, .fd = -1};
    cmalloc_stats s;
    if (!stats_arena(arena_at(index), &s, NULL))
        return;
    cm_text_string(&t, "<heap nr=\"");
    cm_text_number(&t, index);
    cm_text_string(&t, "\">\n<sizes>\n");
    fwrite(t.bytes, 1, t.used, stream);
    info_write_sizes(stream, arena_at(index));
    info_text(stream, "</sizes>\n");
    info_sums(stream, &s);
    info_text(stream, "</heap>\n");
}

CM_EXPORT int malloc_info(int options, FILE *stream)
{
    cmalloc_stats s;
    if (options != 0) {
        errno = EINVAL;
        return -1;
    }
    info_text(stream, "<malloc version=\"1\">\n");
    for (unsigned i = 0; i < arena_count(); i++)
        info_arena(stream, i);
    stats_all(&s);
    info_total(stream, "<total type=\"mmap\"", s.mmapped_count, s.mmapped);
    info_sums(stream, &s);
    info_text(stream, "</malloc>\n");
    return 0;
}
