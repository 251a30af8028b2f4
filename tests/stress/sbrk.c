/*
 * sbrk.c - the main arena shares the break with others: programs that move it themselves,
 * up and down, by odd amounts, between calls of malloc; and a break that cannot move at
 * all.
 */
#include "../unit/support.h"

/* What the program itself got from sbrk, and what malloc gave it, side by side. */
enum { OWN = 64, CHUNKS = 300 };

typedef struct range {
    unsigned char *mem;
    size_t size;
    uint64_t tag;
} range_t;

static range_t own[OWN], chunks[CHUNKS];
static size_t own_count;

static void check_range(const range_t *r)
{
    CHECK(pattern_holds(r->mem, r->size, r->size, r->tag));
}

static void check_all(void)
{
    for (size_t i = 0; i < own_count; i++)
        check_range(&own[i]);
    for (size_t i = 0; i < CHUNKS; i++)
        if (chunks[i].mem)
            check_range(&chunks[i]);
    check_heaps();
}

static void take_break(uint64_t *chance)
{
    static const size_t amounts[] = {1, 7, 16, 100, 4096, 5000, 65536, 131072 + 3};
    size_t size = amounts[random_below(chance, sizeof amounts / sizeof *amounts)];
    if (own_count == OWN)
        return;
    void *got = sbrk((intptr_t)size);
    CHECK(got != (void *)-1);
    own[own_count] = (range_t){got, size, next_random(chance)};
    pattern_fill(got, size, own[own_count++].tag);
}

/* Only what lies at the very end can be given back: whoever moved the break after us
 * keeps it. */
static void give_break_back(void)
{
    if (own_count == 0)
        return;
    range_t *last = &own[own_count - 1];
    check_range(last);
    if (sbrk(0) == last->mem + last->size) {
        CHECK(sbrk(-(intptr_t)last->size) != (void *)-1);
        own_count--;
    }
}

static void move_chunk(uint64_t *chance)
{
    range_t *r = &chunks[random_below(chance, CHUNKS)];
    if (r->mem) {
        check_range(r);
        free(r->mem);
        r->mem = NULL;
        return;
    }
    r->size = 1 + random_below(chance, (size_t)1 << random_below(chance, 17));
    r->tag = next_random(chance);
    r->mem = random_below(chance, 2) ? malloc(r->size) : calloc(1, r->size);
    CHECK(r->mem);
    pattern_fill(r->mem, r->size, r->tag);
}

static void the_program_moves_the_break_too(void)
{
    uint64_t chance = support_seed;
    for (size_t i = 0; i < at_length(30000, 1000000); i++) {
        size_t what = random_below(&chance, 100);
        if (what < 2)
            take_break(&chance);
        else if (what < 5)
            give_break_back();
        else if (what == 5 && random_below(&chance, 20) == 0)
            malloc_trim(0);
        else
            move_chunk(&chance);
        if (i % 1000 == 0)
            check_all();
    }
    for (size_t i = 0; i < CHUNKS; i++)
        free(chunks[i].mem), chunks[i].mem = NULL;
    malloc_trim(0);
    check_all();
}

/* calloc must not take the program's old bytes for zero, when it gets their place from
 * sbrk. */
static void memory_given_back_to_the_break_is_cleared(void)
{
    for (int round = 0; round < 50; round++) {
        const size_t size = 300 * KIB + (size_t)round * 1000;
        malloc_trim(0);
        void *got = sbrk((intptr_t)size);
        CHECK(got != (void *)-1);
        memset(got, 0xff, size);
        CHECK(sbrk(-(intptr_t)size) != (void *)-1);
        void *zeros[20];
        for (int i = 0; i < 20; i++) {
            zeros[i] = calloc(1, 30 * KIB);
            CHECK(zeros[i] && is_all(zeros[i], 0, 30 * KIB));
        }
        for (int i = 0; i < 20; i++)
            free(zeros[i]);
    }
}

