/*
 * tools/map_file.c - snapshots: a map as lines of text, written and read again.
 *
 *   cmalloc-map 1 PAGE GRAIN TIME
 *   t TITLE
 *   a ARENA HEAPS SIZE RESIDENT                an arena
 *   k CLASS INDEX (BYTES CHUNKS)...            chunks of a size, for each state
 *   s KIND ARENA ADDRESS RESERVED RESIDENT     a strip; its pages and records follow
 *   p COUNT...                                 pages in memory, not, in memory, ...
 *   c ADDRESS SIZE COUNT STATE FLAGS PREV_SIZE a chunk, or a piece of one
 *   r ADDRESS SIZE COUNT BYTES...              a run: bytes by state
 *   end RECORDS
 *
 * Numbers are hexadecimal. A file that was cut short lacks its last line and is refused.
 * Nothing in it is believed that a picture's arithmetic would trip over.
 */
#include "tools/map.h"

#include <errno.h>
#include <string.h>

#define LINE_MOST 4096
#define SIZE_LIMIT ((SIZE_MAX >> 8) + 1) /* sums of sizes do not overflow */

/* --- writing --- */

static void write_parts(FILE *to, const size_t *parts)
{
    for (unsigned i = 0; i < MAP_STATES; i++)
        fprintf(to, " %zx", parts[i]);
}

static void write_sum(FILE *to, const char *what, size_t index, const map_sum *s)
{
    fprintf(to, "%s %zx %zx %zx %zx", what, index, s->heaps, s->size, s->resident);
    write_parts(to, s->bytes);
    write_parts(to, s->chunks);
    fputc('\n', to);
}

static bool is_empty(const map_sum *s)
{
    for (unsigned i = 0; i < MAP_STATES; i++)
        if (s->chunks[i] != 0)
            return false;
    return true;
}

static void write_record(FILE *to, const map_record *r)
{
    if (r->state == MAP_MIXED) {
        fprintf(to, "r %zx %zx %x", (size_t)r->address, r->size, r->count);
        write_parts(to, r->parts);
        fputc('\n', to);
    } else
        fprintf(to, "c %zx %zx %x %x %x %zx\n", (size_t)r->address, r->size, r->count,
                r->state, r->flags, r->prev_size);
}

static void write_strip(const map_t *m, const map_strip *s, FILE *to)
{
    fprintf(to, "s %x %x %zx %zx %zx\n", s->kind, s->arena, (size_t)s->address,
            s->reserved, s->resident);
    for (size_t i = 0; i < s->page_count; i++)
        fprintf(to, "p %x\n", s->pages[i]);
    for (size_t i = s->first; i < s->first + s->count; i++)
        write_record(to, &m->records[i]);
}

void map_write(const map_t *m, FILE *to)
{
    fprintf(to, "cmalloc-map 1 %zx %zx %llx\nt %s\n", m->page, m->grain,
            (unsigned long long)m->when, m->title);
    for (size_t i = 0; i < m->arena_count; i++)
        write_sum(to, "a", i, &m->arenas[i]);
    write_sum(to, "w", 0, &m->all);
    for (size_t i = 0; i < MAP_CLASSES; i++)
        if (!is_empty(&m->classes[i]))
            write_sum(to, "k", i, &m->classes[i]);
    for (size_t i = 0; i < m->strip_count; i++)
        write_strip(m, &m->strips[i], to);
    fprintf(to, "end %zx\n", m->record_count);
}

/* --- reading --- */

typedef struct snapshot {
    const char *path;
    const char *at; /* in the line */
    map_t *m;
    bool absent; /* its strip begins with pages that are not in memory */
    bool bad;
} snapshot_t;

static size_t number(snapshot_t *s)
{
    char *end;
    errno = 0;
    unsigned long long n = strtoull(s->at, &end, 16);
    if (end == s->at || errno != 0)
        s->bad = true;
    s->at = end;
    return (size_t)n;
}

static size_t number_below(snapshot_t *s, size_t limit)
{
    size_t n = number(s);
    if (n < limit)
        return n;
    s->bad = true;
    return 0;
}

static size_t read_parts(snapshot_t *s, size_t *parts)
{
    size_t sum = 0;
    for (unsigned i = 0; i < MAP_STATES; i++)
        sum += parts[i] = number_below(s, SIZE_LIMIT);
    return sum;
}

