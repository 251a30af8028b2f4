/*
 * front/memcheck.h - telling valgrind's memcheck what is allocated (option valgrind).
 *
 * Without the option memcheck puts its own malloc in the place of this one, which finds
 * the program's errors but runs nothing of this library. With it, and valgrind's
 * --soname-synonyms=somalloc=nouserintercepts, the library allocates and says so:
 *   [mem, mem + n) is a block from the return of malloc to the call of free, and
 *   what is left of its chunk may not be touched.
 * The thread caches are off then, so that no hit goes unsaid, and realloc always moves.
 * What the library itself touches is told in cmalloc.supp, which make install installs.
 *
 * A request to valgrind is a few instructions that do nothing on a processor (the manual
 * of valgrind, "The Client Request mechanism"). x86_64 and aarch64.
 */
#ifndef CM_FRONT_MEMCHECK_H
#define CM_FRONT_MEMCHECK_H

#include "core/chunk.h"

extern bool memcheck_is_on; /* constant once the program runs */

CM_INLINE bool memcheck_on(void) { return cm_unlikely(memcheck_is_on); }

/* The constructor's share. */
void memcheck_init(void);

void memcheck_tell_taken(const void *mem, size_t n);
void memcheck_tell_zeroed(const void *mem, size_t n);
void memcheck_tell_freed(const void *mem);

/* mem, if not NULL, is handed out for n bytes. Returns it. */
CM_INLINE void *memcheck_taken(void *mem, size_t n)
{
    if (memcheck_on() && mem != NULL)
        memcheck_tell_taken(mem, n);
    return mem;
}

/* And these bytes of it are zero. */
CM_INLINE void *memcheck_zeroed(void *mem, size_t n)
{
    if (memcheck_on() && mem != NULL)
        memcheck_tell_zeroed(mem, n);
    return mem;
}

/* mem is given back. */
CM_INLINE void memcheck_freed(const void *mem)
{
    if (memcheck_on())
        memcheck_tell_freed(mem);
}

#endif
