/* test_large.c - M chunks: mapped, aligned, resized, kept for reuse and told apart. */
#include "inside.h"

/* Requests that are kept: over the threshold, and over a page's rounding. */
#define SMALLEST (2 * MMAP_THRESHOLD_DEFAULT)

static mchunkptr given_large(size_t n, size_t align)
{
    mchunkptr c = large_map(n, align);
    CHECK(c != NULL);
    return c;
}

static mchunkptr reused(size_t n)
{
    zone_t zero;
    return large_reuse(n, &zero);
}

/* From here on freed mappings are kept: one was let go, another asked for at once. */
static void in_demand(void)
{
    large_drop_kept();
    large_keep(given_large(SMALLEST, CHUNK_ALIGN));
    mchunkptr c = reused(SMALLEST);
    if (c != NULL)
        large_keep(c);
    large_drop_kept();
}

/* Away with it, kept or not. */
static void forget(mchunkptr c)
{
    large_keep(c);
    large_drop_kept();
}

/* ---- mapping ----------------------------------------------------------------------- */

static void a_mapping_says_what_it_is(void **state)
{
    (void)state;
    for (size_t n = 1; n < 20 * MIB; n = n * 3 + 7) {
        mchunkptr c = given_large(n, CHUNK_ALIGN);
        const large_info *info = large_info_of(c);
        assert_true(is_aligned(chunk_mem(c), CHUNK_ALIGN));
        assert_int_equal(chunk_word(c) & CHUNK_FLAGS, CHUNK_M);
        assert_true(chunk_usable(c) >= n && chunk_usable(c) < n + os_page);
        assert_true(is_aligned(info, os_page) && info->mapped % os_page == 0);
        assert_int_equal(info->mapped, info->offset + chunk_size(c));
        assert_ptr_equal(large_chunk(info), c);
        assert_int_equal(c->prev_size, (uintptr_t)c - (uintptr_t)info);
        assert_true(is_all(chunk_mem(c), 0, chunk_usable(c)));
        memset(chunk_mem(c), 1, chunk_usable(c));
        forget(c);
    }
}

static void a_mapping_is_aligned_to_any_power_of_two(void **state)
{
    (void)state;
    for (size_t align = 32; align <= 64 * MIB; align *= 2)
        for (size_t n = 1; n < 3 * MIB; n = n * 50 + 3) {
            mchunkptr c = given_large(n, align);
            const large_info *info = large_info_of(c);
            assert_true(is_aligned(chunk_mem(c), align));
            assert_true(chunk_usable(c) >= n);
            /* What was mapped to find the place has gone. */
            assert_true(info->mapped < n + 3 * os_page);
            memset(chunk_mem(c), 1, chunk_usable(c));
            forget(c);
        }
}

static void what_cannot_be_mapped_is_refused(void **state)
{
    (void)state;
    if (!CM_64BIT) /* there may be as much */
        skip();
    assert_null(large_map(REQUEST_MAX - 64 * MIB, CHUNK_ALIGN));
    assert_null(large_map(4096, SIZE_MAX / 2 + 1));
}

/* ---- lists ------------------------------------------------------------------------- */

static void an_arena_counts_its_mappings(void **state)
{
    mchunkptr c[3];
    size_t bytes = 0;
    for (int i = 0; i < 3; i++) {
        c[i] = given_large(SMALLEST * (size_t)(i + 1), CHUNK_ALIGN);
        large_link_locked(*state, c[i]);
        bytes += large_info_of(c[i])->mapped;
        assert_ptr_equal(large_info_of(c[i])->arena, *state);
        assert_int_equal(own.large_bytes, bytes);
    }
    assert_ptr_equal(large_chunk(own.larges), c[2]);
    static const int order[] = {1, 2, 0}; /* middle, newest, the only one */
    for (int i = 0; i < 3; i++) {
        bytes -= large_info_of(c[order[i]])->mapped;
        large_unlink_locked(*state, c[order[i]]);
        assert_int_equal(own.large_count, 2 - i);
        assert_int_equal(own.large_bytes, bytes);
        assert_null(large_info_of(c[order[i]])->arena);
    }
    assert_null(own.larges);
    for (int i = 0; i < 3; i++)
        forget(c[i]);
}

