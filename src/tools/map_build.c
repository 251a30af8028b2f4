/*
 * tools/map_build.c - from the items of a walk to a map. See map.h.
 *
 * Which pages are in memory is asked by halves, so that a heap that is all there, or all
 * gone, costs one question. M chunks come in no order; they are collected, and drawn side
 * by side in that of their addresses when the walk is over.
 */
#include "tools/map.h"

#include <string.h>

/* --- pages --- */

static size_t resident_in(const map_t *m, uintptr_t from, size_t size)
{
    return m->resident == NULL ? size : m->resident(m->resident_arg, from, size);
}

static void find_pages(map_t *m, map_strip *s, uintptr_t from, size_t size)
{
    size_t there = resident_in(m, from, size), pages = (size + m->page - 1) / m->page;
    if (there == 0 || there == size || pages == 1) {
        map_add_pages(s, there > 0, pages);
        s->resident += there;
        return;
    }
    size_t half = pages / 2 * m->page;
    find_pages(m, s, from, half);
    find_pages(m, s, from + half, size - half);
}

/* --- chunks --- */

static map_state state_of(cmalloc_kind kind)
{
    switch (kind) {
    case CMALLOC_INUSE:
    case CMALLOC_MMAPPED:
        return MAP_INUSE;
    case CMALLOC_CACHED:
        return MAP_CACHED;
    case CMALLOC_FREE:
    case CMALLOC_KEPT:
        return MAP_FREE;
    case CMALLOC_TOP:
        return MAP_TOP;
    case CMALLOC_DAMAGED:
        return MAP_DAMAGED;
    default:
        return MAP_META;
    }
}

static void add_piece(map_t *m, map_record *r, map_state state, size_t size)
{
    r->state = (uint8_t)state;
    r->size = size;
    memset(r->parts, 0, sizeof r->parts);
    r->parts[state] = size;
    map_add_record(m, r);
    r->address += size;
    r->count = 0;
}

/* Is address in memory, and up to where is that so? Of ascending addresses: the search
 * goes on from the last answer. */
static bool is_in_memory(map_t *m, uintptr_t address, uintptr_t *end)
{
    map_cursor *at = &m->cursor;
    for (; at->run < at->run_count; at->run++) {
        *end = at->from + at->runs[at->run] * m->page;
        if (address < *end)
            return at->run % 2 == 0;
        at->from = *end;
    }
    *end = UINTPTR_MAX;
    return true;
}

/* Free chunks that come next lie in this strip, which begins at its address. */
static void begin_pages(map_t *m, const map_strip *s)
{
    m->cursor =
        (map_cursor){.runs = s->pages, .run_count = s->page_count, .from = s->address};
}

/* A free chunk, cut where its pages go or come. A page that it shares with a neighbour is
 * there. */
static void add_free(map_t *m, map_record *r, map_state state, size_t size)
{
    uintptr_t end = r->address + size, run_end = 0;
    while (r->address < end) {
        bool there = is_in_memory(m, r->address, &run_end);
        size_t piece = run_end < end ? run_end - r->address : end - r->address;
        add_piece(m, r, there ? state : MAP_PURGED, piece);
    }
}

static void count_chunk(map_t *m, const cmalloc_item *item, map_state state)
{
    map_sum *k = &m->classes[map_class(item->size)];
    k->bytes[state] += item->size;
    k->chunks[state]++;
    map_arena(m, item->arena)->chunks[state]++;
    m->all.chunks[state] += item->arena != CMALLOC_NO_ARENA;
}

static void add_chunk(map_t *m, const cmalloc_item *item)
{
    map_state state = state_of(item->kind);
    map_record r = {.address = (uintptr_t)item->address,
                    .prev_size = item->prev_size,
                    .count = state < MAP_META,
                    .flags = (uint8_t)item->flags};
    if (state < MAP_META)
        count_chunk(m, item, state);
    if (state == MAP_FREE || state == MAP_TOP)
        add_free(m, &r, state, item->size);
    else
        add_piece(m, &r, state, item->size);
}

/* --- heaps --- */

/* What lies between the last chunk and `to`, and is none. */
static void add_metadata(map_t *m, uintptr_t to)
{
    const map_strip *s = &m->strips[m->strip_count - 1];
    map_record r = {.address = s->address + s->size};
    if (r.address < to)
        add_piece(m, &r, MAP_META, to - r.address);
}

static void add_to_arena(map_t *m, const map_strip *s, unsigned arena)
{
    map_sum *sums[] = {map_arena(m, arena), &m->all};
    for (unsigned k = arena == CMALLOC_NO_ARENA ? 1 : 0; k < 2; k++) {
        sums[k]->heaps += s->kind == MAP_HEAP;
        sums[k]->resident += s->resident;
        sums[k]->size += s->size;
        for (unsigned i = 0; i < MAP_STATES; i++)
            sums[k]->bytes[i] += s->parts[i];
    }
}

