/* test_arena.c - splitting, merging, top, runs, resizing in place, and heaps that go. */
#include "inside.h"

#include "core/purge.h"

enum { MIN = CHUNK_MIN };

/* Take the newest heap's room until the arena has one heap more. Returns the last chunk
 * of the older heap. */
static mchunkptr fill_heap(arena_t *a)
{
    const heap_info *h = a->newest;
    mchunkptr last = NULL, c = NULL;
    for (; a->newest == h; c = take(a, 8 * KIB))
        last = c;
    return last;
}

static unsigned heap_count(const arena_t *a)
{
    unsigned n = 0;
    for (const heap_info *h = a->newest; h != NULL; h = h->older)
        n++;
    return n;
}

/* ---- splitting --------------------------------------------------------------------- */

static void chunks_from_top_are_neighbours(void **state)
{
    mchunkptr a = take(*state, 64), b = take(*state, 96), c = take(*state, MIN);
    assert_ptr_equal(chunk_next(a), b);
    assert_ptr_equal(chunk_next(b), c);
    assert_ptr_equal(chunk_next(c), own.top);
    assert_int_equal(chunk_word(b), 96 | CHUNK_P | CHUNK_A);
    assert_ptr_equal(chunk_at(own.top, top_size(&own)), heap_end(own.newest));
}

static void a_larger_free_chunk_is_split_and_its_rest_is_free(void **state)
{
    mchunkptr hole = given_free(*state, 1024), got = take(*state, 64);
    assert_ptr_equal(got, hole);
    assert_int_equal(chunk_size(got), 64);
    mchunkptr rest = chunk_next(got);
    assert_true(chunk_is_free(rest));
    assert_int_equal(chunk_size(rest), 960);
    assert_int_equal(chunk_word(rest), 960 | CHUNK_P | CHUNK_A);
    assert_ptr_equal(take(*state, 960), rest);
}

/* 16 bytes behind a chunk of size bytes are none, and its own; unless they are one. */
static size_t with_rest(size_t size) { return CHUNK_MIN > 16 ? size + 16 : size; }

static void a_rest_too_small_for_a_chunk_goes_along(void **state)
{
    mchunkptr hole = given_free(*state, 80), got = take(*state, 64);
    assert_ptr_equal(got, hole);
    assert_int_equal(chunk_size(got), with_rest(64));
    assert_false(chunk_is_free(got));
}

static bool zero_is_true(const chunk_t *c)
{
    zone_t zero = zone_cut(own.zero, (zone_t){(uintptr_t)c, (uintptr_t)chunk_next(c)});
    return is_all((void *)zero.from, 0, zone_size(zero));
}

static void the_zero_part_of_a_chunk_is_known(void **state)
{
    mchunkptr c = take(*state, 4096);
    assert_true(own.zero.from <= (uintptr_t)chunk_next(c));
    assert_true(zero_is_true(c));
    take(*state, MIN);
    memset(chunk_mem(c), 0xff, chunk_usable(c));
    arena_give_locked(*state, c);
    assert_ptr_equal(take(*state, 4096), c);
    assert_int_equal(zone_size(own.zero), 0); /* used before */
    c = take(*state, 4096);
    memset(chunk_mem(c), 0xff, chunk_usable(c));
    arena_give_locked(*state, c); /* back into top */
    assert_ptr_equal(take(*state, 8192), c);
    assert_true(own.zero.from >= (uintptr_t)c + 4096);
    assert_true(zero_is_true(c));
}

/* ---- merging ----------------------------------------------------------------------- */

static void neighbours_merge_in_any_order(void **state)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int i = 0; i < 6; i++) {
        mchunkptr c[3];
        take(*state, MIN);
        for (int j = 0; j < 3; j++)
            c[j] = top_take(*state, 2000 + 16 * (size_t)j);
        mchunkptr behind = top_take(*state, MIN);
        for (int j = 0; j < 3; j++) {
            arena_give_locked(*state, c[orders[i][j]]);
            check_arena_locked(*state);
        }
        assert_true(chunk_is_free(c[0]));
        assert_int_equal(chunk_size(c[0]), 6048);
        assert_ptr_equal(chunk_next(c[0]), behind);
    }
}

static void a_chunk_before_top_becomes_top(void **state)
{
    mchunkptr a = take(*state, 64), b = take(*state, 64);
    arena_give_locked(*state, b);
    assert_ptr_equal(own.top, b);
    arena_give_locked(*state, a);
    assert_ptr_equal(own.top, a);
    assert_ptr_equal(chunk_at(own.top, top_size(&own)), heap_end(own.newest));
}

