/* inspect/roots.c - see roots.h. */
#include "inspect/roots.h"

#include "base/text.h"

typedef struct stretch {
    range_t at;
    bool guarded; /* an inaccessible mapping ends where this one begins */
    bool is_main_stack;
} stretch_t;

/* Memory of devices and of the kernel: reading it may have effects, or fail. */
static bool is_special(const os_mapping_t *m)
{
    return cm_starts_with(m->name, "[v") || cm_starts_with(m->name, "/dev/");
}

static void add_root(roots_t *r, const stretch_t *root)
{
    if (!vector_add(&r->ranges, root, sizeof *root))
        r->failed = true;
}

/* What the dynamic linker has written and then made constant lies just before the data of
 * the same file. */
static void add_constants(roots_t *r, const os_mapping_t *m)
{
    if (r->before_constant && r->before.high == m->low && r->before_inode == m->inode)
        add_root(r, &(stretch_t){.at = r->before});
}

void roots_mapping(const os_mapping_t *m, void *arg)
{
    roots_t *r = arg;
    bool ours = m->readable && !m->shared && !is_special(m);
    bool touches = r->before.high == m->low;
    if (ours && m->writable) {
        if (m->inode != 0)
            add_constants(r, m);
        add_root(r, &(stretch_t){.at = {m->low, m->high},
                                 .guarded = touches && r->before_guards,
                                 .is_main_stack = cm_starts_with(m->name, "[stack]")});
    }
    r->before = (range_t){m->low, m->high};
    r->before_inode = m->inode;
    r->before_guards = !m->readable && !m->writable;
    r->before_constant = ours && !m->writable && !m->executable && m->inode != 0;
}

void roots_exclude(roots_t *r, uintptr_t low, uintptr_t high)
{
    range_t range = {low, high};
    if (low < high && !vector_add(&r->excluded, &range, sizeof range))
        r->failed = true;
}

static const stretch_t *root_at(const roots_t *r, uintptr_t p)
{
    const stretch_t *root = r->ranges.at;
    for (size_t i = 0; i < r->ranges.used / sizeof *root; i++)
        if (p - root[i].at.low < root[i].at.high - root[i].at.low)
            return &root[i];
    return NULL;
}

/*
 * Only stacks of a shape that we know are cut: the process's first one, and those that
 * begin at a guard page and have the thread's own memory at their upper end, as libc
 * makes them. A coroutine's may have its neighbours' frames just below it.
 */
void roots_stack(roots_t *r, uintptr_t sp, uintptr_t local)
{
    const stretch_t *root = root_at(r, sp);
    if (root == NULL)
        return;
    if (root->is_main_stack || (root->guarded && local > sp && local < root->at.high))
        roots_exclude(r, root->at.low, sp);
}

/* By low; insertion, since they come nearly sorted. Heaps and M chunks may be thousands:
 * then by halves. */
static void sort_ranges(range_t *ranges, range_t *other, size_t count)
{
    if (count < 2)
        return;
    size_t half = count / 2, a = 0, b = half;
    sort_ranges(ranges, other, half);
    sort_ranges(ranges + half, other, count - half);
    for (size_t i = 0; i < count; i++) {
        bool first = b == count || (a < half && ranges[a].low <= ranges[b].low);
        other[i] = first ? ranges[a++] : ranges[b++];
    }
    memcpy(ranges, other, count * sizeof *ranges);
}

bool roots_seal(roots_t *r)
{
    size_t bytes = r->excluded.used;
    if (r->failed || bytes == 0)
        return !r->failed;
    range_t *other = os_map(os_pages(bytes));
    if (other == NULL)
        return false;
    sort_ranges(r->excluded.at, other, bytes / sizeof *other);
    os_unmap(other, os_pages(bytes));
    return true;
}

void roots_each(const roots_t *r, void (*visit)(uintptr_t low, uintptr_t high, void *arg),
                void *arg)
{
    const stretch_t *root = r->ranges.at;
    const range_t *holes = r->excluded.at;
    size_t k = 0, exclusions = r->excluded.used / sizeof *holes;
    for (size_t i = 0; i < r->ranges.used / sizeof *root; i++) {
        uintptr_t at = root[i].at.low, end = root[i].at.high;
        while (k < exclusions && holes[k].high <= at)
            k++;
        for (size_t j = k; j < exclusions && holes[j].low < end && at < end; j++) {
            if (holes[j].low > at)
                visit(at, holes[j].low, arg);
            if (holes[j].high > at)
                at = holes[j].high;
        }
        if (at < end)
            visit(at, end, arg);
    }
}

void roots_free(roots_t *r)
{
    vector_free(&r->ranges);
    vector_free(&r->excluded);
}
