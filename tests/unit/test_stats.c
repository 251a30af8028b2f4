/* test_stats.c - every byte of an arena is counted once. */
#include "inside.h"

#include "core/purge.h"
#include "inspect/stats.h"

#include <malloc.h>

/* What is too small for a chunk belongs to the fencepost, and the header behind it has no
 * size. */
static size_t fence_bytes(const heap_info *h)
{
    const chunk_t *last = (const chunk_t *)(const void *)(heap_end(h) - FENCEPOST_SIZE);
    return chunk_is_fencepost(last) ? FENCEPOST_SIZE : 2 * FENCEPOST_SIZE;
}

/* What the heap_infos and fenceposts of own take up, and where chunks start. */
static size_t bookkeeping(void)
{
    size_t bytes = 0;
    for (const heap_info *h = own.newest; h != NULL; h = h->older) {
        bytes += h->first - (uintptr_t)h;
        bytes += h != own.newest ? fence_bytes(h) : 0;
    }
    return bytes;
}

static void assert_sums(const cmalloc_stats *s)
{
    assert_int_equal(s->mapped, s->live + s->overhead + s->cached + s->free_resident +
                                    s->free_purged + s->metadata);
    assert_int_equal(s->free_resident + s->free_purged, s->binned + s->top + s->kept);
    assert_int_equal(s->damaged, 0);
}

static cmalloc_stats stats(void)
{
    cmalloc_stats s;
    reader_t reader;
    reader_self(&reader);
    assert_true(stats_arena(&own, &s, &reader));
    assert_sums(&s);
    assert_int_equal(s.mapped, s.heaps + s.mmapped);
    assert_int_equal(s.metadata, bookkeeping());
    assert_true(s.overhead >= s.live_count * SIZE_SZ);
    return s;
}

/* The bytes of n chunks of this size that may be used. */
static size_t usable(size_t n, size_t size) { return n * (size - SIZE_SZ); }

static void an_empty_arena_is_all_top(void **state)
{
    (void)state;
    cmalloc_stats s = stats();
    assert_int_equal(s.heaps, own.newest->committed);
    assert_int_equal(s.top, top_size(&own));
    assert_int_equal(s.live + s.cached + s.binned + s.mmapped, 0);
    assert_int_equal(s.free_count + s.cached_count + s.mmapped_count, 0);
}

static void each_kind_of_chunk_counts_where_it_belongs(void **state)
{
    given_free(*state, 2048);
    given_free(*state, 64);
    cmalloc_stats s = stats();
    assert_int_equal(s.live, usable(4, CHUNK_MIN));
    assert_int_equal(s.overhead, 4 * SIZE_SZ);
    assert_int_equal(s.binned, 2112);
    assert_int_equal(s.free_largest, 2048);
    assert_int_equal(s.free_count, 2);
    magazine_t m = arena_take_run_locked(*state, 64, CHUNK_ALIGN, 1);
    depot_park(&own.depot, class_of(64), m);
    mchunkptr c = take(*state, 2048);
    inbox_post_one(&own.inbox, chunk_mem(c)); /* waiting there it counts too */
    s = stats();
    assert_int_equal(s.live, usable(4, CHUNK_MIN));
    assert_int_equal(s.cached, 2112);
    assert_int_equal(s.cached_count, 2);
    assert_int_equal(s.free_count, 0);
}

static void mappings_are_counted_apart(void **state)
{
    mchunkptr c = large_map(HEAP_MAX_SIZE, CHUNK_ALIGN);
    assert_non_null(c);
    large_link_locked(*state, c);
    cmalloc_stats s = stats();
    assert_int_equal(s.mmapped_count, 1);
    assert_int_equal(s.mmapped, large_info_of(c)->mapped);
    assert_int_equal(s.live, chunk_usable(c));
    assert_int_equal(s.overhead, s.mmapped - chunk_usable(c));
    large_unlink_locked(*state, c);
    large_keep(c);
    large_drop_kept();
    assert_int_equal(stats().mmapped, 0);
}

/* What was never touched, or given back, is not in memory; what was written is. */
static void residence_is_the_kernels_word(void **state)
{
    size_t size = 8 * os_page;
    mchunkptr hole = given_free(*state, size);
    pages_t pages = arena_unfile_locked(*state, hole);
    memset(chunk_mem(hole), 1, size - CHUNK_HEADER);
    arena_file_locked(*state, hole, pages);
    cmalloc_stats before = stats();
    purge_free(*state, PURGE_ALL);
    cmalloc_stats after = stats();
    assert_true(after.free_purged - before.free_purged >= size - 2 * os_page);
    assert_true(after.free_purged - before.free_purged <= size);
    assert_int_equal(after.binned, before.binned);
}

