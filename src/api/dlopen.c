/*
 * api/dlopen.c - dlopen(3) without RTLD_DEEPBIND.
 *
 * A library that is loaded with it looks for malloc in libc, which it needs, before it
 * looks where the program does: either would free what the other's malloc gave it. PHP
 * before 8.5 loads its extensions so, and dies at its start when a malloc is preloaded
 * (php-src, issue 10670).
 *
 * libc finds out by the return address who calls dlopen, and searches where that object's
 * RUNPATH says; so the call below must be a jump, which the flags in Makefile see to. A
 * static program has libc's own dlopen: the archive's is local, and dlsym may be missing.
 */
#include "base/options.h"

#include <dlfcn.h>

#ifndef RTLD_DEEPBIND /* musl has none */
#define RTLD_DEEPBIND 0
#endif

#pragma weak dlsym

CM_FAR CM_EXPORT void *dlopen(const char *path, int mode)
{
    void *(*next)(const char *, int) = NULL;
    if (dlsym != NULL)
        *(void **)&next = dlsym(RTLD_NEXT, "dlopen");
    if (next == NULL)
        return NULL;
    if (atomic_load_explicit(&cm_options.deepbind, memory_order_relaxed) == 0)
        mode &= ~RTLD_DEEPBIND;
    return next(path, mode);
}
