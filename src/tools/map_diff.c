/*
 * tools/map_diff.c - two maps compared, byte for byte, by address. See map.h.
 *
 * At each address that either of them covers it is asked what share is in use before and
 * after. Where both are single chunks that is exact; within a run of small chunks, or if
 * the program freed a chunk and took one in the same place, only the balance shows.
 */
#include "tools/map.h"

#include <string.h>

/* The records of one map, of one kind of strip, in address order. */
typedef struct side {
    const map_t *m;
    size_t strip, record; /* where it is */
    map_kind kind;
} side_t;

/* The record that the side is at; NULL: it is through. */
static const map_record *side_at(side_t *s)
{
    for (; s->m != NULL && s->strip < s->m->strip_count; s->strip++, s->record = 0) {
        const map_strip *strip = &s->m->strips[s->strip];
        if (strip->kind == s->kind && s->record < strip->count)
            return &s->m->records[strip->first + s->record];
    }
    return NULL;
}

static uintptr_t end_of(const map_record *r) { return r->address + r->size; }

static const map_record *side_behind(side_t *s, uintptr_t at)
{
    const map_record *r;
    while ((r = side_at(s)) != NULL && end_of(r) <= at)
        s->record++;
    return r;
}

/* Bytes in use of a piece of r that begins at at; the piece may lie before it. */
static size_t in_use(const map_record *r, uintptr_t at, size_t size)
{
    if (r == NULL || at < r->address)
        return 0;
    double share = (double)r->parts[MAP_INUSE] / (double)r->size;
    return (size_t)(share * (double)size + 0.5);
}

/* Where what holds at `at` ends: at the end of a record, or where one begins. */
static uintptr_t edge(const map_record *r, uintptr_t at)
{
    if (r == NULL)
        return UINTPTR_MAX;
    return at < r->address ? r->address : end_of(r);
}

static void add_piece(map_t *to, uintptr_t at, size_t size, size_t before, size_t after)
{
    map_record r = {.address = at, .size = size, .state = MAP_MIXED};
    r.parts[MAP_SAME] = before < after ? before : after;
    r.parts[MAP_TAKEN] = after - r.parts[MAP_SAME];
    r.parts[MAP_GIVEN] = before - r.parts[MAP_SAME];
    r.parts[MAP_IDLE] =
        size - r.parts[MAP_SAME] - r.parts[MAP_TAKEN] - r.parts[MAP_GIVEN];
    for (unsigned i = 0; i < MAP_STATES; i++)
        if (r.parts[i] == size)
            r.state = (uint8_t)i;
    map_add_record(to, &r);
}

static const map_strip *strip_of(const side_t *s) { return &s->m->strips[s->strip]; }

/* A new strip where a heap begins in either map; all mappings are one. */
static bool begins_strip(const map_t *to, const side_t *s, const map_record *r,
                         uintptr_t at)
{
    if (r == NULL || at < r->address || to->strip_count == 0)
        return to->strip_count == 0;
    const map_strip *last = &to->strips[to->strip_count - 1];
    if (last->kind != s->kind)
        return true;
    return s->kind == MAP_HEAP &&
           (at == strip_of(s)->address || last->address + last->size != at);
}

static void begin_strip(map_t *to, const side_t *s, uintptr_t at)
{
    map_strip *strip = map_add_strip(to, s->kind, strip_of(s)->arena, at);
    strip->reserved = strip_of(s)->reserved;
}

static void compare_kind(map_t *to, map_kind kind)
{
    side_t a = {.m = to->before, .kind = kind}, b = {.m = to->after, .kind = kind};
    uintptr_t at = 0;
    for (;;) {
        const map_record *x = side_behind(&a, at), *y = side_behind(&b, at);
        if (x == NULL && y == NULL)
            return;
        bool covers_x = x != NULL && at >= x->address;
        bool covers_y = y != NULL && at >= y->address;
        uintptr_t ex = edge(x, at), ey = edge(y, at), end = ex < ey ? ex : ey;
        size_t size = end - at;
        if (covers_x || covers_y) {
            const side_t *s = covers_y ? &b : &a;
            if (begins_strip(to, s, covers_y ? y : x, at))
                begin_strip(to, s, at);
            add_piece(to, at, size, in_use(x, at, size), in_use(y, at, size));
        }
        at = end;
    }
}

static void sum_up(map_t *to)
{
    for (size_t i = 0; i < to->strip_count; i++) {
        const map_strip *s = &to->strips[i];
        to->all.heaps += s->kind == MAP_HEAP;
        to->all.size += s->size;
        for (unsigned k = 0; k < MAP_STATES; k++)
            to->all.bytes[k] += s->parts[k];
    }
    to->all.resident = to->after->all.resident;
    to->arena_count = 0;
}

map_t *map_compare(const map_t *before, const map_t *after)
{
    char title[2 * sizeof before->title + 8];
    bool same = strcmp(before->title, after->title) == 0;
    if (same)
        snprintf(title, sizeof title, "%s: before and after", after->title);
    else
        snprintf(title, sizeof title, "%s -> %s", before->title, after->title);
    map_t *to = map_new(title, after->page, NULL, NULL);
    to->when = after->when;
    to->is_diff = true;
    to->before = before;
    to->after = after;
    for (map_kind kind = MAP_HEAP; kind <= MAP_KEPT; kind++)
        compare_kind(to, kind);
    sum_up(to);
    return to;
}
