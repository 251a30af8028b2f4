/*
 * purger.c - the purger is started by whoever frees, wherever that is: also by libc, from
 * under the locks that it holds while a thread ends; by many at once; in a child that
 * shares its parent's memory. There is one at a time, and it leaves the break alone.
 */
#include "../unit/support.h"

#include "cmalloc.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

/* LARGE: too large for a cache, so that top takes it back at once. */
enum { AT_ONCE = 8, WAITING = 6000, SIZE = 900, LARGE = 90000, HANG_SECONDS = 60 };

static pthread_barrier_t all_there;

/* Their stacks are more than libc keeps, so it frees what belongs to the eldest as they
 * end; they themselves free nothing. */
static void *meet(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&all_there);
    return NULL;
}

/* count chunks of size bytes wait, and nobody has started a purger. */
static void leave_waiting(int count, size_t size)
{
    static void *mem[WAITING];
    assert_int_equal(cmalloc_option_set("purge_age", "10000"), 0);
    assert_int_equal(cmalloc_option_set("background", "off"), 0);
    for (int i = 0; i < count; i++)
        CHECK((mem[i] = malloc(size)) != NULL);
    for (int i = 0; i < count; i++)
        free(mem[i]);
    assert_int_equal(cmalloc_option_set("background", "on"), 0);
}

/* And with so short an age that it has ended when the threads have. */
static void purge(void)
{
    assert_int_equal(cmalloc_option_set("purge_age", "4"), 0);
    free(malloc(LARGE));
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}

static size_t resting(void)
{
    cmalloc_stats s;
    assert_int_equal(cmalloc_stats_get(CMALLOC_NO_ARENA, &s, sizeof s), 0);
    return s.cached + s.free_resident;
}

static void *allocate(void *unused)
{
    free(malloc(SIZE));
    return unused;
}

