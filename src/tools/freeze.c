/*
 * tools/freeze.c - a copy of a process's heaps as of one moment. See freeze in target.h.
 *
 * What is copied: every heap, the arenas' and the threads' structs, the table, and the
 * first pages of mappings that are one chunk each. Memory that is not there is not read:
 * it would be put there.
 */
#include "tools/target.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define PIECE ((size_t)1 << 20)
#define LIST_MOST ((size_t)1 << 24)

/* --- what to copy --- */

static void add_range(target_t *t, uintptr_t from, size_t size)
{
    uintptr_t page = t->reader.page, first = from & ~(page - 1);
    size_t whole = (from + size - first + page - 1) & ~(page - 1);
    parts_add(t, first, whole, NULL);
}

static uintptr_t word_at(target_t *t, uintptr_t at)
{
    uintptr_t word = 0;
    reader_copy(&t->reader, at, &word, sizeof word);
    return word;
}

static void add_heaps(target_t *t, uintptr_t newest)
{
    heap_info h;
    size_t left = LIST_MOST;
    for (uintptr_t at = newest; at != 0 && left > 0; at = (uintptr_t)h.older, left--) {
        if (!reader_copy(&t->reader, at, &h, sizeof h) || h.magic != HEAP_MAGIC ||
            (h.reserved != 0 && h.committed > HEAP_MAX_SIZE))
            return;
        add_range(t, at, h.committed);
    }
}

static void add_larges(target_t *t, uintptr_t first)
{
    large_info l;
    size_t left = LIST_MOST;
    for (uintptr_t at = first; at != 0 && left > 0; at = (uintptr_t)l.older, left--) {
        if (!reader_copy(&t->reader, at, &l, sizeof l) || l.magic != (LARGE_MAGIC ^ at))
            return;
        add_range(t, at, sizeof l);
        add_range(t, at + l.offset, CHUNK_HEADER);
    }
}

static void add_threads(target_t *t, uintptr_t first)
{
    size_t left = TARGET_THREADS_MOST;
    for (uintptr_t at = first; at != 0 && left > 0; left--) {
        add_range(t, at, sizeof(thread_t));
        at = word_at(t, at + offsetof(thread_t, next_all));
    }
}

static void add_all(target_t *t)
{
    const root_t *r = &t->root;
    uintptr_t entry = (uintptr_t)r->arenas + offsetof(arena_table_t, arenas), at;
    add_range(t, (uintptr_t)r->arenas, sizeof(arena_table_t));
    add_range(t, (uintptr_t)r->main_arena, sizeof(arena_t));
    for (unsigned i = 0; i < ARENA_MAX && (at = word_at(t, entry)) != 0;
         i++, entry += sizeof at) {
        add_heaps(t, word_at(t, at + offsetof(arena_t, newest)));
        add_larges(t, word_at(t, at + offsetof(arena_t, larges)));
    }
    add_threads(t, word_at(t, (uintptr_t)r->threads));
}

/* Ranges that meet or overlap become one. */
static void join_parts(target_t *t)
{
    size_t n = 0;
    parts_sort(t);
    for (size_t i = 0; i < t->part_count; i++) {
        target_part *last = n > 0 ? &t->parts[n - 1] : NULL, *p = &t->parts[i];
        if (last == NULL || p->from > last->from + last->size)
            t->parts[n++] = *p;
        else if (p->from + p->size > last->from + last->size)
            last->size = p->from + p->size - last->from;
    }
    t->part_count = n;
    t->frozen_size = 0;
    for (size_t i = 0; i < n; i++)
        t->frozen_size += t->parts[i].size;
}

/* --- copying --- */

static void copy_piece(target_t *t, uintptr_t from, size_t size, char *to)
{
    struct iovec local = {to, size};
    struct iovec remote = {(void *)from, size}; /* NOLINT(performance-no-int-to-ptr) */
    if (t->reader.resident(&t->reader, from, size) > 0 &&
        process_vm_readv(t->pid, &local, 1, &remote, 1, 0) < 0)
        reader_read(&t->reader, from, to, size);
}

static void copy_parts(target_t *t)
{
    char *to = t->frozen;
    for (size_t i = 0; i < t->part_count; i++) {
        target_part *p = &t->parts[i];
        for (size_t done = 0; done < p->size; done += PIECE) {
            size_t size = p->size - done < PIECE ? p->size - done : PIECE;
            copy_piece(t, p->from + done, size, to + done);
        }
        p->bytes = to;
        to += p->size;
    }
}

static void make_room(target_t *t)
{
    t->frozen = mmap(NULL, t->frozen_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (t->frozen == MAP_FAILED)
        tool_die(TOOL_SYSTEM, "no memory for %zu bytes", t->frozen_size);
}

bool freeze(target_t *t)
{
    if (t->pid == 0)
        return true;
    t->reader.move = process_move;
    if (!stop_begin(t))
        return false;
    if (t->frozen != NULL)
        munmap(t->frozen, t->frozen_size);
    t->part_count = 0;
    add_all(t);
    join_parts(t);
    make_room(t);
    copy_parts(t);
    stop_end(t);
    t->reader.move = parts_move;
    t->reader.size = 0;
    return true;
}
