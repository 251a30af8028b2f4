/* test_guard.c - guarded chunks: their pages, who gets them, what is told of faults. */
#include "inside.h"

#include "core/guard.h"
#include "front/place.h"
#include "front/sample.h"

static const guard_trace_t nobody;

/* One allocation in so many has a page. The first miss from here on begins to count. */
static void given_guards_for(size_t one_in)
{
    cm_options.guard_sample = one_in;
    sample_init();
    CHECK(guard_pool.size != 0 && sample_table.guards == one_in);
    cmalloc_thread_flush();
    free(malloc(24));
}

/* Each has one, as long as there are some. */
static void given_guards(void) { given_guards_for(1); }

static void *taken(size_t n, size_t align)
{
    mchunkptr c = place_take_guarded(n, align, &nobody);
    CHECK(c != NULL && guard_has(c));
    return chunk_mem(c);
}

static uintptr_t page_of(const void *mem)
{
    return (uintptr_t)mem & ~(uintptr_t)(os_page - 1);
}

static bool is_low(const void *mem)
{
    return page_of(mem) + os_page / 2 > (uintptr_t)mem;
}

/* ---- a chunk ----------------------------------------------------------------------- */

static void is_a_chunk_at_the_end_of_its_page(void)
{
    given_guards();
    unsigned low = 0;
    for (size_t align = CHUNK_ALIGN; align <= os_page / 4; align *= 2)
        for (size_t n = 0; n + align <= os_page / 2; n += n / 2 + 1) {
            unsigned char *mem = taken(n, align);
            mchunkptr c = chunk_of(mem);
            CHECK(is_aligned(mem, align) && malloc_usable_size(mem) >= n);
            CHECK(mem + chunk_usable(c) == (unsigned char *)page_of(mem) + os_page);
            CHECK(is_low(mem) || chunk_usable(c) < n + 1 + align);
            CHECK(is_all(mem, 0, chunk_usable(c)));
            CHECK((chunk_word(c) & CHUNK_FLAGS) == CHUNK_M);
            CHECK(!os_can_read(page_of(mem) + os_page, 1) &&
                  !os_can_read(page_of(mem) - 1, 1));
            memset(mem, 0xee, chunk_usable(c));
            CHECK(cmalloc_check());
            low += is_low(mem);
            free(mem);
            CHECK(!os_can_read((uintptr_t)mem, 1));
        }
    CHECK(low > 0);
    CHECK(!place_take_guarded(os_page, CHUNK_ALIGN, &nobody));
    CHECK(!place_take_guarded(8, os_page, &nobody));
}

static void a_page_rests_as_long_as_it_can(void)
{
    void *mem[GUARD_SLOTS];
    given_guards();
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < GUARD_SLOTS; i++) {
            void *got = taken(40, CHUNK_ALIGN);
            CHECK(round == 0 || page_of(got) == page_of(mem[i]));
            mem[i] = got;
        }
        CHECK(!place_take_guarded(40, CHUNK_ALIGN, &nobody));
        for (size_t i = 0; i < GUARD_SLOTS; i++)
            free(mem[i]);
    }
}

/* ---- who gets one ------------------------------------------------------------------ */

static void small_allocations_get_one(void)
{
    given_guards();
    unsigned char *a = malloc(24), *b = calloc(3, 10), *c = aligned_alloc(64, 64);
    CHECK(guard_has(a) && guard_has(b) && guard_has(c));
    CHECK(is_all(b, 0, 30) && is_aligned(c, 64));
    memset(a, 7, 24);
    free(c);
    a = realloc(a, 60);
    CHECK(is_all(a, 7, 24));
    memset(a, 7, 60);
    a = realloc(a, os_page + 1000); /* more than a guarded page holds */
    CHECK(!guard_has(a) && is_all(a, 7, 60));
    a = realloc(a, 10);
    CHECK(is_all(a, 7, 10));
    unsigned char *large = malloc(200000);
    CHECK(!guard_has(large));
    free(large);
    free(a);
    free(b);
    CHECK(cmalloc_check());
}

static void when_all_are_taken_others_serve(void)
{
    void *mem[3 * GUARD_SLOTS];
    size_t guarded = 0;
    given_guards();
    for (size_t i = 0; i < 3 * GUARD_SLOTS; i++) {
        mem[i] = malloc(100);
        CHECK(mem[i]);
        memset(mem[i], (int)i, 100);
        guarded += guard_has(mem[i]);
    }
    CHECK(guarded > 0 && guarded <= GUARD_SLOTS && cmalloc_check());
    for (size_t i = 0; i < 3 * GUARD_SLOTS; i++) {
        CHECK(is_all(mem[i], (unsigned char)i, 100));
        free(mem[i]);
    }
}

