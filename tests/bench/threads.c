/*
 * threads.c - programs of many threads: private churn, a server whose threads die,
 * producer and consumer, a ring, phases, long batches, false sharing, and threads that
 * hardly live.
 *
 * The work of a run does not depend on the number of threads, it is divided among them;
 * so time at different -t can be compared, and `metric ops` is the number of pairs of
 * malloc and free.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <stdatomic.h>

static uint32_t size[BENCH_TABLE];
static unsigned threads;
static uint64_t rounds; /* of one thread */

static void report(uint64_t sum, uint64_t ops)
{
    bench_checksum(sum);
    bench_metric("ops", (double)ops);
}

/* ----------------------------------------------------------- churn: nothing is shared */

enum { CHURN_LIVE = 1000 };

static uint64_t churn_body(unsigned index)
{
    void *live[CHURN_LIVE];
    uint64_t random = index, sum = 0;
    for (size_t i = 0; i < CHURN_LIVE; i++)
        live[i] = object_new(size[i], i);
    for (uint64_t r = 0; r < rounds; r++) {
        uint64_t bits = bench_random(&random);
        void **slot = &live[((bits & 0xffffffffu) * CHURN_LIVE) >> 32];
        sum += object_drop(*slot);
        *slot = object_new(size[(bits >> 32) % BENCH_TABLE], r);
    }
    for (size_t i = 0; i < CHURN_LIVE; i++)
        sum += object_drop(live[i]);
    return sum;
}

void churn_threads(const bench_args *args)
{
    uint64_t ops = bench_rounds(args, 40000000);
    sizes_power(size, 16, 2048, 20);
    rounds = ops / args->threads;
    report(bench_threads(args->threads, churn_body), ops);
}

/* --------------------------- larson: threads die, their objects live on with the next */

enum { LARSON_LIVE = 1000, GENERATIONS = 32 };

typedef struct session {
    void *live[LARSON_LIVE];
    uint64_t random, sum;
    unsigned generation;
} session;

static struct {
    pthread_mutex_t lock;
    pthread_cond_t done;
    unsigned running;
} server = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void session_end(session *s)
{
    for (size_t i = 0; i < LARSON_LIVE; i++)
        s->sum += object_drop(s->live[i]);
    pthread_mutex_lock(&server.lock);
    if (--server.running == 0)
        pthread_cond_signal(&server.done);
    pthread_mutex_unlock(&server.lock);
}

static void session_start(session *s);

static void *session_main(void *arg)
{
    session *s = arg;
    for (uint64_t r = 0; r < rounds; r++) {
        uint64_t bits = bench_random(&s->random);
        void **slot = &s->live[((bits & 0xffffffffu) * LARSON_LIVE) >> 32];
        s->sum += object_drop(*slot);
        *slot = object_new(size[(bits >> 32) % BENCH_TABLE], bits);
    }
    if (++s->generation == GENERATIONS)
        session_end(s);
    else
        session_start(s); /* then this thread ends */
    return NULL;
}

static void session_start(session *s)
{
    pthread_t id;
    if (pthread_create(&id, NULL, session_main, s) != 0)
        bench_die("pthread_create failed");
    pthread_detach(id);
}

void larson(const bench_args *args)
{
    session *all = bench_map(args->threads * sizeof *all);
    uint64_t ops = bench_rounds(args, 40000000), sum = 0;
    sizes_even(size, 16, 512, 21);
    rounds = ops / GENERATIONS / args->threads;
    server.running = args->threads;
    for (unsigned t = 0; t < args->threads; t++) {
        all[t].random = t;
        for (size_t i = 0; i < LARSON_LIVE; i++)
            all[t].live[i] =
                object_new(size[i], i); /* by the main thread, freed by the others */
    }
    for (unsigned t = 0; t < args->threads; t++)
        session_start(&all[t]);
    pthread_mutex_lock(&server.lock);
    while (server.running > 0)
        pthread_cond_wait(&server.done, &server.lock);
    pthread_mutex_unlock(&server.lock);
    for (unsigned t = 0; t < args->threads; t++)
        sum += all[t].sum;
    report(sum, ops);
}

/* --------------------------------------- batches of objects that go from hand to hand */

enum { BATCH = 512 };

typedef struct batch {
    void *items[BATCH];
    uint64_t random, sum;
    unsigned hops;
} batch;

static void batch_fill(batch *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        uint64_t bits = bench_random(&b->random);
        b->items[i] = object_new(size[bits % BENCH_TABLE], bits);
    }
}

static void batch_drop(batch *b)
{
    for (size_t i = 0; i < BATCH; i++)
        b->sum += object_drop(b->items[i]);
}

