/* test_depot.c - magazines wait whole, single chunks gather into magazines. */
#include "inside.h"

#include "core/depot.h"

enum { CHUNKS = 1000, K = 4 };

typedef struct payload {
    _Alignas(16) uintptr_t words[4];
} payload_t;

static depot_t depot;
static payload_t pool[CHUNKS];
static size_t used;

static int reset(void **state)
{
    (void)state;
    memset(&depot, 0, sizeof depot);
    memset(pool, 0, sizeof pool);
    used = 0;
    return 0;
}

static magazine_t given_magazine(unsigned count)
{
    CHECK(used + count <= CHUNKS);
    magazine_t m = {count > 0 ? &pool[used] : NULL, count};
    for (unsigned i = 0; i < count; i++)
        link_set(&pool[used + i], i + 1 < count ? &pool[used + i + 1] : NULL);
    used += count;
    return m;
}

static unsigned length(magazine_t m)
{
    unsigned n = 0;
    for (void *mem = m.first; mem != NULL; mem = link_next(mem)) {
        assert_true(link_marked(mem));
        n++;
    }
    return n;
}

static void an_empty_depot_gives_an_empty_magazine(void **state)
{
    (void)state;
    for (unsigned k = 2; k < CLASS_COUNT; k++) {
        magazine_t m = depot_take(&depot, k, ~0u);
        assert_null(m.first);
        assert_int_equal(m.count, 0);
    }
    depot_park(&depot, K, (magazine_t){NULL, 0});
    assert_int_equal(depot.bytes, 0);
}

static void magazines_come_back_whole_last_in_first_out(void **state)
{
    (void)state;
    magazine_t m[20];
    size_t bytes = 0;
    for (unsigned i = 0; i < 20; i++) {
        m[i] = given_magazine(2 + i);
        depot_park(&depot, K, m[i]);
        bytes += class_size(K) * (2 + i);
        assert_int_equal(depot.bytes, bytes);
    }
    for (unsigned i = 20; i-- > 0;) {
        magazine_t got = depot_take(&depot, K, ~0u);
        assert_ptr_equal(got.first, m[i].first);
        assert_int_equal(got.count, 2 + i);
        assert_int_equal(length(got), got.count);
    }
    assert_int_equal(depot.bytes, 0);
    assert_int_equal(depot_take(&depot, K, ~0u).count, 0);
}

static void who_wants_few_is_given_few(void **state)
{
    (void)state;
    magazine_t m = given_magazine(10);
    void *fourth = link_next(link_next(link_next(m.first)));
    depot_park(&depot, K, m);
    magazine_t few = depot_take(&depot, K, 3);
    assert_ptr_equal(few.first, m.first);
    assert_int_equal(few.count, 3);
    assert_int_equal(length(few), 3);
    assert_int_equal(depot.bytes, 7 * class_size(K));
    magazine_t rest = depot_take(&depot, K, 4); /* not twice as many */
    assert_ptr_equal(rest.first, fourth);
    assert_int_equal(rest.count, 7);
    assert_int_equal(length(rest), 7);
    assert_int_equal(depot.bytes, 0);
    depot_park(&depot, K, rest);
    assert_int_equal(depot_take(&depot, K, 3).count, 3);
    assert_int_equal(depot_take(&depot, K, 2).count, 2); /* just twice as many */
    assert_int_equal(depot_take(&depot, K, 1).count, 1);
    assert_int_equal(depot_take(&depot, K, 1).count, 1);
}

static void single_chunks_gather_into_a_full_magazine(void **state)
{
    (void)state;
    unsigned full = class_magazine(class_size(K));
    for (unsigned i = 1; i < full; i++)
        depot_add(&depot, K, &pool[i]);
    assert_null(depot.shelf[K].parked);
    assert_int_equal(depot.shelf[K].loose.count, full - 1);
    depot_add(&depot, K, &pool[full]);
    assert_non_null(depot.shelf[K].parked);
    assert_int_equal(depot.shelf[K].loose.count, 0);
    assert_int_equal(depot.bytes, full * class_size(K));
    magazine_t got = depot_take(&depot, K, ~0u);
    assert_int_equal(got.count, full);
    assert_int_equal(length(got), full);
    assert_int_equal(depot.bytes, 0);
}

static void loose_chunks_are_given_when_nothing_is_parked(void **state)
{
    (void)state;
    magazine_t parked = given_magazine(3), one = given_magazine(1);
    depot_park(&depot, K, one); /* too short to carry its count */
    depot_park(&depot, K, parked);
    assert_int_equal(depot.shelf[K].loose.count, 1);
    assert_ptr_equal(depot_take(&depot, K, ~0u).first, parked.first);
    magazine_t got = depot_take(&depot, K, ~0u);
    assert_ptr_equal(got.first, one.first);
    assert_int_equal(got.count, 1);
    assert_int_equal(length(got), 1);
    assert_int_equal(depot_take(&depot, K, ~0u).count, 0);
}

static void classes_do_not_mix(void **state)
{
    (void)state;
    for (unsigned k = 2; k < 100; k++)
        depot_park(&depot, k, given_magazine(2 + k % 3));
    for (unsigned k = 2; k < 100; k++) {
        magazine_t got = depot_take(&depot, k, ~0u);
        assert_int_equal(got.count, 2 + k % 3);
        assert_int_equal(depot_take(&depot, k, ~0u).count, 0);
    }
    assert_int_equal(depot.bytes, 0);
}

