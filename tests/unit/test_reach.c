/* test_reach.c - marking: which chunks words lead to, on a heap that is made up. */
#include "inside.h"

#include "inspect/leak.h"

/* Addresses of a program that does not exist; its bytes are in `bytes`. */
#define BASE ((uintptr_t)(CM_64BIT ? 0x500000000000u : 0x50000000u))
#define ROOM (48 * MIB)

static char *bytes;
static size_t laid; /* bytes of chunks so far */
static reach_t r;

static uintptr_t *words(uintptr_t mem)
{
    return (uintptr_t *)(void *)(bytes + CHUNK_HEADER + (mem - BASE));
}

static void given_a_heap(unsigned step, bool paths)
{
    reach_init(&r, step, UINTPTR_MAX, paths);
    memset(bytes, 0, laid + 64);
    laid = 0;
    assert_true(reach_heap(&r, BASE, BASE + ROOM, bytes + CHUNK_HEADER));
}

/* A chunk of n bytes with its header, behind those there are. */
static uintptr_t chunk(size_t n, bool owned)
{
    uintptr_t mem = BASE + laid;
    chunk_set_word((chunk_t *)(void *)(bytes + laid), n | CHUNK_P | CHUNK_A);
    reach_chunk(&r, mem, owned);
    laid += n;
    return mem;
}

static bool is_marked(uintptr_t address)
{
    reach_found_t found;
    assert_true(reach_find(&r, address, &found));
    return found.marked;
}

static void from_root(uintptr_t word)
{
    reach_word(&r, word, 0);
    reach_drain(&r);
}

static void a_pointer_into_a_chunk_keeps_it(void **state)
{
    (void)state;
    given_a_heap(SIZE_SZ, false);
    uintptr_t a = chunk(64, true), b = chunk(64, true), c = chunk(64, true);
    assert_true(reach_seal(&r));
    from_root(b + 17);
    assert_false(is_marked(a));
    assert_true(is_marked(b));
    assert_false(is_marked(c));
    reach_free(&r);
}

/* int *end = p + n, and nothing else: C allows that pointer. */
static void a_pointer_just_behind_a_chunk_keeps_it(void **state)
{
    (void)state;
    given_a_heap(SIZE_SZ, false);
    uintptr_t a = chunk(64, true), b = chunk(64, true);
    assert_true(reach_seal(&r));
    from_root(a + 64 - SIZE_SZ);
    assert_true(is_marked(a));
    assert_false(is_marked(b));
    reach_free(&r);
}

static void the_start_of_a_huge_chunk_is_found_from_its_end(void **state)
{
    (void)state;
    given_a_heap(SIZE_SZ, false);
    uintptr_t a = chunk(4096, true), huge = chunk(40 * MIB, true), b = chunk(32, true);
    assert_true(reach_seal(&r));
    from_root(huge + 40 * MIB - 32);
    assert_true(is_marked(huge));
    assert_false(is_marked(a));
    assert_false(is_marked(b));
    reach_free(&r);
}

static void chunks_of_every_size_are_told_apart(void **state)
{
    (void)state;
    static uintptr_t mems[4000];
    uint64_t random = announce_seed();
    given_a_heap(SIZE_SZ, false);
    size_t sizes = 0;
    for (size_t i = 0; i < 4000; i++) {
        size_t n =
            CHUNK_MIN + CHUNK_ALIGN * random_below(&random, i % 100 == 0 ? 10000 : 40);
        mems[i] = chunk(n, true);
        sizes += n;
    }
    assert_true(reach_seal(&r));
    for (size_t i = 0; i + 1 < 4000; i++) {
        reach_found_t found;
        uintptr_t inside = mems[i] + random_below(&random, mems[i + 1] - mems[i]);
        assert_true(reach_find(&r, inside, &found));
        assert_int_equal(found.mem, mems[i]);
    }
    assert_true(sizes < ROOM);
    reach_free(&r);
}

static void nobodys_chunks_are_neither_kept_nor_followed(void **state)
{
    (void)state;
    given_a_heap(SIZE_SZ, false);
    uintptr_t cached = chunk(64, false), a = chunk(64, true);
    words(cached)[0] = a;
    assert_true(reach_seal(&r));
    from_root(cached);
    assert_false(is_marked(a));
    reach_free(&r);
}

static void only_what_is_asked_for_is_read_at_odd_addresses(void **state)
{
    (void)state;
    for (unsigned step = 1; step <= SIZE_SZ; step += (unsigned)SIZE_SZ - 1) {
        given_a_heap(step, false);
        uintptr_t a = chunk(64, true), b = chunk(64, true);
        memcpy((char *)words(a) + 13, &b, sizeof b);
        assert_true(reach_seal(&r));
        from_root(a);
        assert_int_equal(is_marked(b), step == 1);
        reach_free(&r);
    }
}

/* In the debug variant the stack has 64 entries. */
static void a_full_stack_loses_nothing(void **state)
{
    (void)state;
    enum { WIDE = 100000 };
    given_a_heap(SIZE_SZ, false);
    uintptr_t hub = chunk((WIDE + 4) * sizeof(uintptr_t), true), last = 0;
    for (size_t i = 0; i < WIDE; i++) {
        uintptr_t leaf = chunk(32, true), behind = chunk(48, true);
        words(hub)[i] = leaf;
        words(leaf)[0] = behind;
        words(behind)[2] = last;
        last = behind;
    }
    assert_true(reach_seal(&r));
    r.stack_room = 64;
    from_root(hub);
    assert_int_equal(r.reached, 2 * WIDE + 1);
    reach_free(&r);
}

