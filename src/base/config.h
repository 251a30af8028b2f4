/*
 * base/config.h - every constant of the library, and nothing else.
 *
 * CM_TINY is the variant that makes rare paths daily ones: small heaps, few arenas,
 * caches of two chunks. CM_DEBUG turns cm_assert on and lets the operating system's calls
 * fail on request.
 */
#ifndef CM_BASE_CONFIG_H
#define CM_BASE_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#ifndef CM_TINY
#define CM_TINY 0
#endif
#ifndef CM_DEBUG
#define CM_DEBUG 0
#endif

/* The variant that looks for what an attacker would do, at a price (README, SECURITY). */
#ifndef CM_SECURE
#define CM_SECURE 0
#endif

#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * 1024)

#define CM_64BIT (SIZE_MAX > UINT32_MAX)

/* What the words of chunks, heaps and arenas mean. A change that a reader of a core file
 * would get wrong makes it one more: tools of another layout refuse. The magics that mark
 * these structs in memory hold it in their lowest byte. */
#define CM_LAYOUT 7
#define CM_MAGIC(letters) ((size_t)(letters) << 8 | CM_LAYOUT)

/* Chunks: SIZE_SZ is the width of a header word; a user pointer lies two of them behind
 * its chunk. */
#define SIZE_SZ sizeof(size_t)
#define CHUNK_HEADER (2 * SIZE_SZ)
#define CHUNK_ALIGN ((size_t)16)
#define CHUNK_MIN (4 * sizeof(void *))

/* Heaps start at a multiple of HEAP_MAX_SIZE and reserve at most that much. */
#if CM_TINY
#define HEAP_MAX_SHIFT 20
#elif CM_64BIT
#define HEAP_MAX_SHIFT 26
#else
#define HEAP_MAX_SHIFT 22
#endif
#define HEAP_MAX_SIZE ((size_t)1 << HEAP_MAX_SHIFT)

/* A heap's first commit, and the least and the most by which it grows. */
#define HEAP_STEP_MIN (CM_TINY ? 16 * KIB : 128 * KIB)
#define HEAP_STEP_MAX (CM_TINY ? 64 * KIB : 4 * MIB)

/* Pages are made ready before they are written: those of a request up to READY_MOST, and
 * ahead of it one part in READY_SHARE of what the heap has. Measured: a fault a page
 * costs four times as much as the same pages in one call. */
#define READY_MOST (CM_TINY ? 8 * KIB : 256 * KIB)
#define READY_SHARE 32

/* While the kernel has no heap for us it is asked by one call in so many. */
#define SCARCE_RETRY 64

/* User addresses have at most this many bits (x86_64: 47, aarch64: 48). */
#if CM_64BIT
#define ADDRESS_BITS 48
#else
#define ADDRESS_BITS 32
#endif

#define ARENA_MAX 256  /* arenas that the table can hold */
#define ARENAS_LEAST 2 /* that there may be unless told, on however few processors */

/* Bins: one for each size below BIN_EXACT_LIMIT, then BIN_STEPS for each doubling up to
 * the heap's size. */
#define BIN_EXACT_SHIFT 10
#define BIN_EXACT_LIMIT ((size_t)1 << BIN_EXACT_SHIFT)
#define BIN_STEP_SHIFT 3
#define BIN_STEPS (1u << BIN_STEP_SHIFT)
#define BIN_COUNT \
    (BIN_EXACT_LIMIT / CHUNK_ALIGN + BIN_STEPS * (HEAP_MAX_SHIFT - BIN_EXACT_SHIFT + 1))
#define BIN_LOOK 2

/* Chunks of a list whose surroundings are asked for before they are merged: drift and
 * powerlaw take 0.93 of the time, the rest is level. With 4 or 16 less is gained, with 64
 * nothing: lines that have come go again. */
#define ARENA_AHEAD 8

/* Freed M chunks that the process keeps for reuse, as long as live and kept ones are no
 * more than were ever live. */
#define LARGE_KEPT 16

/* Mappings of the kernel that one M chunk may be gathered from, as long as the process
 * has no more than so many M chunks: it may have some 65,000 mappings (vm.max_map_count).
 */
#define LARGE_PARTS (CM_TINY ? 4 : 16)
#define LARGE_GATHER_MOST 512

/* The mmap threshold follows the sizes that are freed up to here, and beyond where they
 * are too many to be kept: larger ones give their pages to each other. */
#define LARGE_ADAPT_MOST (HEAP_MAX_SIZE / 8 + 64 * KIB) /* and a header */

/* Growing by less, an M chunk takes no kept pages, which it would have to move for. */
#define LARGE_GATHER_LEAST (CM_TINY ? 4 * KIB : 64 * KIB)

/* M chunks: glibc's documented defaults (mallopt(3)). */
#define MMAP_THRESHOLD_DEFAULT (CM_TINY ? 32 * KIB : 128 * KIB)
#define MMAP_THRESHOLD_MAX (HEAP_MAX_SIZE / 2)
#define TRIM_THRESHOLD_DEFAULT (CM_TINY ? 32 * KIB : 128 * KIB)
#define TOP_PAD_DEFAULT (CM_TINY ? 0 : 128 * KIB)
#define MMAP_MAX_DEFAULT 65536

