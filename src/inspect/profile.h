/*
 * inspect/profile.h - the heap profiler's findings (front/sample.h), of any process, as
 * the text that pprof and google-pprof read:
 *
 *   heap profile: <live>: <bytes> [<all>: <bytes>] @ heap_v2/<rate>
 *   <live>: <bytes> [<all>: <bytes>] @ <return addresses>           for each call stack
 *
 *   MAPPED_LIBRARIES:
 *   <lines as in /proc/PID/maps>
 *
 * Counts and bytes are those of samples. heap_v2 says what a sample stands for: one of s
 * bytes for 1 / (1 - exp(-s / rate)).
 */
#ifndef CM_INSPECT_PROFILE_H
#define CM_INSPECT_PROFILE_H

#include "base/report.h"
#include "inspect/reader.h"
#include "os/proc.h"

typedef struct profile_site {
    size_t live, live_bytes, all, all_bytes, depth;
    uintptr_t frames[PROFILE_FRAMES];
} profile_site_t;

/* The rate of the profiler whose table is at this address; 0: it is off. */
size_t profile_rate(reader_t *r, uintptr_t table);

/* Visit every site, the newest first. No lock is needed. */
void profile_each(reader_t *r, uintptr_t table,
                  void (*visit)(const profile_site_t *site, void *arg), void *arg);

/* The site at an address. False: it cannot be read. */
bool profile_site_at(reader_t *r, uintptr_t at, profile_site_t *site);

/* The site of the live sample at mem, and its address. 0: mem was not sampled. */
uintptr_t profile_site_of(reader_t *r, uintptr_t table, uintptr_t mem,
                          profile_site_t *site);

/* All up to the mappings. */
void profile_write(cm_text *t, reader_t *r, uintptr_t table);

/* A line of a mapping that has code: for os_mappings; arg is a cm_text. */
void profile_mapping(const os_mapping_t *m, void *arg);

/* Of this process: the whole text to a file descriptor. False: the profiler is off. */
bool profile_self(int fd);

#endif
