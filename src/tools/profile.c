/*
 * tools/profile.c - `cmalloc profile`: who has allocated what is live, or all there ever
 * was, in a process or a core that runs with the option profile.
 *
 * As the text that google-pprof reads, as folded stacks, "main;grow;malloc_it 4096", or
 * as a page with a flame graph: there each sample counts for what it stands for.
 */
#include "front/sample.h"
#include "inspect/profile.h"
#include "tools/flame.h"
#include "tools/scan.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct folding {
    findings_t files; /* their mappings, to name addresses by */
    cm_text text;
    flame_t flame;
    size_t rate;
    bool all; /* not only what is live */
} folding_t;

/* --- estimates --- */

/* 1 - exp(-x), of x >= 0: by the series of a small part of x, which then is doubled. */
static double chance_of(double x)
{
    const unsigned doublings = 10;
    double part = x / (1u << doublings), missed = 1;
    if (x > 64)
        return 1;
    missed = 1 - part * (1 - part / 2 * (1 - part / 3));
    for (unsigned i = 0; i < doublings; i++)
        missed *= missed;
    return 1 - missed;
}

/* The bytes that count samples of these bytes stand for. */
static uint64_t estimate(size_t count, size_t bytes, size_t rate)
{
    if (count == 0)
        return 0;
    double each = (double)bytes / (double)count;
    return (uint64_t)((double)bytes / chance_of(each / (double)rate) + 0.5);
}

/* --- folded stacks --- */

static const file_map_t *file_of(const folding_t *f, uintptr_t address)
{
    const file_map_t *places = f->files.places.at;
    for (size_t i = 0; i < f->files.places.used / sizeof *places; i++)
        if (address - places[i].low < places[i].high - places[i].low)
            return &places[i];
    return NULL;
}

/* Of a name what stands before its offset; ';' parts the frames. */
static void put_name(cm_text *t, const cm_text *name)
{
    size_t length = 0;
    while (length < name->used && name->bytes[length] != '+')
        length++;
    for (size_t i = 0; i < length; i++)
        cm_text_bytes(t, name->bytes[i] == ';' ? ":" : &name->bytes[i], 1);
}

/* The call lies before the address that it returns to. */
static void put_frame(const folding_t *f, cm_text *t, uintptr_t address)
{
    cm_text name = {.used = 0, .fd = -1};
    const file_map_t *place = file_of(f, address - 1);
    if (place != NULL && scan_symbol(place, address - 1, &name)) {
        put_name(t, &name);
        return;
    }
    const char *base = place == NULL ? NULL : strrchr(place->name, '/');
    if (base == NULL) {
        cm_text_hex(t, address);
        return;
    }
    cm_text_string(t, base + 1);
    cm_text_string(t, "@");
    cm_text_digits(t, address - 1 - place->base);
}

static uint64_t bytes_of(const folding_t *f, const profile_site_t *site)
{
    return f->all ? estimate(site->all, site->all_bytes, f->rate)
                  : estimate(site->live, site->live_bytes, f->rate);
}

static void enter_flame(const profile_site_t *site, void *arg)
{
    folding_t *f = arg;
    flame_t *at = &f->flame;
    uint64_t bytes = bytes_of(f, site);
    at->bytes += bytes;
    for (size_t i = bytes > 0 ? site->depth : 0; i-- > 0;) {
        cm_text name = {.used = 0, .fd = -1};
        put_frame(f, &name, site->frames[i]);
        name.bytes[name.used < sizeof name.bytes ? name.used : sizeof name.bytes - 1] =
            '\0';
        at = flame_enter(at, name.bytes, bytes);
    }
}

static void put_folded(const profile_site_t *site, void *arg)
{
    folding_t *f = arg;
    uint64_t bytes = bytes_of(f, site);
    if (bytes == 0)
        return;
    if (site->depth == 0)
        cm_text_string(&f->text, "unknown");
    for (size_t i = site->depth; i-- > 0;) {
        put_frame(f, &f->text, site->frames[i]);
        cm_text_string(&f->text, i > 0 ? ";" : "");
    }
    cm_text_string(&f->text, " ");
    cm_text_number(&f->text, bytes);
    cm_text_string(&f->text, "\n");
}

/* --- mappings --- */

/* A core does not say where in its file a mapping begins: taken as its distance from the
 * file's first one. */
static void each_map(const target_t *t, void (*visit)(const os_mapping_t *, void *),
                     void *arg)
{
    const reader_map *first = t->maps;
    for (size_t i = 0; i < t->reader.map_count; i++) {
        const reader_map *m = &t->maps[i];
        if (i == 0 || strcmp(m->name, first->name) != 0)
            first = m;
        visit(&(os_mapping_t){.low = m->from,
                              .high = m->to,
                              .readable = m->readable,
                              .writable = m->writable,
                              .executable = m->executable,
                              .offset = m->from - first->from,
                              .name = m->name},
              arg);
    }
}

static void fold(target_t *t, folding_t *f, uintptr_t table)
{
    each_map(t, findings_mapping, &f->files);
    profile_each(&t->reader, table, put_folded, f);
    findings_free(&f->files);
}

static void draw(target_t *t, folding_t *f, uintptr_t table)
{
    char title[300];
    FILE *to = fdopen(dup(f->text.fd), "w");
    if (to == NULL)
        tool_die(TOOL_SYSTEM, "the page cannot be written");
    f->flame.name = f->all ? "all that was allocated" : "all that is live";
    each_map(t, findings_mapping, &f->files);
    profile_each(&t->reader, table, enter_flame, f);
    findings_free(&f->files);
    snprintf(title, sizeof title, "%s: who has allocated it", t->name);
    flame_page(&f->flame, title, to);
    flame_free(&f->flame);
    if (fclose(to) != 0)
        tool_die(TOOL_SYSTEM, "the page cannot be written");
}

static void write_text(target_t *t, cm_text *text, uintptr_t table)
{
    profile_write(text, &t->reader, table);
    if (t->pid == 0 || !os_mappings(t->pid, profile_mapping, text))
        each_map(t, profile_mapping, text);
}

static int open_output(const char *path)
{
    int fd = path == NULL ? STDOUT_FILENO
                          : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        tool_die(TOOL_SYSTEM, "%s: cannot be written", path);
    return fd;
}

int tool_profile(int argc, char **argv)
{
    bool folded = tool_flag(&argc, argv, "--folded");
    bool page = tool_flag(&argc, argv, "--html");
    folding_t f = {.all = tool_flag(&argc, argv, "--all")};
    const char *path = tool_option(&argc, argv, "-o");
    if (argc != 2 || (folded && page) || (f.all && !folded && !page))
        tool_usage();
    target_t *t = target_open(argv[1]);
    uintptr_t table = (uintptr_t)t->root.samples;
    f.rate = profile_rate(&t->reader, table);
    if (f.rate == 0)
        tool_die(TOOL_NOT_OURS, "%s: runs without the option profile", t->name);
    f.text.fd = open_output(path);
    if (folded)
        fold(t, &f, table);
    else if (page)
        draw(t, &f, table);
    else
        write_text(t, &f.text, table);
    cm_text_flush(&f.text);
    if (path != NULL && close(f.text.fd) != 0)
        tool_die(TOOL_SYSTEM, "%s: cannot be written", path);
    int status = target_end(t, TOOL_OK);
    target_close(t);
    return status;
}
