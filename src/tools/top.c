/*
 * tools/top.c - `cmalloc top`: the processes on cmalloc, live.
 *
 * Each is walked once a refresh, without being stopped. Processes are looked for anew at
 * every refresh; those that were there stay open. Growth is that of live bytes, a second.
 */
#include "tools/screen.h"
#include "tools/stats.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>

#define PROCESSES_MOST 4096
#define BAR 40

typedef struct process_row {
    target_t *target;
    char name[32];
    cmalloc_stats now;
    size_t resident, live_before;
    double taken, seconds; /* when; between this and the time before, 0: there was none */
    bool seen;
} process_row;

enum { BY_PID, BY_RESIDENT, BY_LIVE, BY_CACHED, BY_FREE, BY_PURGED, BY_GROWTH, ORDERS };

static struct top {
    process_row *rows[PROCESSES_MOST];
    size_t count, chosen;
    unsigned order;
    stats_set_t set;
    int named; /* arguments: only these */
    char **names;
} top = {.order = BY_RESIDENT};

/* --- collecting --- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_name(process_row *p)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)p->target->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    if (fgets(p->name, sizeof p->name, file) != NULL)
        p->name[strcspn(p->name, "\n")] = '\0';
    fclose(file);
}

static size_t resident_of(const target_t *t)
{
    char path[64];
    size_t pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)t->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %zu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * t->reader.page;
}

static process_row *row_of(pid_t pid)
{
    for (size_t i = 0; i < top.count; i++)
        if (top.rows[i]->target->pid == pid)
            return top.rows[i];
    return NULL;
}

static void add_process(pid_t pid)
{
    process_row *p = row_of(pid);
    target_t *t = p != NULL || top.count == PROCESSES_MOST ? NULL : target_try(pid);
    if (t != NULL) {
        p = tool_alloc(sizeof *p);
        p->target = t;
        read_name(p);
        top.rows[top.count++] = p;
    }
    if (p != NULL)
        p->seen = true;
}

static void look_for_processes(void)
{
    DIR *all = opendir("/proc");
    for (struct dirent *e; all != NULL && (e = readdir(all)) != NULL;) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        if (pid > 0)
            add_process(pid);
    }
    if (all != NULL)
        closedir(all);
}

static void look_for_names(void)
{
    for (int i = 0; i < top.named; i++)
        add_process((pid_t)strtol(top.names[i], NULL, 10));
}

static void measure(process_row *p)
{
    double before = p->taken;
    p->live_before = p->now.live;
    target_stats(p->target, &top.set);
    p->now = top.set.total;
    p->resident = resident_of(p->target);
    p->taken = now();
    p->seconds = before == 0 ? 0 : p->taken - before;
}

/* Those that have gone, or run another program by now. */
static void drop_others(void)
{
    size_t n = 0;
    for (size_t i = 0; i < top.count; i++) {
        process_row *p = top.rows[i];
        if (p->seen && !p->target->vanished && p->now.mapped != 0) {
            top.rows[n++] = p;
            continue;
        }
        target_close(p->target);
        free(p);
    }
    top.count = n;
}

static double growth_of(const process_row *p)
{
    return p->seconds == 0 ? 0
                           : ((double)p->now.live - (double)p->live_before) / p->seconds;
}

static double key_of(const process_row *p)
{
    switch (top.order) {
    case BY_PID:
        return -(double)p->target->pid;
    case BY_RESIDENT:
        return (double)p->resident;
    case BY_LIVE:
        return (double)p->now.live;
    case BY_CACHED:
        return (double)p->now.cached;
    case BY_FREE:
        return (double)p->now.free_resident;
    case BY_PURGED:
        return (double)p->now.free_purged;
    default:
        return growth_of(p);
    }
}

static int compare(const void *a, const void *b)
{
    double x = key_of(*(process_row *const *)a), y = key_of(*(process_row *const *)b);
    return x > y ? -1 : x < y;
}

/* The chosen row stays with its process. */
static void refresh(void)
{
    const process_row *chosen = top.chosen < top.count ? top.rows[top.chosen] : NULL;
    for (size_t i = 0; i < top.count; i++)
        top.rows[i]->seen = false;
    if (top.named > 0)
        look_for_names();
    else
        look_for_processes();
    for (size_t i = 0; i < top.count; i++)
        if (top.rows[i]->seen)
            measure(top.rows[i]);
    drop_others();
    if (top.count > 0)
        qsort(top.rows, top.count, sizeof *top.rows, compare);
    for (size_t i = 0; i < top.count; i++)
        if (top.rows[i] == chosen)
            top.chosen = i;
    if (top.chosen >= top.count)
        top.chosen = top.count > 0 ? top.count - 1 : 0;
}

/* --- drawing --- */

static void head_text(char *text, size_t size)
{
    static const char *const heads[ORDERS] = {"PID",  "RESIDENT",  "LIVE",    "CACHED",
                                              "FREE", "NOT THERE", "GROWTH/s"};
    size_t n = 0;
    for (unsigned i = 0; i < ORDERS && n < size; i++)
        n +=
            (size_t)snprintf(text + n, size - n, i == BY_PID ? "%8s" : " %11s", heads[i]);
    if (n < size)
        snprintf(text + n, size - n, "  PROGRAM");
}

