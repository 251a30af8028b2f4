/* test_leaks.c - cmalloc_leaks and its kin, as a program uses them. */
#include "support.h"

#include "inspect/scene.h"

#include <sys/syscall.h>

enum { LOST_BYTES = 7777 };

/* Addresses are kept as complements: to know of a leak is to have a pointer to it. */
static uintptr_t hidden;
static unsigned found, finalized;

/* Far down the stack, where a precise scan does not look. The memset takes the registers
 * that another one has used. */
__attribute__((noinline)) static void deep(void (*step)(void))
{
    char room[64 * KIB];
    __asm__ volatile("" : : "r"(room) : "memory"); /* all of it is there */
    step();
    memset(room, 0, sizeof room);
    __asm__ volatile("" : : "r"(room) : "memory");
}

static void lose(void)
{
    char *mem = see_malloc(LOST_BYTES);
    memset(mem, 'x', LOST_BYTES);
    hidden = ~(uintptr_t)mem;
}

static int note(const cmalloc_leak *leak, void *arg)
{
    found += (uintptr_t)leak->mem == ~hidden;
    if (arg != NULL && (uintptr_t)leak->mem == ~hidden)
        assert_true(leak->size >= LOST_BYTES && leak->direct && leak->chunks == 1 &&
                    leak->bytes == leak->size &&
                    (uintptr_t)leak->first == (uintptr_t)0x7878787878787878u);
    return 0;
}

static bool is_leak(unsigned flags)
{
    found = 0;
    assert_true(cmalloc_leaks(flags, note, NULL) >= 0);
    return found == 1;
}

static void a_lost_chunk_is_reported_as_it_is(void **state)
{
    (void)state;
    deep(lose);
    found = 0;
    errno = 77;
    assert_true(cmalloc_leaks(CMALLOC_LEAKS_PRECISE, note, &found) >= 1);
    assert_int_equal(found, 1);
    assert_int_equal(errno, 77);
    assert_true(is_leak(0)); /* confirmed by a second scan */
}

/* The program's first one, if nobody was before it: where its heap begins. */
static uintptr_t first;

static void the_first_chunk_of_all_is_found_again_and_again(void **state)
{
    (void)state;
    hidden = first;
    for (int i = 0; i < 3; i++)
        assert_true(is_leak(CMALLOC_LEAKS_PRECISE));
}

static void ignore(void) { assert_int_equal(cmalloc_ignore((void *)~hidden), 0); }

static void take_back(void)
{
    assert_int_equal(cmalloc_root_remove((void *)~hidden), 0);
    assert_int_equal(cmalloc_root_remove((void *)~hidden), -1);
}

static void ignored_it_is_no_leak_until_that_is_taken_back(void **state)
{
    (void)state;
    deep(lose);
    deep(ignore);
    assert_false(is_leak(CMALLOC_LEAKS_PRECISE));
    deep(take_back);
    assert_true(is_leak(CMALLOC_LEAKS_PRECISE));
}

static void shared_memory_is_a_root_when_it_was_added(void **state)
{
    (void)state;
    uintptr_t *shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    deep(lose);
    shared[511] = ~hidden;
    assert_true(is_leak(CMALLOC_LEAKS_PRECISE));
    assert_int_equal(cmalloc_root_add(shared, 4096), 0);
    assert_false(is_leak(CMALLOC_LEAKS_PRECISE));
    assert_int_equal(cmalloc_root_remove(shared), 0);
    munmap(shared, 4096);
}

static void roots_are_refused_when_there_is_no_room(void **state)
{
    (void)state;
    static char there[8];
    int added = 0;
    while (cmalloc_root_add(there, sizeof there) == 0)
        added++;
    assert_true(added >= 1000 && added <= EXTRA_MOST);
    assert_int_equal(cmalloc_ignore(there), -1);
    assert_int_equal(cmalloc_root_remove(there), 0);
    assert_int_equal(cmalloc_ignore(there), 0);
    for (; added > 0; added--)
        assert_int_equal(cmalloc_root_remove(there), 0);
    assert_int_equal(cmalloc_root_remove(there), -1);
}

static void the_report_is_json_when_asked(void **state)
{
    (void)state;
    char text[4096];
    int ends[2];
    deep(lose);
    assert_int_equal(pipe(ends), 0);
    long count =
        cmalloc_leaks_report(ends[1], CMALLOC_LEAKS_PRECISE | CMALLOC_LEAKS_JSON);
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    assert_true(count >= 1 && n > 0);
    text[n] = '\0';
    assert_int_equal(strncmp(text, "{\"leaks\":", 9), 0);
    assert_non_null(strstr(text, "\"direct\":true"));
    assert_string_equal(text + n - 3, "]}\n");
}