/* ---- resizing ---------------------------------------------------------------------- */

static void a_resized_mapping_keeps_contents_and_alignment(void **state)
{
    (void)state;
    static const size_t sizes[] = {100, 5 * MIB, 5 * MIB + 1, 300000, 20 * MIB, 4000};
    for (size_t align = CHUNK_ALIGN; align <= 4096; align *= 16) {
        size_t have = 1 * MIB;
        mchunkptr c = given_large(have, align);
        pattern_fill(chunk_mem(c), have, align);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            size_t n = sizes[i], least = n < have ? n : have;
            c = large_resize(c, n);
            assert_non_null(c);
            assert_true(chunk_usable(c) >= n && chunk_usable(c) < n + os_page);
            assert_true(is_aligned(chunk_mem(c), align < 4096 ? align : 4096));
            assert_int_equal(large_info_of(c)->mapped, c->prev_size + chunk_size(c));
            assert_true(pattern_holds(chunk_mem(c), least, have, align));
            pattern_fill(chunk_mem(c), have = n, align);
        }
        forget(c);
    }
}

static void a_resize_that_is_refused_leaves_it_as_it_was(void **state)
{
    (void)state;
    mchunkptr c = given_large(SMALLEST, CHUNK_ALIGN);
    pattern_fill(chunk_mem(c), SMALLEST, 9);
    large_info before = *large_info_of(c);
    assert_null(large_resize(c, CM_64BIT ? REQUEST_MAX - 64 * MIB : SIZE_MAX / 4 * 3));
    assert_memory_equal(&before, large_info_of(c), sizeof before);
    assert_true(pattern_holds(chunk_mem(c), SMALLEST, SMALLEST, 9));
    assert_ptr_equal(large_resize(c, SMALLEST + 1), c); /* the same pages */
    forget(c);
}

/* ---- keeping ----------------------------------------------------------------------- */

static void one_is_let_go(void)
{
    mchunkptr c = given_large(SMALLEST, CHUNK_ALIGN);
    CHECK(!large_keep(c) && large_kept_bytes() == 0);
    CHECK(!large_keep(given_large(SMALLEST, CHUNK_ALIGN))); /* nobody has asked for it */
    CHECK(reused(SMALLEST) == NULL);
    CHECK(large_keep(given_large(SMALLEST, CHUNK_ALIGN)));
    for (unsigned i = 0; i < PURGE_TICKS; i++)
        large_tick();
    CHECK(large_kept_bytes() == 0);
    CHECK(
        !large_keep(given_large(SMALLEST, CHUNK_ALIGN))); /* the last one aged in vain */
}

static void a_freed_mapping_is_let_go_unless_another_is_asked_for(void **state)
{
    (void)state;
    assert_ends_well(one_is_let_go);
}

static void freed_mappings_serve_again(void)
{
    in_demand();
    mchunkptr c = given_large(10 * MIB, CHUNK_ALIGN);
    memset(chunk_mem(c), 7, 10 * MIB);
    size_t mapped = large_info_of(c)->mapped;
    large_keep(c);
    mchunkptr again = reused(9 * MIB);
    CHECK(again == c && large_info_of(again)->mapped == mapped);
    CHECK(is_all(chunk_mem(again), 7, 9 * MIB)); /* its pages, not fresh ones */
    CHECK(reused(9 * MIB) == NULL);
    large_keep(again);
    CHECK(large_drop_kept() == mapped);
    CHECK(large_drop_kept() == 0 && reused(1) == NULL);
}

static void a_freed_mapping_serves_the_next_request(void **state)
{
    (void)state;
    assert_ends_well(freed_mappings_serve_again);
}