static void a_free_chunk_and_the_one_before_top_become_top(void **state)
{
    mchunkptr a = take(*state, 64), b = take(*state, 64);
    arena_give_locked(*state, a);
    assert_true(chunk_is_free(a));
    arena_give_locked(*state, b);
    assert_ptr_equal(own.top, a);
}

static void whatever_comes_and_goes_the_heap_is_sound(void **state)
{
    enum { COUNT = 300 };
    static mchunkptr c[COUNT];
    uint64_t chance = support_seed;
    memset(c, 0, sizeof c);
    for (int round = 0; round < 30000; round++) {
        size_t i = random_below(&chance, COUNT);
        size_t size = chunk_size_for(random_below(&chance, round % 9 ? 700 : 9000));
        if (c[i] == NULL) {
            c[i] = take(*state, size);
            assert_true(chunk_size(c[i]) >= size && chunk_size(c[i]) < size + MIN);
            pattern_fill(chunk_mem(c[i]), chunk_usable(c[i]), i);
        } else if (round % 3 == 0 && chunk_size(c[i]) >= size) {
            arena_cut_locked(*state, c[i], size);
        } else if (round % 3 == 1) {
            arena_grow_locked(*state, c[i], size + chunk_size(c[i]));
            pattern_fill(chunk_mem(c[i]), chunk_usable(c[i]), i);
        } else {
            arena_give_locked(*state, c[i]);
            c[i] = NULL;
        }
        if (c[i] != NULL && round % 3 != 0)
            assert_true(pattern_holds(chunk_mem(c[i]), chunk_usable(c[i]),
                                      chunk_usable(c[i]), i));
        if (round % 50 == 0)
            check_arena_locked(*state);
    }
    for (size_t i = 0; i < COUNT; i++)
        if (c[i] != NULL)
            arena_give_locked(*state, c[i]);
    assert_true(heap_count(*state) <= 2);
}

/* ---- heaps ------------------------------------------------------------------------- */

static void an_older_heap_ends_in_a_fencepost(void **state)
{
    heap_info *h = own.newest;
    mchunkptr last = fill_heap(*state), rest = chunk_next(last);
    assert_ptr_equal(own.newest->older, h);
    assert_ptr_equal(h->newer, own.newest);
    mchunkptr post = chunk_is_fencepost(rest) ? rest : chunk_next(rest);
    assert_true(chunk_is_fencepost(post));
    assert_ptr_equal((char *)post + FENCEPOST_SIZE, heap_end(h));
    assert_int_equal(h->fresh, UINTPTR_MAX);
    arena_give_locked(*state, last); /* merges up to it, not across */
    assert_ptr_equal(chunk_next(last), post);
    assert_true(chunk_is_free(last));
}

static void a_heap_is_given_back_when_all_of_it_is_free(void **state)
{
    enum { MOST = 20000 };
    static mchunkptr c[MOST];
    unsigned n = 0;
    while (heap_count(*state) < 3) {
        assert_true(n < MOST);
        c[n++] = take(*state, 16 * KIB);
    }
    heap_info *first = own.newest->older->older, *middle = own.newest->older;
    size_t system = own.system, middle_bytes = middle->committed;
    for (unsigned i = 0; i < n; i++)
        if (heap_of(c[i]) == middle)
            arena_give_locked(*state, c[i]);
    assert_false(registry_has_heap(middle));
    assert_int_equal(own.system, system - middle_bytes);
    assert_ptr_equal(own.newest->older, first);
    assert_ptr_equal(first->newer, own.newest);
    check_arena_locked(*state);
    for (unsigned i = 0; i < n; i++)
        if (heap_of(c[i]) == first)
            arena_give_locked(*state, c[i]);
    assert_true(registry_has_heap(first)); /* it may hold the arena's struct */
    assert_int_equal(heap_count(*state), 2);
}

static void system_is_what_the_heaps_have_committed(void **state)
{
    fill_heap(*state);
    take(*state, 100 * KIB);
    size_t sum = 0;
    for (const heap_info *h = own.newest; h != NULL; h = h->older)
        sum += h->committed;
    assert_int_equal(own.system, sum);
    assert_true(own.system_most >= own.system);
}

/* ---- runs -------------------------------------------------------------------------- */

static void assert_run(magazine_t m, size_t size, unsigned count)
{
    assert_int_equal(m.count, count);
    const char *mem = m.first;
    for (unsigned i = 0; i < count; i++) {
        assert_ptr_equal(mem, (char *)m.first + i * size);
        assert_true(link_marked(mem));
        assert_int_equal(chunk_size(chunk_of(mem)), size);
        assert_false(chunk_is_free(chunk_of(mem)));
        mem = link_next((void *)(uintptr_t)mem);
    }
    assert_null(mem);
}

