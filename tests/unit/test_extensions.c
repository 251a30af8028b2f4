/*
 * test_extensions.c - the rest of <malloc.h>: mallopt, mallinfo, mallinfo2, malloc_info,
 * malloc_stats and malloc_trim, and whether what they say is so.
 *
 * Each test is a process of its own: options last as long as their process, and figures
 * are easier to foretell in a heap that no other test has used.
 */
#include "support.h"

#include <limits.h>

static int announce(void **state)
{
    (void)state;
    announce_seed();
    return 0;
}

/* count chunks of size, each touched. */
static void **given_chunks(size_t count, size_t size)
{
    void **mem = malloc(count * sizeof *mem);
    CHECK(mem);
    for (size_t i = 0; i < count; i++) {
        mem[i] = malloc(size);
        CHECK(mem[i]);
        pattern_fill(mem[i], size, i);
    }
    return mem;
}

static void free_all_but(void **mem, size_t count, size_t kept_one_in)
{
    for (size_t i = 0; i < count; i++)
        if (i % kept_one_in)
            free(mem[i]);
}

/* ---- mallinfo ---------------------------------------------------------------------- */

static void check_sums(const struct mallinfo2 *info)
{
    CHECK(info->arena == info->uordblks + info->fordblks);
    CHECK(info->keepcost <= info->fordblks);
    CHECK((info->hblks == 0) == (info->hblkhd == 0));
}

static void mallinfo2_counts_chunks_in_use_and_free(void)
{
    enum { COUNT = 20000, SIZE = 1000 };
    struct mallinfo2 before = mallinfo2();
    void **mem = given_chunks(COUNT, SIZE);
    struct mallinfo2 full = mallinfo2();
    check_sums(&before);
    check_sums(&full);
    CHECK(full.uordblks >= before.uordblks + (size_t)COUNT * SIZE);
    CHECK(full.uordblks < before.uordblks + (size_t)COUNT * SIZE * 3 / 2);

    free_all_but(mem, COUNT, 2);
    struct mallinfo2 half = mallinfo2();
    check_sums(&half);
    CHECK(half.uordblks < full.uordblks - (size_t)COUNT / 2 * SIZE * 3 / 4);
    CHECK(half.fordblks > full.fordblks);
    CHECK(half.ordblks + half.smblks > 100); /* merged, or waiting for reuse */
}

static void mallinfo2_counts_mmapped_chunks(void)
{
    enum { COUNT = 5 };
    const size_t size = 40 * MIB;
    struct mallinfo2 before = mallinfo2();
    void **mem = given_chunks(COUNT, size);
    struct mallinfo2 after = mallinfo2();
    CHECK(is_mmapped(mem[0]));
    CHECK(after.hblks == before.hblks + COUNT);
    CHECK(after.hblkhd >= before.hblkhd + COUNT * size);
    CHECK(after.hblkhd < before.hblkhd + COUNT * (size + 128 * KIB));
    for (size_t i = 0; i < COUNT; i++)
        free(mem[i]);
    CHECK(mallinfo2().hblks == before.hblks);
}

static void *fill_and_report(void *info)
{
    void **mem = given_chunks(5000, 1000);
    *(struct mallinfo2 *)info = mallinfo2();
    free_all_but(mem, 5000, 5001);
    return NULL;
}

static void mallinfo2_counts_the_arenas_of_other_threads(void)
{
    struct mallinfo2 before = mallinfo2(), inside;
    join_thread(start_thread(fill_and_report, &inside));
    check_sums(&inside);
    CHECK(inside.uordblks >= before.uordblks + 5000u * 1000u);
}

static void mallinfo_is_mallinfo2_in_ints(void)
{
    given_chunks(1000, 100);
    given_chunks(1, 40 * MIB);
    struct mallinfo2 wide = mallinfo2();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    struct mallinfo narrow = mallinfo();
#pragma GCC diagnostic pop
    CHECK((size_t)narrow.arena == wide.arena);
    CHECK((size_t)narrow.ordblks == wide.ordblks);
    CHECK((size_t)narrow.hblks == wide.hblks);
    CHECK((size_t)narrow.hblkhd == wide.hblkhd);
    CHECK((size_t)narrow.uordblks == wide.uordblks);
    CHECK((size_t)narrow.fordblks == wide.fordblks);
    CHECK((size_t)narrow.keepcost == wide.keepcost);
}