static void threads_end_while_much_waits(void **state)
{
    (void)state;
    join_thread(start_thread(allocate, NULL)); /* a purger is for programs with threads */
    pthread_barrier_init(&all_there, NULL, AT_ONCE + 1);
    for (size_t round = at_length(20, 2000); round > 0; round--) {
        pthread_t t[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            assert_int_equal(pthread_create(&t[i], NULL, meet, NULL), 0);
        leave_waiting(WAITING, SIZE);
        pthread_barrier_wait(&all_there);
        for (int i = 0; i < AT_ONCE; i++)
            pthread_join(t[i], NULL);
        purge();
    }
    assert_true(cmalloc_check() > 0);
}

static void purge_until_little_rests(void)
{
    alarm(HANG_SECONDS);
    do
        purge();
    while (resting() > WAITING * SIZE / 2);
    alarm(0);
}

/* A child that shares its parent's memory, and ends, as vfork's does. A purger of its own
 * would end with it: in the middle of something, or for good. */
static int free_in_the_parents_memory(void *unused)
{
    (void)unused;
    allocate(NULL);
    free(malloc(LARGE));
    _exit(0);
}

static void children_that_share_memory_end(void **state)
{
    enum { STACK = 256 << 10 };
    char *stack = malloc(STACK);
    (void)state;
    skip_if_emulated();
    CHECK(stack);
    join_thread(start_thread(allocate, NULL));
    for (size_t round = at_length(20, 2000); round > 0; round--) {
        int status = -1;
        leave_waiting(WAITING, SIZE);
        pid_t child = clone(free_in_the_parents_memory, stack + STACK,
                            CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
        CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
        purge_until_little_rests();
        assert_true(cmalloc_check() > 0);
    }
    free(stack);
}

static atomic_bool stop;

static void *leave_some_waiting(void *unused)
{
    void *mem[64];
    while (!atomic_load(&stop)) {
        for (int i = 0; i < 64; i++)
            CHECK((mem[i] = malloc(LARGE)) != NULL);
        for (int i = 0; i < 64; i++)
            free(mem[i]);
    }
    return unused;
}

/* There is one purger at a time, whoever calls for it and whenever it is about to end:
 * two would stand on one stack. */
static void many_call_at_once(void **state)
{
    pthread_t t[AT_ONCE];
    (void)state;
    assert_int_equal(cmalloc_option_set("purge_age", "4"), 0);
    atomic_store(&stop, false);
    for (int i = 0; i < AT_ONCE; i++)
        t[i] = start_thread(leave_some_waiting, NULL);
    for (size_t i = at_length(40, 1200); i > 0; i--)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < AT_ONCE; i++)
        join_thread(t[i]);
    purge_until_little_rests();
    assert_true(cmalloc_check() > 0);
}

static void *leave_waiting_together(void *unused)
{
    void *mem[64];
    for (int i = 0; i < 64; i++)
        CHECK((mem[i] = malloc(LARGE)) != NULL);
    pthread_barrier_wait(&all_there);
    for (int i = 0; i < 64; i++)
        free(mem[i]);
    return unused;
}

static void first_call(void)
{
    pthread_t t[AT_ONCE];
    alarm(HANG_SECONDS);
    CHECK(cmalloc_option_set("purge_age", "4") == 0);
    pthread_barrier_init(&all_there, NULL, AT_ONCE);
    for (int i = 0; i < AT_ONCE; i++)
        t[i] = start_thread(leave_waiting_together, NULL);
    for (int i = 0; i < AT_ONCE; i++)
        join_thread(t[i]);
    purge();
    _exit(0);
}

/* In processes that have had no purger yet: the first start takes longest. */
static void many_call_first_at_once(void **state)
{
    (void)state;
    for (size_t round = at_length(200, 5000); round > 0; round--) {
        int status = -1;
        pid_t child = fork();
        if (child == 0)
            first_call();
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        assert_int_equal(status, 0);
    }
}

/* Whoever moves the break itself does it between calls of the program's own. */
static void the_break_stays_where_it_is(void **state)
{
    (void)state;
    join_thread(start_thread(allocate, NULL));
    for (size_t round = at_length(5, 500); round > 0; round--) {
        leave_waiting(WAITING * SIZE / LARGE, LARGE);
        const void *before = sbrk(0);
        purge_until_little_rests();
        purge(); /* and what the tick does after that */
        assert_ptr_equal(sbrk(0), before);
        malloc_trim(0);
        assert_true((const char *)sbrk(0) < (const char *)before);
    }
}

/* One thread frees and then sleeps; the other one has never called malloc. Nobody makes a
 * call that the memory could go back with. */
static void go_idle(void)
{
    static void *mem[WAITING];
    pthread_t t;
    alarm(HANG_SECONDS);
    CHECK(cmalloc_option_set("purge_age", "4") == 0);
    CHECK(pthread_barrier_init(&all_there, NULL, 2) == 0);
    CHECK(pthread_create(&t, NULL, meet, NULL) == 0);
    for (int i = 0; i < WAITING; i++)
        CHECK((mem[i] = memset(malloc(SIZE), 1, SIZE)) != NULL);
    size_t all = resident();
    for (int i = 0; i < WAITING; i++)
        free(mem[i]);
    while (resident() > all - WAITING * SIZE / 2)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    pthread_barrier_wait(&all_there);
    CHECK(pthread_join(t, NULL) == 0);
}

static void memory_goes_back_beside_threads_that_do_not_allocate(void **state)
{
    (void)state;
    skip_if_emulated();
#ifndef __GLIBC__
    skip(); /* its libc does not tell of such threads */
#endif
    assert_ends_well(go_idle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* The first: no thread has allocated before. */
        cmocka_unit_test(memory_goes_back_beside_threads_that_do_not_allocate),
        cmocka_unit_test(many_call_first_at_once),
        cmocka_unit_test(threads_end_while_much_waits),
        cmocka_unit_test(children_that_share_memory_end),
        cmocka_unit_test(the_break_stays_where_it_is),
        cmocka_unit_test(many_call_at_once),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
