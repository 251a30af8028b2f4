/* test_lock.c - a lock excludes, its waiters wake, and a child can judge it. */
#include "inside.h"

#include "base/lock.h"

#include <sched.h>

static cm_lock lock;
static size_t counter;

static uint32_t lock_word(void)
{
    return atomic_load_explicit(&lock.word, memory_order_relaxed);
}

static int reset(void **state)
{
    (void)state;
    atomic_store(&lock.word, 0);
    counter = 0;
    return 0;
}

static void a_free_lock_is_taken_and_dropped(void **state)
{
    (void)state;
    assert_true(cm_lock_take(&lock));
    assert_int_equal(lock_word(), cm_generation() << 1);
    cm_lock_drop(&lock);
    assert_int_equal(lock_word(), 0);
}

static void a_held_lock_is_not_taken_by_a_try(void **state)
{
    (void)state;
    assert_true(cm_lock_try(&lock));
    assert_false(cm_lock_try(&lock));
    assert_int_equal(lock_word(), cm_generation() << 1);
    cm_lock_drop(&lock);
    assert_true(cm_lock_try(&lock));
    cm_lock_drop(&lock);
}

/* ---- contention -------------------------------------------------------------------- */

enum { COUNTERS = 4, ROUNDS = 20000 };

static void *count_up(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(cm_lock_take(&lock));
        counter++;
        if (i % 64 == 0)
            sched_yield(); /* the others come to wait */
        cm_lock_drop(&lock);
    }
    return NULL;
}

static void one_thread_at_a_time_is_inside(void **state)
{
    (void)state;
    pthread_t threads[COUNTERS];
    for (int i = 0; i < COUNTERS; i++)
        threads[i] = start_thread(count_up, NULL);
    for (int i = 0; i < COUNTERS; i++)
        join_thread(threads[i]);
    assert_int_equal(counter, COUNTERS * ROUNDS);
    assert_int_equal(lock_word(), 0);
}

static void *take_once(void *arg)
{
    (void)arg;
    CHECK(cm_lock_take(&lock));
    size_t seen = counter;
    cm_lock_drop(&lock);
    return (void *)(uintptr_t)seen;
}

static void a_sleeper_marks_the_lock_and_is_woken(void **state)
{
    (void)state;
    assert_true(cm_lock_take(&lock));
    pthread_t sleeper = start_thread(take_once, NULL);
    while ((lock_word() & 1) == 0)
        sched_yield();
    counter = 7;
    cm_lock_drop(&lock);
    assert_int_equal((uintptr_t)join_thread(sleeper), 7);
    assert_int_equal(lock_word(), 0);
}

static void every_sleeper_is_woken_in_turn(void **state)
{
    (void)state;
    pthread_t sleepers[COUNTERS];
    assert_true(cm_lock_take(&lock));
    for (int i = 0; i < COUNTERS; i++)
        sleepers[i] = start_thread(take_once, NULL);
    while ((lock_word() & 1) == 0)
        sched_yield();
    usleep(20000); /* most sleep now; the result does not depend on it */
    cm_lock_drop(&lock);
    for (int i = 0; i < COUNTERS; i++)
        join_thread(sleepers[i]);
    assert_int_equal(lock_word(), 0);
}

/* ---- forks ------------------------------------------------------------------------- */

static uint32_t parent_generation;

static void orphan_is_refused_at_once(void)
{
    CHECK(!cm_lock_try(&lock));
    CHECK(!cm_lock_take(&lock));
    CHECK(lock_word() >> 1 == parent_generation); /* nothing was written */
}

static void a_child_refuses_a_lock_that_its_parent_holds(void **state)
{
    (void)state;
    parent_generation = cm_generation();
    assert_true(cm_lock_take(&lock));
    assert_ends_well(orphan_is_refused_at_once);
    atomic_fetch_or(&lock.word, 1); /* as if another thread slept behind it */
    assert_ends_well(orphan_is_refused_at_once);
    cm_lock_drop(&lock);
}

static void free_lock_works(void)
{
    CHECK(cm_lock_take(&lock));
    CHECK(lock_word() == cm_generation() << 1);
    cm_lock_drop(&lock);
    CHECK(lock_word() == 0);
}

