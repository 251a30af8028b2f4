/*
 * adverse.c - a kernel that says no in ways of its own: pages that are locked and cannot
 * be purged, mappings that are as many as there may be, memory that is not overcommitted.
 * Each is survived: contents stay, zero is zero, failures are NULL and ENOMEM, and when
 * the trouble is over there is memory again.
 *
 * vm.overcommit_memory is the whole machine's, and strict accounting may stop what else
 * runs there. It is set, and put back, with CM_SYSCTL=1 in the environment only; without,
 * the test runs under the limit that refuses the same calls, RLIMIT_DATA.
 */
#include "../unit/support.h"

/* ---- a workload -------------------------------------------------------------------- */

enum { SLOTS = 120 };

typedef struct slots {
    unsigned char *mem[SLOTS];
    size_t size[SLOTS];
    uint64_t chance;
    size_t failures;
} slots_t;

static size_t any_size(uint64_t *chance)
{
    return 1 + random_below(chance, (size_t)1 << (4 + random_below(chance, 18)));
}

static void renew(slots_t *s, size_t i)
{
    size_t n = any_size(&s->chance);
    bool zeroed = random_below(&s->chance, 3) == 0;
    if (s->mem[i]) {
        CHECK(pattern_holds(s->mem[i], s->size[i], s->size[i], i));
        free(s->mem[i]);
    }
    errno = 0;
    s->mem[i] = zeroed ? calloc(1, n) : malloc(n);
    if (!s->mem[i]) {
        CHECK(errno == ENOMEM);
        s->failures++;
        return;
    }
    CHECK(!zeroed || is_all(s->mem[i], 0, n));
    s->size[i] = n;
    pattern_fill(s->mem[i], n, i);
}

static void resize(slots_t *s, size_t i)
{
    size_t n = any_size(&s->chance), keep = n < s->size[i] ? n : s->size[i];
    if (!s->mem[i])
        return;
    errno = 0;
    unsigned char *mem = realloc(s->mem[i], n);
    if (!mem) {
        CHECK(errno == ENOMEM && pattern_holds(s->mem[i], s->size[i], s->size[i], i));
        s->failures++;
        return;
    }
    CHECK(pattern_holds(mem, keep, s->size[i], i));
    s->mem[i] = mem;
    s->size[i] = n;
    pattern_fill(mem, n, i);
}

