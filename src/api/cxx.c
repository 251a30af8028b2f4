/*
 * api/cxx.c - C++'s operator new and delete in every form (ISO C++17 21.6.2), by their
 * mangled names, from C.
 *
 * A program may replace operator new(size_t) and operator delete(void *) alone; the other
 * forms must then reach its own ([new.delete]). So only the roots (plain and aligned) are
 * ours, and every other form calls a root by its public name. All are weak: a static
 * program that brings its own has no clash, and no compiler sees through the calls.
 *
 * When memory runs out, new calls the new_handler as long as there is one and then throws
 * std::bad_alloc. What that takes of the C++ runtime is looked up by name, only then;
 * frames of C are unwound like any others.
 */
#include "front/front.h"

#include <dlfcn.h>

#define WEAK __attribute__((weak, visibility("default")))

#if CM_64BIT
#define SIZE_LETTER "m"
#else
#define SIZE_LETTER "j"
#endif
#define NOTHROW "RKSt9nothrow_t"
#define ALIGN "St11align_val_t"

/* --- the C++ runtime: a weak reference where it is linked, dlsym where it came later */

typedef void (*function_t)(void);
function_t cxx_get_new_handler(void) __asm__("_ZSt15get_new_handlerv")
    __attribute__((weak));
void cxx_throw_bad_alloc(void) __asm__("_ZSt17__throw_bad_allocv") __attribute__((weak));

static function_t runtime(function_t linked, const char *name)
{
    return linked != NULL ? linked : (function_t)(uintptr_t)dlsym(RTLD_DEFAULT, name);
}

static bool call_new_handler(void)
{
    function_t get = runtime((function_t)cxx_get_new_handler, "_ZSt15get_new_handlerv");
    function_t handler = get == NULL ? NULL : ((function_t(*)(void))get)();
    if (handler == NULL)
        return false;
    handler();
    return true;
}

static void *allocate(size_t n, size_t align)
{
    return align <= CHUNK_ALIGN ? front_malloc(n) : front_aligned(align, n);
}

CM_COLD static void *new_miss(size_t n, size_t align)
{
    void *mem = NULL;
    while (mem == NULL && call_new_handler())
        mem = allocate(n, align);
    if (mem != NULL)
        return mem;
    function_t throw_it = runtime(cxx_throw_bad_alloc, "_ZSt17__throw_bad_allocv");
    if (throw_it != NULL)
        throw_it();
    cm_panic("operator new: out of memory, and no C++ runtime to throw", NULL);
}

/* --- the roots --- */

/* Under the public name a root may turn out to be the program's own; under own_ it is
 * ours for certain. */
void *own_new(size_t n);
void *own_new_aligned(size_t n, size_t align);
void *cxx_new(size_t n) __asm__("_Znw" SIZE_LETTER)
    __attribute__((weak, visibility("default"), alias("own_new")));
void *cxx_new_aligned(size_t n, size_t align) __asm__("_Znw" SIZE_LETTER ALIGN)
    __attribute__((weak, visibility("default"), alias("own_new_aligned")));
void cxx_delete(void *mem) __asm__("_ZdlPv") WEAK;
void cxx_delete_aligned(void *mem, size_t align) __asm__("_ZdlPv" ALIGN) WEAK;

void *own_new(size_t n)
{
    void *mem = front_malloc(n);
    return cm_likely(mem != NULL) ? mem : new_miss(n, CHUNK_ALIGN);
}

void *own_new_aligned(size_t n, size_t align)
{
    void *mem = allocate(n, align);
    return cm_likely(mem != NULL) ? mem : new_miss(n, align);
}

void cxx_delete(void *mem) { front_free(mem); }

void cxx_delete_aligned(void *mem, size_t align)
{
    (void)align;
    front_free(mem);
}

/* --- the other forms --- */

#define NEW_FORM(name, mangled, parameters, call) \
    void *name parameters __asm__(mangled) WEAK; \
    void *name parameters { return call; }

NEW_FORM(cxx_new_array, "_Zna" SIZE_LETTER, (size_t n), cxx_new(n))
NEW_FORM(cxx_new_array_aligned, "_Zna" SIZE_LETTER ALIGN, (size_t n, size_t align),
         cxx_new_aligned(n, align))

