/*
 * tools/leaks.c - `cmalloc leaks`: chunks that nothing points to any more.
 *
 * A process is scanned twice, some time apart, unless it is stopped for the scan: then
 * all registers are known. A core stands still, and is scanned once.
 */
#include "inspect/findings.h"
#include "tools/scan.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LEAKS_MOST ((size_t)1 << 22)
#define ROWS 20
#define HEX_COLUMNS 16

typedef struct options {
    scan_options scan;
    bool json, once;
    double interval; /* seconds from one scan to the next */
    size_t rows, hex;
    const char *save, *since;
} options_t;

static double number_option(int *argc, char **argv, const char *name, double otherwise)
{
    const char *text = tool_option(argc, argv, name);
    char *end;
    if (text == NULL)
        return otherwise;
    double n = strtod(text, &end);
    if (end == text || *end != '\0' || n < 0)
        tool_die(TOOL_USAGE, "%s: not a number", text);
    return n;
}

static options_t parse(int *argc, char **argv)
{
    options_t o = {.scan = scan_parse(argc, argv)};
    o.json = tool_flag(argc, argv, "--json");
    o.once = tool_flag(argc, argv, "--once");
    o.interval = number_option(argc, argv, "--interval", 1);
    o.rows = (size_t)number_option(argc, argv, "--rows", ROWS);
    o.hex = (size_t)number_option(argc, argv, "--hex", 0);
    o.save = tool_option(argc, argv, "--save");
    o.since = tool_option(argc, argv, "--since");
    if (*argc != 2)
        tool_usage();
    return o;
}

/* --- the report before this one: an address, a size and a fingerprint in a line --- */

static void save(const leak_list_t *list, const char *path)
{
    FILE *file = fopen(path, "w");
    for (size_t i = 0; file != NULL && i < list->count; i++)
        fprintf(file, "%jx %zu %jx\n", (uintmax_t)leak_mem(&list->leaks[i]),
                list->leaks[i].usable, (uintmax_t)list->leaks[i].fingerprint);
    if (file == NULL || fclose(file) != 0)
        tool_die(TOOL_SYSTEM, "%s: cannot be written", path);
}

static leak_list_t *load(const char *path)
{
    uintmax_t mem, fingerprint;
    size_t usable;
    leak_list_t *list = leak_list_new(LEAKS_MOST);
    FILE *file = fopen(path, "r");
    if (file == NULL || list == NULL)
        tool_die(TOOL_NONE, "%s: cannot be read", path);
    while (list->count < LEAKS_MOST &&
           fscanf(file, "%jx %zu %jx", &mem, &usable, &fingerprint) == 3)
        list->leaks[list->count++] = (leak_t){
            .hidden = ~(uintptr_t)mem, .usable = usable, .fingerprint = fingerprint};
    fclose(file);
    return list;
}

static bool is_same(const leak_t *a, const leak_t *b)
{
    return a->hidden == b->hidden && a->usable == b->usable &&
           a->fingerprint == b->fingerprint;
}

/* Keep what is not in before; both are in order of addresses. Returns how many of before
 * are gone. */
static size_t keep_new(leak_list_t *list, const leak_list_t *before)
{
    size_t kept = 0, j = 0, same = 0;
    list->bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        const leak_t *leak = &list->leaks[i];
        while (j < before->count && leak_mem(&before->leaks[j]) < leak_mem(leak))
            j++;
        if (j < before->count && is_same(leak, &before->leaks[j])) {
            same++;
            continue;
        }
        list->bytes += leak->usable;
        list->leaks[kept++] = *leak;
    }
    list->count = kept;
    return before->count - same;
}

/* --- scanning --- */

typedef struct run {
    scan_t scan;
    leak_list_t *list;
    target_t *target;
    size_t hex;
} run_t;

static void scan_once(run_t *r, const char *name, const options_t *o,
                      const leak_list_t *before)
{
    r->target = target_open(name);
    r->list = leak_list_new(LEAKS_MOST);
    scan_take(&r->scan, r->target, &o->scan, false);
    if (r->list == NULL || !leak_find(&r->scan.scene.reach, before, r->list))
        tool_die(TOOL_SYSTEM, "no memory for the list of leaks");
}

