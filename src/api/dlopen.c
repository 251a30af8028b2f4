/*
 * api/dlopen.c - dlopen(3) without RTLD_DEEPBIND.
 *
 * A library that is loaded with it looks for malloc in libc, which it needs, before it
 * looks where the program does: either would free what the other's malloc gave it. PHP
 * before 8.5 loads its extensions so, and dies at its start when a malloc is preloaded
 * (php-src, issue 10670).
 *
 * libc finds out by the return address who calls dlopen, and searches where that object's
 * RUNPATH says: the call below has to be a jump. A static program has libc's dlopen,
 * since this one is local in the archive.
 */
#include "base/options.h"

#include <dlfcn.h>

#ifndef RTLD_DEEPBIND /* musl has none */
#define RTLD_DEEPBIND 0
#endif

typedef void *(*dlopen_t)(const char *path, int mode);

/* Unless deepbind=on says otherwise. */
CM_FAR CM_EXPORT void *dlopen(const char *path, int mode)
{
    dlopen_t next = (dlopen_t)(uintptr_t)dlsym(RTLD_NEXT, "dlopen");
    if (atomic_load_explicit(&cm_options.deepbind, memory_order_relaxed) == 0)
        mode &= ~RTLD_DEEPBIND;
    CM_JUMP return next(path, mode);
}
