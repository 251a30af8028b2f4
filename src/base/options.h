/*
 * base/options.h - everything that a user may set, in one struct, read from one table.
 *
 * Written by the constructor (environment) and by mallopt; read anywhere without a lock:
 * each is one word, and any value that a racing reader sees is a valid one.
 */
#ifndef CM_BASE_OPTIONS_H
#define CM_BASE_OPTIONS_H

#include "base/compiler.h"
#include "base/config.h"

typedef struct cm_options_t {
    _Atomic size_t arena_max;      /* 0: from the processors */
    _Atomic size_t mmap_threshold; /* requests of at least this are M chunks */
    _Atomic size_t mmap_max;       /* M chunks at most */
    _Atomic size_t trim_threshold; /* a top beyond this is given back */
    _Atomic size_t top_pad;        /* what the break moves beyond the need */
    _Atomic size_t perturb; /* fill new memory with ~byte, freed memory with byte */
    _Atomic size_t os_fail; /* debug variants: every n-th memory call fails */
    _Atomic bool
        thresholds_fixed; /* a threshold was set: it no longer adapts (mallopt(3)) */
} cm_options_t;

extern cm_options_t cm_options;

/* Read the environment through get, which returns NULL for what is not set. A bad value
 * gets one line. */
void cm_options_read(const char *(*get)(const char *name));

/* Set one option by name from text. False: no such name, or the text is no value in its
 * range. */
bool cm_option_set(const char *name, size_t name_length, const char *value,
                   size_t value_length);

#endif
