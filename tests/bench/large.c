/*
 * large.c - large objects, calls of the other members of the family, and vectors that
 * grow. A byte in every page of a large object is written, so whoever hands out fresh
 * pages pays for their faults here, as in a program.
 */
#include "bench.h"

enum { KIB = 1024, MIB = 1024 * 1024 };

/* Six sizes in turn, each freed before the next is asked for; then three live. */
void large_reuse(const bench_args *args)
{
    static const size_t size[] = {1 * MIB, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB};
    enum { SIZES = sizeof size / sizeof size[0], LIVE = 3 };
    void *live[LIVE];
    uint64_t rounds = bench_rounds(args, 5), sum = 0;
    for (uint64_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < SIZES; i++)
            sum += object_drop(object_new(size[i], i + r));
        for (size_t i = 0; i + LIVE <= SIZES; i += LIVE) {
            for (size_t k = 0; k < LIVE; k++)
                live[k] = object_new(size[i + k], k + r);
            for (size_t k = 0; k < LIVE; k++)
                sum += object_drop(live[k]);
        }
    }
    bench_checksum(sum);
}

/* Each doubling from 256 KiB to 64 MiB is equally likely: eight of them. */
static size_t large_size(uint64_t *random)
{
    size_t base = (size_t)(256 * KIB) << bench_below(random, 8);
    return base + bench_below(random, (uint32_t)base);
}

void large_mixed(const bench_args *args)
{
    enum { LIVE = 4 };
    void *live[LIVE];
    uint64_t rounds = bench_rounds(args, 50), random = 6, sum = 0;
    for (size_t i = 0; i < LIVE; i++)
        live[i] = object_new(large_size(&random), i);
    for (uint64_t r = 0; r < rounds; r++) {
        void **slot = &live[bench_below(&random, LIVE)];
        sum += object_drop(*slot);
        *slot = object_new(large_size(&random), r);
    }
    for (size_t i = 0; i < LIVE; i++)
        sum += object_drop(live[i]);
    bench_checksum(sum);
}

typedef struct vector {
    unsigned char *bytes;
    size_t size;
} vector;

/* Grow v and write the lines that it gained; its first word (the tag) has to survive. */
static void vector_grow(vector *v, size_t size)
{
    unsigned char *bytes = realloc(v->bytes, size);
    if (bytes == NULL)
        bench_die("realloc returned NULL");
    size_t line = (v->size + BENCH_LINE - 1) & ~(size_t)(BENCH_LINE - 1);
    for (size_t at = line; at < size; at += BENCH_LINE)
        bytes[at] = (unsigned char)at;
    bytes[size - 1] = (unsigned char)size;
    *v = (vector){bytes, size};
}

/* Read back a byte of every page: what realloc moved has to be what was written. */
static uint64_t vector_drop(vector *v)
{
    uint64_t sum = v->bytes[v->size - 1];
    for (size_t at = 0; at < v->size; at += BENCH_PAGE)
        sum = 31 * sum + v->bytes[at];
    sum += object_drop(v->bytes);
    *v = (vector){NULL, 0};
    return sum;
}

/* Sixteen vectors grow in turns, so that none has the end of the heap for itself. */
void vectors(const bench_args *args)
{
    enum { VECTORS = 16, FIRST = 64, LAST = 4 * MIB };
    static vector v[VECTORS];
    uint64_t rounds = bench_rounds(args, 3), sum = 0;
    for (uint64_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < VECTORS; i++)
            v[i] = (vector){object_new(FIRST, i + r), FIRST};
        for (size_t size = FIRST; size < LAST; size += size / 2)
            for (size_t i = 0; i < VECTORS; i++)
                vector_grow(&v[i], size + size / 2);
        for (size_t i = 0; i < VECTORS; i++)
            sum += vector_drop(&v[i]);
    }
    bench_checksum(sum);
}

/* Strings appended to by a few bytes, 64 in turns, with small objects between them. */
void strings(const bench_args *args)
{
    enum { STRINGS = 64, FIRST = 16, LAST = 2048, STEP = 48 };
    static vector v[STRINGS];
    static void *between[STRINGS];
    uint64_t rounds = bench_rounds(args, 4000), sum = 0;
    for (uint64_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < STRINGS; i++) {
            v[i] = (vector){object_new(FIRST, i + r), FIRST};
            between[i] = object_new(STEP, i);
        }
        for (size_t size = FIRST; size < LAST; size += STEP)
            for (size_t i = 0; i < STRINGS; i++)
                vector_grow(&v[i], size + STEP);
        for (size_t i = 0; i < STRINGS; i++)
            sum += vector_drop(&v[i]) + object_drop(between[i]);
    }
    bench_checksum(sum);
}

static void *calloc_new(size_t size, uint64_t tag)
{
    unsigned char *mem = calloc(1, size);
    if (mem == NULL)
        bench_die("calloc returned NULL");
    if (mem[0] != 0 || mem[size / 2] != 0 || mem[size - 1] != 0)
        bench_die("calloc returned memory that is not zero");
    object_fill(mem, size, tag);
    return mem;
}

/* Mostly small, up to 1 MiB; 512 live. What was freed has to be cleared. */
void callocs(const bench_args *args)
{
    enum { LIVE = 512 };
    static uint32_t size[BENCH_TABLE];
    static void *live[LIVE];
    uint64_t rounds = bench_rounds(args, 20000000), sum = 0;
    sizes_power(size, 16, 1 * MIB, 7);
    for (size_t i = 0; i < LIVE; i++)
        live[i] = calloc_new(size[i], i);
    for (uint64_t i = 0; i < rounds; i++) {
        void **slot = &live[i % LIVE];
        sum += object_drop(*slot);
        *slot = calloc_new(size[i % BENCH_TABLE], i);
    }
    for (size_t i = 0; i < LIVE; i++)
        sum += object_drop(live[i]);
    bench_checksum(sum);
}

static void *aligned_new(size_t align, size_t size, uint64_t tag)
{
    void *mem = aligned_alloc(align, size);
    if (mem == NULL)
        bench_die("aligned_alloc returned NULL");
    if (((uintptr_t)mem & (align - 1)) != 0)
        bench_die("aligned_alloc returned memory that is not aligned");
    object_fill(mem, size, tag);
    return mem;
}

/* Lines of 32 are asked for most often, pages rarely: each doubling half as likely. */
void aligned(const bench_args *args)
{
    enum { LIVE = 512 };
    static uint32_t size[BENCH_TABLE], align[BENCH_TABLE];
    static void *live[LIVE];
    uint64_t rounds = bench_rounds(args, 8000000), sum = 0, random = 9;
    sizes_power(size, 32, 16 * KIB, 8);
    for (size_t i = 0; i < BENCH_TABLE; i++) {
        align[i] = 32u << __builtin_ctz(bench_below(&random, 128) | 128);
        size[i] = (size[i] + align[i] - 1) &
                  ~(align[i] - 1); /* aligned_alloc wants a multiple */
    }
    for (size_t i = 0; i < LIVE; i++)
        live[i] = aligned_new(align[i], size[i], i);
    for (uint64_t i = 0; i < rounds; i++) {
        void **slot = &live[i % LIVE];
        size_t t = i % BENCH_TABLE;
        sum += object_drop(*slot);
        *slot = aligned_new(align[t], size[t], i);
    }
    for (size_t i = 0; i < LIVE; i++)
        sum += object_drop(live[i]);
    bench_checksum(sum);
}