static void smallest_serves(void)
{
    in_demand();
    static const size_t sizes[] = {12, 5, 6, 9};
    mchunkptr c[4];
    large_drop_kept();
    for (int i = 0; i < 4; i++)
        c[i] = given_large(sizes[i] * MIB, CHUNK_ALIGN);
    for (int i = 0; i < 4; i++)
        large_keep(c[i]);
    CHECK(reused(6 * MIB - 4096) == c[2]);
    CHECK(reused(8 * MIB) == c[3]);
    CHECK(reused(5 * MIB) == c[1]);
    mchunkptr cut = reused(5 * MIB); /* what it leaves is kept by itself */
    CHECK(cut == c[0] && large_info_of(cut)->mapped < 6 * MIB);
    mchunkptr rest = reused(6 * MIB);
    CHECK((char *)large_info_of(rest) ==
          (char *)large_info_of(cut) + large_info_of(cut)->mapped);
    CHECK(large_drop_kept() == 0);
    memset(chunk_mem(cut), 1, 5 * MIB);
    memset(chunk_mem(rest), 2, 6 * MIB);
}

static void the_smallest_that_is_large_enough_serves(void **state)
{
    (void)state;
    assert_ends_well(smallest_serves);
}

static void grown(void)
{
    in_demand();
    mchunkptr c = given_large(2 * MIB, CHUNK_ALIGN);
    memset(chunk_mem(c), 1, 2 * MIB);
    large_keep(c);
    zone_t zero;
    c = large_reuse(3 * MIB, &zero);
    CHECK(c != NULL && chunk_usable(c) >= 3 * MIB);
    const char *added = (const char *)zero.from, *end = (char *)c + chunk_size(c);
    CHECK(added < end - (MIB - 2 * os_page) && zero.to >= (uintptr_t)end);
    CHECK(is_all(added, 0, (size_t)(end - added)));
    memset(chunk_mem(c), 1, 3 * MIB);
    CHECK(large_drop_kept() == 0);
}

static void the_largest_grows_when_none_is_large_enough(void **state)
{
    (void)state;
    assert_ends_well(grown);
}

/* ---- gathering --------------------------------------------------------------------- */

/* From here on what is freed is kept, whatever its size. */
static void all_wanted(void)
{
    in_demand();
    cm_options.mmap_threshold = MMAP_THRESHOLD_DEFAULT;
    cm_options.thresholds_fixed = true;
}

/* Keep a mapping for each size, all of it of one byte: 1, 2 and so on. */
static void keep_all(const size_t *sizes, unsigned count)
{
    mchunkptr c[8];
    all_wanted();
    for (unsigned i = 0; i < count; i++) {
        c[i] = given_large(sizes[i], CHUNK_ALIGN);
        memset(chunk_mem(c[i]), (int)i + 1, chunk_usable(c[i]));
    }
    for (unsigned i = 0; i < count; i++)
        CHECK(large_keep(c[i]));
}

/* Bytes of c's memory, from the place on, that are as this one should be. */
static size_t run_of(mchunkptr c, size_t at, unsigned char byte)
{
    const unsigned char *m = chunk_mem(c);
    size_t n = 0;
    while (at + n < chunk_usable(c) && m[at + n] == byte)
        n++;
    return n;
}

/* The largest first; what is left of the last one is kept. */
static void several_serve(void)
{
    static const size_t sizes[] = {2 * MIB, 3 * MIB};
    keep_all(sizes, 2);
    size_t kept = large_kept_bytes();
    mchunkptr c = reused(4 * MIB);
    CHECK(c != NULL && large_info_of(c)->parts.count == 2);
    CHECK(run_of(c, 0, 2) > 3 * MIB - os_page);
    const size_t first =
        large_info_of(c)->parts.size[0] - chunk_start(sizeof(large_info)) - CHUNK_HEADER;
    CHECK(run_of(c, first + os_page, 1) == chunk_usable(c) - first - os_page);
    CHECK(large_kept_bytes() == kept - large_info_of(c)->mapped);
    mchunkptr rest = reused(SMALLEST);
    CHECK(rest != NULL && run_of(rest, os_page, 1) == chunk_usable(rest) - os_page);
    memset(chunk_mem(c), 7, 4 * MIB);
    large_keep(c); /* and serves again, cut between its parts */
    mchunkptr cut = reused(2 * MIB);
    CHECK(cut != NULL && run_of(cut, 0, 7) == chunk_usable(cut));
    CHECK(large_info_of(cut)->parts.count == 1);
}

