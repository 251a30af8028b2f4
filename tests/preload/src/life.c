/*
 * life.c - allocates, resizes and frees in every phase of a process's life.
 *
 * Built twice: as a program, and with IN_LIBRARY as a shared object that the program
 * links with, whose constructors come before the program's and whose destructors come
 * after. What one phase allocates a later one checks and frees.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD = 400 };

typedef struct store {
    unsigned char *held[HELD];
    size_t size[HELD];
    unsigned phase;
} store_t;

void live_a_phase(const char *name);

#ifdef IN_LIBRARY

static store_t store;

static size_t size_of(size_t i, unsigned phase)
{
    size_t size = (i * 37 + phase * 101) % 3000;

    return i % 100 == 99 ? size * 500 : size; /* some large ones */
}

static void check(const char *name, size_t i)
{
    for (size_t k = 0; k < store.size[i]; k += store.size[i] < 512 ? 1 : 511) {
        if (store.held[i][k] != (unsigned char)i) {
            fprintf(stderr, "life: contents changed before %s\n", name);
            abort();
        }
    }
}

/* name NULL: say nothing. */
void live_a_phase(const char *name)
{
    store.phase++;
    for (size_t i = 0; i < HELD; i++) {
        size_t size = size_of(i, store.phase);
        void *p;

        check(name ? name : "a constructor", i);
        if (store.phase % 3 == 0) {
            p = realloc(store.held[i], size + 1);
        } else {
            free(store.held[i]);
            p = i % 2 ? calloc(1, size + 1) : aligned_alloc(64, size + 1);
        }
        if (!p)
            abort();
        memset(p, (int)(unsigned char)i, size);
        store.held[i] = p;
        store.size[i] = size;
    }
    if (name) {
        printf("%s %u\n", name, store.phase);
        fflush(stdout);
    }
}

static void *phase_in_thread(void *name)
{
    live_a_phase(name);
    return NULL;
}

/* A thread started and ended within a constructor or destructor. */
static void in_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, phase_in_thread, NULL))
        abort();
    pthread_join(thread, NULL);
}

__attribute__((constructor(101))) static void first(void) { in_thread(); }

__attribute__((destructor(101))) static void last(void)
{
    in_thread();
    live_a_phase("destructor");
    for (size_t i = 0; i < HELD; i++) {
        check("the end", i);
        free(store.held[i]);
    }
    fflush(stdout);
    free(malloc(100)); /* and something for after the last destructor to find in order */
}

#else

static void preinit(void) { live_a_phase("preinit"); }

__attribute__((section(".preinit_array"),
               used)) static void (*const in_preinit)(void) = preinit;

__attribute__((constructor(101))) static void construct(void)
{
    live_a_phase("constructor");
}

static void at_exit(void) { live_a_phase("atexit"); }

static void use_the_heap(void) { free(malloc(5000)); }

int main(void)
{
    for (int i = 0; i < 100; i++) /* more than libc's first table of handlers holds */
        atexit(i ? use_the_heap : at_exit);
    live_a_phase("main");
    return 0;
}

#endif
