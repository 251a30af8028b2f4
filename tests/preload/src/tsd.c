/*
 * tsd.c THREADS - destructors of thread-specific data that allocate, free and set their
 * key again.
 *
 * The allocator's own thread-exit handler is such a destructor too: some of ours run
 * before it, and, since they come round PTHREAD_DESTRUCTOR_ITERATIONS times and some
 * keys lie beyond those kept in the thread itself, some after it. Memory must not grow
 * with the threads that have gone by.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 60, AT_ONCE = 8 };

typedef struct value {
    size_t size;
    size_t key;
    unsigned rounds;
    unsigned char bytes[];
} value_t;

static pthread_key_t keys[KEYS];
static atomic_ulong destroyed;

static value_t *make(size_t key, unsigned rounds)
{
    size_t size = sizeof(value_t) + key * 97 % 1500 + (key == 7 ? 300000 : 0);
    value_t *value = key % 2 ? malloc(size) : calloc(1, size);

    if (!value)
        abort();
    *value = (value_t){.size = size, .key = key, .rounds = rounds};
    memset(value->bytes, (int)(unsigned char)key, size - sizeof *value);
    return value;
}

static void check(const value_t *value)
{
    for (size_t i = 0; i < value->size - sizeof *value; i++) {
        if (value->bytes[i] != (unsigned char)value->key) {
            fprintf(stderr, "tsd: contents of key %zu changed\n", value->key);
            abort();
        }
    }
}

static void destroy(void *old)
{
    value_t *value = old;
    size_t key = value->key;
    unsigned rounds = value->rounds;
    void *scratch = malloc(key * 13 + 1);

    check(value);
    free(value);
    scratch = realloc(scratch, key * 31 + 100);
    if (!scratch)
        abort();
    free(scratch);
    atomic_fetch_add(&destroyed, 1);
    if (rounds + 1 < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(keys[key], make(key, rounds + 1));
}

static void *live(void *argument)
{
    (void)argument;
    for (size_t key = 0; key < KEYS; key++)
        pthread_setspecific(keys[key], make(key, 0));
    return NULL;
}

/* Resident kilobytes of this process. */
static long resident(void)
{
    long size = 0;
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%ld %ld", &size, &pages) != 2)
        abort();
    fclose(file);
    return pages * 4;
}

static void run_threads(unsigned long count)
{
    pthread_t thread[AT_ONCE];

    for (unsigned long i = 0; i < count; i += AT_ONCE) {
        for (size_t k = 0; k < AT_ONCE; k++) {
            if (pthread_create(&thread[k], NULL, live, NULL))
                abort();
        }
        for (size_t k = 0; k < AT_ONCE; k++)
            pthread_join(thread[k], NULL);
    }
}

int main(int count, char **arguments)
{
    unsigned long threads = count > 1 ? strtoul(arguments[1], NULL, 10) : 1000;
    unsigned long expected;
    long before;
    long after;

    for (size_t key = 0; key < KEYS; key++) {
        if (pthread_key_create(&keys[key], destroy))
            abort();
    }
    run_threads(threads / 4);
    before = resident();
    run_threads(threads);
    after = resident();
    expected = (threads / 4 + AT_ONCE - 1) / AT_ONCE + (threads + AT_ONCE - 1) / AT_ONCE;
    expected *= (unsigned long)AT_ONCE * KEYS * PTHREAD_DESTRUCTOR_ITERATIONS;
    printf("%lu values destroyed, %ld KiB before, %ld KiB after\n",
           atomic_load(&destroyed), before, after);
    if (atomic_load(&destroyed) != expected) {
        printf("%lu destructors expected\n", expected);
        return 1;
    }
    if (after > before * 2 + 16384) {
        printf("memory grows with the threads that are gone: %ld KiB, then %ld KiB\n",
               before, after);
        return 1;
    }
    return 0;
}
