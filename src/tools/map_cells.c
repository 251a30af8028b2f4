/* tools/map_cells.c - what one column of a picture shows, and the words. See map.h. */
#include "tools/map.h"

#define SCALE_LEAST ((size_t)16)

static size_t rows_at(const map_t *m, size_t row)
{
    size_t rows = 0;
    for (size_t i = 0; i < m->strip_count; i++)
        rows += (m->strips[i].size + row - 1) / row;
    return rows;
}

size_t map_scale(const map_t *m, size_t columns, size_t rows)
{
    size_t scale = SCALE_LEAST, least = m->strip_count;
    while (rows_at(m, scale * columns) > rows && rows_at(m, scale * columns) > least)
        scale *= 2;
    return scale;
}

/* A run is spread evenly over what it covers. */
static void spread(map_cell *cells, size_t offset, const map_record *r, size_t scale)
{
    for (size_t at = offset, end = offset + r->size; at < end;) {
        size_t column = at / scale, stop = (column + 1) * scale;
        float share = (float)((stop < end ? stop : end) - at) / (float)r->size;
        for (unsigned i = 0; i < MAP_STATES; i++)
            cells[column].parts[i] += share * (float)r->parts[i];
        at = stop;
    }
}

map_cell *map_cells(const map_t *m, const map_strip *s, size_t scale, size_t *count)
{
    *count = (s->size + scale - 1) / scale;
    map_cell *cells = tool_alloc((*count + 1) * sizeof *cells);
    size_t offset = 0;
    for (size_t i = s->first; i < s->first + s->count; i++) {
        spread(cells, offset, &m->records[i], scale);
        offset += m->records[i].size;
    }
    return cells;
}

/* --- words --- */

const char *map_state_name(const map_t *m, unsigned state)
{
    static const char *const states[] = {"in use", "cached",   "free",   "top",
                                         "purged", "metadata", "damaged"};
    static const char *const changes[] = {"in use in both", "new", "gone", "free in both",
                                          "metadata",       "",    ""};
    return (m->is_diff ? changes : states)[state];
}

unsigned map_state_count(const map_t *m) { return m->is_diff ? 4 : MAP_STATES; }

const char *map_kind_name(map_kind kind)
{
    static const char *const kinds[] = {"heap", "mapped chunks", "kept mappings"};
    return kinds[kind];
}

const char *map_caption(const map_strip *s)
{
    static char text[160];
    if (s->kind != MAP_HEAP)
        snprintf(text, sizeof text, "%s, from %#zx on: %s", map_kind_name(s->kind),
                 (size_t)s->address, tool_size(s->size));
    else if (s->reserved > s->size + s->size / 128)
        snprintf(text, sizeof text, "arena %u, heap %#zx: %s of %s", s->arena,
                 (size_t)s->address, tool_size(s->size), tool_size(s->reserved));
    else
        snprintf(text, sizeof text, "arena %u, heap %#zx: %s", s->arena,
                 (size_t)s->address, tool_size(s->size));
    return text;
}
