/* test_mem.c - what the kernel has given is counted, and the limits on it. */
#include "inside.h"

#include <sys/mman.h>

static const size_t one = 256 * KIB;

/* Each scenario lives in a child, whose limits are its own. */
#define MEM_TEST(name) \
    static void test_##name(void **state) \
    { \
        (void)state; \
        assert_ends_well(name); \
    }

static size_t start;

static void note(void) { start = os_committed(); }

static bool is_more_by(size_t bytes) { return os_committed() == start + bytes; }

static void mappings_are_counted(void)
{
    note();
    char *p = os_map(one);
    CHECK(p && is_more_by(one));
    CHECK(os_unmap(p + one / 2, one / 2) && is_more_by(one / 2));
    p = os_remap(p, one / 2, 4 * one, true);
    CHECK(p && is_more_by(4 * one));
    p = os_remap(p, 4 * one, one, false);
    CHECK(p && is_more_by(one));
    CHECK(os_purge(p, one) && is_more_by(one));
    CHECK(os_unmap(p, one) && is_more_by(0));
}

static void reserved_memory_is_not_counted(void)
{
    note();
    char *p = os_reserve(4 * one, 4 * one);
    CHECK(p && is_more_by(0));
    CHECK(os_commit(p, one) && is_more_by(one));
    CHECK(os_commit(p + one, one) && is_more_by(2 * one));
    CHECK(os_decommit(p + one, one) && is_more_by(one));
    CHECK(os_release(p, 4 * one, one) && is_more_by(0));
}

static void the_break_is_counted(void)
{
    note();
    void *before = os_break();
    CHECK(before && os_break_move((ptrdiff_t)one) == before && is_more_by(one));
    CHECK(os_break_move(-(ptrdiff_t)one) && is_more_by(0));
}

static void what_fails_is_not_counted(void)
{
    void *p = os_map(one), *r = os_reserve(4 * one, 4 * one);
    CHECK(p && r);
    note();
    os_fail_every(1);
    bool fails = os_map(one) == NULL;
    if (fails) { /* debug variants */
        CHECK(!os_commit(r, one) && !os_remap(p, one, 2 * one, true));
        CHECK(!os_decommit(p, one) && !os_break_move((ptrdiff_t)one));
        CHECK(is_more_by(0));
    }
    os_fail_every(0);
    CHECK(fails == CM_DEBUG);
    note();
    CHECK(!os_map(SIZE_MAX / 4 * 3) && is_more_by(0));
    CHECK(!os_remap(p, one, SIZE_MAX / 4 * 3, true) && is_more_by(0));
}

/* Up to the limit, and not a page more; and nothing changes that was refused. */
static void the_hard_limit_is_exact(void)
{
    char *r = os_reserve(4 * one, 4 * one), *p = os_map(one);
    CHECK(r && p && os_commit(r, one));
    cm_options.limit_hard = os_committed() + one;
    errno = 77;
    CHECK(!os_map(one + os_page) && !os_commit(r + one, one + os_page));
    CHECK(!os_remap(p, one, 2 * one + os_page, true));
    CHECK(!os_break_move((ptrdiff_t)(one + os_page)) && errno == 77);
    p = os_remap(p, one, 2 * one, true);
    CHECK(p != NULL && !os_map(os_page) && !os_break_move((ptrdiff_t)os_page));
    p = os_remap(p, 2 * one, one, true);
    CHECK(p != NULL && os_commit(r + one, one) && !os_map(os_page));
    CHECK(os_decommit(r + one, one));
    CHECK(os_map(one) && !os_map(os_page));
    cm_options.limit_hard = 0;
    CHECK(os_map(one));
}

static void the_soft_limit_asks_first(void)
{
    CHECK(os_may_grow(one) && !os_memory_is_short());
    cm_options.limit_soft = os_committed() + one;
    CHECK(os_may_grow(one) && !os_may_grow(one + 1) && !os_memory_is_short());
    char *p = os_map(2 * one); /* who does not ask is not refused */
    CHECK(p && os_memory_is_short() && !os_may_grow(1));
    CHECK(os_unmap(p, 2 * one) && os_may_grow(one));
}

