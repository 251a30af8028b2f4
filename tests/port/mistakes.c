/*
 * mistakes.c - fine as it is; with an argument, what a checker has to find: a byte
 * written behind a chunk, a use after free, a jump on memory that nobody has written, a
 * lost chunk.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *(*volatile see_malloc)(size_t) = malloc;

static void *use_well(void *arg)
{
    for (size_t i = 1; i < 3000; i += 7) {
        char *mem = see_malloc(i);
        memset(mem, 1, i);
        mem = realloc(mem, 2 * i);
        memset(mem + i, 2, i);
        free(mem);
        int *zeros = calloc(i, sizeof *zeros);
        if (zeros[i - 1] != 0)
            abort();
        free(zeros);
        char *line = aligned_alloc(64, 64 * i);
        line[64 * i - 1] = 3;
        free(line);
    }
    return arg;
}

static void *volatile lost;

static int use_badly(void)
{
    volatile char *mem = see_malloc(10);
    int *unwritten = see_malloc(40);
    mem[10] = 1;
    int sum = unwritten[3] > 5 ? 7 : 8;
    free(unwritten);
    free((void *)(unsigned long)mem);
    mem[2] = 4;
    lost = see_malloc(77);
    lost = NULL;
    return sum;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    (void)argv;
    if (argc > 1)
        return use_badly();
    if (pthread_create(&thread, NULL, use_well, NULL) != 0)
        return EXIT_FAILURE;
    use_well(NULL);
    pthread_join(thread, NULL);
    puts("fine");
    return EXIT_SUCCESS;
}
