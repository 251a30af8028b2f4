/*
 * powerlaw.c - most objects are small and die young, a few are large or live long. At
 * each tick the objects whose time has come are freed and one is allocated; a wheel of
 * lists, threaded through the objects themselves, says when each one dies.
 *
 * `latency` runs the same program and times every call. Its histogram is exact below 2 *
 * SUB ticks of the processor's clock and within 1 / SUB above.
 */
#define _GNU_SOURCE
#include "bench.h"

enum {
    /* Ticks in a turn: longer lives are cut off. The wheel fits a second-level cache. */
    WHEEL = 1 << 17,
    SUB_BITS = 5,
    SUB = 1 << SUB_BITS,
    BUCKETS = (64 - SUB_BITS + 1) * SUB
};

typedef struct mortal {
    uint64_t tag; /* the object's first word */
    struct mortal *next;
} mortal;

typedef struct histogram {
    uint64_t count[BUCKETS], calls, longest;
} histogram;

static inline uint64_t ticks(void)
{
#if defined(__x86_64__)
    unsigned core;
    return __builtin_ia32_rdtscp(&core);
#else
    return (uint64_t)(bench_now() * 1e9);
#endif
}

static inline void histogram_add(histogram *h, uint64_t value)
{
    unsigned bits = 63u - (unsigned)__builtin_clzll(value | 1);
    unsigned shift = bits > SUB_BITS ? bits - SUB_BITS : 0;
    h->count[shift * SUB + (value >> shift)]++;
    h->calls++;
    h->longest = value > h->longest ? value : h->longest;
}

/* The lower edge of the bucket that holds the call which `share` of all do not exceed. */
static double histogram_quantile(const histogram *h, double share)
{
    uint64_t wanted = (uint64_t)((double)h->calls * share), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += h->count[i];
        if (seen <= wanted)
            continue;
        unsigned shift = i < 2 * SUB ? 0 : i / SUB - 1;
        return (double)((uint64_t)(i - shift * SUB) << shift);
    }
    return (double)h->longest;
}

/* P(life > x) = sqrt(LEAST / x): some 15,000 objects live once the wheel has turned. */
static void lifetimes(uint32_t *table, uint64_t seed)
{
    enum { LEAST = 512 };
    for (size_t i = 0; i < BENCH_TABLE; i++) {
        uint64_t u = (bench_random(&seed) >> 48) + 1; /* 1 .. 2^16 */
        uint64_t life = ((uint64_t)LEAST << 32) / (u * u);
        table[i] = life < WHEEL ? (uint32_t)life : WHEEL - 1;
    }
}

static inline uint64_t reap(mortal *dead, histogram *frees)
{
    uint64_t sum = 0;
    while (dead != NULL) {
        mortal *next = dead->next;
        uint64_t start = frees != NULL ? ticks() : 0;
        sum += object_drop(dead);
        if (frees != NULL)
            histogram_add(frees, ticks() - start);
        dead = next;
    }
    return sum;
}

/* Both histograms or neither: the compiler makes two loops of it, one without a clock. */
static inline uint64_t live_and_die(uint64_t rounds, histogram *mallocs, histogram *frees)
{
    static uint32_t size[BENCH_TABLE], life[BENCH_TABLE];
    mortal **wheel = bench_map(WHEEL * sizeof *wheel);
    uint64_t sum = 0;
    sizes_power(size, 16, 65536, 4);
    lifetimes(life, 5);
    for (uint64_t now = 0; now < rounds; now++) {
        sum += reap(wheel[now % WHEEL], frees);
        wheel[now % WHEEL] = NULL;
        /* Two periods without a common factor pair every size with every lifetime. */
        size_t bytes = size[now % BENCH_TABLE];
        uint64_t start = mallocs != NULL ? ticks() : 0;
        void *mem = malloc(bytes);
        if (mallocs != NULL)
            histogram_add(mallocs, ticks() - start);
        if (mem == NULL)
            bench_die("malloc returned NULL");
        object_fill(mem, bytes, now);
        mortal *m = mem;
        mortal **death = &wheel[(now + life[now % (BENCH_TABLE - 1)]) % WHEEL];
        m->next = *death;
        *death = m;
    }
    for (size_t i = 0; i < WHEEL; i++)
        sum += reap(wheel[i], frees);
    return sum;
}

void powerlaw(const bench_args *args)
{
    bench_checksum(live_and_die(bench_rounds(args, 20000000), NULL, NULL));
}

static void report(const char *call, const histogram *h, double ns_per_tick)
{
    static const struct {
        const char *name;
        double share;
    } points[] = {
        {"p50", .5}, {"p90", .9}, {"p99", .99}, {"p99.9", .999}, {"p99.99", .9999}};
    char name[64];
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        strcpy(name, call);
        strcat(name, "_");
        bench_metric(strcat(name, points[i].name),
                     histogram_quantile(h, points[i].share) * ns_per_tick);
    }
    strcpy(name, call);
    bench_metric(strcat(name, "_max"), (double)h->longest * ns_per_tick);
}

void latency(const bench_args *args)
{
    static histogram mallocs, frees;
    double begin = bench_now();
    uint64_t begin_ticks = ticks();
    bench_checksum(live_and_die(bench_rounds(args, 4000000), &mallocs, &frees));
    double ns_per_tick = (bench_now() - begin) * 1e9 / (double)(ticks() - begin_ticks);
    report("malloc", &mallocs, ns_per_tick);
    report("free", &frees, ns_per_tick);
}
