/*
 * attack.h - what the attack programs share: who the attacker is, and who judges.
 *
 * The attacker has a bug to work with (a write past an end or after free) and knows every
 * address, but neither a secret of the allocator nor, unless the technique says so, what
 * stands in memory that he does not own. He wins when malloc hands out memory that
 * overlaps what is live, or memory of `prey`, or when the allocator writes into prey.
 *
 * A program has variants (sizes, encodings, allocators whose layout it is made for); each
 * runs in a process of its own, and the worst outcome is the program's:
 *   won > crash > hang > abort > harmless
 * It prints one line, "<program> <outcome> <detail>", and fails unless the outcome is
 * abort or harmless. The same program runs on any allocator that is preloaded.
 */
#ifndef TESTS_ATTACK_H
#define TESTS_ATTACK_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The compiler must not know what these do. */
static void *(*volatile see_malloc)(size_t) = malloc;
static void *(*volatile see_realloc)(void *, size_t) = realloc;
static void (*volatile see_free)(void *) = free;

enum { WORD = sizeof(size_t), PREY_BYTES = 16384, LIVE_MOST = 8192, WON = 42 };

/* Flags of the size word, which glibc's heap has in common with ours. */
enum { P = 1, M = 2, A = 4 };

/* Sizes: served from caches without a lock; beyond what glibc's tcache and ours take on a
 * hit; beyond every cache of ours and below the mmap threshold; beyond that. */
enum { SMALL = 104, MIDDLE = 2040, BINNED = 40008, MAPPED = 600000 };

/* What the attacker is after: memory that malloc never owned. */
static struct {
    _Alignas(65536) size_t words[PREY_BYTES / sizeof(size_t)];
} prey;

/* ---- the judge --------------------------------------------------------------------- */

typedef struct range {
    char *start;
    size_t size;
} range_t;

static range_t live[LIVE_MOST];
static unsigned live_count;

__attribute__((noreturn)) static inline void won(const char *how)
{
    ssize_t ignored = write(STDOUT_FILENO, how, strlen(how));
    (void)ignored;
    _exit(WON);
}

static inline bool overlap(const char *a, size_t a_size, const void *b, size_t b_size)
{
    return a < (const char *)b + b_size && (const char *)b < a + a_size;
}

static inline void judge(char *mem, size_t n)
{
    if (overlap(mem, n, prey.words, sizeof prey.words))
        won("malloc returned memory of the attacker's choice");
    for (unsigned i = 0; i < live_count; i++)
        if (overlap(mem, n, live[i].start, live[i].size))
            won("malloc returned memory that overlaps a live chunk");
}

/* ---- the program that has the bug -------------------------------------------------- */

/* Memory that is live from now on. */
static inline void *take(size_t n)
{
    char *mem = see_malloc(n);
    if (mem == NULL)
        return NULL;
    judge(mem, n);
    if (live_count < LIVE_MOST)
        live[live_count++] = (range_t){mem, n};
    return mem;
}

static inline void forget(const void *mem)
{
    for (unsigned i = 0; i < live_count; i++)
        if (live[i].start == mem) {
            live[i] = live[--live_count];
            return;
        }
}

static inline void give(void *mem)
{
    forget(mem);
    see_free(mem);
}

/* Allocate as a program would that goes on: whatever was planted comes out now. */
static inline void go_on(size_t n, unsigned count)
{
    while (count-- > 0)
        take(n);
}

/* An allocator may hold back what was freed. Chunks that are in stock from before the
 * attack are freed behind it, so that it has its effect nevertheless. */
static void *stocked[2000];
static bool wants_stock;

static inline void stock(size_t n)
{
    for (unsigned i = 0; wants_stock && i < sizeof stocked / sizeof *stocked; i++)
        stocked[i] = see_malloc(n);
}

static inline void spend_stock(void)
{
    for (unsigned i = 0; wants_stock && i < sizeof stocked / sizeof *stocked; i++)
        see_free(stocked[i]);
}

/* A small chunk that stays, so that what is freed before it does not merge with top. */
static inline void wall(void) { take(24); }

/* ---- the attacker ------------------------------------------------------------------ */

/* The word at mem + at bytes, whoever owns it. */
static inline size_t peek(const void *mem, ptrdiff_t at)
{
    return *(const volatile size_t *)(const void *)((const char *)mem + at);
}

