/*
 * test_family.c - what malloc and its kin promise: C11 7.22.3, POSIX, the glibc manual
 * 3.2.3 and its man pages, as glibc 2.36 keeps them.
 */
#include "support.h"

/* Not declared by the C library any more, or not yet. */
void cfree(void *mem) __attribute__((weak));
void free_sized(void *mem, size_t size) __attribute__((weak));
void free_aligned_sized(void *mem, size_t alignment, size_t size) __attribute__((weak));

enum { ERRNO_MARK = 12345, ABI_ALIGNMENT = 16 };

/* Sizes that no allocator may try to serve, because pointer differences could not
 * express them. */
static const size_t too_large[] = {
    (size_t)PTRDIFF_MAX + 1,
    (size_t)PTRDIFF_MAX + 4096,
    SIZE_MAX - 4096,
    SIZE_MAX - 64,
    SIZE_MAX - 32,
    SIZE_MAX - 16,
    SIZE_MAX - 15,
    SIZE_MAX - 8,
    SIZE_MAX - 7,
    SIZE_MAX - 1,
    SIZE_MAX,
};
enum { TOO_LARGE = sizeof too_large / sizeof *too_large };

#define assert_refused(call) \
    do { \
        errno = 0; \
        assert_null(call); \
        assert_int_equal(errno, ENOMEM); \
    } while (0)

static unsigned char *given_chunk(size_t size, uint64_t tag)
{
    unsigned char *mem = malloc(size);
    assert_non_null(mem);
    pattern_fill(mem, size, tag);
    return mem;
}

/* ---- malloc and free --------------------------------------------------------------- */

static void malloc_of_nothing_is_a_chunk_of_its_own(void **state)
{
    (void)state;
    void *a = malloc(0), *b = malloc(0), *c = calloc(0, 8), *d = calloc(8, 0),
         *e = realloc(NULL, 0);
    void *all[] = {a, b, c, d, e};
    for (size_t i = 0; i < 5; i++) {
        assert_non_null(all[i]);
        assert_true(is_aligned(all[i], ABI_ALIGNMENT));
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(all[i], all[j]);
    }
    for (size_t i = 0; i < 5; i++)
        free(all[i]);
}

static void every_size_is_aligned_and_writable(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 5000; size++) {
        unsigned char *m = malloc(size), *c = calloc(1, size), *r = realloc(NULL, size);
        assert_non_null(m);
        assert_non_null(c);
        assert_non_null(r);
        assert_true(is_aligned(m, ABI_ALIGNMENT));
        assert_true(is_aligned(c, ABI_ALIGNMENT));
        assert_true(is_aligned(r, ABI_ALIGNMENT));
        memset(m, 1, size), memset(c, 2, size), memset(r, 3, size);
        assert_true(is_all(m, 1, size) && is_all(c, 2, size) && is_all(r, 3, size));
        free(m), free(c), free(r);
    }
    for (size_t i = 0; i < BOUNDARY_SIZES; i++) {
        unsigned char *m = given_chunk(boundary_size(i), i);
        assert_true(is_aligned(m, ABI_ALIGNMENT));
        assert_true(pattern_holds(m, boundary_size(i), boundary_size(i), i));
        free(m);
    }
}

static void more_than_ptrdiff_max_is_refused_by_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < TOO_LARGE; i++) {
        size_t n = too_large[i];
        unsigned char *old = given_chunk(100, i);
        assert_refused(malloc(n));
        assert_refused(calloc(1, n));
        assert_refused(calloc(n, 1));
        assert_refused(realloc(NULL, n));
        assert_refused(realloc(old, n));
        assert_refused(reallocarray(old, 1, n));
        assert_refused(memalign(8, n));
        assert_refused(memalign(64, n));
        assert_refused(aligned_alloc(4096, n));
        assert_refused(valloc(n));
        assert_refused(pvalloc(n));
        void *untouched = old;
        assert_int_equal(posix_memalign(&untouched, 64, n), ENOMEM);
        assert_ptr_equal(untouched, old);
        assert_true(pattern_holds(old, 100, 100, i));
        free(old);
    }
}

