/* test_check.c - each kind of damage is planted once, and found with the right words. */
#include "inside.h"

static void do_check(void *unused)
{
    (void)unused;
    check_arena_locked(&own);
}

/* The check ends the process with this fault; the words around it are shown. */
static void assert_found(const char *what, const void *where)
{
    char line[200];
    words_t w = words_of(do_check, NULL);
    int length = snprintf(line, sizeof line, "cmalloc: fatal: %s: 0x%llx\n", what,
                          (unsigned long long)(uintptr_t)where);
    CHECK(w.length >= (size_t)length);
    assert_int_equal(strncmp(w.text, line, (size_t)length), 0);
    snprintf(line, sizeof line, "> 0x%llx  ",
             (unsigned long long)(uintptr_t)where - CHUNK_HEADER);
    /* A heap's first page has none before it, or somebody else's. */
    if ((uintptr_t)where % os_page != 0)
        assert_non_null(strstr(w.text, line));
    assert_true(WIFSIGNALED(w.status));
    assert_int_equal(WTERMSIG(w.status), SIGABRT);
}

static void a_sound_arena_passes(void **state)
{
    given_free(*state, 64), given_free(*state, 5008);
    arena_take_run_locked(*state, 48, CHUNK_ALIGN, 7);
    words_t w = words_of(do_check, NULL);
    assert_string_equal(w.text, "");
    assert_int_equal(w.status, 0);
}

static void all_arenas_are_checked(void **state)
{
    (void)state;
    assert_int_equal(check_all(), arena_count());
    assert_int_equal(cmalloc_check(), arena_count());
}

static void an_arena_that_a_fork_orphaned(void)
{
    CHECK((unsigned)check_all() == arena_count() - 1);
    _exit(0);
}

static void an_orphaned_arena_is_passed_over(void **state)
{
    (void)state;
    assert_true(arena_lock(&main_arena));
    int status = status_in_child(an_arena_that_a_fork_orphaned);
    arena_unlock(&main_arena);
    assert_int_equal(status, 0);
}

/* ---- heaps ------------------------------------------------------------------------- */

static void damage_to_a_heap_info_is_found(void **state)
{
    heap_info *h = own.newest, before = *h;
    (void)state;
    h->magic ^= 1;
    assert_found("heap: wrong magic", h);
    *h = before;
    h->arena = &main_arena;
    assert_found("heap: wrong arena", h);
    *h = before;
    h->reserved = h->committed - 1;
    assert_found("heap: committed > reserved", h);
    *h = before;
    h->newer = h;
    assert_found("heap: broken links", h);
    *h = before;
}

/* ---- chunks ------------------------------------------------------------------------ */

static void a_size_that_no_chunk_has_is_found(void **state)
{
    mchunkptr c = take(*state, 64), next = take(*state, 64);
    size_t word = chunk_word(c);
    chunk_set_word(c, CHUNK_P | CHUNK_A);
    assert_found("invalid size", chunk_mem(c));
    chunk_set_word(c, word + HEAP_MAX_SIZE);
    assert_found("invalid size", chunk_mem(c));
    chunk_set_word(c, word ^ CHUNK_A);
    assert_found("invalid size", chunk_mem(c));
    chunk_set_word(c, word | CHUNK_M);
    assert_found("invalid size", chunk_mem(c));
    chunk_set_word(c, word);
    chunk_set_word(next, word + 24);
    words_t w = words_of(do_check, NULL); /* it leads to where there is no chunk */
    assert_non_null(strstr(w.text, "cmalloc: fatal: "));
    chunk_set_word(next, word);
}

/* A P bit is what tells a free chunk; only the first chunk of a heap has none before it
 * that could be one. */
static void a_p_bit_that_disagrees_is_found(void **state)
{
    mchunkptr first = take(*state, 64);
    first->prev_size = 64;
    chunk_set_word(first, chunk_word(first) & ~CHUNK_P);
    assert_found("P bit disagrees with the chunk before", chunk_mem(first));
    chunk_set_prev_inuse(first);
}

static void two_free_neighbours_are_found(void **state)
{
    mchunkptr a = take(*state, 64), b = take(*state, 64);
    take(*state, CHUNK_MIN);
    arena_give_locked(*state, a);
    size_t word = chunk_word(b);
    chunk_set_free(b, 64, word & CHUNK_FLAGS); /* without a look at a */
    assert_found("two neighbouring free chunks", chunk_mem(b));
    chunk_set_prev_inuse(chunk_next(b));
}

static void a_forged_footer_is_found(void **state)
{
    mchunkptr hole = given_free(*state, 64);
    chunk_next(hole)->prev_size = 80;
    assert_found("size != next->prev_size", chunk_mem(hole));
    chunk_next(hole)->prev_size = 64;
}

/* ---- bins -------------------------------------------------------------------------- */

static void flip(unsigned index)
{
    own.bins.bitmap[index / BIN_WORD_BITS] ^= (size_t)1 << (index % BIN_WORD_BITS);
}

static void a_bitmap_that_disagrees_is_found(void **state)
{
    mchunkptr hole = given_free(*state, 64);
    unsigned index = bin_index(chunk_size(hole));
    flip(index);
    assert_found("bin: bitmap disagrees", &own.bins.first[index]);
    flip(index);
    flip(index + 1);
    assert_found("bin: bitmap disagrees", &own.bins.first[index + 1]);
    flip(index + 1);
}

static void broken_links_are_found(void **state)
{
    mchunkptr a = given_free(*state, 64), b = given_free(*state, 64);
    b->bk = link_hide(b);
    assert_found("broken links", chunk_mem(a));
    b->bk = link_hide(a);
}

