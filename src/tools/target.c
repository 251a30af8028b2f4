/* tools/target.c - opening, and finding the root. See target.h. */
#include "tools/target.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define SCAN_STEP ((size_t)32 * 1024)
#define SCAN_MOST ((size_t)1 << 30) /* a mapping beyond this holds no program's data */

void target_add_map(target_t *t, const reader_map *m)
{
    if (t->reader.map_count == t->map_room) {
        t->map_room = t->map_room == 0 ? 256 : 2 * t->map_room;
        t->maps = tool_grow(t->maps, t->map_room * sizeof *t->maps);
    }
    t->maps[t->reader.map_count++] = *m;
    t->reader.maps = t->maps;
}

/* --- the root --- */

/* A root says where it lies: a copy of one, or its bytes in a file, does not pass. */
static bool is_root_at(target_t *t, uintptr_t at, root_t *root)
{
    memset(root, 0, sizeof *root);
    return reader_read(&t->reader, at, root, sizeof *root) >= offsetof(root_t, version) &&
           memcmp(root->magic, ROOT_MAGIC, ROOT_MAGIC_SIZE) == 0 &&
           (uintptr_t)root->self == at;
}

/* Some thread has allocated with it. Of two libraries in one process the other one
 * sleeps. */
static bool is_in_use(target_t *t, const root_t *root)
{
    uintptr_t first = 0;
    return root->size != sizeof *root ||
           (reader_copy(&t->reader, (uintptr_t)root->threads, &first, sizeof first) &&
            first != 0);
}

static void look_at(target_t *t, uintptr_t at)
{
    root_t root;
    if (!is_root_at(t, at, &root) || (t->root_at != 0 && !is_in_use(t, &root)))
        return;
    t->root_at = at;
    t->root = root;
}

static void scan_map(target_t *t, const reader_map *m)
{
    for (uintptr_t at = m->from; at < m->to; at += SCAN_STEP) {
        size_t size = m->to - at < SCAN_STEP ? m->to - at : SCAN_STEP, offset = 0;
        const char *bytes = reader_see(&t->reader, at, size);
        while (bytes != NULL && offset + ROOT_MAGIC_SIZE <= size) {
            if (memcmp(bytes + offset, ROOT_MAGIC, ROOT_MAGIC_SIZE) == 0) {
                look_at(t, at + offset);
                bytes = reader_see(&t->reader, at, size);
            }
            offset += CHUNK_ALIGN;
        }
    }
}

/* The library by its name, then every other file, then the rest: a packed program, a core
 * without names. */
static unsigned rank_of(const reader_map *m)
{
    if (!m->writable || !m->readable || m->shared || m->to - m->from > SCAN_MOST)
        return 3;
    if (strstr(m->name, "cmalloc") != NULL)
        return 0;
    return m->name[0] == '/' ? 1 : 2;
}

tool_status target_find_root(target_t *t, bool thorough)
{
    root_t own = {ROOT_SIZES};
    for (unsigned rank = 0; rank < (thorough ? 3 : 2); rank++) {
        for (size_t i = 0; i < t->reader.map_count; i++)
            if (rank_of(&t->maps[i]) == rank)
                scan_map(t, &t->maps[i]);
        if (t->root_at != 0 && is_in_use(t, &t->root))
            break;
    }
    if (t->root_at == 0)
        return TOOL_NOT_OURS;
    own.variant |= t->root.variant & ROOT_SECURE; /* seals are no hindrance */
    size_t from = offsetof(root_t, size), to = offsetof(root_t, version);
    return memcmp((const char *)&t->root + from, (const char *)&own + from, to - from) !=
                   0
               ? TOOL_VERSION
               : TOOL_OK;
}

/* --- opening --- */

static bool is_number(const char *s)
{
    return *s != '\0' && strspn(s, "0123456789") == strlen(s);
}

static target_t *target_new(const char *name)
{
    target_t *t = tool_alloc(sizeof *t);
    t->name = name;
    t->memory = t->pagemap = t->file = -1;
    return t;
}

_Noreturn static void refuse(const target_t *t, tool_status status)
{
    switch (status) {
    case TOOL_REFUSED:
        tool_die(status,
                 "%s: permission refused: another user's process, or one that may "
                 "not be traced",
                 t->name);
    case TOOL_NONE:
        tool_die(status, "%s: no such %s", t->name, t->pid != 0 ? "process" : "file");
    case TOOL_NOT_OURS:
        tool_die(status, "%s: does not run on cmalloc", t->name);
    case TOOL_VERSION:
        tool_die(status,
                 "%s: has cmalloc %.*s, layout %u, variant %u; this tool reads "
                 "layout %u, variant %u",
                 t->name, (int)sizeof t->root.version, t->root.version, t->root.layout,
                 t->root.variant, CM_LAYOUT,
                 (CM_TINY ? ROOT_TINY : 0) | (CM_DEBUG ? ROOT_DEBUG : 0));
    default:
        tool_die(status, "%s: not a core file, or a damaged one", t->name);
    }
}

target_t *target_open(const char *name)
{
    target_t *t = target_new(name);
    tool_status status = is_number(name) ? process_open(t, (pid_t)strtol(name, NULL, 10))
                                         : core_open(t, name);
    if (status == TOOL_OK)
        status = target_find_root(t, true);
    if (status == TOOL_NOT_OURS && t->vanished)
        status = TOOL_NONE;
    if (status == TOOL_NOT_OURS && t->truncated)
        tool_die(TOOL_CORE, "%s: truncated before the library's data", name);
    if (status != TOOL_OK)
        refuse(t, status);
    if (t->truncated)
        tool_warn("%s: truncated: what is missing is left out", name);
    return t;
}

target_t *target_try(pid_t pid)
{
    target_t *t = target_new("");
    if (process_open(t, pid) == TOOL_OK && target_find_root(t, false) == TOOL_OK)
        return t;
    target_close(t);
    return NULL;
}

void target_close(target_t *t)
{
    if (t->pid != 0)
        process_close(t);
    else
        core_close(t);
    if (t->frozen != NULL)
        munmap(t->frozen, t->frozen_size);
    free(t->parts);
    free(t->buffer);
    free(t->maps);
    free(t);
}

int target_walk(target_t *t, walk_visit visit,
                void (*damaged)(const char *, uintptr_t, void *), void *arg)
{
    walk_t w = {.reader = &t->reader, .visit = visit, .damaged = damaged, .arg = arg};
    return walk_target(&w, &t->root);
}

bool target_is_locked(target_t *t, unsigned *arena)
{
    uintptr_t table = (uintptr_t)t->root.arenas, at;
    uint32_t count, word;
    if (!reader_copy(&t->reader, table + offsetof(arena_table_t, count), &count,
                     sizeof count))
        return false;
    for (unsigned i = 0; i < count && i < ARENA_MAX; i++) {
        size_t entry = offsetof(arena_table_t, arenas) + i * sizeof at;
        if (reader_copy(&t->reader, table + entry, &at, sizeof at) &&
            reader_copy(&t->reader, at + offsetof(arena_t, lock), &word, sizeof word) &&
            word != 0) {
            *arena = i;
            return true;
        }
    }
    return false;
}

int target_end(target_t *t, int status)
{
    if (t->vanished)
        tool_die(TOOL_NONE, "%s: the process has gone", t->name);
    return t->truncated && status == TOOL_OK ? TOOL_CORE : status;
}