static void over_several_heaps_the_sum_holds(void **state)
{
    static mchunkptr c[400];
    uint64_t chance = support_seed;
    for (int i = 0; i < 400; i++)
        c[i] = take(*state, chunk_size_for(random_below(&chance, HEAP_MAX_SIZE / 100)));
    cmalloc_stats most = stats();
    assert_int_equal(most.heaps_most, most.heaps);
    assert_true(own.newest->older != NULL);
    for (int i = 0; i < 400; i++) {
        arena_give_locked(*state, c[i]);
        if (i % 20 == 0)
            stats();
    }
    cmalloc_stats s = stats();
    assert_int_equal(s.live, 0);
    assert_true(s.heaps < most.heaps);
    assert_int_equal(s.heaps_most, most.heaps_most);
}

static void orphaned(void)
{
    cmalloc_stats s;
    memset(&s, 0xff, sizeof s);
    CHECK(!stats_arena(&own, &s, NULL));
    CHECK(is_all(&s, 0, sizeof s));
    stats_all(&s);
    CHECK(stats_get(CMALLOC_NO_ARENA, &s) && !stats_get(arena_count(), &s));
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
    cmalloc_stats all, one, sum = {0};
    void *small = malloc(1000), *large = malloc(2 * HEAP_MAX_SIZE);
    stats_all(&all);
    for (unsigned i = 0; i < arena_count(); i++) {
        assert_true(stats_arena(arena_at(i), &one, NULL));
        sum.heaps += one.heaps;
        sum.live += one.live;
        sum.mmapped += one.mmapped;
        assert_sums(&one);
    }
    assert_sums(&all);
    assert_int_equal(all.heaps, sum.heaps);
    assert_int_equal(all.live, sum.live);
    assert_int_equal(all.mmapped, sum.mmapped);
    assert_true(all.live >= 1008 && all.mmapped > 2 * HEAP_MAX_SIZE);
    free(small), free(large);
    stats_all(&all);
    assert_sums(&all);
    assert_true(all.mmapped_most > 2 * HEAP_MAX_SIZE && all.thread_count >= 1);
}

/* ---- what the public functions say ------------------------------------------------- */

static void a_total_has_everything(void **state)
{
    cmalloc_stats s;
    size_t before;
    (void)state;
    assert_int_equal(cmalloc_stats_get(CMALLOC_NO_ARENA, &s, sizeof s), 0);
    assert_sums(&s);
    before = s.live;
    void *mem = malloc(1000), *large = malloc(2 * HEAP_MAX_SIZE);
    size_t more = malloc_usable_size(mem) + malloc_usable_size(large);
    assert_int_equal(cmalloc_stats_get(CMALLOC_NO_ARENA, &s, sizeof s), 0);
    assert_sums(&s);
    assert_int_equal(s.live, before + more);
    free(mem), free(large);
    assert_int_equal(cmalloc_stats_get(CMALLOC_NO_ARENA, &s, sizeof s), 0);
    assert_sums(&s);
    assert_int_equal(s.live, before);
}

static cmalloc_stats counts(void)
{
    cmalloc_stats s;
    assert_int_equal(cmalloc_stats_get(CMALLOC_NO_ARENA, &s, sizeof s), 0);
    assert_int_equal(s.allocations, s.frees + s.live_count);
    return s;
}

/* Hits and misses, each kind of chunk, whoever of the threads. */
static void *allocate_and_free(void *arg)
{
    static const size_t sizes[] = {1, 100, 1000, 5000, 40000, 2 * HEAP_MAX_SIZE};
    size_t rounds = (size_t)(uintptr_t)arg;
    for (size_t i = 0; i < rounds; i++) {
        void *mem[6], *aligned = aligned_alloc(256, 512);
        for (int k = 0; k < 6; k++)
            assert_non_null(mem[k] = k % 2 == 0 ? calloc(1, sizes[k]) : malloc(sizes[k]));
        for (int k = 0; k < 6; k++)
            free(mem[k]);
        free(aligned);
    }
    return NULL;
}

