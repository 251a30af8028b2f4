/*
 * draw.h - the tour's steps as pictures: SVG files, one HTML page, or JSON.
 *
 * The heap on show must not be changed by drawing it. So a child process draws each step:
 * it takes its look first, without allocating, and what it allocates then is a matter of
 * its own. What the tour prints goes to a file in memory; the page shows it beside the
 * pictures.
 */
#ifndef DEMO_DRAW_H
#define DEMO_DRAW_H

#include "look.h"
#include "tools/map.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

typedef enum draw_kind { DRAW_NOTHING, DRAW_SVG, DRAW_HTML, DRAW_JSON } draw_kind;

typedef struct drawing {
    draw_kind kind;
    const char *path; /* of the directory, or the page */
    unsigned step;    /* of the whole tour */
    int out;          /* where standard output went */
    int text;         /* what the tour printed */
    off_t shown;      /* so much of that is on the page */
} drawing_t;

static drawing_t drawing;

/* tools/tool.c asks for it; there are no subcommands here. */
void tool_usage(void) { exit(2); }

/* --- the map --- */

static inline const char *draw_name(uintptr_t mem)
{
    for (size_t i = 0; i < NAMES_MOST && names[i].text != NULL; i++)
        if ((uintptr_t)names[i].mem == mem)
            return names[i].text;
    return NULL;
}

/* By /proc/self/pagemap: bit 63, the page is there. */
static inline size_t draw_resident(void *arg, uintptr_t from, size_t size)
{
    uint64_t entries[512];
    const map_t *const *m = arg;
    size_t page_size = (*m)->page, bytes = 0, count = 0;
    int file = open("/proc/self/pagemap", O_RDONLY);
    for (size_t done = 0; done < size; done += count * page_size) {
        count = (size - done + page_size - 1) / page_size;
        count = count < 512 ? count : 512;
        size_t length = count * sizeof *entries;
        off_t at = (off_t)((from + done) / page_size * sizeof *entries);
        if (pread(file, entries, length, at) != (ssize_t)length) {
            bytes = size;
            break;
        }
        for (size_t i = 0; i < count; i++)
            bytes += (size_t)(entries[i] >> 63) * page_size;
    }
    close(file);
    return bytes < size ? bytes : size;
}

static inline map_t *draw_map(void)
{
    static map_t *m;
    char title[128];
    snprintf(title, sizeof title, "%u/%u  %s", page.stop, page.stops, page.title);
    m = map_new(title, (size_t)sysconf(_SC_PAGESIZE), draw_resident, &m);
    for (size_t i = 0; i < look.count; i++)
        map_add(&look.items[i], m);
    map_finish(m);
    return m;
}

static inline FILE *draw_file(const char *path, const char *mode)
{
    FILE *to = fopen(path, mode);
    if (to == NULL)
        give_up("%s: %s", path, strerror(errno));
    return to;
}

/* --- SVG: DIR/01.svg and so on --- */

static inline void draw_svg(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%02u.svg", drawing.path, drawing.step);
    FILE *to = draw_file(path, "w");
    map_svg(draw_map(), to, draw_name, true);
    if (fclose(to) != 0)
        give_up("%s: cannot be written", path);
    dprintf(drawing.out, "%s  %s\n", path, page.code);
}

/* --- the page --- */

static inline void draw_text(FILE *to)
{
    char text[4097];
    fputs("<pre>", to);
    for (off_t at = drawing.shown;;) {
        ssize_t n = pread(drawing.text, text, sizeof text - 1, at);
        if (n <= 0)
            break;
        text[n] = '\0';
        for (char *line = text, *end; line != NULL; line = end) {
            end = strchr(line, '\n');
            if (end != NULL)
                *end++ = '\0';
            map_escape(to, line);
            if (end != NULL)
                fputc('\n', to);
        }
        at += n;
    }
    fputs("</pre>\n", to);
}

static inline void draw_page_head(void)
{
    FILE *to = draw_file(drawing.path, "w");
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<title>cmalloc: a guided tour of the heap</title>\n<style>\n",
          to);
    for (const char *const *line = map_css; *line != NULL; line++)
        fputs(*line, to);
    fputs("body { max-width: 1100px; }\n"
          "pre { overflow-x: auto; font: 13px/1.5 ui-monospace, 'DejaVu Sans Mono', "
          "monospace; }\n"
          "figure { margin: 22px 0; background: var(--card); border: 1px solid "
          "var(--line); border-radius: 12px; overflow: hidden; }\n"
          "figure svg { display: block; width: 100%; }\n"
          "</style></head>\n<body>\n",
          to);
    if (fclose(to) != 0)
        give_up("%s: cannot be written", drawing.path);
}

