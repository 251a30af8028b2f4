/*
 * inspect/stats_out.c - statistics without a call: when the process ends (stats=exit), on
 * a signal (stats_signal), every so many seconds (stats_interval), to standard error or a
 * file (stats_file).
 *
 * No lock is waited for, since whoever holds it may be the thread that the signal has
 * interrupted, or one that has ended: arenas that are busy are left out and named.
 */
#include "base/report.h"
#include "front/purger.h"
#include "inspect/file.h"
#include "inspect/stats.h"
#include "os/os.h"

#include <pthread.h>

/* Many programs close theirs before they end. */
static int standard_error = 2;

static stats_format format_of(const file_path_t *p)
{
    return file_ends(p, ".json")   ? STATS_JSON
           : file_ends(p, ".prom") ? STATS_PROMETHEUS
                                   : STATS_TEXT;
}

static bool write_to_file(int fd, const file_path_t *path)
{
    return stats_print(fd, format_of(path), true);
}

static void write_stats(void)
{
    const char *file = cm_option_text(&cm_options.stats_file);
    if (file == NULL)
        stats_print(standard_error, STATS_TEXT, true);
    else if (!file_write(file, write_to_file))
        cm_warn("statistics cannot be written to", file);
}

static bool at_exit(void)
{
    return atomic_load_explicit(&cm_options.stats, memory_order_relaxed) != 0;
}

static size_t interval(void)
{
    return atomic_load_explicit(&cm_options.stats_interval, memory_order_relaxed);
}

/* The purger's errand, at each of its ticks. */
static void write_if_due(void)
{
    static uint32_t last;
    static bool begun;
    uint32_t now = os_milliseconds();
    if (begun && now - last < 1000 * interval())
        return;
    if (begun)
        write_stats();
    begun = true;
    last = now;
}

static void on_signal(int number)
{
    (void)number;
    write_stats();
}

/* After front/init.c's: the options have been read. */
CM_NEAR __attribute__((constructor(102))) static void stats_init(void)
{
    size_t number = atomic_load_explicit(&cm_options.stats_signal, memory_order_relaxed);
    if (number != 0 && !os_handle((int)number, on_signal))
        cm_warn("stats_signal", "there is no such signal");
    if (interval() != 0 &&
        atomic_load_explicit(&cm_options.background, memory_order_relaxed) == 0)
        cm_warn("stats_interval", "needs background=on");
    if (interval() != 0) {
        purger_errand = write_if_due;
        purger_call();
        pthread_atfork(NULL, NULL, purger_call); /* a child starts its own */
    }
    if ((at_exit() || interval() != 0) &&
        cm_option_text(&cm_options.stats_file) == NULL) {
        int fd = os_duplicate(2);
        standard_error = fd >= 0 ? fd : 2;
    }
}

CM_NEAR __attribute__((destructor(102))) static void stats_fini(void)
{
    if (at_exit())
        write_stats();
}
