/*
 * tools/map_svg.c - a map as SVG, light or dark as whoever looks at it prefers.
 *
 * Heaps are strips that wrap like lines of text. A column of a strip is a bar: from the
 * bottom up, the bytes of each state in it. So nothing is rounded to one colour, and the
 * picture adds up. Bars of equal height are one rectangle, and all rectangles of a state
 * are one path.
 */
#include "tools/map.h"

#include <string.h>

#define WIDTH 1200
#define LEFT 24
#define COLUMN 4 /* pixels */
#define COLUMNS ((size_t)(WIDTH - 2 * LEFT) / COLUMN)
#define ROW 16 /* pixels of a bar */
#define ROW_STEP 22
#define ROWS 28 /* about as many in all */
#define CAPTION 26
#define HEAD 150
#define STRIPS_MOST ((size_t)160)

typedef struct svg {
    const map_t *m;
    FILE *to;
    map_namer name;
    size_t scale;
    double y; /* of the next strip */
} svg_t;

void map_escape(FILE *to, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        default:
            fputc((unsigned char)*text < ' ' ? '?' : *text, to);
        }
}

/* --- colours: the same names as in map.css --- */

static const char *const style[] = {
    "<style>\n",
    ".map{--bg:#fff;--ink:#1b2330;--dim:#667085;--line:#e4e8ee;--page:#9aa6b5;--on:#fff;",
    "--s0:#1d5fae;--s1:#f0a30a;--s2:#8fd6bd;--s3:#c9dbe9;--s4:#eef1f4;--s5:#a779b5;",
    "--s6:#d7301f}\n",
    ".map.diff{--s0:#b9c6d6;--s1:#d9480f;--s2:#12a594;--s3:#eef1f4}\n",
    "@media(prefers-color-scheme:dark){\n",
    ".map{--bg:#0e1420;--ink:#e8edf4;--dim:#93a0b4;--line:#243044;--page:#55657c;",
    "--on:#0c1420;--s0:#5aa9f5;--s1:#f7b733;--s2:#2c7d68;--s3:#34506d;--s4:#1a2332;",
    "--s5:#b58fce;--s6:#ff6b4a}\n",
    ".map.diff{--s0:#3d4f68;--s1:#ff8a4c;--s2:#2ec4b0;--s3:#1a2332}}\n",
    ".map text{font:13px system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;",
    "fill:var(--ink)}\n",
    ".map .big{font-size:20px;font-weight:600}.map .dim{fill:var(--dim)}\n",
    ".map .in{font-size:11px;text-anchor:middle}.map .on{fill:var(--on)}\n",
    ".map .on1{fill:#10161f}\n",
    ".map .b{fill:var(--bg)}.map .g{stroke:var(--bg);stroke-width:1;fill:none}\n",
    ".map .p{fill:var(--page)}\n"};

static void write_style(FILE *to)
{
    for (size_t i = 0; i < sizeof style / sizeof *style; i++)
        fputs(style[i], to);
    for (unsigned i = 0; i < MAP_STATES; i++)
        fprintf(to, ".map .s%u{fill:var(--s%u)}", i, i);
    fputs("\n</style>\n", to);
}

/* --- the head --- */

