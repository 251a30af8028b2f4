/*
 * tools/scan.h - the reachability scan of a target: what leaks and who share.
 */
#ifndef CM_TOOLS_SCAN_H
#define CM_TOOLS_SCAN_H

#include "inspect/findings.h"
#include "inspect/leak.h"
#include "tools/image.h"

typedef struct scan_options {
    bool precise, unaligned;
    uintptr_t mask;
} scan_options;

/* Take the options that every scan has out of argv. */
scan_options scan_parse(int *argc, char **argv);

typedef struct scan {
    image_t image;
    scene_t scene;
    size_t faults; /* damaged places in the heap */
} scan_t;

/* Copy the target and mark what can be reached. paths: remember how. */
void scan_take(scan_t *s, target_t *t, const scan_options *options, bool paths);
void scan_free(scan_t *s);

/* Write a symbol of a file: a findings_t's. */
bool scan_symbol(const file_map_t *place, uintptr_t address, cm_text *t);

#endif
