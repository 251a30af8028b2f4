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
    CMALLOC_HEAP,  /* address: its first byte; size: committed; reserved: address space */
    CMALLOC_INUSE, /* chunk handed to the application */
    CMALLOC_CACHED, /* chunk in a thread cache, a depot or an inbox: in use as far as the
                          heap knows */
    CMALLOC_FREE,   /* free chunk in a bin */
    CMALLOC_TOP,    /* free chunk at the end of the arena's newest heap */
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
 * there. Others' caches are not touched. Its next calls fill the cache anew. */
void cmalloc_thread_flush(void);

/*
 * "This thread is about to sleep": what it has cached goes back to the arenas and is
 * merged, as by cmalloc_thread_flush. Free memory goes back to the system when it has
 * been free for purge_age, as ever, and all of it at once when purge_age is 0 or a limit
 * is near.
 */
void cmalloc_idle(void);

/*
 * Give back to the system, now, all memory that is free: of every arena, of what all
 * threads' caches can spare, and mappings that are kept for reuse; the calling thread's
 * cache is emptied. The same as malloc_trim(0).
 *
 * Returns 1 if some memory went back, 0 if there was none.
 */
int cmalloc_purge(void);

/*
 * Set an option by its name, as CMALLOC_OPTIONS does before main (README.md and
 * CMALLOC_OPTIONS=help have the table); the limits, too, are options.
 *
 * name:  one of the table, case as there.
 * value: text: a decimal number, which may end in k, m or g, or a word of the option's
 *        range.
 * Returns 0; or -1 with errno ENOENT (no such option), EINVAL (not a value in its range),
 * EPERM (it is read at start only) or ENOMEM (the secure variant could not make the page
 * of the options writable), and nothing has changed. What is in memory already
 * stays as it is: a lower limit frees nothing by itself, arenas beyond arena_max stay,
 * and heaps keep the kind of pages that they have. Lock-free and async-signal-safe, but
 * for the secure variant, which takes a lock.
 */
int cmalloc_option_set(const char *name, const char *value);

/*
 * The value that an option has now; thresholds may have adapted.
 *
 * name:  as above.
 * value: set to the number, SIZE_MAX for `off`; of a word, its place in the range, from
 *        0.
 *
 * Returns 0; or -1 with errno ENOENT (no such option), and *value is as it was.
 * Lock-free; async-signal-safe.
 */
int cmalloc_option_get(const char *name, size_t *value);

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
 * What cmalloc_stats_get finds. Every field is a size_t; new ones are added at the end.
 * Bytes:
 *   mapped == live + overhead + cached + free_resident + free_purged + metadata + damaged
 *   mapped == heaps + mmapped + kept + metadata that lies in no heap
 *   free_resident + free_purged == binned + top + kept
 */
typedef struct cmalloc_stats {
    size_t mapped; /* what it has from the system, usable without asking again */
    size_t live;   /* what the program may use of the chunks that it holds: the sum of
                        their malloc_usable_size. What it asked for is not known; it may
                        be up to 15 bytes a chunk less, a sixteenth for sizes over
                        1 KiB, a page for mmapped ones. */
    size_t
        overhead;  /* the rest of those chunks: headers, and what lies before the chunk in
                        a mapping of its own */
    size_t cached; /* chunks, with their headers, that wait in thread caches, depots and
                        inboxes to be handed out again */
    size_t
        free_resident;  /* of free chunks, top and kept mappings: what is in memory. What
                             does not fill a page counts as in memory */
    size_t free_purged; /* and what is not: never touched, given back, or swapped out */
    size_t metadata;    /* heap_infos, arenas' and threads' structs, fenceposts, alignment
                        between them. Not the library's static data */
    size_t damaged;     /* cannot be understood; in one's own process always 0 */

    size_t heaps;    /* bytes of heaps that are committed */
    size_t mmapped;  /* bytes of mappings that are one chunk each, in use */
    size_t kept;     /* bytes of such mappings that were freed and are kept for reuse */
    size_t reserved; /* address space that heaps may grow into; not part of mapped */
    size_t binned;   /* bytes of free chunks, which are in bins */
    size_t free_largest; /* bytes of the largest of them */
    size_t top;          /* bytes of the chunks at the end of arenas' newest heaps */
    size_t heaps_most;   /* heaps at its peak; of all arenas: the sum of their peaks */
    size_t mmapped_most; /* mmapped at its peak; of all arenas only */

    size_t arena_count, heap_count;
    size_t live_count, cached_count, free_count; /* chunks; live ones with the mmapped */
    size_t mmapped_count, kept_count;
    size_t thread_count; /* threads that have a cache; of all arenas only */

    /* Since the process began; of all arenas only. */
    size_t mapped_most; /* mapped at its peak, or a little more: what was asked for at the
                           time, and what cmalloc_stats_get itself needs */
    size_t allocations; /* chunks handed out: calls of malloc and its like, and of realloc
                           where it moved what lies in a heap */
    size_t frees;       /* allocations less live_count; 0 if an arena was left out */
    size_t misses;      /* of both: calls that had to change a thread's magazine */
    size_t returns;     /* system calls that gave memory back, this one's included */
    size_t returned;    /* bytes that they gave back, whether in memory or not */
} cmalloc_stats;

/*
 * Add up the heap. It is walked, so that the time is that of cmalloc_walk.
 *
 * arena: an index, or CMALLOC_NO_ARENA for all of them and what belongs to none: kept
 *        mappings and threads' structs.
 * stats: is filled in.
 * size:  sizeof(cmalloc_stats) as the caller was compiled.
 *
 * Returns 0; or -1 if there is no such arena, or a fork has cut it off from this process.
 * The sums of one arena are of one moment, those of several are not of the same one.
 */