/* --------------------------------------- prodcons: pairs of a producer and a consumer */

enum { PAIR_BATCHES = 8 };

typedef struct pair {
    queue filled, empty;
    batch batches[PAIR_BATCHES];
} pair;

static pair *pairs;

static void produce(pair *p)
{
    for (uint64_t r = 0; r < rounds; r++) {
        batch *b = queue_pop(&p->empty);
        batch_fill(b);
        queue_push(&p->filled, b);
    }
}

static void consume(pair *p)
{
    for (uint64_t r = 0; r < rounds; r++) {
        batch *b = queue_pop(&p->filled);
        batch_drop(b);
        queue_push(&p->empty, b);
    }
}

static uint64_t prodcons_body(unsigned index)
{
    if (index % 2 == 0)
        produce(&pairs[index / 2]);
    else
        consume(&pairs[index / 2]);
    return 0;
}

/* With one thread: the same objects, filled and dropped by turns. */
static void prodcons_alone(pair *p)
{
    for (uint64_t r = 0; r < rounds; r++) {
        batch_fill(&p->batches[r % PAIR_BATCHES]);
        batch_drop(&p->batches[r % PAIR_BATCHES]);
    }
}

void prodcons(const bench_args *args)
{
    unsigned count = (args->threads + 1) / 2;
    uint64_t ops = bench_rounds(args, 12000000), sum = 0;
    pairs = bench_map(count * sizeof *pairs);
    sizes_power(size, 16, 2048, 22);
    rounds = ops / BATCH / count;
    for (unsigned i = 0; i < count; i++) {
        queue_init(&pairs[i].filled);
        queue_init(&pairs[i].empty);
        for (unsigned k = 0; k < PAIR_BATCHES; k++) {
            pairs[i].batches[k].random = i * PAIR_BATCHES + k;
            queue_push(&pairs[i].empty, &pairs[i].batches[k]);
        }
    }
    if (args->threads == 1)
        prodcons_alone(&pairs[0]);
    else
        bench_threads(args->threads, prodcons_body);
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < PAIR_BATCHES; k++)
            sum += pairs[i].batches[k].sum;
    report(sum, ops);
}

/* ------- ring: each thread replaces half of a batch's objects and passes the batch on */

enum { RING_BATCHES = 4 }; /* a thread */

static queue *ring_queues;
static atomic_uint ring_alive; /* batches that still go round */

static void ring_replace(batch *b)
{
    for (size_t i = b->hops % 2; i < BATCH; i += 2) {
        uint64_t bits = bench_random(&b->random);
        b->sum += object_drop(b->items[i]);
        b->items[i] = object_new(size[bits % BENCH_TABLE], bits);
    }
}

static uint64_t ring_body(unsigned index)
{
    batch *b;
    while ((b = queue_pop(&ring_queues[index])) != NULL) {
        ring_replace(b);
        if (++b->hops < rounds) {
            queue_push(&ring_queues[(index + 1) % threads], b);
            continue;
        }
        batch_drop(b);
        if (atomic_fetch_sub(&ring_alive, 1) == 1) /* the last one: send everybody home */
            for (unsigned i = 0; i < threads; i++)
                queue_push(&ring_queues[i], NULL);
    }
    return 0;
}

void ring(const bench_args *args)
{
    unsigned count = args->threads * RING_BATCHES;
    batch *all = bench_map(count * sizeof *all);
    uint64_t ops = bench_rounds(args, 30000000), sum = 0;
    threads = args->threads;
    ring_queues = bench_map(threads * sizeof *ring_queues);
    sizes_power(size, 16, 2048, 23);
    rounds = ops / count / (BATCH / 2);
    atomic_store(&ring_alive, count);
    for (unsigned i = 0; i < threads; i++)
        queue_init(&ring_queues[i]);
    for (unsigned i = 0; i < count; i++) {
        all[i].random = i;
        batch_fill(&all[i]);
        queue_push(&ring_queues[i % threads], &all[i]);
    }
    bench_threads(threads, ring_body);
    for (unsigned i = 0; i < count; i++)
        sum += all[i].sum;
    report(sum, ops);
}

/* -------- phases: new threads each, which free half of what the phase before has left */

enum { PHASE_LIVE = 20000 };

static void **left_behind[2][BENCH_MAX_THREADS];
static uint64_t phase;

