/* tools/parts.c - the window on bytes that we have: a core's segments, a frozen process.
 * A look across two parts is put together in the buffer. See target.h. */
#include "tools/target.h"

#include <string.h>

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

/* Returns how many bytes there are. */
static size_t gather(const target_t *t, uintptr_t address, size_t size)
{
    const target_part *p;
    size_t done = 0;
    while (done < size && (p = parts_find(t, address + done)) != NULL) {
        size_t into = address + done - p->from, n = p->size - into;
        n = n > size - done ? size - done : n;
        memcpy(t->buffer + done, p->bytes + into, n);
        done += n;
    }
    return done;
}

static void set_window(reader_t *r, uintptr_t start, size_t size, const char *bytes)
{
    r->start = start;
    r->size = size;
    r->shift = (uintptr_t)bytes - start;
}

bool parts_move(reader_t *r, uintptr_t address, size_t size)
{
    target_t *t = (target_t *)r;
    const target_part *p = parts_find(t, address);
    if (p == NULL)
        return t->pid != 0 && process_move(r, address, size);
    set_window(r, p->from, p->size, p->bytes);
    if (size <= p->size - (address - p->from))
        return true;
    set_window(r, address, gather(t, address, size), t->buffer);
    return r->size >= size;
}
