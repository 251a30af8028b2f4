/*
 * resident.c - programs whose resident memory is the question: bursts that shrink and
 * sizes that drift. Each samples resident / live, where live is the sum of the sizes that
 * it asked for, and resident is what the process gained over its own tables.
 */
#define _GNU_SOURCE
#include "bench.h"

enum { MIB = 1024 * 1024 };

typedef struct ratio {
    size_t base; /* resident bytes before the first object */
    double sum, worst;
    unsigned samples;
} ratio;

static void ratio_sample(ratio *r, size_t live)
{
    size_t now = bench_resident();
    double value = now > r->base ? (double)(now - r->base) / (double)live : 0;
    r->sum += value;
    r->worst = value > r->worst ? value : r->worst;
    r->samples++;
}

static void ratio_report(const ratio *r)
{
    bench_metric("resident_live_mean", r->sum / r->samples);
    bench_metric("resident_live_worst", r->worst);
}

/* An object that knows its size. */
typedef struct sized {
    uint64_t tag;
    size_t size;
} sized;

static sized *sized_new(size_t size, uint64_t tag, size_t *live)
{
    sized *s = object_new(size, tag);
    s->size = size;
    *live += size;
    return s;
}

static uint64_t sized_drop(sized *s, size_t *live)
{
    *live -= s->size;
    return object_drop(s);
}

/*
 * Bursts: up to 150 MiB, then nineteen of twenty groups of neighbours are freed, in an
 * order that jumps about, and small short-lived objects come and go. The samples are
 * taken after a nap at the end of each such quiet time; whoever is to live longer is
 * another twentieth in each burst.
 */
enum {
    GROUPS = 2048,
    GROUP = 192,
    BURST_OBJECTS = GROUPS * GROUP,
    KEEP = 20,
    QUIET = 100000
};

static uint64_t burst_shrink(sized **all, size_t *live, uint64_t burst)
{
    enum { STRIDE = 1327 }; /* odd, so that every group is visited once */
    uint64_t sum = 0;
    for (size_t n = 0; n < GROUPS; n++) {
        size_t group = n * STRIDE % GROUPS;
        if (group % KEEP == burst % KEEP)
            continue;
        for (size_t i = group * GROUP; i < (group + 1) * GROUP; i++) {
            sum += sized_drop(all[i], live);
            all[i] = NULL;
        }
    }
    return sum;
}

void bursts(const bench_args *args)
{
    static uint32_t size[BENCH_TABLE];
    sized **all = bench_map(BURST_OBJECTS * sizeof *all);
    uint64_t rounds = bench_rounds(args, 6), sum = 0;
    size_t live = 0, quiet_live = 0;
    sizes_power(size, 64, 16384, 11);
    ratio r = {.base = bench_resident()};
    for (uint64_t n = 0; n < rounds; n++) {
        for (size_t i = 0; i < BURST_OBJECTS; i++)
            if (all[i] == NULL)
                all[i] = sized_new(size[i % BENCH_TABLE], i + n, &live);
        sum += burst_shrink(all, &live, n);
        for (size_t i = 0; i < QUIET; i++)
            sum +=
                sized_drop(sized_new(size[i % BENCH_TABLE], i, &quiet_live), &quiet_live);
        bench_nap(0.1);
        ratio_sample(&r, live);
    }
    for (size_t i = 0; i < BURST_OBJECTS; i++)
        if (all[i] != NULL)
            sum += sized_drop(all[i], &live);
    bench_checksum(sum);
    ratio_report(&r);
}

/*
 * Drift: a fixed number of live bytes, of which random objects are replaced by objects of
 * the size of the day, which grows by a quarter a phase from 32 B to 16 KiB and shrinks
 * again, twice. Half of the live bytes are replaced in a phase (less in a run of a
 * smaller scale), so that old objects pin what the many have left.
 */
enum {
    DRIFT_LIVE = 16 * MIB,
    DRIFT_LOW = 32,
    DRIFT_HIGH = 16384,
    DRIFT_UP = 28, /* phases of a quarter each from DRIFT_LOW to DRIFT_HIGH */
    DRIFT_PHASES = 4 * DRIFT_UP,
    DRIFT_SAMPLES = 8 /* in a phase */
};