/* Once all has been given back there is leave to grow by a part of the limit. */
static void past_the_soft_limit(void)
{
    cm_options.limit_soft = os_committed() + one;
    CHECK(os_map(2 * one) && !os_may_grow(1));
    CHECK(os_heed_soft_limit(false));
    CHECK(os_may_grow(64 * one));
    CHECK(!os_heed_soft_limit(true));
    size_t step = 0;
    while (os_may_grow(step + 1024))
        step += 1024;
    CHECK(step > 0 && step <= cm_options.limit_soft / 16 && !os_may_grow(64 * one));
    CHECK(os_map(os_pages(step)) && !os_may_grow(os_page));
}

static void given_cgroup_limit(size_t bytes)
{
    char root[] = "/tmp/cmalloc-mem-XXXXXX", command[300];
    CHECK(mkdtemp(root));
    snprintf(command, sizeof command,
             "cd %s && mkdir -p proc/self sys/fs/cgroup && echo 0::/ >proc/self/cgroup "
             "&& echo %zu >sys/fs/cgroup/memory.max",
             root, bytes);
    CHECK(system(command) == 0);
    os_cgroup_read(root, 0);
    snprintf(command, sizeof command, "rm -rf %s", root);
    CHECK(system(command) == 0);
    CHECK(os_memory_limit() == bytes);
}

static void near_the_cgroups_limit_memory_is_short(void)
{
    size_t now = os_committed();
    given_cgroup_limit(2 * (now + 4 * one));
    CHECK(!os_memory_is_short() && os_may_grow(one));
    given_cgroup_limit(now + now / 8);
    CHECK(os_memory_is_short() && !os_may_grow(1));
    cm_options.limit_soft = 64 * now; /* the lesser one holds */
    CHECK(os_memory_is_short());
    given_cgroup_limit(64 * now);
    CHECK(!os_memory_is_short());
    cm_options.limit_soft = now / 2;
    CHECK(os_memory_is_short());
}

/* Heaps and M chunks come and go; what they took is given back in the end. */
static void the_count_is_of_heaps_and_mappings(void)
{
    note();
    heap_info *h = heap_new(one);
    CHECK(h && is_more_by(h->committed));
    CHECK(heap_grow(h, one) && is_more_by(h->committed));
    heap_delete(h);
    CHECK(is_more_by(0));
    mchunkptr c = large_map(4 * one, CHUNK_ALIGN);
    CHECK(c && is_more_by(large_info_of(c)->mapped));
    CHECK(!large_keep(c) && is_more_by(0));
    zone_t zero;
    CHECK(large_reuse(one, &zero) == NULL); /* from here on they are kept */
    c = large_map(4 * one, CHUNK_ALIGN);
    CHECK(c && large_keep(c) && os_committed() > start);
    large_drop_kept();
    c = large_map(one, 16 * one); /* of the wide mapping only what is needed stays */
    CHECK(c && is_more_by(large_info_of(c)->mapped));
}

/* Two parts, the second one cut out of the middle of a mapping, and a rest that is
 * fresh. */
static char *gathered(size_t size, size_t spare)
{
    char *p = os_map(one), *q = os_map(3 * one);
    CHECK(p && q);
    memset(p, 1, one);
    memset(q, 2, 3 * one);
    note();
    cm_options.limit_hard = spare == SIZE_MAX ? 0 : start + spare;
    char *all = os_gather((os_part_t[]){{p, one}, {q + one, one}}, 2, 2, size);
    CHECK(all == NULL || all != p);
    CHECK(is_all(q, 2, one) && is_all(q + 2 * one, 2, one));
    if (all == NULL)
        CHECK(is_all(p, 1, one) && is_all(q, 2, 3 * one));
    return all;
}

