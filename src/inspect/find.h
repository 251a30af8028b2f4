/*
 * inspect/find.h - which chunk an address lies in, and who its neighbours are.
 */
#ifndef CM_INSPECT_FIND_H
#define CM_INSPECT_FIND_H

#include "inspect/walk.h"

typedef struct finding {
    uintptr_t address; /* that is looked for */
    cmalloc_item before, item, after;
    bool found, has_before, has_after;
} finding_t;

/* A visitor that looks for several addresses at once; arg is this. */
typedef struct find {
    finding_t *findings;
    size_t count;
    cmalloc_item last;
    bool has_last; /* last is a chunk of the heap that the walk is in */
} find_t;

int find_visit(const cmalloc_item *item, void *arg);

/* Faults on the way are no news to whoever looks for an address. */
void find_ignore(const char *what, uintptr_t where, void *arg);

/* The chunk and its neighbours, a line each. */
void find_tell(cm_text *t, const finding_t *f);

/* The words around a chunk's header, with their characters, as far as they can be
 * read. */
void find_dump(cm_text *t, reader_t *r, uintptr_t chunk);

/* An item's kind, in words. */
const char *find_kind_name(const cmalloc_item *item);

#endif