static void end_heap(map_t *m)
{
    if (m->heap_end == 0)
        return;
    add_metadata(m, m->heap_end);
    add_to_arena(m, &m->strips[m->strip_count - 1], m->strips[m->strip_count - 1].arena);
    m->heap_end = 0;
}

static void begin_heap(map_t *m, const cmalloc_item *item)
{
    uintptr_t address = (uintptr_t)item->address;
    map_strip *s = map_add_strip(m, MAP_HEAP, item->arena, address);
    s->reserved = item->reserved;
    find_pages(m, s, address, item->size);
    begin_pages(m, s);
    m->heap_end = address + item->size;
}

/* --- mappings --- */

static void keep_large(map_t *m, const cmalloc_item *item)
{
    if (m->large_count == m->large_room) {
        m->large_room = m->large_room == 0 ? 64 : 2 * m->large_room;
        m->larges = tool_grow(m->larges, m->large_room * sizeof *m->larges);
    }
    m->larges[m->large_count++] = *item;
}

static int compare_larges(const void *a, const void *b)
{
    const cmalloc_item *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->address < y->address ? -1 : x->address > y->address;
}

/* The difference that one mapping makes to the strip of all is its arena's. */
static void add_large(map_t *m, const cmalloc_item *item)
{
    map_strip own = {.kind = MAP_MAPPED,
                     .address = (uintptr_t)item->address - item->prev_size};
    find_pages(m, &own, own.address, item->reserved);
    begin_pages(m, &own);
    map_strip *s = &m->strips[m->strip_count - 1];
    map_strip before = *s;
    for (size_t i = 0; i < own.page_count; i++)
        map_add_pages(s, i % 2 == 0, own.pages[i]);
    map_record r = {.address = own.address};
    if (item->prev_size > 0)
        add_piece(m, &r, MAP_META, item->prev_size);
    add_chunk(m, item);
    s->resident += own.resident;
    s->reserved += item->reserved;
    own.size = s->size - before.size;
    for (unsigned i = 0; i < MAP_STATES; i++)
        own.parts[i] = s->parts[i] - before.parts[i];
    add_to_arena(m, &own, item->arena);
    free(own.pages);
}

static void add_larges(map_t *m)
{
    qsort(m->larges, m->large_count, sizeof *m->larges, compare_larges);
    for (size_t i = 0; i < m->large_count; i++) {
        const cmalloc_item *item = &m->larges[i];
        if (i == 0 || item[-1].kind != item->kind)
            map_add_strip(m, item->kind == CMALLOC_KEPT ? MAP_KEPT : MAP_MAPPED,
                          CMALLOC_NO_ARENA, (uintptr_t)item->address - item->prev_size);
        add_large(m, item);
    }
}

/* --- the walk --- */

int map_add(const cmalloc_item *item, void *arg)
{
    map_t *m = arg;
    bool is_large = item->kind == CMALLOC_MMAPPED || item->kind == CMALLOC_KEPT;
    if (item->kind == CMALLOC_ARENA || item->kind == CMALLOC_HEAP || is_large)
        end_heap(m);
    if (item->kind == CMALLOC_ARENA)
        map_arena(m, item->arena);
    else if (item->kind == CMALLOC_HEAP)
        begin_heap(m, item);
    else if (is_large)
        keep_large(m, item);
    else if (m->heap_end != 0) {
        add_metadata(m, (uintptr_t)item->address);
        add_chunk(m, item);
    }
    return 0;
}

/* Strips in order of addresses, mappings last. */
static int compare_strips(const void *a, const void *b)
{
    const map_strip *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->address < y->address ? -1 : x->address > y->address;
}

void map_finish(map_t *m)
{
    end_heap(m);
    add_larges(m);
    if (m->strip_count > 0)
        qsort(m->strips, m->strip_count, sizeof *m->strips, compare_strips);
}

void map_restart(map_t *m)
{
    for (size_t i = 0; i < m->strip_count; i++)
        free(m->strips[i].pages);
    m->strip_count = m->record_count = m->arena_count = m->large_count = 0;
    m->grain = CHUNK_ALIGN;
    m->records_most = MAP_RECORDS_MOST;
    m->heap_end = 0;
    memset(&m->all, 0, sizeof m->all);
    memset(m->classes, 0, sizeof m->classes);
}

map_t *map_new(const char *title, size_t page, map_resident resident, void *arg)
{
    map_t *m = tool_alloc(sizeof *m);
    snprintf(m->title, sizeof m->title, "%s", title);
    m->page = page;
    m->resident = resident;
    m->resident_arg = arg;
    m->when = time(NULL);
    map_restart(m);
    return m;
}

void map_free(map_t *m)
{
    map_restart(m);
    free(m->records);
    free(m->strips);
    free(m->arenas);
    free(m->larges);
    free(m);
}
