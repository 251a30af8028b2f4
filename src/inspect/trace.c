/* inspect/trace.c - see trace.h. */
#include "inspect/trace.h"

#include "base/options.h"
#include "base/text.h"
#include "os/fault.h"
#include "os/proc.h"

/* --- a frame --- */

typedef struct place_name {
    cm_text *text;
    uintptr_t address, base; /* base: where the file of this inode begins */
    uint64_t inode;
} place_name_t;

static void name_place(const os_mapping_t *m, void *arg)
{
    place_name_t *p = arg;
    if (m->inode != p->inode || m->offset == 0) {
        p->inode = m->inode;
        p->base = m->low;
    }
    if (p->address - m->low >= m->high - m->low || m->name[0] == '\0')
        return;
    cm_text_string(p->text, " ");
    cm_text_string(p->text, m->name);
    cm_text_string(p->text, "+");
    cm_text_hex(p->text, p->address - p->base);
}

void trace_write(cm_text *t, const uintptr_t *frames, size_t depth)
{
    for (size_t i = 0; i < depth; i++) {
        place_name_t place = {.text = t, .address = frames[i]};
        cm_text_string(t, "    ");
        cm_text_hex(t, frames[i]);
        os_mappings(0, name_place, &place);
        cm_text_string(t, "\n");
    }
}

/* --- a guarded chunk --- */

static void put_distance(cm_text *t, uintptr_t address, uintptr_t mem, size_t n)
{
    if (address < mem) {
        cm_text_number(t, mem - address);
        cm_text_string(t, " bytes before");
    } else if (address < mem + n) {
        cm_text_string(t, "byte ");
        cm_text_number(t, address - mem);
        cm_text_string(t, " of");
    } else {
        cm_text_number(t, address - mem - n);
        cm_text_string(t, " bytes behind");
    }
}

static void put_who(cm_text *t, const char *did, const guard_trace_t *who)
{
    if (who->depth == 0)
        return;
    cm_text_string(t, did);
    cm_text_string(t, " by\n");
    trace_write(t, who->frames, who->depth < GUARD_FRAMES ? who->depth : GUARD_FRAMES);
}

void trace_explain(cm_text *t, uintptr_t address)
{
    static const char *const what[] = {"use after free", "overflow", "underflow"};
    guard_fault_t fault;
    const guard_slot_t *s = guard_explain(address, &fault);
    if (s == NULL)
        return;
    cm_text_string(t, "cmalloc: guard: ");
    cm_text_string(t, what[fault]);
    cm_text_string(t, ": ");
    cm_text_hex(t, address);
    cm_text_string(t, ": ");
    put_distance(t, address, ~s->hidden, s->n);
    cm_text_string(t, " the ");
    cm_text_number(t, s->n);
    cm_text_string(t, fault == GUARD_USE ? " freed bytes at " : " bytes at ");
    cm_text_hex(t, ~s->hidden);
    cm_text_string(t, "\n");
    put_who(t, "  allocated", &s->taken);
    put_who(t, "  freed", &s->freed);
}

/* --- faults --- */

static void explain_to(int fd, uintptr_t address)
{
    cm_text t = {.used = 0, .fd = fd};
    trace_explain(&t, address);
    cm_text_flush(&t);
}

static bool look_at_fault(uintptr_t address)
{
    guard_fault_t fault;
    if (guard_explain(address, &fault) == NULL)
        return false;
    explain_to(2, address);
    const char *path = cm_option_text(&cm_options.report_file);
    int fd = path == NULL ? -1 : os_create(path);
    if (fd >= 0) {
        explain_to(fd, address);
        os_close(fd);
    }
    return true;
}

/* After front/init.c's. */
CM_NEAR __attribute__((constructor(102))) static void trace_init(void)
{
    if (guard_pool.size != 0)
        os_on_fault(look_at_fault);
}
