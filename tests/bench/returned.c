/*
 * returned.c - does memory come back? Programs that have had a peak and then make no
 * further call: their metrics are resident MiB over the program's own tables.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <pthread.h>
#include <stdbool.h>

enum { MIB = 1024 * 1024 };

static size_t base; /* resident before the first object */

static void report(const char *name)
{
    double now = ((double)bench_resident() - (double)base) / MIB;
    bench_metric(name, now > 0 ? now : 0);
}

/*
 * 400 MiB of mixed objects in two threads, which free 95 of 100 at random and wait. Two
 * seconds later resident memory is compared with the pages that still hold a byte of a
 * live object; then all is freed.
 */
enum { OBJECTS = 600000, THREADS = 2, OF = 20 };

static void **all[THREADS];
static uint32_t size[BENCH_TABLE];
static pthread_barrier_t step;

static uint32_t size_of(size_t i) { return size[i % BENCH_TABLE]; }

static uint64_t come_and_wait(unsigned index)
{
    uint64_t random = 40 + index, sum = 0;
    void **mine = all[index];
    for (size_t i = 0; i < OBJECTS; i++)
        mine[i] = object_new(size_of(i), i);
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    for (size_t i = 0; i < OBJECTS; i++)
        if (bench_below(&random, OF) != 0) {
            sum += object_drop(mine[i]);
            mine[i] = NULL;
        }
    pthread_barrier_wait(&step); /* 95 of 100 are gone */
    pthread_barrier_wait(&step);
    for (size_t i = 0; i < OBJECTS; i++)
        if (mine[i] != NULL)
            sum += object_drop(mine[i]);
    pthread_barrier_wait(&step); /* and the others */
    pthread_barrier_wait(&step);
    return sum;
}

/* A set of pages, in memory that the allocator never sees. False: it is in there. */
enum { SEEN = 1 << 20 };
static bool first_seen(uintptr_t *seen, uintptr_t page)
{
    size_t at = page * 0x9E3779B97F4A7C15u >> 44;
    for (; seen[at] != 0; at = (at + 1) % SEEN)
        if (seen[at] == page)
            return false;
    seen[at] = page;
    return true;
}

/* MiB of pages that hold a live object's byte. */
static double live_pages(void)
{
    static uintptr_t *seen;
    size_t different = 0;
    seen = bench_map(SEEN * sizeof *seen);
    for (unsigned t = 0; t < THREADS; t++)
        for (size_t i = 0; i < OBJECTS; i++) {
            uintptr_t mem = (uintptr_t)all[t][i],
                      last = (mem + size_of(i) - 1) / BENCH_PAGE;
            for (uintptr_t page = mem / BENCH_PAGE; mem != 0 && page <= last; page++)
                different += first_seen(seen, page);
        }
    bench_unmap(seen, SEEN * sizeof *seen);
    return (double)different * BENCH_PAGE / MIB;
}

static uint64_t watch(void)
{
    pthread_barrier_wait(&step);
    report("full");
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    report("freed95");
    bench_nap(2);
    report("freed95_2s");
    bench_metric("live_pages", live_pages());
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    bench_nap(2);
    report("all_freed_2s");
    pthread_barrier_wait(&step);
    return 0;
}

static uint64_t worker_or_watcher(unsigned index)
{
    return index < THREADS ? come_and_wait(index) : watch();
}

void memory_return(const bench_args *args)
{
    (void)args;
    for (unsigned t = 0; t < THREADS; t++)
        all[t] = bench_map(OBJECTS * sizeof *all[t]);
    sizes_power(size, 64, 4096, 14);
    pthread_barrier_init(&step, NULL, THREADS + 1);
    base = bench_resident();
    bench_checksum(bench_threads(THREADS + 1, worker_or_watcher));
}

/*
 * A daemon of many threads that each have a peak in turn, a tenth of a second apart, and
 * stay.
 */
enum { PEAK_OBJECTS = 100000 }; /* 32 MiB */

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t over;

static uint64_t peak_in_turn(unsigned index)
{
    static void *mine[PEAK_OBJECTS]; /* whose turn it is */
    uint64_t sum = 0;
    pthread_mutex_lock(&turn);
    for (size_t i = 0; i < PEAK_OBJECTS; i++)
        mine[i] = object_new(size_of(i), i + index);
    if (index == 0)
        report("one_peak");
    for (size_t i = 0; i < PEAK_OBJECTS; i++)
        sum += object_drop(mine[i]);
    bench_nap(0.1);
    pthread_mutex_unlock(&turn);
    pthread_barrier_wait(&over);
    if (index == 0) {
        report("after_the_last");
        bench_nap(2);
        report("after_2s");
    }
    pthread_barrier_wait(&over);
    return sum;
}

void memory_daemon(const bench_args *args)
{
    sizes_power(size, 64, 4096, 15);
    pthread_barrier_init(&over, NULL, args->threads);
    base = bench_resident();
    bench_checksum(bench_threads(args->threads, peak_in_turn));
}