static void a_run_is_neighbours_in_address_order(void **state)
{
    for (unsigned count = 1; count <= 64; count *= 2)
        assert_run(arena_take_run_locked(*state, 48, CHUNK_ALIGN, count), 48, count);
    assert_run(arena_take_run_locked(*state, 2048, CHUNK_ALIGN, 5), 2048, 5);
}

static void a_run_is_cut_from_a_free_chunk_that_holds_it(void **state)
{
    mchunkptr hole = given_free(*state, 1040);
    magazine_t m = arena_take_run_locked(*state, 64, CHUNK_ALIGN, 10);
    assert_run(m, 64, 10);
    assert_ptr_equal(chunk_of(m.first), hole);
    assert_true(chunk_is_free(chunk_at(hole, 640)));
    assert_int_equal(chunk_size(chunk_at(hole, 640)), 400);
}

static void a_run_is_shorter_where_a_free_chunk_holds_no_more(void **state)
{
    mchunkptr hole = given_free(*state, 336);
    magazine_t m = arena_take_run_locked(*state, 96, CHUNK_ALIGN, 10);
    assert_int_equal(m.count, 3);
    assert_ptr_equal(chunk_of(m.first), hole);
    mchunkptr last = chunk_of(link_next(link_next(m.first)));
    /* The 48 bytes left over: a chunk of their own. */
    assert_int_equal(chunk_size(last), 96);
    assert_true(chunk_is_free(chunk_next(last)));
    hole = given_free(*state, 304);
    m = arena_take_run_locked(*state, 96, CHUNK_ALIGN, 10);
    assert_ptr_equal(chunk_of(m.first), hole);
    last = chunk_of(link_next(link_next(m.first)));
    assert_int_equal(chunk_size(last), with_rest(96));
}

static void free_chunks_of_just_the_size_come_first(void **state)
{
    mchunkptr larger = given_free(*state, 4096), exact = given_free(*state, 64),
              other = given_free(*state, 64);
    magazine_t m = arena_take_run_locked(*state, 64, CHUNK_ALIGN, 10);
    assert_int_equal(m.count, 2);
    assert_ptr_equal(chunk_of(m.first), other);
    assert_ptr_equal(chunk_of(link_next(m.first)), exact);
    assert_null(link_next(link_next(m.first)));
    assert_false(chunk_is_free(exact) || chunk_is_free(other));
    assert_true(chunk_is_free(larger));
}

static void a_list_is_given_back_whole(void **state)
{
    const chunk_t *top = own.top;
    magazine_t m = arena_take_run_locked(*state, 64, CHUNK_ALIGN, 16);
    arena_give_list_locked(*state, m.first);
    assert_ptr_equal(own.top, top);
}

/* ---- alignment --------------------------------------------------------------------- */

static void aligned_chunks_stand_where_they_should(void **state)
{
    static const size_t sizes[] = {MIN, 64, 1024, 5008, 20000};
    for (size_t align = 32; align <= 64 * KIB; align *= 2)
        for (size_t i = 0; i < 5; i++) {
            mchunkptr c = arena_take_locked(*state, sizes[i], align);
            assert_non_null(c);
            assert_true(is_aligned(chunk_mem(c), align));
            assert_true(chunk_size(c) >= sizes[i] && chunk_size(c) < sizes[i] + MIN);
            assert_false(chunk_is_free(c));
            check_arena_locked(*state);
            if (i % 2 == 0)
                arena_give_locked(*state, c);
        }
}

static void what_lies_before_an_aligned_chunk_is_free(void **state)
{
    mchunkptr before = take(*state, MIN);
    mchunkptr c = arena_take_locked(*state, 64, 4096);
    assert_ptr_not_equal(chunk_next(before), c);
    assert_ptr_equal(chunk_prev(c), chunk_next(before));
    assert_true(chunk_is_free(chunk_prev(c)));
    arena_give_locked(*state, c);
    assert_ptr_equal(own.top, chunk_next(before));
}

