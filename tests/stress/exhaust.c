/*
 * exhaust.c - when memory runs out: NULL and ENOMEM, what was there stays as it was, and
 * after some is freed there is memory again. By RLIMIT_AS (the address space) and
 * RLIMIT_DATA (the break and private memory), in the main thread and in others, from the
 * first call on.
 */
#include "../unit/support.h"

#include <sys/prctl.h>
#include <sys/resource.h>

/* The name of a limit; another type in another libc. */
#ifdef __GLIBC__
typedef __rlimit_resource_t limit_name;
#else
typedef int limit_name;
#endif

static void limit_to(limit_name resource, size_t bytes)
{
    struct rlimit limit;
    CHECK(getrlimit(resource, &limit) == 0);
    limit.rlim_cur = bytes;
    CHECK(setrlimit(resource, &limit) == 0);
}

/* Bytes of private writable memory, which is what RLIMIT_DATA counts. */
static size_t data_bytes(void) { return statm_bytes(5); }

/* ---- taking all there is ----------------------------------------------------------- */

/* Chunks of one size, chained through their first word (a table would need memory),
 * with a number behind it and again at their end. */
typedef struct link {
    struct link *next;
    size_t number;
} link_t;

typedef struct hoard {
    link_t *first;
    size_t size, count;
} hoard_t;

static size_t *last_word(const link_t *l, size_t size)
{
    return (size_t *)(void *)((char *)(uintptr_t)l + size) - 1;
}

/* Until malloc says no, in the way that it has to. */
static void take_all(hoard_t *h, size_t size)
{
    link_t *l;
    *h = (hoard_t){NULL, size, 0};
    errno = 0;
    while ((l = malloc(size)) != NULL) {
        l->next = h->first;
        l->number = h->count;
        *last_word(l, size) = h->count++;
        h->first = l;
        errno = 0;
    }
    CHECK(errno == ENOMEM);
}

static void check_intact(const hoard_t *h)
{
    size_t i = h->count;
    for (const link_t *l = h->first; l; l = l->next)
        CHECK(l->number == --i && *last_word(l, h->size) == i);
    CHECK(i == 0);
}

static void give_all_back(hoard_t *h)
{
    while (h->first) {
        link_t *l = h->first;
        h->first = l->next;
        free(l);
    }
}

/* All that may fail fails as malloc does, and leaves alone what it was given. */
static void check_all_fail(size_t size)
{
    unsigned char *old = malloc(1);
    void *untouched = old;
    errno = 0;
    CHECK(!calloc(1, size) && errno == ENOMEM);
    errno = 0;
    CHECK(!memalign(64, size) && errno == ENOMEM);
    errno = 0;
    CHECK(!pvalloc(size) && errno == ENOMEM);
    CHECK(posix_memalign(&untouched, 64, size) == ENOMEM);
    CHECK(untouched == old);
    if (!old)
        return;
    *old = 77;
    errno = 0;
    CHECK(!realloc(old, size) && errno == ENOMEM);
    CHECK(*old == 77);
    free(old);
}

static const size_t sizes[] = {40, 1000, 20000, 130000, 300000, 3000000};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Room is what the limit leaves. A good part of it must be got, and got again. */
static void exhaust(size_t room, size_t least_share)
{
    for (size_t i = 0; i < SIZES; i++) {
        hoard_t first, again;
        take_all(&first, sizes[i]);
        CHECK(first.count * sizes[i] > room / least_share);
        check_all_fail(room);
        check_intact(&first);
        check_heaps();
        give_all_back(&first);
        take_all(&again, sizes[i]);
        CHECK(again.count >= first.count - first.count / 4);
        check_intact(&again);
        give_all_back(&again);
        check_heaps();
    }
}

static const size_t room = 64 * MIB, small_room = 20 * MIB;

static void address_space_in_the_main_thread(void)
{
    limit_to(RLIMIT_AS, address_space() + room);
    exhaust(room, 2);
}

static void data_in_the_main_thread(void)
{
    limit_to(RLIMIT_DATA, data_bytes() + room);
    exhaust(room, 2);
}

static void exhaust_room(void) { exhaust(room, 4); }
static void exhaust_small_room(void) { exhaust(small_room, 4); }
static void exhaust_little(void) { exhaust(4 * MIB, 1); }

/* The thread exists before the limit: its stack is not what runs out. */
static pthread_barrier_t limited;

static void *exhaust_when_limited(void *scenario)
{
    pthread_barrier_wait(&limited);
    (*(void (**)(void))scenario)();
    return NULL;
}

static void in_thread_under(limit_name resource, size_t bytes, void (*scenario)(void))
{
    CHECK(pthread_barrier_init(&limited, NULL, 2) == 0);
    pthread_t thread = start_thread(exhaust_when_limited, &scenario);
    size_t used = resource == RLIMIT_AS ? address_space() : data_bytes();
    limit_to(resource, used + bytes);
    pthread_barrier_wait(&limited);
    join_thread(thread);
}

static void address_space_in_another_thread(void)
{
    in_thread_under(RLIMIT_AS, room, exhaust_room);
}

/* Less than a heap reserves: the thread has to do with less. */
static void little_address_space_in_another_thread(void)
{
    in_thread_under(RLIMIT_AS, small_room, exhaust_small_room);
}