int cmalloc_stats_get(unsigned arena, cmalloc_stats *stats, size_t size);

/*
 * Write the sums of every arena, and of all, to a file descriptor.
 *
 * format: "text", "json" or "prometheus".
 * Returns 0; or -1 for another format, or without memory. Uses neither malloc nor stdio.
 */
int cmalloc_stats_print(int fd, const char *format);

/*
 * Write the heap profile, of which call stacks hold and have allocated how much, to a
 * file descriptor, as text that google-pprof and pprof read. It needs the option profile
 * from the start.
 *
 * Returns 0; or -1: the profiler is off. Lock-free; uses neither malloc nor stdio.
 */
int cmalloc_profile(int fd);

/*
 * Check every invariant of every heap (src/README.md lists them).
 *
 * Returns the number of arenas checked. The first fault found ends the process with one
 * line on standard error, `cmalloc: fatal: <what>: <address>`.
 */
int cmalloc_check(void);

/* --- Leaks: chunks that nothing points to any more ---
 *
 * The scan is conservative: every word of the program's memory that could be an address
 * of a chunk, its first byte, any byte in it, or the one behind its end, keeps that
 * chunk. Words are looked for in registers, stacks, thread-local memory, all writable
 * private mappings and reachable chunks, and, as far as the kernel tells, in epoll's
 * data and timers. So a leak may be missed, by a number that happens to look like its
 * address. What is reported has no pointer to it that a program could use, unless it
 * hides its pointers: by XOR, compressed, in a file, in shared memory, in a device.
 * Tell the scan about those with cmalloc_ignore or cmalloc_root_add.
 *
 * A copy of the process does the work. The program waits while the copy is made.
 */

/* What cmalloc_leaks is asked for, or-ed together. */
#define CMALLOC_LEAKS_PRECISE 0x01u   /* stop the other threads for a moment (below) */
#define CMALLOC_LEAKS_UNALIGNED 0x02u /* pointers at any byte, as in packed structs */
#define CMALLOC_LEAKS_ONCE 0x04u      /* do not confirm: report what one scan has found */
#define CMALLOC_LEAKS_JSON 0x08u      /* cmalloc_leaks_report: not text */

typedef struct cmalloc_leak {
    const void *mem;   /* what malloc returned */
    size_t size;       /* bytes that could be used there */
    const void *first; /* the first word of it: in C++, often what class it is of */
    int direct;        /* no other leak leads to it. Of a cycle, one chunk is direct */
    size_t chunks;     /* direct: leaks that it leads to, and itself; else 0 */
    size_t bytes;      /* and their bytes */
} cmalloc_leak;

/*
 * Find leaks and visit them in order of addresses.
 *
 * flags: CMALLOC_LEAKS_*. By default no thread is stopped. Registers of the other threads
 *        are then not seen; so only what two scans, half a second apart, have found
 *        unchanged is reported. CMALLOC_LEAKS_PRECISE interrupts the other threads by a
 *        real-time signal that the program does not use, while the copy is made: system
 *        calls that are not restarted after signals return EINTR. What lies below the
 *        stack pointers is then known to be dead, so that more leaks are found. A thread
 *        that blocks all signals is not waited for; there is a second scan then.
 * visit: called for each, with no lock held; it may do what it likes. Non-zero ends it.
 *        NULL: only count.
 * arg:   handed to visit as it is.
 * Returns the number of leaks found, at most a million. -1 and errno: ENOMEM, no memory
 * for the search or for a copy of the process.
 * Not from a signal handler. A child of fork may call it.
 */
long cmalloc_leaks(unsigned flags, int (*visit)(const cmalloc_leak *leak, void *arg),
                   void *arg);

/*
 * Find leaks, with flags as above, and write a report about them to the file descriptor
 * fd: totals, groups by size and first word, the direct ones with most bytes first. With
 * CMALLOC_LEAKS_JSON as JSON, with every leak. Returns the number found, or -1, as
 * cmalloc_leaks.
 */
long cmalloc_leaks_report(int fd, unsigned flags);

/*
 * Look for pointers in [low, low + size) as well: in shared memory, or in memory that
 * only a device knows. At most a thousand such ranges. Returns 0; -1: no room for more.
 */
int cmalloc_root_add(const void *low, size_t size);

/* Take back what was added for low, or ignored at it. Returns 0; -1: nothing was. */
int cmalloc_root_remove(const void *low);

/*
 * The chunk at mem, and all that it leads to, is no leak whatever the scan says. Take it
 * back with cmalloc_root_remove before it is freed: its successor would be ignored too.
 * Returns 0; -1: no room for more, as cmalloc_root_add.
 */
int cmalloc_ignore(const void *mem);

/*
 * Free every chunk that cannot be reached, as a garbage collector would; on request only.
 *
 * finalizer: called once for each chunk before any is freed, in order of addresses, with
 *            its bytes and arg; it may read the chunk and its fellows. NULL: none.
 * Returns the bytes freed. 0 and errno: ENOMEM as above; EAGAIN, a thread could not be
 * stopped, so that nothing is certain.
 *
 * What it promises: nothing is freed to which an address was found, in the registers of
 * any thread, in all memory named above, at any byte, in two precise scans. What it
 * cannot promise: a pointer that the program hides is not seen, and its chunk is freed
 * under it. Destructors are not run; locks, files and threads that a chunk stood for
 * stay. So it is for programs that know how they keep their pointers, and for tests.
 */
size_t cmalloc_collect(void (*finalizer)(void *mem, size_t size, void *arg), void *arg);

#ifdef __cplusplus
}
#endif
#endif
