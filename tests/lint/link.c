/*
 * link.c - a program that links with cmalloc. It names things as cmalloc does inside,
 * uses what libc implements next to its own malloc (fork, threads, streams, usable
 * sizes), and returns 0 if its heap is cmalloc's.
 */
#define _GNU_SOURCE /* strdup, fork */
#include <cmalloc.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Names of the inside of the library, here with other meanings. */
int arena_new(void);
int heap_of(void);
int front_malloc(void);
int cfree(void);

int arena_new(void) { return 1; }

int heap_of(void) { return 1; }

int front_malloc(void) { return 1; }

int cfree(void) { return 1; }

static void *thread(void *sum)
{
    for (size_t n = 0; n < 1000; n++) {
        char *mem = malloc(n + 1);
        mem[n] = 1;
        *(size_t *)sum += (size_t)mem[n];
        free(mem);
    }
    return NULL;
}

struct search {
    const void *mem;
    int found;
};

static int is_it(const cmalloc_item *item, void *arg)
{
    struct search *s = arg;
    s->found |= item->mem == s->mem;
    return 0;
}

static int walk_finds(const void *mem)
{
    struct search s = {mem, 0};
    cmalloc_walk(is_it, &s);
    return s.found;
}

static int child_works(void)
{
    pid_t child = fork();
    int status = 1;
    if (child == 0) {
        void *mem = malloc(100);
        free(mem);
        _exit(mem == NULL);
    }
    return waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    size_t sum = 0;
    pthread_t t;
    pthread_create(&t, NULL, thread, &sum);
    pthread_join(t, NULL);
    char *mem = strdup("libc's own calls reach the same heap");
    if (sum != 1000 || !walk_finds(mem) || malloc_usable_size(mem) < strlen(mem) + 1)
        return 1;
    free(mem);
    if (!child_works() || cmalloc_check() < 1)
        return 2;
    return arena_new() + heap_of() + front_malloc() + cfree() != 4;
}
