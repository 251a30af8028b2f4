/* test_purge.c - what goes back to the kernel, when, and what is left as it was. */
#include "inside.h"

#include "core/purge.h"
#include "front/purger.h"

#include <sys/mman.h>

#define PAGES(n) ((size_t)(n)*os_page)

static size_t resident_pages(zone_t s)
{
    static unsigned char in[4096];
    size_t count = 0, pages = zone_size(s) / os_page;
    CHECK(pages <= sizeof in && mincore((void *)s.from, zone_size(s), in) == 0);
    for (size_t i = 0; i < pages; i++)
        count += in[i] & 1;
    return count;
}

/* Written all over, then freed: a chunk in use behind it keeps it from top. */
static mchunkptr given_dirty(arena_t *a, size_t size)
{
    mchunkptr c = top_take(a, size), behind = top_take(a, CHUNK_MIN);
    memset(chunk_mem(c), 0xaa, chunk_usable(c));
    CHECK(behind == chunk_next(c));
    arena_give_locked(a, c);
    return c;
}

static void ticks(arena_t *a, unsigned n)
{
    while (n-- > 0)
        purge_tick_locked(a);
}

static void free_pages_go_when_they_are_old_enough(void **state)
{
    mchunkptr c = given_dirty(*state, PAGES(5));
    zone_t whole = dirty_pages(c);
    ticks(*state, PURGE_TICKS - 1);
    assert_int_equal(purge_free(*state, PURGE_AGED), 0);
    assert_int_equal(resident_pages(whole), zone_size(whole) / os_page);
    ticks(*state, 1);
    assert_int_equal(purge_free(*state, PURGE_AGED), zone_size(whole));
    assert_int_equal(resident_pages(whole), 0);
    assert_int_equal(own.dirty.bytes, 0);
    assert_true(chunk_is_free(c));
    assert_int_equal(purge_free(*state, PURGE_ALL), 0);
    check_arena_locked(*state);
}

static void purged_pages_are_known_to_be_zero(void **state)
{
    mchunkptr c = given_dirty(*state, PAGES(5));
    zone_t whole = dirty_pages(c);
    purge_free(*state, PURGE_ALL);
    assert_ptr_equal(take(*state, PAGES(5)), c);
    assert_int_equal(own.zero.from, whole.from);
    assert_int_equal(own.zero.to, whole.to);
    assert_true(is_all((void *)whole.from, 0, zone_size(whole)));
}

static void what_was_freed_beside_clean_pages_goes_alone(void **state)
{
    mchunkptr a = take(*state, PAGES(4)), b = take(*state, PAGES(4));
    take(*state, CHUNK_MIN);
    memset(chunk_mem(b), 0xaa, chunk_usable(b));
    arena_give_locked(*state, a);
    purge_free(*state, PURGE_ALL);
    arena_give_locked(*state, b); /* one chunk with a, whose pages are clean */
    assert_true(own.dirty.bytes >= PAGES(3) && own.dirty.bytes <= PAGES(5));
    size_t dirty = own.dirty.bytes;
    assert_int_equal(purge_free(*state, PURGE_ALL), dirty);
    assert_int_equal(resident_pages(dirty_pages(a)), 0);
}

static void more_chunks_than_are_taken_at_once(void **state)
{
    enum { MANY = 3 * PURGE_AT_ONCE + 1 };
    static mchunkptr c[MANY];
    size_t size = PAGES(2) + 512, sum = 0;
    for (unsigned i = 0; i < MANY; i++)
        sum += zone_size(dirty_pages(c[i] = given_dirty(*state, size)));
    assert_int_equal(own.dirty.bytes, sum);
    assert_int_equal(purge_free(*state, PURGE_ALL), sum);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(resident_pages(dirty_pages(c[i])), 0);
    check_arena_locked(*state);
}

static void an_empty_heap_goes_as_a_whole(void **state)
{
    static mchunkptr c[20000];
    unsigned n = 0;
    while (own.newest->older == NULL || own.newest->older->older == NULL)
        c[n++] = take(*state, 16 * KIB);
    heap_info *middle = own.newest->older;
    cm_options.purge_age = PURGE_AGE_DEFAULT;
    for (unsigned i = 0; i < n; i++)
        if (heap_of(c[i]) == middle)
            arena_give_locked(*state, c[i]);
    cm_options.purge_age = OPTION_NEVER;
    assert_true(registry_has_heap(middle)); /* kept, for a while */
    assert_true(purge_free(*state, PURGE_ALL) > 0);
    assert_false(registry_has_heap(middle));
    check_arena_locked(*state);
}

static void a_newest_heap_that_is_all_top_goes(void **state)
{
    heap_info *first = own.newest;
    while (own.newest == first)
        take(*state, 16 * KIB);
    heap_info *second = own.newest;
    mchunkptr c = chunk_at(second, second->first - (uintptr_t)second);
    arena_give_locked(*state, c);
    assert_ptr_equal(own.top, c);
    if (!chunk_is_fencepost(
            chunk_at(heap_end(first), (size_t) - (ptrdiff_t)FENCEPOST_SIZE)) ||
        chunk_prev_inuse(
            chunk_at(heap_end(first), (size_t) - (ptrdiff_t)FENCEPOST_SIZE))) {
        purge_top(*state, PURGE_ALL, 0); /* the older heap is full to the end */
        assert_ptr_equal(own.newest, second);
        return;
    }
    purge_top(*state, PURGE_ALL, 0);
    assert_false(registry_has_heap(second));
    assert_ptr_equal(own.newest, first);
    assert_ptr_equal(chunk_at(own.top, top_size(&own)), heap_end(first));
    check_arena_locked(*state);
    assert_ptr_equal(heap_of(take(*state, 64)), first);
}