static void what_is_gathered_is_counted_and_moved(void)
{
    char *all = gathered(5 * one, 3 * one);
    CHECK(all && is_more_by(3 * one));
    CHECK(is_all(all, 1, one) && is_all(all + one, 2, one));
    CHECK(is_all(all + 2 * one, 0, 3 * one));
    memset(all, 3, 5 * one);
    CHECK(os_unmap(all, 5 * one) && os_committed() == start - 2 * one);
    cm_options.limit_hard = 0;
    all = gathered(2 * one, 0);
    CHECK(all && is_more_by(0) && is_all(all + one, 2, one));
    cm_options.limit_hard = 0;
    CHECK(gathered(3 * one + os_page, one) == NULL && is_more_by(0));
}

/* The kernel moves no part that the program has made two mappings of. */
static void what_the_program_has_split_is_gathered_too(void)
{
    for (size_t wanted = 0; wanted <= 2; wanted++) {
        char *p = os_map(2 * one), *q = os_map(2 * one);
        CHECK(p && q && madvise(p + os_page, one, MADV_DONTDUMP) == 0);
        CHECK(mprotect(q + one, one, PROT_READ) == 0);
        memset(p, 1, 2 * one);
        memset(q, 2, one);
        note();
        char *all =
            os_gather((os_part_t[]){{p, 2 * one}, {q, 2 * one}}, 2, wanted, 5 * one);
        CHECK(all && is_more_by(one) && is_all(all + 4 * one, 0, one));
        CHECK(wanted < 1 || is_all(all, 1, 2 * one));
        CHECK(wanted < 2 ||
              (is_all(all + 2 * one, 2, one) && is_all(all + 3 * one, 0, one)));
        memset(all, 3, 5 * one);
        CHECK(os_unmap(all, 5 * one));
    }
}

/* Mapping it may fail; what cannot be moved then is copied. */
static void gathering_is_never_half_done(void)
{
    unsigned refused = 0;
    for (unsigned at = 3; at <= 6; at++) { /* 1 and 2 are os_map's */
        os_fail_at(at);
        char *all = gathered(4 * one, SIZE_MAX);
        os_fail_at(0);
        refused += all == NULL;
        CHECK(is_more_by(all == NULL ? 0 : 2 * one));
        CHECK(all == NULL || (is_all(all, 1, one) && is_all(all + one, 2, one) &&
                              is_all(all + 2 * one, 0, 2 * one)));
    }
    CHECK(refused == CM_DEBUG);
}

MEM_TEST(mappings_are_counted)
MEM_TEST(what_is_gathered_is_counted_and_moved)
MEM_TEST(what_the_program_has_split_is_gathered_too)
MEM_TEST(gathering_is_never_half_done)
MEM_TEST(reserved_memory_is_not_counted)
MEM_TEST(the_break_is_counted)
MEM_TEST(what_fails_is_not_counted)
MEM_TEST(the_hard_limit_is_exact)
MEM_TEST(the_soft_limit_asks_first)
MEM_TEST(past_the_soft_limit)
MEM_TEST(near_the_cgroups_limit_memory_is_short)
MEM_TEST(the_count_is_of_heaps_and_mappings)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mappings_are_counted),
        cmocka_unit_test(test_what_is_gathered_is_counted_and_moved),
        cmocka_unit_test(test_what_the_program_has_split_is_gathered_too),
        cmocka_unit_test(test_gathering_is_never_half_done),
        cmocka_unit_test(test_reserved_memory_is_not_counted),
        cmocka_unit_test(test_the_break_is_counted),
        cmocka_unit_test(test_what_fails_is_not_counted),
        cmocka_unit_test(test_the_hard_limit_is_exact),
        cmocka_unit_test(test_the_soft_limit_asks_first),
        cmocka_unit_test(test_past_the_soft_limit),
        cmocka_unit_test(test_near_the_cgroups_limit_memory_is_short),
        cmocka_unit_test(test_the_count_is_of_heaps_and_mappings),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