/* One in a hundred, within a half. Never two at a time: all can have a page. */
static void as_many_as_was_wished(void)
{
    enum { COUNT = 100000 };
    size_t guarded = 0;
    given_guards_for(100);
    for (size_t i = 0; i < COUNT; i++) {
        void *mem = malloc(16 + i % 900);
        guarded += guard_has(mem);
        free(mem);
    }
    CHECK(guarded > COUNT / 150 && guarded < COUNT / 50);
}

static void a_child_has_guards_too(void)
{
    given_guards();
    char *ours = malloc(24);
    CHECK(guard_has(ours));
    pid_t pid = fork();
    if (pid == 0) {
        char *mem = malloc(24);
        CHECK(guard_has(mem));
        memset(mem, 1, 24);
        free(mem);
        free(ours);
        CHECK(cmalloc_check());
        _exit(EXIT_SUCCESS);
    }
    int status;
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
    ours[0] = 1;
    free(ours);
}

/* ---- mistakes ---------------------------------------------------------------------- */

static void a_fault_is_told_apart(void)
{
    guard_fault_t fault;
    given_guards();
    void *first = taken(40, CHUNK_ALIGN), *second = taken(40, CHUNK_ALIGN);
    uintptr_t page = page_of(first);
    CHECK(page_of(second) == page + 2 * os_page);
    const guard_slot_t *a = guard_explain(page + os_page, &fault);
    CHECK(a && ~a->hidden == (uintptr_t)first && a->n == 40 && fault == GUARD_OVERFLOW);
    CHECK(guard_explain(page + os_page + 100, &fault) == a && fault == GUARD_OVERFLOW);
    CHECK(guard_explain(page + 2 * os_page - 1, &fault) == a + 1 &&
          fault == GUARD_UNDERFLOW);
    CHECK(guard_explain(page - 1, &fault) == a && fault == GUARD_UNDERFLOW);
    free(first);
    CHECK(guard_explain((uintptr_t)first + 3, &fault) == a && fault == GUARD_USE);
    CHECK(!guard_explain(page + 6 * os_page, &fault)); /* never used */
    CHECK(!guard_explain(guard_pool.start - 1, &fault));
    CHECK(!guard_explain(guard_pool.start + guard_pool.size, &fault));
    CHECK(!guard_explain((uintptr_t)&fault, &fault));
}

static void do_free(void *mem) { free(mem); }

/* The pool is the test's own from here on: the last test of all. */
static void what_cannot_be_freed_is_fatal(void **state)
{
    (void)state;
    given_guards();
    char *mem = taken(240, CHUNK_ALIGN);
    assert_dies(do_free, mem + CHUNK_ALIGN, PANIC_FOREIGN, mem + CHUNK_ALIGN);
    char *between = (char *)page_of(mem) + os_page + 64;
    assert_dies(do_free, between, PANIC_FOREIGN, between);
    free(mem);
    assert_dies(do_free, mem, PANIC_DOUBLE_FREE, mem);
}

/* ---- running them ------------------------------------------------------------------ */

#define GUARD_TEST(name, scenario) \
    static void name(void **state) \
    { \
        (void)state; \
        assert_ends_well(scenario); \
    }
GUARD_TEST(a_guarded_chunk_is_a_chunk, is_a_chunk_at_the_end_of_its_page)
GUARD_TEST(pages_serve_again_oldest_first, a_page_rests_as_long_as_it_can)
GUARD_TEST(small_allocations_are_guarded, small_allocations_get_one)
GUARD_TEST(without_a_page_a_chunk_is_not_guarded, when_all_are_taken_others_serve)
GUARD_TEST(one_in_so_many_is_guarded, as_many_as_was_wished)
GUARD_TEST(guards_survive_a_fork, a_child_has_guards_too)
GUARD_TEST(faults_are_told_apart, a_fault_is_told_apart)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guarded_chunk_is_a_chunk),
        cmocka_unit_test(pages_serve_again_oldest_first),
        cmocka_unit_test(small_allocations_are_guarded),
        cmocka_unit_test(without_a_page_a_chunk_is_not_guarded),
        cmocka_unit_test(one_in_so_many_is_guarded),
        cmocka_unit_test(guards_survive_a_fork),
        cmocka_unit_test(faults_are_told_apart),
        cmocka_unit_test(what_cannot_be_freed_is_fatal),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
