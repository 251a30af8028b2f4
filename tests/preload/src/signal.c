/*
 * signal.c once TIMES | again SECONDS - allocates in a signal handler that interrupted
 * malloc or free.
 *
 * POSIX does not allow it; crash handlers, profilers and loggers do it. The signal
 * comes between any two instructions of an allocator's function on the same thread.
 *
 * once: in each of TIMES processes one signal comes, at a random moment; its handler
 *       allocates, checks what it got, frees, and ends the process. It must come to
 *       that end, and the memory must be sound.
 * again: a signal each millisecond of processor time, and the handlers return to what
 *       they interrupted. The hit path does not lock them out, so a chunk may be handed
 *       out twice, and the damage be found; but no process may hang. Nobody looks at
 *       contents here. How each ended is told.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HELD = 128, TAKEN = 256, PATIENCE_MS = 20000 };

static size_t size_of(size_t i, size_t salt)
{
    size_t size = (i * 7919 + salt * 104729) % 2000 + 16;

    return (i + salt) % 97 == 0 ? size * 300 : size;
}

/* Never returns: what the allocator's functions do all day. */
static void *churn(void *argument)
{
    void *held[HELD] = {0};
    size_t salt = (uintptr_t)argument;

    for (size_t turn = 0;; turn++) {
        size_t i = turn * 31 % HELD;

        salt += i == 0;
        if (turn % 3 == 0) {
            held[i] = realloc(held[i], size_of(i, salt));
        } else {
            free(held[i]);
            held[i] = turn % 7 ? malloc(size_of(i, salt)) : calloc(1, size_of(i, salt));
        }
    }
    return NULL;
}

static void say_and_end(const char *what)
{
    (void)!write(2, what, strlen(what));
    _exit(1);
}

/* All distinct, and writable from end to end. */
static void log_and_end(int number)
{
    unsigned char *taken[TAKEN];

    for (size_t i = 0; i < TAKEN; i++) {
        taken[i] = i % 3 ? malloc(size_of(i, 1)) : calloc(1, size_of(i, 1));
        if (!taken[i])
            say_and_end("signal: no memory in the handler\n");
        if (i % 3 == 0 && (taken[i][0] || taken[i][size_of(i, 1) - 1]))
            say_and_end("signal: calloc did not clear\n");
        memset(taken[i], (int)(unsigned char)i, size_of(i, 1));
    }
    for (size_t i = 0; i < TAKEN; i++) {
        for (size_t k = 0; k < size_of(i, 1); k++) {
            if (taken[i][k] != (unsigned char)i)
                say_and_end("signal: the handler's chunks overlap\n");
        }
        free(taken[i]);
    }
    _exit(number == SIGPROF ? 0 : 1);
}

static void allocate_and_return(int number)
{
    static _Thread_local void *kept[8];
    static _Thread_local size_t turn;

    (void)number;
    for (size_t i = 0; i < 8; i++) {
        free(kept[i]);
        kept[i] = malloc(size_of(i, turn++));
    }
}

/* False: the child has not ended by then. */
static bool await(pid_t pid, long milliseconds, int *status)
{
    struct timespec nap = {.tv_nsec = 1000000};

    for (long waited = 0; waited < milliseconds; waited++) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        nanosleep(&nap, NULL);
    }
    return false;
}

static pid_t start(void (*handler)(int), struct itimerval timer, size_t threads,
                   size_t salt)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    pthread_t thread;
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    sigaction(SIGPROF, &action, NULL);
    for (size_t i = 1; i < threads; i++)
        pthread_create(&thread, NULL, churn, (void *)(uintptr_t)(salt * 1000 + i));
    setitimer(ITIMER_PROF, &timer,
              NULL); /* counts, and so interrupts, whoever is computing */
    churn((void *)(uintptr_t)salt);
    _exit(1);
}

static int once(size_t times)
{
    for (size_t i = 0; i < times; i++) {
        struct itimerval timer = {{0, 0}, {0, (suseconds_t)(i * 389 % 7000 + 1)}};
        pid_t pid = start(log_and_end, timer, i % 4 ? 1 : 3, i);
        int status = 0;

        if (!await(pid, PATIENCE_MS, &status)) {
            printf("signal: process %d hangs in a handler that allocates\n", pid);
            fflush(stdout);
            pause(); /* the driver's stacks will show where */
        }
        if (status != 0) {
            printf("signal: round %zu ended with status 0x%x\n", i, (unsigned)status);
            return 1;
        }
    }
    printf("%zu processes logged and ended\n", times);
    return 0;
}

/* The fourteenth field: clock ticks in user mode. */
static const char utime_field[] =
    "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu";

static bool still_moving(pid_t pid)
{
    unsigned long before = 0;
    unsigned long after = 0;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    for (int i = 0; i < 2; i++) {
        FILE *file = fopen(path, "r");

        before = after;
        if (!file || fscanf(file, utime_field, &after) != 1)
            after = 0;
        if (file)
            fclose(file);
        if (i == 0)
            sleep(1);
    }
    return after > before;
}

static int again(time_t seconds)
{
    struct itimerval timer = {{0, 1000}, {0, 1000}};
    time_t end = time(NULL) + seconds;
    size_t survived = 0;
    size_t damaged = 0;

    for (size_t i = 0; time(NULL) < end; i++) {
        pid_t pid = start(allocate_and_return, timer, i % 2 ? 4 : 1, i);
        int status = 0;

        if (await(pid, 1000, &status)) {
            damaged++; /* nothing but damage ends churn */
            continue;
        }
        if (!still_moving(pid)) {
            if (await(pid, PATIENCE_MS, &status)) { /* it was just ending */
                damaged++;
                continue;
            }
            printf("signal: process %d hangs below handlers that allocate\n", pid);
            fflush(stdout);
            pause();
        }
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        survived++;
    }
    printf("%zu processes went on, %zu found damage; none hung\n", survived, damaged);
    return 0;
}

int main(int count, char **arguments)
{
    if (count < 3)
        return 2;
    if (strcmp(arguments[1], "once") == 0)
        return once(strtoul(arguments[2], NULL, 10));
    return again(atol(arguments[2]));
}
