/*
 * api/malloc.c - what the dynamic linker sees of C: one line each, and the only place
 * that sets errno.
 *
 * Semantics are those of C11 7.22.3, POSIX.1-2024 and, where they leave room, glibc 2.36
 * (malloc(3), memalign(3)): realloc(p, 0) frees and returns NULL; memalign rounds a bad
 * alignment up; free keeps errno.
 */
#include "base/compiler.h"
#include "front/front.h"
#include "os/os.h"

#include <errno.h>

/* Prototypes of names that no header of ours may declare: <malloc.h> would bring
 * attributes that let the compiler assume what an allocator's inside must not. */
void *malloc(size_t n);
void free(void *mem);
void *calloc(size_t count, size_t n);
void *realloc(void *mem, size_t n);
void *reallocarray(void *mem, size_t count, size_t n);
void *aligned_alloc(size_t align, size_t n);
void *memalign(size_t align, size_t n);
int posix_memalign(void **mem, size_t align, size_t n);
void *valloc(size_t n);
void *pvalloc(size_t n);
size_t malloc_usable_size(void *mem);
void free_sized(void *mem, size_t n);
void free_aligned_sized(void *mem, size_t align, size_t n);
void cfree(void *mem);

static void *failed(int error)
{
    errno = error;
    return NULL;
}

static void *or_enomem(void *mem)
{
    return cm_likely(mem != NULL) ? mem : failed(ENOMEM);
}

CM_NOINLINE static void *malloc_miss(size_t n) { return or_enomem(front_malloc_miss(n)); }

/* A hit, or a jump to the rest: nothing is saved on the stack. Both start with a line of
 * instructions, of which they need two. */
CM_ALIGNED(CACHE_LINE) CM_EXPORT void *malloc(size_t n)
{
    void *mem = cache_malloc(n);
    return cm_likely(mem != NULL) ? mem : malloc_miss(n);
}

CM_ALIGNED(CACHE_LINE) CM_EXPORT void free(void *mem) { front_free(mem); }

CM_EXPORT void *calloc(size_t count, size_t n)
{
    size_t bytes;
    return __builtin_mul_overflow(count, n, &bytes) ? failed(ENOMEM)
                                                    : or_enomem(front_calloc(bytes));
}

CM_NOINLINE static void *resize(void *mem, size_t n)
{
    if (mem == NULL)
        return or_enomem(front_malloc(n));
    if (n == 0) {
        front_free(mem);
        return NULL;
    }
    return or_enomem(front_realloc(mem, n));
}

CM_EXPORT void *realloc(void *mem, size_t n)
{
    return cache_stays(mem, n) ? mem : resize(mem, n);
}

CM_EXPORT void *reallocarray(void *mem, size_t count, size_t n)
{
    size_t bytes;
    return __builtin_mul_overflow(count, n, &bytes) ? failed(ENOMEM) : resize(mem, bytes);
}

/* --- aligned --- */

static bool is_power_of_two(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

CM_NOINLINE static void *aligned_miss(size_t align, size_t n)
{
    if (align > SIZE_MAX / 2 + 1)
        return failed(EINVAL);
    if (!is_power_of_two(align))
        align = align == 0 ? 1 : (size_t)2 << cm_log2(align);
    return or_enomem(front_aligned_miss(align, n));
}

static void *align_up(size_t align, size_t n)
{
    void *mem = is_power_of_two(align) ? cache_aligned(align, n) : NULL;
    return cm_likely(mem != NULL) ? mem : aligned_miss(align, n);
}

CM_EXPORT void *memalign(size_t align, size_t n) { return align_up(align, n); }

CM_EXPORT void *aligned_alloc(size_t align, size_t n) { return align_up(align, n); }

CM_EXPORT int posix_memalign(void **mem, size_t align, size_t n)
{
    if (!is_power_of_two(align) || align % sizeof(void *) != 0)
        return EINVAL;
    void *got = front_aligned(align, n);
    if (got == NULL)
        return ENOMEM;
    *mem = got;
    return 0;
}

CM_FAR CM_EXPORT void *valloc(size_t n) { return or_enomem(front_aligned(os_page, n)); }

CM_FAR CM_EXPORT void *pvalloc(size_t n)
{
    return n > REQUEST_MAX ? failed(ENOMEM)
                           : or_enomem(front_aligned(os_page, os_pages(n)));
}

/* --- the rest --- */

CM_FAR CM_EXPORT size_t malloc_usable_size(void *mem)
{
    return mem == NULL ? 0 : front_usable(mem);
}

CM_FAR CM_EXPORT void free_sized(void *mem, size_t n) { front_free_sized(mem, n, 1); }

CM_FAR CM_EXPORT void free_aligned_sized(void *mem, size_t align, size_t n)
{
    front_free_sized(mem, n, align);
}

CM_FAR CM_EXPORT void cfree(void *mem) { front_free(mem); }

/* --- glibc's second names: programs that wrap malloc call these, and our free --- */

#define SECOND_NAME(type, name, parameters, first) \
    type name parameters __attribute__((visibility("default"), alias(#first)))

SECOND_NAME(void *, __libc_malloc, (size_t n), malloc);
SECOND_NAME(void, __libc_free, (void *mem), free);
SECOND_NAME(void *, __libc_calloc, (size_t count, size_t n), calloc);
SECOND_NAME(void *, __libc_realloc, (void *mem, size_t n), realloc);
SECOND_NAME(void *, __libc_memalign, (size_t align, size_t n), memalign);
SECOND_NAME(void *, __libc_valloc, (size_t n), valloc);
SECOND_NAME(void *, __libc_pvalloc, (size_t n), pvalloc);
SECOND_NAME(int, __posix_memalign, (void **mem, size_t align, size_t n), posix_memalign);
