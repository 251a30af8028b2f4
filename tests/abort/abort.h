/*
 * abort.h - what the programs of this folder share. Each makes one mistake with the heap,
 * and must end in one line, `cmalloc: fatal: <what>: <pointer>`, and abort.
 *
 * A program says on standard output what that line must be, just before its mistake;
 * run.sh compares. It runs on whatever library is preloaded, in the main arena or, with
 * the argument "thread", in a thread's. If it comes to its end, the mistake went unseen.
 */
#ifndef TESTS_ABORT_H
#define TESTS_ABORT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#pragma weak mallopt /* musl has neither, until the library is preloaded */
#pragma weak malloc_trim

/* The compiler must not know what these do. */
static void *(*volatile see_malloc)(size_t) = malloc;
static void *(*volatile see_realloc)(void *, size_t) = realloc;
static void (*volatile see_free)(void *) = free;

enum { WORD = sizeof(size_t) };

/* Flags of the size word. */
enum { P = 1, M = 2, A = 4 };

/* Of a chunk that top has swallowed. With words of 32 bits top ends where no chunk can,
 * and its size is what is found wrong. */
#define DOUBLE_FREE_TOP (WORD == 8 ? "double free" : "invalid size")

/* Sizes: a hit of the thread cache; kept by it, but no hit; for the bins; a mapping of
 * its own (see begin). */
enum { SMALL = 104, MIDDLE = 2040, BINNED = 80008, MAPPED = 600000 };

/* The mistake ends in `what: where`. In one write: stdio would allocate. */
static inline void expect(const char *what, const void *where)
{
    char line[128];
    int n = snprintf(line, sizeof line, "%s: 0x%llx\n", what,
                     (unsigned long long)(uintptr_t)where);
    if (write(STDOUT_FILENO, line, (size_t)n) != n)
        _exit(EXIT_FAILURE);
}

static inline char *take(size_t n)
{
    char *mem = see_malloc(n);
    if (mem == NULL)
        _exit(EXIT_FAILURE);
    memset(mem, 0, n);
    return mem;
}

static inline void give(void *mem) { see_free(mem); }

/* A chunk for the bins that has chunks in use on both sides, here and in what follows:
 * it merges with nothing when it is freed. */
static inline char *take_walled(void)
{
    take(BINNED);
    char *mem = take(BINNED);
    take(BINNED);
    return mem;
}

static inline size_t peek(const void *mem, ptrdiff_t at)
{
    return *(const volatile size_t *)(const void *)((const char *)mem + at);
}

static inline void poke(void *mem, ptrdiff_t at, size_t word)
{
    *(volatile size_t *)(void *)((char *)mem + at) = word;
}

static inline size_t size_of(const void *mem) { return peek(mem, -WORD) & ~(size_t)15; }

/* What follows mem's chunk: the payload of the next one. */
static inline char *next_of(char *mem) { return mem + size_of(mem); }

static inline void begin(void)
{
    alarm(60);
    if (!mallopt)
        return;
    /* BINNED is below the threshold in the debug variant too. */
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    /* What is freed at the end stays there, in a large top. */
    mallopt(M_TRIM_THRESHOLD, 8 << 20);
}

static inline bool in_thread(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "thread") == 0;
}

typedef void *(*mistake_t)(void *);

static inline int run(int argc, char **argv, mistake_t mistake)
{
    pthread_t thread;
    begin();
    if (!in_thread(argc, argv))
        mistake(NULL);
    else if (pthread_create(&thread, NULL, mistake, NULL) == 0)
        pthread_join(thread, NULL);
    return 0;
}

#define MISTAKE(f) \
    static void *mistake_of_program(void *unused) \
    { \
        f(); \
        return unused; \
    } \
    int main(int argc, char **argv) { return run(argc, argv, mistake_of_program); }

/* Keeps "defined but not used" away from programs that need only some. */
static inline void abort_unused(void) { (void)see_realloc; }

#endif
