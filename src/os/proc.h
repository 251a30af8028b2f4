/*
 * os/proc.h - what the kernel tells about a process: its mappings, its memory, and the
 * words of it that the kernel itself holds.
 *
 * A process is named by its id; 0 is the calling one. Nothing here allocates.
 */
#ifndef CM_OS_PROC_H
#define CM_OS_PROC_H

#include "os/os.h"

typedef struct os_mapping {
    uintptr_t low, high;
    bool readable, writable, executable, shared;
    uint64_t inode;   /* 0: no file */
    uint64_t offset;  /* in the file */
    const char *name; /* a path, "[stack]", ...; empty: none. Valid during the visit */
} os_mapping_t;

/* Visit the mappings in order of addresses. False: they cannot be read. */
bool os_mappings(int pid, void (*visit)(const os_mapping_t *m, void *arg), void *arg);

/* Copy up to n bytes from address; stops before what cannot be read. Returns how many. */
size_t os_read_memory(int pid, uintptr_t address, void *to, size_t n);

/* Which pages hold something: a window on the kernel's list of this process's. */
typedef struct os_pagemap {
    long fd;        /* less than 0: nothing is known */
    uintptr_t from; /* the address of the first entry */
    size_t count;
    uint64_t entries[512];
} os_pagemap_t;

void os_pagemap_open(os_pagemap_t *p);

/* The first address in [at, high) that may hold something, untouched pages being zero;
 * high: there is none. */
uintptr_t os_pagemap_next(os_pagemap_t *p, uintptr_t at, uintptr_t high);

/* Visit the entries of /proc/PID/directory that are numbers: threads in "task",
 * descriptors in "fd". False: it cannot be read. */
bool os_each_number(int pid, const char *directory, void (*visit)(int number, void *arg),
                    void *arg);

/* A thread of this process has a signal blocked. */
bool os_thread_blocks(int thread, int signal);

/* Best effort: words that the process has parked in the kernel, as epoll's data and as
 * the values of timers. timers_of: whose timers, since a fork does not copy them. */
void os_kernel_words(int pid, int timers_of, void (*visit)(uintptr_t word, void *arg),
                     void *arg);

#endif
