/*
 * fork.c - fork in programs with threads: it never hangs, and the child can allocate,
 * free what it has inherited, start threads and fork again. Also the children that run no
 * pthread_atfork handler (_Fork, clone, vfork, posix_spawn), and handlers that allocate.
 *
 * A hang ends by SIGALRM, in the parent or in the child.
 */
#include "../unit/support.h"

#include <pwd.h>
#include <sched.h>
#include <spawn.h>
#include <sys/syscall.h>

extern char **environ;

enum { HANG_SECONDS = 60 };

/* ---- threads that allocate --------------------------------------------------------- */

enum { MUTATORS = 3, SLOTS = 256 };

typedef struct gift {
    size_t size;
    uint64_t tag;
    unsigned char contents[];
} gift_t;

/* Every gift in a slot is whole, whenever a fork comes. */
static _Atomic(gift_t *) slots[SLOTS];
static atomic_bool stop;

static gift_t *make_gift(uint64_t *chance)
{
    size_t size = random_below(chance, (size_t)2 << random_below(chance, 18));
    gift_t *g = malloc(sizeof *g + size);
    CHECK(g);
    g->size = size;
    g->tag = next_random(chance);
    pattern_fill(g->contents, size, g->tag);
    return g;
}

static void use_up(gift_t *g)
{
    if (g)
        CHECK(pattern_holds(g->contents, g->size, g->size, g->tag));
    free(g);
}

static void exchange_some(uint64_t *chance, size_t count)
{
    for (size_t i = 0; i < count; i++)
        use_up(atomic_exchange(&slots[random_below(chance, SLOTS)], make_gift(chance)));
}

static void *mutate(void *number)
{
    uint64_t chance = support_seed + (uintptr_t)number;
    while (!atomic_load(&stop))
        exchange_some(&chance, 50);
    return NULL;
}

static pthread_t mutators[MUTATORS];

static void start_mutators(void)
{
    atomic_store(&stop, false);
    for (size_t i = 0; i < MUTATORS; i++)
        mutators[i] = start_thread(mutate, (void *)(uintptr_t)(i + 1));
}

static void stop_mutators(void)
{
    atomic_store(&stop, true);
    for (size_t i = 0; i < MUTATORS; i++)
        join_thread(mutators[i]);
}

static void use_all_up(void)
{
    for (size_t i = 0; i < SLOTS; i++)
        use_up(atomic_exchange(&slots[i], NULL));
}

/* ---- children ---------------------------------------------------------------------- */

static void wait_for(pid_t child)
{
    int status;
    alarm(HANG_SECONDS);
    CHECK(child > 0);
    CHECK(waitpid(child, &status, __WALL) == child);
    if (status != 0)
        fprintf(stderr, "the child's wait status: %#x\n", (unsigned)status);
    CHECK(status == 0);
}

/* A child's whole life in the heap, with nothing of libc that a lost thread could
 * hold. */
static void allocate_a_little(void)
{
    uint64_t chance = support_seed;
    alarm(HANG_SECONDS);
    exchange_some(&chance, 20);
    free(calloc(7, 1000));
    free(memalign(4096, 100));
    free(realloc(malloc(200000), 400000));
}

static void be_a_child(void)
{
    allocate_a_little();
    _exit(0);
}

static bool time_is_up(size_t quick_seconds, size_t long_seconds)
{
    static struct timespec begin;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (begin.tv_sec == 0)
        begin = now;
    return (size_t)(now.tv_sec - begin.tv_sec) >= at_length(quick_seconds, long_seconds);
}

/* ---- what the C library locks ------------------------------------------------------ */

static char text_file[] = "/tmp/cmalloc-fork-XXXXXX";

/* Holds the list of all streams and waits for each of them. An emulator is so slow that
 * nobody else would ever come to hold it. */
static void *flush_all(void *unused)
{
    while (!atomic_load(&stop)) {
        fflush(NULL);
        if (emulated())
            usleep(1000);
    }
    return unused;
}

/* Holds a stream and waits for malloc. */
static void *read_lines(void *unused)
{
    FILE *from = fopen(text_file, "r");
    CHECK(from);
    while (!atomic_load(&stop)) {
        char *line = NULL;
        size_t room = 0;
        if (getline(&line, &room, from) < 0)
            rewind(from);
        free(line);
    }
    fclose(from);
    return unused;
}

