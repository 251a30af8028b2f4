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
 * The peak that wait4 tells is short by up to 32 pages a processor for each kind of
 * memory, which the kernel counts by processor first: up to a tenth of a small program,
 * and not the same for each. So the command is traced, for its last stop alone, and its
 * VmHWM is read there, which Linux adds up exactly since 6.17. What the command's
 * children used is known by wait4 only.
 *
 * RESULT gets lines `name value`: status, then wall, user, sys (seconds, summed over
 * REPEATS), rss (peak KiB), minflt, majflt, nvcsw, nivcsw. Status is `exit N`, `signal N`
 * or `timeout`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        sigprocmask(SIG_SETMASK, clean, NULL);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(argv[0], argv);
        fprintf(stderr, "launch: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    if (pid < 0) {
        perror("launch");
        exit(2);
    }
    return pid;
}

/* KiB; 0: unknown. */
static long peak_of(pid_t pid)
{
    char path[64], line[256];
    long peak = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return 0;
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = strtol(line + 6, NULL, 10);
    fclose(f);
    return peak;
}

/* pid has stopped: behind its exec, before it ends, or for a signal. */
static void go_on(pid_t pid, int status, long *peak)
{
    int signal = WSTOPSIG(status);
    if (status >> 16 == PTRACE_EVENT_EXIT)
        *peak = peak_of(pid);
    if (signal == SIGTRAP) {
        ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACEEXIT);
        signal = 0;
    }
    ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal);
}

/* True if pid has ended, and is reaped. flags: wait4's. */
static bool has_ended(pid_t pid, int flags, long *peak, int *status, struct rusage *usage)
{
    while (wait4(pid, status, flags, usage) == pid) {
        if (!WIFSTOPPED(*status)) {
            usage->ru_maxrss = *peak > usage->ru_maxrss ? *peak : usage->ru_maxrss;
            return true;
        }
        go_on(pid, *status, peak);
    }
    return false;
}

/* Waits for pid until the deadline; true if it ended by itself. Reaps it in any case. */
static bool await(pid_t pid, double deadline, const sigset_t *signals, int *status,
                  struct rusage *usage)
{
    long peak = 0;
    for (;;) {
        if (has_ended(pid, WNOHANG, &peak, status, usage))
            return true;
        double left = deadline - now();
        struct timespec t = {.tv_sec = (time_t)left,
                             .tv_nsec = (long)((left - (double)(time_t)left) * 1e9)};
        int got = left > 0 ? sigtimedwait(signals, NULL, &t) : -1;
        if (got == SIGCHLD || (got < 0 && errno == EINTR && left > 0))
            continue;
        if (has_ended(pid, WNOHANG, &peak, status, usage))
            return true;
        kill(-pid, SIGKILL);
        has_ended(pid, 0, &peak, status, usage);
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
