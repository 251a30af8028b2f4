/*
 * cmalloc.h - what this allocator adds to <stdlib.h> and <malloc.h>.
 *
 * malloc, free and their kin are declared where they always were; a program needs this
 * header only to look at its heap or to steer the allocator. Every function here may be
 * called from any thread. Unless its comment says otherwise it takes arena locks one at a
 * time, so it must not be called from a signal handler and is safe across fork in the
 * sense of POSIX: the child may call it.
 */
#ifndef CMALLOC_H
#define CMALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CMALLOC_VERSION_MAJOR 0
#define CMALLOC_VERSION_MINOR 1
#define CMALLOC_VERSION_PATCH 0

/* The library's version, "major.minor.patch", in static storage. Async-signal-safe. */
const char *cmalloc_version(void);

/* The flag bits of a chunk's size word, as they stand in memory. */
#define CMALLOC_FLAG_P 0x01u /* previous chunk in use: prev_size is not valid */
#define CMALLOC_FLAG_M 0x02u /* the chunk is one mmap of its own */
#define CMALLOC_FLAG_A 0x04u /* the chunk lies in an allocated (mmapped) heap */

/* What cmalloc_walk has come to. An arena is followed by its heaps, a heap by its chunks,
 * in address order; the mmapped chunks, which lie in no heap, come after all arenas, and
 * the mappings that are kept for reuse come last. */
typedef enum cmalloc_kind {
    CMALLOC_ARENA, /* address: the arena's struct; size: bytes of that struct */
    CMALLOC_HEAP, /* address: the heap's first byte; size: committed bytes; reserved: address space */
    CMALLOC_INUSE, /* chunk handed to the application */
    CMALLOC_CACHED, /* chunk in a thread cache, a depot or an inbox: in use as far as the heap knows */
    CMALLOC_FREE,      /* free chunk in a bin */
    CMALLOC_TOP,       /* free chunk at the end of the arena's newest heap */
    CMALLOC_FENCEPOST, /* header-only chunk that ends a heap */
    CMALLOC_MMAPPED,   /* chunk that is one mmap of its own, in use */
    CMALLOC_KEPT,      /* such a chunk that was freed, and is kept for reuse */
    CMALLOC_DAMAGED    /* another process or a core: bytes that cannot be understood */
} cmalloc_kind;

#define CMALLOC_NO_ARENA ((unsigned)-1) /* a kept mapping belongs to the process */

typedef struct cmalloc_item {
    cmalloc_kind kind;
    unsigned arena;      /* index; 0 is the main arena; or CMALLOC_NO_ARENA */
    unsigned flags;      /* chunks: CMALLOC_FLAG_* as found in the size word */
    const void *address; /* chunks: the mchunkptr, two words before mem */
    const void *heap;    /* heaps and chunks: the heap_info; NULL for a mmapped chunk */
    void *mem;           /* chunks: what malloc returned, or would */
    size_t size;         /* bytes, flags taken off; a heap: committed bytes */
    size_t prev_size; /* P clear: bytes of the free chunk before; mmapped and kept ones:
                            bytes of their mapping before the chunk; else 0 */
    size_t reserved;  /* heaps: bytes of address space held; mmapped and kept ones: bytes
                            of their mapping; else 0 */
} cmalloc_item;

/* Give the chunks that the calling thread has cached back to their arenas and merge those
 * there: for a thread that goes to sleep for long. Others' caches are not touched. */
void cmalloc_thread_flush(void);

/*
 * Visit every arena, heap and chunk of this process.
 *
 * visit: called once an item, in the order given at cmalloc_kind, with the arena's lock
 *        held. It must not allocate, free, or call into this library; *item is valid
 *        until it returns. Non-zero ends the walk.
 * arg:   handed to visit as it is.
 * Returns 0, or what visit returned when it ended the walk.
 * A chunk whose header is damaged ends the process as any other use of it would.
 */
int cmalloc_walk(int (*visit)(const cmalloc_item *item, void *arg), void *arg);

/*
 * Check every invariant of every heap (src/README.md lists them).
 *
 * Returns the number of arenas checked. The first fault found ends the process with one
 * line on standard error, `cmalloc: fatal: <what>: <address>`.
 */
int cmalloc_check(void);

#ifdef __cplusplus
}
#endif
#endif
