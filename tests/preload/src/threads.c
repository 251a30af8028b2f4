/*
 * threads.c THREADS SECONDS - items of every size handed round between many threads.
 *
 * Each thread allocates, resizes and frees items of its own, and swaps them with
 * whatever lies in a table that all share: most items are freed by a thread that did
 * not allocate them. Beside them short threads come and go. Every item carries its
 * size and a pattern from which an overlap or a lost write would show.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SHARED = 4096, OWN = 128 };

typedef struct item {
    size_t size; /* bytes, this header included */
    uint64_t seed;
} item_t;

static _Atomic(item_t *) shared[SHARED];
static atomic_bool stop;
static atomic_ulong operations;
static atomic_ulong short_lives;

static uint64_t next(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

static void fail(const char *what, const void *where)
{
    fprintf(stderr, "threads: %s: %p\n", what, where);
    abort();
}

/* Small sizes mostly; one in a thousand is large enough for a mapping of its own. */
static size_t some_size(uint64_t *state)
{
    uint64_t x = next(state);
    unsigned power = (unsigned)(x >> 8) % 8;

    if (x % 1000 == 0)
        return sizeof(item_t) + (x >> 16) % (2u << 20);
    return sizeof(item_t) + (x >> 16) % (16u << power);
}

/* The pattern: first and last bytes of the payload, which a neighbour would hit first. */
static void fill(item_t *item, size_t size, uint64_t seed)
{
    unsigned char *bytes = (unsigned char *)(item + 1);
    size_t length = size - sizeof *item;
    size_t edge = length < 64 ? length : 64;

    item->size = size;
    item->seed = seed;
    memset(bytes, (int)(seed & 0xff), edge);
    memset(bytes + length - edge, (int)(seed & 0xff), edge);
}

static void check(const item_t *item)
{
    const unsigned char *bytes = (const unsigned char *)(item + 1);
    size_t length = item->size - sizeof *item;
    size_t edge = length < 64 ? length : 64;

    if (malloc_usable_size((void *)(uintptr_t)item) < item->size)
        fail("usable size below the size asked for", item);
    for (size_t i = 0; i < edge; i++) {
        if (bytes[i] != (item->seed & 0xff) ||
            bytes[length - 1 - i] != (item->seed & 0xff))
            fail("contents changed", bytes + i);
    }
}

static item_t *make(uint64_t *state)
{
    size_t size = some_size(state);
    uint64_t how = next(state) % 16;
    item_t *item;

    if (how == 0)
        item = aligned_alloc((size_t)16 << (size % 8), size);
    else if (how == 1)
        item = calloc(1, size);
    else
        item = malloc(size);
    if (!item)
        fail("out of memory", NULL);
    if ((uintptr_t)item % 16)
        fail("misaligned", item);
    if (how == 1 && (item->seed || ((char *)item)[size - 1]))
        fail("calloc did not clear", item);
    fill(item, size, next(state));
    return item;
}

static item_t *resize(item_t *item, uint64_t *state)
{
    size_t size = some_size(state);
    size_t old = item->size;
    uint64_t seed = item->seed;

    check(item);
    item = realloc(item, size);
    if (!item)
        fail("out of memory", NULL);
    if (size >= old)
        check(item); /* the old part has been kept */
    else if (item->seed != seed)
        fail("realloc lost the contents", item);
    fill(item, size, next(state));
    return item;
}

static void drop(item_t *item)
{
    if (!item)
        return;
    check(item);
    free(item);
}

static void *work(void *argument)
{
    uint64_t state = (uintptr_t)argument * 0x9E3779B97F4A7C15u + 1;
    item_t *own[OWN] = {0};
    unsigned long count = 0;

    for (; !atomic_load_explicit(&stop, memory_order_relaxed); count++) {
        size_t mine = next(&state) % OWN;

        if (!own[mine])
            own[mine] = make(&state);
        else if (count % 8 == 0)
            own[mine] = resize(own[mine], &state);
        else if (count % 2)
            own[mine] = atomic_exchange(&shared[next(&state) % SHARED], own[mine]);
        else
            drop(own[mine]), own[mine] = NULL;
    }
    for (size_t i = 0; i < OWN; i++)
        drop(own[i]);
    atomic_fetch_add(&operations, count);
    return NULL;
}

/* A short life: leaves some items behind, for others to free. */
static void *live_shortly(void *argument)
{
    uint64_t state = (uintptr_t)argument * 0x2545F4914F6CDD1Du + 1;

    for (int i = 0; i < 50; i++)
        drop(atomic_exchange(&shared[next(&state) % SHARED], make(&state)));
    atomic_fetch_add(&short_lives, 1);
    return NULL;
}

static void *start_short_lives(void *argument)
{
    uintptr_t number = (uintptr_t)argument;
    pthread_t thread;

    while (!atomic_load(&stop)) {
        if (pthread_create(&thread, NULL, live_shortly, (void *)++number))
            fail("no thread", NULL);
        pthread_join(thread, NULL);
    }
    return NULL;
}

int main(int count, char **arguments)
{
    size_t threads = count > 1 ? strtoul(arguments[1], NULL, 10) : 8;
    struct timespec time = {.tv_sec = count > 2 ? atol(arguments[2]) : 2};
    pthread_t *thread = calloc(threads + 1, sizeof *thread);

    pthread_create(&thread[threads], NULL, start_short_lives, (void *)(uintptr_t)1000);
    for (size_t i = 0; i < threads; i++) {
        if (pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(i + 1)))
            fail("no thread", NULL);
    }
    nanosleep(&time, NULL);
    atomic_store(&stop, true);
    for (size_t i = 0; i <= threads; i++)
        pthread_join(thread[i], NULL);
    for (size_t i = 0; i < SHARED; i++)
        drop(shared[i]);
    free(thread);
    printf("%lu operations, %lu short threads\n", atomic_load(&operations),
           atomic_load(&short_lives));
    return 0;
}
