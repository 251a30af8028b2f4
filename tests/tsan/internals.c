/*
 * internals.c - the whole library but its exported names, for the sanitizers.
 *
 * A sanitizer brings its own malloc, so ours cannot be put in its place. Here the layers
 * from base to inspect are compiled into one program that calls front_malloc and its kin
 * by these names; every load and store of the library is instrumented. Threads come and
 * go, hand each other chunks, free what others made, and one more trims, walks, checks
 * and counts meanwhile. An object is filled by its owner and looked at by whoever frees
 * it, so that two owners of one chunk would be a race as well as a wrong content.
 *
 *   SEED=n    another run                OPS=n    calls of each thread
 */
#include "base/compiler.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sanitizers see mmap and munmap, not syscall(2): without this a mapping that two
 * threads have one after the other would look like one that both use. */
static long seen_map(va_list args)
{
    void *hint = va_arg(args, void *);
    size_t size = va_arg(args, size_t);
    int protection = va_arg(args, int), flags = va_arg(args, int);
    return (long)mmap(hint, size, protection, flags, -1, 0);
}

static long seen_unmap(va_list args)
{
    void *p = va_arg(args, void *);
    return munmap(p, va_arg(args, size_t));
}

static long seen_syscall(long number, ...)
{
    va_list args;
    va_start(args, number);
    long result;
    if (number == SYS_mmap) {
        result = seen_map(args);
    } else if (number == SYS_munmap) {
        result = seen_unmap(args);
    } else {
        long a[6];
        for (int i = 0; i < 6; i++)
            a[i] = va_arg(args, long);
        result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    va_end(args);
    return result;
}

#define syscall(...) seen_syscall(__VA_ARGS__, 0L, 0L, 0L, 0L, 0L, 0L)

#define CM_NO_API
#include "cmalloc.c"

enum { CROWD = 4, WAVES = 6, SHELF = 256, LARGE_EVERY = 64 };

typedef struct object {
    size_t size;
    unsigned char tag;
} object_t;

static _Atomic(object_t *) table[SHELF];
static atomic_bool finished;
static uint64_t seed = 1;
static size_t operations = 4000;

#define CHECK(e) ((e) ? (void)0 : failed(#e, __LINE__))

static void failed(const char *what, int at)
{
    fprintf(stderr, "internals.c:%d: %s\n", at, what);
    abort();
}

static uint64_t chance_of(uint64_t *chance)
{
    *chance ^= *chance << 13;
    *chance ^= *chance >> 7;
    *chance ^= *chance << 17;
    return *chance;
}

static size_t draw_size(uint64_t *chance)
{
    if (chance_of(chance) % LARGE_EVERY == 0)
        return sizeof(object_t) + chance_of(chance) % (256 * KIB);
    return sizeof(object_t) + chance_of(chance) % ((uint64_t)16 << chance_of(chance) % 9);
}

static object_t *label(void *mem, size_t size, unsigned char tag)
{
    object_t *o = mem;
    CHECK(o != NULL && front_usable(o) >= size);
    memset(o, tag, size);
    o->size = size;
    o->tag = tag;
    return o;
}

static object_t *make(uint64_t *chance)
{
    size_t size = draw_size(chance);
    unsigned char tag = (unsigned char)chance_of(chance);
    switch (chance_of(chance) % 8) {
    case 0:
        return label(front_calloc(size), size, tag);
    case 1:
        return label(front_aligned((size_t)32 << chance_of(chance) % 8, size), size, tag);
    default:
        return label(front_malloc(size), size, tag);
    }
}

static void look_at(const object_t *o)
{
    const unsigned char *bytes = (const unsigned char *)o;
    for (size_t i = sizeof *o; i < o->size; i++)
        CHECK(bytes[i] == o->tag);
}

static object_t *resize(object_t *o, uint64_t *chance)
{
    size_t size = draw_size(chance), keep = o->size < size ? o->size : size;
    unsigned char tag = o->tag;
    o->size = keep;
    o = front_realloc(o, size);
    CHECK(o != NULL);
    look_at(o);
    return label(o, size, tag);
}

static void destroy(object_t *o)
{
    if (o != NULL)
        look_at(o);
    front_free(o);
}

/* Acquire and release: what programs do when they hand over an object. */
static object_t *swap(size_t at, object_t *o)
{
    return atomic_exchange_explicit(&table[at], o, memory_order_acq_rel);
}

static void *live_on(void *number)
{
    uint64_t chance = (seed * 64 + (uintptr_t)number) * 0x9E3779B97F4A7C15u | 1;
    for (size_t i = 0; i < operations; i++) {
        object_t *o = make(&chance);
        if (chance_of(&chance) % 8 == 0)
            o = resize(o, &chance);
        destroy(swap(chance_of(&chance) % SHELF, o));
        if (chance_of(&chance) % 1024 == 0)
            front_flush();
    }
    return NULL;
}

static int visit(const cmalloc_item *item, void *arg)
{
    *(size_t *)arg += item->size;
    return 0;
}

static void *inspect(void *unused)
{
    for (unsigned i = 0; !atomic_load(&finished); i++) {
        size_t bytes = 0;
        cmalloc_stats s;
        walk_all(visit, &bytes);
        CHECK(bytes > 0 && check_all() > 0);
        stats_all(&s);
        front_trim(i % 2 * 64 * KIB);
        destroy(swap(i % SHELF, NULL));
        usleep(2000);
    }
    return unused;
}

static void run_waves(void)
{
    pthread_t threads[CROWD];
    for (uintptr_t wave = 0; wave < WAVES; wave++) {
        for (uintptr_t i = 0; i < CROWD; i++)
            CHECK(pthread_create(&threads[i], NULL, live_on,
                                 (void *)(wave * CROWD + i)) == 0);
        for (uintptr_t i = 0; i < CROWD; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
    }
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
    pthread_t inspector;
    seed = setting("SEED", seed);
    operations = setting("OPS", operations);
    printf("SEED=%llu\n", (unsigned long long)seed);
    CHECK(pthread_create(&inspector, NULL, inspect, NULL) == 0);
    run_waves();
    atomic_store(&finished, true);
    CHECK(pthread_join(inspector, NULL) == 0);
    for (size_t i = 0; i < SHELF; i++)
        destroy(swap(i, NULL));
    CHECK(check_all() > 0);
    return 0;
}