static void a_chunk_in_another_bin_is_found(void **state)
{
    mchunkptr hole = given_free(*state, 64);
    unsigned right = bin_index(64), wrong = bin_index(96);
    own.bins.first[wrong] = hole;
    own.bins.first[right] = NULL;
    flip(right), flip(wrong);
    assert_found("bin: chunk of another size", chunk_mem(hole));
    own.bins.first[right] = hole;
    own.bins.first[wrong] = NULL;
    flip(right), flip(wrong);
}

static void a_chunk_in_use_in_a_bin_is_found(void **state)
{
    mchunkptr hole = given_free(*state, 64), behind = chunk_next(hole);
    chunk_set_prev_inuse(behind);
    assert_found("bin: chunk in use", chunk_mem(hole));
    chunk_set_word(behind, chunk_word(behind) & ~CHUNK_P);
}

static void a_free_chunk_in_no_bin_is_found(void **state)
{
    mchunkptr hole = given_free(*state, 64);
    bin_unlink(&own.bins, hole); /* the links that it had are those of one alone */
    assert_found("free chunk in no bin", chunk_mem(hole));
    hole->fd = hole->bk = (size_t)0x4141414141414141;
    if (!emulated()) /* qemu-user does not tell what can be read */
        assert_found("free chunk in no bin", chunk_mem(hole));
    bin_insert(&own.bins, hole);
}

/* ---- chunks that wait ------------------------------------------------------------- */

/* A parked magazine of three, and its first chunk. */
static uintptr_t *given_magazine(arena_t *a)
{
    magazine_t m = arena_take_run_locked(a, 64, CHUNK_ALIGN, 3);
    assert_int_equal(m.count, 3);
    depot_park(&a->depot, class_of(64), m);
    return m.first;
}

static void damage_to_what_waits_in_the_depot_is_found(void **state)
{
    uintptr_t *first = given_magazine(*state), *second = link_next(first);
    uintptr_t mark = first[1], link = first[0], count = second[2];
    first[1] ^= 1;
    assert_found("broken links", first);
    first[1] = mark;
    first[0] = link_hide((char *)second + 8);
    assert_found("broken links", first);
    first[0] = link;
    second[2] = 2;
    assert_found("list: too long", link_next(second));
    second[2] = 4;
    assert_found("magazine: count disagrees", first);
    second[2] = count;
    own.depot.bytes += 64;
    assert_found("depot: bytes disagree", &own.depot);
    own.depot.bytes -= 64;
}

static void lists_that_lead_round_in_a_circle_are_found(void **state)
{
    uintptr_t *below = given_magazine(*state), *above = given_magazine(*state);
    below[2] = link_hide(above);
    assert_found("broken links", above);
    below[2] = link_hide(NULL);
    uintptr_t *second = link_next(above), *third = link_next(second);
    third[0] = link_hide(above);
    assert_found("list: too long", above);
    second[2] = SIZE_MAX;
    const uintptr_t *circle[] = {above, second, third};
    assert_found("list: too long", circle[MAGAZINE_LONGEST % 3]);
    second[2] = 3;
    third[0] = link_hide(NULL);
}

static void a_cached_chunk_of_another_size_is_found(void **state)
{
    uintptr_t *first = given_magazine(*state);
    depot_shelf_t *right = &own.depot.shelf[class_of(64)], *wrong = right + 1;
    wrong->parked = right->parked;
    right->parked = NULL;
    assert_found("invalid size", first);
    right->parked = wrong->parked;
    wrong->parked = NULL;
}

static void the_fault_is_shown_with_its_neighbours(void **state)
{
    mchunkptr before = take(*state, 64), hole = given_free(*state, 128);
    char line[3][100];
    chunk_next(hole)->prev_size = 80;
    words_t w = words_of(do_check, NULL);
    snprintf(line[0], 100, "  before  0x%llx  ",
             (unsigned long long)(uintptr_t)chunk_mem(before) + 64);
    snprintf(line[1], 100, "  chunk   0x%llx  128 bytes  A-P  free\n",
             (unsigned long long)(uintptr_t)chunk_mem(hole));
    snprintf(line[2], 100, "  after   0x%llx  %zu bytes  A--  in use\n",
             (unsigned long long)(uintptr_t)chunk_mem(hole) + 128, (size_t)CHUNK_MIN);
    for (int i = 0; i < 3; i++)
        assert_non_null(strstr(w.text, line[i]));
    chunk_next(hole)->prev_size = 128;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        arena_test(a_sound_arena_passes),
        cmocka_unit_test(all_arenas_are_checked),
        cmocka_unit_test(an_orphaned_arena_is_passed_over),
        arena_test(damage_to_a_heap_info_is_found),
        arena_test(a_size_that_no_chunk_has_is_found),
        arena_test(a_p_bit_that_disagrees_is_found),
        arena_test(two_free_neighbours_are_found),
        arena_test(a_forged_footer_is_found),
        arena_test(a_bitmap_that_disagrees_is_found),
        arena_test(broken_links_are_found),
        arena_test(a_chunk_in_another_bin_is_found),
        arena_test(a_chunk_in_use_in_a_bin_is_found),
        arena_test(a_free_chunk_in_no_bin_is_found),
        arena_test(damage_to_what_waits_in_the_depot_is_found),
        arena_test(lists_that_lead_round_in_a_circle_are_found),
        arena_test(a_cached_chunk_of_another_size_is_found),
        arena_test(the_fault_is_shown_with_its_neighbours),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
