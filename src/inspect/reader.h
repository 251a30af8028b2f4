/*
 * inspect/reader.h - the memory that is looked at: this process's, another one's, or a
 * core file's.
 *
 * A reader has a window, a range of the target's addresses whose bytes stand in our own
 * memory; reader_see moves it when it must. This process is one window that holds every
 * address, so that looking at oneself costs a comparison and copies nothing.
 *   bytes of address x == *(char *)(x + shift), for start <= x < start + size
 *   shift % READER_ALIGN == 0
 * What reader_see returns is valid until the next call with the same reader. Addresses of
 * the target are uintptr_t: nobody can follow one by accident.
 * Not here: where the bytes of another process or of a core come from (tools/target.h).
 */
#ifndef CM_INSPECT_READER_H
#define CM_INSPECT_READER_H

#include "base/compiler.h"
#include "base/config.h"

/* No single look is longer than this. */
#define READER_MOST ((size_t)64 * 1024)

/* The largest alignment of what is looked at. */
#define READER_ALIGN CACHE_LINE

/* A mapping of the target. */
typedef struct reader_map {
    uintptr_t from, to;
    bool readable, writable, executable, shared;
    const char *name; /* as /proc/PID/maps has it; "": none, or not known */
} reader_map;

typedef struct reader {
    uintptr_t start, shift;
    size_t size;
    size_t page; /* bytes a page of the target */
    /* Make [address, address + size) part of the window. False: it cannot be read. */
    bool (*move)(struct reader *r, uintptr_t address, size_t size);
    /* Bytes of [from, from + size) that are in memory; size, where that is not known. */
    size_t (*resident)(struct reader *r, uintptr_t from, size_t size);
    const reader_map *maps; /* ascending; this process's own are not listed */
    size_t map_count;
} reader_t;

/* This process. */
void reader_self(reader_t *r);

/* Read up to size bytes; returns how many could be read before the first that cannot. */
size_t reader_read(reader_t *r, uintptr_t address, void *to, size_t size);

/* The size bytes at address, where we can see them. NULL: they cannot be read. Pre: size
 * <= READER_MOST. */
CM_INLINE const void *reader_see(reader_t *r, uintptr_t address, size_t size)
{
    if (cm_unlikely(size > r->size || address - r->start > r->size - size) &&
        !r->move(r, address, size))
        return NULL;
    return (const void *)(address + r->shift); /* NOLINT(performance-no-int-to-ptr) */
}

/* The same as an object. NULL also where none of its type can lie: what leads to it may
 * be damaged. */
#define reader_object(r, address, type) \
    ((const type *)((address) % _Alignof(type) == 0 \
                        ? reader_see((r), (address), sizeof(type)) \
                        : NULL))

/* The same of what may not be there at all. Of this process reader_see believes that all
 * can be read; here it is asked. */
CM_INLINE const void *reader_probe(reader_t *r, uintptr_t address, size_t size)
{
    if (r->size == SIZE_MAX && !r->move(r, address, size))
        return NULL;
    return reader_see(r, address, size);
}

/* Copy exactly size bytes. False: not all of them can be read. */
CM_INLINE bool reader_copy(reader_t *r, uintptr_t address, void *to, size_t size)
{
    return reader_read(r, address, to, size) == size;
}

#endif