/* Everything at random, with trims in between. Returns how many calls failed. */
static size_t churn(uint64_t seed)
{
    static _Thread_local slots_t s;
    memset(&s, 0, sizeof s);
    s.chance = seed;
    for (size_t step = 0; step < at_length(6000, 200000); step++) {
        size_t i = random_below(&s.chance, SLOTS);
        if (random_below(&s.chance, 4) == 0)
            resize(&s, i);
        else
            renew(&s, i);
        if (step % 500 == 499)
            malloc_trim(0);
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (s.mem[i]) {
            CHECK(pattern_holds(s.mem[i], s.size[i], s.size[i], i));
            free(s.mem[i]);
        }
    return s.failures;
}

/* Memory is to be had, in any kind of chunk. */
static void check_healthy(void)
{
    static const size_t sizes[] = {30, 3000, 60000, 400000, 5000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *mem[8];
        for (size_t k = 0; k < 8; k++) {
            CHECK((mem[k] = calloc(1, sizes[i])) != NULL && is_all(mem[k], 0, sizes[i]));
            memset(mem[k], 1, sizes[i]);
        }
        for (size_t k = 0; k < 8; k++)
            free(mem[k]);
    }
    check_heaps();
}

static pthread_barrier_t ready;

static void *churn_when_ready(void *seed)
{
    pthread_barrier_wait(&ready);
    return (void *)(uintptr_t)churn(support_seed + (uintptr_t)seed);
}

/* In the main thread and another one that is there before the trouble begins. Returns how
 * many calls failed. */
static size_t churn_in_two_threads_under(void (*trouble)(void))
{
    CHECK(pthread_barrier_init(&ready, NULL, 2) == 0);
    pthread_t other = start_thread(churn_when_ready, (void *)1);
    trouble();
    pthread_barrier_wait(&ready);
    size_t failures = churn(support_seed);
    return failures + (size_t)(uintptr_t)join_thread(other);
}

/* ---- locked pages ------------------------------------------------------------------ */

static void lock_all(void) { CHECK(mlockall(MCL_CURRENT | MCL_FUTURE) == 0); }

/* Whether pages may be locked without limit. */
static bool may_lock(void)
{
    bool may = mlockall(MCL_CURRENT) == 0;
    munlockall();
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    return may && (geteuid() == 0 || limit.rlim_cur == RLIM_INFINITY);
}

/* Locked pages are not purged: MADV_DONTNEED fails, and what was in them is there. */
static void locked(void)
{
    void *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(churn_in_two_threads_under(lock_all) == 0);
    check_healthy();
    CHECK(madvise(page, 4096, MADV_DONTNEED) != 0); /* so it was true */
    CHECK(munlockall() == 0);
    check_healthy();
}

/* No more than so many may be locked: calls that would need more fail. */
static void lock_some(void)
{
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    limit.rlim_cur = limit.rlim_max < 16 * MIB ? limit.rlim_max : 16 * MIB;
    CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
    CHECK(mlockall(MCL_FUTURE) == 0);
}

static void locked_under_a_limit(void)
{
    CHECK(geteuid() != 0 || setuid(65534) == 0); /* root has no limit */
    size_t failures = churn_in_two_threads_under(lock_some);
    void *most = malloc(32 * MIB);
    CHECK(!most && errno == ENOMEM);
    CHECK(munlockall() == 0);
    check_healthy();
    printf("%zu calls failed\n", failures);
}

/* ---- mappings ---------------------------------------------------------------------- */

enum { MAPS_MOST = 1 << 21 };

static void *maps[MAPS_MOST];
static size_t map_count;

/* Neighbours of different rights, so that the kernel cannot merge them, until there may
 * be no more. False: there may be more than we care to make. */
static bool use_all_mappings(void)
{
    for (map_count = 0; map_count < MAPS_MOST; map_count++) {
        int rights = map_count % 2 ? PROT_NONE : PROT_READ;
        void *p = mmap(NULL, 4096, rights, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED)
            return errno == ENOMEM;
        maps[map_count] = p;
    }
    return false;
}

static void give_mappings_back(size_t keep)
{
    while (map_count > keep)
        CHECK(munmap(maps[--map_count], 4096) == 0);
}

static size_t mappings_left;

static void leave_few_mappings(void)
{
    CHECK(use_all_mappings());
    give_mappings_back(map_count - mappings_left);
}

static void mappings_run_out(void)
{
    size_t failures = 0;
    for (mappings_left = 0; mappings_left < 12; mappings_left += 5) {
        failures += churn_in_two_threads_under(leave_few_mappings);
        check_heaps();
        give_mappings_back(0);
        check_healthy();
    }
    printf("%zu calls failed\n", failures);
}

/* Frees that have to unmap, and cannot: in the middle of what the kernel has merged. */
static void unmapping_fails(void)
{
    enum { COUNT = 64 };
    static unsigned char *mem[COUNT];
    const size_t size = 1 * MIB;
    CHECK(cmalloc_option_set("mmap_threshold", "128k") == 0);
    for (size_t i = 0; i < COUNT; i++) {
        CHECK((mem[i] = malloc(size)) != NULL);
        memset(mem[i], (int)i, size);
    }
    CHECK(use_all_mappings());
    size_t before = resident();
    for (size_t i = 0; i < COUNT; i += 2)
        free(mem[i]);
    malloc_trim(0);
    CHECK(resident() < before - COUNT / 4 * size); /* at least the memory goes */
    for (size_t i = 1; i < COUNT; i += 2) {
        CHECK(is_all(mem[i], (unsigned char)i, size));
        free(mem[i]);
    }
    give_mappings_back(0);
    check_healthy();
}

/* ---- no overcommitment ------------------------------------------------------------- */

static const char overcommit[] = "/proc/sys/vm/overcommit_memory";

static bool write_setting(char value)
{
    int fd = open(overcommit, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, &value, 1) == 1;
    if (fd >= 0)
        close(fd);
    return done;
}

static char read_setting(void)
{
    char value = 0;
    int fd = open(overcommit, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && read(fd, &value, 1) == 1 && close(fd) == 0);
    return value;
}

static void no_trouble(void) {}

static void limit_data(void)
{
    struct rlimit limit = {statm_bytes(5) + 12 * MIB, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
}

static void *hold[4096];

/* Take all there is in pieces of this size, and give it back. */
static void take_all(size_t size)
{
    size_t count = 0;
    while (count < 4096 && (hold[count] = malloc(size)) != NULL)
        memset(hold[count++], 1, 1); /* a page of each */
    CHECK(count > 0 && (count == 4096 || errno == ENOMEM));
    while (count > 0)
        free(hold[--count]);
}

static void strict(void)
{
    churn_in_two_threads_under(read_setting() == '2' ? no_trouble : limit_data);
    for (size_t size = 32 * KIB; size <= 4 * MIB; size *= 4)
        take_all(size);
    check_heaps();
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_DATA, &none) == 0);
    check_healthy();
}

/* ---- tests ------------------------------------------------------------------------- */

static void locked_pages_are_not_taken_for_purged(void **state)
{
    (void)state;
    if (!may_lock())
        skip();
    assert_ends_well(locked);
}

static void a_limit_on_locked_pages_is_survived(void **state)
{
    (void)state;
    assert_ends_well(locked_under_a_limit);
}

static bool may_use_all_mappings(void)
{
    bool may = use_all_mappings();
    give_mappings_back(0);
    return may;
}

static void too_many_mappings_are_survived(void **state)
{
    (void)state;
    if (!may_use_all_mappings())
        skip();
    assert_ends_well(mappings_run_out);
}

static void memory_goes_where_addresses_cannot(void **state)
{
    (void)state;
    if (!may_use_all_mappings())
        skip();
    assert_ends_well(unmapping_fails);
}

static void strict_overcommitment_is_survived(void **state)
{
    (void)state;
    char before = read_setting();
    bool set = getenv("CM_SYSCTL") && write_setting('2');
    int status = status_in_child(strict);
    assert_true(!set || write_setting(before));
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locked_pages_are_not_taken_for_purged),
        cmocka_unit_test(a_limit_on_locked_pages_is_survived),
        cmocka_unit_test(too_many_mappings_are_survived),
        cmocka_unit_test(memory_goes_where_addresses_cannot),
        cmocka_unit_test(strict_overcommitment_is_survived),
    };
    require_library();
    announce_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