/* Least limits that may be set: what a process needs to start. */
#define LIMIT_LEAST (1 * MIB)

/* Milliseconds that a free page waits for somebody who wants it. */
#define PURGE_AGE_DEFAULT 1000
#define STATS_INTERVAL_MOST 86400 /* seconds, a day */
#define PURGE_AGE_MAX (24 * 60 * 60 * 1000)

/* Unless its threshold is set, top is trimmed beyond this and this part of the heap. */
#define TRIM_LEAST (CM_TINY ? 32 * KIB : 1 * MIB)
#define TRIM_SHARE 8

/* Bytes that all depots may hold when a class that one has nothing of needs memory; else
 * it is merged back first. Measured with sizes that drift: chunks that wait pin their
 * neighbours, and 1.5 % of the heap waiting cost a third more memory. Half as much, and
 * strings that grow take 1.7 times as long. So each merge is judged by what its class is
 * asked for next, and one that nobody regrets takes DEPOT_STEP away, to the least. */
#define DEPOT_READY (CM_TINY ? 4 * KIB : 512 * KIB)
#define DEPOT_READY_LEAST (DEPOT_READY / 32)
#define DEPOT_STEP (DEPOT_READY / 128)
#define DEPOT_SHARE_LEAST (DEPOT_READY / 4) /* of each, however many arenas share it */

/* A merge that is regretted counts like so many that are not; so many of those, beyond
 * the regrets, and the sizes drift. */
#define DEPOT_REGRET 4
#define DEPOT_DRIFT 160

/* realloc to more, up to here: two hits and a copy are cheaper than the arena's lock. */
#define GROW_BY_MOVE ((size_t)4096)

/* Purging by age: PURGE_TICKS ticks make up the age. Chunks that are taken out of their
 * bins at a time; bytes of top, and magazines of the depot, that go under one hold of the
 * lock. */
#define PURGE_TICKS 4
#define PURGE_AT_ONCE 8
#define PURGE_PIECE (CM_TINY ? 32 * KIB : 4 * MIB)
#define PURGE_MAGAZINES 8
#define PURGE_PATIENCE 1000 /* milliseconds that a trim waits for another purge to end */

/* Bytes waiting in an arena, or kept mappings, that are worth a purger; and what it
 * leaves alone when it ends. */
#define PURGER_START (CM_TINY ? 64 * KIB : 2 * MIB)
#define PURGER_WIPE 8192 /* bytes of its stack that a tick may use */
#define PURGER_STOP (CM_TINY ? 0 : 128 * KIB)

/* Cache lines that are asked for when a magazine is taken up. */
#define MAGAZINE_AHEAD 16

/* Bytes that all thread caches together may be ready to hold; a thread that would pass it
 * keeps its magazines small. */
#define CACHE_BUDGET (64 * MIB)

/* A small class of which this many magazines have changed since the hand was there, one
 * of six, has magazines of twice the length. */
#define CACHE_BUSY (CM_TINY ? 6 : 24)

/* Chunks in a bin of a class that is only freed, at most. Not what a magazine holds:
 * whoever frees all that came in full ones would be left with a full bin, not half of
 * one. */
#define CACHE_COLD 6u

/* Chunks of a thread cache that are looked at for their alignment; the largest alignment
 * for which a run of chunks is cut. */
#define ALIGNED_LOOK 8
#define ALIGNED_RUN ((size_t)512)

#define OUTGOING 16       /* magazines of other arenas' chunks that a thread collects */
#define THREADS_AT_ONCE 4 /* structs of threads that are mapped together */

/* The heap profiler: bytes from one sample to the next by default, and at most; return
 * addresses of a sample; lists that sites and live samples are spread over; bytes that
 * its tables grow by. */
#define PROFILE_RATE (512 * KIB)
#define PROFILE_RATE_MOST (1024 * MIB)
#define PROFILE_FRAMES 64
#define PROFILE_SITES 4096
#define PROFILE_LIVE 16384
#define PROFILE_PIECE (64 * KIB)

/* Guarded chunks: one allocation in so many at the fewest; how many at a time; one in how
 * many lies at the low end of its page; return addresses of who took and who freed
 * one. */
#define GUARD_SAMPLE_MOST ((size_t)1 << 24)
#define GUARD_SLOTS (CM_TINY ? 4 : 64)
#define GUARD_LOW 4
#define GUARD_FRAMES 32

/* The secure variant: what each thread holds back of what it frees. */
#define QUARANTINE_SLOTS 512
#define QUARANTINE_DEFAULT (64 * KIB)
#define QUARANTINE_MOST (16 * MIB)

#define CACHE_LINE 64
#define LOCK_SPINS 64 /* looks at a held lock before the thread sleeps */

#endif