static void an_aligned_hole_serves_the_next_such_request(void **state)
{
    mchunkptr c = arena_take_locked(*state, 4096, 4096), fence = top_take(*state, MIN);
    void *mem = chunk_mem(c);
    arena_give_locked(*state, c);
    c = arena_take_locked(*state, 4096, 4096);
    assert_ptr_equal(chunk_mem(c), mem);
    arena_give_locked(*state, c);
    magazine_t m = arena_take_run_locked(*state, 256, 256, 4); /* the hole is larger */
    assert_int_equal(m.count, 4);
    assert_true((uintptr_t)m.first < (uintptr_t)fence && is_aligned(m.first, 256));
    check_arena_locked(*state);
    arena_give_list_locked(*state, m.first);
    arena_give_locked(*state, fence);
}

/* Only a few holes are looked at. */
static void a_larger_hole_serves_where_no_aligned_one_is_near(void **state)
{
    enum { SIZE = 256, ALIGN = 256, HOLES = 8 };
    mchunkptr hole[HOLES], large = top_take(*state, SIZE + ALIGN + CHUNK_MIN);
    assert_non_null(top_take(*state, CHUNK_MIN));
    for (unsigned i = 0; i < HOLES; i++)
        do { /* in a bin each, without room for the lead */
            hole[i] = top_take(*state, SIZE + CHUNK_ALIGN * i);
            assert_non_null(top_take(*state, CHUNK_MIN));
        } while (chunk_lead(hole[i], ALIGN) <= CHUNK_ALIGN * i);
    for (unsigned i = 0; i < HOLES; i++)
        arena_give_locked(*state, hole[i]);
    arena_give_locked(*state, large);
    mchunkptr top = own.top, c = arena_take_locked(*state, SIZE, ALIGN);
    assert_true(c >= large && c < chunk_at(large, ALIGN + CHUNK_MIN));
    assert_true(is_aligned(chunk_mem(c), ALIGN));
    assert_ptr_equal(own.top, top);
}

/* ---- resizing in place ------------------------------------------------------------- */

static void a_chunk_grows_into_top(void **state)
{
    mchunkptr c = take(*state, 64);
    size_t more = top_size(&own) * 2;
    assert_true(arena_grow_locked(*state, c, 1024));
    assert_int_equal(chunk_size(c), 1024);
    assert_ptr_equal(chunk_next(c), own.top);
    assert_true(arena_grow_locked(*state, c, more)); /* the heap grows too */
    assert_int_equal(chunk_size(c), more);
    assert_ptr_equal(chunk_next(c), own.top);
    memset(chunk_mem(c), 1, chunk_usable(c));
}

static void a_chunk_grows_into_a_free_neighbour(void **state)
{
    mchunkptr c = take(*state, 64), hole = take(*state, 512), behind = take(*state, MIN);
    arena_give_locked(*state, hole);
    assert_true(arena_grow_locked(*state, c, 128));
    assert_int_equal(chunk_size(c), 128);
    assert_int_equal(chunk_size(chunk_next(c)), 448);
    assert_true(chunk_is_free(chunk_next(c)));
    assert_true(arena_grow_locked(*state, c, 560));
    assert_int_equal(chunk_size(c), with_rest(560));
    assert_ptr_equal(CHUNK_MIN > 16 ? chunk_next(c) : chunk_next(chunk_next(c)), behind);
    assert_true(chunk_prev_inuse(behind) == (CHUNK_MIN > 16));
}

static void a_chunk_does_not_grow_where_there_is_no_room(void **state)
{
    mchunkptr c = take(*state, 64), next = take(*state, 64),
              hole = given_free(*state, 64);
    mchunkptr before = chunk_at(hole, (size_t)-MIN);
    size_t word = chunk_word(c);
    assert_false(arena_grow_locked(*state, c, 80));
    assert_int_equal(chunk_word(c), word);
    assert_false(arena_grow_locked(*state, before, MIN + 64 + 16)); /* too small */
    assert_true(chunk_is_free(hole));
    assert_false(chunk_is_free(next));
    mchunkptr last = fill_heap(*state);
    size_t all = (size_t)(heap_end(heap_of(last)) - (char *)last);
    assert_false(arena_grow_locked(*state, last, all)); /* the fencepost's */
}

static void what_is_cut_off_is_free(void **state)
{
    mchunkptr c = take(*state, 1024), behind = take(*state, MIN);
    if (CHUNK_MIN > 16) {
        arena_cut_locked(*state, c, 1008); /* 16 bytes are no chunk */
        assert_int_equal(chunk_size(c), 1024);
    }
    arena_cut_locked(*state, c, 512);
    assert_int_equal(chunk_size(c), 512);
    assert_true(chunk_is_free(chunk_next(c)));
    arena_cut_locked(*state, c, 256); /* merges with what went before */
    assert_int_equal(chunk_size(chunk_next(c)), 768);
    assert_ptr_equal(chunk_next(chunk_next(c)), behind);
    arena_cut_locked(*state, behind, MIN);
    assert_int_equal(chunk_size(behind), MIN);
}

