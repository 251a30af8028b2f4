/*
 * inspect/check.h - every invariant of every heap, as the heads of core's files state
 * them, of any process.
 *
 * One walk looks at the chunks and counts those that are free by their header; the bins
 * must then hold just as many, each in its place. What waits in the depot, the inbox and
 * the threads' caches must be in use as far as the heap knows, bear the mark, and be as
 * many as is written there. A fault goes to `fault`, in the words of a panic; it is named
 * by the payload's address, but for what is no chunk. check_self.c makes it fatal in this
 * process.
 */
#ifndef CM_INSPECT_CHECK_H
#define CM_INSPECT_CHECK_H

#include "inspect/find.h"

typedef struct check {
    walk_t walk; /* set by check_init */
    link_secret_t secret;
    void (*fault)(struct check *c, const char *what, uintptr_t where);
    void *arg; /* fault's */
    size_t faults;
    uintptr_t arena; /* that is looked at; 0: none */

    size_t free_count, free_bytes, large_count, large_bytes;
    bool before_free;   /* the chunk before was free */
    uintptr_t unbinned; /* a free chunk in no bin, by its payload */
} check_t;

void check_init(check_t *c, reader_t *reader, const link_secret_t *secret,
                void (*fault)(check_t *, const char *, uintptr_t), void *arg);

/* One arena. No lock is taken. */
void check_arena(check_t *c, uintptr_t arena);

/* What one thread's struct holds: its spare magazines and, if it stands still, the
 * rest. */
void check_thread(check_t *c, uintptr_t thread, bool stands_still);

/* All of a target that stands still. False: it could not be read. */
bool check_target(check_t *c, const root_t *root);

/* Both neighbours of what is at where, and the words around it. */
void check_explain(check_t *c, cm_text *t, uintptr_t where);

#endif
