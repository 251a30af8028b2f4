/* tools/find.c - `cmalloc find`: which chunk an address lies in. See inspect/find.h. */
#include "inspect/find.h"

#include "tools/target.h"

#include <stdio.h>
#include <unistd.h>

static void put_place(cm_text *t, const finding_t *f)
{
    const cmalloc_item *c = &f->item;
    uintptr_t mem = (uintptr_t)c->mem;
    cm_text_hex(t, f->address);
    cm_text_string(t, ": ");
    cm_text_string(t, find_kind_name(c));
    if (f->address < mem) {
        cm_text_string(t, ", in the header");
    } else {
        cm_text_string(t, ", byte ");
        cm_text_number(t, f->address - mem);
    }
    if (c->arena != CMALLOC_NO_ARENA) {
        cm_text_string(t, "; arena ");
        cm_text_number(t, c->arena);
    }
    if (c->heap != NULL) {
        cm_text_string(t, ", heap ");
        cm_text_hex(t, (uintptr_t)c->heap);
    }
    cm_text_string(t, "\n");
}

/* In no chunk: what else it may be. */
static void put_absence(cm_text *t, const target_t *target, uintptr_t address)
{
    cm_text_hex(t, address);
    cm_text_string(t, ": in no chunk");
    for (size_t i = 0; i < target->reader.map_count; i++) {
        const reader_map *m = &target->reader.maps[i];
        if (address < m->from || address >= m->to)
            continue;
        cm_text_string(t, "; mapping ");
        cm_text_hex(t, m->from);
        cm_text_string(t, " ");
        cm_text_string(t, m->name);
        cm_text_string(t, "\n");
        return;
    }
    cm_text_string(t, ", and not mapped\n");
}

static int tell(target_t *target, const finding_t *f)
{
    cm_text t = {.fd = STDOUT_FILENO};
    if (f->found) {
        put_place(&t, f);
        find_tell(&t, f);
        find_dump(&t, &target->reader, (uintptr_t)f->item.address);
    } else {
        put_absence(&t, target, f->address);
    }
    cm_text_flush(&t);
    return f->found ? TOOL_OK : TOOL_FOUND;
}

int tool_find(int argc, char **argv)
{
    if (argc < 3)
        tool_usage();
    find_t find = {.count = (size_t)argc - 2};
    find.findings = tool_alloc(find.count * sizeof *find.findings);
    for (size_t i = 0; i < find.count; i++)
        find.findings[i].address = tool_address(argv[i + 2]);
    target_t *t = target_open(argv[1]);
    target_walk(t, find_visit, find_ignore, &find);
    int status = target_end(t, TOOL_OK);
    for (size_t i = 0; i < find.count; i++)
        if (tell(t, &find.findings[i]) != TOOL_OK)
            status = TOOL_FOUND;
    free(find.findings);
    target_close(t);
    return status;
}