/* ---- depot and inbox --------------------------------------------------------------- */

static void what_comes_home_is_sorted_into_the_depot(void **state)
{
    mchunkptr small = take(*state, 64), medium = take(*state, CLASS_MAX),
              large = take(*state, CLASS_MAX + 4096);
    take(*state, MIN);
    mchunkptr c[] = {small, medium, large};
    for (int i = 0; i < 3; i++)
        inbox_post_one(&own.inbox, chunk_mem(c[i]));
    assert_false(chunk_is_free(large)); /* on its way it is in use */
    arena_drain_locked(*state);
    assert_int_equal(own.depot.bytes, 64 + CLASS_MAX);
    assert_ptr_equal(own.depot.shelf[class_of(64)].loose.first, chunk_mem(small));
    assert_false(chunk_is_free(small) || chunk_is_free(medium));
    assert_true(chunk_is_free(large)); /* no class: merged */
    check_arena_locked(*state);
    arena_merge_locked(*state);
    assert_int_equal(own.depot.bytes, 0);
    assert_true(chunk_is_free(small));
    assert_int_equal(chunk_size(small), 64 + 2 * CLASS_MAX + 4096);
}

static void a_magazine_that_comes_home_stays_one_if_it_is_no_small_one(void **state)
{
    enum { SIZE = 64 };
    unsigned most = class_magazine(SIZE), k = class_of(SIZE);
    magazine_t m = arena_take_run_locked(*state, SIZE, CHUNK_ALIGN, most);
    take(*state, MIN);
    assert_int_equal(m.count, most);
    inbox_post(&own.inbox, m);
    arena_drain_locked(*state);
    assert_ptr_equal(own.depot.shelf[k].parked, m.first);
    assert_int_equal(own.depot.bytes, most * SIZE);
    check_arena_locked(*state);
    magazine_t back = depot_take(&own.depot, k, ~0u);
    assert_ptr_equal(back.first, m.first);
    assert_int_equal(back.count, most);
    arena_give_list_locked(*state, back.first);
    if (most / 4 < 2)
        return; /* the smallest magazine is not small */
    m = arena_take_run_locked(*state, SIZE, CHUNK_ALIGN, most / 4);
    inbox_post(&own.inbox, m);
    arena_drain_locked(*state);
    assert_null(own.depot.shelf[k].parked);
    assert_int_equal(own.depot.shelf[k].loose.count, most / 4);
    check_arena_locked(*state);
}

static void a_mapping_that_comes_home_leaves_the_list(void **state)
{
    mchunkptr c = large_map(HEAP_MAX_SIZE, CHUNK_ALIGN);
    assert_non_null(c);
    large_link_locked(*state, c);
    assert_int_equal(own.large_count, 1);
    inbox_post_one(&own.inbox, chunk_mem(c));
    arena_drain_locked(*state);
    assert_int_equal(own.large_count, 0);
    assert_int_equal(own.large_bytes, 0);
    assert_null(own.larges);
    large_drop_kept();
}

static size_t park(arena_t *a, size_t size, unsigned count)
{
    magazine_t m = arena_take_run_locked(a, size, CHUNK_ALIGN, count);
    depot_park(&a->depot, class_of(size), m);
    return m.count * size;
}

static void a_full_depot_is_merged_before_other_sizes_are_served(void **state)
{
    size_t parked = 0;
    while (parked < DEPOT_READY)
        parked += park(*state, 1024, 4);
    assert_int_equal(own.depot.bytes, parked);
    take(*state, 64);
    assert_int_equal(own.depot.bytes, parked > DEPOT_READY ? 0 : parked);
    if (own.depot.bytes > 0)
        park(*state, 1024, 4);
    take(*state, 64);
    assert_int_equal(own.depot.bytes, 0);
}

static void what_was_asked_for_lately_is_merged_last(void **state)
{
    size_t wanted = park(*state, 64, 2), parked = wanted;
    depot_park(&own.depot, class_of(64), depot_take(&own.depot, class_of(64), ~0u));
    while (parked <= DEPOT_READY)
        parked += park(*state, 1024, 4);
    take(*state, 96);
    assert_int_equal(own.depot.bytes, wanted);
    while (own.depot.bytes <= DEPOT_READY)
        park(*state, 1024, 4);
    depot_take(&own.depot, class_of(1024), ~0u); /* now that is */
    while (own.depot.bytes <= DEPOT_READY)
        park(*state, 1024, 4);
    own.depot.shelf[class_of(1024)].wanted = true;
    take(*state, 96);
    assert_null(own.depot.shelf[class_of(64)].parked);
}

