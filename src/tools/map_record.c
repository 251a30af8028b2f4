/*
 * tools/map_record.c - strips and records, joined as they come so that there are never
 * too many. See map.h.
 */
#include "tools/map.h"

#include <string.h>

/* --- strips --- */

map_strip *map_add_strip(map_t *m, map_kind kind, unsigned arena, uintptr_t address)
{
    if (m->strip_count == m->strip_room) {
        m->strip_room = m->strip_room == 0 ? 64 : 2 * m->strip_room;
        m->strips = tool_grow(m->strips, m->strip_room * sizeof *m->strips);
    }
    map_strip *s = &m->strips[m->strip_count++];
    *s = (map_strip){
        .kind = kind, .arena = arena, .address = address, .first = m->record_count};
    return s;
}

void map_add_pages(map_strip *s, bool in_memory, size_t count)
{
    if (count == 0)
        return;
    bool last = s->page_count % 2 != 0; /* the first run is one in memory */
    if (s->page_count + 2 > s->page_room) {
        s->page_room = s->page_room == 0 ? 16 : 2 * s->page_room;
        s->pages = tool_grow(s->pages, s->page_room * sizeof *s->pages);
    }
    if (s->page_count == 0 && !in_memory)
        s->pages[s->page_count++] = 0;
    else if (s->page_count > 0 && last == in_memory) {
        s->pages[s->page_count - 1] += (uint32_t)count;
        return;
    }
    s->pages[s->page_count++] = (uint32_t)count;
}

/* --- joining --- */

static bool is_small(const map_t *m, const map_record *r)
{
    return r->state == MAP_MIXED || r->size < m->grain;
}

/* Both are too small to be seen, and begin in the same cell of the grain; or, in a
 * comparison, which does not tell chunks apart, nothing differs. */
static bool joins(const map_t *m, const map_record *a, const map_record *b)
{
    if (a->address + a->size != b->address)
        return false;
    if (m->is_diff && a->state == b->state && a->state != MAP_MIXED)
        return true;
    return is_small(m, a) && is_small(m, b) &&
           a->address / m->grain == b->address / m->grain;
}

static void join(const map_t *m, map_record *a, const map_record *b)
{
    a->size += b->size;
    a->count += b->count;
    if (!m->is_diff || a->state != b->state)
        a->state = MAP_MIXED;
    a->flags = 0;
    a->prev_size = 0;
    for (unsigned i = 0; i < MAP_STATES; i++)
        a->parts[i] += b->parts[i];
}

static void join_strip(map_t *m, map_strip *s, size_t *to)
{
    size_t from = s->first, end = s->first + s->count;
    s->first = *to;
    for (; from < end; from++)
        if (*to > s->first && joins(m, &m->records[*to - 1], &m->records[from]))
            join(m, &m->records[*to - 1], &m->records[from]);
        else
            m->records[(*to)++] = m->records[from];
    s->count = *to - s->first;
}

/* Double the grain until a quarter of the records is gone, or nothing joins any more. */
static void coarsen(map_t *m)
{
    size_t enough = m->records_most / 4 * 3, limit = (size_t)1 << (8 * sizeof limit - 2);
    while (m->record_count > enough && m->grain < limit) {
        size_t to = 0;
        m->grain *= 2;
        for (size_t i = 0; i < m->strip_count; i++)
            join_strip(m, &m->strips[i], &to);
        m->record_count = to;
    }
    if (m->record_count > enough) /* mappings, far from one another: more room, then */
        m->records_most *= 2;
}

/* --- records --- */

static void add_to_strip(map_strip *s, const map_record *r)
{
    s->size += r->size;
    s->chunks += r->count;
    for (unsigned i = 0; i < MAP_STATES; i++)
        s->parts[i] += r->parts[i];
}

void map_add_record(map_t *m, const map_record *r)
{
    map_strip *s = &m->strips[m->strip_count - 1];
    add_to_strip(s, r);
    if (s->count > 0 && joins(m, &m->records[m->record_count - 1], r)) {
        join(m, &m->records[m->record_count - 1], r);
        return;
    }
    if (m->record_count == m->record_room) {
        m->record_room = m->record_room == 0 ? 1024 : 2 * m->record_room;
        m->records = tool_grow(m->records, m->record_room * sizeof *m->records);
    }
    m->records[m->record_count++] = *r;
    s->count++;
    if (m->record_count >= m->records_most)
        coarsen(m);
}

/* --- sums --- */

map_sum *map_arena(map_t *m, unsigned arena)
{
    if (arena == CMALLOC_NO_ARENA)
        return &m->all;
    if (arena >= m->arena_count) {
        m->arenas = tool_grow(m->arenas, (arena + 1) * sizeof *m->arenas);
        memset(m->arenas + m->arena_count, 0,
               (arena + 1 - m->arena_count) * sizeof *m->arenas);
        m->arena_count = arena + 1;
    }
    return &m->arenas[arena];
}

unsigned map_class(size_t size)
{
    return size <= CLASS_MAX ? class_of(size) : (unsigned)CLASS_COUNT + cm_log2(size);
}

size_t map_class_size(unsigned k)
{
    return k < CLASS_COUNT ? class_size(k) : (size_t)1 << (k - CLASS_COUNT);
}
