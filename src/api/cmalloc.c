/* api/cmalloc.c - the functions of cmalloc.h, which documents them. */
#include "cmalloc.h"

#include "base/compiler.h"
#include "inspect/collect.h"
#include "inspect/profile.h"
#include "inspect/snapshot.h"
#include "inspect/stats.h"
#include "inspect/walk.h"

#include <errno.h>
#include <string.h>

#define TEXT(x) #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

CM_EXPORT const char *cmalloc_version(void)
{
    return VERSION(CMALLOC_VERSION_MAJOR, CMALLOC_VERSION_MINOR, CMALLOC_VERSION_PATCH);
}

CM_EXPORT int cmalloc_walk(int (*visit)(const cmalloc_item *item, void *arg), void *arg)
{
    return walk_all(visit, arg);
}

CM_EXPORT int cmalloc_stats_get(unsigned arena, cmalloc_stats *stats, size_t size)
{
    cmalloc_stats s;
    if (!stats_get(arena, &s))
        return -1;
    memcpy(stats, &s, size < sizeof s ? size : sizeof s);
    return 0;
}

CM_EXPORT int cmalloc_stats_print(int fd, const char *format)
{
    stats_format f;
    return stats_format_of(format, &f) && stats_print(fd, f, false) ? 0 : -1;
}

CM_EXPORT int cmalloc_profile(int fd) { return profile_self(fd) ? 0 : -1; }

CM_EXPORT int cmalloc_check(void) { return check_all(); }

static snapshot_wish_t wish_of(unsigned flags)
{
    snapshot_wish_t wish = snapshot_wish();
    wish.precise = (flags & CMALLOC_LEAKS_PRECISE) != 0;
    wish.unaligned = wish.unaligned || (flags & CMALLOC_LEAKS_UNALIGNED) != 0;
    wish.once = (flags & CMALLOC_LEAKS_ONCE) != 0;
    return wish;
}

CM_EXPORT long cmalloc_leaks(unsigned flags,
                             int (*visit)(const cmalloc_leak *leak, void *arg), void *arg)
{
    snapshot_wish_t wish = wish_of(flags);
    long count = leak_visit(&wish, visit, arg);
    if (count < 0)
        errno = ENOMEM;
    return count;
}

CM_EXPORT long cmalloc_leaks_report(int fd, unsigned flags)
{
    snapshot_wish_t wish = wish_of(flags);
    long count = leak_report(&wish, fd, (flags & CMALLOC_LEAKS_JSON) != 0);
    if (count < 0)
        errno = ENOMEM;
    return count;
}

CM_EXPORT int cmalloc_root_add(const void *low, size_t size)
{
    return snapshot_add_root(low, size) ? 0 : -1;
}

CM_EXPORT int cmalloc_root_remove(const void *low)
{
    return snapshot_remove_root(low) ? 0 : -1;
}

CM_EXPORT int cmalloc_ignore(const void *mem) { return snapshot_ignore(mem) ? 0 : -1; }

CM_EXPORT size_t cmalloc_collect(void (*finalizer)(void *mem, size_t size, void *arg),
                                 void *arg)
{
    size_t bytes = 0;
    int error = collect_leaks(finalizer, arg, &bytes);
    if (error != 0)
        errno = error;
    return bytes;
}