static void a_child_takes_a_lock_that_was_free(void **state)
{
    (void)state;
    assert_ends_well(free_lock_works);
}

static void own_generation(void)
{
    uint32_t mine = cm_generation();
    CHECK(mine != 0 && mine != parent_generation);
    CHECK(cm_generation() == mine);
    parent_generation = mine;
    if (++counter < 3)
        CHECK(status_in_child(own_generation) == 0);
    CHECK(cm_generation() == mine);
}

static void each_child_is_a_generation_of_its_own(void **state)
{
    (void)state;
    uint32_t mine = parent_generation = cm_generation();
    assert_ends_well(own_generation);
    assert_int_equal(cm_generation(), mine);
}

static void *generation_seen(void *arg)
{
    pthread_barrier_wait(arg);
    return (void *)(uintptr_t)cm_generation();
}

static void threads_agree(void)
{
    pthread_barrier_t together;
    pthread_t threads[COUNTERS];
    /* pthread_create allocates, and so asks; only a fresh word makes it a race. */
    pthread_barrier_init(&together, NULL, COUNTERS + 1);
    for (int i = 0; i < COUNTERS; i++)
        threads[i] = start_thread(generation_seen, &together);
    atomic_store(atomic_load(&host_generation), 0);
    pthread_barrier_wait(&together);
    for (int i = 0; i < COUNTERS; i++)
        CHECK((uintptr_t)join_thread(threads[i]) == cm_generation());
}

static void the_threads_of_a_child_agree_on_its_generation(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        assert_ends_well(threads_agree);
}

static void inherit_and_use(void)
{
    cm_lock_take_or_inherit(&lock);
    CHECK(lock_word() == cm_generation() << 1);
    CHECK(!cm_lock_try(&lock));
    cm_lock_drop(&lock);
    CHECK(lock_word() == 0);
    cm_lock_take_or_inherit(&lock); /* a free one is just taken */
    CHECK(lock_word() == cm_generation() << 1);
    cm_lock_drop(&lock);
}

static void a_child_inherits_an_orphaned_lock(void **state)
{
    (void)state;
    assert_true(cm_lock_take(&lock));
    assert_ends_well(inherit_and_use);
    atomic_fetch_or(&lock.word, 1);
    assert_ends_well(inherit_and_use);
    cm_lock_drop(&lock);
}

static void *inherit_and_count(void *arg)
{
    pthread_barrier_wait(arg);
    for (int i = 0; i < 1000; i++) {
        cm_lock_take_or_inherit(&lock);
        counter++;
        cm_lock_drop(&lock);
    }
    return NULL;
}

static void heirs_exclude_each_other(void)
{
    pthread_barrier_t together;
    pthread_t heirs[COUNTERS];
    pthread_barrier_init(&together, NULL, COUNTERS);
    for (int i = 0; i < COUNTERS; i++)
        heirs[i] = start_thread(inherit_and_count, &together);
    for (int i = 0; i < COUNTERS; i++)
        join_thread(heirs[i]);
    CHECK(counter == (size_t)COUNTERS * 1000);
    CHECK(lock_word() == 0);
}

static void of_several_heirs_one_is_inside(void **state)
{
    (void)state;
    assert_true(cm_lock_take(&lock));
    for (int i = 0; i < 10; i++)
        assert_ends_well(heirs_exclude_each_other);
    cm_lock_drop(&lock);
}

#define lock_test(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        lock_test(a_free_lock_is_taken_and_dropped),
        lock_test(a_held_lock_is_not_taken_by_a_try),
        lock_test(one_thread_at_a_time_is_inside),
        lock_test(a_sleeper_marks_the_lock_and_is_woken),
        lock_test(every_sleeper_is_woken_in_turn),
        lock_test(a_child_refuses_a_lock_that_its_parent_holds),
        lock_test(a_child_takes_a_lock_that_was_free),
        lock_test(each_child_is_a_generation_of_its_own),
        lock_test(the_threads_of_a_child_agree_on_its_generation),
        lock_test(a_child_inherits_an_orphaned_lock),
        lock_test(of_several_heirs_one_is_inside),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
