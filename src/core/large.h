/*
 * core/large.h - chunks that are one mmap each (M set).
 *
 *   mapping -> +------------+ - - - - - +-----------+-------+---------------------+
 *              | large_info |  padding  | prev_size | size M| payload to the end  |
 *              +------------+ - - - - - +-----------+-------+---------------------+
 *                                       ^ chunk: prev_size = its distance from the
 *                                       mapping
 *
 * The padding is there for alignments over a page only. size = the mapping's bytes from
 * the chunk to the end. Each belongs to the arena of the thread that asked for it and is
 * in its list, under its lock; the system calls run without the lock. A chunk that a
 * signal handler took in the middle of malloc has no arena and is in no list.
 * The seals (core/seal.h) cover what free relies on. The first stands before it: an
 * overflow out of the mapping below has to overwrite it, and nobody can make one up.
 */
#ifndef CM_CORE_LARGE_H
#define CM_CORE_LARGE_H

#include "core/arena.h"

/* What the kernel takes for a mapping: it moves and grows no two by one call. */
typedef struct large_parts {
    size_t count;             /* of them, one after another, in an M chunk's mapping */
    size_t size[LARGE_PARTS]; /* of each but the last, which goes on to the end */
} large_parts_t;

typedef struct large_info {
    size_t magic; /* LARGE_MAGIC ^ its own address */
    size_t seal;  /* of its address, arena, mapped, offset and parts */
    arena_t *arena;
    struct large_info *older, *newer;
    size_t mapped;    /* bytes of the mapping */
    size_t offset;    /* of the chunk in it */
    size_t link_seal; /* of older and newer; under the arena's lock */
    size_t ticks;     /* a kept one's age */
    large_parts_t parts;
} CM_ALIGNED(CHUNK_ALIGN) large_info;

/* Bytes of it that are there where the chunk is never of several parts. */
#define LARGE_INFO_LEAST offsetof(large_info, parts.size)

#define LARGE_MAGIC CM_MAGIC(0x677261)      /* "arg" */
#define LARGE_KEPT_MAGIC CM_MAGIC(0x747065) /* "ept": freed and kept */

_Static_assert(sizeof(large_info) % CHUNK_ALIGN == 0, "a chunk may follow a large_info");

/* Make an M chunk of memory that is there: mapped bytes from base, in these parts (NULL:
 * it is one), with the chunk at offset. */
large_info *large_place(char *base, size_t mapped, size_t offset,
                        const large_parts_t *parts);

/* The parts that the bytes between two places of an M chunk's mapping lie in. */
large_parts_t large_cut_parts(const large_info *info, size_t from, size_t to);

/* Bytes of part i, which begins at `at`. */
CM_INLINE size_t large_part_size(const large_info *info, size_t i, size_t at)
{
    return i + 1 < info->parts.count ? info->parts.size[i] : info->mapped - at;
}

/* The first seal is right. */
bool large_is_sealed(const large_info *info);

/* A new M chunk for n payload bytes at a multiple of align (CHUNK_ALIGN or more), in no
 * list. All zero. */
mchunkptr large_map(size_t n, size_t align);

/*
 * Freed mappings are kept for reuse, as soon as one is asked for within purge_age of
 * another's end: whoever maps, writes, unmaps and maps again pays for every page anew.
 *   live + kept <= the most that was ever live
 * (but for a moment, when two threads map at once) so that keeping never raises the peak.
 * Lock-free: each place is one pointer, taken and put by exchange.
 * Where none is large enough, the pages of several are gathered into one mapping, in
 * which each remains a part for the kernel.
 */
extern _Atomic(large_info *) large_kept[LARGE_KEPT]; /* for readers from outside */
extern _Atomic size_t large_live_most;               /* for statistics */
extern _Atomic size_t large_count;                   /* M chunks of the process */

void large_count_live(ptrdiff_t bytes); /* more or less than before are live */

/* Unmap kept chunks until bytes more may be live or kept. False: they may not. */
bool large_make_room(size_t bytes);

/* A mapping of need bytes, more than info has: first the pages of info, which is gone,
 * then those of kept ones, then fresh ones, which are zero, from *fresh on. The caller
 * places it. NULL: info is as it was. */
char *large_gather(large_info *info, size_t need, large_parts_t *parts, size_t *fresh);

/* A kept chunk for n payload bytes, with what of it is zero; NULL: none fits. */
mchunkptr large_reuse(size_t n, zone_t *zero);
bool large_keep(mchunkptr c); /* keep a chunk that is in no list (true), or unmap it */
/* A heap is about to grow: unmap those below the threshold, in whose place it comes. */
void large_make_way(void);
size_t large_drop_kept(void);  /* unmap all kept ones; returns their bytes */
size_t large_kept_bytes(void); /* bytes kept now */
void large_tick(void); /* a tick has gone by: unmap what has been kept for PURGE_TICKS */

/* Take what is kept in place i, to look at it; NULL: nothing. Put it back or unmap it. */
large_info *large_kept_take(unsigned i);
void large_kept_put(large_info *info);

/* Enter it in a's list, or take it out. */
void large_link_locked(arena_t *a, mchunkptr c);
void large_unlink_locked(arena_t *a, mchunkptr c);

/* The large_info of an M chunk; fatal if there is none. */
large_info *large_info_of(const chunk_t *c);

/* The chunk of an entry of an arena's list. */
CM_INLINE mchunkptr large_chunk(const large_info *info)
{
    return chunk_at(info, info->offset);
}

/* Take it out of a's list and keep or unmap it. */
void large_give_locked(arena_t *a, mchunkptr c);

/* Resize a chunk that is in no list so that it holds n payload bytes. NULL: as it was. */
mchunkptr large_resize(mchunkptr c, size_t n);

/* The threshold follows what is freed, as mallopt(3) documents it. */
void large_adapt_threshold(size_t size);

#endif
