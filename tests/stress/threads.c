/*
 * threads.c - threads that come and go, many at once, with little stack, and that
 * allocate in the destructors that run while they end.
 */
#include "../unit/support.h"

#include <limits.h>

/* ---- churn ------------------------------------------------------------------------- */

enum { LEFT_BEHIND = 64 };
static _Atomic(void *) left_behind[LEFT_BEHIND];

/* A short life: some chunks of its own, one left to others, one of others freed. */
static void *live_shortly(void *number)
{
    uint64_t chance = support_seed + (uintptr_t)number;
    void *mem[20];
    for (size_t i = 0; i < 20; i++) {
        size_t size = random_below(&chance, (size_t)2 << random_below(&chance, 14));
        mem[i] = malloc(size);
        CHECK(mem[i]);
        pattern_fill(mem[i], size, i);
    }
    for (size_t i = 1; i < 20; i++)
        free(mem[i]);
    free(atomic_exchange(&left_behind[(uintptr_t)number % LEFT_BEHIND], mem[0]));
    return NULL;
}

/* Four at a time, so that arenas are taken over from the dead and shared with the
 * living. */
static void churn(size_t threads)
{
    enum { AT_ONCE = 4 };
    pthread_t running[AT_ONCE];
    for (size_t i = 0; i < threads; i += AT_ONCE) {
        for (size_t j = 0; j < AT_ONCE; j++)
            running[j] = start_thread(live_shortly, (void *)(uintptr_t)(i + j));
        for (size_t j = 0; j < AT_ONCE; j++)
            join_thread(running[j]);
    }
}

static size_t arenas(void)
{
    cmalloc_stats s;
    if (cmalloc_stats_get == NULL) /* a peer */
        return 0;
    if (cmalloc_stats_get(CMALLOC_NO_ARENA, &s, sizeof s) != 0) /* sweep.sh's failure */
        CHECK(cmalloc_stats_get(CMALLOC_NO_ARENA, &s, sizeof s) == 0);
    return s.arena_count;
}

/* What the first thousand threads leave behind is all that a hundred thousand may; but
 * chance may have had no three of those at work at once, and one arena less. */
static void memory_does_not_grow_with_threads_that_have_ended(void)
{
    churn(1000);
    size_t before = footprint(), reserved = address_space(), first = arenas();
    churn(at_length(4000, 100000));
    CHECK(footprint() < before + 4 * MIB);
    reserved += 32 * MIB + (arenas() - first) * 64 * MIB;
    CHECK(emulated() || address_space() < reserved);
    check_heaps();
}

/* ---- many at once ------------------------------------------------------------------ */

enum { CROWD = 64, SHARED = 256 };

typedef struct gift {
    size_t size;
    uint64_t tag;
    unsigned char contents[];
} gift_t;

static _Atomic(gift_t *) shared[SHARED];

static gift_t *make_gift(uint64_t *chance)
{
    size_t size = random_below(chance, (size_t)2 << random_below(chance, 15));
    gift_t *g = malloc(sizeof *g + size);
    CHECK(g);
    g->size = size;
    g->tag = next_random(chance);
    pattern_fill(g->contents, size, g->tag);
    return g;
}

static void use_up(gift_t *g)
{
    if (g)
        CHECK(pattern_holds(g->contents, g->size, g->size, g->tag));
    free(g);
}

static pthread_barrier_t all_there;

/* Everybody frees what anybody has made. */
static void *give_and_take(void *number)
{
    uint64_t chance = support_seed + (uintptr_t)number;
    pthread_barrier_wait(&all_there);
    for (size_t i = 0; i < at_length(4000, 100000); i++) {
        gift_t *mine = make_gift(&chance);
        use_up(atomic_exchange(&shared[random_below(&chance, SHARED)], mine));
    }
    pthread_barrier_wait(&all_there);
    return NULL;
}