static void write_title(const svg_t *s)
{
    char when[64] = "";
    struct tm tm;
    if (localtime_r(&s->m->when, &tm) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    fprintf(s->to, "<text class=\"big\" x=\"%d\" y=\"38\">", LEFT);
    map_escape(s->to, s->m->title);
    fprintf(s->to,
            "</text>\n<text class=\"dim\" x=\"%d\" y=\"38\" text-anchor=\"end\">%s"
            "</text>\n",
            WIDTH - LEFT, when);
    fprintf(s->to, "<text class=\"dim\" x=\"%d\" y=\"60\">%s mapped, %s in memory; ",
            LEFT, tool_size(s->m->all.size), tool_size(s->m->all.resident));
    fprintf(s->to, "%zu heap%s; a column is %s</text>\n", s->m->all.heaps,
            s->m->all.heaps == 1 ? "" : "s", tool_size(s->scale));
}

/* All bytes in one bar, and what its colours mean. */
static void write_legend(const svg_t *s)
{
    const map_sum *all = &s->m->all;
    double x = LEFT, width = WIDTH - 2 * LEFT, key = LEFT;
    for (unsigned i = 0; i < map_state_count(s->m); i++) {
        if (all->bytes[i] == 0)
            continue;
        double w = width * (double)all->bytes[i] / (double)all->size;
        fprintf(s->to,
                "<rect class=\"s%u\" x=\"%.2f\" y=\"76\" width=\"%.2f\" height=\"18\"/>",
                i, x, w);
        x += w;
        fprintf(s->to,
                "<rect class=\"s%u\" x=\"%.0f\" y=\"108\" width=\"12\" height=\"12\" "
                "rx=\"2\"/><text x=\"%.0f\" y=\"119\">%s <tspan class=\"dim\">%s, "
                "%s</tspan></text>\n",
                i, key, key + 18, map_state_name(s->m, i), tool_size(all->bytes[i]),
                tool_share(all->bytes[i], all->size));
        key += 18 + 7.2 * (double)(strlen(map_state_name(s->m, i)) + 18);
    }
}

/* --- a strip --- */

static size_t row_count(const map_strip *s, size_t scale)
{
    return (s->size + scale * COLUMNS - 1) / (scale * COLUMNS);
}

/* Height of one state's part of a column, in quarters of a pixel; *from: where it
 * begins. */
static int bar(const map_cell *c, unsigned state, size_t scale, int *from)
{
    float below = 0;
    for (unsigned i = 0; i < state; i++)
        below += c->parts[i];
    float unit = 4.0f * ROW / (float)scale;
    *from = (int)(below * unit + 0.5f);
    return (int)((below + c->parts[state]) * unit + 0.5f) - *from;
}

/* One row's columns of one state, equal ones together. */
static void write_row(const svg_t *s, const map_cell *cells, size_t count, unsigned state,
                      double y)
{
    for (size_t i = 0; i < count;) {
        int from, height = bar(&cells[i], state, s->scale, &from), from_next;
        size_t end = i + 1;
        while (end < count && bar(&cells[end], state, s->scale, &from_next) == height &&
               from_next == from)
            end++;
        if (height > 0)
            fprintf(s->to, "M%zu %gh%zuv%gh-%zuz", LEFT + i * COLUMN,
                    y + ROW - (from + height) / 4.0, (end - i) * COLUMN, height / 4.0,
                    (end - i) * COLUMN);
        i = end;
    }
}

static void write_bars(const svg_t *s, const map_strip *strip)
{
    size_t count;
    map_cell *cells = map_cells(s->m, strip, s->scale, &count);
    for (unsigned state = 0; state < map_state_count(s->m); state++) {
        if (strip->parts[state] == 0)
            continue;
        fprintf(s->to, "<path class=\"s%u\" d=\"", state);
        for (size_t i = 0, row = 0; i < count; i += COLUMNS, row++)
            write_row(s, cells + i, count - i < COLUMNS ? count - i : COLUMNS, state,
                      s->y + (double)(row * ROW_STEP));
        fputs("\"/>\n", s->to);
    }
    free(cells);
}

typedef struct svg_place {
    double x, y;
} svg_place;

static svg_place place_of(const svg_t *s, size_t offset)
{
    size_t row = s->scale * COLUMNS;
    return (svg_place){LEFT + (double)(offset % row) * COLUMN / (double)s->scale,
                       s->y + (double)(offset / row * ROW_STEP)};
}

/* Lines between chunks that are wide enough to have a neighbour. */
static void write_borders(const svg_t *s, const map_strip *strip)
{
    fputs("<path class=\"g\" d=\"", s->to);
    size_t offset = 0;
    for (size_t i = strip->first; i < strip->first + strip->count; i++) {
        const map_record *r = &s->m->records[i];
        svg_place at = place_of(s, offset);
        if (r->count == 1 && r->size >= 2 * s->scale && offset > 0)
            fprintf(s->to, "M%.2f %gv%d", at.x, at.y, ROW);
        offset += r->size;
    }
    fputs("\"/>\n", s->to);
}

/* Where a chunk has most room for a caption: in its first row, or in the second. Sets
 * *width, in pixels. */
static svg_place widest(const svg_t *s, size_t offset, size_t size, double *width)
{
    size_t row = s->scale * COLUMNS, first = row - offset % row, next = 0;
    if (size > first)
        next = size - first < row ? size - first : row;
    bool second = next > first;
    size_t room = second ? next : size < first ? size : first;
    *width = (double)room * COLUMN / (double)s->scale;
    return place_of(s, second ? offset + first : offset);
}

static const char *label_class(const svg_t *s, const map_record *r)
{
    if (s->m->is_diff)
        return "in";
    return r->state == MAP_INUSE ? "in on" : r->state == MAP_CACHED ? "in on1" : "in";
}

/* A name or a size, where it fits. */
static void write_names(const svg_t *s, const map_strip *strip)
{
    size_t offset = 0;
    for (size_t i = strip->first; i < strip->first + strip->count; i++) {
        const map_record *r = &s->m->records[i];
        const char *name = s->name == NULL ? NULL : s->name(r->address + CHUNK_HEADER);
        const char *text = name != NULL ? name : tool_size(r->size);
        double width;
        svg_place at = widest(s, offset, r->size, &width);
        offset += r->size;
        if (r->state >= MAP_META || r->count != 1 ||
            width < 7.0 * (double)strlen(text) + 4)
            continue;
        fprintf(s->to, "<text class=\"%s\" x=\"%.1f\" y=\"%g\">", label_class(s, r),
                at.x + width / 2, at.y + ROW - 4);
        map_escape(s->to, text);
        fputs("</text>\n", s->to);
    }
}

/* A line below each row: its pages that are in memory. */
static void write_pages(const svg_t *s, const map_strip *strip)
{
    size_t row = s->scale * COLUMNS, offset = 0;
    fputs("<path class=\"p\" d=\"", s->to);
    for (size_t i = 0; i < strip->page_count; i++) {
        size_t end = offset + strip->pages[i] * s->m->page;
        end = end < strip->size ? end : strip->size;
        while (i % 2 == 0 && offset < end) {
            size_t stop = (offset / row + 1) * row;
            stop = stop < end ? stop : end;
            svg_place at = place_of(s, offset);
            double w = (double)(stop - offset) * COLUMN / (double)s->scale;
            if (w >= 0.25)
                fprintf(s->to, "M%.2f %gh%.2fv2h-%.2fz", at.x, at.y + ROW + 1, w, w);
            offset = stop;
        }
        offset = end;
    }
    fputs("\"/>\n", s->to);
}

static void write_strip(svg_t *s, const map_strip *strip)
{
    fprintf(s->to, "<text x=\"%d\" y=\"%g\">%s", LEFT, s->y - 7, map_caption(strip));
    if (!s->m->is_diff)
        fprintf(s->to, "<tspan class=\"dim\" dx=\"10\">%s in memory, %zu chunks</tspan>",
                tool_size(strip->resident), strip->chunks);
    fputs("</text>\n", s->to);
    write_bars(s, strip);
    write_borders(s, strip);
    write_names(s, strip);
    write_pages(s, strip);
    s->y += (double)(row_count(strip, s->scale) * ROW_STEP) + CAPTION;
}

void map_svg(const map_t *m, FILE *to, map_namer name, bool head)
{
    svg_t s = {.m = m, .to = to, .name = name, .y = (head ? HEAD : 0) + CAPTION};
    size_t strips = m->strip_count < STRIPS_MOST ? m->strip_count : STRIPS_MOST, rows = 0;
    s.scale = map_scale(m, COLUMNS, ROWS);
    for (size_t i = 0; i < strips; i++)
        rows += row_count(&m->strips[i], s.scale);
    double height =
        (head ? HEAD : 0) + (double)(rows * ROW_STEP + strips * CAPTION) + CAPTION;
    fprintf(to,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"map%s\" "
            "viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"map of a heap\">\n",
            m->is_diff ? " diff" : "", WIDTH, height);
    write_style(to);
    fprintf(to, "<rect class=\"b\" width=\"%d\" height=\"%.0f\" rx=\"8\"/>\n", WIDTH,
            height);
    if (head) {
        write_title(&s);
        write_legend(&s);
    }
    for (size_t i = 0; i < strips; i++)
        write_strip(&s, &m->strips[i]);
    if (strips < m->strip_count)
        fprintf(to, "<text class=\"dim\" x=\"%d\" y=\"%g\">and %zu more</text>\n", LEFT,
                s.y - 7, m->strip_count - strips);
    fputs("</svg>\n", to);
}