static void whatever_comes_and_goes_each_chunk_is_in_one_place(void **state)
{
    (void)state;
    static magazine_t out[CHUNKS];
    size_t outs = 0, bytes = 0;
    uint64_t chance = support_seed;
    for (; outs < CHUNKS / 5; outs++)
        out[outs] = given_magazine(5);
    for (int round = 0; round < 20000; round++) {
        if (outs > 0 && random_below(&chance, 2) == 0) {
            size_t i = random_below(&chance, outs);
            bytes += out[i].count * class_size(K);
            depot_park(&depot, K, out[i]);
            out[i] = out[--outs];
        } else {
            magazine_t got = depot_take(&depot, K, ~0u);
            assert_int_equal(length(got), got.count);
            bytes -= got.count * class_size(K);
            if (got.count > 0)
                out[outs++] = got;
            if (got.count > 2) { /* one by one, from time to time */
                void *first = got.first;
                out[outs - 1] = (magazine_t){link_next(first), got.count - 1};
                depot_add(&depot, K, first);
                bytes += class_size(K);
            }
        }
        assert_int_equal(depot.bytes, bytes);
    }
    while ((out[0] = depot_take(&depot, K, ~0u)).count > 0)
        bytes -= out[0].count * class_size(K);
    assert_int_equal(bytes, 0);
}

static void do_take(void *k) { depot_take(&depot, *(unsigned *)k, ~0u); }

static void a_forged_link_to_the_next_magazine_is_fatal(void **state)
{
    (void)state;
    unsigned k = K;
    magazine_t below = given_magazine(2), above = given_magazine(2);
    depot_park(&depot, K, below);
    depot_park(&depot, K, above);
    link_words(above.first)[2] = link_hide(below.first) ^ 8;
    assert_dies(do_take, &k, "broken links", (char *)below.first + 8);
    link_words(above.first)[2] = link_hide(below.first);
    link_words(above.first)[0] ^= 4; /* to its second chunk */
    assert_dies(do_take, &k, "broken links", (char *)above.first + sizeof(payload_t) + 4);
}

static void a_damaged_count_is_fatal(void **state)
{
    (void)state;
    unsigned k = K;
    static const uintptr_t damaged[] = {0, MAGAZINE_LONGEST + 1, UINTPTR_MAX};
    magazine_t m = given_magazine(2);
    depot_park(&depot, K, m);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        link_words(link_next(m.first))[2] = damaged[i];
        assert_dies(do_take, &k, "broken links", m.first);
    }
}

/* A magazine of class k waits, and the hand comes round. */
static bool park_and_merge(unsigned k)
{
    unsigned at = CLASS_COUNT;
    used = 0;
    depot_park(&depot, k, given_magazine(2));
    for (unsigned i = 0; i < CLASS_COUNT && at != k; i++)
        if (depot_unwanted(&depot, &at))
            return at == k && depot_take_back(&depot, k).count == 2;
    return false;
}

static void the_hand_stops_where_there_is_something(void **state)
{
    (void)state;
    unsigned k;
    for (unsigned i = 0; i < 2 * CLASS_COUNT; i++)
        assert_false(depot_unwanted(&depot, &k));
    depot_add(&depot, K, &pool[0]);
    while (!depot_unwanted(&depot, &k)) {
    }
    assert_int_equal(k, K);
}

static void merges_that_nobody_regrets_let_less_wait(void **state)
{
    (void)state;
    assert_true(park_and_merge(K)); /* might be regretted yet */
    for (unsigned i = 0; i < DEPOT_DRIFT; i++) {
        size_t less = i * DEPOT_STEP, most = DEPOT_READY - DEPOT_READY_LEAST;
        assert_int_equal(depot_ready(&depot), DEPOT_READY - (less < most ? less : most));
        assert_false(depot_drifts(&depot));
        assert_true(park_and_merge(K));
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_true(depot_drifts(&depot));
        assert_int_equal(depot_ready(&depot), DEPOT_READY_LEAST);
        assert_true(park_and_merge(K));
    }
}

static void a_regret_lets_more_wait(void **state)
{
    (void)state;
    depot.merges = DEPOT_DRIFT;
    depot_missed(&depot, K); /* was never merged */
    assert_true(depot_drifts(&depot));
    assert_true(park_and_merge(K));
    depot_missed(&depot, K);
    assert_false(depot_drifts(&depot));
    depot_missed(&depot, K); /* once */
    assert_int_equal(depot.merges, DEPOT_DRIFT - DEPOT_REGRET);
    depot.merges = DEPOT_REGRET + 1;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(depot.merges, i == 0 ? DEPOT_REGRET + 1 : i == 1);
        assert_true(park_and_merge(K));
        depot_missed(&depot, K);
    }
    assert_int_equal(depot_ready(&depot), DEPOT_READY);
}

#define depot_test(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        depot_test(an_empty_depot_gives_an_empty_magazine),
        depot_test(magazines_come_back_whole_last_in_first_out),
        depot_test(who_wants_few_is_given_few),
        depot_test(single_chunks_gather_into_a_full_magazine),
        depot_test(loose_chunks_are_given_when_nothing_is_parked),
        depot_test(classes_do_not_mix),
        depot_test(whatever_comes_and_goes_each_chunk_is_in_one_place),
        depot_test(the_hand_stops_where_there_is_something),
        depot_test(a_regret_lets_more_wait),
        depot_test(merges_that_nobody_regrets_let_less_wait),
        depot_test(a_forged_link_to_the_next_magazine_is_fatal),
        depot_test(a_damaged_count_is_fatal),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
