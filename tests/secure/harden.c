/* harden.c - what the secure variant promises, each by itself. Off: secure.mk. */
#include "../unit/inside.h"

#include "front/quarantine.h"

#include <pthread.h>

/* ---- headers ----------------------------------------------------------------------- */

static void do_free(void *mem) { free(mem); }

static void do_realloc(void *mem) { (void)realloc(mem, 5000); }

static void do_usable(void *mem) { (void)malloc_usable_size(mem); }

/* The word before mem changes, as by an overflow that knows everything but the key. */
static void with_word(void *mem, size_t word, void (*act)(void *))
{
    size_t before = ((size_t *)mem)[-1];
    ((size_t *)mem)[-1] = word;
    assert_dies(act, mem, "damaged header", mem);
    ((size_t *)mem)[-1] = before;
}

static void no_header_can_be_made_up(void **state)
{
    (void)state;
    char *mem = malloc(100), *other = malloc(100);
    size_t word = size_word(mem);
    static void (*const acts[])(void *) = {do_free, do_realloc, do_usable};
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        with_word(mem, word + 32, acts[i]);
        with_word(mem, word ^ CHUNK_P, acts[i]);
        with_word(mem, word & CHUNK_SEALED_MASK, acts[i]);
        with_word(mem, size_word(other), acts[i]); /* right, but elsewhere */
    }
    free(mem);
    free(other);
}

static void headers_say_what_they_said(void **state)
{
    (void)state;
    uint64_t chance = support_seed;
    for (int i = 0; i < 1000; i++) {
        size_t n = random_below(&chance, 3000);
        char *mem = malloc(n);
        const chunk_t *c = chunk_of(mem);
        assert_true(chunk_size(c) >= n + CHUNK_OVERHEAD && chunk_size(c) < n + 4096);
        assert_int_equal(chunk_word(c) >> ADDRESS_BITS, 0);
        free(mem);
    }
}

/* ---- canaries ---------------------------------------------------------------------- */

static void a_byte_beyond_the_usable_ones_is_found(void **state)
{
    (void)state;
    for (size_t n = 1; n < 200000; n = n * 3 + 1) {
        char *mem = malloc(n);
        size_t usable = malloc_usable_size(mem);
        if (is_mmapped(mem)) {
            free(mem);
            continue;
        }
        memset(mem, 'x', usable);
        char before = mem[usable + 1];
        mem[usable + 1] = (char)(before ^ 1);
        assert_dies(do_free, mem, "overflow", mem);
        mem[usable + 1] = before;
        free(mem);
    }
}

static void overflow_then_grow(void *mem)
{
    size_t usable = malloc_usable_size(mem);
    ((char *)mem)[usable] = 'x';
    (void)realloc(mem, 10000);
}

static void realloc_finds_it_too(void **state)
{
    (void)state;
    void *mem = malloc(300);
    assert_dies(overflow_then_grow, mem, "overflow", mem);
    free(mem);
}

static void free_write_free(void *mem)
{
    free(mem);
    memset(mem, 'x', 16);
    free(mem);
}

static void a_second_free_is_found_whatever_was_written_between(void **state)
{
    (void)state;
    static const size_t sizes[] = {24, 500, 5000, 30000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *mem = malloc(sizes[i]), *wall = malloc(100);
        assert_dies(free_write_free, mem, "double free", mem);
        free(mem);
        free(wall);
    }
}

static void in_place_growth_leaves_no_canary_behind(void **state)
{
    (void)state;
    size_t *mem = malloc(40000), *wall = malloc(40000);
    size_t at = malloc_usable_size(mem) / sizeof(size_t), canary = mem[at];
    free(wall);
    size_t *grown = realloc(mem, 50000);
    if (grown == mem)
        assert_int_not_equal(grown[at], canary);
    free(grown);
}

/* ---- what was freed ---------------------------------------------------------------- */

static void what_is_freed_is_zeroed_and_not_handed_out_at_once(void **state)
{
    (void)state;
    for (size_t n = 24; n < 20000; n *= 3) {
        char *mem = malloc(n);
        memset(mem, 'x', n);
        free(mem);
        assert_true(is_all(mem + 2 * SIZE_SZ, 0, n - 2 * SIZE_SZ));
        for (int i = 0; i < 3; i++) {
            char *next = malloc(n);
            assert_ptr_not_equal(next, mem);
            free(next);
        }
    }
}

static void *free_in_thread(void *mem)
{
    free(mem);
    assert_non_null(thread_self->quarantine);
    assert_int_equal(thread_self->quarantine->bytes, chunk_size(chunk_of(mem)));
    return NULL;
}

static void a_thread_that_only_frees_holds_back_as_well(void **state)
{
    (void)state;
    pthread_t thread;
    void *mem = malloc(100);
    assert_int_equal(pthread_create(&thread, NULL, free_in_thread, mem), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void what_was_held_back_comes_out_again(void **state)
{
    (void)state;
    size_t resident_before = 0;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 10000; i++) {
            void *mem = malloc(500);
            memset(mem, 1, 500);
            free(mem);
        }
        if (round == 4)
            resident_before = resident();
    }
    assert_true(resident() < resident_before + MIB);
    cmalloc_thread_flush();
    check_heaps();
}

/* ---- chance ------------------------------------------------------------------------ */