static void the_pages_of_several_are_gathered_for_a_larger_one(void **state)
{
    (void)state;
    assert_ends_well(several_serve);
}

static void growing_takes(void)
{
    static const size_t sizes[] = {2 * MIB, 3 * MIB};
    mchunkptr c = given_large(2 * MIB, CHUNK_ALIGN);
    pattern_fill(chunk_mem(c), 2 * MIB, 5);
    keep_all(sizes, 2);
    c = large_resize(c, 6 * MIB);
    CHECK(c != NULL && large_info_of(c)->parts.count == 3);
    CHECK(pattern_holds(chunk_mem(c), 2 * MIB, 2 * MIB, 5));
    CHECK(run_of(c, 3 * MIB, 2) > 0 && run_of(c, 6 * MIB - os_page, 1) > 0);
    pattern_fill(chunk_mem(c), 6 * MIB, 6);
    c = large_resize(c, 9 * MIB);
    const size_t rest = LARGE_PARTS > 4; /* of the last one, if it may be a part, too */
    CHECK(c != NULL && large_info_of(c)->parts.count == 4 + rest);
    CHECK(pattern_holds(chunk_mem(c), 6 * MIB, 6 * MIB, 6));
    c = large_resize(c, 4 * MIB);
    CHECK(c != NULL && large_info_of(c)->parts.count == 2);
    CHECK(pattern_holds(chunk_mem(c), 4 * MIB, 6 * MIB, 6));
    c = large_resize(c, MIB);
    CHECK(c != NULL && large_info_of(c)->parts.count == 1);
    c = large_resize(c, 2 * MIB);
    CHECK(c != NULL && pattern_holds(chunk_mem(c), MIB, 6 * MIB, 6));
}

static void a_chunk_that_grows_takes_kept_pages(void **state)
{
    (void)state;
    assert_ends_well(growing_takes);
}

/* Chunks that come, go and change, each with its own pattern; and the kernel's mappings
 * are no more than the parts allow. */
static void at_random(void)
{
    enum { COUNT = 12 };
    mchunkptr c[COUNT] = {NULL};
    size_t filled[COUNT], most_parts = 0;
    uint64_t chance = support_seed;
    all_wanted();
    for (unsigned round = 0; round < 3000; round++) {
        size_t i = random_below(&chance, COUNT);
        size_t n = SMALLEST + random_below(&chance, 40 * SMALLEST);
        if (c[i] != NULL) {
            CHECK(pattern_holds(chunk_mem(c[i]), filled[i], filled[i], i));
            if (round % 3 != 0) {
                large_keep(c[i]);
                c[i] = NULL;
                continue;
            }
            mchunkptr resized = large_resize(c[i], n);
            if (resized == NULL) { /* it has all the parts that it may have */
                CHECK(large_info_of(c[i])->parts.count == LARGE_PARTS);
                continue;
            }
            c[i] = resized;
            size_t same = n < filled[i] ? n : filled[i];
            CHECK(pattern_holds(chunk_mem(c[i]), same, filled[i], i));
        } else if ((c[i] = reused(n)) == NULL) {
            c[i] = given_large(n, CHUNK_ALIGN);
        }
        size_t parts = large_info_of(c[i])->parts.count;
        most_parts = parts > most_parts ? parts : most_parts;
        pattern_fill(chunk_mem(c[i]), filled[i] = n, i);
    }
    CHECK(most_parts > 1 && most_parts <= LARGE_PARTS);
}

static void contents_survive_whatever_is_gathered(void **state)
{
    (void)state;
    assert_ends_well(at_random);
}

/* So many M chunks, and the process has no mappings to spare. */
static void too_many(void)
{
    static const size_t sizes[] = {2 * MIB, 3 * MIB};
    keep_all(sizes, 2);
    large_count = LARGE_GATHER_MOST + 1;
    mchunkptr c = reused(4 * MIB);
    CHECK(c != NULL && large_info_of(c)->parts.count == 2);
    CHECK(large_kept_bytes() > 0);
}

