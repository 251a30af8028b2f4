/*
 * inspect/findings.h - a list of leaks as text or JSON, without malloc or stdio.
 *
 * Direct leaks are grouped: those of one size with the same first word, if that word
 * leads into a file's mapping, are one row. In C++ the first word leads to the class's
 * virtual functions, so that a group is a class. What a group's chunks lead to is added
 * up in its row. Leaks that the heap profiler has sampled tell who allocated them, and
 * are grouped by that, too.
 */
#ifndef CM_INSPECT_FINDINGS_H
#define CM_INSPECT_FINDINGS_H

#include "base/report.h"
#include "inspect/leak.h"
#include "inspect/profile.h"

/* A file's mapping: what a first word may lead to. */
typedef struct file_map {
    uintptr_t low, high, base; /* base: where the file's first mapping begins */
    char name[256];            /* the end of the path, should it be longer */
} file_map_t;

typedef struct findings {
    const leak_list_t *list;
    int fd;
    bool json;
    size_t rows;       /* groups, and direct leaks, at most */
    vector_t places;   /* of file_map_t */
    reader_t *reader;  /* of the program, for the profiler's table at `samples` */
    uintptr_t samples; /* 0: there are none */
    /* Write what address is called; false: nothing was written. NULL: file and offset. */
    bool (*symbol)(const file_map_t *place, uintptr_t address, cm_text *t);
    /* Add to the row of a direct leak, as text on lines of its own; or NULL. */
    void (*detail)(const leak_t *leak, cm_text *t, void *arg);
    void *arg;
} findings_t;

/* Learn the files: for os_mappings; arg is a findings_t. */
void findings_mapping(const os_mapping_t *m, void *arg);

/* Write it all. */
void findings_write(const findings_t *f);

void findings_free(findings_t *f);

#endif
