/*
 * inspect/stats.h - sums over the heaps, of any process, and how they are written down.
 *
 * The sums of one arena are of one moment; those of several are not of the same one.
 * cmalloc.h defines every field; what must hold of each sum, and of a total:
 *   mapped == live + overhead + cached + free_resident + free_purged + metadata + damaged
 *   mapped == heaps + mmapped + kept + the bookkeeping that lies in no heap
 *   free_resident + free_purged == binned + top + kept
 * stats.c adds up what a walk finds; stats_text.c writes it, through base/report.h, so
 * that both the library and the command can. stats_self.c takes those of this process.
 */
#ifndef CM_INSPECT_STATS_H
#define CM_INSPECT_STATS_H

#include "inspect/walk.h"

#define STATS_ARENAS ((unsigned)ARENA_MAX)

/* Large: it is mapped, or allocated, and not on a stack. */
typedef struct stats_set {
    cmalloc_stats total, process, arenas[ARENA_MAX]; /* process: what is no arena's */
    unsigned arena_count;
    bool busy[ARENA_MAX]; /* its lock was held, by a thread or for ever (a fork) */
    reader_t *reader;     /* for residence; NULL: what is free counts as resident */
} stats_set_t;

/* Add one item of a walk to an arena's sums, and to none other. reader as in stats_set.
 * */
void stats_add_item(cmalloc_stats *s, reader_t *reader, const cmalloc_item *item);

/* A visitor for walks over a whole process; arg is the stats_set_t. */
int stats_visit(const cmalloc_item *item, void *arg);

/* What an arena counts itself, to the sums of its walk; and canary bytes of each of its
 * chunks in use are not the program's. */
void stats_add_arena(cmalloc_stats *s, const arena_t *a, size_t canary);

/* Add one sum to another. */
void stats_add(cmalloc_stats *to, const cmalloc_stats *s);

/* What the process counts, as its own process's or another's reader has found it. */
void stats_add_counts(cmalloc_stats *s, const os_counts_t *counts);

/* Set total, when arenas and process are complete, and what follows from it. */
void stats_sum(stats_set_t *set);

typedef enum stats_format { STATS_TEXT, STATS_JSON, STATS_PROMETHEUS } stats_format;

/* pid 0: a core. */
void stats_write(cm_text *t, const stats_set_t *set, stats_format format, int pid);

/* --- this process --- */

/* Add up arena a, under its lock; with residence if there is a reader. False: it is
 * orphaned, and *s is zero. */
bool stats_arena(arena_t *a, cmalloc_stats *s, reader_t *reader);

/* All arenas and what is none's, without residence. */
void stats_all(cmalloc_stats *s);

/* All there is to know. try: no lock is waited for; arenas that are busy are left out. */
void stats_take(stats_set_t *set, bool try);

/* What cmalloc_stats_get and cmalloc_stats_print do. False: no such arena, no memory. */
bool stats_get(unsigned arena, cmalloc_stats *s);
bool stats_print(int fd, stats_format format, bool try);

/* A format by its name. False: there is none of that name. */
bool stats_format_of(const char *name, stats_format *format);

#endif
