/*
 * tools/find.c - `cmalloc find`: which chunk an address lies in, and who its neighbours
 * are.
 */
#include "tools/target.h"

#include <stdio.h>
#include <string.h>

typedef struct finding {
    uintptr_t address;
    cmalloc_item before, item, after, heap;
    bool found, has_before, has_after;
} finding_t;

typedef struct search {
    finding_t *findings;
    size_t count;
    cmalloc_item last, heap;
    bool has_last; /* last is a chunk of this heap */
} search_t;

/* --- looking --- */

static bool is_chunk(const cmalloc_item *item)
{
    return item->kind != CMALLOC_ARENA && item->kind != CMALLOC_HEAP;
}

static bool has_mapping(const cmalloc_item *item)
{
    return item->kind == CMALLOC_MMAPPED || item->kind == CMALLOC_KEPT;
}

/* A chunk owns the next one's prev_size and not its own; a mapping's owns all of it. */
static bool holds(const cmalloc_item *item, uintptr_t address)
{
    uintptr_t from = (uintptr_t)item->address;
    if (has_mapping(item))
        return address - (from - item->prev_size) < item->reserved;
    return address - (from + SIZE_SZ) < item->size;
}

static void look(search_t *s, finding_t *f, const cmalloc_item *item)
{
    if (f->found && !f->has_after && f->item.heap != NULL && f->item.heap == item->heap) {
        f->after = *item;
        f->has_after = true;
    } else if (!f->found && holds(item, f->address)) {
        f->item = *item;
        f->before = s->last;
        f->heap = s->heap;
        f->has_before = s->has_last && !has_mapping(item);
        f->found = true;
    }
}

static int visit(const cmalloc_item *item, void *arg)
{
    search_t *s = arg;
    if (!is_chunk(item)) {
        s->heap = *item;
        s->has_last = false;
        return 0;
    }
    for (size_t i = 0; i < s->count; i++)
        look(s, &s->findings[i], item);
    s->last = *item;
    s->has_last = true;
    return 0;
}

static void ignore(const char *what, uintptr_t where, void *arg)
{
    (void)what, (void)where, (void)arg;
}

/* --- telling --- */

const char *target_kind(const cmalloc_item *item)
{
    static const char *const kinds[] = {
        [CMALLOC_ARENA] = "arena",         [CMALLOC_HEAP] = "heap",
        [CMALLOC_INUSE] = "in use",        [CMALLOC_CACHED] = "cached",
        [CMALLOC_FREE] = "free",           [CMALLOC_TOP] = "top",
        [CMALLOC_FENCEPOST] = "fencepost", [CMALLOC_MMAPPED] = "in use, mmapped",
        [CMALLOC_KEPT] = "free, kept",     [CMALLOC_DAMAGED] = "damaged"};
    return kinds[item->kind];
}

static void tell_chunk(const char *label, const cmalloc_item *item)
{
    printf("  %-8s %#14zx  %10zu bytes  %c%c%c  %s\n", label, (size_t)item->mem,
           item->size, (item->flags & CMALLOC_FLAG_A) != 0 ? 'A' : '-',
           (item->flags & CMALLOC_FLAG_M) != 0 ? 'M' : '-',
           (item->flags & CMALLOC_FLAG_P) != 0 ? 'P' : '-', target_kind(item));
}

static void tell_place(const finding_t *f)
{
    const cmalloc_item *c = &f->item;
    ptrdiff_t offset = (ptrdiff_t)(f->address - (uintptr_t)c->mem);
    printf("%#zx: %s", f->address, target_kind(c));
    if (offset < 0)
        printf(", in the header");
    else if (offset == 0)
        printf(", its first byte");
    else
        printf(", byte %td", offset);
    if (c->arena != CMALLOC_NO_ARENA)
        printf("; arena %u", c->arena);
    if (c->heap != NULL)
        printf(", heap %#zx + %#zx", (size_t)c->heap,
               (uintptr_t)c->address - (uintptr_t)c->heap);
    putchar('\n');
    if (f->has_before)
        tell_chunk("before", &f->before);
    tell_chunk("chunk", c);
    if (f->has_after)
        tell_chunk("after", &f->after);
}

/* In no chunk: what else it may be. */
static void tell_absence(const target_t *t, uintptr_t address)
{
    for (size_t i = 0; i < t->reader.map_count; i++) {
        const reader_map *m = &t->reader.maps[i];
        if (address >= m->from && address < m->to) {
            printf("%#zx: in no chunk; mapping %#zx-%#zx %s\n", address, m->from, m->to,
                   m->name);
            return;
        }
    }
    printf("%#zx: in no chunk, and not mapped\n", address);
}

int tool_find(int argc, char **argv)
{
    if (argc < 3)
        tool_usage();
    search_t s = {.count = (size_t)argc - 2};
    s.findings = tool_alloc(s.count * sizeof *s.findings);
    for (size_t i = 0; i < s.count; i++)
        s.findings[i].address = tool_address(argv[i + 2]);
    target_t *t = target_open(argv[1]);
    target_walk(t, visit, ignore, &s);
    int status = target_end(t, TOOL_OK);
    for (size_t i = 0; i < s.count; i++) {
        if (s.findings[i].found) {
            tell_place(&s.findings[i]);
            continue;
        }
        tell_absence(t, s.findings[i].address);
        status = TOOL_FOUND;
    }
    free(s.findings);
    target_close(t);
    return status;
}