static void nothing_is_gathered_where_there_are_many(void **state)
{
    (void)state;
    assert_ends_well(too_many);
}

/* ---- what is not kept -------------------------------------------------------------- */

static void unwanted(void)
{
    in_demand();
    cm_options.mmap_threshold = 4 * MIB;
    mchunkptr large = given_large(9 * MIB, CHUNK_ALIGN);
    mchunkptr small = given_large(3 * MIB, CHUNK_ALIGN);
    CHECK(large_keep(small) && large_keep(large));
    CHECK(large_kept_bytes() > 12 * MIB);
    large_make_way();
    CHECK(large_kept_bytes() > 9 * MIB && large_kept_bytes() < 12 * MIB);
    large_make_way();
    CHECK(large_drop_kept() > 9 * MIB);
}

static void what_a_heap_would_serve_makes_way_for_it(void **state)
{
    (void)state;
    assert_ends_well(unwanted);
}

/* live + kept <= the most that was ever live. Kept bytes can be asked for only by
 * dropping them. */
static void peak_holds(void)
{
    enum { COUNT = 40 };
    const size_t more_than_before = 24 * MIB; /* live at a time, in any test here */
    mchunkptr c[COUNT] = {NULL};
    size_t live = 0, peak, kept_once = 0;
    uint64_t chance = support_seed;
    cm_options.mmap_threshold = MMAP_THRESHOLD_DEFAULT;
    forget(c[0] = given_large(more_than_before, CHUNK_ALIGN));
    peak = more_than_before + os_page;
    c[0] = NULL;
    for (int round = 0; round < 4000; round++) {
        size_t i = random_below(&chance, COUNT);
        size_t n = SMALLEST + random_below(&chance, 30 * SMALLEST);
        if (c[i] == NULL) {
            if ((c[i] = reused(n)) == NULL)
                c[i] = given_large(n, CHUNK_ALIGN);
            CHECK(chunk_usable(c[i]) >= n);
            live += large_info_of(c[i])->mapped;
        } else if (round % 5 == 0) {
            live -= large_info_of(c[i])->mapped;
            mchunkptr resized = large_resize(c[i], n);
            CHECK(resized != NULL || large_info_of(c[i])->parts.count == LARGE_PARTS);
            c[i] = resized != NULL ? resized : c[i];
            live += large_info_of(c[i])->mapped;
        } else {
            live -= large_info_of(c[i])->mapped;
            large_keep(c[i]);
            c[i] = NULL;
        }
        peak = live > peak ? live : peak;
        if (round % 50 == 0) {
            size_t kept = large_drop_kept();
            CHECK(live + kept <= peak);
            kept_once += kept;
        }
    }
    CHECK(kept_once > 0);
}

static void live_and_kept_are_never_more_than_was_live(void **state)
{
    (void)state;
    assert_ends_well(peak_holds);
}

static void *map_and_keep(void *arg)
{
    uint64_t chance = support_seed + *(unsigned *)arg;
    for (int i = 0; i < 3000; i++) {
        size_t n = SMALLEST + random_below(&chance, 8 * SMALLEST);
        mchunkptr c = reused(n);
        if (c == NULL)
            c = given_large(n, CHUNK_ALIGN);
        CHECK(chunk_usable(c) >= n);
        uintptr_t *words = chunk_mem(c), *last = words + n / sizeof *words - 1;
        *words = *last = (uintptr_t)&chance ^ (uintptr_t)i;
        CHECK(large_info_of(c)->arena == NULL);
        CHECK(*words == ((uintptr_t)&chance ^ (uintptr_t)i) && *last == *words);
        large_keep(c);
    }
    return NULL;
}

static void in_threads(void)
{
    pthread_t threads[3];
    unsigned number[3] = {1, 2, 3};
    for (int i = 0; i < 3; i++)
        threads[i] = start_thread(map_and_keep, &number[i]);
    for (int i = 0; i < 3; i++)
        join_thread(threads[i]);
}