static uint64_t phase_body(unsigned index)
{
    void **old = left_behind[(phase + 1) % 2][(index + 1) % threads];
    void **mine = left_behind[phase % 2][index];
    uint64_t random = phase * BENCH_MAX_THREADS + index, sum = 0;
    for (size_t i = 0; i < PHASE_LIVE; i++) {
        uint64_t bits = bench_random(&random);
        mine[i] = object_new(size[bits % BENCH_TABLE], bits);
        if (old[i] != NULL)
            sum += object_drop(old[i]);
        old[i] = NULL;
    }
    for (size_t i = 0; i < PHASE_LIVE; i += 2) {
        sum += object_drop(mine[i]);
        mine[i] = NULL;
    }
    return sum;
}

void phases(const bench_args *args)
{
    uint64_t count = bench_rounds(args, 120), sum = 0;
    threads = args->threads;
    sizes_power(size, 16, 2048, 24);
    for (unsigned k = 0; k < 2; k++)
        for (unsigned i = 0; i < threads; i++)
            left_behind[k][i] = bench_map(PHASE_LIVE * sizeof(void *));
    for (phase = 0; phase < count; phase++)
        sum += bench_threads(threads, phase_body);
    for (unsigned i = 0; i < threads; i++)
        for (size_t k = 1; k < PHASE_LIVE; k += 2)
            sum += object_drop(left_behind[(count - 1) % 2][i][k]);
    report(sum, count * threads * PHASE_LIVE);
}

/* ---------------------- batches: many live objects of one size, freed in long batches */

enum { MANY = 200000, LONG_BATCH = 50000, MANY_SIZE = 64 };

static uint64_t batches_body(unsigned index)
{
    void **live = bench_map(MANY * sizeof *live);
    uint64_t tag = index, sum = 0;
    for (size_t i = 0; i < MANY; i++)
        live[i] = object_new(MANY_SIZE, tag++);
    for (uint64_t r = 0; r < rounds; r++) {
        void **oldest = live + r * LONG_BATCH % MANY;
        for (size_t i = 0; i < LONG_BATCH; i++)
            sum += object_drop(oldest[i]);
        for (size_t i = 0; i < LONG_BATCH; i++)
            oldest[i] = object_new(MANY_SIZE, tag++);
    }
    for (size_t i = 0; i < MANY; i++)
        sum += object_drop(live[i]);
    return sum;
}

void batches(const bench_args *args)
{
    rounds = bench_rounds(args, 300);
    uint64_t sum = bench_threads(args->threads, batches_body);
    report(sum, args->threads * (rounds * LONG_BATCH + MANY));
}

/* -------- false sharing: do tiny objects of two threads lie in one line of the cache? */

enum { TINY = 8, WRITES = 400 };

static void *handed_over[BENCH_MAX_THREADS];

static uint64_t sharing_body(unsigned index)
{
    uint64_t sum = 0;
    if (handed_over[index] !=
        NULL) /* passive: it lies beside those of the other threads */
        sum += object_drop(handed_over[index]);
    for (uint64_t r = 0; r < rounds; r++) {
        volatile uint64_t *word = object_new(TINY, 0);
        for (unsigned i = 0; i < WRITES; i++)
            *word += i;
        sum += object_drop((void *)(uintptr_t)word);
    }
    return sum;
}

void sharing_active(const bench_args *args)
{
    rounds = bench_rounds(args, 2000000);
    report(bench_threads(args->threads, sharing_body), rounds * args->threads);
}

void sharing_passive(const bench_args *args)
{
    for (unsigned i = 0; i < args->threads; i++)
        handed_over[i] = object_new(TINY, i);
    sharing_active(args);
}

/* ----------------------------------------------------------- threads that hardly live */

static uint64_t short_life(unsigned index)
{
    enum { OBJECTS = 16 };
    void *live[OBJECTS];
    uint64_t sum = 0;
    for (size_t i = 0; i < OBJECTS; i++)
        live[i] = object_new(16 + 48 * i, i + index);
    for (size_t i = 0; i < OBJECTS; i++)
        sum += object_drop(live[i]);
    return sum;
}

void thread_start(const bench_args *args)
{
    uint64_t count = bench_rounds(args, 12000), sum = 0;
    for (uint64_t r = 0; r < count; r++)
        sum += bench_threads(args->threads, short_life);
    report(sum, count * args->threads);
}

static pthread_barrier_t crowd;

static uint64_t crowd_body(unsigned index)
{
    uint64_t sum = short_life(index);
    pthread_barrier_wait(&crowd); /* nobody ends before all have begun */
    return sum + short_life(index);
}

void thread_crowd(const bench_args *args)
{
    uint64_t count = bench_rounds(args, 60), sum = 0;
    pthread_barrier_init(&crowd, NULL, args->threads);
    for (uint64_t r = 0; r < count; r++)
        sum += bench_threads(args->threads, crowd_body);
    report(sum, count * args->threads);
}