/* Below PTRDIFF_MAX, and yet more than any address space of 64 bits holds. */
static void more_than_the_machine_has_is_refused(void **state)
{
    (void)state;
    if (SIZE_MAX <= UINT32_MAX)
        skip();
    unsigned char *old = given_chunk(200000, 1);
    for (int shift = 1; shift < 12; shift++) {
        size_t n = (size_t)PTRDIFF_MAX >> shift;
        assert_refused(malloc(n));
        assert_refused(calloc(n / 8, 8));
        assert_refused(realloc(old, n));
        assert_refused(memalign(1 << 21, n));
    }
    assert_refused(malloc(PTRDIFF_MAX));
    assert_true(pattern_holds(old, 200000, 200000, 1));
    free(old);
}

static void free_of_null_does_nothing(void **state)
{
    (void)state;
    errno = ERRNO_MARK;
    free(NULL);
    if (cfree)
        cfree(NULL);
    if (free_sized)
        free_sized(NULL, 0);
    if (free_aligned_sized)
        free_aligned_sized(NULL, 16, 0);
    assert_int_equal(errno, ERRNO_MARK);
}

static void free_keeps_errno(void **state)
{
    (void)state;
    for (size_t i = 0; i < BOUNDARY_SIZES; i++) {
        void *a = malloc(boundary_size(i)), *b = malloc(boundary_size(i));
        errno = ERRNO_MARK;
        free(a);
        free(b);
        assert_int_equal(errno, ERRNO_MARK);
    }
}

static void the_other_names_of_free_free(void **state)
{
    (void)state;
    if (on_peer())
        return;
    const size_t rounds = 64, size = 16 * MIB;
    size_t before = address_space();
    for (size_t i = 0; i < rounds; i++) {
        cfree(given_chunk(size, i));
        free_sized(given_chunk(size, i), size);
        void *aligned = aligned_alloc(4096, size);
        assert_non_null(aligned);
        free_aligned_sized(aligned, 4096, size);
        cfree(given_chunk(40, i));
        free_sized(given_chunk(40, i), 40);
        free_aligned_sized(aligned_alloc(64, 64), 64, 64);
    }
    assert_true(address_space() - before < rounds * size || address_space() < before);
}

/* ---- calloc ------------------------------------------------------------------------ */

static void calloc_refuses_products_that_overflow(void **state)
{
    (void)state;
    const size_t half = (size_t)1 << (sizeof(size_t) * 4);
    const size_t factors[][2] = {
        {SIZE_MAX, 2},           {2, SIZE_MAX},
        {SIZE_MAX, SIZE_MAX},    {half, half},
        {half + 1, half - 1},    {SIZE_MAX / 3 + 1, 3},
        {SIZE_MAX / 16 + 2, 16}, {(size_t)PTRDIFF_MAX / 2 + 1, 2},
    };
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        assert_refused(calloc(factors[i][0], factors[i][1]));
    void *nothing = calloc(0, SIZE_MAX), *none = calloc(SIZE_MAX, 0);
    assert_non_null(nothing);
    assert_non_null(none);
    free(nothing), free(none);
}

/* Leave freed chunks full of ones behind: alone, in a row that merges, and below a
 * survivor. */
static void given_dirty_memory(size_t size)
{
    enum { COUNT = 5 };
    void *chunks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        chunks[i] = malloc(size);
        assert_non_null(chunks[i]);
        memset(chunks[i], 0xff, malloc_usable_size(chunks[i]));
    }
    static const int order[COUNT] = {1, 3, 0, 2, 4};
    for (int i = 0; i < COUNT; i++)
        free(chunks[order[i]]);
}

static void assert_calloc_is_zero(size_t count, size_t size)
{
    enum { CHUNKS = 6 };
    unsigned char *chunks[CHUNKS];
    for (int i = 0; i < CHUNKS; i++) {
        chunks[i] = calloc(count, size);
        assert_non_null(chunks[i]);
        assert_true(is_all(chunks[i], 0, count * size));
        memset(chunks[i], 0xff, malloc_usable_size(chunks[i]));
    }
    for (int i = 0; i < CHUNKS; i++)
        free(chunks[i]);
}

static void calloc_clears_reused_memory_of_every_size(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 2100; size++) {
        given_dirty_memory(size);
        assert_calloc_is_zero(1, size);
    }
    for (size_t i = 0; i < BOUNDARY_SIZES && boundary_size(i) < 600 * KIB; i++) {
        given_dirty_memory(boundary_size(i));
        assert_calloc_is_zero(boundary_size(i), 1);
    }
}

