/* test_control.c - the functions of cmalloc.h that steer the allocator. */
#include "inside.h"

static size_t option(const char *name)
{
    size_t value = 77;
    CHECK(cmalloc_option_get(name, &value) == 0);
    return value;
}

static void options_by_name(void)
{
    CHECK(cmalloc_option_set("limit_soft", "3m") == 0 && option("limit_soft") == 3 * MIB);
    CHECK(cm_options.limit_soft == 3 * MIB);
    CHECK(cmalloc_option_set("limit_soft", "0") == 0 && option("limit_soft") == 0);
    CHECK(cmalloc_option_set("thp", "never") == 0 && option("thp") == THP_NEVER);
    CHECK(cmalloc_option_set("background", "off") == 0 && option("background") == 0);
    CHECK(cmalloc_option_set("purge_age", "off") == 0 && option("purge_age") == SIZE_MAX);
    CHECK(!cm_options.thresholds_fixed);
    CHECK(cmalloc_option_set("top_pad", "4k") == 0 && cm_options.thresholds_fixed);
}

static void refused(const char *name, const char *value, int error)
{
    errno = 0;
    CHECK(cmalloc_option_set(name, value) == -1 && errno == error);
}

static void what_is_refused(void)
{
    size_t value = 5;
    refused("no_such_option", "1", ENOENT);
    refused("", "", ENOENT);
    refused("limit_hard", "", EINVAL);
    refused("limit_hard", "1023k", EINVAL); /* less than a process needs */
    refused("limit_hard", "off", EINVAL);
    refused("thp", "sometimes", EINVAL);
    refused("os_fail", "1", CM_DEBUG ? EPERM : ENOENT);
    CHECK(option("limit_hard") == 0 && option("thp") == THP_DEFAULT);
    errno = 0;
    CHECK(cmalloc_option_get("no_such_option", &value) == -1 && errno == ENOENT);
    CHECK(value == 5);
}

static pthread_barrier_t both;

static void *allocate_and_wait(void *unused)
{
    (void)unused;
    free(malloc(100));
    pthread_barrier_wait(&both);
    pthread_barrier_wait(&both);
    return NULL;
}

static unsigned arenas_of(unsigned threads)
{
    pthread_t started[8];
    CHECK(threads <= 8 && pthread_barrier_init(&both, NULL, threads + 1) == 0);
    for (unsigned i = 0; i < threads; i++)
        started[i] = start_thread(allocate_and_wait, NULL);
    pthread_barrier_wait(&both);
    unsigned count = arena_count();
    pthread_barrier_wait(&both);
    for (unsigned i = 0; i < threads; i++)
        join_thread(started[i]);
    return count;
}

static void number_of_arenas(void)
{
    free(malloc(100));
    CHECK(cmalloc_option_set("arena_max", "1") == 0 && arenas_of(4) == 1);
    CHECK(cmalloc_option_set("arena_max", "3") == 0 && arenas_of(4) == 3);
    CHECK(cmalloc_option_set("arena_max", "2") == 0 && arenas_of(6) == 3);
}

static void fill(void *mem, size_t n) { memset(mem, 1, n); }

/* Half of the chunks in these pages are free, in heaps and as a mapping. */
static size_t given_free_memory(void)
{
    enum { COUNT = 4000, SIZE = 2000 };
    static char *mem[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        fill(mem[i] = malloc(SIZE), SIZE);
    void *guard = malloc(SIZE);
    for (size_t i = 0; i < COUNT; i++)
        free(mem[i]);
    CHECK(guard);
    return COUNT * SIZE;
}

static void purging(void)
{
    size_t before = resident(), bytes = given_free_memory();
    CHECK(resident() > before + bytes / 2);
    CHECK(cmalloc_purge() == 1);
    CHECK(cmalloc_purge() == 0); /* and it says so when there is nothing more */
    CHECK(resident() < before + bytes / 4);
    check_heaps();
}

static void *purge_it(void *unused)
{
    (void)unused;
    return (void *)(uintptr_t)cmalloc_purge();
}

static void purging_from_another_thread(void)
{
    size_t before = resident(), bytes = given_free_memory();
    cmalloc_thread_flush(); /* what a bin holds only its own thread can give */
    CHECK(join_thread(start_thread(purge_it, NULL)) != NULL);
    CHECK(resident() < before + bytes / 4);
    check_heaps();
}

static size_t cached_chunks(void) { return mallinfo2().smblks; }

static void idling(void)
{
    given_free_memory();
    CHECK(cached_chunks() > 0);
    cmalloc_idle();
    CHECK(cached_chunks() == 0);
    check_heaps();
}

static void idling_at_once(void)
{
    CHECK(cmalloc_option_set("purge_age", "0") == 0);
    size_t before = resident(), bytes = given_free_memory();
    cmalloc_idle();
    CHECK(emulated() || resident() < before + bytes / 4);
    free(malloc(20 * MIB));
    CHECK(large_kept_bytes() == 0);
}

static void idling_near_a_limit(void)
{
    size_t before = resident(), bytes = given_free_memory();
    CHECK(cmalloc_option_set("limit_soft", "1m") == 0 && os_memory_is_short());
    cmalloc_idle();
    CHECK(resident() < before + bytes / 4);
}

/* In no thread's way, and errno is the caller's. */
static void errno_is_kept(void)
{
    given_free_memory();
    errno = 77;
    cmalloc_idle();
    cmalloc_purge();
    CHECK(cmalloc_option_set("perturb", "0") == 0 && option("perturb") == 0);
    CHECK(errno == 77);
}

#define CONTROL_TEST(name, scenario) \
    static void name(void **state) \
    { \
        (void)state; \
        assert_ends_well(scenario); \
    }
CONTROL_TEST(options_are_set_and_read_by_name, options_by_name)
CONTROL_TEST(what_is_no_option_or_no_value_is_refused, what_is_refused)
CONTROL_TEST(threads_that_start_later_heed_arena_max, number_of_arenas)
CONTROL_TEST(a_purge_gives_back_what_is_free, purging)
static void any_thread_may_purge(void **state)
{
    (void)state;
    skip_if_emulated(); /* its own memory grows with threads */
    assert_ends_well(purging_from_another_thread);
}
CONTROL_TEST(an_idle_thread_keeps_nothing_ready, idling)
CONTROL_TEST(idle_memory_goes_at_once_if_its_age_is_zero, idling_at_once)
CONTROL_TEST(and_near_a_limit, idling_near_a_limit)
CONTROL_TEST(errno_stays_as_it_was, errno_is_kept)

static void there_is_no_profile_without_the_profiler(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(cmalloc_profile(ends[1]), -1);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_set_and_read_by_name),
        cmocka_unit_test(what_is_no_option_or_no_value_is_refused),
        cmocka_unit_test(threads_that_start_later_heed_arena_max),
        cmocka_unit_test(a_purge_gives_back_what_is_free),
        cmocka_unit_test(any_thread_may_purge),
        cmocka_unit_test(an_idle_thread_keeps_nothing_ready),
        cmocka_unit_test(idle_memory_goes_at_once_if_its_age_is_zero),
        cmocka_unit_test(and_near_a_limit),
        cmocka_unit_test(errno_stays_as_it_was),
        cmocka_unit_test(there_is_no_profile_without_the_profiler),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
