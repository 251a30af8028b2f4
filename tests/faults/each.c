/*
 * each.c - short, and of every kind: sizes small and large, threads that end, a fork,
 * what is set and told. Whatever it asks for it may not get; what it got holds what was
 * written.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <cmalloc.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIVE = 16 };

static const size_t sizes[] = {1, 40, 300, 2000, 9000, 40000, 200000, 600000};

static void fail(const char *what)
{
    fprintf(stderr, "each: %s\n", what);
    _exit(1);
}

static void check(const unsigned char *mem, size_t size, unsigned char tag)
{
    if (mem[0] != tag || mem[size / 2] != tag || mem[size - 1] != tag)
        fail("not what was written");
}

static void *some(size_t size, unsigned char tag)
{
    errno = 0;
    void *mem = tag % 5 == 0   ? calloc(1, size)
                : tag % 5 == 1 ? memalign(256, size)
                               : malloc(size);
    if (mem == NULL && errno != ENOMEM)
        fail("NULL without ENOMEM");
    if (mem != NULL)
        memset(mem, tag, size);
    return mem;
}

static void *work(void *arg)
{
    void *live[LIVE] = {NULL};
    size_t held[LIVE] = {0};
    for (unsigned i = 0; i < 8 * LIVE; i++) {
        unsigned slot = i * 5 % LIVE;
        if (live[slot] != NULL)
            check(live[slot], held[slot], (unsigned char)slot);
        free(live[slot]);
        held[slot] = sizes[i % (sizeof sizes / sizeof *sizes)];
        live[slot] = some(held[slot], (unsigned char)slot);
    }
    for (unsigned slot = 0; slot < LIVE; slot++) {
        void *more = live[slot] == NULL ? NULL : realloc(live[slot], 2 * held[slot]);
        if (more != NULL)
            live[slot] = more;
        if (live[slot] != NULL)
            check(live[slot], held[slot], (unsigned char)slot);
        if (slot % 4 != 0) /* the rest is left to the end of the process */
            free(live[slot]);
    }
    return arg;
}

static int count(const cmalloc_item *item, void *arg)
{
    size_t *items = arg;
    *items += item->size != 0;
    return 0;
}

int main(void)
{
    size_t items = 0;
    cmalloc_stats stats;
    pthread_t thread[4];
    bool begun[4];
    int status;

    work(NULL);
    for (unsigned i = 0; i < 4; i++)
        begun[i] = pthread_create(&thread[i], NULL, work, NULL) == 0;
    for (unsigned i = 0; i < 4; i++)
        if (begun[i])
            pthread_join(thread[i], NULL);
    free(malloc(6000000)); /* the threshold adapts */
    mallopt(M_TRIM_THRESHOLD, 65536);
    mallopt(M_PERTURB, 0);
    pid_t child = fork();
    if (child == 0) {
        work(NULL);
        _exit(0);
    }
    if (child > 0 && (waitpid(child, &status, 0) != child || status != 0))
        fail("the child");
    cmalloc_option_set("limit_soft", "32m");
    cmalloc_walk(count, &items);
    malloc_trim(0);
    if (cmalloc_check() < 1)
        fail("the heap is not sound");
    malloc_stats();
    cmalloc_stats_print(STDERR_FILENO, "text");
    if (cmalloc_stats_get(CMALLOC_NO_ARENA, &stats, sizeof stats) == 0 && stats.live == 0)
        fail("nothing in use");
    errno = 0;
    if (cmalloc_leaks(CMALLOC_LEAKS_ONCE, NULL, NULL) < 0 && errno != ENOMEM)
        fail("no scan, without ENOMEM");
    cmalloc_profile(STDERR_FILENO);
    cmalloc_idle();
    cmalloc_leaks_report(STDERR_FILENO, CMALLOC_LEAKS_PRECISE | CMALLOC_LEAKS_ONCE);
    return 0;
}
