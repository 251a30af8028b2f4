/*
 * malloc.h - glibc's extensions, for the tests on a libc whose own header does not have
 * them. The library exports them everywhere.
 */
#ifndef TESTS_PORT_MALLOC_H
#define TESTS_PORT_MALLOC_H

#pragma GCC system_header /* may say include_next */
#include_next <malloc.h>

#ifndef M_MMAP_THRESHOLD

#include <stdio.h>

#define M_MXFAST 1
#define M_TRIM_THRESHOLD (-1)
#define M_TOP_PAD (-2)
#define M_MMAP_THRESHOLD (-3)
#define M_MMAP_MAX (-4)
#define M_CHECK_ACTION (-5)
#define M_PERTURB (-6)
#define M_ARENA_TEST (-7)
#define M_ARENA_MAX (-8)

struct mallinfo {
    int arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
        keepcost;
};

struct mallinfo2 {
    size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks,
        keepcost;
};

struct mallinfo mallinfo(void);
struct mallinfo2 mallinfo2(void);
int mallopt(int parameter, int value);
int malloc_trim(size_t pad);
int malloc_info(int options, FILE *to);
void malloc_stats(void);
void *pvalloc(size_t size);
void *valloc(size_t size);

#endif
#endif