static void sixty_four_threads_hand_chunks_to_each_other(void)
{
    pthread_t crowd[CROWD];
    CHECK(pthread_barrier_init(&all_there, NULL, CROWD) == 0);
    for (size_t i = 0; i < CROWD; i++)
        crowd[i] = start_thread(give_and_take, (void *)(uintptr_t)i);
    check_heaps();
    for (size_t i = 0; i < CROWD; i++)
        join_thread(crowd[i]);
    for (size_t i = 0; i < SHARED; i++)
        use_up(atomic_exchange(&shared[i], NULL));
    check_heaps();
}

/* One makes, another frees: what goes home must be handed out again. */
static _Atomic(gift_t *) conveyor[64];
static atomic_bool finished;

static void *consume(void *unused)
{
    (void)unused;
    while (!atomic_load(&finished))
        for (size_t i = 0; i < 64; i++)
            use_up(atomic_exchange(&conveyor[i], NULL));
    return NULL;
}

static void memory_does_not_grow_between_producer_and_consumer(void)
{
    uint64_t chance = support_seed;
    size_t before = 0, rounds = at_length(200000, 5000000);
    pthread_t consumer = start_thread(consume, NULL);
    for (size_t i = 0; i < rounds; i++) {
        use_up(atomic_exchange(&conveyor[i % 64], make_gift(&chance)));
        if (i == rounds / 4)
            before = footprint();
    }
    CHECK(footprint() < before + 24 * MIB);
    atomic_store(&finished, true);
    join_thread(consumer);
    check_heaps();
}

/* ---- the end of a thread ----------------------------------------------------------- */

enum { KEYS = 40, ROUNDS_OF_DESTRUCTORS = 3 };
static pthread_key_t keys[KEYS];
static _Atomic size_t destroyed;

typedef struct value {
    size_t key, round;
    unsigned char *mem;
} value_t;

/* Allocate, free, and come back for another round (POSIX promises four). */
static void destroy(void *value)
{
    value_t *v = value;
    CHECK(is_all(v->mem, (unsigned char)v->key, 100 + v->key * 50));
    v->mem = realloc(v->mem, 20000);
    CHECK(v->mem);
    CHECK(is_all(v->mem, (unsigned char)v->key, 100 + v->key * 50));
    free(malloc(50));
    atomic_fetch_add(&destroyed, 1);
    if (++v->round < ROUNDS_OF_DESTRUCTORS) {
        CHECK(pthread_setspecific(keys[v->key], v) == 0);
        return;
    }
    free(v->mem);
    free(v);
}

/* From the 32nd key on, pthread_setspecific allocates by itself. */
static void *set_all_keys(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < KEYS; i++) {
        value_t *v = malloc(sizeof *v);
        CHECK(v);
        *v = (value_t){i, 0, malloc(100 + i * 50)};
        CHECK(v->mem);
        memset(v->mem, (int)i, 100 + i * 50);
        CHECK(pthread_setspecific(keys[i], v) == 0);
    }
    return NULL;
}

/* A destructor that is the first to allocate in its thread. */
static void *set_without_malloc(void *value)
{
    CHECK(pthread_setspecific(keys[0], value) == 0);
    return NULL;
}

static void destructors_of_thread_data_allocate_and_free(void)
{
    const size_t threads = at_length(300, 5000);
    for (size_t i = 0; i < KEYS; i++)
        CHECK(pthread_key_create(&keys[i], destroy) == 0);
    size_t before = 0;
    for (size_t t = 0; t < threads; t++) {
        pthread_t other = start_thread(set_all_keys, NULL);
        value_t *v = calloc(1, sizeof *v);
        CHECK(v);
        v->mem = calloc(1, 100);
        join_thread(start_thread(set_without_malloc, v));
        join_thread(other);
        if (t == threads / 4)
            before = footprint();
    }
    CHECK(atomic_load(&destroyed) == threads * (KEYS + 1) * ROUNDS_OF_DESTRUCTORS);
    CHECK(footprint() < before + 4 * MIB);
    check_heaps();
}

/* What C++ calls thread_local: runs before the destructors above, and allocates to
 * register. */
extern int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *dso);
extern void *__dso_handle;
#pragma weak __cxa_thread_atexit_impl /* not in musl */