static void a_path_leads_back_to_the_root(void **state)
{
    (void)state;
    given_a_heap(SIZE_SZ, true);
    uintptr_t a = chunk(64, true), b = chunk(64, true), c = chunk(64, true);
    words(a)[3] = b + 8;
    words(b)[1] = c;
    assert_true(reach_seal(&r));
    reach_word(&r, a, 0x1234);
    reach_drain(&r);
    reach_found_t found;
    assert_true(reach_find(&r, c, &found));
    assert_int_equal(found.from, b + SIZE_SZ);
    assert_true(reach_find(&r, found.from, &found));
    assert_int_equal(found.from, a + 3 * SIZE_SZ);
    assert_true(reach_find(&r, found.from, &found));
    assert_int_equal(found.from, 0x1234);
    reach_free(&r);
}

/* ---- what heads a leak ---- */

static const leak_t *leak_at(const leak_list_t *list, uintptr_t mem)
{
    for (size_t i = 0; i < list->count; i++)
        if (leak_mem(&list->leaks[i]) == mem)
            return &list->leaks[i];
    fail_msg("no leak at %#zx", (size_t)mem);
    return NULL;
}

static void of_a_structure_only_the_head_is_direct(void **state)
{
    (void)state;
    given_a_heap(SIZE_SZ, false);
    uintptr_t tail = chunk(64, true), middle = chunk(64, true), head = chunk(64, true);
    words(head)[0] = middle;
    words(middle)[0] = tail;
    assert_true(reach_seal(&r));
    leak_list_t *list = leak_list_new(100);
    assert_true(leak_find(&r, NULL, list));
    assert_int_equal(list->count, 3);
    assert_int_equal(leak_at(list, head)->chunks, 3);
    assert_int_equal(leak_at(list, head)->bytes, 3 * (64 - SIZE_SZ));
    assert_false(leak_is_direct(leak_at(list, middle)));
    assert_false(leak_is_direct(leak_at(list, tail)));
    leak_list_free(list);
    reach_free(&r);
}

/* Both in and behind a cycle; the cycle stands first, so that a single pass would name
 * its chunk as well. */
static void a_cycle_has_one_head_and_none_below_another(void **state)
{
    (void)state;
    given_a_heap(SIZE_SZ, false);
    uintptr_t a = chunk(64, true), b = chunk(64, true), c = chunk(64, true);
    uintptr_t alone1 = chunk(64, true), alone2 = chunk(64, true);
    words(a)[0] = b;
    words(b)[0] = a;
    words(c)[0] = b; /* c leads to the cycle */
    words(alone1)[0] = alone2;
    words(alone2)[0] = alone1;
    assert_true(reach_seal(&r));
    leak_list_t *list = leak_list_new(100);
    assert_true(leak_find(&r, NULL, list));
    assert_int_equal(list->count, 5);
    assert_int_equal(leak_at(list, c)->chunks, 3);
    assert_false(leak_is_direct(leak_at(list, a)));
    assert_false(leak_is_direct(leak_at(list, b)));
    assert_int_equal(
        leak_is_direct(leak_at(list, alone1)) + leak_is_direct(leak_at(list, alone2)), 1);
    leak_list_free(list);
    reach_free(&r);
}

static leak_list_t *then_scanned(const leak_list_t *before)
{
    leak_list_t *list = leak_list_new(100);
    assert_true(reach_seal(&r));
    assert_true(leak_find(&r, before, list));
    reach_free(&r);
    return list;
}

/* In between, the program has had `used` in a register, and written to it. */
static void what_was_alive_in_between_is_no_leak(void **state)
{
    (void)state;
    given_a_heap(SIZE_SZ, false);
    uintptr_t lost = chunk(64, true), used = chunk(64, true);
    leak_list_t *first = then_scanned(NULL);
    assert_int_equal(first->count, 2);
    given_a_heap(SIZE_SZ, false);
    chunk(64, true);
    chunk(64, true);
    uintptr_t fresh = chunk(64, true), below = chunk(64, true);
    words(used)[5] = 1;
    words(fresh)[0] = below;
    leak_list_t *second = then_scanned(first);
    assert_int_equal(second->count, 1);
    assert_int_equal(leak_mem(&second->leaks[0]), lost);
    leak_list_free(first);
    leak_list_free(second);
}

static int given_memory(void **state)
{
    (void)state;
    bytes = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    return bytes == MAP_FAILED ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_into_a_chunk_keeps_it),
        cmocka_unit_test(a_pointer_just_behind_a_chunk_keeps_it),
        cmocka_unit_test(the_start_of_a_huge_chunk_is_found_from_its_end),
        cmocka_unit_test(chunks_of_every_size_are_told_apart),
        cmocka_unit_test(nobodys_chunks_are_neither_kept_nor_followed),
        cmocka_unit_test(only_what_is_asked_for_is_read_at_odd_addresses),
        cmocka_unit_test(a_full_stack_loses_nothing),
        cmocka_unit_test(a_path_leads_back_to_the_root),
        cmocka_unit_test(of_a_structure_only_the_head_is_direct),
        cmocka_unit_test(a_cycle_has_one_head_and_none_below_another),
        cmocka_unit_test(what_was_alive_in_between_is_no_leak),
    };
    require_library();
    return cmocka_run_group_tests(tests, given_memory, NULL);
}