static inline void poke(void *mem, ptrdiff_t at, size_t word)
{
    *(volatile size_t *)(void *)((char *)mem + at) = word;
}

/* The chunk of mem begins two words before it. */
static inline size_t chunk(const void *mem) { return (size_t)mem - 2 * WORD; }

/* Without flags, and without what a hardened heap may have in the highest bits. */
static inline size_t size_of(const void *mem)
{
    return peek(mem, -WORD) & (((size_t)1 << 48) - 16);
}

/* A word of prey, as an address, and its place in it. */
static inline size_t prey_at(unsigned word) { return (size_t)&prey.words[word]; }

static size_t prey_before[PREY_BYTES / sizeof(size_t)];

static inline void prey_is_set(void)
{
    memcpy(prey_before, prey.words, sizeof prey_before);
}

static inline void prey_must_be_unchanged(void)
{
    if (memcmp(prey_before, prey.words, sizeof prey_before) != 0)
        won("the allocator wrote where the attacker wanted it");
}

/* ---- running ----------------------------------------------------------------------- */

typedef void (*variant_t)(void);

static inline int status_of_variant(const char *number, char *says, size_t size)
{
    int ends[2], status = 0;
    size_t used = 0;
    if (pipe(ends) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        alarm(20);
        execl("/proc/self/exe", "attack", number, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    for (ssize_t n; used < size - 1; used += (size_t)n)
        if ((n = read(ends[0], says + used, size - 1 - used)) <= 0)
            break;
    for (char rest[256]; read(ends[0], rest, sizeof rest) > 0;) {
        /* a report has more lines than says holds, and whoever writes it needs a
         * reader */
    }
    close(ends[0]);
    says[used] = '\0';
    says[strcspn(says, "\n")] = '\0';
    waitpid(pid, &status, 0);
    return status;
}

enum { HARMLESS, ABORT, HANG, CRASH, OWNED };

static inline int outcome_of(int status)
{
    if (WIFEXITED(status))
        return WEXITSTATUS(status) == WON ? OWNED
               : WEXITSTATUS(status) == 0 ? HARMLESS
                                          : CRASH;
    return WTERMSIG(status) == SIGABRT   ? ABORT
           : WTERMSIG(status) == SIGALRM ? HANG
                                         : CRASH;
}

/* cmalloc aborts with its line and no other. */
static inline bool says_well(int outcome, const char *says)
{
    return outcome != ABORT || getenv("CM_PEER") != NULL ||
           strncmp(says, "cmalloc: fatal: ", 16) == 0;
}

static inline int attack(int argc, char **argv, const char *name,
                         const variant_t *variants, unsigned count)
{
    static const char *const words[] = {"harmless", "abort", "hang", "crash", "won"};
    if (argc > 1) {
        unsigned long i = strtoul(argv[1], NULL, 10);
        wants_stock = i >= count;
        variants[i % count]();
        return 0;
    }
    int worst = HARMLESS;
    char why[200] = "", says[200], number[12];
    for (unsigned i = 0; i < 2 * count; i++) { /* the second half with a stock */
        snprintf(number, sizeof number, "%u", i);
        int status = status_of_variant(number, says, sizeof says);
        int outcome = outcome_of(status);
        if (!says_well(outcome, says))
            outcome = CRASH;
        if (outcome > worst || i == 0)
            snprintf(why, sizeof why, "variant %u: %.150s", i, says);
        worst = outcome > worst ? outcome : worst;
        if (getenv("V") != NULL)
            fprintf(stderr, "%s %u: %s %s\n", name, i, words[outcome], says);
    }
    printf("%s %s %s\n", name, words[worst], why);
    return worst > ABORT;
}

#define ATTACK(...) \
    int main(int argc, char **argv) \
    { \
        static const variant_t variants[] = {__VA_ARGS__}; \
        const char *slash = strrchr(__FILE__, '/'); \
        return attack(argc, argv, slash != NULL ? slash + 1 : __FILE__, variants, \
                      sizeof variants / sizeof *variants); \
    }

/* Keeps "defined but not used" away from programs that need only some. */
static inline void attack_unused(void)
{
    (void)see_realloc;
    stock(0);
    spend_stock();
}

#endif
