/*
 * main.c - the command `bench`: one binary, one workload a run.
 *
 *   bench list      a line each, between tabs: name, group, threads, what it stands for
 *   bench NAME [-s SCALE] [-t THREADS]
 *                   run it; prints `checksum HEX` and `metric NAME VALUE` lines
 *
 * The groups: `single` is judged by CPU time, `threads` by wall time, `scaling` by
 * throughput at 1 to 64 threads, `latency` and `memory` by the metrics that they print.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>

typedef struct workload {
    const char *name, *group;
    workload_fn *run;
    unsigned threads;
    const char *about;
} workload;

static const workload workloads[] = {
    {"churn-one", "single", churn_one, 1, "short-lived small objects of one size"},
    {"churn-mixed", "single", churn_mixed, 1,
     "short-lived small objects of mixed sizes, 256 live"},
    {"fifo-1600", "single", batch_fifo, 1,
     "1,600 live objects, freed first in, first out"},
    {"lifo-1600", "single", batch_lifo, 1,
     "1,600 live objects, freed last in, first out"},
    {"trees", "single", trees, 1, "binary trees built, walked and felled"},
    {"order-same", "single", order_same, 1, "allocate many, free in the same order"},
    {"order-reverse", "single", order_reverse, 1, "allocate many, free in reverse order"},
    {"order-random", "single", order_random, 1, "allocate many, free in random order"},
    {"powerlaw", "single", powerlaw, 1, "power-law sizes and lifetimes"},
    {"large-reuse", "single", large_reuse, 1, "1-32 MiB, freed and asked for again"},
    {"large-mixed", "single", large_mixed, 1,
     "256 KiB-64 MiB in random order, four live"},
    {"vectors", "single", vectors, 1, "vectors growing by half with realloc, to 4 MiB"},
    {"strings", "single", strings, 1, "strings growing in small steps with realloc"},
    {"calloc", "single", callocs, 1, "calloc of 16 B-1 MiB"},
    {"aligned", "single", aligned, 1, "aligned_alloc at 32-4096"},
    {"bursts", "single", bursts, 1, "bursts to 150 MiB that shrink to a twentieth"},
    {"drift", "single", drift, 1,
     "16 MiB live while sizes drift from 32 B to 16 KiB and back"},
    {"churn-threads", "threads", churn_threads, 8,
     "short-lived mixed objects in eight threads"},
    {"larson", "threads", larson, 8,
     "a server whose threads die and leave objects to others"},
    {"prodcons", "threads", prodcons, 2, "one thread allocates, another frees"},
    {"ring", "threads", ring, 4, "objects passed round a ring of threads"},
    {"sharing-active", "threads", sharing_active, 2,
     "tiny objects of two threads, written hard"},
    {"sharing-passive", "threads", sharing_passive, 2,
     "tiny objects given to others, then as above"},
    {"phases", "threads", phases, 4,
     "phases, each with new threads that free the last one's objects"},
    {"batches", "threads", batches, 2,
     "200,000 live objects of one size a thread, freed in long batches"},
    {"drift-threads", "threads", drift_threads, 4,
     "drift in four threads that free each other's objects"},
    {"thread-start", "threads", thread_start, 1,
     "threads started one by one, a few calls each"},
    {"thread-crowd", "threads", thread_crowd, 64,
     "64 threads at a time, started and ended together"},
    {"scale-churn", "scaling", churn_threads, 1, "churn-threads at 1-64 threads"},
    {"scale-larson", "scaling", larson, 1, "larson at 1-64 threads"},
    {"scale-prodcons", "scaling", prodcons, 1, "prodcons at 1-64 threads"},
    {"latency", "latency", latency, 1, "single calls, power-law sizes and lifetimes"},
    {"memory-return", "memory", memory_return, 1,
     "400 MiB in two threads, 95 of 100 freed at random, then idle: resident MiB"},
    {"memory-daemon", "memory", memory_daemon, 64,
     "64 threads that stay, with a peak of 32 MiB each in turn: resident MiB"},
};
enum { WORKLOADS = sizeof workloads / sizeof workloads[0] };

static int list(void)
{
    for (size_t i = 0; i < WORKLOADS; i++) {
        const workload *w = &workloads[i];
        printf("%s\t%s\t%u\t%s\n", w->name, w->group, w->threads, w->about);
    }
    return 0;
}

static const workload *find(const char *name)
{
    for (size_t i = 0; i < WORKLOADS; i++)
        if (strcmp(workloads[i].name, name) == 0)
            return &workloads[i];
    return NULL;
}

static int usage(void)
{
    fputs("usage: bench list | bench NAME [-s SCALE] [-t THREADS]\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    const workload *w = argc >= 2 ? find(argv[1]) : NULL;
    if (w == NULL)
        return usage();

    bench_args args = {.scale = 1, .threads = w->threads};
    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "-s") == 0)
            args.scale = strtod(argv[i + 1], NULL);
        else if (strcmp(argv[i], "-t") == 0)
            args.threads = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else
            return usage();
    }
    if (args.scale <= 0 || args.threads == 0 || args.threads > BENCH_MAX_THREADS)
        return usage();
    w->run(&args);
    return 0;
}
