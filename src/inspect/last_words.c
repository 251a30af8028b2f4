/*
 * inspect/last_words.c - what a panic says behind its line: the chunk with its
 * neighbours, and the memory around it.
 *
 * The heap is damaged, locks may be held, by this thread too, and other threads go on: so
 * nothing is locked or believed. The walk is the one that the tools use on other
 * processes, through a reader that asks the kernel about each page before it looks. The
 * stack is shown last, and only by an unwinder that is known and waits for nobody.
 */
#include "inspect/check.h"
#include "inspect/trace.h"
#include "os/os.h"
#include "os/stack.h"

/* The window is whole pages that have just been there. */
static bool move_safely(reader_t *r, uintptr_t address, size_t size)
{
    uintptr_t from = address & ~(uintptr_t)(os_page - 1);
    if (address + size < address || !os_can_read(from, address + size - from))
        return false;
    r->start = from;
    r->size = os_pages(address + size - from);
    return true;
}

static void ignore(check_t *c, const char *what, uintptr_t where)
{
    (void)c, (void)what, (void)where;
}

/* The arena that the heap of an address names; 0: it lies in none of ours. */
static uintptr_t arena_at_address(reader_t *r, uintptr_t address)
{
    const void *p = (const void *)address; /* NOLINT(performance-no-int-to-ptr) */
    if (registry_has_main(p))
        return (uintptr_t)&main_arena;
    if (!registry_has_heap(p))
        return 0;
    const heap_info *h = reader_object(r, (uintptr_t)heap_of(p), heap_info);
    return h == NULL ? 0 : (uintptr_t)h->arena;
}

static void put_back_trace(cm_text *t)
{
    uintptr_t frames[GUARD_FRAMES];
    size_t depth = os_stack_is_safe() ? os_stack(frames, GUARD_FRAMES) : 0;
    if (depth == 0)
        return;
    cm_text_string(t, "  called by\n");
    cm_text_flush(t); /* should the stack be damaged, too */
    trace_write(t, frames, depth);
}

static void explain(int fd, uintptr_t where)
{
    reader_t reader = {.page = os_page, .move = move_safely};
    cm_text t = {.used = 0, .fd = fd};
    check_t c;
    check_init(&c, &reader, &link_secret, ignore, NULL);
    c.arena = arena_at_address(&reader, where);
    check_explain(&c, &t, where);
    trace_explain(&t, where);
    put_back_trace(&t);
    cm_text_flush(&t);
}

void cm_last_words(const char *line, size_t length, const void *address)
{
    explain(2, (uintptr_t)address);
    const char *path = cm_option_text(&cm_options.report_file);
    int fd = path == NULL ? -1 : os_create(path);
    if (fd < 0)
        return;
    host_write(fd, line, length);
    explain(fd, (uintptr_t)address);
    os_close(fd);
}
