/* test_heap.c - where heaps start, how they grow, shrink and go, and what is zero. */
#include "inside.h"

static heap_info *given_heap(size_t size)
{
    heap_retry();
    heap_info *h = heap_new(size);
    assert_non_null(h);
    return h;
}

static void a_heap_starts_where_a_mask_finds_it(void **state)
{
    (void)state;
    for (size_t size = 1; size <= HEAP_MAX_SIZE / 2; size *= 7) {
        heap_info *h = given_heap(size);
        assert_true(is_aligned(h, HEAP_MAX_SIZE));
        assert_int_equal(h->magic, HEAP_MAGIC);
        assert_true(h->committed >= size + sizeof *h + CHUNK_MIN);
        assert_true(h->committed <= h->reserved && h->reserved <= HEAP_MAX_SIZE);
        assert_int_equal(h->committed % os_page, 0);
        assert_true(registry_has_heap(h) && registry_has_heap(heap_end(h) - 1));
        assert_ptr_equal(heap_of(heap_end(h) - 1), h);
        assert_false(heap_is_break(h));
        assert_int_equal(heap_flag(h), CHUNK_A);
        heap_delete(h);
    }
}

static void a_new_heap_is_zero_from_fresh_on(void **state)
{
    (void)state;
    heap_info *h = given_heap(10000);
    assert_true(h->fresh >= (uintptr_t)(h + 1) && h->fresh <= h->first + CHUNK_HEADER);
    assert_true(is_all(h + 1, 0, h->committed - sizeof *h));
    assert_true(is_aligned(chunk_mem(chunk_at(h, h->first - (uintptr_t)h)), CHUNK_ALIGN));
    memset(h + 1, 1, h->committed - sizeof *h); /* and all of it can be written */
    heap_delete(h);
}

static void a_heap_that_is_deleted_is_not_ours_any_more(void **state)
{
    (void)state;
    heap_info *h = given_heap(1);
    heap_delete(h);
    assert_false(registry_has_heap(h));
    unsigned char in_core;
    assert_int_equal(mincore(h, os_page, &in_core), -1);
    assert_int_equal(errno, ENOMEM);
}

static void more_than_a_heap_holds_is_refused(void **state)
{
    (void)state;
    assert_null(heap_new(HEAP_MAX_SIZE));
    heap_info *h = given_heap(heap_room(sizeof *h));
    assert_int_equal(h->committed, HEAP_MAX_SIZE);
    assert_false(heap_grow(h, 1));
    heap_delete(h);
}

/* ---- growing and shrinking --------------------------------------------------------- */

static void a_heap_grows_to_its_reserve_and_no_further(void **state)
{
    (void)state;
    heap_info *h = given_heap(1);
    while (h->committed < h->reserved) {
        size_t before = h->committed, more = h->reserved - before;
        if (more > 3 * os_page + 5)
            more = 3 * os_page + 5;
        assert_true(heap_grow(h, more));
        assert_true(h->committed >= before + more && h->committed <= h->reserved);
        assert_int_equal(h->committed % os_page, 0);
        const char *end = heap_end(h);
        assert_int_equal(end[-1], 0);
        heap_end(h)[-1] = 1;
    }
    assert_false(heap_grow(h, 1));
    assert_int_equal(h->committed, h->reserved);
    heap_delete(h);
}

static void a_heap_grows_in_steps_that_follow_its_size(void **state)
{
    (void)state;
    heap_info *h = given_heap(1);
    size_t before = h->committed;
    assert_true(heap_grow(h, 1));
    assert_int_equal(h->committed - before, os_pages(HEAP_STEP_MIN));
    assert_true(heap_grow(h, HEAP_MAX_SIZE / 2));
    before = h->committed;
    assert_true(heap_grow(h, 1));
    assert_int_equal(h->committed - before,
                     os_pages(before / 4 < HEAP_STEP_MAX ? before / 4 : HEAP_STEP_MAX));
    heap_delete(h);
}

static void growing_beyond_the_reserve_changes_nothing(void **state)
{
    (void)state;
    heap_info *h = given_heap(1), before = *h;
    assert_false(heap_grow(h, h->reserved - h->committed + 1));
    assert_memory_equal(h, &before, sizeof *h);
    assert_true(heap_grow(h, h->reserved - h->committed)); /* the last byte */
    heap_delete(h);
}