static void calls_are_counted(void **state)
{
    enum { ROUNDS = 300 };
    (void)state;
    cmalloc_stats before = counts();
    allocate_and_free((void *)(uintptr_t)ROUNDS);
    void *held = malloc(50);
    cmalloc_stats after = counts();
    assert_int_equal(after.allocations - before.allocations, 7 * ROUNDS + 1);
    assert_int_equal(after.frees - before.frees, 7 * ROUNDS);
    assert_int_equal(after.live_count, before.live_count + 1);
    assert_true(after.misses > before.misses);
    assert_true(after.mapped_most >= after.mapped);
    assert_true(after.mapped_most >= before.heaps + 2 * HEAP_MAX_SIZE);
    free(held);
    pthread_t thread;
    assert_int_equal(
        pthread_create(&thread, NULL, allocate_and_free, (void *)(uintptr_t)ROUNDS), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    cmalloc_stats ended = counts();
    assert_true(ended.allocations - after.allocations >= 7 * ROUNDS); /* libc's own */
    assert_true(ended.allocations - after.allocations <= 7 * ROUNDS + 10);
}

static void what_goes_back_is_counted(void **state)
{
    (void)state;
    const size_t size = MMAP_THRESHOLD_MAX + os_page;
    void *mem = malloc(size);
    assert_non_null(mem);
    free(mem);
    cmalloc_stats before = counts();
    cmalloc_purge();
    cmalloc_stats after = counts();
    assert_true(after.returns > before.returns);
    assert_true(after.returned - before.returned >= before.kept - after.kept);
    assert_true(before.kept - after.kept >= size);
}

/* The heap at the break is cut, which is no call of munmap or madvise. */
static void what_the_break_gives_back_is_counted(void **state)
{
    enum { COUNT = 50, SIZE = 40000 };
    void *mem[COUNT];
    (void)state;
    for (int i = 0; i < COUNT; i++)
        assert_non_null(mem[i] = malloc(SIZE));
    cmalloc_stats before = counts();
    for (int i = 0; i < COUNT; i++)
        free(mem[i]);
    malloc_trim(0);
    cmalloc_stats after = counts();
    assert_true(after.heaps < before.heaps);
    assert_true(after.returned - before.returned >= before.heaps - after.heaps);
}

/* A program that knows fewer fields gets those. */
static void a_caller_of_old_gets_what_it_knows(void **state)
{
    size_t two[3] = {1, 2, 3};
    (void)state;
    assert_int_equal(cmalloc_stats_get(0, (cmalloc_stats *)(void *)two, sizeof *two * 2),
                     0);
    assert_true(two[0] > 2 && two[2] == 3);
    assert_int_equal(cmalloc_stats_get(arena_count(), (void *)two, sizeof *two), -1);
}

static void print(void *format)
{
    CHECK(cmalloc_stats_print(STDERR_FILENO, format) == 0);
}

static void each_format_is_written(void **state)
{
    static char text[] = "text", json[] = "json", prometheus[] = "prometheus";
    (void)state;
    assert_non_null(strstr(words_of(print, text).text, "in use by the program"));
    assert_non_null(strstr(words_of(print, json).text, "{\"schema\": 1, \"pid\": "));
    assert_non_null(strstr(words_of(print, prometheus).text,
                           "# HELP cmalloc_mapped_bytes mapped\n"
                           "# TYPE cmalloc_mapped_bytes gauge\n"
                           "cmalloc_mapped_bytes{arena=\"0\"} "));
    assert_int_equal(cmalloc_stats_print(STDERR_FILENO, "xml"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        arena_test(an_empty_arena_is_all_top),
        arena_test(each_kind_of_chunk_counts_where_it_belongs),
        arena_test(mappings_are_counted_apart),
        arena_test(residence_is_the_kernels_word),
        arena_test(over_several_heaps_the_sum_holds),
        arena_test(an_orphaned_arena_counts_nothing),
        cmocka_unit_test(the_process_is_the_sum_of_its_arenas),
        cmocka_unit_test(a_total_has_everything),
        cmocka_unit_test(calls_are_counted),
        cmocka_unit_test(what_goes_back_is_counted),
        cmocka_unit_test(what_the_break_gives_back_is_counted),
        cmocka_unit_test(a_caller_of_old_gets_what_it_knows),
        cmocka_unit_test(each_format_is_written),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