typedef struct drifter {
    sized **all;
    size_t count, live, target;
    uint64_t random, tag, sum;
} drifter;

/* Replaces objects until `bytes` have been asked for. */
static void drift_turn(drifter *d, uint32_t mean, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        while (d->live > d->target) {
            size_t victim = bench_below(&d->random, (uint32_t)d->count);
            d->sum += sized_drop(d->all[victim], &d->live);
            d->all[victim] = d->all[--d->count];
        }
        size_t size = mean - mean / 4 + bench_below(&d->random, mean / 2);
        d->all[d->count++] = sized_new(size, d->tag++, &d->live);
        done += size;
    }
}

static void drift_drop(drifter *d)
{
    while (d->count > 0)
        d->sum += sized_drop(d->all[--d->count], &d->live);
}

/* The size of the day in phase n of a walk up and down. */
static uint32_t drift_mean(unsigned n)
{
    unsigned day = n % (2 * DRIFT_UP), steps = day < DRIFT_UP ? day : 2 * DRIFT_UP - day;
    uint32_t mean = DRIFT_LOW;
    for (unsigned i = 0; i < steps; i++)
        mean += mean / 4;
    return mean < DRIFT_HIGH ? mean : DRIFT_HIGH;
}

/* Bytes to replace in a phase. */
static size_t drift_bytes(const bench_args *args, size_t target)
{
    return (size_t)((double)target * args->scale / 2);
}

static sized **drift_room(size_t target)
{
    return bench_map((target / (DRIFT_LOW - DRIFT_LOW / 4) + 2) * sizeof(sized *));
}

void drift(const bench_args *args)
{
    size_t bytes = drift_bytes(args, DRIFT_LIVE);
    drifter d = {.all = drift_room(DRIFT_LIVE), .target = DRIFT_LIVE, .random = 12};
    ratio r = {.base = bench_resident()};
    drift_turn(&d, DRIFT_LOW, DRIFT_LIVE);
    for (unsigned n = 0; n < DRIFT_PHASES; n++) {
        for (unsigned part = 0; part < DRIFT_SAMPLES; part++) {
            drift_turn(&d, drift_mean(n), bytes / DRIFT_SAMPLES);
            ratio_sample(&r, d.live);
        }
    }
    drift_drop(&d);
    bench_checksum(d.sum);
    ratio_report(&r);
}

/*
 * The same in several threads. A drifter moves to the next thread after each phase, so
 * that most objects are freed by a thread that did not allocate them; all meet between
 * phases, when one samples.
 */
static struct {
    drifter d[BENCH_MAX_THREADS];
    ratio r;
    size_t bytes; /* to replace in a phase, by each */
    unsigned threads;
    pthread_barrier_t meet;
} shared;

static uint64_t drift_body(unsigned index)
{
    drift_turn(&shared.d[index], DRIFT_LOW, shared.d[index].target);
    for (unsigned n = 0; n < DRIFT_PHASES; n++) {
        drifter *d = &shared.d[(index + n) % shared.threads];
        drift_turn(d, drift_mean(n), shared.bytes);
        if (pthread_barrier_wait(&shared.meet) == PTHREAD_BARRIER_SERIAL_THREAD)
            ratio_sample(&shared.r, DRIFT_LIVE);
        pthread_barrier_wait(&shared.meet);
    }
    return 0;
}

void drift_threads(const bench_args *args)
{
    uint64_t sum = 0;
    shared.bytes = drift_bytes(args, DRIFT_LIVE / args->threads);
    shared.threads = args->threads;
    pthread_barrier_init(&shared.meet, NULL, args->threads);
    for (unsigned i = 0; i < args->threads; i++) {
        size_t target = DRIFT_LIVE / args->threads;
        shared.d[i] =
            (drifter){.all = drift_room(target), .target = target, .random = 13 + i};
    }
    shared.r.base = bench_resident();
    bench_threads(args->threads, drift_body);
    for (unsigned i = 0; i < args->threads; i++) {
        drift_drop(&shared.d[i]);
        sum += shared.d[i].sum;
    }
    bench_checksum(sum);
    ratio_report(&shared.r);
}