/* Opens and closes streams, and holds the lock of the name service while it allocates. */
static void *look_up_users(void *unused)
{
    while (!atomic_load(&stop)) {
        CHECK(getpwnam("root"));
        struct passwd *found, user;
        char room[2000];
        getpwnam_r("nobody", &user, room, sizeof room, &found);
    }
    return unused;
}

static void *open_pipes(void *unused)
{
    while (!atomic_load(&stop)) {
        FILE *from = popen("exit 0", "r");
        CHECK(from);
        CHECK(pclose(from) == 0);
        usleep(20000);
    }
    return unused;
}

static void write_text_file(void)
{
    int fd = mkstemp(text_file);
    CHECK(fd >= 0);
    FILE *to = fdopen(fd, "w");
    CHECK(to);
    for (int line = 0; line < 200; line++)
        fprintf(to, "%0*d\n", 20 + line * 7, line);
    CHECK(fclose(to) == 0);
}

static void while_others_hold_the_locks_of_streams_and_names(void)
{
    void *(*const busy[])(void *) = {flush_all, read_lines, read_lines, look_up_users,
                                     open_pipes};
    enum { BUSY = sizeof busy / sizeof *busy };
    pthread_t threads[BUSY];
    write_text_file();
    start_mutators();
    for (size_t i = 0; i < BUSY; i++)
        threads[i] = start_thread(busy[i], NULL);
    size_t forks = 0;
    for (; forks < 50 || !time_is_up(3, 30); forks++) {
        alarm(HANG_SECONDS);
        pid_t child = fork();
        if (child == 0)
            be_a_child();
        wait_for(child);
    }
    stop_mutators();
    for (size_t i = 0; i < BUSY; i++)
        join_thread(threads[i]);
    unlink(text_file);
    use_all_up();
    check_heaps();
    printf("%zu forks\n", forks);
}

/* ---- generations ------------------------------------------------------------------- */

/* The child frees all it has inherited, starts threads of its own, and forks in turn. */
static void live_and_fork(int depth)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(HANG_SECONDS);
        use_all_up();
        check_heaps();
        start_mutators();
        if (depth > 1)
            live_and_fork(depth - 1);
        stop_mutators();
        use_all_up();
        check_heaps();
        _exit(0);
    }
    wait_for(child);
}

static void the_child_frees_its_heritage_starts_threads_and_forks(void)
{
    enum { DEPTH = 3 };
    start_mutators();
    for (size_t i = 0; i < at_length(60, 2000); i++)
        live_and_fork(DEPTH);
    stop_mutators();
    use_all_up();
    check_heaps();
}

static void a_hundred_generations(void)
{
    for (int generation = 0; generation < 100; generation++) {
        pid_t child = fork();
        if (child == 0) {
            allocate_a_little();
            check_heaps();
            continue;
        }
        wait_for(child);
        check_heaps();
        _exit(0);
    }
}

/* Memory of arenas that are lost in one child must not add up over its own forks'
 * children. */
