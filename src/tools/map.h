/*
 * tools/map.h - a heap as a picture: what is drawn, as text, SVG and HTML.
 *
 * A map is made from a stream of cmalloc_item, whoever walked for it, and keeps of each
 * heap a list of records that cover it without gaps, in address order. A record is a
 * chunk, a piece of one, or a run of chunks each of which is smaller than the map's
 * grain. The grain doubles whenever there are more than MAP_RECORDS_MOST records, so that
 * a map of ten million chunks is as large as one of two hundred thousand, and what is too
 * small to be seen is all that it loses.
 *   strip->size == sum of its records' sizes;  record->size == sum of its parts
 *   chunks == sum of the records' counts
 * A free chunk is cut where its pages are in memory or not: the pieces that are not are
 * PURGED. Only the first piece counts as a chunk.
 *
 * In a map that compares two (map_diff.c), the states of a byte are those of map_change.
 * Nothing here reads the target: it may be gone.
 */
#ifndef CM_TOOLS_MAP_H
#define CM_TOOLS_MAP_H

#include "cmalloc.h"
#include "core/class.h"
#include "tools/tool.h"

#include <stdio.h>
#include <time.h>

#define MAP_RECORDS_MOST ((size_t)1 << 18)
#define MAP_CLASSES (CLASS_COUNT + 64) /* beyond CLASS_MAX one for each doubling */

typedef enum map_state {
    MAP_INUSE,
    MAP_CACHED,
    MAP_FREE,
    MAP_TOP,
    MAP_PURGED, /* free, and not in memory */
    MAP_META,   /* heap_infos, arenas' structs, fenceposts, what lies before an M chunk */
    MAP_DAMAGED,
    MAP_STATES,
    MAP_MIXED = MAP_STATES /* of a record: a run of chunks */
} map_state;

/* Of a comparison, in the places of the states. */
typedef enum map_change {
    MAP_SAME,  /* in use before and after */
    MAP_TAKEN, /* in use after */
    MAP_GIVEN, /* in use before */
    MAP_IDLE   /* in use neither before nor after */
} map_change;

typedef enum map_kind { MAP_HEAP, MAP_MAPPED, MAP_KEPT } map_kind;

typedef struct map_record {
    uintptr_t address;
    size_t size, prev_size;
    uint32_t count; /* chunks that begin in it */
    uint8_t state, flags;
    size_t parts[MAP_STATES]; /* bytes by state */
} map_record;

/* A heap; or all M chunks, or all kept mappings, side by side. */
typedef struct map_strip {
    map_kind kind;
    unsigned arena;
    uintptr_t address;
    size_t size, reserved, resident, chunks;
    size_t first, count; /* its records */
    size_t parts[MAP_STATES];
    uint32_t *pages; /* lengths of runs, in memory and not by turns; in pages */
    size_t page_count, page_room;
} map_strip;

/* While a map is made: the run of pages that the last free chunk lay in. */
typedef struct map_cursor {
    const uint32_t *runs;
    size_t run, run_count;
    uintptr_t from; /* where it begins */
} map_cursor;

/* Sums of an arena, or of chunks of a size class. */
typedef struct map_sum {
    size_t bytes[MAP_STATES], chunks[MAP_STATES];
    size_t heaps, size, resident; /* arenas only */
} map_sum;

/* Bytes of [from, from + size) that are in memory. */
typedef size_t (*map_resident)(void *arg, uintptr_t from, size_t size);

typedef struct map {
    char title[128];
    time_t when;
    size_t page, grain;
    bool is_diff;
    map_record *records;
    size_t record_count, record_room, records_most;
    map_strip *strips;
    size_t strip_count, strip_room;
    map_sum *arenas, all, classes[MAP_CLASSES];
    size_t arena_count;
    const struct map *before, *after; /* of a comparison */

    map_resident resident; /* while it is made */
    void *resident_arg;
    map_cursor cursor;
    uintptr_t heap_end; /* of the heap that is being added; 0: none is */
    cmalloc_item *larges;
    size_t large_count, large_room;
} map_t;

/* Only for captions: the name of the chunk whose payload is mem; NULL: it has none. */
typedef const char *(*map_namer)(uintptr_t mem);

/* --- map_build.c --- */

/* resident may be NULL: all is in memory. */
map_t *map_new(const char *title, size_t page, map_resident resident, void *arg);
void map_free(map_t *m);

/* Forget what was added: the walk begins anew. */
void map_restart(map_t *m);

/* A visitor of a walk; arg is the map. Always 0. */
int map_add(const cmalloc_item *item, void *arg);

/* The walk is over. */
void map_finish(map_t *m);

/* --- map_record.c --- */

map_strip *map_add_strip(map_t *m, map_kind kind, unsigned arena, uintptr_t address);

/* Append to the last strip; small ones are joined to a run. */
void map_add_record(map_t *m, const map_record *r);

/* Append a run of pages to the last strip. */
void map_add_pages(map_strip *s, bool in_memory, size_t count);

map_sum *map_arena(map_t *m, unsigned arena);
unsigned map_class(size_t size);
size_t map_class_size(unsigned k);

/* --- map_file.c: what `cmalloc map -o x.snap` writes --- */

void map_write(const map_t *m, FILE *to);

/* Ends the command if it is no such file. */
map_t *map_read(const char *path);

/* --- map_diff.c --- */

map_t *map_compare(const map_t *before, const map_t *after);

/* --- map_cells.c: what one column of a picture shows --- */

typedef struct map_cell {
    float parts[MAP_STATES]; /* bytes by state */
} map_cell;

/* Bytes a column, a power of two and at least 16, so that all strips together take about
 * `rows` rows of `columns` columns. */
size_t map_scale(const map_t *m, size_t columns, size_t rows);

/* The strip's columns, of scale bytes each; *count of them. The caller frees them. */
map_cell *map_cells(const map_t *m, const map_strip *s, size_t scale, size_t *count);

/* What a strip is called: "heap 0x5555..., 1.2 MiB of 64 MiB". In static storage. */
const char *map_caption(const map_strip *s);

/* --- map_pack.c: for the page's script --- */

void map_pack_records(const map_t *m, const map_strip *s, FILE *to);
void map_pack_pages(const map_strip *s, FILE *to);

/* --- the words --- */

const char *map_state_name(const map_t *m, unsigned state);
const char *map_kind_name(map_kind kind);

/* States that a picture of m has, in the order in which they are stacked. */
unsigned map_state_count(const map_t *m);

/* --- the pictures --- */

/* columns wide; colour: escape sequences; blocks: the terminal has Unicode's. */
void map_text(const map_t *m, FILE *to, size_t columns, bool colour, bool blocks);

/* head: with title, sums and key. name may be NULL. */
void map_svg(const map_t *m, FILE *to, map_namer name, bool head);
void map_html(const map_t *m, FILE *to);

/* Text for XML. */
void map_escape(FILE *to, const char *text);

/* Tables of arenas and sizes: map_table.c. */
void map_tables(const map_t *m, FILE *to);

/* The style sheet and the script of the page, made from map.css and map.js: lines, and
 * NULL. */
extern const char *const map_css[], *const map_js[];

#endif