static void calloc_clears_pieces_of_dirty_memory_of_other_sizes(void **state)
{
    (void)state;
    static const size_t dirty[] = {100, 1000, 5000, 40000, 100000, 400000, 3000000};
    for (size_t i = 0; i < sizeof dirty / sizeof *dirty; i++)
        for (size_t size = 8; size <= dirty[i] * 2; size = size * 3 + 8) {
            given_dirty_memory(dirty[i]);
            assert_calloc_is_zero(1, size);
        }
}

static void calloc_clears_what_realloc_and_trim_left(void **state)
{
    (void)state;
    for (size_t size = 64; size <= 8 * MIB; size *= 2) {
        unsigned char *m = malloc(size);
        memset(m, 0xff, malloc_usable_size(m));
        m = realloc(m, size / 4);
        assert_calloc_is_zero(1, size / 2);
        m = realloc(m, size);
        memset(m, 0xff, malloc_usable_size(m));
        free(m);
        malloc_trim(0);
        assert_calloc_is_zero(1, size / 2);
        assert_calloc_is_zero(1, size);
    }
}

/* ---- realloc ----------------------------------------------------------------------- */

static void realloc_of_null_is_malloc(void **state)
{
    (void)state;
    for (size_t i = 0; i < BOUNDARY_SIZES; i++) {
        void *mem = realloc(NULL, boundary_size(i));
        assert_non_null(mem);
        assert_true(malloc_usable_size(mem) >= boundary_size(i));
        free(mem);
    }
}

static void realloc_to_zero_frees_and_returns_null(void **state)
{
    (void)state;
    const size_t small = 1000, small_rounds = 200 * 1000, large = 16 * MIB,
                 large_rounds = 256;
    size_t before = address_space();
    errno = ERRNO_MARK;
    for (size_t i = 0; i < small_rounds; i++)
        assert_null(realloc(malloc(small), 0));
    for (size_t i = 0; i < large_rounds; i++)
        assert_null(realloc(malloc(large), 0));
    assert_null(reallocarray(malloc(small), 0, 16));
    assert_null(reallocarray(malloc(small), 16, 0));
    assert_int_equal(errno, ERRNO_MARK);
    /* Kept, they would be 200 MB and 4 GiB more. */
    assert_true(address_space() < before + 100 * 1000 * 1000 + 32 * large);
}

static void assert_resizes(size_t from, size_t to)
{
    unsigned char *mem = given_chunk(from, from);
    unsigned char *neighbour = given_chunk(from % 4000, to);
    unsigned char *moved = realloc(mem, to);
    assert_non_null(moved);
    assert_true(is_aligned(moved, ABI_ALIGNMENT));
    assert_true(malloc_usable_size(moved) >= to);
    assert_true(pattern_holds(moved, from < to ? from : to, from, from));
    pattern_fill(moved, to, to);
    assert_true(pattern_holds(neighbour, from % 4000, from % 4000, to));
    assert_true(pattern_holds(moved, to, to, to));
    free(moved), free(neighbour);
}

static void realloc_keeps_contents_between_all_kinds_of_sizes(void **state)
{
    (void)state;
    for (size_t from = 1; from <= 700; from += 7)
        for (size_t to = 1; to <= 700; to += 13)
            assert_resizes(from, to);
    for (size_t i = 0; i < BOUNDARY_SIZES; i += 3)
        for (size_t j = i % 11; j < BOUNDARY_SIZES; j += 11)
            if (boundary_size(i) < 3 * MIB || boundary_size(j) < 3 * MIB)
                assert_resizes(boundary_size(i), boundary_size(j));
}

static void realloc_grows_and_shrinks_step_by_step(void **state)
{
    (void)state;
    unsigned char *mem = given_chunk(1, 7);
    size_t size = 1;
    while (size < 48 * MIB) {
        size_t larger = size + size / 3 + 1;
        mem = realloc(mem, larger);
        assert_non_null(mem);
        assert_true(pattern_holds(mem, size, size, 7));
        pattern_fill(mem, size = larger, 7);
        free(malloc(larger % 3000));
    }
    while (size > 1) {
        size_t smaller = size - size / 3 - 1;
        mem = realloc(mem, smaller);
        assert_non_null(mem);
        assert_true(pattern_holds(mem, smaller, size, 7));
        pattern_fill(mem, size = smaller, 7);
    }
    free(mem);
}

