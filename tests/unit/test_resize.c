/* test_resize.c - realloc: in place where it can, moved where it must, never lost. */
#include "inside.h"

#include "front/front.h"

/* Beyond the thread's cache, so that chunks come straight from the arena. */
enum { BIG = CLASS_MAX + 4096 };

/* In a child, whose heap only this test writes to. BIG chunks are neighbours there. */
#define alone(scenario) \
    do { \
        size_t threshold = cm_options.mmap_threshold; \
        cm_options.mmap_threshold = MMAP_THRESHOLD_MAX; \
        assert_ends_well(scenario); \
        cm_options.mmap_threshold = threshold; \
    } while (0)

static bool is_unmoved(void *before, void *after) { return before == after; }

static void grow_next_to_free(void)
{
    char *mem = malloc(BIG), *next = malloc(BIG), *fence = malloc(BIG);
    pattern_fill(mem, BIG, 3);
    CHECK(next == mem + chunk_size(chunk_of(mem)));
    free(next);
    CHECK(is_unmoved(mem, front_realloc(mem, BIG + 10000)));
    CHECK(pattern_holds(mem, BIG, BIG, 3));
    CHECK(front_usable(mem) >= BIG + 10000);
    void *moved = front_realloc(mem, 3 * BIG); /* fence is in the way */
    CHECK(moved != mem && pattern_holds(moved, BIG, BIG, 3));
    free(moved), free(fence);
}

static void a_chunk_grows_where_it_stands_or_moves(void **state)
{
    (void)state;
    alone(grow_next_to_free);
}

static void grow_small(void)
{
    char *mem = malloc(1500), *moved;
    uintptr_t before = (uintptr_t)mem;
    pattern_fill(mem, 1500, 4);
    moved = front_realloc(mem, 2000); /* though top follows */
    CHECK((uintptr_t)moved != before && pattern_holds(moved, 1500, 1500, 4));
    CHECK(front_usable(moved) >= 2000 + 2000 / 4);
    CHECK(is_unmoved(moved, front_realloc(moved, 2500)));
    moved = front_realloc(moved, 8000);
    CHECK(front_usable(moved) >= 9000 && front_usable(moved) < 10000);
    CHECK(pattern_holds(moved, 1500, 1500, 4));
    free(moved);
}

static void a_small_chunk_that_grows_moves_and_has_room_for_more(void **state)
{
    (void)state;
    alone(grow_small);
}

static void shrink_in_place(void)
{
    char *mem = malloc(BIG), *fence = malloc(BIG);
    pattern_fill(mem, BIG, 5);
    CHECK(is_unmoved(mem, front_realloc(mem, BIG - 200))); /* not worth a cut */
    CHECK(front_usable(mem) >= BIG);
    CHECK(is_unmoved(mem, front_realloc(mem, 5000)));
    CHECK(front_usable(mem) >= 5000 && front_usable(mem) < 5100);
    CHECK(pattern_holds(mem, 5000, BIG, 5));
    CHECK(chunk_is_free(chunk_next(chunk_of(mem)))); /* the rest serves others */
    free(mem), free(fence);
}

static void a_chunk_is_cut_when_a_quarter_or_more_is_over(void **state)
{
    (void)state;
    alone(shrink_in_place);
}

static void shrink_small(void)
{
    enum { SMALL = 900 };
    char *mem = malloc(SMALL), *other = malloc(SMALL);
    size_t have = front_usable(mem);
    pattern_fill(mem, SMALL, 6);
    CHECK(is_unmoved(mem, front_realloc(mem, SMALL - SMALL / 5)));
    CHECK(front_usable(mem) == have);
    uintptr_t before = (uintptr_t)mem;
    mem = front_realloc(mem, 100);
    CHECK((uintptr_t)mem != before && front_usable(mem) < 200);
    CHECK(pattern_holds(mem, 100, SMALL, 6));
    void *again = malloc(SMALL); /* what it has left is whole */
    CHECK((uintptr_t)again == before && front_usable(again) == have);
    free(mem), free(other), free(again);
}

static void a_small_chunk_that_shrinks_moves_and_leaves_its_place_whole(void **state)
{
    (void)state;
    alone(shrink_small);
}

static void usable_fits(void)
{
    for (size_t n = 1; n < 3 * BIG; n = n + n / 7 + 1) {
        void *mem = malloc(n);
        size_t usable = front_usable(mem);
        CHECK(is_unmoved(mem, front_realloc(mem, usable)));
        CHECK(front_usable(mem) == usable);
        free(mem);
    }
}

static void what_fits_already_stays(void **state)
{
    (void)state;
    alone(usable_fits);
}

