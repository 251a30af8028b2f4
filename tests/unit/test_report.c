/* test_report.c - text without malloc: numbers, full buffers, and the last words. */
#include "inside.h"

#include "base/report.h"

#include <sys/socket.h>

static const char *text_of(cm_text *t)
{
    static char copy[sizeof t->bytes + 1];
    memcpy(copy, t->bytes, t->used);
    copy[t->used] = '\0';
    return copy;
}

static void assert_number(uint64_t n)
{
    cm_text decimal = {.used = 0, .fd = -1}, hex = {.used = 0, .fd = -1};
    char expected[40];
    cm_text_number(&decimal, n);
    snprintf(expected, sizeof expected, "%llu", (unsigned long long)n);
    assert_string_equal(text_of(&decimal), expected);
    cm_text_hex(&hex, (uintptr_t)n);
    snprintf(expected, sizeof expected, "0x%llx", (unsigned long long)(uintptr_t)n);
    assert_string_equal(text_of(&hex), expected);
}

static void numbers_read_as_printf_writes_them(void **state)
{
    (void)state;
    static const uint64_t marks[] = {0, 1, 9, 10, 15, 16, 255, 4096, UINT64_MAX};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        assert_number(marks[i]);
    uint64_t chance = support_seed;
    for (int i = 0; i < 1000; i++)
        assert_number(next_random(&chance) >> random_below(&chance, 64));
}

static void text_that_is_kept_is_cut_off_when_full(void **state)
{
    (void)state;
    cm_text t = {.used = 0, .fd = -1};
    for (size_t i = 0; i < sizeof t.bytes - 2; i++)
        cm_text_string(&t, "-");
    cm_text_string(&t, "wxyz");
    assert_int_equal(t.used, sizeof t.bytes);
    assert_memory_equal(t.bytes + sizeof t.bytes - 3, "-wx", 3);
    cm_text_number(&t, 12345);
    cm_text_flush(&t);
    assert_int_equal(t.used, sizeof t.bytes);
}

static void text_that_goes_out_arrives_whole_and_in_order(void **state)
{
    (void)state;
    int ends[2];
    char got[8000];
    size_t sent = 0, length = 0;
    assert_int_equal(pipe(ends), 0);
    cm_text t = {.used = 0, .fd = ends[1]};
    for (unsigned i = 0; sent < 3 * sizeof t.bytes; i++) {
        char word[16];
        sent += (size_t)snprintf(word, sizeof word, "%u,", i);
        cm_text_number(&t, i);
        cm_text_string(&t, ",");
    }
    cm_text_flush(&t);
    assert_int_equal(t.used, 0);
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], got + length, sizeof got - length)) > 0;)
        length += (size_t)n;
    close(ends[0]);
    assert_int_equal(length, sent);
    const char *at = got;
    for (unsigned i = 0; at < got + length; i++) {
        char *end;
        assert_int_equal(strtoul(at, &end, 10), i);
        at = end + 1;
    }
}

/* ---- last words -------------------------------------------------------------------- */

static void panic_at(void *where) { cm_panic(PANIC_DOUBLE_FREE, where); }

static void a_panic_says_what_and_where_and_aborts(void **state)
{
    (void)state;
    assert_dies(panic_at, NULL, "double free", NULL);
    assert_dies(panic_at, &own, "double free", &own);
    assert_dies(panic_at, (void *)UINTPTR_MAX, "double free", (void *)UINTPTR_MAX);
}

/* Of a datagram socket one read is one write. */
static void a_panic_is_one_write(void **state)
{
    (void)state;
    int ends[2];
    char got[200] = "";
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(ends[1], STDERR_FILENO);
        panic_at(NULL);
    }
    ssize_t n = recv(ends[0], got, sizeof got - 1, 0);
    assert_int_equal(n, strlen("cmalloc: fatal: double free: 0x0\n"));
    assert_string_equal(got, "cmalloc: fatal: double free: 0x0\n");
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    n = recv(ends[0], got, sizeof got, MSG_DONTWAIT);
    assert_true(n == -1 || emulated());
    close(ends[0]), close(ends[1]);
}

