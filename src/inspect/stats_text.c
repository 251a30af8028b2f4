/*
 * inspect/stats_text.c - statistics as text, as JSON and for Prometheus, from one table
 * of the fields. README.md has the schema of the JSON.
 */
#include "inspect/stats.h"

#include "base/text.h"

typedef struct stats_field {
    char name[20];  /* in JSON; Prometheus: cmalloc_<name> */
    char what[44];  /* for people */
    uint16_t place; /* in cmalloc_stats */
    uint16_t kind;
} stats_field;

enum { PART, BYTES, COUNT, CALLS };

#define FIELD(name, kind, what) \
    { \
#name, what, offsetof(cmalloc_stats, name), kind \
    }

/* PARTs add up to mapped. */
static const stats_field stats_fields[] = {
    FIELD(mapped, BYTES, "mapped"),
    FIELD(live, PART, "in use by the program"),
    FIELD(overhead, PART, "headers of what is in use"),
    FIELD(cached, PART, "in caches, ready to hand out"),
    FIELD(free_resident, PART, "free, in memory"),
    FIELD(free_purged, PART, "free, not in memory"),
    FIELD(metadata, PART, "bookkeeping"),
    FIELD(damaged, PART, "damaged"),
    FIELD(heaps, BYTES, "heaps"),
    FIELD(mmapped, BYTES, "mmapped chunks"),
    FIELD(kept, BYTES, "mappings kept for reuse"),
    FIELD(reserved, BYTES, "reserved beyond that"),
    FIELD(binned, BYTES, "free chunks"),
    FIELD(free_largest, BYTES, "largest free chunk"),
    FIELD(top, BYTES, "top"),
    FIELD(heaps_most, BYTES, "heaps, at most"),
    FIELD(mmapped_most, BYTES, "mmapped chunks, at most"),
    FIELD(arena_count, COUNT, "arenas"),
    FIELD(heap_count, COUNT, "heaps"),
    FIELD(live_count, COUNT, "chunks in use"),
    FIELD(cached_count, COUNT, "chunks in caches"),
    FIELD(free_count, COUNT, "free chunks"),
    FIELD(mmapped_count, COUNT, "mmapped chunks"),
    FIELD(kept_count, COUNT, "mappings kept"),
    FIELD(thread_count, COUNT, "threads with a cache"),
    FIELD(mapped_most, BYTES, "mapped, at most"),
    FIELD(allocations, CALLS, "chunks handed out"),
    FIELD(frees, CALLS, "chunks given back"),
    FIELD(misses, CALLS, "changes of a thread's magazine"),
    FIELD(returns, CALLS, "calls that gave memory to the system"),
    FIELD(returned, CALLS, "bytes that they gave it"),
};
#define STATS_FIELDS (sizeof stats_fields / sizeof *stats_fields)
_Static_assert(STATS_FIELDS == sizeof(cmalloc_stats) / sizeof(size_t),
               "every field is written");

static size_t value_of(const cmalloc_stats *s, const stats_field *f)
{
    return *(const size_t *)(const void *)((const char *)s + f->place);
}

/* n right-aligned, with a comma between thousands. */
static void put_grouped(cm_text *t, size_t n, unsigned width)
{
    char reversed[28];
    unsigned count = 0, digits = 0;
    do {
        if (digits > 0 && digits % 3 == 0)
            reversed[count++] = ',';
        reversed[count++] = (char)('0' + n % 10);
        n /= 10;
        digits++;
    } while (n != 0);
    for (unsigned i = count; i < width; i++)
        cm_text_string(t, " ");
    while (count > 0) {
        char one[2] = {reversed[--count], '\0'};
        cm_text_string(t, one);
    }
}

/* --- text --- */

static void put_line(cm_text *t, const cmalloc_stats *s, const stats_field *f)
{
    size_t n = value_of(s, f);
    put_grouped(t, n, 20);
    cm_text_string(t, f->kind == PART ? "    " : "  ");
    cm_text_string(t, f->what);
    if (f->kind == PART && s->mapped != 0) {
        cm_text_string(t, "  ");
        cm_text_number(t,
                       n <= SIZE_MAX / 100 ? n * 100 / s->mapped : n / (s->mapped / 100));
        cm_text_string(t, " %");
    }
    cm_text_string(t, "\n");
}

