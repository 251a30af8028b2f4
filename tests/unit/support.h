/*
 * support.h - what the tests share: cmocka with the headers it needs, checks that may
 * fail in any thread or process, a seeded generator, contents patterns, and scenarios in
 * a process of their own.
 *
 * A test program is either linked with the library or runs with it preloaded; both find
 * the functions of cmalloc.h through weak symbols. With CM_PEER=1 in the environment it
 * accepts any allocator, which is how the tests themselves are tried out; without it a
 * program that does not run on cmalloc fails.
 */
#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmalloc.h"

#pragma weak cmalloc_version
#pragma weak cmalloc_walk
#pragma weak cmalloc_check
#pragma weak cmalloc_stats_get

/* As in base/config.h, which tests of the inside include too. */
#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * 1024)
#ifndef CM_TINY
#define CM_TINY 0
#endif
#ifndef CM_SECURE
#define CM_SECURE 0
#endif

/* ---- the family, out of the compiler's sight --------------------------------------- */

/* A compiler that knows malloc drops pairs of calls, folds calloc, and warns of the
 * very things that are tested here; through pointers that may change at any time it
 * has to do as it is told. */
static void *(*volatile see_malloc)(size_t) = malloc;
static void *(*volatile see_calloc)(size_t, size_t) = calloc;
static void *(*volatile see_realloc)(void *, size_t) = realloc;
static void *(*volatile see_reallocarray)(void *, size_t, size_t) = reallocarray;
static void *(*volatile see_memalign)(size_t, size_t) = memalign;
static void *(*volatile see_aligned_alloc)(size_t, size_t) = aligned_alloc;
static int (*volatile see_posix_memalign)(void **, size_t, size_t) = posix_memalign;
static void *(*volatile see_valloc)(size_t) = valloc;
static void *(*volatile see_pvalloc)(size_t) = pvalloc;
static size_t (*volatile see_usable_size)(void *) = malloc_usable_size;
static void (*volatile see_free)(void *) = free;

#define malloc see_malloc
#define calloc see_calloc
#define realloc see_realloc
#define reallocarray see_reallocarray
#define memalign see_memalign
#define aligned_alloc see_aligned_alloc
#define posix_memalign see_posix_memalign
#define valloc see_valloc
#define pvalloc see_pvalloc
#define malloc_usable_size see_usable_size
#define free see_free

/* Using them all once keeps "defined but not used" away from programs that need only
 * some. */
static inline void support_unused(void)
{
    (void)see_malloc, (void)see_calloc, (void)see_realloc, (void)see_reallocarray;
    (void)see_memalign, (void)see_aligned_alloc, (void)see_posix_memalign;
    (void)see_valloc, (void)see_pvalloc, (void)see_usable_size, (void)see_free;
}

/* ---- checks ------------------------------------------------------------------------ */

/* cmocka's asserts belong to the main thread of the main process. CHECK works
 * everywhere: it says where, in one write that needs no memory, and aborts. */
#define CHECK(condition) \
    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

static uint64_t support_seed;

__attribute__((noreturn)) static inline void check_failed(const char *file, int line,
                                                          const char *what)
{
    char text[400];
    int n = snprintf(text, sizeof text, "%s:%d: CHECK failed: %s (SEED=%llu)\n", file,
                     line, what, (unsigned long long)support_seed);
    if (n > 0) {
        ssize_t written = write(STDERR_FILENO, text, (size_t)n);
        (void)written;
    }
    abort();
}

/* Run by qemu-user, as tests/port does: it knows no limits on memory, has memory of its
 * own, and adds a word to what a program says that aborts. */
static inline bool emulated(void)
{
    const char *emulator = getenv("EMULATOR");
    return emulator != NULL && *emulator != 0;
}

/* What an emulator cannot do is skipped there, and counted as skipped. */
#define skip_if_emulated() \
    do { \
        if (emulated()) \
            skip(); \
    } while (0)

static inline bool on_peer(void) { return getenv("CM_PEER") != NULL; }

/* First thing in every main: the tests must not pass on some other allocator
 * unnoticed. */
static inline void require_library(void)
{
    if (!cmalloc_version && !on_peer()) {
        fputs("this program does not run on cmalloc (link or preload it, or set "
              "CM_PEER=1)\n",
              stderr);
        exit(2);
    }
    cmocka_set_test_filter(getenv("TEST"));
}

/* Every invariant of every heap; a fault ends the process. */
static inline void check_heaps(void)
{
    if (!cmalloc_check)
        return;
    free(malloc(100000)); /* until then a child may have orphaned arenas only */
    CHECK(cmalloc_check() > 0);
}

/* The long suite sets CM_LONG=1: n times as much work as in `make check`. */
static inline size_t at_length(size_t quick, size_t in_long_suite)
{
    return getenv("CM_LONG") ? in_long_suite : quick;
}

/* ---- chance ------------------------------------------------------------------------ */

/* splitmix64 (Steele, Lea, Flood 2014): any seed will do, zero too. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline size_t random_below(uint64_t *state, size_t n)
{
    return (size_t)(next_random(state) % n);
}

/* SEED=n from the environment, else one from the clock; printed, so that a failure can
 * be had again. */