static void a_kept_mapping_goes_to_one_thread(void **state)
{
    (void)state;
    assert_ends_well(in_threads);
}

/* ---- damage ------------------------------------------------------------------------ */

static void do_look(void *c) { (void)large_info_of(c); }

static void do_unlink(void *c) { large_unlink_locked(&own, c); }

static void keep_twice(void *c)
{
    in_demand();
    large_keep(c);
    (void)large_info_of(c);
}

static void a_forged_header_is_found(void **state)
{
    (void)state;
    mchunkptr c = given_large(SMALLEST, CHUNK_ALIGN);
    size_t word = chunk_word(c), distance = c->prev_size;
    chunk_set_word(c, word + 4096);
    assert_dies(do_look, c, "invalid size", chunk_mem(c));
    chunk_set_word(c, word);
    c->prev_size = distance + 16;
    assert_dies(do_look, c, "foreign pointer", chunk_mem(c));
    c->prev_size = (size_t)-16; /* behind the chunk */
    assert_dies(do_look, c, "foreign pointer", chunk_mem(c));
    c->prev_size = distance;
    large_info_of(c)->magic ^= 1;
    assert_dies(do_look, c, "foreign pointer", chunk_mem(c));
    ((large_info *)(void *)((char *)c - distance))->magic ^= 1;
    forget(c);
}

/* All that free looks at agrees with all the rest; only the seal does not. */
static void a_header_that_agrees_with_itself_is_found_by_its_seal(void **state)
{
    (void)state;
    mchunkptr c = given_large(SMALLEST, CHUNK_ALIGN);
    large_info *info = large_info_of(c);
    size_t word = chunk_word(c);
    info->mapped += 4096;
    chunk_set_word(c, word + 4096);
    assert_dies(do_look, c, "foreign pointer", chunk_mem(c));
    info->mapped -= 4096;
    chunk_set_word(c, word);
    info->arena = &own;
    assert_dies(do_look, c, "foreign pointer", chunk_mem(c));
    info->arena = NULL;
    info->parts.count = 2;
    assert_dies(do_look, c, "foreign pointer", chunk_mem(c));
    info->parts.count = SIZE_MAX;
    assert_dies(do_look, c, "foreign pointer", chunk_mem(c));
    info->parts.count = 1;
    forget(c);
}

static void a_forged_list_is_found(void **state)
{
    mchunkptr c = given_large(SMALLEST, CHUNK_ALIGN),
              other = given_large(SMALLEST, CHUNK_ALIGN);
    large_link_locked(*state, c);
    large_link_locked(*state, other);
    large_info_of(c)->newer = NULL; /* then it should be the first */
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
    large_info_of(c)->newer = large_info_of(other);
    large_info_of(other)->older = large_info_of(other);
    assert_dies(do_unlink, c, "broken links", chunk_mem(c));
    large_info_of(other)->older = large_info_of(c);
    large_unlink_locked(*state, c);
    assert_dies(do_unlink, c, "broken links", chunk_mem(c)); /* it is in no list */
    large_unlink_locked(*state, other);
    forget(c), forget(other);
}

static void do_damage_and_drop(void *c)
{
    in_demand();
    large_info *info = large_info_of(c);
    CHECK(large_keep(c));
    info->mapped += os_page; /* written to after the free */
    large_drop_kept();
}

static void a_kept_mapping_that_was_written_to_is_found(void **state)
{
    (void)state;
    mchunkptr c = given_large(SMALLEST, CHUNK_ALIGN);
    assert_dies(do_damage_and_drop, c, "damaged heap", large_info_of(c));
    forget(c);
}

static void a_second_free_of_a_kept_mapping_is_told_apart(void **state)
{
    (void)state;
    mchunkptr c = given_large(SMALLEST, CHUNK_ALIGN);
    assert_dies(keep_twice, c, "double free", chunk_mem(c));
    forget(c);
}

/* ---- the threshold ----------------------------------------------------------------- */