static void put_sums(cm_text *t, const cmalloc_stats *s)
{
    for (unsigned kind = PART; kind <= CALLS; kind++) {
        if (kind == COUNT)
            cm_text_string(t, "\n");
        for (const stats_field *f = stats_fields; f < stats_fields + STATS_FIELDS; f++) {
            bool listed = f->kind == kind && (kind != BYTES || f != stats_fields);
            if (kind == PART && f == stats_fields)
                listed = true; /* what the parts are parts of */
            if (listed && (value_of(s, f) != 0 || kind == PART))
                put_line(t, s, f);
        }
        if (kind == PART)
            cm_text_string(t, "\n");
    }
}

static void write_text(cm_text *t, const stats_set_t *set)
{
    for (unsigned i = 0; i < set->arena_count && set->arena_count > 1; i++) {
        cm_text_string(t, "arena ");
        cm_text_number(t, i);
        cm_text_string(t, set->busy[i] ? ": busy\n" : "\n");
        if (!set->busy[i])
            put_sums(t, &set->arenas[i]);
        cm_text_string(t, "\n");
    }
    cm_text_string(t, "all\n");
    put_sums(t, &set->total);
}

/* --- JSON --- */

static void put_object(cm_text *t, const cmalloc_stats *s)
{
    for (const stats_field *f = stats_fields; f < stats_fields + STATS_FIELDS; f++) {
        cm_text_string(t, f == stats_fields ? "\"" : ", \"");
        cm_text_string(t, f->name);
        cm_text_string(t, "\": ");
        cm_text_number(t, value_of(s, f));
    }
}

static void write_json(cm_text *t, const stats_set_t *set, int pid)
{
    cm_text_string(t, "{\"schema\": 1, \"pid\": ");
    if (pid != 0)
        cm_text_number(t, (uint64_t)pid);
    else
        cm_text_string(t, "null");
    cm_text_string(t, ",\n \"total\": {");
    put_object(t, &set->total);
    cm_text_string(t, "},\n \"arenas\": [");
    for (unsigned i = 0; i < set->arena_count; i++) {
        cm_text_string(t, i == 0 ? "\n  {\"arena\": " : ",\n  {\"arena\": ");
        cm_text_number(t, i);
        cm_text_string(t, set->busy[i] ? ", \"busy\": true, " : ", \"busy\": false, ");
        put_object(t, &set->arenas[i]);
        cm_text_string(t, "}");
    }
    cm_text_string(t, "\n ]}\n");
}

/* --- Prometheus --- */

static void put_sample(cm_text *t, const stats_field *f, const char *start)
{
    cm_text_string(t, start);
    cm_text_string(t, "cmalloc_");
    cm_text_string(t, f->name);
    cm_text_string(t, f->kind == PART || f->kind == BYTES ? "_bytes"
                      : f->kind == CALLS                  ? "_total"
                                                          : "");
}

static void put_metric(cm_text *t, const stats_set_t *set, const stats_field *f)
{
    put_sample(t, f, "# HELP ");
    cm_text_string(t, " ");
    cm_text_string(t, f->what);
    put_sample(t, f, "\n# TYPE ");
    cm_text_string(t, f->kind == CALLS ? " counter\n" : " gauge\n");
    for (unsigned i = 0; i < set->arena_count; i++)
        if (!set->busy[i]) {
            put_sample(t, f, "");
            cm_text_string(t, "{arena=\"");
            cm_text_number(t, i);
            cm_text_string(t, "\"} ");
            cm_text_number(t, value_of(&set->arenas[i], f));
            cm_text_string(t, "\n");
        }
    put_sample(t, f, "");
    cm_text_string(t, "{arena=\"none\"} ");
    cm_text_number(t, value_of(&set->process, f));
    cm_text_string(t, "\n");
}

static void write_prometheus(cm_text *t, const stats_set_t *set)
{
    for (const stats_field *f = stats_fields; f < stats_fields + STATS_FIELDS; f++)
        put_metric(t, set, f);
}

bool stats_format_of(const char *name, stats_format *format)
{
    static const char names[][12] = {"text", "json", "prometheus"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (cm_equals(names[i], name, cm_length(name))) {
            *format = (stats_format)i;
            return true;
        }
    return false;
}

void stats_write(cm_text *t, const stats_set_t *set, stats_format format, int pid)
{
    if (format == STATS_JSON)
        write_json(t, set, pid);
    else if (format == STATS_PROMETHEUS)
        write_prometheus(t, set);
    else
        write_text(t, set);
    cm_text_flush(t);
}
