/*
 * early.c - preloaded: allocates in a constructor of the first priority and frees in
 * the last destructor.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

static void *held[1000];

__attribute__((constructor(101))) static void take(void)
{
    for (size_t i = 0; i < 1000; i++)
        held[i] = malloc(1 + i * i % 200000);
}

__attribute__((destructor(101))) static void give(void)
{
    for (size_t i = 0; i < 1000; i++)
        free(held[i]);
}