static void arenas_share_what_may_wait(void **state)
{
    size_t parked = 0;
    while (parked <= DEPOT_READY / 2)
        parked += park(*state, 1024, 4);
    assert_int_equal(arena_count(), 1);
    take(*state, 96);
    assert_int_equal(own.depot.bytes, parked);
    atomic_store(&arena_table.arenas[1], &main_arena); /* as if there were two */
    atomic_store(&arena_table.count, 2);
    take(*state, 112);
    atomic_store(&arena_table.count, 1);
    assert_int_equal(own.depot.bytes, 0);
}

static void a_depot_that_has_miscounted_is_no_endless_search(void **state)
{
    own.depot.bytes = 2 * DEPOT_READY;
    take(*state, 96);
    own.depot.bytes = 0;
}

static void a_depot_below_its_limit_is_left_alone(void **state)
{
    size_t parked = park(*state, 512, 4);
    take(*state, 64);
    assert_int_equal(own.depot.bytes, parked);
}

static void less_waits_after_merges_that_nobody_regretted(void **state)
{
    size_t parked = 0;
    while (parked <= DEPOT_READY / 2)
        parked += park(*state, 1024, 4);
    take(*state, 64);
    assert_int_equal(own.depot.bytes, parked);
    own.depot.merges = DEPOT_READY / 2 / DEPOT_STEP;
    take(*state, 64);
    assert_int_equal(own.depot.bytes, 0);
    arena_take_run_locked(*state, 1024, CHUNK_ALIGN, 1); /* but this one is */
    assert_int_equal(own.depot.merges, DEPOT_READY / 2 / DEPOT_STEP - DEPOT_REGRET);
}

/* A hole of so many bytes; one that is larger is there, too. */
static mchunkptr given_holes(arena_t *a, size_t small, size_t large)
{
    mchunkptr c = take(a, small);
    take(a, MIN);
    mchunkptr d = take(a, large);
    take(a, MIN);
    arena_give_locked(a, c);
    arena_give_locked(a, d);
    return c;
}

static void any_hole_is_taken_where_sizes_drift(void **state)
{
    void *hole = chunk_mem(given_holes(*state, 256, 4096));
    assert_ptr_not_equal(arena_take_run_locked(*state, 64, CHUNK_ALIGN, 64).first, hole);
    own.depot.merges = DEPOT_DRIFT;
    magazine_t m = arena_take_run_locked(*state, 64, CHUNK_ALIGN, 64);
    assert_ptr_equal(m.first, hole);
    assert_int_equal(m.count, 256 / 64);
}

/* ---- damage ------------------------------------------------------------------------ */

static void do_give(void *c) { arena_give_locked(&own, c); }

static void do_take(void *unused)
{
    (void)unused;
    arena_take_locked(&own, 64, CHUNK_ALIGN);
}

static void a_second_free_is_found_wherever_the_chunk_went(void **state)
{
    mchunkptr alone = given_free(*state, 64);
    assert_dies(do_give, alone, "double free", chunk_mem(alone));
    mchunkptr a = take(*state, 5008), b = take(*state, 5008);
    top_take(*state, MIN);
    arena_give_locked(*state, b);
    arena_give_locked(*state, a); /* b lies inside it now */
    assert_dies(do_give, a, "double free", chunk_mem(a));
    assert_dies(do_give, b, "double free", chunk_mem(b));
}

