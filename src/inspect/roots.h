/*
 * inspect/roots.h - which memory a program's pointers are looked for in.
 *
 * Roots are all readable private mappings that the program can write, or could before the
 * dynamic linker made them constant; without
 *   the heaps, M chunks and kept mappings: what lives there is reached from elsewhere;
 *   our own structs, which name chunks that nobody owns;
 *   the part of a stack below its stack pointer, where that is known: what returned
 *   functions have left there keeps nothing alive.
 * So a JIT's heap, another allocator's, the dynamic linker's, all thread-local memory and
 * stacks that the program has made itself are roots, and a new kind of memory is one by
 * default.
 */
#ifndef CM_INSPECT_ROOTS_H
#define CM_INSPECT_ROOTS_H

#include "inspect/vector.h"
#include "os/proc.h"

typedef struct range {
    uintptr_t low, high;
} range_t;

typedef struct roots {
    vector_t ranges;   /* of stretch_t: mappings, by address */
    vector_t excluded; /* of range_t; sorted by roots_seal */
    range_t before;    /* the mapping visited last */
    uint64_t before_inode;
    bool before_guards, before_constant, failed;
} roots_t;

/* Learn the mappings of a process: for os_mappings; arg is the roots_t. */
void roots_mapping(const os_mapping_t *m, void *arg);

/* [low, high) holds no roots. */
void roots_exclude(roots_t *r, uintptr_t low, uintptr_t high);

/* A thread uses its stack from sp on. local: an address in its thread-local memory. */
void roots_stack(roots_t *r, uintptr_t sp, uintptr_t local);

/* All is known. False: memory ran out on the way. */
bool roots_seal(roots_t *r);

/* Call visit for each stretch of roots, by address. */
void roots_each(const roots_t *r, void (*visit)(uintptr_t low, uintptr_t high, void *arg),
                void *arg);

void roots_free(roots_t *r);

#endif
