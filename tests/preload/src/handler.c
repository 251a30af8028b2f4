/*
 * handler.c - signal handlers that allocate, below any place of the library: none waits
 * for ever, whatever lock this very thread holds.
 *
 *   fault   SIGSEGV comes in the middle of malloc or free (a header leads to memory that
 * is
 *           not there); the handler allocates and frees, then ends the process
 *   abort   a panic's SIGABRT comes while the arena's lock is held; likewise
 *   timer   SIGALRM every five milliseconds, in a loop of calls of all kinds
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

static void *(*volatile see_malloc)(size_t) = malloc;
static void *(*volatile see_realloc)(void *, size_t) = realloc;
static void (*volatile see_free)(void *) = free;

static volatile sig_atomic_t ticks;

/* Every kind of size: cached, from an arena, a mapping. */
static void allocate_all_kinds(void)
{
    static const size_t sizes[] = {24, 600, 3000, 50000, 300000};
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            char *mem = see_malloc(sizes[i]);
            if (mem == NULL)
                _exit(3);
            memset(mem, 'x', sizes[i]);
            mem = see_realloc(mem, sizes[i] + 100);
            see_free(mem);
        }
}

static void last_handler(int number)
{
    (void)number;
    allocate_all_kinds();
    static const char text[] = "the handler came back\n";
    _exit(write(1, text, sizeof text - 1) == sizeof text - 1 ? 0 : 4);
}

static void tick(int number)
{
    (void)number;
    allocate_all_kinds();
    ticks++;
}

/* A free chunk's footer is forged: found by the free of the one behind, in the arena. */
static void panic_in_the_arena(void)
{
    char *a = see_malloc(40000), *b = see_malloc(40000), *wall = see_malloc(40000);
    see_free(a);
    ((size_t *)(void *)b)[-2] = 64;
    see_free(b);
    see_free(wall);
}

/* The page of a binned chunk's links goes: a fault, in the arena. */
static void fault_in_the_arena(void)
{
    const size_t size = 100000;
    char *a = see_malloc(size), *wall = see_malloc(size);
    (void)wall;
    char *page = (char *)(((uintptr_t)a + 4095) & ~(uintptr_t)4095);
    see_free(a);
    mprotect(page - 4096, 65536, PROT_NONE);
    for (int i = 0; i < 100; i++)
        see_malloc(size - 5000);
}

static void many_calls(void)
{
    struct itimerval often = {{0, 5000}, {0, 5000}};
    setitimer(ITIMER_REAL, &often, NULL);
    void *kept[64] = {0};
    for (unsigned i = 0; ticks < 40; i++) {
        see_free(kept[i % 64]);
        kept[i % 64] = see_malloc((size_t)i * 977 % 70000);
        if (i % 7 == 0)
            kept[i % 64] = see_realloc(kept[i % 64], (size_t)i * 31 % 90000 + 1);
    }
    puts("the handler came back");
    exit(0);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    mallopt(M_MMAP_THRESHOLD, 200000);
    static char stack[65536]; /* the handler's own */
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction act = {.sa_handler = last_handler, .sa_flags = SA_ONSTACK};
    sigaltstack(&own, NULL);
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGABRT, &act, NULL);
    act.sa_handler = tick;
    sigaction(SIGALRM, &act, NULL);
    if (strcmp(what, "fault") == 0)
        fault_in_the_arena();
    else if (strcmp(what, "abort") == 0)
        panic_in_the_arena();
    else if (strcmp(what, "timer") == 0)
        many_calls();
    fputs("handler: nothing came\n", stderr);
    return 1;
}
