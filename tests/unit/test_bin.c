/* test_bin.c - every size has its bin, a bin is a ring, no forged link is followed. */
#include "inside.h"

#include "core/bin.h"

static bins_t bins;

static int open_bins(void **state)
{
    memset(&bins, 0, sizeof bins);
    *state = given_arena();
    return 0;
}

/* The chunks are in bins of the test, not in the arena's: it is not checked. */
static int close_bins(void **state)
{
    forget_arena(*state);
    return 0;
}

/* A chunk marked free, in no bin, before one in use. */
static mchunkptr given_unbinned(arena_t *a, size_t size)
{
    mchunkptr c = top_take(a, size);
    CHECK(c != NULL && top_take(a, CHUNK_MIN) != NULL);
    chunk_set_free(c, size, CHUNK_A | CHUNK_P);
    return c;
}

static mchunkptr given_binned(arena_t *a, size_t size)
{
    mchunkptr c = given_unbinned(a, size);
    bin_insert(&bins, c);
    return c;
}

static mchunkptr take_out(size_t size) { return bin_take(&bins, size, CHUNK_ALIGN); }

static bool bit(unsigned index)
{
    return (bins.bitmap[index / BIN_WORD_BITS] >> (index % BIN_WORD_BITS) & 1) != 0;
}

static void assert_bitmap_tells_which_are_empty(void)
{
    for (unsigned i = 0; i < BIN_COUNT; i++)
        assert_int_equal(bit(i), bins.first[i] != NULL);
}

/* ---- sizes ------------------------------------------------------------------------- */

static void every_size_has_a_bin_in_ascending_order(void **state)
{
    (void)state;
    unsigned before = bin_index(CHUNK_MIN);
    for (size_t size = CHUNK_MIN; size <= HEAP_MAX_SIZE; size += CHUNK_ALIGN) {
        unsigned index = bin_index(size);
        assert_true(index < BIN_COUNT);
        assert_true(index == before || index == before + 1);
        before = index;
    }
    assert_int_equal(bin_index(SIZE_MAX & ~(CHUNK_ALIGN - 1)), BIN_COUNT - 1);
}

static void small_bins_hold_one_size_each(void **state)
{
    (void)state;
    for (size_t size = CHUNK_MIN; size < BIN_EXACT_LIMIT; size += CHUNK_ALIGN)
        assert_int_equal(bin_index(size), size / CHUNK_ALIGN);
}

static void larger_bins_hold_an_eighth_of_a_doubling(void **state)
{
    (void)state;
    size_t first = BIN_EXACT_LIMIT; /* of its bin */
    for (size_t size = first; size < HEAP_MAX_SIZE; size += CHUNK_ALIGN) {
        if (bin_index(size) != bin_index(first))
            first = size;
        assert_true((size - first) * BIN_STEPS < first);
    }
}

/* ---- taking ------------------------------------------------------------------------ */

static void nothing_comes_from_empty_bins(void **state)
{
    (void)state;
    for (size_t size = CHUNK_MIN; size < 2 * HEAP_MAX_SIZE; size = size * 3 & ~15u)
        assert_null(take_out(size));
}

static void what_has_been_free_for_longest_goes_first(void **state)
{
    mchunkptr c[5];
    for (int i = 0; i < 5; i++)
        c[i] = given_binned(*state, 64);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(take_out(64), c[i]);
    assert_null(take_out(64));
    assert_bitmap_tells_which_are_empty();
}

static void the_next_larger_chunk_serves_when_there_is_none_of_the_size(void **state)
{
    mchunkptr larger = given_binned(*state, 5008), large = given_binned(*state, 512),
              small = given_binned(*state, 64);
    assert_ptr_equal(take_out(80), large);
    assert_ptr_equal(take_out(80), larger);
    assert_null(take_out(80));
    assert_ptr_equal(take_out(48), small);
}

static void a_range_bin_gives_its_tightest_fit(void **state)
{
    mchunkptr loose = given_binned(*state, 4480), tight = given_binned(*state, 4128);
    assert_ptr_equal(take_out(4112), tight);
    assert_ptr_equal(take_out(4112), loose);
    tight = given_binned(*state, 4128);
    loose = given_binned(*state, 4480);
    assert_ptr_equal(take_out(4416), loose); /* the only fit */
    assert_ptr_equal(take_out(4096), tight);
}

static void so_many_are_looked_at_and_no_more(void **state)
{
    mchunkptr c[BIN_LOOK + 1];
    for (int i = 0; i < BIN_LOOK; i++)
        c[i] = given_binned(*state, 4400);
    c[BIN_LOOK] = given_binned(*state, 4112); /* the tightest, too far behind */
    assert_ptr_equal(take_out(4112), c[0]);
    assert_ptr_equal(take_out(4112), c[BIN_LOOK]); /* one nearer now */
}

static void a_range_bin_whose_chunks_are_too_small_is_passed_over(void **state)
{
    given_binned(*state, 4096);
    mchunkptr larger = given_binned(*state, 6000);
    assert_ptr_equal(take_out(4112), larger);
    assert_null(take_out(4112));
}

