/*
 * linked.h - what linked.c and the shared object that it links with share.
 */
#ifndef LINKED_H
#define LINKED_H

typedef void (*bound_function)(void);

typedef struct bound {
    const char *name;
    bound_function address;
} bound_t;

#define FAMILY(X) \
    X(malloc) \
    X(free) \
    X(calloc) \
    X(realloc) \
    X(reallocarray) \
    X(aligned_alloc) \
    X(memalign) \
    X(posix_memalign) \
    X(valloc) \
    X(pvalloc) \
    X(malloc_usable_size) \
    X(malloc_trim) \
    X(malloc_stats) \
    X(malloc_info) \
    X(mallinfo2) \
    X(mallopt)

extern const bound_t bound_in_user[];

#endif