static void top_goes_as_far_as_it_was_not_reached(void **state)
{
    mchunkptr a = take(*state, 64 * KIB / 2), b = take(*state, 32 * KIB);
    memset(chunk_mem(a), 1, chunk_usable(a));
    memset(chunk_mem(b), 1, chunk_usable(b));
    ticks(*state, PURGE_TICKS); /* two marks ago nothing of it was free */
    cm_options.trim_threshold = SIZE_MAX / 2;
    cm_options.purge_age = PURGE_AGE_DEFAULT;
    arena_give_locked(*state, b);
    cm_options.purge_age = OPTION_NEVER;
    assert_int_equal(purge_top(*state, PURGE_AGED, 0), 0);
    ticks(*state, PURGE_TICKS);
    size_t dirty = heap_dirty_end(own.newest, (char *)own.top + CHUNK_MIN);
    assert_true(dirty > 16 * KIB);
    assert_int_equal(purge_top(*state, PURGE_AGED, 0), dirty);
    assert_int_equal(heap_dirty_end(own.newest, (char *)own.top + CHUNK_MIN), 0);
    assert_ptr_equal(take(*state, 32 * KIB), b);
    assert_true(own.zero.from <= (uintptr_t)b + os_page + CHUNK_HEADER);
    cm_options.trim_threshold = TRIM_THRESHOLD_DEFAULT;
}

static void pad_stays(void **state)
{
    mchunkptr c = take(*state, 16 * KIB);
    memset(chunk_mem(c), 1, chunk_usable(c));
    arena_give_locked(*state, c);
    size_t pad = 8 * KIB;
    purge_top(*state, PURGE_ALL, pad);
    assert_true(top_size(*state) >= pad);
    assert_true(is_all((char *)chunk_mem(c) + 2 * SIZE_SZ, 1, 4 * KIB));
}

/* ---- the depot --------------------------------------------------------------------- */

static void given_parked(arena_t *a, size_t size, unsigned count)
{
    magazine_t m = arena_take_run_locked(a, size, CHUNK_ALIGN, count);
    depot_park(&a->depot, class_of(size), m);
}

static void a_depot_that_nobody_asks_is_merged(void **state)
{
    given_parked(*state, 64, 4);
    given_parked(*state, 512, 4);
    ticks(*state, PURGE_TICKS / 2 - 1);
    purge_depot(*state);
    assert_int_equal(own.depot.bytes, 4 * (64 + 512));
    magazine_t taken = depot_take(&own.depot, class_of(64), ~0u);
    depot_park(&own.depot, class_of(64), taken);
    ticks(*state, 1);
    purge_depot(*state);
    assert_int_equal(own.depot.bytes, 4 * 64); /* asked for just now */
    ticks(*state, PURGE_TICKS);
    purge_depot(*state);
    assert_int_equal(own.depot.bytes, 0);
    check_arena_locked(*state);
}

/* ---- fork, and a kernel that refuses ----------------------------------------------- */

/* As a child finds it whose parent was about to purge c. */
static void a_child_takes_over_what_its_parent_had_out(void **state)
{
    mchunkptr c = given_dirty(*state, PAGES(5));
    arena_unfile_locked(*state, c);
    chunk_set_prev_inuse(chunk_next(c));
    link_set(chunk_mem(c), NULL);
    own.away = chunk_mem(c);
    own.away_by = cm_generation() + 1;
    assert_true(purge_free(*state, PURGE_ALL) > 0);
    assert_true(chunk_is_free(c));
    assert_null(own.away);
    assert_int_equal(own.away_by, 0);
    check_arena_locked(*state);
}

static void locked_pages_stay_and_are_not_called_zero(void **state)
{
    mchunkptr c = given_dirty(*state, PAGES(5));
    zone_t whole = dirty_pages(c);
    if (mlock((void *)whole.from, zone_size(whole)) != 0) {
        print_message("mlock is refused here: a kernel that fails stands for it\n");
        os_fail_every(CM_DEBUG);
    }
    if (CM_DEBUG || resident_pages(whole) > 0) {
        purge_free(*state, PURGE_ALL);
        os_fail_every(0);
        assert_int_equal(own.dirty.bytes, zone_size(whole));
        assert_ptr_equal(take(*state, PAGES(5)), c);
        assert_int_equal(zone_size(own.zero), 0);
    }
    munlock((void *)whole.from, zone_size(whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        arena_test(free_pages_go_when_they_are_old_enough),
        arena_test(purged_pages_are_known_to_be_zero),
        arena_test(what_was_freed_beside_clean_pages_goes_alone),
        arena_test(more_chunks_than_are_taken_at_once),
        arena_test(an_empty_heap_goes_as_a_whole),
        arena_test(a_newest_heap_that_is_all_top_goes),
        arena_test(top_goes_as_far_as_it_was_not_reached),
        arena_test(pad_stays),
        arena_test(a_depot_that_nobody_asks_is_merged),
        arena_test(a_child_takes_over_what_its_parent_had_out),
        arena_test(locked_pages_stay_and_are_not_called_zero),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