static inline uint64_t announce_seed(void)
{
    const char *given = getenv("SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t drawn =
        ((uint64_t)now.tv_sec << 20) ^ (uint64_t)now.tv_nsec ^ (uint64_t)getpid();
    support_seed = given ? strtoull(given, NULL, 0) : drawn % 1000000000;
    printf("SEED=%llu\n", (unsigned long long)support_seed);
    fflush(stdout);
    return support_seed;
}

/* ---- sizes ------------------------------------------------------------------------- */

/* Where allocators change their ways: chunk sizes, bins, caches, the threshold of
 * large requests, the size of a heap (64 MiB, and 1 MiB in the debug variant), each
 * with its neighbours on both sides. */
static const size_t size_marks[] = {
    64,        128,      512,      1 << 10,  2 << 10,   4 << 10,
    8 << 10,   16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10,
    512 << 10, 1 << 20,  2 << 20,  16 << 20, 32 << 20,  64 << 20,
};
static const int size_offsets[] = {-32, -25, -24, -17, -16, -15, -9, -8,
                                   -7,  -1,  0,   1,   8,   9,   16, 17};

enum {
    SIZE_MARKS = sizeof size_marks / sizeof *size_marks,
    SIZE_OFFSETS = sizeof size_offsets / sizeof *size_offsets,
    BOUNDARY_SIZES = SIZE_MARKS * SIZE_OFFSETS
};

static inline size_t boundary_size(size_t i)
{
    return (size_t)((ptrdiff_t)size_marks[i / SIZE_OFFSETS] +
                    size_offsets[i % SIZE_OFFSETS]);
}

/* ---- chunks ------------------------------------------------------------------------ */

/* The size word, as it stands before what malloc returned. Only its flags may be
 * relied on while other threads run. */
static inline size_t size_word(const void *mem) { return ((const size_t *)mem)[-1]; }

static inline bool is_mmapped(const void *mem)
{
    return (size_word(mem) & CMALLOC_FLAG_M) != 0;
}

static inline bool in_allocated_heap(const void *mem)
{
    return (size_word(mem) & CMALLOC_FLAG_A) != 0;
}

static inline bool is_aligned(const void *mem, size_t alignment)
{
    return (uintptr_t)mem % alignment == 0;
}

static inline bool is_all(const void *mem, unsigned char byte, size_t n)
{
    const unsigned char *m = mem;
    return n == 0 || (m[0] == byte && memcmp(m, m + 1, n - 1) == 0);
}

/* Contents that differ from tag to tag and from place to place. Long chunks are filled
 * at both ends and in some pages between, the last byte of each: a page fault is dear,
 * and errors sit at ends. */
static inline unsigned char pattern_at(uint64_t tag, size_t i)
{
    return (unsigned char)((tag ^ i * 0x9e37u) >> (i & 7));
}

static inline size_t pattern_step(size_t i, size_t n)
{
    const size_t whole = 2048, page = 4096, most_pages = 32;
    if (i < whole || i + whole >= n)
        return 1;
    size_t stride = n / most_pages < page ? page : n / most_pages;
    size_t next = (i + stride) | (page - 1);
    return next + whole < n ? next - i : n - whole - i;
}

static inline void pattern_fill(void *mem, size_t n, uint64_t tag)
{
    unsigned char *m = mem;
    for (size_t i = 0; i < n; i += pattern_step(i, n))
        m[i] = pattern_at(tag, i);
}

/* Whether the first n of the `filled` bytes filled with tag are as they were. */
static inline bool pattern_holds(const void *mem, size_t n, size_t filled, uint64_t tag)
{
    const unsigned char *m = mem;
    for (size_t i = 0; i < n; i += pattern_step(i, filled))
        if (m[i] != pattern_at(tag, i))
            return false;
    return true;
}

/* ---- the process ------------------------------------------------------------------- */

/* Field of /proc/self/statm in bytes: 0 address space, 1 resident memory. Needs no
 * memory itself. */
static inline size_t statm_bytes(int field)
{
    char text[128] = "";
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    char *at = text;
    size_t pages = 0;
    for (int i = 0; i <= field; i++)
        pages = strtoul(at, &at, 10);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static inline size_t address_space(void) { return statm_bytes(0); }

static inline size_t resident(void) { return statm_bytes(1); }

/* What must not grow: resident memory; of an emulator's process, the heaps' part. */
static inline size_t footprint(void)
{
    if (!emulated())
        return resident();
    struct mallinfo2 info = mallinfo2();
    return info.arena + info.hblkhd;
}

/* A test that hangs is a test that fails: SIGALRM ends it. The limit is far above what
 * the slowest machine takes; nothing is ever measured against it. */
enum { PATIENCE_SECONDS = 280 };

/* Run scenario in a process of its own, because it changes limits, options or the
 * break, or may hang. */
static inline int status_in_child(void (*scenario)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        /* cmocka's handlers would go on with the next test, in the child. */
        static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS};
        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
            signal(faults[i], SIG_DFL);
        alarm(PATIENCE_SECONDS);
        scenario();
        fflush(NULL);
        _exit(0);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    return status;
}

static inline void assert_ends_well(void (*scenario)(void))
{
    int status = status_in_child(scenario);
    if (WIFSIGNALED(status))
        fail_msg("ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static inline pthread_t start_thread(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, run, arg) == 0);
    return thread;
}

static inline void *join_thread(pthread_t thread)
{
    void *result = NULL;
    CHECK(pthread_join(thread, &result) == 0);
    return result;
}

/* Run scenario in a thread that starts for it and ends with it. */
static inline void *run_scenario(void *scenario)
{
    (*(void (**)(void))scenario)();
    return NULL;
}

static inline void in_new_thread(void (*scenario)(void))
{
    join_thread(start_thread(run_scenario, &scenario));
}

#endif