/* Of one size: the first whose lead and size fit; larger ones have room for any lead. */
static void an_aligned_fit_may_begin_behind_a_lead(void **state)
{
    enum { SIZE = 256, ALIGN = 256 };
    size_t lead = CHUNK_MIN;
    given_binned(*state, SIZE);
    while (chunk_lead(bins.first[bin_index(SIZE)], ALIGN) == 0) { /* one that is not */
        bin_take_first(&bins, bin_index(SIZE));
        given_binned(*state, SIZE + CHUNK_MIN);
        bin_take_first(&bins, bin_index(SIZE + CHUNK_MIN));
        given_binned(*state, SIZE);
    }
    assert_null(bin_take(&bins, SIZE, ALIGN));
    mchunkptr roomy = given_binned(*state, SIZE + ALIGN + CHUNK_MIN);
    assert_ptr_equal(bin_take(&bins, SIZE, ALIGN), roomy);
    lead = chunk_lead(roomy, ALIGN);
    assert_true(lead == 0 || (lead >= CHUNK_MIN && lead < ALIGN + CHUNK_MIN));
    assert_int_equal(((uintptr_t)chunk_mem(roomy) + lead) % ALIGN, 0);
    assert_non_null(take_out(SIZE)); /* the first one, which nobody has touched */
    assert_bitmap_tells_which_are_empty();
}

/* ---- rings ------------------------------------------------------------------------- */

static void assert_ring(mchunkptr first, size_t count)
{
    mchunkptr c = first;
    size_t n = 0;
    do {
        assert_ptr_equal(bin_prev(bin_next(c)), c);
        assert_ptr_equal(bin_next(bin_prev(c)), c);
        c = bin_next(c);
        n++;
    } while (c != first);
    assert_int_equal(n, count);
}

static void first_middle_and_last_leave_a_ring_behind(void **state)
{
    mchunkptr c[5];
    for (int i = 0; i < 5; i++)
        c[i] = given_binned(*state, 64);
    assert_ring(c[0], 5);
    bin_unlink(&bins, c[2]);
    assert_ring(c[0], 4);
    bin_unlink(&bins, c[4]);
    assert_ring(c[0], 3);
    bin_unlink(&bins, c[0]);
    assert_ptr_equal(bins.first[bin_index(64)], c[1]);
    assert_ring(c[1], 2);
    bin_unlink(&bins, c[1]);
    assert_ring(c[3], 1);
    assert_true(bit(bin_index(64)));
    bin_unlink(&bins, c[3]);
    assert_bitmap_tells_which_are_empty();
    assert_null(bins.first[bin_index(64)]);
}

static size_t smallest_fit(mchunkptr const *c, const bool *in, int n, size_t size)
{
    size_t best = SIZE_MAX;
    for (int i = 0; i < n; i++)
        if (in[i] && chunk_size(c[i]) >= size && chunk_size(c[i]) < best)
            best = chunk_size(c[i]);
    return best;
}

/* A range bin's own chunks are looked at, not searched; otherwise the first bin that has
 * a fit serves. */
static void assert_near_best(const chunk_t *got, size_t size, size_t best)
{
    bool own_range = size >= BIN_EXACT_LIMIT && bin_index(best) == bin_index(size);
    if (got != NULL)
        assert_true(chunk_size(got) >= size);
    if (own_range)
        return;
    assert_int_equal(got == NULL, best == SIZE_MAX);
    if (got != NULL)
        assert_int_equal(bin_index(chunk_size(got)), bin_index(best));
}

static void whatever_comes_and_goes_the_fit_is_near_the_best(void **state)
{
    enum { COUNT = 200 };
    mchunkptr c[COUNT];
    bool in[COUNT] = {false};
    uint64_t chance = support_seed;
    for (int i = 0; i < COUNT; i++)
        c[i] = given_unbinned(*state, CHUNK_MIN + 16 * random_below(&chance, 200));
    for (int round = 0; round < 20000; round++) {
        int i = (int)random_below(&chance, COUNT);
        if (!in[i]) {
            bin_insert(&bins, c[i]);
            in[i] = true;
        } else if (round % 2 == 0) {
            bin_unlink(&bins, c[i]);
            in[i] = false;
        } else {
            size_t size = CHUNK_MIN + 16 * random_below(&chance, 200);
            mchunkptr got = take_out(size);
            assert_near_best(got, size, smallest_fit(c, in, COUNT, size));
            for (i = 0; got != NULL && c[i] != got; i++)
                assert_true(i < COUNT - 1);
            assert_true(got == NULL || in[i]);
            if (got != NULL)
                in[i] = false;
        }
    }
    assert_bitmap_tells_which_are_empty();
}

/* ---- forgeries --------------------------------------------------------------------- */

static void do_unlink(void *c) { bin_unlink(&bins, c); }

static void do_take(void *size) { take_out(*(size_t *)size); }

static void do_insert(void *c) { bin_insert(&bins, c); }

