/* test_pages.c - the pages that heaps and mappings are made of: huge ones are asked for,
 * forbidden or left to the system, by the option thp; and our pages may be larger than
 * the kernel's, by the option page_size of debug variants. */
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
    /* An emulator takes any advice, and does nothing about it. */
    bool known = madvise(p, 4 * MIB, -1) != 0 && madvise(p, 4 * MIB, MADV_HUGEPAGE) == 0;
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
static void so_it_is_at_the_break(void **state)
{
    (void)state;
    if (!sbrk_moves())
        skip();
    scenario_if_known(by_default_at_the_break);
}
PAGES_TEST(never_means_nowhere, never)
PAGES_TEST(always_means_whole_huge_pages, always)
PAGES_TEST(the_end_of_a_heap_is_used_too, always_to_the_end)

/* ---- pages larger than the kernel's ------------------------------------------------ */

#if CM_DEBUG
static char self[4096];

static bool is_page(const void *p) { return p != NULL && is_aligned(p, os_page); }

/* What a program does that was started with such pages. */
static void with_larger_pages(size_t size)
{
    CHECK(os_page == size && os_kernel_page == (size_t)sysconf(_SC_PAGESIZE));
    char *maps[32];
    for (size_t i = 0; i < 32; i++) { /* mappings of the kernel's pages in between */
        CHECK(mmap(NULL, os_kernel_page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        CHECK(is_page(maps[i] = os_map(os_page)));
        maps[i][0] = maps[i][os_page - 1] = (char)i;
    }
    for (size_t i = 0; i < 32; i++) {
        CHECK(is_page(maps[i] = os_remap(maps[i], os_page, 5 * os_page, true)));
        CHECK(maps[i][0] == (char)i && maps[i][os_page - 1] == (char)i);
        CHECK(is_all(maps[i] + os_page, 0, 4 * os_page));
        CHECK(os_unmap(maps[i], 5 * os_page));
    }
    char *p = os_map(4 * os_page);
    CHECK(is_page(p) && os_resident(p, 4 * os_page) == 0);
    p[0] = p[2 * os_page] = 1;
    CHECK(os_resident(p, 4 * os_page) == 2 * os_kernel_page);
    CHECK(is_page(valloc(1)) && is_page(pvalloc(1)));
    CHECK(malloc_usable_size(pvalloc(os_page + 1)) >= 2 * os_page);
    check_heaps();
}

static void exec_with(const char *option, const char *size)
{
    char options[64];
    snprintf(options, sizeof options, "page_size=%s", option);
    setenv("CMALLOC_OPTIONS", options, 1);
    execl(self, self, "pages", size, (char *)NULL);
    CHECK(false);
}

static void of_16k(void) { exec_with("16k", "16384"); }
static void of_64k(void) { exec_with("64k", "65536"); }
static void of_the_kernel(void)
{
    char size[32];
    snprintf(size, sizeof size, "%ld", sysconf(_SC_PAGESIZE));
    exec_with("kernel", size);
}

static void pages_may_be_larger_than_the_kernels(void **state)
{
    (void)state;
    skip_if_emulated(); /* the kernel knows no qemu when this program starts itself */
    assert_ends_well(of_16k);
    assert_ends_well(of_64k);
    assert_ends_well(of_the_kernel);
}
#endif

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_decides_until_a_heap_is_purged),
        cmocka_unit_test(so_it_is_at_the_break),
        cmocka_unit_test(never_means_nowhere),
        cmocka_unit_test(always_means_whole_huge_pages),
        cmocka_unit_test(the_end_of_a_heap_is_used_too),
#if CM_DEBUG
        cmocka_unit_test(pages_may_be_larger_than_the_kernels),
#endif
    };
    require_library();
#if CM_DEBUG
    if (argc == 3 && strcmp(argv[1], "pages") == 0) {
        with_larger_pages(strtoul(argv[2], NULL, 10));
        return 0;
    }
    CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
#else
    (void)argc, (void)argv;
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}
