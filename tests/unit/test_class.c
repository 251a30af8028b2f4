/* test_class.c - every size has its class, and no class wastes more than it may. */
#include "inside.h"

#include "core/class.h"

static const unsigned first_class = (unsigned)(CHUNK_MIN / CHUNK_ALIGN);

static void classes_are_chunk_sizes_in_ascending_order(void **state)
{
    (void)state;
    for (unsigned k = first_class; k < CLASS_COUNT; k++) {
        assert_int_equal(class_size(k) % CHUNK_ALIGN, 0);
        assert_int_equal(class_of(class_size(k)), k);
        assert_int_equal(class_round(class_size(k)), class_size(k));
        assert_true(k == CLASS_COUNT - 1 || class_size(k) < class_size(k + 1));
    }
    assert_int_equal(class_of(CLASS_MAX), CLASS_COUNT - 1);
    assert_int_equal(class_size(CLASS_COUNT - 1), CLASS_MAX);
}

static void a_chunk_belongs_to_the_largest_class_not_above_it(void **state)
{
    (void)state;
    for (size_t size = CHUNK_MIN; size <= CLASS_MAX; size += CHUNK_ALIGN) {
        unsigned k = class_of(size);
        assert_true(k < CLASS_COUNT);
        assert_true(class_size(k) <= size);
        assert_true(k == CLASS_COUNT - 1 || size < class_size(k + 1));
    }
}

static void a_request_gets_the_smallest_class_that_holds_it(void **state)
{
    (void)state;
    for (size_t size = CHUNK_MIN; size <= CLASS_MAX; size += CHUNK_ALIGN) {
        size_t rounded = class_round(size);
        unsigned k = class_of(rounded);
        assert_int_equal(class_size(k), rounded);
        assert_true(rounded >= size && rounded <= CLASS_MAX);
        assert_true(size == CHUNK_MIN || class_size(k - 1) < size);
        assert_true(size <= CLASS_EXACT_MAX || class_for_wide(size) == k);
    }
}

static void rounding_wastes_at_most_one_part_in_class_steps(void **state)
{
    (void)state;
    for (size_t size = CHUNK_MIN; size <= CLASS_MAX; size += CHUNK_ALIGN) {
        size_t waste = class_round(size) - size;
        assert_true(size > CLASS_EXACT_MAX || waste == 0);
        assert_true(waste * CLASS_STEPS < size);
    }
}

static void exact_classes_are_found_by_division(void **state)
{
    (void)state;
    for (size_t size = CHUNK_MIN; size <= CLASS_EXACT_MAX; size += CHUNK_ALIGN)
        assert_int_equal(class_of(size), size / CHUNK_ALIGN);
}

static void larger_classes_have_smaller_magazines_within_limits(void **state)
{
    (void)state;
    unsigned before = MAGAZINE_MOST;
    for (unsigned k = first_class; k < CLASS_COUNT; k++) {
        unsigned count = class_magazine(class_size(k));
        assert_true(count >= MAGAZINE_LEAST && count <= MAGAZINE_MOST);
        assert_true(count <= before);
        assert_true(count == MAGAZINE_LEAST ||
                    count * class_size(k) < (size_t)2 << MAGAZINE_BYTES_SHIFT);
        before = count;
    }
    assert_int_equal(class_magazine(CLASS_MAX), MAGAZINE_LEAST);
    assert_int_equal(class_magazine(CHUNK_MIN), MAGAZINE_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_chunk_sizes_in_ascending_order),
        cmocka_unit_test(a_chunk_belongs_to_the_largest_class_not_above_it),
        cmocka_unit_test(a_request_gets_the_smallest_class_that_holds_it),
        cmocka_unit_test(rounding_wastes_at_most_one_part_in_class_steps),
        cmocka_unit_test(exact_classes_are_found_by_division),
        cmocka_unit_test(larger_classes_have_smaller_magazines_within_limits),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
