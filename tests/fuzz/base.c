/*
 * base.c - a small program with something of everything in its heap: chunks in use,
 * cached by two threads, free and mapped. Says that it is ready, and waits for a line.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 64, MAPPED = 300000 };

static void *kept[2 * COUNT];

static void *fill(void *at)
{
    void **mem = at;
    for (size_t i = 0; i < COUNT; i++)
        mem[i] = memset(malloc(i * i + 1), (int)i, i * i + 1);
    for (size_t i = 0; i < COUNT; i += 3) {
        free(mem[i]);
        mem[i] = NULL;
    }
    return NULL;
}

int main(void)
{
    pthread_t other;
    void *mapped = malloc(MAPPED);
    char line[8];
    if (pthread_create(&other, NULL, fill, kept + COUNT) != 0 || mapped == NULL)
        return EXIT_FAILURE;
    fill(kept);
    puts("ready");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        return EXIT_FAILURE;
    pthread_join(other, NULL);
    free(mapped);
    return EXIT_SUCCESS;
}