static void a_child_of_fork_can_look(void **state)
{
    (void)state;
    deep(lose);
    pid_t child = fork();
    if (child == 0)
        _exit(is_leak(CMALLOC_LEAKS_PRECISE) ? 0 : 1);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* An emulator may know no child but fork's, and has a thread of its own that no signal
 * stops. */
static bool is_emulated(void)
{
    long child = syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
    if (child == 0)
        _exit(0);
    if (child > 0)
        syscall(SYS_wait4, child, NULL, 0x40000000 /* __WALL */, NULL);
    return child < 0 && errno == EINVAL;
}

/* The copy that scans is nobody's child for wait, and raises no SIGCHLD. */
static void the_copy_is_invisible(void **state)
{
    (void)state;
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    assert_true(cmalloc_leaks(CMALLOC_LEAKS_PRECISE, NULL, NULL) >= 0);
    sigpending(&pending);
    assert_false(sigismember(&pending, SIGCHLD));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void finalize(void *mem, size_t size, void *arg)
{
    assert_ptr_equal(arg, &finalized);
    assert_true(size > 0 && mem != NULL);
    finalized += (uintptr_t)mem == ~hidden;
}

static void collect_frees_what_is_lost_and_it_alone(void **state)
{
    (void)state;
    char *kept = see_malloc(LOST_BYTES);
    memset(kept, 'k', LOST_BYTES);
    deep(lose);
    assert_true(cmalloc_collect(finalize, &finalized) >= LOST_BYTES);
    assert_int_equal(finalized, 1);
    assert_false(is_leak(CMALLOC_LEAKS_PRECISE));
    assert_true(is_all(kept, 'k', LOST_BYTES));
    free(kept);
    check_heaps();
}

static char *volatile kept_by_all;

static void a_word_may_have_fewer_bits_than_the_option(void **state)
{
    (void)state;
    kept_by_all = see_malloc(LOST_BYTES);
    hidden = ~(uintptr_t)kept_by_all;
    assert_int_equal(cmalloc_option_set("leak_bits", "63"), 0);
    assert_false(is_leak(CMALLOC_LEAKS_PRECISE));
    assert_int_equal(cmalloc_option_set("leak_bits", "0"), 0);
    free(kept_by_all);
}

static int enough(const cmalloc_leak *leak, void *arg)
{
    (void)leak;
    ++*(int *)arg;
    return 1;
}

static void a_visitor_may_have_seen_enough(void **state)
{
    (void)state;
    int seen = 0;
    deep(lose);
    deep(lose);
    assert_true(cmalloc_leaks(CMALLOC_LEAKS_PRECISE, enough, &seen) >= 2);
    assert_int_equal(seen, 1);
}

static int ends[2];

/* Until the other end is closed. */
static void *be_deaf(void *arg)
{
    sigset_t all;
    char byte;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    assert_int_equal(write(*(int *)arg, "x", 1), 1);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    return NULL;
}

static void nothing_is_collected_while_a_thread_cannot_be_stopped(void **state)
{
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ends) | pipe(ready), 0);
    pthread_t thread = start_thread(be_deaf, &ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    deep(lose);
    finalized = 0;
    errno = 0;
    assert_int_equal(cmalloc_collect(finalize, &finalized), 0);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(finalized, 0);
    close(ends[1]);
    join_thread(thread);
    assert_true(cmalloc_collect(NULL, NULL) >= LOST_BYTES);
    close(ends[0]), close(ready[0]), close(ready[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_chunk_is_reported_as_it_is),
        cmocka_unit_test(the_first_chunk_of_all_is_found_again_and_again),
        cmocka_unit_test(ignored_it_is_no_leak_until_that_is_taken_back),
        cmocka_unit_test(shared_memory_is_a_root_when_it_was_added),
        cmocka_unit_test(roots_are_refused_when_there_is_no_room),
        cmocka_unit_test(the_report_is_json_when_asked),
        cmocka_unit_test(a_child_of_fork_can_look),
        cmocka_unit_test(the_copy_is_invisible),
        cmocka_unit_test(a_word_may_have_fewer_bits_than_the_option),
        cmocka_unit_test(a_visitor_may_have_seen_enough),
        cmocka_unit_test(collect_frees_what_is_lost_and_it_alone),
        cmocka_unit_test(nothing_is_collected_while_a_thread_cannot_be_stopped),
    };
    deep(lose);
    first = hidden;
    require_library();
    if (is_emulated()) {
        puts("ok - leaks # SKIP an emulator, whose stacks and threads are not the "
             "program's");
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
