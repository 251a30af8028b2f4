/*
 * inspect/snapshot.h - a scan of the program that we are part of.
 *
 * A copy of the process (os/stop.h) walks the heaps, marks from the roots and writes down
 * what it has not reached. The program waits only while the copy is made: with all arena
 * locks held, so that every heap in the copy is whole, and in precise mode with all other
 * threads stopped, so that their registers and the ends of their stacks are known.
 */
#ifndef CM_INSPECT_SNAPSHOT_H
#define CM_INSPECT_SNAPSHOT_H

#include "inspect/leak.h"

/* What a scan is asked for. */
typedef struct snapshot_wish {
    bool precise;   /* stop the other threads while the copy is made */
    bool unaligned; /* pointers may stand at any byte */
    bool once;      /* do not confirm by a second scan */
    bool twice;     /* confirm even what a precise scan has found */
    uintptr_t mask; /* bits of a word that are its address */
} snapshot_wish_t;

/* What the options say. */
snapshot_wish_t snapshot_wish(void);

/* Scan, and scan again to confirm what was found. The list is the caller's to free. NULL:
 * there was no memory, or there could be no copy of the process. */
leak_list_t *snapshot_leaks(const snapshot_wish_t *wish);

/* Words in [low, low + size) are roots as well; false: no room for more. Takes back what
 * was added with the same address; false: nothing was. */
bool snapshot_add_root(const void *low, size_t size);
bool snapshot_remove_root(const void *low);

/* The chunk at mem, and what it leads to, is no leak; take that back. */
bool snapshot_ignore(const void *mem);

#endif
