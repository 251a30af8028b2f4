/*
 * purger.c - the purger is started by whoever frees, wherever that is: also by libc, from
 * under the locks that it holds while a thread ends.
 */
#include "../unit/support.h"

#include "cmalloc.h"

#include <pthread.h>
#include <time.h>

enum { AT_ONCE = 8, WAITING = 6000, SIZE = 900 };

static pthread_barrier_t all_there;

/* Their stacks are more than libc keeps, so it frees what belongs to the eldest as they
 * end; they themselves free nothing. */
static void *meet(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&all_there);
    return NULL;
}

/* Much waits, and nobody has started a purger. */
static void leave_waiting(void)
{
    static void *mem[WAITING];
    assert_int_equal(cmalloc_option_set("purge_age", "10000"), 0);
    assert_int_equal(cmalloc_option_set("background", "off"), 0);
    for (int i = 0; i < WAITING; i++)
        CHECK((mem[i] = malloc(SIZE)) != NULL);
    for (int i = 0; i < WAITING; i++)
        free(mem[i]);
    assert_int_equal(cmalloc_option_set("background", "on"), 0);
}

/* And with so short an age that it has ended when the threads have. */
static void purge(void)
{
    assert_int_equal(cmalloc_option_set("purge_age", "4"), 0);
    free(malloc(2 * SIZE));
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
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
        leave_waiting();
        pthread_barrier_wait(&all_there);
        for (int i = 0; i < AT_ONCE; i++)
            pthread_join(t[i], NULL);
        purge();
    }
    assert_true(cmalloc_check() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_end_while_much_waits),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
