/* test_stats.c - every byte of an arena is counted once. */
#include "inside.h"

#include "inspect/stats.h"

/* What the heap_infos and fenceposts of own take up, and where chunks start. */
static size_t overhead(void)
{
    size_t bytes = 0;
    for (const heap_info *h = own.newest; h != NULL; h = h->older) {
        bytes += h->first - (uintptr_t)h;
        bytes += h != own.newest ? FENCEPOST_SIZE : 0;
    }
    return bytes;
}

static stats_t stats(void)
{
    stats_t s;
    assert_true(stats_arena(&own, &s));
    assert_int_equal(s.system, s.live + s.cached + s.free + s.top + overhead());
    return s;
}

static void an_empty_arena_is_all_top(void **state)
{
    (void)state;
    stats_t s = stats();
    assert_int_equal(s.system, own.newest->committed);
    assert_int_equal(s.top, top_size(&own));
    assert_int_equal(s.live + s.cached + s.free + s.large, 0);
    assert_int_equal(s.free_count + s.cached_count + s.large_count, 0);
}

static void each_kind_of_chunk_counts_where_it_belongs(void **state)
{
    given_free(*state, 2048);
    given_free(*state, 64);
    stats_t s = stats();
    assert_int_equal(s.live, 4 * CHUNK_MIN);
    assert_int_equal(s.free, 2112);
    assert_int_equal(s.free_count, 2);
    magazine_t m = arena_take_run_locked(*state, 64, 1);
    depot_park(&own.depot, class_of(64), m);
    mchunkptr c = take(*state, 2048);
    inbox_post(&own.inbox, chunk_mem(c), chunk_mem(c)); /* waiting there it counts too */
    s = stats();
    assert_int_equal(s.live, 4 * CHUNK_MIN);
    assert_int_equal(s.cached, 2112);
    assert_int_equal(s.cached_count, 2);
    assert_int_equal(s.free_count, 0);
}

static void mappings_are_counted_apart(void **state)
{
    mchunkptr c = large_map(HEAP_MAX_SIZE, CHUNK_ALIGN);
    assert_non_null(c);
    large_link_locked(*state, c);
    stats_t s = stats();
    assert_int_equal(s.large_count, 1);
    assert_int_equal(s.large, large_info_of(c)->mapped);
    assert_int_equal(s.live, 0);
    large_unlink_locked(*state, c);
    large_keep(c);
    large_drop_kept();
    assert_int_equal(stats().large, 0);
}

static void over_several_heaps_the_sum_holds(void **state)
{
    static mchunkptr c[400];
    uint64_t chance = support_seed;
    for (int i = 0; i < 400; i++)
        c[i] = take(*state, chunk_size_for(random_below(&chance, HEAP_MAX_SIZE / 100)));
    stats_t most = stats();
    assert_int_equal(most.system_most, most.system);
    assert_true(own.newest->older != NULL);
    for (int i = 0; i < 400; i++) {
        arena_give_locked(*state, c[i]);
        if (i % 20 == 0)
            stats();
    }
    stats_t s = stats();
    assert_int_equal(s.live, 0);
    assert_true(s.system < most.system);
    assert_int_equal(s.system_most, most.system_most);
}

static void orphaned(void)
{
    stats_t s;
    memset(&s, 0xff, sizeof s);
    CHECK(!stats_arena(&own, &s));
    CHECK(is_all(&s, 0, sizeof s));
    stats_all(&s);
}

static void an_orphaned_arena_counts_nothing(void **state)
{
    take(*state, 64);
    assert_true(arena_lock(*state));
    assert_ends_well(orphaned);
    arena_unlock(*state);
}

static void the_process_is_the_sum_of_its_arenas(void **state)
{
    (void)state;
    stats_t all, one, sum = {0};
    void *small = malloc(1000), *large = malloc(2 * HEAP_MAX_SIZE);
    stats_all(&all);
    for (unsigned i = 0; i < arena_count(); i++) {
        assert_true(stats_arena(arena_at(i), &one));
        sum.system += one.system;
        sum.live += one.live;
        sum.large += one.large;
    }
    assert_int_equal(all.system, sum.system);
    assert_int_equal(all.live, sum.live);
    assert_int_equal(all.large, sum.large);
    assert_true(all.live >= 1008 && all.large > 2 * HEAP_MAX_SIZE);
    free(small), free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        arena_test(an_empty_arena_is_all_top),
        arena_test(each_kind_of_chunk_counts_where_it_belongs),
        arena_test(mappings_are_counted_apart),
        arena_test(over_several_heaps_the_sum_holds),
        arena_test(an_orphaned_arena_counts_nothing),
        cmocka_unit_test(the_process_is_the_sum_of_its_arenas),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
