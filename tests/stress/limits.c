/*
 * limits.c - limit_soft and limit_hard, at work: near the soft one whatever is free is
 * given back before anything grows, and what is live may pass it all the same; at the
 * hard one malloc fails, whole and only there.
 */
#include "../unit/support.h"

#include "os/os.h"

static const size_t most = 24 * MIB; /* live at a time */

static void set_limit(const char *name, size_t bytes)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", bytes);
    CHECK(cmalloc_option_set(name, text) == 0);
}

/* ---- chunks, chained --------------------------------------------------------------- */

typedef struct link {
    struct link *next;
} link_t;

/* Up to bytes in chunks of size; how many were to be had. */
static size_t take(link_t **all, size_t size, size_t bytes)
{
    size_t count = 0;
    for (; count < bytes / size; count++) {
        link_t *l = malloc(size);
        if (!l)
            break;
        memset(l, 0x77, size < 256 ? size : 256);
        l->next = *all;
        *all = l;
    }
    return count;
}

static void give(link_t **all)
{
    while (*all) {
        link_t *l = *all;
        *all = l->next;
        free(l);
    }
}

/* Take and free as much once more in each size. Returns the most that was committed with
 * all of it live. */
static size_t pass_through(size_t bytes)
{
    static const size_t sizes[] = {3 * MIB, 64, 700 * KIB, 1000, 5000, 200 * KIB, 40};
    size_t peak = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        link_t *all = NULL;
        CHECK(take(&all, sizes[i], bytes) == bytes / sizes[i]);
        peak = os_committed() > peak ? os_committed() : peak;
        give(&all);
    }
    check_heaps();
    return peak;
}

/* ---- the soft limit ---------------------------------------------------------------- */

static size_t start;

/* What is free as mappings of its own is needed as heaps, and the other way about. */
static void demand_changes(void)
{
    start = os_committed();
    CHECK(cmalloc_option_set("mmap_threshold", "128k") == 0); /* so that it stays */
    set_limit("limit_soft", start + most + most / 4);
    CHECK(pass_through(most) <= start + most + most / 2);
}

static pthread_barrier_t turns;

static void *take_and_free(void *unused)
{
    (void)unused;
    for (size_t turn = 0; turn < 3; turn++) {
        link_t *all = NULL;
        CHECK(take(&all, 3000, most) == most / 3000);
        give(&all);
        pthread_barrier_wait(&turns);
        pthread_barrier_wait(&turns);
    }
    return NULL;
}

/* What is free in the arena of one thread goes before that of another grows. */
static void threads_take_turns(void)
{
    CHECK(pthread_barrier_init(&turns, NULL, 2) == 0);
    start = os_committed();
    set_limit("limit_soft", start + most + most / 4);
    pthread_t other = start_thread(take_and_free, NULL);
    for (size_t turn = 0; turn < 3; turn++) {
        pthread_barrier_wait(&turns);
        CHECK(pass_through(most) <= start + most + most / 2);
        malloc_trim(0);
        pthread_barrier_wait(&turns);
    }
    join_thread(other);
}

/* A soft limit refuses nothing. */
static void much_is_live(void)
{
    set_limit("limit_soft", 1 * MIB);
    link_t *all[4] = {NULL};
    static const size_t sizes[] = {48, 3000, 100 * KIB, 5 * MIB};
    for (size_t i = 0; i < 4; i++)
        CHECK(take(&all[i], sizes[i], most) == most / sizes[i]);
    CHECK(os_memory_is_short() && os_committed() >= 4 * (most - 5 * MIB));
    char *grown = malloc(1 * MIB);
    for (size_t n = 1; n <= 24; n++)
        CHECK((grown = realloc(grown, n * MIB)) != NULL);
    free(grown);
    for (size_t i = 0; i < 4; i++)
        give(&all[i]);
    check_heaps();
}

/* ---- the hard limit ---------------------------------------------------------------- */

static void nothing_passes_it(void)
{
    start = os_committed();
    size_t limit = start + most;
    set_limit("limit_hard", limit);
    /* Largest first: pages amid a heap stay committed, and serve smaller chunks. */
    static const size_t sizes[] = {3000000, 300000, 20000, 1000, 40};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        link_t *all = NULL;
        errno = 0;
        size_t count = take(&all, sizes[i], 4 * most);
        CHECK(errno == ENOMEM && os_committed() <= limit);
        CHECK(count * sizes[i] > most / 2 && count * sizes[i] < 2 * most);
        CHECK(!malloc(most) && errno == ENOMEM && !calloc(1, most));
        give(&all);
    }
    set_limit("limit_hard", 0);
    free(malloc(4 * most));
    CHECK(pass_through(2 * most) >= limit);
}

static void *fill_all(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < at_length(30, 1000); i++) {
        link_t *all = NULL;
        take(&all, 24 + i % 7 * 9000, most);
        give(&all);
    }
    return NULL;
}

static void threads_share_it(void)
{
    pthread_t threads[4];
    start = os_committed();
    set_limit("limit_hard", start + most);
    for (size_t i = 0; i < 4; i++)
        threads[i] = start_thread(fill_all, NULL);
    for (size_t i = 0; i < 4; i++)
        join_thread(threads[i]);
    CHECK(os_committed() <= start + most);
    check_heaps();
}

/* The least limit is enough for a program to start, to use libc, and to end. */
static char self[4096];

static void exec_little(void)
{
    setenv("CMALLOC_OPTIONS", "limit_hard=1m", 1);
    execl(self, self, "little", (char *)NULL);
    CHECK(false);
}

static void little(void)
{
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    CHECK(stream && fprintf(stream, "%d", 77) == 2 && fclose(stream) == 0);
    CHECK(strcmp(text, "77") == 0);
    free(text);
    CHECK(!malloc(2 * MIB) && errno == ENOMEM);
    link_t *all = NULL;
    CHECK(take(&all, 100, 8 * MIB) < 8 * MIB / 100);
    give(&all);
    CHECK(os_committed() <= 1 * MIB);
}

#define TEST_OF(scenario) \
    static void test_##scenario(void **state) \
    { \
        (void)state; \
        assert_ends_well(scenario); \
    }
TEST_OF(demand_changes)
TEST_OF(threads_take_turns)
TEST_OF(much_is_live)
TEST_OF(nothing_passes_it)
TEST_OF(threads_share_it)
TEST_OF(exec_little)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demand_changes),
        cmocka_unit_test(test_threads_take_turns),
        cmocka_unit_test(test_much_is_live),
        cmocka_unit_test(test_nothing_passes_it),
        cmocka_unit_test(test_threads_share_it),
        cmocka_unit_test(test_exec_little),
    };
    require_library();
    if (argc == 2 && strcmp(argv[1], "little") == 0) {
        little();
        return 0;
    }
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
