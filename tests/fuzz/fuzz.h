/*
 * fuzz.h - what the fuzz targets share: the library in a box.
 *
 * A target defines fuzz_one, which reads one input. The library is linked in under other
 * names (fuzz_malloc for malloc and so on), since the fuzzer itself needs an allocator
 * that works; its calls of the kernel, its break and its abort come here. So
 *   every input meets the library as its constructor left it: its data are put back, and
 *   what it has mapped since is unmapped;
 *   a panic ends the input and not the fuzzer;
 *   no input touches the break or the standard error of the process.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmalloc.h"

/* ---- the library ------------------------------------------------------------------- */

void *fuzz_malloc(size_t n);
void fuzz_free(void *mem);
void *fuzz_calloc(size_t count, size_t n);
void *fuzz_realloc(void *mem, size_t n);
void *fuzz_reallocarray(void *mem, size_t count, size_t n);
void *fuzz_aligned_alloc(size_t align, size_t n);
void *fuzz_memalign(size_t align, size_t n);
int fuzz_posix_memalign(void **mem, size_t align, size_t n);
void *fuzz_valloc(size_t n);
void *fuzz_pvalloc(size_t n);
size_t fuzz_malloc_usable_size(void *mem);
void fuzz_free_sized(void *mem, size_t n);
void fuzz_free_aligned_sized(void *mem, size_t align, size_t n);
int fuzz_malloc_trim(size_t pad);

/* ---- the input --------------------------------------------------------------------- */

typedef struct input {
    const uint8_t *at, *end;
} input_t;

/* The next byte; zero when all is read. */
static inline unsigned input_byte(input_t *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static inline bool input_ends(const input_t *in) { return in->at >= in->end; }

static inline size_t input_number(input_t *in, unsigned bytes)
{
    size_t n = 0;
    while (bytes-- > 0)
        n = n << 8 | input_byte(in);
    return n;
}

/* A size near a place where the library changes its ways, or any. */
size_t input_size(input_t *in);

/* ---- the box ----------------------------------------------------------------------- */

/* The target's part. Whatever it has mapped or attached is gone afterwards. */
void fuzz_one(input_t *in);

/* What the library last said, up to its abort; empty if nothing. */
extern char fuzz_said[4096];

/* Call act(in); true: the library panicked in it. An assertion that fails, or last words
 * that are not a panic's, end the process. */
bool fuzz_panics(void (*act)(input_t *in), input_t *in);

/* Threads without threads: from now on calls come from number i of FUZZ_THREADS. */
enum { FUZZ_THREADS = 4 };
void fuzz_be_thread(unsigned i);
void fuzz_thread_ends(void);

/* Every n-th call for memory fails from now on; 0: none. */
void fuzz_let_fail(unsigned n);

/* The bytes lie in the box's break or in what the library has mapped. */
bool fuzz_owns(const void *p, size_t size);

/* An invariant of the test itself. */
#define FUZZ_CHECK(condition) \
    ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *what, const char *file, int line);

#endif