static void forget(run_t *r)
{
    scan_free(&r->scan);
    target_close(r->target);
}

static void wait_for(double seconds)
{
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    nanosleep(&t, NULL);
}

static void scan_all(run_t *r, const char *name, const options_t *o)
{
    scan_once(r, name, o, NULL);
    if (o->once || o->scan.precise || r->target->pid == 0)
        return;
    leak_list_t *before = r->list;
    forget(r);
    wait_for(o->interval);
    scan_once(r, name, o, before);
    leak_list_free(before);
}

/* --- writing --- */

static void put_hex_line(cm_text *t, const unsigned char *bytes, size_t n)
{
    char line[8 + 4 * HEX_COLUMNS + 4], *at = line;
    at += sprintf(at, "    ");
    for (size_t i = 0; i < HEX_COLUMNS; i++)
        at += i < n ? sprintf(at, "%02x ", bytes[i]) : sprintf(at, "   ");
    for (size_t i = 0; i < n; i++)
        *at++ = bytes[i] >= ' ' && bytes[i] < 127 ? (char)bytes[i] : '.';
    *at++ = '\n';
    cm_text_bytes(t, line, (size_t)(at - line));
}

static void put_hex(const leak_t *leak, cm_text *t, void *arg)
{
    run_t *r = arg;
    unsigned char bytes[HEX_COLUMNS];
    size_t most = leak->usable < r->hex ? leak->usable : r->hex;
    for (size_t at = 0; at < most; at += HEX_COLUMNS) {
        size_t n = most - at < HEX_COLUMNS ? most - at : HEX_COLUMNS;
        if (!reader_copy(&r->scan.image.reader, leak_mem(leak) + at, bytes, n))
            return;
        put_hex_line(t, bytes, n);
    }
}

static void add_files(const reader_t *reader, findings_t *f)
{
    for (size_t i = 0; i < reader->map_count; i++) {
        const reader_map *m = &reader->maps[i];
        findings_mapping(&(os_mapping_t){.low = m->from, .high = m->to, .name = m->name},
                         f);
    }
}

static void write_report(run_t *r, const options_t *o)
{
    const uintptr_t samples = (uintptr_t)r->target->root.samples;
    findings_t f = {.list = r->list,
                    .fd = 1,
                    .json = o->json,
                    .rows = o->rows,
                    .reader = &r->target->reader,
                    .samples =
                        profile_rate(&r->target->reader, samples) != 0 ? samples : 0,
                    .symbol = scan_symbol,
                    .detail = o->hex > 0 ? put_hex : NULL,
                    .arg = r};
    add_files(&r->target->reader, &f);
    fflush(stdout);
    findings_write(&f);
    findings_free(&f);
}

int tool_leaks(int argc, char **argv)
{
    const options_t o = parse(&argc, argv);
    run_t r = {.hex = o.hex};
    scan_all(&r, argv[1], &o);
    if (o.since != NULL) {
        leak_list_t *before = load(o.since);
        size_t gone = keep_new(r.list, before);
        fprintf(stderr, "cmalloc: since %s: %zu new, %zu gone\n", o.since, r.list->count,
                gone);
        leak_list_free(before);
    }
    if (o.save != NULL)
        save(r.list, o.save);
    write_report(&r, &o);
    if (r.scan.faults > 0)
        tool_warn("%zu damaged or moving places in the heap were taken as roots",
                  r.scan.faults);
    if (o.scan.precise && r.target->pid > 0)
        fprintf(stderr, "cmalloc: stopped for %.1f ms, %s copied\n",
                r.scan.image.pause * 1e3, tool_size(r.scan.image.copied));
    int status = target_end(r.target, r.list->count > 0 ? TOOL_FOUND : TOOL_OK);
    forget(&r);
    leak_list_free(r.list);
    return status;
}
