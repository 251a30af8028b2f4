/*
 * inspect/collect.h - what is done with the leaks of this process: shown to the program,
 * or freed.
 */
#ifndef CM_INSPECT_COLLECT_H
#define CM_INSPECT_COLLECT_H

#include "cmalloc.h"
#include "inspect/snapshot.h"

/* Scan and visit, as cmalloc_leaks does. -1: no scan. */
long leak_visit(const snapshot_wish_t *wish,
                int (*visit)(const cmalloc_leak *leak, void *arg), void *arg);

/* Scan and write a report to fd. Returns the number of leaks; -1: no scan. */
long leak_report(const snapshot_wish_t *wish, int fd, bool json);

/* Scan and free, as cmalloc_collect does. Returns 0 or the reason, as errno has it. */
int collect_leaks(void (*finalizer)(void *mem, size_t size, void *arg), void *arg,
                  size_t *bytes);

#endif
