/* test_align.c - aligned memory, from the thread's cache, a heap or a mapping. */
#include "inside.h"

#include "front/front.h"

static void every_alignment_and_size_goes_together(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 24, 100, 1016, 5000, CLASS_MAX, 200 * KIB};
    for (size_t align = 1; align <= 4 * MIB; align *= 2)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            void *mem = front_aligned(align, sizes[i]);
            assert_non_null(mem);
            assert_true(is_aligned(mem, align) && is_aligned(mem, CHUNK_ALIGN));
            assert_true(front_usable(mem) >= sizes[i]);
            pattern_fill(mem, sizes[i], align);
            assert_true(pattern_holds(mem, sizes[i], sizes[i], align));
            front_free(mem);
        }
    assert_true(check_all() > 0);
}

/* The chunk that serves a small request: a multiple of its alignment, if runs are cut for
 * that. */
static size_t wish(size_t align, size_t n)
{
    size_t unit = align <= ALIGNED_RUN ? align : CHUNK_ALIGN;
    return class_round((chunk_size_for(n) + unit - 1) & ~(unit - 1));
}

/* A chunk may be a bit larger than its class; freed, it belongs to a larger one. */
static bool is_exact(const void *mem, size_t align, size_t n)
{
    return chunk_size(chunk_of(mem)) == wish(align, n);
}

static void *given_exact(size_t align, size_t n)
{
    void *mem = front_aligned(align, n);
    while (!is_exact(mem, align, n)) /* few: they stay where they are */
        mem = front_aligned(align, n);
    return mem;
}

static void small_alignments_are_any_malloc(void **state)
{
    (void)state;
    void *mem = given_exact(16, 200);
    free(mem);
    assert_ptr_equal(front_aligned(16, 200), mem); /* the hit */
    free(mem);
    assert_ptr_equal(front_aligned(1, 200), mem);
    free(mem);
}

static void freed_aligned_memory_is_found_in_the_cache(void **state)
{
    (void)state;
    for (size_t align = 32; align <= 4096; align *= 2)
        for (size_t n = 10; n < CLASS_MAX / 2; n = n * 3 + 5) {
            void *mem = given_exact(align, n);
            front_free(mem);
            void *again = front_aligned(align, n);
            assert_ptr_equal(again, mem);
            assert_false(link_marked(again)); /* it is in use */
            front_free(again);
        }
}

static void the_cache_is_looked_through_for_an_aligned_chunk(void **state)
{
    enum { COUNT = 4 };
    (void)state;
    void *plain[COUNT], *mem = given_exact(4096, 600);
    cache_bin_t *b = &thread_self->bins[class_of(chunk_size_for(600))];
    cmalloc_thread_flush();
    for (int i = 0; i < COUNT; i++) /* the cap grows, so that all fit */
        do
            plain[i] = malloc(600);
        while (is_aligned(plain[i], 4096) || !is_exact(plain[i], 16, 600));
    while (b->room < 2)
        assert_non_null(malloc(600)); /* what else is in the cache */
    free(mem);
    free(plain[0]); /* in front of it */
    uint32_t room = b->room;
    assert_ptr_equal(front_aligned(4096, 600), mem);
    assert_int_equal(b->room, room + 1);
    assert_ptr_equal(malloc(600), plain[0]); /* still there, in order */
    free(mem);
    for (int i = 0; i < COUNT; i++)
        free(plain[i]);
}

static void aligned_memory_is_of_a_class(void **state)
{
    (void)state;
    for (size_t n = 1; n <= CLASS_MAX / 2; n = n + n / 3 + 1) {
        void *mem = front_aligned(64, n);
        size_t size = chunk_size(chunk_of(mem));
        assert_true(size == wish(64, n) || size == wish(64, n) + CHUNK_ALIGN);
        front_free(mem);
    }
}

static void a_run_is_cut_where_all_of_it_is_aligned(void **state)
{
    enum { COUNT = 300, N = 200, ALIGN = 64 };
    (void)state;
    char *mem[COUNT];
    int neighbours = 0;
    for (int i = 0; i < COUNT; i++) {
        mem[i] = front_aligned(ALIGN, N);
        assert_true(is_aligned(mem[i], ALIGN));
        neighbours += i > 0 && mem[i] == mem[i - 1] + wish(ALIGN, N);
    }
    if (!CM_SECURE && MAGAZINE_MOST > 2)
        assert_true(neighbours > COUNT / 2);
    for (int i = 0; i < COUNT; i++)
        front_free(mem[i]);
    assert_true(check_all() > 0);
}

static void large_aligned_memory_is_a_mapping_with_its_chunk_far_in(void **state)
{
    (void)state;
    size_t align = 2 * HEAP_MAX_SIZE;
    void *mem = front_aligned(align, 100);
    assert_non_null(mem);
    assert_true(is_aligned(mem, align) && is_mmapped(mem));
    assert_true(large_info_of(chunk_of(mem))->mapped <= 3 * os_page);
    memset(mem, 1, front_usable(mem));
    front_free(mem);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    assert_null(front_aligned(64, REQUEST_MAX));
    assert_null(front_aligned(SIZE_MAX / 2 + 1, 100));
    assert_null(front_aligned(4096, SIZE_MAX));
    assert_true(check_all() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_alignment_and_size_goes_together),
        cmocka_unit_test(small_alignments_are_any_malloc),
        cmocka_unit_test(freed_aligned_memory_is_found_in_the_cache),
        cmocka_unit_test(the_cache_is_looked_through_for_an_aligned_chunk),
        cmocka_unit_test(aligned_memory_is_of_a_class),
        cmocka_unit_test(a_run_is_cut_where_all_of_it_is_aligned),
        cmocka_unit_test(large_aligned_memory_is_a_mapping_with_its_chunk_far_in),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