static const char *growth_text(const process_row *p)
{
    static char text[32];
    double growth = growth_of(p);
    if (p->seconds == 0)
        return "-";
    snprintf(text, sizeof text, "%s%s", growth < 0 ? "-" : "+",
             tool_size((size_t)(growth < 0 ? -growth : growth)));
    return text;
}

static void row_text(const process_row *p, char *text, size_t size)
{
    snprintf(text, size, "%8d %11s %11s %11s %11s %11s %11s  %s", (int)p->target->pid,
             tool_size(p->resident), tool_size(p->now.live), tool_size(p->now.cached),
             tool_size(p->now.free_resident), tool_size(p->now.free_purged),
             growth_text(p), p->name);
}

static void draw_bar(const char *what, size_t part, size_t whole)
{
    char bar[BAR + 1];
    size_t n = whole == 0 ? 0 : (size_t)((double)part / (double)whole * BAR + 0.5);
    n = n > BAR ? BAR : n;
    memset(bar, '#', n);
    bar[n] = '\0';
    screen_line(false);
    screen_put("  %-28s %11s %7s  %s", what, tool_size(part), tool_share(part, whole),
               bar);
}

static void draw_chosen(const process_row *p)
{
    const cmalloc_stats *s = &p->now;
    screen_line(false);
    screen_line(false);
    screen_put("%d %s: %s mapped, %zu arenas, %zu heaps, %zu threads",
               (int)p->target->pid, p->name, tool_size(s->mapped), s->arena_count,
               s->heap_count, s->thread_count);
    draw_bar("in use by the program", s->live, s->mapped);
    draw_bar("headers of what is in use", s->overhead, s->mapped);
    draw_bar("in caches", s->cached, s->mapped);
    draw_bar("free, in memory", s->free_resident, s->mapped);
    draw_bar("free, not in memory", s->free_purged, s->mapped);
    draw_bar("bookkeeping", s->metadata, s->mapped);
}

static void draw(void)
{
    char text[256];
    int rows, columns;
    screen_size(&rows, &columns);
    screen_put("cmalloc top: %zu processes; up, down: choose; left, right: order; q: end",
               top.count);
    screen_line(true);
    head_text(text, sizeof text);
    screen_put("%-*s", columns, text);
    size_t room = rows > 13 ? (size_t)rows - 11 : 2;
    size_t first = top.chosen >= room ? top.chosen - room + 1 : 0;
    for (size_t i = first; i < top.count && i < first + room; i++) {
        row_text(top.rows[i], text, sizeof text);
        screen_line(i == top.chosen);
        screen_put("%s", text);
    }
    if (top.count > 0)
        draw_chosen(top.rows[top.chosen]);
    screen_show();
}

/* False: the end. */
static bool take_key(screen_key key)
{
    if (key == KEY_UP && top.chosen > 0)
        top.chosen--;
    else if (key == KEY_DOWN && top.chosen + 1 < top.count)
        top.chosen++;
    else if (key == KEY_LEFT || key == KEY_RIGHT)
        top.order = (top.order + (key == KEY_LEFT ? ORDERS - 1 : 1)) % ORDERS;
    return key != KEY_QUIT;
}

static int run_live(double interval)
{
    bool more = true;
    screen_begin();
    while (more) {
        double until;
        refresh();
        until = now() + interval;
        do {
            draw();
            double left = until - now();
            more = take_key(screen_wait(left > 0 ? (int)(left * 1000) : 0));
        } while (more && now() < until);
    }
    screen_end();
    return TOOL_OK;
}

static int run_once(double interval, bool twice)
{
    char text[256];
    refresh();
    if (twice) {
        struct timespec pause = {.tv_sec = (time_t)interval};
        pause.tv_nsec = (long)((interval - (double)pause.tv_sec) * 1e9);
        nanosleep(&pause, NULL);
        refresh();
    }
    head_text(text, sizeof text);
    puts(text);
    for (size_t i = 0; i < top.count; i++) {
        row_text(top.rows[i], text, sizeof text);
        puts(text);
    }
    return top.count > 0 || top.named == 0 ? TOOL_OK : TOOL_NOT_OURS;
}

int tool_top(int argc, char **argv)
{
    bool once = tool_flag(&argc, argv, "-1");
    const char *seconds = tool_option(&argc, argv, "-d");
    double interval = seconds == NULL ? 2 : strtod(seconds, NULL);
    if (!(interval >= 0.1 && interval <= 3600))
        tool_usage();
    for (int i = 1; i < argc; i++)
        if (argv[i][strspn(argv[i], "0123456789")] != '\0')
            tool_usage();
    top.named = argc - 1;
    top.names = argv + 1;
    if (once || !screen_possible())
        return run_once(interval, seconds != NULL);
    return run_live(interval);
}