static void data_in_another_thread(void)
{
    in_thread_under(RLIMIT_DATA, room, exhaust_room);
}

static void little_data_in_another_thread(void)
{
    in_thread_under(RLIMIT_DATA, small_room, exhaust_small_room);
}

/* ---- several threads at the limit at once ------------------------------------------ */

enum { THREADS = 8 };

static void *struggle(void *seed)
{
    enum { SLOTS = 200 };
    pthread_barrier_wait(&limited);
    uint64_t chance = support_seed + (uintptr_t)seed;
    unsigned char *mem[SLOTS] = {NULL};
    size_t size[SLOTS] = {0};
    for (size_t i = 0; i < at_length(1000, 50000); i++) {
        size_t s = random_below(&chance, SLOTS);
        if (mem[s])
            CHECK(pattern_holds(mem[s], size[s], size[s], s));
        size_t n = random_below(&chance, (size_t)2 << random_below(&chance, 19));
        unsigned char *new = realloc(mem[s], n + 1);
        if (new) {
            mem[s] = new, size[s] = n + 1;
            pattern_fill(new, size[s], s);
        } else {
            CHECK(errno == ENOMEM);
        }
        if (random_below(&chance, 3) == 0) {
            free(mem[s]);
            mem[s] = NULL;
        }
    }
    for (size_t s = 0; s < SLOTS; s++)
        free(mem[s]);
    return NULL;
}

static void threads_at_the_limit(void)
{
    pthread_t threads[THREADS];
    CHECK(pthread_barrier_init(&limited, NULL, THREADS + 1) == 0);
    for (size_t i = 0; i < THREADS; i++)
        threads[i] = start_thread(struggle, (void *)(uintptr_t)i);
    limit_to(RLIMIT_AS, address_space() + room);
    pthread_barrier_wait(&limited);
    for (size_t i = 0; i < THREADS; i++)
        join_thread(threads[i]);
    check_heaps();
    exhaust(room / 4, 4);
}

/* A thread that finds nothing at all on its first call fails, and works when there is
 * memory. */
static void *allocate_twice(void *unused)
{
    (void)unused;
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
    limit_to(RLIMIT_AS, 4096);
    void *mem = malloc(5 * MIB);
    CHECK(!mem && errno == ENOMEM);
    while (malloc(1000))
        ;
    CHECK(errno == ENOMEM);
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    mem = malloc(1000);
    CHECK(mem);
    free(mem);
    CHECK(malloc(5 * MIB));
    return NULL;
}

static void a_thread_that_starts_without_memory(void)
{
    join_thread(start_thread(allocate_twice, NULL));
    check_heaps();
}

/* ---- limits that were there before the program ------------------------------------- */

static char self[4096];

static void exec_hog(limit_name resource, size_t bytes)
{
    limit_to(resource, bytes);
    execl(self, self, "hog", (char *)NULL);
    CHECK(false);
}

static void ulimit_v(void) { exec_hog(RLIMIT_AS, 120 * MIB); }
static void a_small_ulimit_v(void) { exec_hog(RLIMIT_AS, (CM_TINY ? 80 : 30) * MIB); }
static void ulimit_d(void) { exec_hog(RLIMIT_DATA, 60 * MIB); }

/* What the program does when it was started with a limit: take all, in two threads. */
static void hog(void)
{
    exhaust_little();
    malloc_trim(0);
    pthread_attr_t attributes;
    pthread_t thread;
    void (*scenario)(void) = exhaust_little;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, 256 * KIB) == 0);
    CHECK(pthread_create(&thread, &attributes, run_scenario, &scenario) == 0);
    join_thread(thread);
    exhaust_little();
}

#define TEST_OF(scenario) \
    static void test_##scenario(void **state) \
    { \
        (void)state; \
        assert_ends_well(scenario); \
    }

TEST_OF(address_space_in_the_main_thread)
TEST_OF(data_in_the_main_thread)
TEST_OF(address_space_in_another_thread)
TEST_OF(little_address_space_in_another_thread)
TEST_OF(data_in_another_thread)
TEST_OF(little_data_in_another_thread)
TEST_OF(threads_at_the_limit)
TEST_OF(a_thread_that_starts_without_memory)
TEST_OF(ulimit_v)
TEST_OF(a_small_ulimit_v)
TEST_OF(ulimit_d)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_address_space_in_the_main_thread),
        cmocka_unit_test(test_data_in_the_main_thread),
        cmocka_unit_test(test_address_space_in_another_thread),
        cmocka_unit_test(test_little_address_space_in_another_thread),
        cmocka_unit_test(test_data_in_another_thread),
        cmocka_unit_test(test_little_data_in_another_thread),
        cmocka_unit_test(test_threads_at_the_limit),
        cmocka_unit_test(test_a_thread_that_starts_without_memory),
        cmocka_unit_test(test_ulimit_v),
        cmocka_unit_test(test_a_small_ulimit_v),
        cmocka_unit_test(test_ulimit_d),
    };
    require_library();
    if (argc == 2 && strcmp(argv[1], "hog") == 0) {
        hog();
        return 0;
    }
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    announce_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
