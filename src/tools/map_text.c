/*
 * tools/map_text.c - a map in the terminal.
 *
 * With colours and Unicode a character is a bar: its foreground, from the bottom, is the
 * share in use, its background what most of the rest is. Without, it is a letter:
 * what its bytes are, or mostly are.
 */
#include "tools/map.h"

#include <string.h>

#define ROWS 20
#define STRIPS_MOST ((size_t)60)
#define WHOLE 0.98f /* this share of a cell and it counts as all */

/* Of the 256 colours, one for each state; the same hues as the page's. */
static const unsigned char colours[2][MAP_STATES] = {{33, 214, 79, 153, 238, 140, 196},
                                                     {250, 208, 37, 238, 140, 0, 0}};

/* A cell that is all of one state, and one that mostly is. */
static const char letters[2][2][MAP_STATES + 1] = {{"#c.t m!", "+c-t m!"},
                                                   {"=x. m  ", "=x. m  "}};

typedef struct text_map {
    const map_t *m;
    FILE *to;
    size_t columns, scale;
    bool colour, blocks;
} text_map;

static float bytes_in(const map_cell *c)
{
    float all = 0;
    for (unsigned i = 0; i < MAP_STATES; i++)
        all += c->parts[i];
    return all;
}

/* The state that most bytes have, from the state `first` on. */
static unsigned most_of(const map_cell *c, unsigned first)
{
    unsigned most = first;
    for (unsigned i = first; i < MAP_STATES; i++)
        if (c->parts[i] > c->parts[most])
            most = i;
    return most;
}

static void put_block(const text_map *t, const map_cell *c)
{
    static const char *const eighths[] = {" ",      "\u2581", "\u2582",
                                          "\u2583", "\u2584", "\u2585",
                                          "\u2586", "\u2587", "\u2588"};
    const unsigned char *palette = colours[t->m->is_diff];
    float all = bytes_in(c);
    unsigned rest = most_of(c, 1);
    unsigned height = all == 0 ? 0 : (unsigned)(8 * c->parts[0] / all + 0.5f);
    if (height == 0 && c->parts[0] > 0)
        height = 1;
    if (height == 8 && c->parts[0] < all)
        height = 7 + (c->parts[0] >= WHOLE * all);
    fprintf(t->to, "\033[38;5;%u;48;5;%um%s", palette[0], palette[height == 8 ? 0 : rest],
            eighths[height]);
}

static void put_letter(const text_map *t, const map_cell *c)
{
    unsigned state = most_of(c, 0);
    bool whole = c->parts[state] >= WHOLE * bytes_in(c);
    char letter = letters[t->m->is_diff][whole ? 0 : 1][state];
    if (!whole && state == MAP_PURGED && c->parts[MAP_INUSE] > 0 && !t->m->is_diff)
        letter = '-';
    if (t->colour)
        fprintf(t->to, "\033[38;5;%um", colours[t->m->is_diff][state]);
    fputc(letter, t->to);
}

static void write_strip(const text_map *t, const map_strip *s)
{
    size_t count;
    map_cell *cells = map_cells(t->m, s, t->scale, &count);
    fprintf(t->to, "\n%s", map_caption(s));
    if (!t->m->is_diff)
        fprintf(t->to, "; %s in memory", tool_size(s->resident));
    fputc('\n', t->to);
    for (size_t i = 0; i < count; i++) {
        if (i % t->columns == 0)
            fputs(t->colour ? "  " : "  |", t->to);
        if (t->blocks)
            put_block(t, &cells[i]);
        else
            put_letter(t, &cells[i]);
        if (i + 1 == count || (i + 1) % t->columns == 0)
            fputs(t->colour ? "\033[0m\n" : "|\n", t->to);
    }
    free(cells);
}

static void write_key(const text_map *t)
{
    const map_sum *all = &t->m->all;
    for (unsigned i = 0; i < map_state_count(t->m); i++) {
        if (all->bytes[i] == 0)
            continue;
        if (t->blocks)
            fprintf(t->to, "  \033[38;5;%um\u2588\u2588\033[0m",
                    colours[t->m->is_diff][i]);
        else
            fprintf(t->to, "  '%c'", letters[t->m->is_diff][0][i]);
        fprintf(t->to, " %-14s %10s  %7s\n", map_state_name(t->m, i),
                tool_size(all->bytes[i]), tool_share(all->bytes[i], all->size));
    }
    if (!t->blocks && !t->m->is_diff)
        fputs("  '+' mostly in use   '-' mostly free\n", t->to);
}

void map_text(const map_t *m, FILE *to, size_t columns, bool colour, bool blocks)
{
    text_map t = {
        .m = m, .to = to, .columns = columns - 4, .colour = colour, .blocks = blocks};
    size_t strips = m->strip_count < STRIPS_MOST ? m->strip_count : STRIPS_MOST;
    t.scale = map_scale(m, t.columns, ROWS);
    fprintf(to, "%s: %s mapped, ", m->title, tool_size(m->all.size));
    fprintf(to, "%s in memory; a character is %s\n\n", tool_size(m->all.resident),
            tool_size(t.scale));
    write_key(&t);
    for (size_t i = 0; i < strips; i++)
        write_strip(&t, &m->strips[i]);
    if (strips < m->strip_count)
        fprintf(to, "\nand %zu more\n", m->strip_count - strips);
}