static void mallinfo_stops_at_the_largest_int(void)
{
    if (SIZE_MAX == UINT32_MAX || !malloc((size_t)INT_MAX + MIB))
        return; /* no room for it here */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    CHECK(mallinfo().hblkhd == INT_MAX);
#pragma GCC diagnostic pop
    CHECK(mallinfo2().hblkhd > (size_t)INT_MAX);
}

/* ---- mallopt ----------------------------------------------------------------------- */

static void mallopt_sets_the_mmap_threshold(void)
{
    void *before = malloc(400 * KIB);
    CHECK(is_mmapped(before));
    CHECK(mallopt(M_MMAP_THRESHOLD, 500 * 1024) == 1);
    void *below = malloc(400 * KIB), *above = malloc(600 * KIB);
    CHECK(below && above);
    CHECK(!is_mmapped(below));
    CHECK(is_mmapped(above));
    free(before), free(below), free(above);

    /* Once set it no longer adapts to what is freed. */
    free(malloc(8 * MIB));
    CHECK(is_mmapped(malloc(600 * KIB)));
}

/* The manual: the threshold goes up to the size of a freed mmapped chunk; here, if these
 * are few, up to 8 MiB. */
static void the_mmap_threshold_adapts_to_what_is_freed(void)
{
    const size_t size = CM_TINY ? 150 * KIB : SIZE_MAX > UINT32_MAX ? 8 * MIB : 512 * KIB;
    void *first = malloc(size);
    CHECK(is_mmapped(first));
    free(first);
    void *second = malloc(size - 8 * KIB);
    CHECK(!is_mmapped(second));
    free(second);
    free(malloc(33 * MIB));
    CHECK(is_mmapped(malloc(33 * MIB)));
}

static void mallopt_limits_the_number_of_mmapped_chunks(void)
{
    CHECK(mallopt(M_MMAP_MAX, 0) == 1);
    void *none = malloc(200 * KIB);
    CHECK(none);
    CHECK(!is_mmapped(none));
    CHECK(mallopt(M_MMAP_MAX, (int)mallinfo2().hblks + 2) == 1);
    CHECK(mallopt(M_MMAP_THRESHOLD, 128 * 1024) == 1);
    CHECK(is_mmapped(malloc(200 * KIB)));
    CHECK(is_mmapped(malloc(200 * KIB)));
    CHECK(!is_mmapped(malloc(200 * KIB)));
}

static void mallopt_accepts_what_the_manual_lists(void)
{
    CHECK(mallopt(M_TRIM_THRESHOLD, 1024 * 1024) == 1);
    CHECK(mallopt(M_TOP_PAD, 64 * 1024) == 1);
    CHECK(mallopt(M_ARENA_MAX, 2) == 1);
    CHECK(mallopt(M_ARENA_TEST, 2) == 1);
    CHECK(mallopt(M_PERTURB, 0) == 1);
    CHECK(mallopt(M_MXFAST, 64) == 1);
    CHECK(mallopt(M_CHECK_ACTION, 3) == 1);
}

static void mallopt_refuses_what_is_no_value(void)
{
    CHECK(mallopt(M_MMAP_MAX, -1) == 0);
    CHECK(mallopt(M_MMAP_THRESHOLD, INT_MAX) == 0);
    CHECK(mallopt(M_TOP_PAD, -1) == 0);
    CHECK(mallopt(M_ARENA_MAX, 0) == 0);
    CHECK(mallopt(M_ARENA_MAX, -1) == 0);
    CHECK(mallopt(12345, 1) == 0);
}

static void *note_arena(void *flag)
{
    void *mem = malloc(100);
    *(size_t *)flag = size_word(mem) & CMALLOC_FLAG_A;
    free(mem);
    return NULL;
}