static void destroy_local(void *object)
{
    unsigned char *mem = object;
    CHECK(is_all(mem, 5, 3000));
    free(mem);
    free(malloc(3000));
    atomic_fetch_add(&destroyed, 1);
}

static void *use_thread_locals(void *unused)
{
    (void)unused;
    for (int i = 0; i < 50; i++) {
        unsigned char *mem = malloc(3000);
        CHECK(mem);
        memset(mem, 5, 3000);
        CHECK(__cxa_thread_atexit_impl(destroy_local, mem, &__dso_handle) == 0);
    }
    return NULL;
}

static void destructors_of_thread_locals_allocate_and_free(void)
{
    for (int t = 0; t < 100; t++)
        join_thread(start_thread(use_thread_locals, NULL));
    CHECK(atomic_load(&destroyed) == 100 * 50);
    check_heaps();
}

/* ---- stacks ------------------------------------------------------------------------ */

static void *use_the_whole_family(void *unused)
{
    (void)unused;
    for (size_t size = 1; size < 4 * MIB; size = size * 3 + 1) {
        void *m = malloc(size), *c = calloc(1, size), *a = memalign(256, size), *p = NULL;
        CHECK(m && c && a && posix_memalign(&p, 8192, size) == 0);
        m = realloc(m, size * 2);
        a = realloc(a, size / 2 + 1);
        CHECK(m && a && malloc_usable_size(m) >= size * 2);
        free(m), free(c), free(a), free(p);
    }
    malloc_trim(0);
    mallinfo2();
    check_heaps();
    return NULL;
}

/* 16 KiB, of which glibc and thread-local storage take their part; musl's least is 2 KiB,
 * in which nothing much can be called. */
static void the_smallest_stack_is_enough(void)
{
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    size_t least = (size_t)PTHREAD_STACK_MIN;
    least = least < 16 * KIB ? 16 * KIB : least;
    CHECK(pthread_attr_setstacksize(&attributes, least) == 0);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, &attributes, use_the_whole_family, NULL) == 0);
        join_thread(thread);
    }
}

/* A thread that is cancelled while it allocates: deferred cancellation never hits
 * malloc. */
__attribute__((noreturn)) static void *allocate_until_cancelled(void *unused)
{
    (void)unused;
    for (;;) {
        free(malloc(100));
        free(malloc(MIB));
        pthread_testcancel();
    }
}

static void cancelled_threads_leave_the_heap_whole(void)
{
    for (int i = 0; i < 200; i++) {
        pthread_t thread = start_thread(allocate_until_cancelled, NULL);
        CHECK(pthread_cancel(thread) == 0);
        CHECK(join_thread(thread) == PTHREAD_CANCELED);
    }
    check_heaps();
}

#define TEST_OF(scenario) \
    static void test_##scenario(void **state) \
    { \
        (void)state; \
        assert_ends_well(scenario); \
    }

TEST_OF(memory_does_not_grow_with_threads_that_have_ended)
TEST_OF(sixty_four_threads_hand_chunks_to_each_other)
TEST_OF(memory_does_not_grow_between_producer_and_consumer)
TEST_OF(destructors_of_thread_data_allocate_and_free)
static void test_destructors_of_thread_locals_allocate_and_free(void **state)
{
    (void)state;
    if (!__cxa_thread_atexit_impl)
        skip();
    assert_ends_well(destructors_of_thread_locals_allocate_and_free);
}
TEST_OF(the_smallest_stack_is_enough)
TEST_OF(cancelled_threads_leave_the_heap_whole)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_does_not_grow_with_threads_that_have_ended),
        cmocka_unit_test(test_sixty_four_threads_hand_chunks_to_each_other),
        cmocka_unit_test(test_memory_does_not_grow_between_producer_and_consumer),
        cmocka_unit_test(test_destructors_of_thread_data_allocate_and_free),
        cmocka_unit_test(test_destructors_of_thread_locals_allocate_and_free),
        cmocka_unit_test(test_the_smallest_stack_is_enough),
        cmocka_unit_test(test_cancelled_threads_leave_the_heap_whole),
    };
    require_library();
    announce_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