static void byte_by_byte(void)
{
    unsigned moves = 0;
    char *string = malloc(1), *other = malloc(1);
    for (size_t n = 1; n < CLASS_MAX / 2; n++) {
        string[n - 1] = (char)n;
        char *longer = front_realloc(string, n + 1);
        moves += longer != string;
        if (longer != string) {
            free(other);
            other = malloc(n + 1); /* behind it, in its way */
        }
        string = longer;
    }
    CHECK(moves < 100);
    for (size_t n = 1; n < CLASS_MAX / 2; n++)
        CHECK(string[n - 1] == (char)n);
    free(string), free(other);
}

static void a_string_that_grows_by_bytes_moves_seldom(void **state)
{
    (void)state;
    alone(byte_by_byte);
}

static void between_heap_and_mapping(void)
{
    size_t large = 3 * HEAP_MAX_SIZE;
    char *mem = malloc(large);
    CHECK(is_mmapped(mem));
    pattern_fill(mem, large, 7);
    mem = front_realloc(mem, 2 * large);
    CHECK(is_mmapped(mem) && pattern_holds(mem, large, large, 7));
    mem = front_realloc(mem, large / 2);
    CHECK(is_mmapped(mem) && pattern_holds(mem, large / 2, large, 7));
    mem = front_realloc(mem, 1000); /* a mapping would be waste */
    CHECK(!is_mmapped(mem) && pattern_holds(mem, 1000, large, 7));
    pattern_fill(mem, 1000, 8);
    mem = front_realloc(mem, large);
    CHECK(is_mmapped(mem) && pattern_holds(mem, 1000, 1000, 8));
    mchunkptr c = chunk_of(mem);
    CHECK(large_info_of(c)->arena == thread_self->arena); /* listed again */
    free(mem);
}

static void chunks_change_between_heap_and_mapping(void **state)
{
    (void)state;
    alone(between_heap_and_mapping);
}

static void refused(void)
{
    static const size_t sizes[] = {100, BIG, 3 * HEAP_MAX_SIZE};
    for (int i = 0; i < 3; i++) {
        void *mem = malloc(sizes[i]);
        pattern_fill(mem, sizes[i], 11);
        size_t usable = front_usable(mem);
        CHECK(!CM_64BIT || front_realloc(mem, REQUEST_MAX) == NULL);
        CHECK(front_realloc(mem, SIZE_MAX) == NULL);
        CHECK(front_usable(mem) == usable);
        CHECK(pattern_holds(mem, sizes[i], sizes[i], 11));
        free(mem);
    }
    check_heaps();
}

static void a_refusal_leaves_the_chunk_as_it_was(void **state)
{
    (void)state;
    alone(refused);
}

static void at_random(void)
{
    enum { COUNT = 40 };
    void *mem[COUNT] = {NULL};
    size_t size[COUNT] = {0};
    uint64_t chance = support_seed;
    for (int round = 0; round < 20000; round++) {
        size_t i = random_below(&chance, COUNT);
        size_t n = 1 + (random_below(&chance, 300000) >> random_below(&chance, 18));
        size_t least = n < size[i] ? n : size[i];
        mem[i] = mem[i] == NULL ? malloc(n) : front_realloc(mem[i], n);
        CHECK(mem[i] != NULL && front_usable(mem[i]) >= n);
        CHECK(pattern_holds(mem[i], least, size[i], i));
        pattern_fill(mem[i], size[i] = n, i);
        if (round % 500 == 0)
            CHECK(check_all() > 0);
    }
}

static void whatever_the_sizes_contents_stay(void **state)
{
    (void)state;
    alone(at_random);
}

static void do_realloc(void *mem) { front_realloc(mem, 200); }

static void what_is_not_ours_is_not_resized(void **state)
{
    static _Alignas(16) size_t words[8];
    const size_t at = CHUNK_ALIGN / SIZE_SZ; /* the payload, behind its size */
    (void)state;
    words[at - 1] = 64 | CHUNK_P;
    char *mem = malloc(100);
    assert_dies(do_realloc, mem + SIZE_SZ, "misaligned pointer", mem + SIZE_SZ);
    assert_dies(do_realloc, &words[at], "foreign pointer", &words[at]);
    words[at - 1] |= CHUNK_A;
    assert_dies(do_realloc, &words[at], "foreign pointer", &words[at]);
    free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chunk_grows_where_it_stands_or_moves),
        cmocka_unit_test(a_small_chunk_that_grows_moves_and_has_room_for_more),
        cmocka_unit_test(a_chunk_is_cut_when_a_quarter_or_more_is_over),
        cmocka_unit_test(a_small_chunk_that_shrinks_moves_and_leaves_its_place_whole),
        cmocka_unit_test(what_fits_already_stays),
        cmocka_unit_test(a_string_that_grows_by_bytes_moves_seldom),
        cmocka_unit_test(chunks_change_between_heap_and_mapping),
        cmocka_unit_test(a_refusal_leaves_the_chunk_as_it_was),
        cmocka_unit_test(whatever_the_sizes_contents_stay),
        cmocka_unit_test(what_is_not_ours_is_not_resized),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
