/*
 * api/cxx.c - C++'s operator new and delete in every form (ISO C++17 21.6.2), by their mangled names, from C.
 *
 * When memory runs out, new calls the new_handler as often as there is one and then throws std::bad_alloc; the
 * C++ runtime's part of that is found through weak references, or by dlsym where it was loaded after us. Frames of C
 * are unwound like any others. Not as the standard says: an exception out of a new_handler leaves a nothrow new
 * as well, since C cannot catch it.
 */
#include "base/compiler.h"
#include "base/report.h"
#include "front/front.h"

#include <dlfcn.h>

#if CM_64BIT
#define SIZE_LETTER "m"
#else
#define SIZE_LETTER "j"
#endif
#define NOTHROW "RKSt9nothrow_t"
#define ALIGN "St11align_val_t"

/* --- the C++ runtime --- */

#define WEAK __attribute__((weak))

typedef void (*new_handler)(void);
typedef void (*destructor)(void *);
new_handler cxx_get_new_handler(void) __asm__("_ZSt15get_new_handlerv") WEAK;
void *cxx_allocate_exception(size_t n) __asm__("__cxa_allocate_exception") WEAK;
_Noreturn void cxx_throw(void *exception, void *type,
                         destructor destroy) __asm__("__cxa_throw") WEAK;
void cxx_bad_alloc_construct(void *exception) __asm__("_ZNSt9bad_allocC1Ev") WEAK;
void cxx_bad_alloc_destroy(void *exception) __asm__("_ZNSt9bad_allocD1Ev") WEAK;
extern char cxx_bad_alloc_type[] __asm__("_ZTISt9bad_alloc") WEAK;

/* The address of a weak reference, or what a library that came later defines. */
#define RUNTIME(weak, name) \
    ((weak) != NULL ? (void *)(uintptr_t)(weak) : dlsym(RTLD_DEFAULT, name))

static bool call_new_handler(void)
{
    new_handler (*get)(void) = (new_handler(*)(void))(uintptr_t)RUNTIME(
        cxx_get_new_handler, "_ZSt15get_new_handlerv");
    new_handler handler = get == NULL ? NULL : get();
    if (handler == NULL)
        return false;
    handler();
    return true;
}

static void throw_bad_alloc(void)
{
    void *(*allocate)(size_t) = (void *(*)(size_t))(uintptr_t)RUNTIME(
        cxx_allocate_exception, "__cxa_allocate_exception");
    void (*throw_it)(void *, void *, destructor) = (void (*)(void *, void *, destructor))(
        uintptr_t)RUNTIME(cxx_throw, "__cxa_throw");
    destructor construct =
        (destructor)(uintptr_t)RUNTIME(cxx_bad_alloc_construct, "_ZNSt9bad_allocC1Ev");
    destructor destroy =
        (destructor)(uintptr_t)RUNTIME(cxx_bad_alloc_destroy, "_ZNSt9bad_allocD1Ev");
    void *type = RUNTIME(cxx_bad_alloc_type, "_ZTISt9bad_alloc");
    if (allocate != NULL && throw_it != NULL && construct != NULL && destroy != NULL &&
        type != NULL) {
        void *exception = allocate(sizeof(void *));
        construct(exception);
        throw_it(exception, type, destroy);
    }
    cm_panic("operator new: out of memory, and no C++ runtime to throw", NULL);
}

CM_COLD static void *out_of_memory(size_t n, size_t align, bool nothrow)
{
    void *mem = NULL;
    while (mem == NULL && call_new_handler())
        mem = align <= CHUNK_ALIGN ? front_malloc(n) : front_aligned(align, n);
    if (mem == NULL && !nothrow)
        throw_bad_alloc();
    return mem;
}

/* --- new --- */

#define DEFINE_NEW(op, form) \
    void *cxx_##form(size_t n) __asm__("_Z" op SIZE_LETTER); \
    CM_EXPORT void *cxx_##form(size_t n) \
    { \
        void *mem = front_malloc(n); \
        return cm_likely(mem != NULL) ? mem : out_of_memory(n, CHUNK_ALIGN, false); \
    } \
    void *cxx_##form##_nothrow(size_t n, \
                               const void *tag) __asm__("_Z" op SIZE_LETTER NOTHROW); \
    CM_EXPORT void *cxx_##form##_nothrow(size_t n, const void *tag) \
    { \
        void *mem = front_malloc(n); \
        (void)tag; \
        return cm_likely(mem != NULL) ? mem : out_of_memory(n, CHUNK_ALIGN, true); \
    } \
    void *cxx_##form##_aligned(size_t n, \
                               size_t align) __asm__("_Z" op SIZE_LETTER ALIGN); \
    CM_EXPORT void *cxx_##form##_aligned(size_t n, size_t align) \
    { \
        void *mem = front_aligned(align, n); \
        return cm_likely(mem != NULL) ? mem : out_of_memory(n, align, false); \
    } \
    void *cxx_##form##_aligned_nothrow(size_t n, size_t align, const void *tag) __asm__( \
        "_Z" op SIZE_LETTER ALIGN NOTHROW); \
    CM_EXPORT void *cxx_##form##_aligned_nothrow(size_t n, size_t align, \
                                                 const void *tag) \
    { \
        void *mem = front_aligned(align, n); \
        (void)tag; \
        return cm_likely(mem != NULL) ? mem : out_of_memory(n, align, true); \
    }

DEFINE_NEW("nw", new)
DEFINE_NEW("na", new_array)

/* --- delete: what else the caller knows (size, alignment) the chunk knows too --- */

#define DEFINE_DELETE(name, mangled, ...) \
    void cxx_##name(void *mem __VA_ARGS__) __asm__(mangled); \
    CM_EXPORT void cxx_##name(void *mem __VA_ARGS__) { front_free(mem); }

#define UNUSED_SIZE , CM_UNUSED size_t n
#define UNUSED_ALIGN , CM_UNUSED size_t align
#define UNUSED_TAG , CM_UNUSED const void *tag

#define DEFINE_DELETES(op, form) \
    DEFINE_DELETE(form, "_Z" op "Pv", ) \
    DEFINE_DELETE(form##_nothrow, "_Z" op "Pv" NOTHROW, UNUSED_TAG) \
    DEFINE_DELETE(form##_sized, "_Z" op "Pv" SIZE_LETTER, UNUSED_SIZE) \
    DEFINE_DELETE(form##_aligned, "_Z" op "Pv" ALIGN, UNUSED_ALIGN) \
    DEFINE_DELETE(form##_sized_aligned, "_Z" op "Pv" SIZE_LETTER ALIGN, \
                  UNUSED_SIZE UNUSED_ALIGN) \
    DEFINE_DELETE(form##_aligned_nothrow, "_Z" op "Pv" ALIGN NOTHROW, \
                  UNUSED_ALIGN UNUSED_TAG)

DEFINE_DELETES("dl", delete)
DEFINE_DELETES("da", delete_array)