static void read_byte(void *at)
{
    const volatile char *byte = at;
    (void)*byte;
}

static void pages_cut_off_are_out_of_use_and_come_back_zero(void **state)
{
    (void)state;
    heap_info *h = given_heap(8 * os_page);
    size_t before = h->committed;
    char *keep = (char *)h + 3 * os_page;
    memset(h + 1, 0xff, h->committed - sizeof *h);
    h->fresh = h->ready = (uintptr_t)heap_end(h);
    assert_int_equal(heap_shrink(h, keep), before - 3 * os_page);
    assert_ptr_equal(heap_end(h), keep);
    assert_int_equal(h->fresh, keep);
    assert_int_equal(h->ready, keep);
    words_t w = words_of(read_byte, keep);
    assert_true(WIFSIGNALED(w.status));
    assert_int_equal(WTERMSIG(w.status), SIGSEGV);
    assert_int_equal((unsigned char)keep[-1], 0xff);
    assert_true(heap_grow(h, os_page));
    assert_true(is_all(keep, 0, (size_t)(heap_end(h) - keep)));
    heap_delete(h);
}

static void there_is_nothing_behind_the_end_to_cut_off(void **state)
{
    (void)state;
    heap_info *h = given_heap(1), before = *h;
    assert_int_equal(heap_shrink(h, heap_end(h)), 0);
    assert_int_equal(heap_shrink(h, heap_end(h) + os_page), 0);
    assert_memory_equal(h, &before, sizeof *h);
    heap_delete(h);
}

/* ---- purging ----------------------------------------------------------------------- */

static heap_info *given_written_heap(size_t pages)
{
    heap_info *h = given_heap(pages * os_page);
    memset(h + 1, 0xff, h->committed - sizeof *h);
    h->fresh = h->ready = (uintptr_t)heap_end(h);
    return h;
}

static void a_purged_end_is_zero_and_fresh_again(void **state)
{
    (void)state;
    heap_info *h = given_written_heap(4);
    char *keep = (char *)h + 2 * os_page;
    size_t behind = h->committed - 2 * os_page;
    assert_int_equal(heap_dirty_end(h, keep), behind);
    assert_int_equal(heap_purge_end(h, keep, SIZE_MAX), behind);
    assert_int_equal(h->fresh, keep);
    assert_int_equal(h->ready, keep);
    assert_true(is_all(keep, 0, behind));
    assert_int_equal(heap_dirty_end(h, keep), 0);
    assert_int_equal(heap_purge_end(h, keep, SIZE_MAX), 0);
    heap_delete(h);
}

static void the_last_pages_go_first(void **state)
{
    (void)state;
    heap_info *h = given_written_heap(8);
    char *keep = (char *)h + os_page, *end = heap_end(h);
    assert_int_equal(heap_purge_end(h, keep, 2 * os_page), 2 * os_page);
    assert_int_equal(h->fresh, end - 2 * os_page);
    assert_true(is_all(end - 2 * os_page, 0, 2 * os_page));
    assert_true(is_all(end - 3 * os_page, 0xff, os_page));
    assert_int_equal(heap_purge_end(h, keep, 1), os_page); /* a page at the least */
    assert_int_equal(h->fresh, end - 3 * os_page);
    heap_delete(h);
}

static void the_page_that_keep_lies_in_stays(void **state)
{
    (void)state;
    heap_info *h = given_written_heap(4);
    char *last = heap_end(h) - os_page;
    assert_int_equal(heap_dirty_end(h, last + 1), 0);
    assert_int_equal(heap_purge_end(h, last + 1, SIZE_MAX), 0);
    assert_true(is_all(last, 0xff, os_page));
    heap_delete(h);
}

/* ---- ready pages ------------------------------------------------------------------- */

static void ready_moves_ahead_of_what_is_written(void **state)
{
    (void)state;
    heap_info *h = given_heap(10 * os_page);
    uintptr_t base = (uintptr_t)h, before = h->ready;
    heap_make_ready(h, base + 3 * os_page + 1, os_page);
    assert_true(h->ready >= base + 4 * os_page);
    assert_true(h->ready % os_page == 0 && h->ready > before);
    before = h->ready;
    heap_make_ready(h, base + os_page, os_page); /* behind it: nothing to do */
    assert_int_equal(h->ready, before);
    heap_make_ready(h, (uintptr_t)heap_end(h), os_page);
    assert_int_equal(h->ready, heap_end(h)); /* never beyond the end */
    assert_true(is_all(h + 1, 0, h->committed - sizeof *h));
    heap_delete(h);
}