static void mallopt_limits_the_number_of_arenas(void)
{
    CHECK(mallopt(M_ARENA_MAX, 1) == 1);
    for (int i = 0; i < 4; i++) {
        size_t flag = CMALLOC_FLAG_A;
        free(malloc(100));
        join_thread(start_thread(note_arena, &flag));
        CHECK(flag == 0);
    }
}

/* Sizes at which no allocator keeps the contents of a freed chunk for links and keys
 * alone. */
static void mallopt_perturb_fills_what_is_handed_out(void)
{
    CHECK(mallopt(M_PERTURB, 0xa5) == 1);
    for (size_t size = 64; size < 200000; size = size * 3) {
        unsigned char *mem = malloc(size), *zeros = calloc(1, size);
        CHECK(is_all(mem, 0xa5 ^ 0xff, size));
        CHECK(is_all(zeros, 0, size));
        free(mem), free(zeros);
        mem = aligned_alloc(256, (size + 255) / 256 * 256);
        CHECK(mem && (uintptr_t)mem % 256 == 0);
        free(mem);
    }
}

/* ---- malloc_trim ------------------------------------------------------------------- */

static void check_trim_gives_back(void)
{
    enum { COUNT = 40000, SIZE = 1000 };
    void **mem = given_chunks(COUNT, SIZE);
    free_all_but(mem, COUNT, 400);
    size_t before = resident();
    CHECK(malloc_trim(0) == 1);
    size_t after = resident();
    CHECK(before - after > (size_t)COUNT * SIZE / 2);
    for (size_t i = 0; i < COUNT; i += 400)
        CHECK(pattern_holds(mem[i], SIZE, SIZE, i));
    check_heaps();
}

/* One survivor in every 400 kB: the top alone would not do. */
static void malloc_trim_gives_back_free_pages_between_chunks(void)
{
    check_trim_gives_back();
}

static void malloc_trim_gives_back_from_allocated_arenas(void)
{
    in_new_thread(check_trim_gives_back);
}

static void *fill_and_free(void *keep)
{
    void **mem = given_chunks(40000, 1000);
    free_all_but(mem, 40000, 400);
    pthread_barrier_wait(keep);
    pthread_barrier_wait(keep);
    return NULL;
}

/* A live thread's cache may keep a little; the rest comes back, though another thread
 * asks for it. */
static void malloc_trim_reaches_the_arenas_of_other_threads(void)
{
    pthread_barrier_t keep;
    CHECK(pthread_barrier_init(&keep, NULL, 2) == 0);
    pthread_t thread = start_thread(fill_and_free, &keep);
    pthread_barrier_wait(&keep);
    size_t before = resident();
    malloc_trim(0);
    CHECK(before - resident() > 20u * 1000 * 1000);
    pthread_barrier_wait(&keep);
    join_thread(thread);
}

/* ---- malloc_info ------------------------------------------------------------------- */

/* A pointer behind the tag at `at`, or NULL; name and kind ('/' end, '!' empty or
 * prolog, ' ' start). */
static const char *xml_tag(const char *at, char *name, size_t room, char *kind)
{
    *kind = at[1] == '/' ? '/' : at[1] == '?' ? '!' : ' ';
    at += *kind == ' ' ? 1 : 2;
    size_t length = strcspn(at, " \t\n/>?");
    if (length == 0 || length >= room)
        return NULL;
    memcpy(name, at, length), name[length] = '\0';
    for (at += length; *at && *at != '>'; at++) {
        if (*at == '<')
            return NULL;
        if (*at == '"' && !(at = strchr(at + 1, '"')))
            return NULL;
        if (at[0] == '/' && at[1] == '>')
            *kind = '!';
    }
    return *at ? at + 1 : NULL;
}

/* Tags nest, quotes close, and there is one root. */
static bool xml_is_well_formed(const char *at)
{
    enum { DEEPEST = 16, NAME = 32 };
    char open[DEEPEST][NAME], name[NAME], kind;
    int depth = 0, roots = 0;
    while ((at = strchr(at, '<'))) {
        if (!(at = xml_tag(at, name, sizeof name, &kind)))
            return false;
        if (kind == ' ') {
            if (depth == DEEPEST)
                return false;
            roots += depth == 0;
            strcpy(open[depth++], name);
        } else if (kind == '/' && (depth == 0 || strcmp(open[--depth], name) != 0)) {
            return false;
        }
    }
    return depth == 0 && roots == 1;
}

