/*
 * inspect/stats_out.c - statistics without a call: when the process ends (stats=exit), on
 * a signal (stats_signal), to standard error or a file (stats_file).
 *
 * No lock is waited for, since whoever holds it may be the thread that the signal has
 * interrupted, or one that has ended: arenas that are busy are left out and named. A file
 * is written beside its place and renamed, so that a reader finds the old one or the new
 * one, whole.
 */
#include "base/options.h"
#include "base/text.h"
#include "inspect/stats.h"
#include "os/stop.h"

#define PATH_MOST (OPTION_TEXT_MOST + 32)

typedef struct stats_path {
    char text[PATH_MOST];
    size_t length;
} stats_path;

/* Many programs close theirs before they end. */
static int standard_error = 2;

static void path_add(stats_path *p, const char *s, size_t count)
{
    for (size_t i = 0; i < count && p->length + 1 < sizeof p->text; i++)
        p->text[p->length++] = s[i];
    p->text[p->length] = '\0';
}

/* The option's text with %p as the process's id: a program that forks writes several. */
static void path_make(stats_path *p, const char *option)
{
    p->length = 0;
    while (*option != '\0') {
        if (!cm_starts_with(option, "%p")) {
            path_add(p, option++, 1);
            continue;
        }
        cm_text t = {.used = 0, .fd = -1};
        cm_text_number(&t, (uint64_t)os_process());
        path_add(p, t.bytes, t.used);
        option += 2;
    }
}

static bool path_ends(const stats_path *p, const char *end)
{
    size_t length = cm_length(end);
    return p->length >= length && cm_equals(p->text + p->length - length, end, length);
}

static stats_format format_of(const stats_path *p)
{
    return path_ends(p, ".json")   ? STATS_JSON
           : path_ends(p, ".prom") ? STATS_PROMETHEUS
                                   : STATS_TEXT;
}

static bool write_file(const char *option)
{
    stats_path path, beside;
    path_make(&path, option);
    beside.length = 0;
    path_add(&beside, path.text, path.length);
    path_add(&beside, ".new", 4);
    int fd = os_create(beside.text);
    if (fd < 0)
        return false;
    bool done = stats_print(fd, format_of(&path), true);
    os_close(fd);
    return done && os_rename(beside.text, path.text);
}

static void write_stats(void)
{
    const char *file = cm_option_text(&cm_options.stats_file);
    if (file == NULL)
        stats_print(standard_error, STATS_TEXT, true);
    else if (!write_file(file))
        cm_warn("statistics cannot be written to", file);
}

static bool at_exit(void)
{
    return atomic_load_explicit(&cm_options.stats, memory_order_relaxed) != 0;
}

static void on_signal(int number)
{
    (void)number;
    write_stats();
}

/* After front/init.c's: the options have been read. */
__attribute__((constructor(102))) static void stats_init(void)
{
    size_t number = atomic_load_explicit(&cm_options.stats_signal, memory_order_relaxed);
    if (number != 0 && !os_handle((int)number, on_signal))
        cm_warn("stats_signal", "there is no such signal");
    if (at_exit() && cm_option_text(&cm_options.stats_file) == NULL) {
        int fd = os_duplicate(2);
        standard_error = fd >= 0 ? fd : 2;
    }
}

__attribute__((destructor(102))) static void stats_fini(void)
{
    if (at_exit())
        write_stats();
}
