/*
 * stack.c MOST - how many bytes of stack each function of the family takes, in a thread
 * on the smallest stack that POSIX lets it have. Fails if one takes more than MOST; a
 * report, more than twice that.
 *
 * The stack below the caller is painted, the function called, and the deepest byte that
 * lost its paint found. Calls are bound before main (-z now), else the dynamic linker's
 * own depth would count.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAINTED = 6 * 1024, PAINT = 0xA5, HELD = 64 };

typedef struct step {
    const char *name;
    void (*call)(void);
    size_t shares; /* of what is allowed: a report, which walks the heap, has two */
} step_t;

static size_t most = 1024;
static int failed;
static void *held[HELD];

static void do_first_malloc(void) { held[0] = malloc(100); }
static void do_malloc(void) { held[1] = malloc(500); }
static void do_many(void)
{
    for (size_t i = 2; i < HELD; i++)
        held[i] = malloc(i * 700);
}
static void do_large(void) { free(malloc(3 << 20)); }
static void do_calloc(void) { free(calloc(300, 300)); }
static void do_realloc(void) { held[1] = realloc(held[1], 70000); }
static void do_realloc_large(void) { held[1] = realloc(held[1], 9 << 20); }
static void do_memalign(void) { free(memalign(4096, 100)); }
static void do_free(void) { free(held[1]); }
static void do_free_many(void)
{
    for (size_t i = 2; i < HELD; i++)
        free(held[i]);
}
static void do_usable(void) { held[1] = (void *)(uintptr_t)malloc_usable_size(held[0]); }
static void do_free_first(void) { free(held[0]); }
static void do_trim(void) { malloc_trim(0); }
static void do_mallinfo(void) { (void)mallinfo2(); }

static const step_t steps[] = {
    {"first malloc", do_first_malloc, 1},
    {"malloc", do_malloc, 1},
    {"many mallocs", do_many, 1},
    {"large malloc", do_large, 1},
    {"calloc", do_calloc, 1},
    {"realloc", do_realloc, 1},
    {"large realloc", do_realloc_large, 1},
    {"memalign", do_memalign, 1},
    {"free", do_free, 1},
    {"many frees", do_free_many, 1},
    {"usable size", do_usable, 1},
    {"last free", do_free_first, 1},
    {"malloc_trim", do_trim, 1},
    {"mallinfo2", do_mallinfo, 2},
};

/* Not inlined: its frame is where the functions' frames will be. */
static __attribute__((noinline)) void paint(void)
{
    volatile unsigned char canvas[PAINTED];

    for (size_t i = 0; i < PAINTED; i++)
        canvas[i] = PAINT;
    __asm__ volatile("" : : "r"(canvas) : "memory");
}

static __attribute__((noinline)) size_t depth(void)
{
    unsigned char canvas[PAINTED];
    const unsigned char *volatile found = canvas; /* as paint and others left it */
    size_t intact = 0;

    /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    while (intact < PAINTED && found[intact] == PAINT)
        intact++;
    return PAINTED - intact;
}

static void *work(void *argument)
{
    size_t used;
    size_t allowed;

    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        paint();
        steps[i].call();
        used = depth();
        allowed = most * steps[i].shares;
        printf("%-16s %5zu bytes\n", steps[i].name, used);
        if (used > allowed) {
            printf("%s takes %zu bytes of stack, %zu allowed\n", steps[i].name, used,
                   allowed);
            failed = 1;
        }
    }
    return argument;
}

int main(int count, char **arguments)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (count > 1)
        most = strtoul(arguments[1], NULL, 10);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("stack of %ld bytes\n", (long)PTHREAD_STACK_MIN);
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, (size_t)PTHREAD_STACK_MIN) ||
        pthread_create(&thread, &attributes, work, NULL)) {
        printf("no thread with the smallest stack\n");
        return 2;
    }
    pthread_join(thread, NULL);
    return failed;
}
