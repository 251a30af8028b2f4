/* test_dirty.c - what is noted of free chunks' pages, and the order in which they go. */
#include "inside.h"

#define WHOLE(c) zone_size(dirty_pages(c))
#define PAGES(n) ((size_t)(n)*os_page)

static pages_t pages_since(uint32_t since) { return (pages_t){ZONE_NONE, since}; }

static void small_chunks_have_no_whole_page(void **state)
{
    for (size_t size = CHUNK_MIN; size < os_page; size += CHUNK_ALIGN)
        assert_int_equal(WHOLE(given_free(*state, size)), 0);
    assert_int_equal(own.dirty.bytes, 0);
    assert_null(own.dirty.oldest);
}

static void whole_pages_leave_notes_and_footer_alone(void **state)
{
    for (size_t size = PAGES(1); size < PAGES(4); size += 496) {
        mchunkptr c = given_free(*state, size);
        zone_t whole = dirty_pages(c);
        if (zone_size(whole) == 0)
            continue;
        assert_int_equal(whole.from % os_page + whole.to % os_page, 0);
        assert_true(whole.from >= (uintptr_t)c + sizeof(dirty_chunk_t));
        assert_true(whole.to <= (uintptr_t)chunk_next(c));
        assert_true(zone_size(whole) + 2 * os_page + sizeof(dirty_chunk_t) > size);
    }
}

static void bytes_are_the_sum_of_dirty_pages(void **state)
{
    mchunkptr a = given_free(*state, PAGES(3)), b = given_free(*state, PAGES(5));
    assert_int_equal(own.dirty.bytes, WHOLE(a) + WHOLE(b));
    size_t left = WHOLE(b);
    arena_unfile_locked(*state, a);
    assert_int_equal(own.dirty.bytes, left);
    assert_ptr_equal(own.dirty.oldest, b);
    assert_ptr_equal(own.dirty.newest, b);
    arena_file_locked(*state, a, pages_since(own.dirty.now));
    assert_ptr_equal(own.dirty.newest, a);
}

static void clean_chunks_are_in_no_list_and_stay_clean(void **state)
{
    mchunkptr c = given_free(*state, PAGES(4));
    arena_unfile_locked(*state, c);
    arena_file_locked(*state, c, (pages_t){{0, UINTPTR_MAX}, own.dirty.now});
    assert_int_equal(own.dirty.bytes, 0);
    assert_null(own.dirty.oldest);
    zone_t clean = arena_unfile_locked(*state, c).clean;
    assert_int_equal(zone_size(clean), WHOLE(c));
    arena_file_locked(*state, c, (pages_t){clean, own.dirty.now});
}

static void a_clean_span_is_cut_to_the_chunk(void **state)
{
    mchunkptr c = given_free(*state, PAGES(6));
    zone_t whole = dirty_pages(c), half = {whole.from + os_page, whole.to + PAGES(9)};
    arena_unfile_locked(*state, c);
    arena_file_locked(*state, c, (pages_t){half, own.dirty.now});
    assert_int_equal(own.dirty.bytes, os_page);
    pages_t pages = arena_unfile_locked(*state, c);
    assert_int_equal(pages.clean.from, half.from);
    assert_int_equal(pages.clean.to, whole.to);
    arena_file_locked(*state, c, pages);
}

static void neighbours_keep_the_larger_span_and_the_older_age(void **state)
{
    (void)state;
    pages_t a = {{100, 200}, 7}, b = {{200, 500}, 3};
    for (int i = 0; i < 2; i++) {
        pages_t one = i == 0 ? dirty_unite(a, b) : dirty_unite(b, a);
        assert_int_equal(one.clean.from, 200);
        assert_int_equal(one.clean.to, 500);
        assert_int_equal(one.since, 3);
    }
    a.since = UINT32_MAX; /* the clock has wrapped round in between */
    assert_int_equal(dirty_unite(a, b).since, UINT32_MAX);
}

static void the_oldest_goes_first_and_only_when_it_is_due(void **state)
{
    mchunkptr a = given_free(*state, PAGES(3));
    own.dirty.now += 2;
    mchunkptr b = given_free(*state, PAGES(3));
    assert_ptr_equal(dirty_expired(&own.dirty, 0), a);
    assert_ptr_equal(dirty_expired(&own.dirty, 2), a);
    assert_null(dirty_expired(&own.dirty, 3));
    arena_unfile_locked(*state, a);
    assert_null(dirty_expired(&own.dirty, 1));
    assert_ptr_equal(dirty_expired(&own.dirty, 0), b);
    arena_file_locked(*state, a, pages_since(own.dirty.now - 2)); /* still the older */
    assert_ptr_equal(own.dirty.oldest, a);
}

static void a_rest_keeps_its_age_and_its_clean_pages(void **state)
{
    mchunkptr c = given_free(*state, PAGES(8));
    arena_unfile_locked(*state, c);
    zone_t whole = dirty_pages(c);
    arena_file_locked(*state, c,
                      (pages_t){{whole.from, whole.to - os_page}, own.dirty.now});
    own.dirty.now += 3;
    mchunkptr got = take(*state, PAGES(2));
    assert_ptr_equal(got, c);
    mchunkptr rest = chunk_next(got);
    assert_ptr_equal(dirty_expired(&own.dirty, 3), rest);
    assert_int_equal(own.dirty.bytes, os_page);
    assert_int_equal(own.zero.from, whole.from);
    assert_true(own.zero.to <= (uintptr_t)rest);
    assert_true(own.zero.to + 2 * os_page > (uintptr_t)rest);
}

static mchunkptr newest;

static void leave(void *c) { arena_unfile_locked(&own, c); }

static void a_forged_link_is_fatal(void **state)
{
    mchunkptr c = given_free(*state, PAGES(3));
    newest = given_free(*state, PAGES(3));
    dirty_chunk_t *notes = (dirty_chunk_t *)(void *)c;
    uintptr_t before = notes->newer;
    static const uintptr_t forged[] = {0, 64, (uintptr_t)0x4141414141414140};
    for (unsigned i = 0; i < 3; i++) {
        notes->newer = forged[i];
        assert_dies(leave, c, "broken links", chunk_mem(c));
    }
    notes->newer = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        arena_test(small_chunks_have_no_whole_page),
        arena_test(whole_pages_leave_notes_and_footer_alone),
        arena_test(bytes_are_the_sum_of_dirty_pages),
        arena_test(clean_chunks_are_in_no_list_and_stay_clean),
        arena_test(a_clean_span_is_cut_to_the_chunk),
        cmocka_unit_test(neighbours_keep_the_larger_span_and_the_older_age),
        arena_test(the_oldest_goes_first_and_only_when_it_is_due),
        arena_test(a_rest_keeps_its_age_and_its_clean_pages),
        arena_test(a_forged_link_is_fatal),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
