/*
 * tools/map_html.c - a map as one page of HTML that asks nobody for anything.
 *
 * What can be read without a script is the SVG, sums and tables. The script (map.js) puts
 * a map in the SVG's place into which one can look closer: it draws from the records,
 * which follow as base64. MAP_RECORDS_MOST bounds the page's size.
 */
#include "tools/map.h"

static void write_lines(FILE *to, const char *const *lines)
{
    for (; *lines != NULL; lines++)
        fputs(*lines, to);
}

/* --- sums --- */

static void write_tile(const map_t *m, FILE *to, unsigned state)
{
    size_t bytes = m->all.bytes[state];
    fprintf(to,
            "<button class=\"tile\" data-state=\"%u\" title=\"%zu bytes\"><b><i "
            "class=\"c%u\"></i>%s</b><strong>%s</strong><span>%s</span></button>\n",
            state, bytes, state, map_state_name(m, state), tool_size(bytes),
            tool_share(bytes, m->all.size));
}

static void write_sums(const map_t *m, FILE *to)
{
    fprintf(to,
            "<div class=\"tiles\">\n<div class=\"tile\"><b>mapped</b><strong>%s</strong>"
            "<span>%s in memory</span></div>\n",
            tool_size(m->all.size), tool_size(m->all.resident));
    for (unsigned i = 0; i < map_state_count(m); i++)
        if (m->all.bytes[i] > 0)
            write_tile(m, to, i);
    fputs("</div>\n<div class=\"bar whole\">", to);
    for (unsigned i = 0; i < map_state_count(m); i++)
        if (m->all.bytes[i] > 0)
            fprintf(to, "<i class=\"c%u\" style=\"width:%.3f%%\" title=\"%s %s\"></i>", i,
                    100.0 * (double)m->all.bytes[i] / (double)m->all.size,
                    map_state_name(m, i), tool_size(m->all.bytes[i]));
    fputs("</div>\n", to);
}

static void write_head(const map_t *m, FILE *to)
{
    char when[64] = "";
    struct tm tm;
    if (localtime_r(&m->when, &tm) != NULL)
        strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &tm);
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
          to);
    map_escape(to, m->title);
    fputs(" - heap map</title>\n<style>\n", to);
    write_lines(to, map_css);
    fprintf(to, "</style></head>\n<body%s>\n<header><h1>",
            m->is_diff ? " class=\"diff\"" : "");
    map_escape(to, m->title);
    fprintf(to, "</h1><p>%s</p></header>\n", when);
}

/* --- what the script draws --- */

static void write_controls(FILE *to)
{
    fputs("<div id=\"live\" hidden><div class=\"bar-of-tools\">"
          "<button id=\"out\" title=\"zoom out (-)\">−</button>"
          "<input id=\"zoom\" type=\"range\" aria-label=\"zoom\">"
          "<button id=\"in\" title=\"zoom in (+)\">+</button>"
          "<output id=\"scale\"></output>"
          "<label><input id=\"pages\" type=\"checkbox\" checked> pages in memory</label>"
          "<form id=\"find\"><input id=\"address\" "
          "placeholder=\"find an address, 0x…\" "
          "spellcheck=\"false\" aria-label=\"address\"></form></div>\n"
          "<div id=\"view\" tabindex=\"0\"><canvas id=\"canvas\"></canvas>"
          "<div id=\"space\"></div></div>\n"
          "<div id=\"tip\" hidden></div></div>\n",
          to);
}

static void write_strip(const map_t *m, const map_strip *s, FILE *to)
{
    fprintf(to, "{\"kind\":\"%s\",\"arena\":%d,\"at\":\"%#zx\",\"size\":%zu,",
            map_kind_name(s->kind), s->kind == MAP_HEAP ? (int)s->arena : -1,
            (size_t)s->address, s->size);
    fprintf(to, "\"reserved\":%zu,\"resident\":%zu,\"chunks\":%zu,\"caption\":\"%s\",",
            s->reserved, s->resident, s->chunks, map_caption(s));
    fputs("\"records\":\"", to);
    map_pack_records(m, s, to);
    fputs("\",\"pages\":\"", to);
    if (!m->is_diff)
        map_pack_pages(s, to);
    fputs("\"}", to);
}

static void write_data(const map_t *m, FILE *to)
{
    fprintf(to,
            "<script type=\"application/json\" id=\"data\">{\"page\":%zu,\"grain\":%zu,"
            "\"diff\":%s,\"names\":[",
            m->page, m->grain, m->is_diff ? "true" : "false");
    for (unsigned i = 0; i < map_state_count(m); i++)
        fprintf(to, "%s\"%s\"", i == 0 ? "" : ",", map_state_name(m, i));
    fputs("],\n\"strips\":[", to);
    for (size_t i = 0; i < m->strip_count; i++) {
        fputs(i == 0 ? "\n" : ",\n", to);
        write_strip(m, &m->strips[i], to);
    }
    fputs("]}</script>\n", to);
}

void map_html(const map_t *m, FILE *to)
{
    write_head(m, to);
    write_sums(m, to);
    write_controls(to);
    fputs("<div id=\"still\">\n", to);
    map_svg(m, to, NULL, false);
    fputs("</div>\n<main>\n", to);
    map_tables(m, to);
    fputs("</main>\n<footer>Heaps are read like lines of text, in order of addresses. A "
          "column is a bar: its bytes by state, those in use at the bottom.",
          to);
    fputs(m->is_diff ? "" : " The line below a row marks pages that are in memory.", to);
    fprintf(to, " Made by cmalloc map.</footer>\n");
    write_data(m, to);
    fputs("<script>\n", to);
    write_lines(to, map_js);
    fputs("</script>\n</body></html>\n", to);
}