static void read_sum(snapshot_t *s, char what)
{
    size_t limit = what == 'k' ? MAP_CLASSES : 65536, index = number_below(s, limit);
    map_sum sum = {0};
    sum.heaps = number(s);
    sum.size = number(s);
    sum.resident = number(s);
    read_parts(s, sum.bytes);
    read_parts(s, sum.chunks);
    if (s->bad)
        return;
    if (what == 'k')
        s->m->classes[index] = sum;
    else if (what == 'w')
        s->m->all = sum;
    else
        *map_arena(s->m, (unsigned)index) = sum;
}

static void read_strip(snapshot_t *s)
{
    map_kind kind = (map_kind)number_below(s, MAP_KEPT + 1);
    unsigned arena = (unsigned)number(s);
    map_strip *strip = map_add_strip(s->m, kind, arena, number(s));
    strip->reserved = number(s);
    strip->resident = number(s);
    s->absent = false;
}

static void read_pages(snapshot_t *s)
{
    map_strip *strip = &s->m->strips[s->m->strip_count - 1];
    size_t count = number_below(s, UINT32_MAX);
    map_add_pages(strip, strip->page_count % 2 == 0 && !s->absent, count);
    s->absent = strip->page_count == 0;
}

static void read_record(snapshot_t *s, char what)
{
    map_record r = {.state = MAP_MIXED};
    r.address = number(s);
    r.size = number_below(s, SIZE_LIMIT);
    r.count = (uint32_t)number(s);
    const map_strip *strip = &s->m->strips[s->m->strip_count - 1];
    if (what == 'r') {
        s->bad |= read_parts(s, r.parts) != r.size;
    } else {
        r.state = (uint8_t)number_below(s, MAP_STATES);
        r.flags = (uint8_t)number_below(s, 8);
        r.prev_size = number(s);
        r.parts[r.state] = r.size;
    }
    if (strip->kind == MAP_HEAP)
        s->bad |= r.address != strip->address + strip->size;
    if (!s->bad && r.size > 0)
        map_add_record(s->m, &r);
}

static void read_title(snapshot_t *s)
{
    snprintf(s->m->title, sizeof s->m->title, "%s", s->at + (*s->at == ' '));
    s->m->title[strcspn(s->m->title, "\n")] = '\0';
}

static void read_line(snapshot_t *s, const char *line)
{
    s->at = line + 1;
    if (line[0] == 't')
        read_title(s);
    else if (line[0] == 'a' || line[0] == 'w' || line[0] == 'k')
        read_sum(s, line[0]);
    else if (line[0] == 's')
        read_strip(s);
    else if (s->m->strip_count == 0)
        s->bad = true;
    else if (line[0] == 'p')
        read_pages(s);
    else if (line[0] == 'c' || line[0] == 'r')
        read_record(s, line[0]);
    else
        s->bad = true;
}

static bool read_head(snapshot_t *s, const char *line)
{
    static const char word[] = "cmalloc-map 1 ";
    if (strncmp(line, word, sizeof word - 1) != 0)
        return false;
    s->at = line + sizeof word - 1;
    size_t page = number(s), grain = number(s);
    bool sound = page >= 512 && (page & (page - 1)) == 0 && grain >= CHUNK_ALIGN &&
                 (grain & (grain - 1)) == 0;
    s->m = map_new(s->path, page, NULL, NULL);
    s->m->grain = grain;
    s->m->when = (time_t)number(s);
    return sound && !s->bad;
}

map_t *map_read(const char *path)
{
    char line[LINE_MOST];
    snapshot_t s = {.path = path};
    FILE *file = fopen(path, "r");
    if (file == NULL)
        tool_die(errno == EACCES ? TOOL_REFUSED : TOOL_NONE, "%s: %s", path,
                 strerror(errno));
    bool ended = false, known = fgets(line, sizeof line, file) && read_head(&s, line);
    while (known && !ended && !s.bad && fgets(line, sizeof line, file) != NULL) {
        ended = strncmp(line, "end ", 4) == 0;
        if (!ended)
            read_line(&s, line);
    }
    fclose(file);
    if (!known)
        tool_die(TOOL_USAGE, "%s: not a snapshot of cmalloc map", path);
    if (s.bad || !ended)
        tool_die(TOOL_CORE, "%s: a snapshot that is %s", path,
                 s.bad ? "damaged" : "truncated");
    return s.m;
}
