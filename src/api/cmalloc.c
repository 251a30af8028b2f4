/* api/cmalloc.c - the functions of cmalloc.h, which documents them. */
#include "cmalloc.h"

#include "base/compiler.h"
#include "front/front.h"
#include "inspect/walk.h"

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

CM_EXPORT int cmalloc_check(void) { return check_all(); }

CM_EXPORT void cmalloc_thread_flush(void) { front_flush(); }