/* Something in the way, as close to the break as a mapping can be. */
static void obstruct_break(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = ((uintptr_t)sbrk(0) + page - 1) / page * page;
    void *wall = mmap((void *)end, page, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(wall == (void *)end);
    CHECK(sbrk((intptr_t)page) == (void *)-1);
}

static void fill_and_empty(bool through_the_wall)
{
    enum { COUNT = 3000, SIZE = 20000 };
    static unsigned char *mem[COUNT];
    bool beyond = false;
    for (size_t i = 0; i < COUNT; i++) {
        mem[i] = malloc(SIZE);
        CHECK(mem[i]);
        pattern_fill(mem[i], SIZE, i);
        beyond |= in_allocated_heap(mem[i]);
    }
    CHECK(beyond == through_the_wall || on_peer());
    check_heaps();
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(pattern_holds(mem[i], SIZE, SIZE, i));
        free(mem[i]);
    }
    check_heaps();
}

static void without_the_break_the_main_arena_goes_on(void)
{
    fill_and_empty(false);
    malloc_trim(0); /* else the next ones lie where these lay */
    obstruct_break();
    fill_and_empty(true);
    malloc_trim(0);
    fill_and_empty(true);
    unsigned char *large = malloc(100 * KIB);
    for (size_t size = 100 * KIB; size < 20 * MIB; size += size / 2) {
        large = realloc(large, size);
        CHECK(large);
        memset(large, 1, size);
    }
    free(large);
    check_heaps();
}

static void a_break_refused_from_the_first_call_on(void)
{
    obstruct_break();
    fill_and_empty(true);
    check_all();
}

/* Other users take the break away in between: the main arena has more than one heap
 * there. */
static void heaps_at_the_break_with_gaps(void)
{
    enum { ROUNDS = 40 };
    void *mem[ROUNDS][8];
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < 8; i++) {
            mem[r][i] = malloc(25 * KIB);
            CHECK(mem[r][i]);
            memset(mem[r][i], r, 25 * KIB);
        }
        void *gap = sbrk(3000);
        CHECK(gap != (void *)-1);
        memset(gap, 0xee, 3000);
    }
    check_heaps();
    for (int r = 0; r < ROUNDS; r++)
        for (int i = 0; i < 8; i++) {
            CHECK(is_all(mem[r][i], (unsigned char)r, 25 * KIB));
            free(mem[r][i]);
        }
    check_heaps();
    malloc_trim(0);
    check_heaps();
}

/* musl's sbrk only tells where the break is. */
static void skip_without_sbrk(void)
{
    if (sbrk(4096) == (void *)-1)
        skip();
    CHECK(sbrk(-4096) != (void *)-1);
}

#define TEST_OF(scenario) \
    static void test_##scenario(void **state) \
    { \
        (void)state; \
        skip_without_sbrk(); \
        assert_ends_well(scenario); \
    }

TEST_OF(the_program_moves_the_break_too)
TEST_OF(memory_given_back_to_the_break_is_cleared)
static void test_without_the_break_the_main_arena_goes_on(void **state)
{
    (void)state;
    skip_if_emulated(); /* little room for the break there */
    assert_ends_well(without_the_break_the_main_arena_goes_on);
}

static void test_a_break_refused_from_the_first_call_on(void **state)
{
    (void)state;
    skip_if_emulated(); /* what lies behind the break is the emulator's */
    assert_ends_well(a_break_refused_from_the_first_call_on);
}
TEST_OF(heaps_at_the_break_with_gaps)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_program_moves_the_break_too),
        cmocka_unit_test(test_memory_given_back_to_the_break_is_cleared),
        cmocka_unit_test(test_without_the_break_the_main_arena_goes_on),
        cmocka_unit_test(test_a_break_refused_from_the_first_call_on),
        cmocka_unit_test(test_heaps_at_the_break_with_gaps),
    };
    require_library();
    announce_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