static void reallocarray_multiplies_and_refuses_overflow(void **state)
{
    (void)state;
    unsigned char *mem = reallocarray(NULL, 25, 4);
    assert_non_null(mem);
    pattern_fill(mem, 100, 3);
    assert_refused(reallocarray(mem, SIZE_MAX, 2));
    assert_refused(reallocarray(mem, 2, SIZE_MAX));
    size_t half = (size_t)1 << (sizeof(size_t) * 4);
    assert_refused(reallocarray(mem, half, half));
    assert_refused(reallocarray(mem, SIZE_MAX / 3 + 1, 3));
    assert_true(pattern_holds(mem, 100, 100, 3));
    mem = reallocarray(mem, 1000, 1000);
    assert_non_null(mem);
    assert_true(malloc_usable_size(mem) >= 1000 * 1000);
    assert_true(pattern_holds(mem, 100, 100, 3));
    free(mem);
}

/* ---- alignment --------------------------------------------------------------------- */

static void memalign_aligns_to_every_power_of_two(void **state)
{
    (void)state;
    static const size_t sizes[] = {0,    1,     24,     100,    1000,
                                   5000, 33000, 130000, 300000, 3000000};
    for (size_t alignment = 1; alignment <= 64 * MIB; alignment *= 2)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            size_t n = sizes[i];
            unsigned char *m = memalign(alignment, n), *a = aligned_alloc(alignment, n);
            assert_non_null(m);
            assert_non_null(a);
            assert_true(is_aligned(m, alignment) && is_aligned(m, ABI_ALIGNMENT));
            assert_true(is_aligned(a, alignment) && is_aligned(a, ABI_ALIGNMENT));
            pattern_fill(m, n, alignment);
            pattern_fill(a, n, n);
            m = realloc(m, n + n / 2 + 1);
            assert_non_null(m);
            assert_true(pattern_holds(m, n, n, alignment));
            assert_true(pattern_holds(a, n, n, n));
            free(m), free(a);
        }
}

static void memalign_rounds_other_alignments_up(void **state)
{
    (void)state;
    static const size_t rounded[][2] = {
        {0, 16},      {3, 16},        {17, 32},          {24, 32},     {33, 64},
        {48, 64},     {100, 128},     {1000, 1024},      {4095, 4096}, {4097, 8192},
        {6000, 8192}, {MIB - 1, MIB}, {3 * MIB, 4 * MIB}};
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++)
        for (int round = 0; round < 8; round++) {
            void *m = memalign(rounded[i][0], 40), *a = aligned_alloc(rounded[i][0], 41);
            assert_non_null(m);
            assert_non_null(a);
            assert_true(is_aligned(m, rounded[i][1]));
            assert_true(is_aligned(a, rounded[i][1]));
            free(m), free(a);
        }
}

static void memalign_refuses_alignments_that_cannot_be(void **state)
{
    (void)state;
    static const size_t impossible[] = {SIZE_MAX / 2 + 2, SIZE_MAX - 15, SIZE_MAX};
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        errno = 0;
        assert_null(memalign(impossible[i], 8));
        assert_int_equal(errno, EINVAL);
        errno = 0;
        assert_null(aligned_alloc(impossible[i], 8));
        assert_int_equal(errno, EINVAL);
    }
    assert_refused(memalign(SIZE_MAX / 2 + 1, 8));
    assert_refused(memalign(4 * MIB, (size_t)PTRDIFF_MAX - MIB));
}

static void posix_memalign_aligns(void **state)
{
    (void)state;
    for (size_t alignment = sizeof(void *); alignment <= MIB; alignment *= 2)
        for (size_t size = 0; size < 300000; size = size * 5 + 1) {
            void *mem = NULL;
            errno = ERRNO_MARK;
            assert_int_equal(posix_memalign(&mem, alignment, size), 0);
            assert_int_equal(errno, ERRNO_MARK);
            assert_non_null(mem);
            assert_true(is_aligned(mem, alignment) && is_aligned(mem, ABI_ALIGNMENT));
            pattern_fill(mem, size, size);
            free(mem);
        }
}

