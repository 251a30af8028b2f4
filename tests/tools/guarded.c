/*
 * guarded.c - a program that makes one mistake with a guarded chunk: an overflow, an
 * underflow, a use after free, a second free, or none, as its first argument says. It
 * allocates in take and frees in give. Chunks that chance has not chosen are used well.
 * With a second argument it handles SIGSEGV itself. Two faults that are no guarded
 * chunk's: an access elsewhere, and the signal sent to itself.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define APART __attribute__((noinline))

enum { SIZE = 48, LINE = 256, ROUNDS = 100000 };

static void *(*volatile see_malloc)(size_t) = malloc;
static void (*volatile see_free)(void *) = free;
static volatile size_t calls; /* counted behind each call, lest it be a jump */

APART static char *take(void)
{
    char *mem = see_malloc(SIZE);
    calls++;
    return mem;
}

APART static void give(char *mem)
{
    see_free(mem);
    calls++;
}

static void handle(int number)
{
    static const char text[] = "its own handler\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written;
    _exit(number);
}

/* A mapping of its own, as small as it is: the flag M of its size word. */
static bool is_guarded(const char *mem)
{
    size_t word;
    memcpy(&word, mem - sizeof word, sizeof word);
    return (word & 2) != 0;
}

/* Its memory ends where its page ends. */
static bool is_high(const char *mem)
{
    return is_guarded(mem) &&
           ((uintptr_t)mem + SIZE) % (uintptr_t)sysconf(_SC_PAGESIZE) == 0;
}

static bool is_low(const char *mem) { return is_guarded(mem) && !is_high(mem); }

static void fault_elsewhere(const char *how)
{
    if (strcmp(how, "wild") == 0)
        *(volatile char *)mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) =
            1;
    else if (strcmp(how, "sent") == 0)
        raise(SIGSEGV);
}

static void use(const char *how, char *mem)
{
    volatile char *at = mem;
    bool high = is_high(mem);
    if (strcmp(how, "overflow") == 0 && high)
        at[SIZE + 8] = 1;
    else if (strcmp(how, "underflow") == 0 && is_low(mem))
        at[-200] = 1;
    give(mem);
    if (strcmp(how, "use") == 0 && high)
        at[3] = 1;
    else if (strcmp(how, "twice") == 0 && high)
        give(mem);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return EXIT_FAILURE;
    if (argc > 2)
        signal(SIGSEGV, handle);
    for (int i = 0; i < ROUNDS; i++) {
        bool aligned = strcmp(argv[1], "fine") == 0 && i % 8 == 0;
        char *mem = aligned ? aligned_alloc(LINE, LINE) : take();
        memset(mem, 1, SIZE);
        use(argv[1], mem);
    }
    fault_elsewhere(argv[1]);
    return EXIT_SUCCESS;
}