static void adapting(void)
{
    size_t first = cm_options.mmap_threshold;
    large_adapt_threshold(first - 1);
    CHECK(cm_options.mmap_threshold == first);
    large_adapt_threshold(first + 16);
    CHECK(cm_options.mmap_threshold == first + 16);
    CHECK(cm_options.trim_threshold == 2 * (first + 16));
    large_adapt_threshold(first);
    CHECK(cm_options.mmap_threshold == first + 16);
    large_adapt_threshold(MMAP_THRESHOLD_MAX + 1);
    CHECK(cm_options.mmap_threshold == first + 16);
    cm_options.thresholds_fixed = true;
    large_adapt_threshold(MMAP_THRESHOLD_MAX);
    CHECK(cm_options.mmap_threshold == first + 16);
}

static void the_threshold_follows_what_is_freed(void **state)
{
    (void)state;
    assert_ends_well(adapting);
}

/* More than LARGE_ADAPT_MOST: only if they cannot be kept. */
static void adapting_to_large(void)
{
    enum { MORE = LARGE_KEPT + 2 };
    const size_t size = 2 * LARGE_ADAPT_MOST;
    size_t first = cm_options.mmap_threshold;
    mchunkptr c[MORE];
    CHECK(size <= MMAP_THRESHOLD_MAX);
    in_demand();
    cm_option_store(&cm_options.mmap_threshold, first);
    for (int i = 0; i < MORE; i++)
        c[i] = given_large(size, CHUNK_ALIGN);
    for (int i = 0; i < LARGE_KEPT; i++)
        CHECK(large_keep(c[i]) && cm_options.mmap_threshold == first);
    CHECK(!large_keep(c[LARGE_KEPT]) && cm_options.mmap_threshold >= size);
    large_make_way();
    CHECK(large_kept_bytes() == 0);
    cm_option_store(&cm_options.mmap_threshold, first);
    cm_option_store(&cm_options.purge_age, 0); /* nothing is kept */
    CHECK(!large_keep(c[LARGE_KEPT + 1]) && cm_options.mmap_threshold >= size);
}

static void it_follows_large_ones_where_they_are_many(void **state)
{
    (void)state;
    assert_ends_well(adapting_to_large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapping_says_what_it_is),
        cmocka_unit_test(a_mapping_is_aligned_to_any_power_of_two),
        cmocka_unit_test(what_cannot_be_mapped_is_refused),
        arena_test(an_arena_counts_its_mappings),
        cmocka_unit_test(a_resized_mapping_keeps_contents_and_alignment),
        cmocka_unit_test(a_resize_that_is_refused_leaves_it_as_it_was),
        cmocka_unit_test(a_freed_mapping_is_let_go_unless_another_is_asked_for),
        cmocka_unit_test(a_freed_mapping_serves_the_next_request),
        cmocka_unit_test(the_smallest_that_is_large_enough_serves),
        cmocka_unit_test(the_largest_grows_when_none_is_large_enough),
        cmocka_unit_test(the_pages_of_several_are_gathered_for_a_larger_one),
        cmocka_unit_test(a_chunk_that_grows_takes_kept_pages),
        cmocka_unit_test(contents_survive_whatever_is_gathered),
        cmocka_unit_test(nothing_is_gathered_where_there_are_many),
        cmocka_unit_test(what_a_heap_would_serve_makes_way_for_it),
        cmocka_unit_test(live_and_kept_are_never_more_than_was_live),
        cmocka_unit_test(a_kept_mapping_goes_to_one_thread),
        cmocka_unit_test(a_forged_header_is_found),
        cmocka_unit_test(a_header_that_agrees_with_itself_is_found_by_its_seal),
        arena_test(a_forged_list_is_found),
        cmocka_unit_test(a_kept_mapping_that_was_written_to_is_found),
        cmocka_unit_test(a_second_free_of_a_kept_mapping_is_told_apart),
        cmocka_unit_test(the_threshold_follows_what_is_freed),
        cmocka_unit_test(it_follows_large_ones_where_they_are_many),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
