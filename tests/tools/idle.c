/*
 * idle.c - a program that has freed much, keeps a sum in registers, and waits in read: it
 * must not notice that it was trimmed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 2000, SIZE = 30000 };

static void *(*volatile plain_malloc)(size_t) = malloc;
static void (*volatile plain_free)(void *) = free;

int main(void)
{
    static void *chunks[COUNT];
    char line[8];
    double sum = 0;
    for (int i = 0; i < COUNT; i++)
        chunks[i] = memset(plain_malloc(SIZE), 1, SIZE);
    for (int i = 0; i < COUNT - 1; i++) {
        plain_free(chunks[i]);
        sum += i / 3.0;
    }
    puts("ready");
    fflush(stdout);
    ssize_t n = read(STDIN_FILENO, line, sizeof line);
    printf("%zd %.6f\n", n, sum);
    return 0;
}