static void unlink_refuses_a_forged_footer(void **state)
{
    mchunkptr c = given_binned(*state, 64);
    chunk_next(c)->prev_size = 4096;
    assert_dies(do_unlink, c, "size != next->prev_size", chunk_mem(c));
    size_t size = 64;
    assert_dies(do_take, &size, "size != next->prev_size", chunk_mem(c));
}

static void do_take_first(void *index) { bin_take_first(&bins, *(unsigned *)index); }

/* No neighbour led to it: the size is all there is to find the footer by. */
static void a_chunk_whose_size_is_not_its_bins_is_not_taken(void **state)
{
    unsigned index = bin_index(64);
    mchunkptr c = given_binned(*state, 64);
    chunk_set_word(c, HEAP_MAX_SIZE | CHUNK_A | CHUNK_P);
    assert_dies(do_take_first, &index, "invalid size", chunk_mem(c));
    chunk_set_word(c, (64 + CHUNK_MIN) | CHUNK_A | CHUNK_P); /* to the next one's end */
    chunk_at(c, 64 + CHUNK_MIN)->prev_size = 64 + CHUNK_MIN;
    assert_dies(do_take_first, &index, "invalid size", chunk_mem(c));
}

static void unlink_refuses_links_that_leave_our_heaps(void **state)
{
    static chunk_t elsewhere;
    mchunkptr c = given_binned(*state, 64);
    given_binned(*state, 64);
    uintptr_t fd = c->fd, bk = c->bk;
    elsewhere.fd = elsewhere.bk = link_hide(c); /* even if what is there would agree */
    c->fd = link_hide(&elsewhere);
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
    c->fd = fd;
    c->bk = link_hide(&elsewhere);
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
    c->bk = 0;
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
    c->bk = bk;
    bin_unlink(&bins, c);
}

static void unlink_refuses_links_that_are_not_aligned(void **state)
{
    mchunkptr c = given_binned(*state, 64);
    c->fd = link_hide((const char *)c + 8);
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
}

static void unlink_refuses_neighbours_that_disagree(void **state)
{
    mchunkptr c = given_binned(*state, 64), other = given_binned(*state, 64),
              stranger = given_binned(*state, 128);
    c->fd = link_hide(stranger);
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
    c->fd = link_hide(other);
    c->bk = link_hide(stranger);
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
    c->bk = link_hide(other);
    other->bk = link_hide(stranger);
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
}

/* The addresses of chunks are no links: the secret is missing. */
static void a_link_that_is_not_hidden_is_refused(void **state)
{
    mchunkptr c = given_binned(*state, 64), other = given_binned(*state, 64);
    c->fd = (uintptr_t)other;
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
}

static void insert_refuses_a_ring_that_is_broken_where_it_goes_in(void **state)
{
    mchunkptr first = given_binned(*state, 64), stranger = given_binned(*state, 128),
              c = given_unbinned(*state, 64);
    first->bk = link_hide(stranger);
    assert_dies(do_insert, c, "broken links", chunk_mem(first));
}

static void insert_follows_no_forged_link(void **state)
{
    mchunkptr first = given_binned(*state, 64), c = given_unbinned(*state, 64);
    first->bk = link_hide(&bins);
    assert_dies(do_insert, c, "broken links", chunk_mem(first));
}

static void a_look_for_a_fit_follows_no_forged_link(void **state)
{
    size_t size = 4480;
    mchunkptr first = given_binned(*state, 4096);
    given_binned(*state, 4480);
    first->fd = link_hide(&bins);
    assert_dies(do_take, &size, "broken links", chunk_mem(first));
}

#define bin_test(f) cmocka_unit_test_setup_teardown(f, open_bins, close_bins)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_has_a_bin_in_ascending_order),
        cmocka_unit_test(small_bins_hold_one_size_each),
        cmocka_unit_test(larger_bins_hold_an_eighth_of_a_doubling),
        bin_test(nothing_comes_from_empty_bins),
        bin_test(what_has_been_free_for_longest_goes_first),
        bin_test(the_next_larger_chunk_serves_when_there_is_none_of_the_size),
        bin_test(a_range_bin_gives_its_tightest_fit),
        bin_test(so_many_are_looked_at_and_no_more),
        bin_test(a_range_bin_whose_chunks_are_too_small_is_passed_over),
        bin_test(an_aligned_fit_may_begin_behind_a_lead),
        bin_test(first_middle_and_last_leave_a_ring_behind),
        bin_test(whatever_comes_and_goes_the_fit_is_near_the_best),
        bin_test(unlink_refuses_a_forged_footer),
        bin_test(a_chunk_whose_size_is_not_its_bins_is_not_taken),
        bin_test(unlink_refuses_links_that_leave_our_heaps),
        bin_test(unlink_refuses_links_that_are_not_aligned),
        bin_test(unlink_refuses_neighbours_that_disagree),
        bin_test(a_link_that_is_not_hidden_is_refused),
        bin_test(insert_refuses_a_ring_that_is_broken_where_it_goes_in),
        bin_test(insert_follows_no_forged_link),
        bin_test(a_look_for_a_fit_follows_no_forged_link),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