static void the_xml_check_can_fail(void **state)
{
    (void)state;
    assert_true(
        xml_is_well_formed("<?xml version=\"1.0\"?><a b=\"<>\"><c/>text<d></d></a>\n"));
    assert_false(xml_is_well_formed("<a><b></a></b>"));
    assert_false(xml_is_well_formed("<a>"));
    assert_false(xml_is_well_formed("<a/></a>"));
    assert_false(xml_is_well_formed("<a></a><b></b>"));
    assert_false(xml_is_well_formed("<a b=\"></a>"));
    assert_false(xml_is_well_formed(""));
}

static char *malloc_info_text(void)
{
    char *text = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&text, &length);
    CHECK(to);
    CHECK(malloc_info(0, to) == 0);
    CHECK(fclose(to) == 0);
    return text;
}

/* The largest number in text. */
static size_t largest_number(const char *text)
{
    size_t largest = 0;
    for (const char *at = text; *at; at++)
        if (*at >= '0' && *at <= '9') {
            char *end;
            size_t number = (size_t)strtoull(at, &end, 10);
            largest = number > largest ? number : largest;
            at = end - 1;
        }
    return largest;
}

/* The stream is one that grows by realloc while malloc_info writes to it. */
static void malloc_info_writes_well_formed_xml_of_every_arena(void)
{
    void **mem = given_chunks(3000, 500);
    free_all_but(mem, 3000, 3);
    struct mallinfo2 inside;
    join_thread(start_thread(fill_and_report, &inside));
    void *large = malloc(50 * MIB);
    CHECK(large);
    char *text = malloc_info_text();
    CHECK(xml_is_well_formed(text));
    CHECK(strncmp(text, "<malloc version=", 16) == 0);
    CHECK(strstr(text, "<heap nr=\"0\">") && strstr(text, "<heap nr=\"1\">"));
    CHECK(largest_number(text) >= 50 * MIB);
    free(text);
}

/* A number of the first element like this behind *at, which moves on; 0: none. */
static size_t next_number(const char **at, const char *start, const char *name)
{
    const char *element = strstr(*at, start);
    const char *found = element != NULL ? strstr(element, name) : NULL;
    if (found == NULL)
        return 0;
    *at = found;
    return (size_t)strtoull(found + strlen(name), NULL, 10);
}

/* Its own stream does not allocate: so it is the same heap from start to end. */
static void malloc_info_lists_every_free_chunk(void)
{
    static char text[100000], buffer[1000];
    void **mem = given_chunks(3000, 500);
    free_all_but(mem, 3000, 3);
    FILE *to = fmemopen(text, sizeof text, "w");
    CHECK(to && setvbuf(to, buffer, _IOFBF, sizeof buffer) == 0);
    CHECK(malloc_info(0, to) == 0);
    CHECK(fclose(to) == 0);
    char *end = strstr(text, "</sizes>");
    CHECK(end != NULL);
    size_t counts = 0, from, to_size, total, count, last = 0;
    *end = '\0';
    const char *at = text;
    while ((from = next_number(&at, "<size ", "from=\"")) != 0) {
        to_size = next_number(&at, "", "to=\"");
        total = next_number(&at, "", "total=\"");
        count = next_number(&at, "", "count=\"");
        CHECK(from > last && to_size >= from && count > 0);
        CHECK(total >= from * count && total <= to_size * count);
        counts += count, last = to_size;
    }
    at = end + 1;
    size_t fast = next_number(&at, "type=\"fast\"", "count=\"");
    CHECK(counts == fast + next_number(&at, "type=\"rest\"", "count=\""));
    CHECK(counts >= 1000);
}

static void malloc_info_refuses_options(void)
{
    CHECK(malloc_info(1, stdout) != 0);
    CHECK(malloc_info(-1, stdout) != 0);
}

