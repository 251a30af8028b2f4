/* test_chunk.c - the words of a chunk, one writer each. */
#include "inside.h"

/* Room for three neighbours, whose payloads are aligned. */
static _Alignas(16) size_t room[64];

static mchunkptr given_chunks(size_t size, size_t flags)
{
    memset(room, 0xee, sizeof room);
    mchunkptr c = chunk_at(room, 0), next = chunk_at(c, size);
    chunk_set_word(c, size | flags);
    chunk_set_word(next, CHUNK_MIN | CHUNK_P | CHUNK_A);
    chunk_set_word(chunk_next(next), FENCEPOST_SIZE | CHUNK_P);
    return c;
}

static void a_request_gets_the_smallest_chunk_that_holds_it(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 100000; n++) {
        size_t size = chunk_size_for(n);
        assert_int_equal(size % CHUNK_ALIGN, 0);
        assert_true(size >= CHUNK_MIN && size - SIZE_SZ >= n);
        assert_true(size == CHUNK_MIN || size - CHUNK_ALIGN - SIZE_SZ < n);
    }
    assert_true(chunk_size_for(REQUEST_MAX) > REQUEST_MAX);
}

static void chunk_and_memory_lead_to_each_other(void **state)
{
    (void)state;
    mchunkptr c = given_chunks(64, CHUNK_P);
    assert_ptr_equal(chunk_mem(c), room + 2);
    assert_ptr_equal(chunk_of(chunk_mem(c)), c);
}

static void flags_are_no_part_of_the_size(void **state)
{
    (void)state;
    for (size_t flags = 0; flags <= CHUNK_FLAGS; flags++) {
        const chunk_t *c = given_chunks(96, flags);
        assert_int_equal(chunk_size(c), 96);
        assert_int_equal(chunk_word(c), 96 | flags);
        assert_int_equal(chunk_prev_inuse(c), flags & 1);
        assert_ptr_equal(chunk_next(c), room + 96 / SIZE_SZ);
    }
}

static void usable_is_all_but_a_word_or_a_header_when_mapped(void **state)
{
    (void)state;
    assert_int_equal(chunk_usable(given_chunks(96, CHUNK_P)), 96 - SIZE_SZ);
    assert_int_equal(chunk_usable(given_chunks(96, CHUNK_A | CHUNK_P)), 96 - SIZE_SZ);
    assert_int_equal(chunk_usable(given_chunks(96, CHUNK_M)), 96 - 2 * SIZE_SZ);
    for (size_t n = 0; n < 200; n++)
        assert_true(chunk_usable(given_chunks(chunk_size_for(n), CHUNK_P)) >= n);
}

static void a_free_chunk_is_told_by_its_neighbour(void **state)
{
    (void)state;
    mchunkptr c = given_chunks(64, CHUNK_P | CHUNK_A), next = chunk_next(c);
    assert_false(chunk_is_free(c));
    chunk_set_free(c, 64, CHUNK_A | CHUNK_P);
    assert_true(chunk_is_free(c));
    assert_int_equal(chunk_word(c), 64 | CHUNK_A | CHUNK_P);
    assert_int_equal(chunk_word(next), CHUNK_MIN | CHUNK_A); /* only P went */
    assert_int_equal(chunk_prev_size(next), 64);             /* the footer: no flags */
    assert_ptr_equal(chunk_prev(next), c);
}

static void setting_free_writes_three_words_and_no_other(void **state)
{
    (void)state;
    mchunkptr c = given_chunks(64, CHUNK_P);
    size_t before[64];
    memcpy(before, room, sizeof room);
    chunk_set_free(c, 64, CHUNK_P);
    const size_t next = 64 / SIZE_SZ;
    for (size_t i = 0; i < 64; i++)
        assert_true(room[i] == before[i] || i == 1 || i == next || i == next + 1);
    chunk_set_prev_inuse(chunk_next(c));
    assert_false(chunk_is_free(c));
    before[next] = 64; /* the footer stays behind, as the application's data */
    assert_memory_equal(room, before, sizeof room);
}

static void a_fencepost_is_a_header_alone(void **state)
{
    (void)state;
    const chunk_t *c = given_chunks(64, CHUNK_P);
    assert_false(chunk_is_fencepost(c));
    assert_true(chunk_is_fencepost(chunk_next(chunk_next(c))));
}

static void chunks_start_where_a_payload_is_aligned(void **state)
{
    (void)state;
    for (uintptr_t at = 4096; at < 4200; at++) {
        uintptr_t start = chunk_start(at);
        assert_true(start >= at && start < at + CHUNK_ALIGN);
        assert_int_equal((start + CHUNK_HEADER) % CHUNK_ALIGN, 0);
    }
}

#if CM_DEBUG
static void ask_for_user_data(void *c) { (void)chunk_prev_size(c); }

static void prev_size_of_a_chunk_in_use_is_nobodys_business(void **state)
{
    (void)state;
    words_t w = words_of(ask_for_user_data, given_chunks(64, CHUNK_P));
    assert_non_null(strstr(w.text, "assertion failed: !chunk_prev_inuse(c)"));
    assert_true(WIFSIGNALED(w.status));
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_gets_the_smallest_chunk_that_holds_it),
        cmocka_unit_test(chunk_and_memory_lead_to_each_other),
        cmocka_unit_test(flags_are_no_part_of_the_size),
        cmocka_unit_test(usable_is_all_but_a_word_or_a_header_when_mapped),
        cmocka_unit_test(a_free_chunk_is_told_by_its_neighbour),
        cmocka_unit_test(setting_free_writes_three_words_and_no_other),
        cmocka_unit_test(a_fencepost_is_a_header_alone),
        cmocka_unit_test(chunks_start_where_a_payload_is_aligned),
#if CM_DEBUG
        cmocka_unit_test(prev_size_of_a_chunk_in_use_is_nobodys_business),
#endif
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