/* What was printed since, and, of a step, its picture. */
static inline void draw_page(bool step)
{
    FILE *to = draw_file(drawing.path, "a");
    draw_text(to);
    if (step) {
        fputs("<figure>", to);
        map_svg(draw_map(), to, draw_name, true);
        fputs("</figure>\n", to);
    } else {
        fputs("</body></html>\n", to);
    }
    if (fclose(to) != 0)
        give_up("%s: cannot be written", drawing.path);
}

/* --- JSON --- */

static inline void draw_item(FILE *to, const cmalloc_item *c)
{
    fprintf(to, "{\"kind\": \"%s\", ", kind_of(c));
    if (c->arena != CMALLOC_NO_ARENA)
        fprintf(to, "\"arena\": %u, ", c->arena);
    fprintf(to, "\"address\": \"%s\", \"size\": %zu, ", hex(c->address).text, c->size);
    if (is_chunk(c))
        fprintf(to,
                "\"mem\": \"%s\", \"a\": %d, \"m\": %d, \"p\": %d, \"prev_size\": %zu, ",
                hex(c->mem).text, has(c, CMALLOC_FLAG_A), has(c, CMALLOC_FLAG_M),
                has(c, CMALLOC_FLAG_P), c->prev_size);
    const char *name = is_chunk(c) ? draw_name((uintptr_t)c->mem) : NULL;
    if (name != NULL && c->kind == CMALLOC_INUSE)
        fprintf(to, "\"name\": \"%s\", ", name);
    fprintf(to, "\"reserved\": %zu}", c->reserved);
}

static inline void draw_json(void)
{
    FILE *to = fdopen(drawing.out, "w");
    if (to == NULL)
        give_up("no memory");
    fprintf(to, "%s\n{\"stop\": %u, \"title\": \"%s\", \"items\": [",
            drawing.step == 1 ? "" : ",", page.stop, page.title);
    for (size_t i = 0; i < look.count; i++) {
        fputs(i == 0 ? "\n  " : ",\n  ", to);
        draw_item(to, &look.items[i]);
    }
    fputs("]}", to);
    if (fclose(to) != 0)
        give_up("cannot write");
}

/* --- steps --- */

static inline void draw_in_child(bool step)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child < 0)
        give_up("no process can be started");
    if (child == 0) {
        look_take();
        if (drawing.kind == DRAW_SVG)
            draw_svg();
        else if (drawing.kind == DRAW_HTML)
            draw_page(step);
        else
            draw_json();
        _exit(EXIT_SUCCESS);
    }
    if (waitpid(child, &status, 0) != child || status != 0)
        exit(EXIT_FAILURE); /* the child has said why */
    drawing.shown = lseek(drawing.text, 0, SEEK_END);
}

static inline void draw_step(void)
{
    drawing.step++;
    draw_in_child(true);
}

/* From here on the tour prints into memory. */
static inline void draw_open(void)
{
    if (drawing.kind == DRAW_NOTHING)
        return;
    drawing.out = dup(STDOUT_FILENO);
    drawing.text = memfd_create("tour", MFD_CLOEXEC);
    if (drawing.out < 0 || drawing.text < 0 || dup2(drawing.text, STDOUT_FILENO) < 0)
        give_up("no file can be had");
    page.draw = draw_step;
    page.colour = false;
    if (drawing.kind == DRAW_SVG && mkdir(drawing.path, 0777) != 0 && errno != EEXIST)
        give_up("%s: %s", drawing.path, strerror(errno));
    if (drawing.kind == DRAW_HTML)
        draw_page_head();
    if (drawing.kind == DRAW_JSON)
        dprintf(drawing.out, "{\"version\": \"%s\", \"steps\": [", cmalloc_version());
}

static inline void draw_close(void)
{
    if (drawing.kind == DRAW_HTML)
        draw_in_child(false);
    if (drawing.kind == DRAW_JSON && dprintf(drawing.out, "]}\n") < 0)
        give_up("cannot write");
}

#endif
