/*
 * profiled.c - a program of which it is known who holds how much: keep_small 24 MiB in
 * objects of 1,000 bytes, keep_large 32 MiB in objects of 200,000, and churn nothing any
 * more, of 64 MiB that it has had. Says so and waits for a line. With an argument it has
 * lost 4 MiB before, in lose.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline))

enum { MIB = 1024 * 1024, SMALL = 1000, LARGE = 200000 };

static void *volatile lost;
static void *volatile kept[2][24 * MIB / SMALL]; /* else calloc would be a tail call */

APART static void keep_small(size_t i) { kept[0][i] = calloc(1, SMALL); }

APART static void keep_large(size_t i) { kept[1][i] = malloc(LARGE); }

APART static void churn(void)
{
    void *volatile mem = malloc(SMALL);
    free(mem);
}

APART static void lose(void)
{
    lost = malloc(SMALL);
    lost = NULL;
}

int main(int argc, char **argv)
{
    char line[16];
    (void)argv;
    for (size_t i = 0; argc > 1 && i < 4 * MIB / SMALL; i++)
        lose();
    for (size_t i = 0; i < 24 * MIB / SMALL; i++)
        keep_small(i);
    for (size_t i = 0; i < 32 * MIB / LARGE; i++)
        keep_large(i);
    for (size_t i = 0; i < 64 * MIB / SMALL; i++)
        churn();
    puts("ready");
    fflush(stdout);
    return fgets(line, sizeof line, stdin) == NULL;
}
