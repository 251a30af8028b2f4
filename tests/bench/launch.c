/*
 * launch.c - runs one command and writes down what it cost.
 *
 *   launch RESULT SECONDS REPEATS PRELOAD|- COMMAND [ARGUMENT ...]
 *
 * The kernel counts the memory of the process that called exec into the peak of the
 * program that comes after it, so a command started from a large process (python, say)
 * seems as large as that one. This launcher is small and stays out of the way: it is not
 * preloaded, LD_PRELOAD is set for the command alone. After SECONDS, or on SIGTERM, the
 * command's whole process group is killed.
 *
 * RESULT gets lines `name value`: status, then wall, user, sys (seconds, summed over
 * REPEATS), rss (peak KiB), minflt, majflt, nvcsw, nivcsw. Status is `exit N`, `signal N`
 * or `timeout`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

typedef struct cost {
    double wall, user, sys;
    long rss, minflt, majflt, nvcsw, nivcsw;
} cost;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void cost_add(cost *c, const struct rusage *u, double wall)
{
    c->wall += wall;
    c->user += seconds(u->ru_utime);
    c->sys += seconds(u->ru_stime);
    c->rss = u->ru_maxrss > c->rss ? u->ru_maxrss : c->rss;
    c->minflt += u->ru_minflt;
    c->majflt += u->ru_majflt;
    c->nvcsw += u->ru_nvcsw;
    c->nivcsw += u->ru_nivcsw;
}

/* SIGCHLD is blocked here and awaited below; the command gets a clean mask. */
static pid_t start(char **argv, const sigset_t *clean)
{
    posix_spawnattr_t attr;
    pid_t pid;
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setsigmask(&attr, clean);
    int error = posix_spawnp(&pid, argv[0], NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    if (error != 0) {
        fprintf(stderr, "launch: %s: %s\n", argv[0], strerror(error));
        exit(2);
    }
    return pid;
}

/* Waits for pid until the deadline; true if it ended by itself. Reaps it in any case. */
static bool await(pid_t pid, double deadline, const sigset_t *signals, int *status,
                  struct rusage *usage)
{
    for (;;) {
        if (wait4(pid, status, WNOHANG, usage) == pid)
            return true;
        double left = deadline - now();
        struct timespec t = {.tv_sec = (time_t)left,
                             .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};
        int got = left > 0 ? sigtimedwait(signals, NULL, &t) : -1;
        if (got == SIGCHLD || (got < 0 && errno == EINTR && left > 0))
            continue;
        if (wait4(pid, status, WNOHANG, usage) == pid)
            return true;
        kill(-pid, SIGKILL);
        wait4(pid, status, 0, usage);
        return false;
    }
}

static void result(const char *path, const char *how, int number, const cost *c)
{
    FILE *f = fopen(path, "w");
    if (f == NULL) {
        perror(path);
        exit(2);
    }
    fprintf(f, "status %s %d\nwall %.6f\nuser %.6f\nsys %.6f\nrss %ld\n", how, number,
            c->wall, c->user, c->sys, c->rss);
    fprintf(f, "minflt %ld\nmajflt %ld\nnvcsw %ld\nnivcsw %ld\n", c->minflt, c->majflt,
            c->nvcsw, c->nivcsw);
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fputs("usage: launch RESULT SECONDS REPEATS PRELOAD|- COMMAND [ARGUMENT ...]\n",
              stderr);
        return 2;
    }
    double deadline = now() + strtod(argv[2], NULL);
    long repeats = strtol(argv[3], NULL, 10);
    if (strcmp(argv[4], "-") != 0)
        setenv("LD_PRELOAD", argv[4], 1);

    sigset_t signals, clean;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, &clean);

    cost total = {0};
    int status = 0;
    for (long i = 0; i < repeats && status == 0; i++) {
        struct rusage usage;
        double begin = now();
        pid_t pid = start(argv + 5, &clean);
        bool ended = await(pid, deadline, &signals, &status, &usage);
        cost_add(&total, &usage, now() - begin);
        if (!ended) {
            result(argv[1], "timeout", 0, &total);
            return 0;
        }
    }
    if (WIFSIGNALED(status))
        result(argv[1], "signal", WTERMSIG(status), &total);
    else
        result(argv[1], "exit", WEXITSTATUS(status), &total);
    return 0;
}
