/* tools/map_table.c - the page's tables: arenas and sizes, of a map or of two. See map.h.
 */
#include "tools/map.h"

/* A number and how it is shown; the script sorts by data-v. */
static void cell_size(FILE *to, size_t bytes)
{
    fprintf(to, "<td data-v=\"%zu\" title=\"%zu bytes\"%s>%s</td>", bytes, bytes,
            bytes == 0 ? " class=\"none\"" : "", bytes == 0 ? "–" : tool_size(bytes));
}

static void cell_count(FILE *to, size_t count)
{
    fprintf(to, "<td data-v=\"%zu\"%s>%zu</td>", count,
            count == 0 ? " class=\"none\"" : "", count);
}

/* After less before. */
static void cell_change(FILE *to, size_t before, size_t after)
{
    const char *sign = after > before ? "+" : "−",
               *class = after > before ? "up" : "down";
    size_t n = after > before ? after - before : before - after;
    if (n == 0)
        fputs("<td data-v=\"0\" class=\"none\">–</td>", to);
    else
        fprintf(to, "<td data-v=\"%s%zu\" class=\"%s\">%s%s</td>",
                after > before ? "" : "-", n, class, sign, tool_size(n));
}

/* One row's bytes by state, to the scale of the largest row. */
static void cell_bar(FILE *to, const size_t *bytes, size_t most)
{
    fputs("<td class=\"bars\"><span class=\"bar\">", to);
    for (unsigned i = 0; i < MAP_STATES && most > 0; i++)
        if (bytes[i] > 0)
            fprintf(to, "<i class=\"c%u\" style=\"width:%.2f%%\"></i>", i,
                    100.0 * (double)bytes[i] / (double)most);
    fputs("</span></td>", to);
}

static void write_head(FILE *to, const char *const *names, size_t count)
{
    fputs("<table><thead><tr>", to);
    for (size_t i = 0; i < count; i++)
        fprintf(to, "<th>%s</th>", names[i]);
    fputs("</tr></thead><tbody>\n", to);
}

static size_t bytes_of(const map_sum *s)
{
    size_t sum = 0;
    for (unsigned i = 0; i < MAP_STATES; i++)
        sum += s->bytes[i];
    return sum;
}

/* --- one map --- */

static void write_arena(FILE *to, const char *name, const map_sum *a, size_t most)
{
    fprintf(to, "<tr><td data-v=\"%s\">%s</td>", name, name);
    cell_count(to, a->heaps);
    cell_size(to, a->size);
    cell_size(to, a->resident);
    for (unsigned i = 0; i < MAP_META; i++)
        cell_size(to, a->bytes[i]);
    cell_count(to, a->chunks[MAP_INUSE]);
    cell_bar(to, a->bytes, most);
    fputs("</tr>\n", to);
}

static void write_arenas(const map_t *m, FILE *to)
{
    static const char *const names[] = {"arena",  "heaps",         "mapped", "in memory",
                                        "in use", "cached",        "free",   "top",
                                        "purged", "chunks in use", ""};
    char name[24];
    size_t most = 0;
    for (size_t i = 0; i < m->arena_count; i++)
        if (m->arenas[i].size > most)
            most = m->arenas[i].size;
    fputs("<h2>Arenas</h2>\n", to);
    write_head(to, names, sizeof names / sizeof *names);
    for (size_t i = 0; i < m->arena_count; i++) {
        snprintf(name, sizeof name, "%zu", i);
        write_arena(to, name, &m->arenas[i], most);
    }
    fputs("</tbody><tfoot>", to);
    write_arena(to, "all", &m->all, m->all.size);
    fputs("</tfoot></table>\n", to);
}

static void write_size(FILE *to, unsigned k)
{
    size_t from = map_class_size(k), next = map_class_size(k + 1) - CHUNK_ALIGN;
    if (from >= next)
        fprintf(to, "<tr><td data-v=\"%zu\">%s</td>", from, tool_size(from));
    else
        fprintf(to, "<tr><td data-v=\"%zu\">%s – %s</td>", from, tool_size(from),
                tool_size(next));
}

static void write_sizes(const map_t *m, FILE *to)
{
    static const char *const names[] = {"chunk size", "in use", "bytes", "cached",
                                        "bytes",      "free",   "bytes", ""};
    size_t most = 0;
    for (unsigned k = 0; k < MAP_CLASSES; k++)
        if (bytes_of(&m->classes[k]) > most)
            most = bytes_of(&m->classes[k]);
    fputs("<h2>Sizes</h2>\n", to);
    write_head(to, names, sizeof names / sizeof *names);
    for (unsigned k = 0; k + 1 < MAP_CLASSES; k++) {
        const map_sum *s = &m->classes[k];
        if (bytes_of(s) == 0)
            continue;
        write_size(to, k);
        for (unsigned i = MAP_INUSE; i <= MAP_FREE; i++) {
            cell_count(to, s->chunks[i]);
            cell_size(to, s->bytes[i]);
        }
        cell_bar(to, s->bytes, most);
        fputs("</tr>\n", to);
    }
    fputs("</tbody></table>\n", to);
}

/* --- two --- */

static const map_sum *arena_or_none(const map_t *m, size_t arena)
{
    static const map_sum none;
    return arena < m->arena_count ? &m->arenas[arena] : &none;
}

static void write_change(FILE *to, const map_sum *a, const map_sum *b)
{
    for (unsigned i = MAP_INUSE; i <= MAP_FREE; i++) {
        cell_size(to, a->bytes[i]);
        cell_size(to, b->bytes[i]);
        cell_change(to, a->bytes[i], b->bytes[i]);
    }
    fputs("</tr>\n", to);
}

static const char *const change_names[] = {
    "",      "in use before", "after",       "change", "cached before",
    "after", "change",        "free before", "after",  "change"};
#define CHANGE_NAMES (sizeof change_names / sizeof *change_names)

static void write_arena_changes(const map_t *m, FILE *to)
{
    size_t count = m->after->arena_count;
    count = m->before->arena_count > count ? m->before->arena_count : count;
    fputs("<h2>Arenas</h2>\n", to);
    write_head(to, change_names, CHANGE_NAMES);
    for (size_t i = 0; i < count; i++) {
        fprintf(to, "<tr><td data-v=\"%zu\">arena %zu</td>", i, i);
        write_change(to, arena_or_none(m->before, i), arena_or_none(m->after, i));
    }
    fputs("</tbody><tfoot><tr><td>all</td>", to);
    write_change(to, &m->before->all, &m->after->all);
    fputs("</tfoot></table>\n", to);
}

static void write_size_changes(const map_t *m, FILE *to)
{
    fputs("<h2>Sizes</h2>\n", to);
    write_head(to, change_names, CHANGE_NAMES);
    for (unsigned k = 0; k + 1 < MAP_CLASSES; k++) {
        const map_sum *a = &m->before->classes[k], *b = &m->after->classes[k];
        if (bytes_of(a) == 0 && bytes_of(b) == 0)
            continue;
        write_size(to, k);
        write_change(to, a, b);
    }
    fputs("</tbody></table>\n", to);
}

void map_tables(const map_t *m, FILE *to)
{
    if (m->is_diff) {
        write_arena_changes(m, to);
        write_size_changes(m, to);
    } else {
        write_arenas(m, to);
        write_sizes(m, to);
    }
}
