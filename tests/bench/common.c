/*
 * common.c - the parts of bench.h that are not inline. Nothing here allocates with malloc
 * before a workload has ended, so that the allocator under test sees the workload's calls
 * alone.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

void bench_die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    _exit(3);
}

uint64_t bench_rounds(const bench_args *args, uint64_t full)
{
    uint64_t rounds = (uint64_t)((double)full * args->scale);
    return rounds > 0 ? rounds : 1;
}

void bench_checksum(uint64_t sum) { printf("checksum %016" PRIx64 "\n", sum); }

void bench_metric(const char *name, double value)
{
    printf("metric %s %.6g\n", name, value);
}

double bench_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

size_t bench_resident(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (got <= 0)
        bench_die("cannot read /proc/self/statm");
    close(fd);
    text[got] = '\0';
    const char *resident = strchr(text, ' '); /* the second field, in pages */
    if (resident == NULL)
        bench_die("cannot parse /proc/self/statm");
    return (size_t)strtoul(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

void bench_unmap(void *mem, size_t bytes) { munmap(mem, bytes); }

void bench_nap(double seconds)
{
    time_t whole = (time_t)seconds;
    long nano = (long)((seconds - (double)whole) * 1e9);
    nanosleep(&(struct timespec){.tv_sec = whole, .tv_nsec = nano}, NULL);
}

void *bench_map(size_t bytes)
{
    void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (mem == MAP_FAILED)
        bench_die("mmap failed");
    return mem;
}

void sizes_even(uint32_t *table, uint32_t low, uint32_t high, uint64_t seed)
{
    for (size_t i = 0; i < BENCH_TABLE; i++)
        table[i] = low + bench_below(&seed, high - low + 1);
}

void sizes_power(uint32_t *table, uint32_t low, uint32_t high, uint64_t seed)
{
    for (size_t i = 0; i < BENCH_TABLE; i++) {
        uint64_t size = ((uint64_t)low << 32) / ((bench_random(&seed) >> 32) + 1);
        table[i] = size < high ? (uint32_t)size : high;
    }
}

typedef struct thread_call {
    uint64_t (*body)(unsigned index);
    uint64_t sum;
    unsigned index;
} thread_call;

static void *thread_main(void *arg)
{
    thread_call *call = arg;
    call->sum = call->body(call->index);
    return NULL;
}

uint64_t bench_threads(unsigned count, uint64_t (*body)(unsigned index))
{
    pthread_t ids[BENCH_MAX_THREADS];
    thread_call calls[BENCH_MAX_THREADS];
    for (unsigned i = 0; i < count; i++) {
        calls[i] = (thread_call){.body = body, .index = i};
        if (pthread_create(&ids[i], NULL, thread_main, &calls[i]) != 0)
            bench_die("pthread_create failed");
    }
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        pthread_join(ids[i], NULL);
        sum += calls[i].sum;
    }
    return sum;
}

void queue_init(queue *q)
{
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->filled, NULL);
    q->head = q->count = 0;
}

void queue_push(queue *q, void *item)
{
    pthread_mutex_lock(&q->lock);
    if (q->count == QUEUE_ROOM)
        bench_die("queue overflow");
    q->items[(q->head + q->count++) % QUEUE_ROOM] = item;
    pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->lock);
}

void *queue_pop(queue *q)
{
    enum { PATIENCE = 64 };
    pthread_mutex_lock(&q->lock);
    /* The other side is about to push: to sleep and be woken for each batch would cost
     * more than the batch. */
    for (unsigned i = 0; q->count == 0 && i < PATIENCE; i++) {
        pthread_mutex_unlock(&q->lock);
        sched_yield();
        pthread_mutex_lock(&q->lock);
    }
    while (q->count == 0)
        pthread_cond_wait(&q->filled, &q->lock);
    void *item = q->items[q->head];
    q->head = (q->head + 1) % QUEUE_ROOM;
    q->count--;
    pthread_mutex_unlock(&q->lock);
    return item;
}
