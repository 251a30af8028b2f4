/*
 * tools/stop.c - stopping a process for a moment. See stop_begin in target.h.
 *
 * PTRACE_SEIZE and PTRACE_INTERRUPT send no signal, and a tracer that ends lets go. New
 * threads may start while we stop the others, so /proc/PID/task is read until there is
 * nobody new. A system call that a thread waited in is restarted by the kernel; the few
 * that are not (signal(7)) return EINTR, as they may at any time.
 */
#include "tools/target.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#define ATTEMPTS 200 /* moments that are tried, each after a little longer */

typedef struct stopped_thread {
    pid_t thread;
    long signal; /* one that arrived together with our stop: it is passed on */
} stopped_thread;

static struct stopped {
    stopped_thread *threads;
    size_t count, room;
} stopped;

static bool is_stopped(pid_t thread)
{
    for (size_t i = 0; i < stopped.count; i++)
        if (stopped.threads[i].thread == thread)
            return true;
    return false;
}

static void note_stopped(pid_t thread, int status)
{
    if (stopped.count == stopped.room) {
        stopped.room = stopped.room == 0 ? 64 : 2 * stopped.room;
        stopped.threads =
            tool_grow(stopped.threads, stopped.room * sizeof *stopped.threads);
    }
    bool ours = status >> 16 == PTRACE_EVENT_STOP;
    stopped.threads[stopped.count++] =
        (stopped_thread){thread, ours ? 0 : WSTOPSIG(status)};
}

/* It has ended, and is in the list only because nobody has waited for it. */
static bool is_zombie(pid_t pid, pid_t thread)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", (int)pid, (int)thread);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return true;
    bool known = fscanf(file, "%*d (%*[^)]) %c", &state) == 1;
    fclose(file);
    return !known || state == 'Z' || state == 'X';
}

/* 1: it is stopped; 0: there is no such thread any more; -1: it may not be traced. */
static int stop_thread(pid_t pid, pid_t thread)
{
    int status;
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0)
        return is_zombie(pid, thread) ? 0 : -1;
    if (ptrace(PTRACE_INTERRUPT, thread, NULL, NULL) != 0 ||
        waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status))
        return 0;
    note_stopped(thread, status);
    return 1;
}

/* Stop who is not yet. Returns how many that were, or -1. */
static int stop_round(pid_t pid)
{
    char path[64];
    int fresh = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *all = opendir(path);
    if (all == NULL)
        return -1;
    for (struct dirent *e; fresh >= 0 && (e = readdir(all)) != NULL;) {
        pid_t thread = (pid_t)strtol(e->d_name, NULL, 10);
        if (thread <= 0 || is_stopped(thread))
            continue;
        int one = stop_thread(pid, thread);
        fresh = one < 0 ? -1 : fresh + one;
    }
    closedir(all);
    return fresh;
}

static bool stop_all(pid_t pid)
{
    int fresh;
    while ((fresh = stop_round(pid)) > 0) {
    }
    return fresh == 0 && stopped.count > 0;
}

static void let_go(void)
{
    for (size_t i = 0; i < stopped.count; i++)
        ptrace(PTRACE_DETACH, stopped.threads[i].thread, NULL, stopped.threads[i].signal);
    stopped.count = 0;
}

bool stop_begin(target_t *t)
{
    unsigned arena;
    for (int i = 0; t->pid != 0 && i < ATTEMPTS; i++) {
        if (!stop_all(t->pid)) {
            let_go();
            return false;
        }
        t->reader.size = 0; /* what was read before is past */
        if (!target_is_locked(t, &arena))
            return true;
        let_go();
        struct timespec pause = {.tv_nsec = 100000L * (i + 1)};
        nanosleep(&pause, NULL);
    }
    return t->pid == 0;
}

void stop_end(target_t *t)
{
    if (t->pid != 0)
        let_go();
}

void stop_each(void (*visit)(pid_t thread, void *arg), void *arg)
{
    for (size_t i = 0; i < stopped.count; i++)
        visit(stopped.threads[i].thread, arg);
}
