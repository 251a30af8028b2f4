/*
 * tools/who.c - `cmalloc who`: what points to a chunk, as the shortest path from a root.
 */
#include "inspect/findings.h"
#include "tools/scan.h"

#include <stdio.h>
#include <string.h>

#define STEPS_SHOWN 12 /* of a long path, at each end */

static const reader_map *map_of(const reader_t *reader, uintptr_t address)
{
    for (size_t i = 0; i < reader->map_count; i++)
        if (address - reader->maps[i].from < reader->maps[i].to - reader->maps[i].from)
            return &reader->maps[i];
    return NULL;
}

static void print_symbol(const reader_t *reader, const reader_map *m, uintptr_t address)
{
    cm_text t = {.used = 0, .fd = -1};
    file_map_t file = {.low = m->from, .high = m->to, .base = m->from};
    for (size_t i = 0; i < reader->map_count; i++)
        if (strcmp(reader->maps[i].name, m->name) == 0) {
            file.base = reader->maps[i].from;
            break;
        }
    snprintf(file.name, sizeof file.name, "%s", m->name);
    if (scan_symbol(&file, address, &t))
        printf(" %.*s", (int)t.used, t.bytes);
}

/* Data that the file does not hold comes behind its last mapping, without a name. */
static const reader_map *file_before(const reader_t *reader, const reader_map *m)
{
    while (m > reader->maps && m->name[0] == '\0' && m[-1].to == m->from)
        m--;
    return m->name[0] == '/' ? m : NULL;
}

static void print_root(const scan_t *s, uintptr_t where)
{
    const reader_t *reader = &s->image.target->reader;
    const reader_map *m = map_of(reader, where);
    if (where == 0) {
        puts("  a word in the kernel (epoll, timer), or cmalloc_ignore");
    } else if (where <= s->image.register_count) {
        printf("  a register of thread %d\n", (int)s->image.registers[where - 1].thread);
    } else if (m == NULL) {
        printf("  %#jx, in no mapping listed\n", (uintmax_t)where);
    } else {
        const reader_map *file = file_before(reader, m);
        printf("  %#jx in %s", (uintmax_t)where,
               m->name[0] != '\0' ? m->name
               : file != NULL     ? file->name
                                  : "memory without a name");
        if (file != NULL)
            print_symbol(reader, file, where);
        putchar('\n');
    }
}

static void print_step(const reach_found_t *chunk, uintptr_t to)
{
    printf("  %#jx + %ju of %zu bytes\n", (uintmax_t)chunk->mem,
           (uintmax_t)(to - chunk->mem), chunk->usable);
}

/* From the chunk back to the root; the steps come out in reverse. */
static void print_path(const scan_t *s, const reach_found_t *chunk)
{
    size_t count = 0, room = 64;
    uintptr_t *words = tool_alloc(room * sizeof *words);
    reach_found_t at = *chunk;
    do {
        if (count == room)
            words = tool_grow(words, (room *= 2) * sizeof *words);
        words[count++] = at.from;
    } while (reach_find(&s->scene.reach, at.from, &at));
    print_root(s, words[--count]);
    for (size_t i = count; i > 0; i--) {
        if (i == STEPS_SHOWN && count > 2 * STEPS_SHOWN)
            printf("  ... %zu more ...\n", count - 2 * STEPS_SHOWN);
        if (i >= STEPS_SHOWN && count - i >= STEPS_SHOWN)
            continue;
        reach_find(&s->scene.reach, words[i - 1], &at);
        print_step(&at, words[i - 1]);
    }
    free(words);
}

int tool_who(int argc, char **argv)
{
    const scan_options o = scan_parse(&argc, argv);
    reach_found_t chunk;
    scan_t s;
    if (argc != 3)
        tool_usage();
    uintptr_t address = tool_address(argv[2]);
    target_t *t = target_open(argv[1]);
    scan_take(&s, t, &o, true);
    if (!reach_find(&s.scene.reach, address, &chunk))
        tool_die(TOOL_USAGE, "%#jx: in no chunk", (uintmax_t)address);
    printf("%#jx: chunk of %zu bytes at %#jx", (uintmax_t)address, chunk.usable,
           (uintmax_t)chunk.mem);
    if (!chunk.owned) {
        puts(", free or cached");
    } else if (!chunk.marked) {
        puts(": nothing points to it");
    } else {
        puts(", reached through");
        print_path(&s, &chunk);
    }
    int status = target_end(t, chunk.owned && !chunk.marked ? TOOL_FOUND : TOOL_OK);
    scan_free(&s);
    target_close(t);
    return status;
}
