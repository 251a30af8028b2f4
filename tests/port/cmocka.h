/*
 * cmocka.h - the part of cmocka that our tests use, for a processor or a libc that has no
 * package of it: check-cross and check-musl find this header first.
 *
 * Same names, same meaning, same lines of output as far as tests/run.sh reads them. As
 * there, an assertion may fail in the main thread of the test only: it jumps to the
 * runner. What is not here does not compile.
 */
#ifndef TESTS_PORT_CMOCKA_H
#define TESTS_PORT_CMOCKA_H

#include <fnmatch.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};

typedef int (*mini_fixture)(void **state);

/* How a test may end; the last two come by a jump. */
enum { MINI_HELD, MINI_FAILED, MINI_SKIPPED };

#define cmocka_unit_test(f) \
    { \
#f, f, NULL, NULL, NULL \
    }
#define cmocka_unit_test_setup(f, setup) \
    { \
#f, f, setup, NULL, NULL \
    }
#define cmocka_unit_test_teardown(f, teardown) \
    { \
#f, f, NULL, teardown, NULL \
    }
#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
    { \
#f, f, setup, teardown, NULL \
    }

static const char *mini_filter;
static jmp_buf mini_runner;

static inline void cmocka_set_test_filter(const char *pattern) { mini_filter = pattern; }

/* ---- failing ----------------------------------------------------------------------- */

__attribute__((noreturn)) static inline void mini_fail(const char *file, int line)
{
    fprintf(stderr, "[   LINE   ] --- %s:%d: error: Failure!\n", file, line);
    longjmp(mini_runner, MINI_FAILED);
}

static inline void mini_check(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "[  ERROR   ] --- %s\n", what);
    mini_fail(file, line);
}

static inline void mini_equal(uint64_t a, uint64_t b, bool equal, const char *what,
                              const char *file, int line)
{
    if ((a == b) != equal)
        fprintf(stderr, "[  ERROR   ] --- %#llx, %#llx\n", (unsigned long long)a,
                (unsigned long long)b);
    mini_check((a == b) == equal, what, file, line);
}

static inline void mini_strings(const char *a, const char *b, const char *what,
                                const char *file, int line)
{
    if (strcmp(a, b) != 0)
        fprintf(stderr, "[  ERROR   ] --- \"%s\" != \"%s\"\n", a, b);
    mini_check(strcmp(a, b) == 0, what, file, line);
}

#define MINI_HERE __FILE__, __LINE__
#define assert_true(c) mini_check(!!(c), #c, MINI_HERE)
#define assert_false(c) mini_check(!(c), "not: " #c, MINI_HERE)
#define assert_null(p) mini_check((p) == NULL, #p " == NULL", MINI_HERE)
#define assert_non_null(p) mini_check((p) != NULL, #p " != NULL", MINI_HERE)
#define assert_int_equal(a, b) \
    mini_equal((uint64_t)(uintptr_t)(a), (uint64_t)(uintptr_t)(b), true, #a " == " #b, \
               MINI_HERE)
#define assert_int_not_equal(a, b) \
    mini_equal((uint64_t)(uintptr_t)(a), (uint64_t)(uintptr_t)(b), false, #a " != " #b, \
               MINI_HERE)
#define assert_ptr_equal(a, b) \
    mini_equal((uint64_t)(uintptr_t)(a), (uint64_t)(uintptr_t)(b), true, #a " == " #b, \
               MINI_HERE)
#define assert_ptr_not_equal(a, b) \
    mini_equal((uint64_t)(uintptr_t)(a), (uint64_t)(uintptr_t)(b), false, #a " != " #b, \
               MINI_HERE)
#define assert_string_equal(a, b) mini_strings(a, b, #a " == " #b, MINI_HERE)
#define assert_memory_equal(a, b, n) \
    mini_check(memcmp(a, b, n) == 0, #a " == " #b, MINI_HERE)
#define fail_msg(...) \
    (fprintf(stderr, "[  ERROR   ] --- " __VA_ARGS__), fputc('\n', stderr), \
     mini_fail(MINI_HERE))

#define print_message(...) printf(__VA_ARGS__)

#define skip() longjmp(mini_runner, MINI_SKIPPED)

/* ---- running ----------------------------------------------------------------------- */

/* A fixture that fails fails the test. */
static inline bool mini_fixture_holds(mini_fixture fixture, void **state)
{
    return fixture == NULL || fixture(state) == 0;
}

/* These two have no variables that a jump could leave behind in a register. */
__attribute__((noinline)) static int mini_test_ends(const struct CMUnitTest *test,
                                                    void **state)
{
    switch (setjmp(mini_runner)) {
    case 0:
        test->test_func(state);
        return MINI_HELD;
    case MINI_SKIPPED:
        return MINI_SKIPPED;
    default:
        return MINI_FAILED;
    }
}

__attribute__((noinline)) static bool mini_teardown_holds(const struct CMUnitTest *test,
                                                          void **state)
{
    if (setjmp(mini_runner) != 0)
        return false;
    return mini_fixture_holds(test->teardown_func, state);
}

/* True: it has failed. */
static inline bool mini_run(const struct CMUnitTest *test, void *state)
{
    static const char *const words[] = {"[       OK ]", "[  FAILED  ]", "[  SKIPPED ]"};
    int end = MINI_FAILED;
    printf("[ RUN      ] %s\n", test->name);
    fflush(stdout);
    if (test->initial_state != NULL)
        state = test->initial_state;
    if (mini_fixture_holds(test->setup_func, &state)) {
        end = mini_test_ends(test, &state);
        if (!mini_teardown_holds(test, &state))
            end = MINI_FAILED;
    }
    printf("%s %s\n", words[end], test->name);
    fflush(stdout);
    return end == MINI_FAILED;
}

static inline int mini_run_all(const struct CMUnitTest *tests, size_t count,
                               mini_fixture setup, mini_fixture teardown)
{
    int failed = 0;
    void *state = NULL;
    if (!mini_fixture_holds(setup, &state))
        return 1;
    for (size_t i = 0; i < count; i++)
        if (mini_filter == NULL || fnmatch(mini_filter, tests[i].name, 0) == 0)
            failed += mini_run(&tests[i], state);
    if (!mini_fixture_holds(teardown, &state))
        failed++;
    printf(failed != 0 ? "[  FAILED  ] %d test(s).\n" : "[  PASSED  ] all but %d.\n",
           failed);
    return failed;
}

#define cmocka_run_group_tests(tests, setup, teardown) \
    mini_run_all(tests, sizeof(tests) / sizeof *(tests), setup, teardown)

#endif
