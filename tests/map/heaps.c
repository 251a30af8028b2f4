/*
 * heaps.c CHUNKS THREADS - a heap to draw: holds CHUNKS chunks in each of THREADS threads
 * and every third of them freed, one stretch of it wholly; some mapped ones; then prints
 * what it knows and waits.
 *
 * "ready COUNT BYTES ADDRESS SIZE": chunks in use that it took and their bytes, with
 * headers; the payload of one that it holds, and the bytes of its chunk. For a line on
 * standard input it gives that back, and a mapped one, and says so again.
 */
#define _GNU_SOURCE

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAPPED = 5, MAPPED_SIZE = 3 << 20, HELD_SIZE = 4000 };

typedef struct load {
    size_t count, held, bytes;
    void **chunks;
} load;

static pthread_barrier_t done;

static void *get(load *l, size_t size)
{
    char *mem = malloc(size);
    if (mem == NULL)
        exit(1);
    mem[0] = 'x';
    l->held++;
    l->bytes += malloc_usable_size(mem) + sizeof(size_t);
    return mem;
}

static void drop(load *l, void *mem)
{
    l->held--;
    l->bytes -= malloc_usable_size(mem) + sizeof(size_t);
    free(mem);
}

/* Sizes repeat, without a random number: 16 to 135 bytes, now and then more. */
static size_t size_of(size_t i) { return i % 997 == 0 ? 9000 : 16 + i * 31 % 120; }

static void *fill(void *arg)
{
    load *l = arg;
    for (size_t i = 0; i < l->count; i++)
        l->chunks[i] = get(l, size_of(i));
    for (size_t i = 0; i < l->count; i++)
        if (i % 3 == 0 || (i > l->count / 2 && i < l->count / 8 * 5)) {
            drop(l, l->chunks[i]);
            l->chunks[i] = NULL;
        }
    pthread_barrier_wait(&done);
    pause();
    return NULL;
}

/* Not from the heap that is looked at. */
static void **array(size_t count)
{
    void **a = memalign(4096, count * sizeof *a);
    if (a == NULL)
        exit(1);
    return a;
}

static void report(const load *l, void *held, size_t size)
{
    char text[128];
    int n = snprintf(text, sizeof text, "ready %zu %zu %#zx %zx\n", l->held, l->bytes,
                     (size_t)(uintptr_t)held, size);
    if (write(STDOUT_FILENO, text, (size_t)n) != n)
        exit(1);
}

int main(int argc, char **argv)
{
    size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    unsigned threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 1;
    static load loads[64], own;
    threads = threads > 64 ? 64 : threads;
    pthread_barrier_init(&done, NULL, threads + 1);
    for (unsigned i = 0; i < threads; i++) {
        pthread_t thread;
        loads[i] = (load){.count = count, .chunks = array(count)};
        pthread_create(&thread, NULL, fill, &loads[i]);
    }
    void *mapped = NULL, *held;
    for (int i = 0; i < MAPPED; i++)
        memset(mapped = get(&own, MAPPED_SIZE), 'm', 4096);
    held = get(&own, HELD_SIZE);
    pthread_barrier_wait(&done);
    for (unsigned i = 0; i < threads; i++) {
        own.held += loads[i].held;
        own.bytes += loads[i].bytes;
    }
    size_t size = malloc_usable_size(held) + sizeof(size_t);
    report(&own, held, size);
    char c;
    if (read(STDIN_FILENO, &c, 1) == 1) {
        drop(&own, mapped);
        drop(&own, held);
        report(&own, held, size);
    }
    for (;;)
        pause();
}
