/* test_pages.c - the pages that heaps and mappings are made of: huge ones are asked for,
 * forbidden or left to the system, by the option thp. */
#include "inside.h"

/* Whether the mapping that holds p has this flag ("hg": huge pages wanted, "nh": no huge
 * page) in /proc/self/smaps. */
static bool has_flag(const void *p, const char *flag)
{
    char line[512];
    bool found = false, here = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    CHECK(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            here = (uintptr_t)p >= from && (uintptr_t)p < to;
        else if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line + 8, flag) != NULL;
    }
    fclose(maps);
    return found;
}

static bool is_wanted(const void *p) { return has_flag(p, " hg"); }
static bool is_forbidden(const void *p) { return has_flag(p, " nh"); }
static bool is_left_alone(const void *p) { return !is_wanted(p) && !is_forbidden(p); }

static bool kernel_knows_huge_pages(void)
{
    void *p = os_map(4 * MIB);
    CHECK(p);
    bool known = madvise(p, 4 * MIB, MADV_HUGEPAGE) == 0;
    CHECK(os_unmap(p, 4 * MIB));
    return known;
}

static heap_info *given_heap(void)
{
    heap_info *h = heap_new(64 * KIB);
    CHECK(h);
    return h;
}

/* The reserve counts as well as what is committed: it will be. */
static bool all_over(const heap_info *h, bool (*is)(const void *))
{
    return is(h) && is(heap_end(h) - 1) && is(heap_end(h)) &&
           is((const char *)h + h->reserved - 1);
}

static void by_default(void)
{
    heap_info *h = given_heap();
    CHECK(all_over(h, is_left_alone));
    mchunkptr c = large_map(4 * MIB, CHUNK_ALIGN);
    CHECK(c && is_left_alone(c) && os_grain() == os_page);
    heap_use_small_pages(h);
    CHECK(all_over(h, is_forbidden));
    CHECK(heap_grow(h, 256 * KIB) && all_over(h, is_forbidden));
    CHECK(heap_shrink(h, (char *)h + 64 * KIB) > 0);
    heap_use_small_pages(h);
    CHECK(all_over(h, is_forbidden));
}

static void by_default_at_the_break(void)
{
    heap_info *h = heap_new_at_break(64 * KIB);
    CHECK(h && is_left_alone(h) && is_left_alone(heap_end(h) - 1));
    heap_use_small_pages(h);
    CHECK(is_forbidden(h) && is_forbidden(heap_end(h) - 1));
    CHECK(heap_grow(h, 1 * MIB));
    heap_use_small_pages(h);
    CHECK(is_forbidden(h) && is_forbidden(heap_end(h) - 1));
    CHECK(heap_shrink(h, (char *)h + 64 * KIB) > 0 && heap_grow(h, 1 * MIB));
    heap_use_small_pages(h);
    CHECK(is_forbidden(heap_end(h) - 1));
}

static void never(void)
{
    cm_options.thp = THP_NEVER;
    heap_info *h = given_heap();
    CHECK(all_over(h, is_forbidden));
    CHECK(heap_grow(h, 256 * KIB) && heap_shrink(h, (char *)h + 64 * KIB) > 0);
    CHECK(heap_grow(h, 256 * KIB) && all_over(h, is_forbidden));
    mchunkptr c = large_map(4 * MIB, CHUNK_ALIGN);
    CHECK(c && is_forbidden(c));
    h = heap_new_at_break(64 * KIB);
    CHECK(h && heap_grow(h, 1 * MIB) && is_forbidden(h) && is_forbidden(heap_end(h) - 1));
}

/* Huge pages are committed whole. */
static void always(void)
{
    cm_options.thp = THP_ALWAYS;
    bool huge = os_grain() > os_page; /* not in the small heaps of the debug variant */
    CHECK(huge == (HEAP_MAX_SIZE >= 8 * MIB));
    heap_info *h = given_heap();
    CHECK(h->committed % os_grain() == 0);
    CHECK(heap_grow(h, 256 * KIB) && h->committed % os_grain() == 0);
    CHECK(!huge || all_over(h, is_wanted));
    CHECK(heap_shrink(h, (char *)h + 64 * KIB) > 0 && h->committed % os_grain() == 0);
    heap_use_small_pages(h);
    CHECK(!huge || all_over(h, is_wanted));
    mchunkptr c = large_map(4 * MIB, CHUNK_ALIGN);
    CHECK(c && is_wanted(c));
    c = large_map(256 * KIB, CHUNK_ALIGN);
    CHECK(c && is_left_alone(c));
    h = heap_new_at_break(64 * KIB);
    CHECK(h && (uintptr_t)heap_end(h) % os_grain() == 0);
    CHECK(heap_grow(h, 1 * MIB) && (uintptr_t)heap_end(h) % os_grain() == 0);
    CHECK(!huge || is_wanted(heap_end(h) - 1)); /* no whole one may fit before */
}

/* A heap has no room for a huge page more: it takes what it needs. */
static void always_to_the_end(void)
{
    cm_options.thp = THP_ALWAYS;
    heap_info *h = given_heap();
    while (heap_grow(h, os_page)) {
    }
    CHECK(h->committed == h->reserved);
}

static void scenario_if_known(void (*scenario)(void))
{
    if (!kernel_knows_huge_pages())
        skip();
    assert_ends_well(scenario);
}

#define PAGES_TEST(name, scenario) \
    static void name(void **state) \
    { \
        (void)state; \
        scenario_if_known(scenario); \
    }
PAGES_TEST(the_system_decides_until_a_heap_is_purged, by_default)
PAGES_TEST(so_it_is_at_the_break, by_default_at_the_break)
PAGES_TEST(never_means_nowhere, never)
PAGES_TEST(always_means_whole_huge_pages, always)
PAGES_TEST(the_end_of_a_heap_is_used_too, always_to_the_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_decides_until_a_heap_is_purged),
        cmocka_unit_test(so_it_is_at_the_break),
        cmocka_unit_test(never_means_nowhere),
        cmocka_unit_test(always_means_whole_huge_pages),
        cmocka_unit_test(the_end_of_a_heap_is_used_too),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
