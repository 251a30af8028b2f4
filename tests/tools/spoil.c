/*
 * spoil.c - a heap that was overrun: a program for cores and for a look from outside.
 *
 *   spoil WHAT
 *
 * size: the size word of a chunk in use is overwritten, as by a write beyond the end of
 * the one before; footer: that of a free one; links: those of a free one, as by a write
 * after free. The program prints the payload of the chunk that was hit, and waits.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *(*volatile plain_malloc)(size_t) = malloc;
static void (*volatile plain_free)(void *) = free;

int main(int argc, char **argv)
{
    static uintptr_t *chunks[64];
    const size_t size = 50000; /* no cache keeps that */
    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 0; i < 64; i++)
        chunks[i] = memset(plain_malloc(size), 'a', size);
    plain_free(chunks[31]);
    uintptr_t *hit = chunks[31], *next = chunks[32];
    if (strcmp(argv[1], "size") == 0)
        (hit = chunks[40])[-1] = 0x4141414141414141;
    else if (strcmp(argv[1], "footer") == 0)
        next[-2] = 0x4242;
    else if (strcmp(argv[1], "links") == 0)
        hit[0] = hit[1] = 0x4343434343434343;
    else
        return 2;
    printf("%p\n", (void *)hit);
    pause();
    return 0;
}
