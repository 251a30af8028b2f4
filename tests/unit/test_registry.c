/* test_registry.c - which addresses are ours, and which are not. */
#include "inside.h"

/* Far from all mappings: the lowest slots of the upper half of what can be entered. */
static const char *slot(size_t i)
{
    return (const char *)(((uintptr_t)1 << (ADDRESS_BITS - 1)) + i * HEAP_MAX_SIZE);
}

static void a_heap_is_known_from_its_first_to_its_last_byte(void **state)
{
    (void)state;
    assert_false(registry_has_heap(slot(5)));
    assert_true(registry_add(slot(5)));
    assert_true(registry_has_heap(slot(5)));
    assert_true(registry_has_heap(slot(5) + HEAP_MAX_SIZE - 1));
    assert_true(registry_has(slot(5) + 4096));
    assert_false(registry_has_heap(slot(5) - 1));
    assert_false(registry_has_heap(slot(6)));
    registry_remove(slot(5));
    assert_false(registry_has_heap(slot(5)));
}

static void neighbours_do_not_disturb_each_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < 200; i++)
        assert_true(registry_add(slot(i)));
    for (size_t i = 0; i < 200; i += 3)
        registry_remove(slot(i));
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(registry_has_heap(slot(i)), i % 3 != 0);
        registry_remove(slot(i));
    }
}

#if CM_64BIT
static void addresses_beyond_the_table_are_not_ours(void **state)
{
    (void)state;
    uintptr_t beyond = (uintptr_t)1 << ADDRESS_BITS;
    assert_false(registry_add((void *)beyond));
    assert_false(registry_add((void *)~(uintptr_t)(HEAP_MAX_SIZE - 1)));
    assert_false(registry_has((void *)beyond));
    assert_false(registry_has((void *)UINTPTR_MAX));
    const void *last = (void *)(beyond - HEAP_MAX_SIZE);
    assert_true(registry_add(last));
    assert_true(registry_has((void *)(beyond - 1)));
    registry_remove(last);
}
#endif

static void stack_text_and_nothing_are_not_ours(void **state)
{
    static int data;
    int local;
    (void)state;
    assert_false(registry_has(NULL));
    assert_false(registry_has(&local));
    assert_false(registry_has(&data));
    assert_false(registry_has(&registry));
    void *mem = malloc(100);
    assert_true(registry_has(mem));
    free(mem);
}

/* ---- the main arena's range: in children only, for there it may be wrong ----------- */

static void widen(void)
{
    registry.main_low = registry.main_high = 0;
    CHECK(!registry_has_main(NULL) && !registry_has_main(slot(1)));
    registry_add_main(slot(2), slot(3));
    CHECK(registry_has_main(slot(2)) && registry_has_main(slot(3) - 1));
    CHECK(!registry_has_main(slot(2) - 1) && !registry_has_main(slot(3)));
    registry_add_main(slot(5), slot(6)); /* with a foreign gap */
    CHECK(registry_has_main(slot(4)) && !registry_has_main(slot(6)));
    registry_add_main(slot(1), slot(2));
    CHECK(registry_has_main(slot(1)) && registry_has_main(slot(6) - 1));
    registry_add_main(slot(3), slot(4)); /* adding never narrows it */
    CHECK(registry_has_main(slot(1)) && registry_has_main(slot(6) - 1));
    registry_cut_main(slot(4), slot(3)); /* not where it ends */
    CHECK(registry_has_main(slot(6) - 1));
    registry_cut_main(slot(6), slot(5));
    CHECK(registry_has_main(slot(5) - 1) && !registry_has_main(slot(5)));
    _exit(0);
}

static void the_main_range_grows_and_is_cut_at_its_end(void **state)
{
    (void)state;
    assert_ends_well(widen);
}

/* ---- threads ----------------------------------------------------------------------- */

/* Each thread has every fourth bit of the same words. */
static void *come_and_go(void *arg)
{
    size_t first = *(size_t *)arg;
    for (int round = 0; round < 300; round++)
        for (size_t i = first; i < 256; i += 4) {
            CHECK(!registry_has_heap(slot(i)));
            CHECK(registry_add(slot(i)));
            CHECK(registry_has_heap(slot(i)));
            if (round < 299 || i % 8 < 4)
                registry_remove(slot(i));
        }
    return NULL;
}

static void threads_do_not_lose_each_others_bits(void **state)
{
    (void)state;
    pthread_t threads[4];
    size_t first[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++)
        threads[i] = start_thread(come_and_go, &first[i]);
    for (int i = 0; i < 4; i++)
        join_thread(threads[i]);
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(registry_has_heap(slot(i)), i % 8 >= 4);
        registry_remove(slot(i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_is_known_from_its_first_to_its_last_byte),
        cmocka_unit_test(neighbours_do_not_disturb_each_other),
#if CM_64BIT
        cmocka_unit_test(addresses_beyond_the_table_are_not_ours),
#endif
        cmocka_unit_test(stack_text_and_nothing_are_not_ours),
        cmocka_unit_test(the_main_range_grows_and_is_cut_at_its_end),
        cmocka_unit_test(threads_do_not_lose_each_others_bits),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