static void panic_without_stderr(void *unused)
{
    (void)unused;
    close(STDERR_FILENO);
    cm_panic(PANIC_SIZE, NULL);
}

static void a_panic_aborts_without_a_standard_error(void **state)
{
    (void)state;
    words_t w = words_of(panic_without_stderr, NULL);
    assert_true(WIFSIGNALED(w.status));
    assert_int_equal(WTERMSIG(w.status), SIGABRT);
}

static void warn(void *unused)
{
    (void)unused;
    errno = 4321;
    cm_warn("what", "detail");
    close(STDERR_FILENO);
    cm_warn("what", "nobody reads");
    if (errno != 4321)
        _exit(1);
}

static void a_warning_is_a_line_and_keeps_errno(void **state)
{
    (void)state;
    words_t w = words_of(warn, NULL);
    assert_string_equal(w.text, "cmalloc: what: detail\n");
    assert_int_equal(w.status, 0);
}

static void fail_assertion(void *unused)
{
    (void)unused;
    cm_assert_failed("1 == 2", "core/some.c", 42);
}

static void an_assertion_says_which_and_where(void **state)
{
    (void)state;
    words_t w = words_of(fail_assertion, NULL);
    assert_string_equal(w.text, "cmalloc: assertion failed: 1 == 2 at core/some.c:42\n");
    assert_true(WIFSIGNALED(w.status));
    assert_int_equal(WTERMSIG(w.status), SIGABRT);
}

/* ---- last words -------------------------------------------------------------------- */

static void die_over_a_chunk(void *mem) { cm_panic("a reason", mem); }

static void the_report_shows_the_chunk_and_goes_on_to_a_file(void **state)
{
    (void)state;
    char path[] = "/tmp/cmalloc-report-XXXXXX", setting[100], text[2048] = "", line[100];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    int n = snprintf(setting, sizeof setting, "%s", path);
    assert_int_equal(cm_option_set("report_file", 11, setting, (size_t)n), OPTION_DONE);
    void *mem = malloc(1000);
    words_t w = words_of(die_over_a_chunk, mem);
    snprintf(line, sizeof line, "\n  chunk   0x%llx  ",
             (unsigned long long)(uintptr_t)mem);
    assert_non_null(strstr(w.text, line));
    fd = open(path, O_RDONLY);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    assert_string_equal(text, w.text);
    close(fd);
    unlink(path);
    cm_option_store(&cm_options.report_file, 0);
    free(mem);
}

/* Its header is all ones, and it ends where memory ends. */
static void a_report_of_what_is_not_there_ends_in_abort_too(void **state)
{
    (void)state;
    char *page =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(page, 0xff, 4096);
    void *const wild[] = {NULL,        (void *)16,  page,
                          page + 4096, page + 4080, (void *)(UINTPTR_MAX - 15)};
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        assert_dies(die_over_a_chunk, wild[i], "a reason", wild[i]);
    munmap(page, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_read_as_printf_writes_them),
        cmocka_unit_test(text_that_is_kept_is_cut_off_when_full),
        cmocka_unit_test(text_that_goes_out_arrives_whole_and_in_order),
        cmocka_unit_test(a_panic_says_what_and_where_and_aborts),
        cmocka_unit_test(a_panic_is_one_write),
        cmocka_unit_test(a_panic_aborts_without_a_standard_error),
        cmocka_unit_test(a_warning_is_a_line_and_keeps_errno),
        cmocka_unit_test(the_report_shows_the_chunk_and_goes_on_to_a_file),
        cmocka_unit_test(a_report_of_what_is_not_there_ends_in_abort_too),
        cmocka_unit_test(an_assertion_says_which_and_where),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