static void *fork_repeatedly(void *unused)
{
    for (size_t i = 0; i < at_length(100, 2000); i++) {
        pid_t child = fork();
        if (child == 0)
            be_a_child();
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    return unused;
}

static void several_threads_fork_at_once(void)
{
    enum { FORKERS = 4 };
    pthread_t forkers[FORKERS];
    start_mutators();
    for (size_t i = 0; i < FORKERS; i++)
        forkers[i] = start_thread(fork_repeatedly, NULL);
    for (size_t i = 0; i < FORKERS; i++)
        join_thread(forkers[i]);
    stop_mutators();
    use_all_up();
    check_heaps();
}

/* ---- children without handlers ----------------------------------------------------- */

static pid_t fork_by_system_call(void)
{
    return (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static void children_by(pid_t (*make)(void))
{
    start_mutators();
    for (size_t i = 0; i < at_length(200, 5000); i++) {
        pid_t child = make();
        if (child == 0) {
            use_all_up();
            allocate_a_little();
            check_heaps();
            pid_t grandchild = make();
            if (grandchild == 0)
                be_a_child();
            wait_for(grandchild);
            _exit(0);
        }
        wait_for(child);
    }
    stop_mutators();
    use_all_up();
    check_heaps();
}

static void children_of_clone(void) { children_by(fork_by_system_call); }
static void children_of_underscore_fork(void) { children_by(_Fork); }

static int allocate_in_the_parents_memory(void *unused)
{
    (void)unused;
    uint64_t chance = support_seed;
    exchange_some(&chance, 20);
    return 0;
}

/* As vfork: the same memory, the same thread-local storage, another thread id. */
static void children_that_share_memory(void)
{
    enum { STACK = 256 << 10 };
    char *stack = malloc(STACK);
    CHECK(stack);
    start_mutators();
    for (size_t i = 0; i < at_length(500, 10000); i++)
        wait_for(clone(allocate_in_the_parents_memory, stack + STACK,
                       CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
    stop_mutators();
    free(stack);
    use_all_up();
    check_heaps();
}

static void children_of_posix_spawn(void)
{
    char program[] = "/bin/true", *arguments[] = {program, NULL};
    start_mutators();
    for (size_t i = 0; i < at_length(100, 1000); i++) {
        pid_t child;
        CHECK(posix_spawn(&child, program, NULL, NULL, arguments, environ) == 0);
        wait_for(child);
    }
    stop_mutators();
    use_all_up();
    check_heaps();
}

/* ---- handlers ---------------------------------------------------------------------- */

enum { HANDLERS = 60 }; /* from the 49th on, pthread_atfork itself allocates */
static void *prepared[HANDLERS];
static size_t prepared_count;

static void prepare(void)
{
    void *mem = malloc(1000 + prepared_count * 300);
    CHECK(mem);
    memset(mem, 1, 1000);
    prepared[prepared_count++] = mem;
    free(malloc(10));
}

static void finish(void)
{
    void *mem = prepared[--prepared_count];
    CHECK(is_all(mem, 1, 1000));
    free(mem);
    free(malloc(200000));
}

static void handlers_allocate(void)
{
    start_mutators();
    for (int i = 0; i < HANDLERS; i++)
        CHECK(pthread_atfork(prepare, finish, finish) == 0);
    for (size_t i = 0; i < at_length(100, 2000); i++) {
        alarm(HANG_SECONDS);
        pid_t child = fork();
        CHECK(prepared_count == 0);
        if (child == 0)
            be_a_child();
        wait_for(child);
    }
    stop_mutators();
    use_all_up();
    check_heaps();
}

#define TEST_OF(scenario) \
    static void test_##scenario(void **state) \
    { \
        (void)state; \
        assert_ends_well(scenario); \
    }

/* qemu-user does not clear the generation word for these, nor share memory; and it may
 * fail itself, by an assertion of its own, where one of several threads forks. */
#define TEST_OF_KERNEL(scenario) \
    static void test_##scenario(void **state) \
    { \
        (void)state; \
        skip_if_emulated(); \
        assert_ends_well(scenario); \
    }

TEST_OF_KERNEL(while_others_hold_the_locks_of_streams_and_names)
TEST_OF_KERNEL(the_child_frees_its_heritage_starts_threads_and_forks)
TEST_OF(a_hundred_generations)
TEST_OF_KERNEL(several_threads_fork_at_once)
TEST_OF_KERNEL(children_of_clone)
TEST_OF_KERNEL(children_of_underscore_fork)
TEST_OF_KERNEL(children_that_share_memory)
TEST_OF(children_of_posix_spawn)
TEST_OF_KERNEL(handlers_allocate)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_while_others_hold_the_locks_of_streams_and_names),
        cmocka_unit_test(test_the_child_frees_its_heritage_starts_threads_and_forks),
        cmocka_unit_test(test_a_hundred_generations),
        cmocka_unit_test(test_several_threads_fork_at_once),
        cmocka_unit_test(test_children_of_clone),
        cmocka_unit_test(test_children_of_underscore_fork),
        cmocka_unit_test(test_children_that_share_memory),
        cmocka_unit_test(test_children_of_posix_spawn),
        cmocka_unit_test(test_handlers_allocate),
    };
    require_library();
    announce_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
