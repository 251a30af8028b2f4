/*
 * bench.h - what every workload shares: its parameters, a random source, objects that are
 * really used, memory that does not come from the allocator under test, threads, queues,
 * and the report.
 *
 * A workload is deterministic: the same scale and thread count give the same checksum
 * under any allocator and any schedule. That is why tags are summed (order does not
 * matter) and why random state travels with the data and not with the thread. Size and
 * lifetime tables are filled before the work, so that the loop that is measured holds
 * little more than the calls themselves.
 */
#ifndef BENCH_H
#define BENCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    BENCH_PAGE = 4096,
    BENCH_LINE = 64,
    BENCH_TABLE = 4096, /* entries in a table of random sizes; a power of two */
    BENCH_MAX_THREADS = 64
};

/* What the command line asked for. */
typedef struct bench_args {
    double scale; /* 1 = the full run; rounds are multiplied by it, live memory is not */
    unsigned threads; /* the workload's own number unless -t gave another */
} bench_args;

_Noreturn void bench_die(const char *what);

/* Rounds to run: full * scale, at least one. */
uint64_t bench_rounds(const bench_args *args, uint64_t full);

/* The line that must agree among allocators. Once per workload. */
void bench_checksum(uint64_t sum);

/* A figure for the report; it may differ from run to run. */
void bench_metric(const char *name, double value);

/* Seconds on a steady clock. */
double bench_now(void);

/* Resident bytes of this process. Allocates nothing. */
size_t bench_resident(void);

/* Zeroed, resident memory that the allocator under test never sees. */
void *bench_map(size_t bytes);
void bench_unmap(void *mem, size_t bytes);

void bench_nap(double seconds);

/* splitmix64: one multiply-shift chain a call, good enough to pick sizes and victims. */
static inline uint64_t bench_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number below limit (limit < 2^32), without a division. */
static inline uint32_t bench_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(((bench_random(state) >> 32) * limit) >> 32);
}

/* BENCH_TABLE sizes from low to high, evenly spread. */
void sizes_even(uint32_t *table, uint32_t low, uint32_t high, uint64_t seed);

/* BENCH_TABLE sizes of at least low with P(size > x) = low / x, cut off at high. */
void sizes_power(uint32_t *table, uint32_t low, uint32_t high, uint64_t seed);

/* Write an object as a program would: first word, last byte, a byte in every page. */
static inline void object_fill(void *mem, size_t size, uint64_t tag)
{
    unsigned char *bytes = mem;
    for (size_t at = BENCH_PAGE; at < size; at += BENCH_PAGE)
        bytes[at] = (unsigned char)tag;
    bytes[size - 1] = (unsigned char)tag;
    memcpy(bytes, &tag,
           sizeof tag); /* last, so that an 8-byte object keeps its whole tag */
}

/* An object of at least 8 bytes that carries its tag in its first word. */
static inline void *object_new(size_t size, uint64_t tag)
{
    void *mem = malloc(size);
    if (mem == NULL)
        bench_die("malloc returned NULL");
    object_fill(mem, size, tag);
    return mem;
}

/* Free an object; returns the tag that it still carried. */
static inline uint64_t object_drop(void *mem)
{
    uint64_t tag;
    memcpy(&tag, mem, sizeof tag);
    free(mem);
    return tag;
}

/* Run body(0) .. body(count - 1), each in a thread; returns the sum of their results. */
uint64_t bench_threads(unsigned count, uint64_t (*body)(unsigned index));

/* A queue of pointers, first in, first out, for any number of threads. Never allocates;
 * whoever uses it sees to it that no more than QUEUE_ROOM pointers are ever in it. */
enum { QUEUE_ROOM = 1024 };
typedef struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    unsigned head, count;
    void *items[QUEUE_ROOM];
} queue;

void queue_init(queue *q);
void queue_push(queue *q, void *item);
void *queue_pop(queue *q); /* waits while the queue is empty */

/* The workloads; main.c's table says what each stands for. */
typedef void workload_fn(const bench_args *args);
workload_fn churn_one, churn_mixed, batch_fifo, batch_lifo;
workload_fn trees;
workload_fn order_same, order_reverse, order_random;
workload_fn powerlaw, latency;
workload_fn large_reuse, large_mixed;
workload_fn vectors, strings;
workload_fn callocs, aligned;
workload_fn bursts, drift, drift_threads, memory_return, memory_daemon;
workload_fn churn_threads, larson, prodcons, ring, phases, batches;
workload_fn sharing_active, sharing_passive;
workload_fn thread_start, thread_crowd;

#endif
