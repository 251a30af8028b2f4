/* test_roots.c - which memory is a root, from a made-up list of mappings. */
#include "inside.h"

#include "inspect/roots.h"

static roots_t r;
static range_t seen[32];
static size_t seen_count;

enum { R = 1, W = 2, X = 4, SHARED = 8 };

static void given_mapping(uintptr_t low, uintptr_t high, unsigned access, uint64_t inode,
                          const char *name)
{
    os_mapping_t m = {.low = low,
                      .high = high,
                      .readable = (access & R) != 0,
                      .writable = (access & W) != 0,
                      .executable = (access & X) != 0,
                      .shared = (access & SHARED) != 0,
                      .inode = inode,
                      .name = name};
    roots_mapping(&m, &r);
}

static void see(uintptr_t low, uintptr_t high, void *arg)
{
    (void)arg;
    assert_true(seen_count < 32);
    seen[seen_count++] = (range_t){low, high};
}

/* The roots are these ranges, pairs of low and high, and no others. */
static void expect_roots(const uintptr_t *pairs, size_t count)
{
    assert_true(roots_seal(&r));
    seen_count = 0;
    roots_each(&r, see, NULL);
    assert_int_equal(seen_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(seen[i].low, pairs[2 * i]);
        assert_int_equal(seen[i].high, pairs[2 * i + 1]);
    }
    roots_free(&r);
    r = (roots_t){.failed = false};
}

#define EXPECT_ROOTS(...) \
    do { \
        const uintptr_t pairs[] = {__VA_ARGS__}; \
        expect_roots(pairs, sizeof pairs / sizeof *pairs / 2); \
    } while (0)

static void only_private_writable_memory_is_a_root(void **state)
{
    (void)state;
    given_mapping(0x1000, 0x2000, R | X, 7, "/bin/program");
    given_mapping(0x3000, 0x4000, R | W, 7, "/bin/program");
    given_mapping(0x4000, 0x5000, R | W, 0, "");
    given_mapping(0x6000, 0x7000, R | W | SHARED, 9, "/dev/shm/x");
    given_mapping(0x8000, 0x9000, R | W | X, 0, "");
    given_mapping(0xa000, 0xb000, 0, 0, "");
    given_mapping(0xc000, 0xd000, R | W, 0, "[vvar]");
    given_mapping(0xe000, 0xf000, R | W, 5, "/dev/dri/card0");
    EXPECT_ROOTS(0x3000, 0x4000, 0x4000, 0x5000, 0x8000, 0x9000);
}

/* The linker's tables hold pointers, and are constant once it has finished. */
static void constants_before_a_files_data_are_roots(void **state)
{
    (void)state;
    given_mapping(0x1000, 0x2000, R, 7, "/lib/a.so");
    given_mapping(0x3000, 0x4000, R, 7, "/lib/a.so");
    given_mapping(0x4000, 0x5000, R | W, 7, "/lib/a.so");
    given_mapping(0x5000, 0x6000, R, 8, "/lib/b.so");
    given_mapping(0x6000, 0x7000, R | W, 9, "/lib/c.so");
    EXPECT_ROOTS(0x3000, 0x4000, 0x4000, 0x5000, 0x6000, 0x7000);
}

static void what_is_excluded_is_cut_out(void **state)
{
    (void)state;
    given_mapping(0x10000, 0x20000, R | W, 0, "");
    given_mapping(0x20000, 0x30000, R | W, 0, "");
    roots_exclude(&r, 0x1f000, 0x21000); /* over a border */
    roots_exclude(&r, 0x10000, 0x11000); /* at the start; they come in any order */
    roots_exclude(&r, 0x2f000, 0x30000);
    roots_exclude(&r, 0x12000, 0x15000);
    roots_exclude(&r, 0x13000, 0x14000); /* within another */
    roots_exclude(&r, 0x50000, 0x60000); /* in no mapping */
    EXPECT_ROOTS(0x11000, 0x12000, 0x15000, 0x1f000, 0x21000, 0x2f000);
}

static void the_first_stack_is_cut_below_its_pointer(void **state)
{
    (void)state;
    given_mapping(0x10000, 0x20000, R | W, 0, "[stack]");
    roots_stack(&r, 0x1c008, 0x50000);
    EXPECT_ROOTS(0x1c008, 0x20000);
}

static void a_threads_stack_is_cut_where_it_is_one_for_certain(void **state)
{
    (void)state;
    given_mapping(0xf000, 0x10000, 0, 0, "");
    given_mapping(0x10000, 0x20000, R | W, 0, "");
    roots_stack(&r, 0x1c008, 0x1f000);
    EXPECT_ROOTS(0x1c008, 0x20000);

    /* No guard page below: others' frames may lie there. */
    given_mapping(0x10000, 0x20000, R | W, 0, "");
    roots_stack(&r, 0x1c008, 0x1f000);
    EXPECT_ROOTS(0x10000, 0x20000);

    /* Not the thread's own memory above: a coroutine, somewhere in a pool of them. */
    given_mapping(0xf000, 0x10000, 0, 0, "");
    given_mapping(0x10000, 0x20000, R | W, 0, "");
    roots_stack(&r, 0x1c008, 0x51000);
    EXPECT_ROOTS(0x10000, 0x20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_private_writable_memory_is_a_root),
        cmocka_unit_test(constants_before_a_files_data_are_roots),
        cmocka_unit_test(what_is_excluded_is_cut_out),
        cmocka_unit_test(the_first_stack_is_cut_below_its_pointer),
        cmocka_unit_test(a_threads_stack_is_cut_where_it_is_one_for_certain),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