static void posix_memalign_refuses_and_touches_nothing(void **state)
{
    (void)state;
    static const size_t wrong[] = {0,   1,    2,    3,        sizeof(void *) / 2,
                                   7,   12,   24,   40,       48,
                                   100, 4095, 4104, SIZE_MAX, SIZE_MAX - 7};
    void *const mark = (void *)(uintptr_t)0x5eed;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        void *mem = mark;
        errno = ERRNO_MARK;
        assert_int_equal(posix_memalign(&mem, wrong[i], 64), EINVAL);
        assert_ptr_equal(mem, mark);
        assert_int_equal(errno, ERRNO_MARK);
    }
}

static void valloc_and_pvalloc_serve_whole_pages(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = 0; size < 5 * page; size += 511) {
        void *v = valloc(size), *p = pvalloc(size);
        assert_non_null(v);
        assert_non_null(p);
        assert_true(is_aligned(v, page));
        assert_true(is_aligned(p, page));
        assert_true(malloc_usable_size(v) >= size);
        assert_true(malloc_usable_size(p) >= (size + page - 1) / page * page);
        memset(v, 1, malloc_usable_size(v));
        memset(p, 2, malloc_usable_size(p));
        free(v), free(p);
    }
}

/* ---- malloc_usable_size ------------------------------------------------------------ */

static void usable_size_is_constant_and_writable_to_its_last_byte(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static unsigned char *mem[COUNT];
    static size_t usable[COUNT];
    uint64_t chance = support_seed;
    assert_int_equal(malloc_usable_size(NULL), 0);
    for (size_t i = 0; i < COUNT; i++) {
        size_t size =
            i % 10 ? random_below(&chance, 3000) : random_below(&chance, 300000);
        mem[i] =
            i % 5 ? malloc(size) : memalign((size_t)16 << random_below(&chance, 9), size);
        assert_non_null(mem[i]);
        usable[i] = malloc_usable_size(mem[i]);
        assert_true(usable[i] >= size);
        memset(mem[i], (int)(i & 0xff), usable[i]);
    }
    for (size_t i = 0; i < COUNT; i += 2)
        free(mem[i]);
    for (size_t i = 1; i < COUNT; i += 2) {
        assert_int_equal(malloc_usable_size(mem[i]), usable[i]);
        assert_true(is_all(mem[i], (unsigned char)(i & 0xff), usable[i]));
        mem[i] = realloc(mem[i], usable[i]);
        assert_true(is_all(mem[i], (unsigned char)(i & 0xff), usable[i]));
        free(mem[i]);
    }
}

static int announce(void **state)
{
    (void)state;
    announce_seed();
    return 0;
}

static int heaps_are_sound(void **state)
{
    (void)state;
    check_heaps();
    return 0;
}

#define family_test(f) cmocka_unit_test_teardown(f, heaps_are_sound)

int main(void)
{
    const struct CMUnitTest tests[] = {
        family_test(malloc_of_nothing_is_a_chunk_of_its_own),
        family_test(every_size_is_aligned_and_writable),
        family_test(more_than_ptrdiff_max_is_refused_by_all),
        family_test(more_than_the_machine_has_is_refused),
        family_test(free_of_null_does_nothing),
        family_test(free_keeps_errno),
        family_test(the_other_names_of_free_free),
        family_test(calloc_refuses_products_that_overflow),
        family_test(calloc_clears_reused_memory_of_every_size),
        family_test(calloc_clears_pieces_of_dirty_memory_of_other_sizes),
        family_test(calloc_clears_what_realloc_and_trim_left),
        family_test(realloc_of_null_is_malloc),
        family_test(realloc_to_zero_frees_and_returns_null),
        family_test(realloc_keeps_contents_between_all_kinds_of_sizes),
        family_test(realloc_grows_and_shrinks_step_by_step),
        family_test(reallocarray_multiplies_and_refuses_overflow),
        family_test(memalign_aligns_to_every_power_of_two),
        family_test(memalign_rounds_other_alignments_up),
        family_test(memalign_refuses_alignments_that_cannot_be),
        family_test(posix_memalign_aligns),
        family_test(posix_memalign_refuses_and_touches_nothing),
        family_test(valloc_and_pvalloc_serve_whole_pages),
        family_test(usable_size_is_constant_and_writable_to_its_last_byte),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
