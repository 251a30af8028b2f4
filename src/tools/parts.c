/*
 * tools/parts.c - the window on bytes that we have: a core's segments, a frozen process.
 * See target.h.
 *
 * A look across two parts is put together in the buffer, and so is one into a part that
 * stands elsewhere in our memory than its alignment asks for: gdb writes a segment at any
 * offset of the file.
 * A copy grows as long as the walk goes on behind it, and starts again with a page where
 * it leaps: the inside of a large free chunk, which may be purged, is not read.
 */
#include "tools/target.h"

#include <string.h>

#define AHEAD_LEAST ((size_t)4096)
#define AHEAD_MOST ((size_t)1 << 20)
#define AHEAD_GROWTH 4

void parts_add(target_t *t, uintptr_t from, size_t size, const char *bytes)
{
    if (t->part_count == t->part_room) {
        t->part_room = t->part_room == 0 ? 256 : 2 * t->part_room;
        t->parts = tool_grow(t->parts, t->part_room * sizeof *t->parts);
    }
    t->parts[t->part_count++] = (target_part){from, size, bytes};
}

static int by_address(const void *a, const void *b)
{
    const target_part *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

void parts_sort(target_t *t)
{
    if (t->part_count > 1)
        qsort(t->parts, t->part_count, sizeof *t->parts, by_address);
}

const target_part *parts_find(const target_t *t, uintptr_t address)
{
    size_t low = 0, high = t->part_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const target_part *p = &t->parts[middle];
        if (address - p->from < p->size)
            return p;
        if (address < p->from)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* --- the window --- */

void parts_make_buffer(target_t *t)
{
    t->buffer = aligned_alloc(AHEAD_LEAST, 2 * AHEAD_LEAST + AHEAD_MOST + READER_MOST);
    if (t->buffer == NULL)
        tool_die(TOOL_SYSTEM, "no memory for %zu bytes", AHEAD_MOST);
}

bool parts_copy(target_t *t, uintptr_t lowest, uintptr_t address, size_t size,
                part_read read)
{
    reader_t *r = &t->reader;
    uintptr_t end = r->start + r->size, start = address & ~(AHEAD_LEAST - 1);
    if (start < lowest)
        start = lowest;
    bool goes_on = r->size > 0 && address >= r->start && address <= end + AHEAD_LEAST;
    t->step = goes_on ? t->step * AHEAD_GROWTH : AHEAD_LEAST;
    if (t->step > AHEAD_MOST)
        t->step = AHEAD_MOST;
    size_t least = address - start + size, want = least > t->step ? least : t->step;
    char *to = t->buffer + start % AHEAD_LEAST;
    r->start = start;
    r->size = read(t, start, to, want);
    r->shift = (uintptr_t)to - start;
    return r->size >= least;
}

/* A part_read: of the parts. */
static size_t gather(target_t *t, uintptr_t address, char *to, size_t size)
{
    const target_part *p;
    size_t done = 0;
    while (done < size && (p = parts_find(t, address + done)) != NULL) {
        size_t into = address + done - p->from, n = p->size - into;
        n = n > size - done ? size - done : n;
        memcpy(to + done, p->bytes + into, n);
        done += n;
    }
    return done;
}

bool parts_move(reader_t *r, uintptr_t address, size_t size)
{
    target_t *t = (target_t *)r;
    const target_part *p = parts_find(t, address);
    if (p == NULL)
        return t->pid != 0 && process_move(r, address, size);
    uintptr_t shift = (uintptr_t)p->bytes - p->from;
    if (shift % READER_ALIGN != 0 || size > p->size - (address - p->from))
        return parts_copy(t, p->from, address, size, gather);
    r->start = p->from;
    r->size = p->size;
    r->shift = shift;
    return true;
}
