/*
 * atfork.c SECONDS - forks while other threads allocate.
 *
 * A hundred fork handlers (more than libc keeps without allocating) allocate before the
 * fork, and in both processes after it. The child checks what it inherited, allocates,
 * starts a thread, and forks again. Beside the forking thread others use vfork,
 * posix_spawn, system and popen.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HANDLERS = 100, BUSY = 4, HELD = 300 };

extern char **environ;

static atomic_bool stop;
/* What the handlers before a fork leave to those after it, in either process: a stack. */
static _Thread_local void *from_prepare[HANDLERS];
static _Thread_local size_t depth;

static void prepare(void)
{
    from_prepare[depth] =
        malloc(depth * 500 + 1); /* some of it from top, some from bins */
    depth++;
}

static void after(void)
{
    free(malloc(70));
    free(from_prepare[--depth]);
}

static void fill(unsigned char **held, size_t salt)
{
    for (size_t i = 0; i < HELD; i++) {
        size_t size = (i * 131 + salt * 17) % 4000 + 1;

        held[i] = realloc(held[i], size);
        if (!held[i])
            abort();
        held[i][0] = held[i][size - 1] = (unsigned char)(i + salt);
    }
}

static void check(unsigned char **held, size_t salt)
{
    for (size_t i = 0; i < HELD; i++) {
        size_t size = (i * 131 + salt * 17) % 4000 + 1;

        if (held[i][0] != (unsigned char)(i + salt) ||
            held[i][size - 1] != (unsigned char)(i + salt)) {
            fprintf(stderr, "atfork: contents changed in process %d\n", getpid());
            abort();
        }
    }
}

static void drop(unsigned char **held)
{
    for (size_t i = 0; i < HELD; i++) {
        free(held[i]);
        held[i] = NULL;
    }
}

static void *busy(void *argument)
{
    unsigned char *held[HELD] = {0};

    for (size_t salt = (uintptr_t)argument; !atomic_load(&stop); salt++) {
        fill(held, salt);
        check(held, salt);
        if (salt % 5 == 0)
            drop(held);
    }
    drop(held);
    return NULL;
}

static void await(pid_t pid, const char *what)
{
    int status = 0;

    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        fprintf(stderr, "atfork: %s: %m\n", what);
        abort();
    }
    if (status != 0) {
        fprintf(stderr, "atfork: %s: status 0x%x\n", what, (unsigned)status);
        abort();
    }
}

static void *spawn(void *argument)
{
    char name[] = "true";
    char *command[] = {name, NULL};
    char line[32];

    (void)argument;
    while (!atomic_load(&stop)) {
        FILE *pipe;
        pid_t pid;

        if (posix_spawnp(&pid, "true", NULL, NULL, command, environ))
            abort();
        await(pid, "posix_spawn");
        if (system("exit 0") != 0)
            abort();
        pipe = popen("echo piped", "r");
        if (!pipe || !fgets(line, sizeof line, pipe) || pclose(pipe) != 0)
            abort();
    }
    return NULL;
}

static void *in_child_thread(void *argument)
{
    unsigned char *held[HELD] = {0};

    fill(held, 5);
    check(held, 5);
    drop(held);
    return argument;
}

/* What a child does with what it inherited, and with its own. */
static void live(unsigned char **held, size_t salt)
{
    unsigned char *own[HELD] = {0};
    pthread_t thread;

    check(held, salt);
    fill(own, 3);
    if (pthread_create(&thread, NULL, in_child_thread, NULL))
        abort();
    pthread_join(thread, NULL);
    check(own, 3);
    drop(own);
}

static _Noreturn void child(unsigned char **held, size_t salt, int generations)
{
    pid_t pid = 0;

    live(held, salt);
    for (; pid == 0 && generations > 0; generations--) {
        pid = fork();
        if (pid == 0)
            live(held, salt);
    }
    if (pid != 0)
        await(pid, "a grandchild");
    drop(held);
    exit(0); /* with its handlers and destructors */
}

static pid_t run_by_vfork(void)
{
    pid_t pid = vfork();

    if (pid == 0) {
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    return pid;
}

static unsigned long fork_for(time_t seconds)
{
    unsigned char *held[HELD] = {0};
    unsigned long forks = 0;
    time_t end = time(NULL) + seconds;
    pid_t pid;

    for (; time(NULL) < end; forks++) {
        fill(held, forks);
        fflush(stdout);
        pid = fork();
        if (pid == 0)
            child(held, forks, forks % 4 == 0 ? 2 : 0);
        await(pid, "a child");
        await(run_by_vfork(), "a child of vfork");
        check(held, forks);
    }
    drop(held);
    return forks;
}

int main(int count, char **arguments)
{
    pthread_t thread[BUSY + 1];
    unsigned long forks;

    for (int i = 0; i < HANDLERS; i++) {
        if (pthread_atfork(prepare, after, after))
            abort();
    }
    for (size_t i = 0; i <= BUSY; i++) {
        if (pthread_create(&thread[i], NULL, i == BUSY ? spawn : busy,
                           (void *)(uintptr_t)i))
            abort();
    }
    forks = fork_for(count > 1 ? atol(arguments[1]) : 3);
    atomic_store(&stop, true);
    for (size_t i = 0; i <= BUSY; i++)
        pthread_join(thread[i], NULL);
    printf("%lu forks\n", forks);
    return 0;
}