/* Nothrow: a root of ours that has memory answers here. Else the C++ runtime's own
 * definition does, which calls the root again and catches what it, or the new_handler,
 * throws; C cannot. */
typedef void *(*nothrow_t)(size_t, const void *);
typedef void *(*nothrow_aligned_t)(size_t, size_t, const void *);

static void *nothrow(size_t n, const void *tag)
{
    void *mem = cxx_new == own_new ? front_malloc(n) : NULL;
    if (cm_likely(mem != NULL))
        return mem;
    nothrow_t next = (nothrow_t)(uintptr_t)dlsym(RTLD_NEXT, "_Znw" SIZE_LETTER NOTHROW);
    return next == NULL ? NULL : next(n, tag);
}

static void *nothrow_aligned(size_t n, size_t align, const void *tag)
{
    void *mem = cxx_new_aligned == own_new_aligned ? allocate(n, align) : NULL;
    if (cm_likely(mem != NULL))
        return mem;
    nothrow_aligned_t next =
        (nothrow_aligned_t)(uintptr_t)dlsym(RTLD_NEXT, "_Znw" SIZE_LETTER ALIGN NOTHROW);
    return next == NULL ? NULL : next(n, align, tag);
}

NEW_FORM(cxx_new_nothrow, "_Znw" SIZE_LETTER NOTHROW, (size_t n, const void *tag),
         nothrow(n, tag))
NEW_FORM(cxx_new_array_nothrow, "_Zna" SIZE_LETTER NOTHROW, (size_t n, const void *tag),
         nothrow(n, tag))
NEW_FORM(cxx_new_aligned_nothrow, "_Znw" SIZE_LETTER ALIGN NOTHROW,
         (size_t n, size_t align, const void *tag), nothrow_aligned(n, align, tag))
NEW_FORM(cxx_new_array_aligned_nothrow, "_Zna" SIZE_LETTER ALIGN NOTHROW,
         (size_t n, size_t align, const void *tag), nothrow_aligned(n, align, tag))

/* What else the caller of delete knows (size, alignment) the chunk knows too. The secure
 * variant compares, as long as the memory is no other operator new's. */
CM_UNUSED static void delete_sized(void *mem, size_t n)
{
    if (CM_SECURE && cxx_new == own_new)
        harden_sized(mem, n, 1);
    cxx_delete(mem);
}

CM_UNUSED static void delete_sized_aligned(void *mem, size_t n, size_t align)
{
    if (CM_SECURE && cxx_new_aligned == own_new_aligned)
        harden_sized(mem, n, align);
    cxx_delete_aligned(mem, align);
}

#define DELETE_FORM(name, mangled, parameters, call) \
    void name parameters __asm__(mangled) WEAK; \
    void name parameters { call; }
#define N size_t n
#define A size_t align
#define TAG CM_UNUSED const void *tag

#define DELETE_FORMS(name, op) \
    DELETE_FORM(name##_nothrow, "_Z" op "Pv" NOTHROW, (void *mem, TAG), cxx_delete(mem)) \
    DELETE_FORM(name##_sized, "_Z" op "Pv" SIZE_LETTER, (void *mem, N), \
                delete_sized(mem, n)) \
    DELETE_FORM(name##_sized_aligned, "_Z" op "Pv" SIZE_LETTER ALIGN, (void *mem, N, A), \
                delete_sized_aligned(mem, n, align)) \
    DELETE_FORM(name##_aligned_nothrow, "_Z" op "Pv" ALIGN NOTHROW, (void *mem, A, TAG), \
                cxx_delete_aligned(mem, align))

DELETE_FORMS(cxx_delete, "dl")
DELETE_FORMS(cxx_delete_array, "da")
DELETE_FORM(cxx_delete_array, "_ZdaPv", (void *mem), cxx_delete(mem))
DELETE_FORM(cxx_delete_array_aligned, "_ZdaPv" ALIGN, (void *mem, A),
            cxx_delete_aligned(mem, align))
