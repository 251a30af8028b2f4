/*
 * busy.c - a program that does nothing but allocate and free, in hits mostly, until it
 * is told to end: it must not notice that it was trimmed, wherever it was stopped.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIVE = 64, ROUNDS = 1 << 16, WORDS = 6 };

static void *(*volatile plain_malloc)(size_t) = malloc;
static void (*volatile plain_free)(void *) = free;

static uint64_t *fresh(uint64_t mark)
{
    uint64_t *words = plain_malloc(WORDS * sizeof *words);
    for (int i = 0; i < WORDS; i++)
        words[i] = mark;
    return words;
}

int main(void)
{
    static uint64_t *live[LIVE];
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    uint64_t mark = 0, spoiled = 0;
    for (int i = 0; i < LIVE; i++)
        live[i] = fresh(mark++);
    puts("ready");
    fflush(stdout);
    while (poll(&input, 1, 0) == 0)
        for (int r = 0; r < ROUNDS; r++, mark++) {
            uint64_t **slot = &live[mark * 2654435761u % LIVE], was = (*slot)[0];
            for (int i = 1; i < WORDS; i++)
                spoiled += (*slot)[i] != was;
            plain_free(*slot);
            *slot = fresh(mark);
        }
    printf("%llu spoiled\n", (unsigned long long)spoiled);
    return 0;
}
