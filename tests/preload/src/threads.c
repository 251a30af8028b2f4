/*
 * threads.c THREADS SECONDS - blocks of every size handed round between many threads.
 *
 * Each thread allocates, resizes and frees blocks of its own, and swaps them with whatever lies in a table that
 * all share: most blocks are freed by a thread that did not allocate them. Beside them short threads come
 * and go. Every block carries its size and a pattern from which an overlap or a lost write would show.
 */
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

typedef struct block {
    size_t size; /* bytes, this header included */
    uint64_t seed;
} block_t;

static _Atomic(block_t *) shared[SHARED];
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
        return sizeof(block_t) + (x >> 16) % (2u << 20);
    return sizeof(block_t) + (x >> 16) % (16u << power);
}

/* The pattern: first and last bytes of the payload, which a neighbour would hit first. */
static void fill(block_t *block, size_t size, uint64_t seed)
{
    unsigned char *bytes = (unsigned char *)(block + 1);
    size_t length = size - sizeof *block;
    size_t edge = length < 64 ? length : 64;

    block->size = size;
    block->seed = seed;
    memset(bytes, (int)(seed & 0xff), edge);
    memset(bytes + length - edge, (int)(seed & 0xff), edge);
}

static void check(const block_t *block)
{
    const unsigned char *bytes = (const unsigned char *)(block + 1);
    size_t length = block->size - sizeof *block;
    size_t edge = length < 64 ? length : 64;

    if (malloc_usable_size((void *)(uintptr_t)block) < block->size)
        fail("usable size below the size asked for", block);
    for (size_t i = 0; i < edge; i++) {
        if (bytes[i] != (block->seed & 0xff) || bytes[length - 1 - i] != (block->seed & 0xff))
            fail("contents changed", bytes + i);
    }
}

static block_t *make(uint64_t *state)
{
    size_t size = some_size(state);
    uint64_t how = next(state) % 16;
    block_t *block;

    if (how == 0)
        block = aligned_alloc((size_t)16 << (size % 8), size);
    else if (how == 1)
        block = calloc(1, size);
    else
        block = malloc(size);
    if (!block)
        fail("out of memory", NULL);
    if ((uintptr_t)block % 16)
        fail("misaligned", block);
    if (how == 1 && (block->seed || ((char *)block)[size - 1]))
        fail("calloc did not clear", block);
    fill(block, size, next(state));
    return block;
}

static block_t *resize(block_t *block, uint64_t *state)
{
    size_t size = some_size(state);
    size_t old = block->size;
    uint64_t seed = block->seed;

    check(block);
    block = realloc(block, size);
    if (!block)
        fail("out of memory", NULL);
    if (size >= old)
        check(block); /* the old part has been kept */
    else if (block->seed != seed)
        fail("realloc lost the contents", block);
    fill(block, size, next(state));
    return block;
}

static void drop(block_t *block)
{
    if (!block)
        return;
    check(block);
    free(block);
}

static void *work(void *argument)
{
    uint64_t state = (uintptr_t)argument * 0x9E3779B97F4A7C15u + 1;
    block_t *own[OWN] = {0};
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

/* A short life: leaves some blocks behind, for others to free when this thread is gone. */
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
    printf("%lu operations, %lu short threads\n", atomic_load(&operations), atomic_load(&short_lives));
    return 0;
}
