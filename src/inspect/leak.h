/*
 * inspect/leak.h - what a scan has not reached: which of it was lost before, and what
 * heads it.
 *
 * A leak is *direct* when no other leak leads to it. Of leaks that lead to each other,
 * one is. All others are lost through a direct one and go when it goes.
 *
 * A list of leaks is one mapping, shared so that the copy that scans can fill it for its
 * parent. It holds addresses as their complement: no scan shall find a leak through the
 * report about it.
 */
#ifndef CM_INSPECT_LEAK_H
#define CM_INSPECT_LEAK_H

#include "inspect/reach.h"

typedef struct leak {
    uintptr_t hidden;     /* ~ address of the payload */
    size_t usable;        /* bytes */
    uint64_t fingerprint; /* of what the chunk begins with */
    uintptr_t first;      /* its first word, complemented too */
    size_t chunks, bytes; /* direct: what it leads to, and itself; else 0 */
} leak_t;

typedef struct leak_list {
    _Atomic bool whole; /* the scan came to its end */
    bool cut;           /* there were more than the list has room for */
    size_t count;       /* leaks in the list, by address */
    size_t bytes;       /* usable ones of those */
    size_t live, live_bytes, scanned;
    size_t arenas_left; /* that an interrupted fork left locked: not looked into */
    size_t missed;      /* threads that could not be stopped */
    size_t mapped;
    leak_t leaks[];
} leak_list_t;

/* An empty list, with room for about most leaks. NULL: no memory. */
leak_list_t *leak_list_new(size_t most);
void leak_list_free(leak_list_t *list);

CM_INLINE uintptr_t leak_mem(const leak_t *leak) { return ~leak->hidden; }
CM_INLINE bool leak_is_direct(const leak_t *leak) { return leak->chunks != 0; }

/*
 * Fill list with what r has not reached. before: an earlier scan of the same program, or
 * NULL. What it does not list, with the same beginning, was in a register at one of the
 * two moments, and counts as reached. False: no memory.
 */
bool leak_find(reach_t *r, const leak_list_t *before, leak_list_t *list);

#endif
