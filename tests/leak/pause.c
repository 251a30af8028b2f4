/*
 * pause.c MODE - how long a search for leaks holds a program up. A GiB in 8 million
 * chunks that lead to each other, and a thread that allocates and looks at the clock all
 * the time. MODE is "inside" or "precise" for a search by this program, or "outside": it
 * says that it is ready, and waits for a line. Prints the longest time between two looks
 * at the clock, and how long a search took, in milliseconds: medians of ROUNDS.
 */
#include "../unit/support.h"

#include <time.h>

#pragma weak cmalloc_leaks /* until the library is preloaded */

enum { CHUNKS = 8 << 20, SIZE = 112, ROUNDS = 7 };

static void *chain;
static _Atomic bool over;
static _Atomic double longest;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* It writes to chunks of its own: after a fork their pages are copied. */
static void *tick(void *arg)
{
    (void)arg;
    for (double before = now_ms(); !atomic_load(&over);) {
        free(memset(malloc(SIZE), 1, SIZE));
        double now = now_ms();
        if (now - before > atomic_load(&longest))
            atomic_store(&longest, now - before);
        before = now;
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

/* One search, or one line of standard input; then the next. */
static bool search(const char *mode)
{
    char line[16];
    if (strcmp(mode, "outside") != 0)
        return cmalloc_leaks(strcmp(mode, "precise") == 0 ? CMALLOC_LEAKS_PRECISE : 0,
                             NULL, NULL) >= 0;
    puts("ready");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) != NULL;
}

int main(int argc, char **argv)
{
    double pause[ROUNDS], took[ROUNDS];
    require_library();
    CHECK(argc > 1);
    for (int i = 0; i < CHUNKS; i++) {
        void **mem = malloc(SIZE);
        CHECK(mem);
        *mem = chain;
        chain = mem;
    }
    pthread_t thread = start_thread(tick, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        double start = now_ms();
        atomic_store(&longest, 0);
        CHECK(search(argv[1]));
        took[i] = now_ms() - start;
        pause[i] = atomic_load(&longest);
    }
    atomic_store(&over, true);
    join_thread(thread);
    printf("%s: pause %.2f ms, search %.0f ms\n", argv[1], median(pause), median(took));
    return EXIT_SUCCESS;
}