static void the_order_of_chunks_is_a_matter_of_chance(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    char *mem[COUNT];
    unsigned neighbours = 0;
    for (int i = 0; i < COUNT; i++)
        mem[i] = malloc(88);
    for (int i = 1; i < COUNT; i++)
        neighbours += mem[i] - mem[i - 1] == (ptrdiff_t)chunk_size(chunk_of(mem[0]));
    assert_true(neighbours < COUNT * 3 / 4);
    for (int i = 0; i < COUNT; i++)
        free(mem[i]);
}

/* ---- pages ------------------------------------------------------------------------- */

static void write_at(void *at) { *(volatile char *)at = 1; }

static void assert_faults(void *at)
{
    words_t w = words_of(write_at, at);
    assert_true(WIFSIGNALED(w.status) && WTERMSIG(w.status) == SIGSEGV);
}

static void behind_a_mapping_nothing_can_be_written(void **state)
{
    (void)state;
    char *mem = malloc(MIB), *aligned = memalign(8192, MIB);
    assert_true(is_mmapped(mem) && is_mmapped(aligned));
    assert_faults(mem + malloc_usable_size(mem));
    assert_faults(aligned + malloc_usable_size(aligned));
    memset(mem, 'x', malloc_usable_size(mem));
    static const size_t sizes[] = {2 * MIB, 8 * MIB, 3 * MIB, 3 * MIB - 4096, 4 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mem = realloc(mem, sizes[i]);
        assert_true(is_all(mem, 'x', MIB));
        mem[malloc_usable_size(mem) - 1] = 'y';
        assert_faults(mem + malloc_usable_size(mem));
    }
    free(mem);
    free(aligned);
}

static void a_heap_ends_before_its_last_page(void **state)
{
    (void)state;
    heap_info *h = heap_new(1);
    while (heap_grow(h, os_page)) {
    }
    assert_int_equal(h->committed, h->reserved - os_page);
    assert_faults(heap_end(h));
    heap_delete(h);
}

static void options_and_secrets_cannot_be_written(void **state)
{
    (void)state;
    assert_faults(&link_secret);
    assert_faults(&seal_key);
    assert_faults(&cm_options.canary);
    assert_int_equal(mallopt(M_TOP_PAD, 4096), 1); /* but by those who may */
    assert_int_equal(cm_options.top_pad, 4096);
    assert_faults(&cm_options.top_pad);
}

/* ---- sizes ------------------------------------------------------------------------- */

void free_sized(void *mem, size_t n);
void free_aligned_sized(void *mem, size_t align, size_t n);

static void free_as_larger(void *mem) { free_sized(mem, 1000); }

static void free_as_much_smaller(void *mem) { free_sized(mem, 10); }

static void free_as_aligned(void *mem) { free_aligned_sized(mem, 4096, 100); }

static void a_size_or_alignment_that_cannot_be_is_told(void **state)
{
    (void)state;
    char *mem = malloc(100), *large = malloc(30000);
    while (is_aligned(mem, 4096)) /* never, but for chance */
        mem = malloc(100);
    assert_dies(free_as_larger, mem, "wrong size or alignment", mem);
    assert_dies(free_as_aligned, mem, "wrong size or alignment", mem);
    assert_dies(free_as_much_smaller, large, "wrong size or alignment", large);
    free_sized(mem, 100);
    free_sized(large, 30000);
    free_sized(realloc(malloc(50000), 45000), 45000);
    free_aligned_sized(memalign(4096, 500), 4096, 500);
}

/* A heap has got a part of the addresses that it might have. The kernel mostly puts a
 * mapping into the rest. */
static void a_mapping_behind_a_small_heap_can_be_freed(void **state)
{
    (void)state;
    enum { MOST = 4096, SIZE = 4 * MMAP_THRESHOLD_DEFAULT };
    static void *mapped[MOST];
    struct rlimit before, tight;
    size_t count = 0;
    heap_info *h;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    tight = before;
    tight.rlim_cur = address_space() + HEAP_MAX_SIZE * 3 / 4;
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    h = heap_new(1);
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    assert_non_null(h);
    assert_true(h->reserved < HEAP_MAX_SIZE);
    bool behind = false;
    while (!behind && count < MOST) {
        mapped[count] = malloc(SIZE);
        assert_non_null(mapped[count]);
        behind = heap_of(chunk_of(mapped[count++])) == h;
    }
    while (count > 0)
        free(mapped[--count]);
    heap_delete(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_header_can_be_made_up),
        cmocka_unit_test(headers_say_what_they_said),
        cmocka_unit_test(a_byte_beyond_the_usable_ones_is_found),
        cmocka_unit_test(realloc_finds_it_too),
        cmocka_unit_test(a_second_free_is_found_whatever_was_written_between),
        cmocka_unit_test(in_place_growth_leaves_no_canary_behind),
        cmocka_unit_test(what_is_freed_is_zeroed_and_not_handed_out_at_once),
        cmocka_unit_test(a_thread_that_only_frees_holds_back_as_well),
        cmocka_unit_test(what_was_held_back_comes_out_again),
        cmocka_unit_test(the_order_of_chunks_is_a_matter_of_chance),
        cmocka_unit_test(behind_a_mapping_nothing_can_be_written),
        cmocka_unit_test(a_heap_ends_before_its_last_page),
        cmocka_unit_test(a_mapping_behind_a_small_heap_can_be_freed),
        cmocka_unit_test(options_and_secrets_cannot_be_written),
        cmocka_unit_test(a_size_or_alignment_that_cannot_be_is_told),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