/* ---- malloc_stats ------------------------------------------------------------------ */

static void malloc_stats_writes_figures_to_stderr(void)
{
    enum { ROOM = 1 << 16 };
    char *text = calloc(1, ROOM);
    void *large = malloc(50 * MIB);
    int ends[2];
    CHECK(text && large);
    CHECK(pipe(ends) == 0);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, ROOM) >= ROOM);
    int saved = dup(STDERR_FILENO);
    CHECK(dup2(ends[1], STDERR_FILENO) >= 0);
    errno = 12345;
    malloc_stats();
    CHECK(errno == 12345);
    CHECK(dup2(saved, STDERR_FILENO) >= 0);
    close(ends[1]);
    CHECK(read(ends[0], text, ROOM - 1) > 0);
    CHECK(strstr(text, "in use"));
    CHECK(largest_number(text) >= 50 * MIB);
}

#define TEST_OF(scenario) \
    static void test_##scenario(void **state) \
    { \
        (void)state; \
        assert_ends_well(scenario); \
    }

TEST_OF(mallinfo2_counts_chunks_in_use_and_free)
TEST_OF(mallinfo2_counts_mmapped_chunks)
TEST_OF(mallinfo2_counts_the_arenas_of_other_threads)
TEST_OF(mallinfo_is_mallinfo2_in_ints)
TEST_OF(mallinfo_stops_at_the_largest_int)
TEST_OF(mallopt_sets_the_mmap_threshold)
TEST_OF(the_mmap_threshold_adapts_to_what_is_freed)
TEST_OF(mallopt_limits_the_number_of_mmapped_chunks)
TEST_OF(mallopt_accepts_what_the_manual_lists)
TEST_OF(mallopt_refuses_what_is_no_value)
TEST_OF(mallopt_limits_the_number_of_arenas)
TEST_OF(mallopt_perturb_fills_what_is_handed_out)
TEST_OF(malloc_trim_gives_back_free_pages_between_chunks)
TEST_OF(malloc_trim_gives_back_from_allocated_arenas)
TEST_OF(malloc_trim_reaches_the_arenas_of_other_threads)
TEST_OF(malloc_info_writes_well_formed_xml_of_every_arena)
TEST_OF(malloc_info_lists_every_free_chunk)
TEST_OF(malloc_info_refuses_options)
TEST_OF(malloc_stats_writes_figures_to_stderr)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_xml_check_can_fail),
        cmocka_unit_test(test_mallinfo2_counts_chunks_in_use_and_free),
        cmocka_unit_test(test_mallinfo2_counts_mmapped_chunks),
        cmocka_unit_test(test_mallinfo2_counts_the_arenas_of_other_threads),
        cmocka_unit_test(test_mallinfo_is_mallinfo2_in_ints),
        cmocka_unit_test(test_mallinfo_stops_at_the_largest_int),
        cmocka_unit_test(test_mallopt_sets_the_mmap_threshold),
        cmocka_unit_test(test_the_mmap_threshold_adapts_to_what_is_freed),
        cmocka_unit_test(test_mallopt_limits_the_number_of_mmapped_chunks),
        cmocka_unit_test(test_mallopt_accepts_what_the_manual_lists),
        cmocka_unit_test(test_mallopt_refuses_what_is_no_value),
        cmocka_unit_test(test_mallopt_limits_the_number_of_arenas),
        cmocka_unit_test(test_mallopt_perturb_fills_what_is_handed_out),
        cmocka_unit_test(test_malloc_trim_gives_back_free_pages_between_chunks),
        cmocka_unit_test(test_malloc_trim_gives_back_from_allocated_arenas),
        cmocka_unit_test(test_malloc_trim_reaches_the_arenas_of_other_threads),
        cmocka_unit_test(test_malloc_info_writes_well_formed_xml_of_every_arena),
        cmocka_unit_test(test_malloc_info_lists_every_free_chunk),
        cmocka_unit_test(test_malloc_info_refuses_options),
        cmocka_unit_test(test_malloc_stats_writes_figures_to_stderr),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
