/*
 * small.c - small objects in one thread: short-lived ones, batches of 1,600, and many
 * that are freed in order, in reverse and at random.
 */
#include "bench.h"

enum {
    ONE_SIZE = 64,
    WINDOW =
        256, /* live objects in churn_mixed; a power of two that divides BENCH_TABLE */
    BATCH = 1600,
    MANY = 400000
};

void churn_one(const bench_args *args)
{
    uint64_t rounds = bench_rounds(args, 120000000), sum = 0;
    for (uint64_t i = 0; i < rounds; i++)
        sum += object_drop(object_new(ONE_SIZE, i));
    bench_checksum(sum);
}

void churn_mixed(const bench_args *args)
{
    static uint32_t size[BENCH_TABLE];
    static void *live[WINDOW];
    uint64_t rounds = bench_rounds(args, 60000000), sum = 0;
    sizes_power(size, 16, 2048, 1);
    for (size_t i = 0; i < WINDOW; i++)
        live[i] = object_new(size[i], i);
    for (uint64_t i = 0; i < rounds; i++) {
        void **slot = &live[i % WINDOW];
        sum += object_drop(*slot);
        *slot = object_new(size[i % BENCH_TABLE], i);
    }
    for (size_t i = 0; i < WINDOW; i++)
        sum += object_drop(live[i]);
    bench_checksum(sum);
}

static uint64_t batch_fill(void **live, uint64_t tag)
{
    for (size_t i = 0; i < BATCH; i++)
        live[i] = object_new(ONE_SIZE, tag++);
    return tag;
}

void batch_fifo(const bench_args *args)
{
    static void *live[BATCH];
    uint64_t rounds = bench_rounds(args, 48000), tag = 0, sum = 0;
    for (uint64_t r = 0; r < rounds; r++) {
        tag = batch_fill(live, tag);
        for (size_t i = 0; i < BATCH; i++)
            sum += object_drop(live[i]);
    }
    bench_checksum(sum);
}

void batch_lifo(const bench_args *args)
{
    static void *live[BATCH];
    uint64_t rounds = bench_rounds(args, 48000), tag = 0, sum = 0;
    for (uint64_t r = 0; r < rounds; r++) {
        tag = batch_fill(live, tag);
        for (size_t i = BATCH; i-- > 0;)
            sum += object_drop(live[i]);
    }
    bench_checksum(sum);
}

/* Allocate MANY objects, then free them as order[] says; order NULL: as they came. */
static void free_in_order(const bench_args *args, const uint32_t *order)
{
    static uint32_t size[BENCH_TABLE];
    void **live = bench_map(MANY * sizeof *live);
    uint64_t rounds = bench_rounds(args, 6), sum = 0;
    sizes_power(size, 24, 512, 2);
    for (uint64_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < MANY; i++)
            live[i] = object_new(size[i % BENCH_TABLE], i + r);
        for (size_t i = 0; i < MANY; i++)
            sum += object_drop(live[order != NULL ? order[i] : i]) ^ i;
    }
    bench_checksum(sum);
}

void order_same(const bench_args *args) { free_in_order(args, NULL); }

void order_reverse(const bench_args *args)
{
    uint32_t *order = bench_map(MANY * sizeof *order);
    for (uint32_t i = 0; i < MANY; i++)
        order[i] = MANY - 1 - i;
    free_in_order(args, order);
}

void order_random(const bench_args *args)
{
    uint32_t *order = bench_map(MANY * sizeof *order);
    uint64_t random = 3;
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t j = bench_below(&random, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    free_in_order(args, order);
}
