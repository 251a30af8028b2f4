/*
 * inspect/collect.c - see collect.h. Addresses leave the list one at a time: what stays
 * on our stack is one leak's at most.
 */
#include "inspect/collect.h"

#include "base/options.h"
#include "front/front.h"
#include "front/sample.h"
#include "inspect/findings.h"

#include <errno.h>

#define REPORT_ROWS 20

/* Not from <stdlib.h>: it would tell the compiler what malloc and free may be assumed to
 * do. */
_Noreturn void exit(int status);

static void *pointer(uintptr_t word)
{
    return (void *)word; /* NOLINT(performance-no-int-to-ptr) */
}

/* The next scan must not find it here. */
static void forget(cmalloc_leak *shown)
{
    volatile cmalloc_leak *gone = shown;
    gone->mem = gone->first = NULL;
}

long leak_visit(const snapshot_wish_t *wish,
                int (*visit)(const cmalloc_leak *leak, void *arg), void *arg)
{
    leak_list_t *list = snapshot_leaks(wish);
    if (list == NULL)
        return -1;
    long count = (long)list->count;
    for (size_t i = 0; visit != NULL && i < list->count; i++) {
        const leak_t *leak = &list->leaks[i];
        cmalloc_leak shown = {.mem = pointer(leak_mem(leak)),
                              .size = leak->usable,
                              .first = pointer(~leak->first),
                              .direct = leak_is_direct(leak),
                              .chunks = leak->chunks,
                              .bytes = leak->bytes};
        bool enough = visit(&shown, arg) != 0;
        forget(&shown);
        if (enough)
            break;
    }
    leak_list_free(list);
    return count;
}

/* The scan that is believed sees what an earlier one has seen, and all registers. */
static leak_list_t *certain_leaks(int *error)
{
    snapshot_wish_t wish = snapshot_wish();
    wish.precise = wish.unaligned = wish.twice = true;
    leak_list_t *list = snapshot_leaks(&wish);
    *error = list == NULL ? ENOMEM : list->missed > 0 ? EAGAIN : 0;
    if (*error == EAGAIN) {
        leak_list_free(list);
        return NULL;
    }
    return list;
}

int collect_leaks(void (*finalizer)(void *mem, size_t size, void *arg), void *arg,
                  size_t *bytes)
{
    int error;
    leak_list_t *list = certain_leaks(&error);
    if (list == NULL)
        return error;
    for (size_t i = 0; finalizer != NULL && i < list->count; i++)
        finalizer(pointer(leak_mem(&list->leaks[i])), list->leaks[i].usable, arg);
    for (size_t i = 0; i < list->count; i++)
        front_free(pointer(leak_mem(&list->leaks[i])));
    *bytes = list->bytes;
    leak_list_free(list);
    return 0;
}

long leak_report(const snapshot_wish_t *wish, int fd, bool json)
{
    leak_list_t *list = snapshot_leaks(wish);
    if (list == NULL)
        return -1;
    reader_t reader;
    reader_self(&reader);
    findings_t f = {.list = list,
                    .fd = fd,
                    .json = json,
                    .rows = REPORT_ROWS,
                    .reader = &reader,
                    .samples = sample_on() ? (uintptr_t)&sample_table : 0};
    os_mappings(0, findings_mapping, &f);
    findings_write(&f);
    findings_free(&f);
    long count = (long)list->count;
    leak_list_free(list);
    return count;
}

/*
 * Behind all other destructors, since our constructor was the first one. exit, called in
 * an exit handler, goes on with those that are left and with libc's flushing of files
 * (glibc; the C standard leaves it open).
 */
CM_NEAR __attribute__((destructor(101))) static void leak_fini(void)
{
    if (atomic_load_explicit(&cm_options.leaks, memory_order_relaxed) == 0)
        return;
    snapshot_wish_t wish = snapshot_wish();
    wish.precise = true;
    long count = leak_report(&wish, 2, false);
    if (count < 0)
        cm_warn("leaks=exit", "there could be no scan");
    int status = (int)atomic_load_explicit(&cm_options.leak_status, memory_order_relaxed);
    if (count > 0 && status != 0)
        exit(status);
}