static void large_requests_are_left_to_the_application(void **state)
{
    (void)state;
    heap_info *h = given_heap(READY_MOST + 8 * os_page);
    unsigned char in_core = 0;
    size_t far = os_pages(READY_MOST) + 4 * os_page;
    heap_make_ready(h, (uintptr_t)h + far, READY_MOST + os_page);
    assert_int_equal(h->ready, (uintptr_t)h + far);
    assert_int_equal(mincore((char *)h + far - os_page, 1, &in_core), 0);
    assert_false(in_core & 1);
    heap_delete(h);
}

/* ---- the application's heap -------------------------------------------------------- */

static void at_the_break(void)
{
    free(malloc(100));
    void *low = sbrk(0);
    heap_info *h = heap_new_at_break(10000);
    CHECK(h != NULL && (void *)h >= low && is_aligned(h, os_page));
    CHECK(heap_is_break(h) && heap_flag(h) == 0);
    CHECK(h->committed >= 10000 + sizeof *h && heap_end(h) == sbrk(0));
    CHECK(registry_has_main(h) && registry_has_main(heap_end(h) - 1));
    CHECK(is_all(h + 1, 0, h->committed - sizeof *h));
    size_t before = h->committed;
    CHECK(heap_grow(h, 1) && h->committed > before && heap_end(h) == sbrk(0));
    CHECK(registry_has_main(heap_end(h) - 1));
    memset(h + 1, 1, h->committed - sizeof *h);
    char *keep = (char *)h + os_page;
    CHECK(heap_shrink(h, keep) > 0 && sbrk(0) == keep);
    CHECK(heap_grow(h, 1) && is_all(keep, 0, (size_t)(heap_end(h) - keep)));
    CHECK(sbrk(64) == heap_end(h)); /* somebody else's */
    before = h->committed;
    h->fresh = (uintptr_t)heap_end(h);
    CHECK(!heap_grow(h, 1) && h->committed == before);
    CHECK(heap_shrink(h, keep) > 0 && h->committed == before); /* purged, not moved */
    CHECK(is_all(keep, 0, (size_t)(heap_end(h) - keep)));
    heap_info *second = heap_new_at_break(1);
    CHECK(second != NULL && (char *)second >= heap_end(h) + 64);
}

static void a_heap_at_the_break_moves_it_unless_others_did(void **state)
{
    (void)state;
    if (!sbrk_moves())
        skip();
    assert_ends_well(at_the_break);
}

/* ---- refusals ---------------------------------------------------------------------- */