static void a_second_free_of_what_was_given_in_a_list_is_found(void **state)
{
    enum { COUNT = 6 };
    static const unsigned orders[][COUNT] = {
        {0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {2, 1, 3, 0, 5, 4}, {0, 2, 4, 1, 3, 5}};
    for (size_t o = 0; o < sizeof orders / sizeof *orders; o++) {
        mchunkptr c[COUNT];
        for (unsigned i = 0; i < COUNT; i++)
            c[i] = top_take(*state, 64);
        top_take(*state, MIN);
        link_set(chunk_mem(c[orders[o][COUNT - 1]]), NULL);
        for (unsigned i = COUNT - 1; i > 0; i--)
            link_set(chunk_mem(c[orders[o][i - 1]]), chunk_mem(c[orders[o][i]]));
        arena_give_list_locked(*state, chunk_mem(c[orders[o][0]]));
        assert_true(chunk_is_free(c[0]) && chunk_size(c[0]) == COUNT * 64);
        for (unsigned i = 0; i < COUNT; i++)
            assert_dies(do_give, c[i], "double free", chunk_mem(c[i]));
    }
}

static void do_give_list(void *first) { arena_give_list_locked(&own, first); }

/* c[0] to c[2] are neighbours; the list goes from 0 to 2, and then to the one again. */
static void a_chunk_that_is_twice_in_a_list_is_found(void **state)
{
    for (unsigned again = 0; again < 3; again++) {
        mchunkptr c[3];
        for (unsigned i = 0; i < 3; i++)
            c[i] = top_take(*state, 64);
        top_take(*state, MIN);
        link_set(chunk_mem(c[0]), chunk_mem(c[1]));
        link_set(chunk_mem(c[1]), chunk_mem(c[2]));
        link_set(chunk_mem(c[2]), chunk_mem(c[again]));
        assert_dies(do_give_list, chunk_mem(c[0]), "double free", chunk_mem(c[again]));
    }
}

static void a_second_free_of_what_top_has_swallowed_is_found(void **state)
{
    mchunkptr top = take(*state, 64);
    mchunkptr inside_top = take(*state, 64);
    arena_give_locked(*state, inside_top);
    arena_give_locked(*state, top);
    assert_dies(do_give, top, "double free", chunk_mem(top));
    assert_dies(do_give, inside_top, "double free", chunk_mem(inside_top));
}

static void a_forged_size_is_found(void **state)
{
    static const size_t odd = CHUNK_ALIGN / 2; /* of 8 bytes all low bits are flags */
    static const size_t forged[] = {0,
                                    CHUNK_MIN / 2 & ~CHUNK_FLAGS,
                                    odd > CHUNK_FLAGS ? 16 + odd : 0,
                                    odd > CHUNK_FLAGS ? 64 + odd : 0,
                                    HEAP_MAX_SIZE,
                                    SIZE_MAX / 16 + 1};
    mchunkptr c = take(*state, 64);
    take(*state, MIN);
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        chunk_set_word(c, forged[i] | CHUNK_A | CHUNK_P);
        assert_dies(do_give, c, "invalid size", chunk_mem(c));
    }
    chunk_set_word(c, 64 | CHUNK_A | CHUNK_P);
    chunk_set_word(chunk_next(c), CHUNK_P | CHUNK_A); /* the overflow's zero */
    assert_dies(do_give, c, "invalid size", chunk_mem(c));
    chunk_set_word(chunk_next(c), MIN | CHUNK_P | CHUNK_A);
}

/* The header behind it would be read where no memory is. */
static void a_forged_size_of_the_next_chunk_is_found(void **state)
{
    mchunkptr c = take(*state, 64), next = take(*state, 64);
    size_t room = (size_t)(heap_end(own.newest) - (char *)next);
    chunk_set_word(next, room | CHUNK_A | CHUNK_P);
    assert_dies(do_give, c, "invalid size", chunk_mem(c));
    chunk_set_word(next, 64 | CHUNK_A | CHUNK_P);
}

static void a_forged_arena_flag_is_found(void **state)
{
    mchunkptr c = take(*state, 64);
    chunk_set_word(c, 64 | CHUNK_P);
    assert_dies(do_give, c, "invalid size", chunk_mem(c));
    chunk_set_word(c, 64 | CHUNK_A | CHUNK_P);
}

static void do_cut(void *c) { arena_cut_locked(&own, c, 64); }

static void do_purge(void *unused)
{
    (void)unused;
    purge_free(&own, PURGE_ALL);
}

static void no_forged_size_is_cut_or_purged(void **state)
{
    mchunkptr c = take(*state, 64), hole = given_free(*state, 3 * os_page);
    chunk_set_word(c, (HEAP_MAX_SIZE - 64) | CHUNK_A | CHUNK_P);
    assert_dies(do_cut, c, "invalid size", chunk_mem(c));
    chunk_set_word(c, 64 | CHUNK_A | CHUNK_P);
    chunk_set_word(hole, (HEAP_MAX_SIZE - 64) | CHUNK_A | CHUNK_P);
    assert_dies(do_purge, NULL, "invalid size", chunk_mem(hole));
    chunk_set_word(hole, (3 * os_page + CHUNK_MIN) | CHUNK_A | CHUNK_P);
    assert_dies(do_purge, NULL, "size != next->prev_size", chunk_mem(hole));
    chunk_set_word(hole, 3 * os_page | CHUNK_A | CHUNK_P);
}

