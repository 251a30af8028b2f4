/*
 * tools/stats.c - `cmalloc stats`: where the memory of a process, or in a core, is.
 *
 * The target is not stopped. Where a change is caught in the middle it looks like damage:
 * then all is added up anew, a few times; a heap that never stands still is stopped for
 * the time of the walk. Of a core, damage is damage.
 */
#include "tools/stats.h"

#include <stdio.h>

#define ATTEMPTS 4

typedef struct attempt {
    stats_set_t *set;
    size_t faults;
} attempt_t;

static int add(const cmalloc_item *item, void *arg)
{
    const attempt_t *a = arg;
    return stats_visit(item, a->set);
}

static void count_fault(const char *what, uintptr_t where, void *arg)
{
    attempt_t *a = arg;
    (void)what, (void)where;
    a->faults++;
}

/* --- what no walk comes to --- */

static void add_arenas(target_t *t, stats_set_t *set)
{
    size_t canary = walk_canary_of(&t->root);
    uintptr_t entry = (uintptr_t)t->root.arenas + offsetof(arena_table_t, arenas), at;
    for (unsigned i = 0; i < set->arena_count; i++, entry += sizeof at) {
        const arena_t *a = NULL;
        if (reader_copy(&t->reader, entry, &at, sizeof at))
            a = reader_object(&t->reader, at, arena_t);
        if (a != NULL)
            stats_add_arena(&set->arenas[i], a, canary);
    }
}

static size_t word_at(target_t *t, uintptr_t at)
{
    size_t word = 0;
    reader_copy(&t->reader, at, &word, sizeof word);
    return word;
}

static void add_process(target_t *t, stats_set_t *set)
{
    cmalloc_stats *s = &set->process;
    os_counts_t counts = {0};
    reader_copy(&t->reader, (uintptr_t)t->root.counts, &counts, sizeof counts);
    stats_add_counts(s, &counts);
    s->allocations = word_at(t, (uintptr_t)t->root.taken);
    s->mmapped_most = word_at(t, (uintptr_t)t->root.mmapped_most);
    uintptr_t at = word_at(t, (uintptr_t)t->root.threads);
    for (size_t left = TARGET_THREADS_MOST; at != 0 && left > 0; left--) {
        s->thread_count += word_at(t, at + offsetof(thread_t, arena)) != 0;
        s->allocations += word_at(t, at + offsetof(thread_t, base));
        s->allocations += word_at(t, at + offsetof(thread_t, taken));
        s->misses += word_at(t, at + offsetof(thread_t, misses));
        at = word_at(t, at + offsetof(thread_t, next_all));
    }
}

/* --- adding up --- */

static size_t take_once(target_t *t, stats_set_t *set)
{
    attempt_t a = {.set = set};
    memset(set, 0, sizeof *set);
    set->reader = &t->reader;
    t->reader.size = 0; /* look afresh */
    target_walk(t, add, count_fault, &a);
    add_arenas(t, set);
    add_process(t, set);
    stats_sum(set);
    return a.faults;
}

size_t target_stats(target_t *t, stats_set_t *set)
{
    size_t faults = 0;
    for (int i = 0; i < ATTEMPTS; i++)
        if ((faults = take_once(t, set)) == 0 || t->pid == 0 || t->vanished)
            return faults;
    if (stop_begin(t)) {
        faults = take_once(t, set);
        stop_end(t);
    }
    return faults;
}

int tool_stats(int argc, char **argv)
{
    bool json = tool_flag(&argc, argv, "--json");
    bool prometheus = tool_flag(&argc, argv, "--prom");
    if (argc != 2 || (json && prometheus))
        tool_usage();
    target_t *t = target_open(argv[1]);
    stats_set_t *set = tool_alloc(sizeof *set);
    size_t faults = target_stats(t, set);
    int status = target_end(t, TOOL_OK);
    cm_text text = {.fd = STDOUT_FILENO};
    stats_write(&text, set,
                json         ? STATS_JSON
                : prometheus ? STATS_PROMETHEUS
                             : STATS_TEXT,
                t->pid);
    if (faults > 0)
        tool_warn("%s: %zu places are damaged; cmalloc check names them", t->name,
                  faults);
    free(set);
    target_close(t);
    return status;
}