static void limit_address_space(size_t more)
{
    struct rlimit limit = {address_space() + more, RLIM_INFINITY};
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void smaller_heap(void)
{
    heap_retry();
    limit_address_space(HEAP_MAX_SIZE / 2 - os_page);
    heap_info *h = heap_new(1);
    CHECK(h != NULL && is_aligned(h, HEAP_MAX_SIZE));
    CHECK(h->reserved < HEAP_MAX_SIZE && h->reserved >= h->committed);
    while (heap_grow(h, 1))
        CHECK(h->committed <= h->reserved);
    CHECK(h->committed == h->reserved);
    heap_end(h)[-1] = 1;
    heap_delete(h);
}

static void do_use_small_pages(void *h) { heap_use_small_pages(h); }

static void a_damaged_length_of_the_break_is_found(void **state)
{
    (void)state;
    free(malloc(100));
    heap_info *h = main_arena.newest;
    if (h == NULL || !heap_is_break(h)) {
        skip();
        return;
    }
    size_t before = h->committed, wrong[] = {before + os_page, SIZE_MAX - os_page};
    for (unsigned i = 0; i < 2; i++) {
        h->committed = wrong[i];
        assert_dies(do_use_small_pages, h, "damaged heap", h);
    }
    h->committed = before;
}

static void a_limit_on_address_space_makes_a_smaller_heap(void **state)
{
    (void)state;
    skip_if_emulated();
    assert_ends_well(smaller_heap);
}

static void refused_for_a_while(void)
{
    heap_retry();
    limit_address_space(0);
    CHECK(heap_new(1) == NULL);
    limit_address_space(4 * HEAP_MAX_SIZE);
    CHECK(heap_new(1) == NULL); /* the kernel is not asked */
    heap_retry();
    CHECK(heap_new(1) != NULL);
    limit_address_space(0);
    CHECK(heap_new(1) == NULL);
    limit_address_space(4 * HEAP_MAX_SIZE);
    int calls = 1;
    while (heap_new(1) == NULL)
        CHECK(++calls <= SCARCE_RETRY);
    CHECK(calls > 1);
}

static void a_kernel_that_refused_is_asked_again_now_and_then(void **state)
{
    (void)state;
    skip_if_emulated();
    assert_ends_well(refused_for_a_while);
}

#if CM_DEBUG
static void every_call_fails(void)
{
    heap_info *h = given_heap(1), before = *h;
    os_fail_every(1);
    CHECK(!heap_grow(h, os_page));
    CHECK(memcmp(h, &before, sizeof *h) == 0);
    CHECK(heap_shrink(h, (char *)h + os_page) == 0 && h->committed == before.committed);
    h->fresh = (uintptr_t)heap_end(h);
    CHECK(heap_purge_end(h, (char *)h + os_page, SIZE_MAX) == 0);
    CHECK(heap_new(1) == NULL);
    CHECK(heap_new_at_break(1) == NULL);
    os_fail_every(0);
    CHECK(heap_grow(h, os_page));
}

static void a_refusal_changes_nothing(void **state)
{
    (void)state;
    assert_ends_well(every_call_fails);
}
#endif

/* ---- damage ------------------------------------------------------------------------ */

static void do_grow(void *h) { heap_grow(h, 1); }

static void do_delete(void *h) { heap_delete(h); }

static void do_shrink(void *h) { heap_shrink(h, (char *)h + os_page); }

/* What a heap_info says goes to the kernel, which does as it is told. */
static void a_damaged_heap_is_neither_grown_nor_given_back(void **state)
{
    (void)state;
    heap_info *h = heap_new(4 * os_page), before = *h;
    h->reserved = SIZE_MAX / 4 + 1;
    assert_dies(do_grow, h, "damaged heap", h);
    assert_dies(do_delete, h, "damaged heap", h);
    *h = before;
    h->committed = h->reserved + os_page;
    assert_dies(do_shrink, h, "damaged heap", h);
    *h = before;
    h->reserved = 0; /* as if it lay at the break */
    assert_dies(do_shrink, h, "damaged heap", h);
    *h = before;
    heap_delete(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_starts_where_a_mask_finds_it),
        cmocka_unit_test(a_new_heap_is_zero_from_fresh_on),
        cmocka_unit_test(a_heap_that_is_deleted_is_not_ours_any_more),
        cmocka_unit_test(more_than_a_heap_holds_is_refused),
        cmocka_unit_test(a_heap_grows_to_its_reserve_and_no_further),
        cmocka_unit_test(a_heap_grows_in_steps_that_follow_its_size),
        cmocka_unit_test(growing_beyond_the_reserve_changes_nothing),
        cmocka_unit_test(pages_cut_off_are_out_of_use_and_come_back_zero),
        cmocka_unit_test(there_is_nothing_behind_the_end_to_cut_off),
        cmocka_unit_test(a_damaged_heap_is_neither_grown_nor_given_back),
        cmocka_unit_test(a_purged_end_is_zero_and_fresh_again),
        cmocka_unit_test(the_last_pages_go_first),
        cmocka_unit_test(the_page_that_keep_lies_in_stays),
        cmocka_unit_test(ready_moves_ahead_of_what_is_written),
        cmocka_unit_test(large_requests_are_left_to_the_application),
        cmocka_unit_test(a_heap_at_the_break_moves_it_unless_others_did),
        cmocka_unit_test(a_damaged_length_of_the_break_is_found),
        cmocka_unit_test(a_limit_on_address_space_makes_a_smaller_heap),
        cmocka_unit_test(a_kernel_that_refused_is_asked_again_now_and_then),
#if CM_DEBUG
        cmocka_unit_test(a_refusal_changes_nothing),
#endif
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