static void a_forged_footer_is_found(void **state)
{
    static const size_t forged[] = {0, 16, 72, 4096, HEAP_MAX_SIZE};
    mchunkptr hole = given_free(*state, 64), c = chunk_next(hole);
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        c->prev_size = forged[i];
        words_t w = words_of(do_give, c);
        assert_non_null(strstr(w.text, "cmalloc: fatal: size != next->prev_size: 0x"));
        assert_true(WIFSIGNALED(w.status) && WTERMSIG(w.status) == SIGABRT);
    }
    c->prev_size = 64;
}

static void do_find_arena(void *c) { (void)arena_of(c); }

/* own is in no table; nor is memory outside our heaps an arena, whatever it says. */
static void a_heap_that_names_no_arena_is_found(void **state)
{
    static arena_t forged;
    mchunkptr c = take(*state, 64);
    assert_dies(do_find_arena, c, "heap: wrong arena", chunk_mem(c));
    heap_of(c)->arena = &forged;
    assert_dies(do_find_arena, c, "heap: wrong arena", chunk_mem(c));
    heap_of(c)->arena = &main_arena;
    assert_ptr_equal(arena_of(c), &main_arena);
    heap_of(c)->arena = &own;
}

static void a_damaged_top_is_found(void **state)
{
    size_t word = chunk_word(own.top);
    (void)state;
    chunk_set_word(own.top, word + 4096);
    assert_dies(do_take, NULL, "damaged top", chunk_mem(own.top));
    chunk_set_word(own.top, (size_t)-1);
    assert_dies(do_take, NULL, "damaged top", chunk_mem(own.top));
    chunk_set_word(own.top, word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        arena_test(chunks_from_top_are_neighbours),
        arena_test(a_larger_free_chunk_is_split_and_its_rest_is_free),
        arena_test(a_rest_too_small_for_a_chunk_goes_along),
        arena_test(the_zero_part_of_a_chunk_is_known),
        arena_test(neighbours_merge_in_any_order),
        arena_test(a_chunk_before_top_becomes_top),
        arena_test(a_free_chunk_and_the_one_before_top_become_top),
        arena_test(whatever_comes_and_goes_the_heap_is_sound),
        arena_test(an_older_heap_ends_in_a_fencepost),
        arena_test(a_heap_is_given_back_when_all_of_it_is_free),
        arena_test(system_is_what_the_heaps_have_committed),
        arena_test(a_run_is_neighbours_in_address_order),
        arena_test(a_run_is_cut_from_a_free_chunk_that_holds_it),
        arena_test(a_run_is_shorter_where_a_free_chunk_holds_no_more),
        arena_test(free_chunks_of_just_the_size_come_first),
        arena_test(a_list_is_given_back_whole),
        arena_test(aligned_chunks_stand_where_they_should),
        arena_test(what_lies_before_an_aligned_chunk_is_free),
        arena_test(an_aligned_hole_serves_the_next_such_request),
        arena_test(a_larger_hole_serves_where_no_aligned_one_is_near),
        arena_test(a_chunk_grows_into_top),
        arena_test(a_chunk_grows_into_a_free_neighbour),
        arena_test(a_chunk_does_not_grow_where_there_is_no_room),
        arena_test(what_is_cut_off_is_free),
        arena_test(what_comes_home_is_sorted_into_the_depot),
        arena_test(a_magazine_that_comes_home_stays_one_if_it_is_no_small_one),
        arena_test(a_mapping_that_comes_home_leaves_the_list),
        arena_test(a_full_depot_is_merged_before_other_sizes_are_served),
        arena_test(what_was_asked_for_lately_is_merged_last),
        arena_test(arenas_share_what_may_wait),
        arena_test(a_depot_that_has_miscounted_is_no_endless_search),
        arena_test(a_depot_below_its_limit_is_left_alone),
        arena_test(less_waits_after_merges_that_nobody_regretted),
        arena_test(any_hole_is_taken_where_sizes_drift),
        arena_test(a_second_free_is_found_wherever_the_chunk_went),
        arena_test(a_second_free_of_what_was_given_in_a_list_is_found),
        arena_test(a_chunk_that_is_twice_in_a_list_is_found),
        arena_test(a_second_free_of_what_top_has_swallowed_is_found),
        arena_test(a_forged_size_is_found),
        arena_test(a_forged_size_of_the_next_chunk_is_found),
        arena_test(a_forged_arena_flag_is_found),
        arena_test(no_forged_size_is_cut_or_purged),
        arena_test(a_forged_footer_is_found),
        arena_test(a_damaged_top_is_found),
        arena_test(a_heap_that_names_no_arena_is_found),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
