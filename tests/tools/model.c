/*
 * model.c - a program that knows what it holds, for a look from outside.
 *
 *   model THREADS CHUNKS SEED
 *
 * Every thread allocates, resizes and frees by chance; some of what it frees is another
 * thread's. At each step the program says on standard output how many chunks it holds and
 * how many bytes of them it may use (malloc_usable_size), and waits for a line on
 * standard input. First comes a step without any, since libc and the threads hold some
 * chunks of their own: differences to that one must agree to the byte. No stdio, which
 * allocates.
 */
#define _GNU_SOURCE 1

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MOST = 256, STEPS = 3 };

/* Out of the compiler's sight. */
static void *(*volatile plain_malloc)(size_t) = malloc;
static void *(*volatile plain_realloc)(void *, size_t) = realloc;
static void *(*volatile plain_aligned)(size_t, size_t) = memalign;
static void (*volatile plain_free)(void *) = free;

static struct model {
    size_t threads, chunks;
    uint64_t seed;
    _Atomic(void *) *slots; /* threads * chunks of them; mapped, not allocated */
    pthread_barrier_t begin, end;
} model;

static uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* Mostly small, sometimes a page or more, now and then a mapping. */
static size_t random_size(uint64_t *state)
{
    uint64_t x = next_random(state);
    unsigned kind = (unsigned)(x >> 32) % 1000;
    if (kind < 900)
        return 1 + x % 500;
    if (kind < 998)
        return 1 + x % 40000;
    return 1 + x % 3000000;
}

static void *take(uint64_t *state)
{
    uint64_t x = next_random(state);
    size_t size = random_size(state);
    void *mem =
        x % 10 == 0 ? plain_aligned((size_t)16 << x / 10 % 8, size) : plain_malloc(size);
    if (mem == NULL)
        abort();
    memset(mem, 1, size < 64 ? size : 64);
    return mem;
}

/* One change of one slot, of any thread. */
static void change(uint64_t *state)
{
    uint64_t x = next_random(state);
    _Atomic(void *) *slot = &model.slots[x % (model.threads * model.chunks)];
    void *mem = atomic_exchange(slot, NULL);
    if (mem == NULL)
        mem = take(state);
    else if (x >> 40 & 1)
        mem = plain_realloc(mem, random_size(state));
    else
        plain_free(mem), mem = NULL;
    mem = mem == NULL ? NULL : atomic_exchange(slot, mem);
    plain_free(mem); /* somebody was faster */
}

static void *work(void *arg)
{
    uint64_t state = model.seed + (uintptr_t)arg * 0x9E3779B97F4A7C15u;
    for (;;) {
        pthread_barrier_wait(&model.begin);
        for (size_t i = 0; i < 3 * model.chunks; i++)
            change(&state);
        pthread_barrier_wait(&model.end);
    }
    return NULL;
}

static size_t put_number(char *to, size_t n)
{
    char reversed[24];
    size_t count = 0, i = 0;
    do
        reversed[count++] = (char)('0' + n % 10);
    while ((n /= 10) != 0);
    while (count > 0)
        to[i++] = reversed[--count];
    return i;
}

/* "chunks bytes one-of-them", and a line is read. False: there is none. */
static bool tell(void)
{
    char text[96], line[16];
    size_t chunks = 0, bytes = 0, n, one = 0;
    for (size_t i = 0; i < model.threads * model.chunks; i++) {
        void *mem = atomic_load(&model.slots[i]);
        chunks += mem != NULL;
        bytes += malloc_usable_size(mem);
        one = mem != NULL ? (size_t)mem : one;
    }
    n = put_number(text, chunks);
    text[n++] = ' ';
    n += put_number(text + n, bytes);
    text[n++] = ' ';
    n += put_number(text + n, one);
    text[n++] = '\n';
    return write(STDOUT_FILENO, text, n) == (ssize_t)n &&
           read(STDIN_FILENO, line, sizeof line) > 0;
}

int main(int argc, char **argv)
{
    static _Atomic(void *) slots[1 << 22];
    pthread_t thread;
    if (argc != 4)
        return 2;
    model.threads = strtoul(argv[1], NULL, 10);
    model.chunks = strtoul(argv[2], NULL, 10);
    model.seed = strtoul(argv[3], NULL, 10) * 2 + 1;
    model.slots = slots;
    if (model.threads > THREADS_MOST || model.threads * model.chunks > 1 << 22)
        return 2;
    pthread_barrier_init(&model.begin, NULL, (unsigned)model.threads + 1);
    pthread_barrier_init(&model.end, NULL, (unsigned)model.threads + 1);
    for (size_t i = 0; i < model.threads; i++)
        if (pthread_create(&thread, NULL, work, (void *)(i + 1)) != 0)
            return 3;
    bool more = tell();
    for (int i = 0; i < STEPS && more; i++) {
        pthread_barrier_wait(&model.begin);
        pthread_barrier_wait(&model.end);
        more = tell();
    }
    return 0;
}
