/*
 * inside.h - what the tests of the inside share: an arena of the test's own, so that the
 * one that cmocka lives on is left alone, and death with the exact words.
 */
#ifndef TESTS_INSIDE_H
#define TESTS_INSIDE_H

#include "support.h"

#include "base/options.h"
#include "core/arena.h"
#include "core/large.h"
#include "core/top.h"
#include "inspect/walk.h"
#include "os/os.h"

/* What a test has not asked for does not happen meanwhile: nothing ages. */
static void __attribute__((constructor)) nothing_ages(void)
{
    if (!CM_SECURE) /* whose options are read-only by now */
        cm_options.purge_age = OPTION_NEVER;
}

/* ---- an arena in no table ---------------------------------------------------------- */

enum { OWN_INDEX = 77 };

static arena_t own;

/* Empty, with one heap of the usual first size. */
static inline arena_t *given_arena(void)
{
    heap_info *h = heap_new(HEAP_STEP_MIN / 2);
    CHECK(h != NULL);
    memset(&own, 0, sizeof own);
    own.index = OWN_INDEX;
    arena_open(&own, h);
    return &own;
}

static inline void forget_arena(arena_t *a)
{
    heap_info *h = a->newest;
    while (h != NULL) {
        heap_info *older = h->older;
        heap_delete(h);
        h = older;
    }
    memset(a, 0, sizeof *a);
}

/* A test's fixture: it finds own open, and leaves it sound. */
static inline int open_own(void **state)
{
    *state = given_arena();
    return 0;
}

static inline int close_own(void **state)
{
    check_arena_locked(*state);
    forget_arena(*state);
    return 0;
}

#define arena_test(f) cmocka_unit_test_setup_teardown(f, open_own, close_own)

static inline mchunkptr take(arena_t *a, size_t size)
{
    mchunkptr c = arena_take_locked(a, size, CHUNK_ALIGN);
    CHECK(c != NULL);
    return c;
}

/* A free chunk of just size bytes between two in use. */
static inline mchunkptr given_free(arena_t *a, size_t size)
{
    CHECK(top_take(a, CHUNK_MIN) != NULL);
    mchunkptr c = top_take(a, size);
    CHECK(c != NULL && top_take(a, CHUNK_MIN) != NULL);
    arena_give_locked(a, c);
    CHECK(chunk_is_free(c) && chunk_size(c) == size);
    return c;
}

static inline int announce(void **state)
{
    (void)state;
    announce_seed();
    return 0;
}

/* musl's does not. */
static inline bool sbrk_moves(void)
{
    return sbrk(16) != (void *)-1 && sbrk(-16) != (void *)-1;
}

/* ---- what a child says ------------------------------------------------------------- */

typedef struct words {
    char text[8192];
    size_t length;
    int status;
} words_t;

static inline void forget_emulator(char *text)
{
    char *line = emulated() ? strstr(text, "qemu: ") : NULL;
    if (line != NULL)
        *line = '\0';
}

/* Run act(arg) in a child and read what it writes to standard error. */
static inline words_t words_of(void (*act)(void *), void *arg)
{
    words_t w = {.length = 0};
    int ends[2];
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        alarm(60);
        act(arg);
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t n; w.length < sizeof w.text - 1; w.length += (size_t)n) {
        n = read(ends[0], w.text + w.length, sizeof w.text - 1 - w.length);
        if (n <= 0)
            break;
    }
    close(ends[0]);
    w.text[w.length] = '\0';
    forget_emulator(w.text);
    w.length = strlen(w.text);
    while (waitpid(pid, &w.status, 0) < 0)
        CHECK(errno == EINTR);
    return w;
}

/* act(arg) ends the process with this panic, and has said nothing before. */
static inline void assert_dies(void (*act)(void *), void *arg, const char *what,
                               const void *where)
{
    char line[200];
    snprintf(line, sizeof line, "cmalloc: fatal: %s: 0x%llx\n", what,
             (unsigned long long)(uintptr_t)where);
    words_t w = words_of(act, arg);
    w.text[strcspn(w.text, "\n")] = '\0'; /* the report goes on */
    line[strlen(line) - 1] = '\0';
    assert_string_equal(w.text, line);
    assert_true(WIFSIGNALED(w.status));
    assert_int_equal(WTERMSIG(w.status), SIGABRT);
}

#endif
