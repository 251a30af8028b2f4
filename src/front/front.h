/*
 * front/front.h - what the API offers, without the names that the linker sees.
 *
 * Every function takes and returns user pointers, fails with NULL and leaves errno alone: the API sets it, in one place.
 * Thread-safe. In a signal handler that interrupted one of them on the same thread they never wait: memory is
 * then mapped anew, and what is freed is posted to its arena.
 */
#ifndef CM_FRONT_FRONT_H
#define CM_FRONT_FRONT_H

#include "core/chunk.h"

void *front_malloc(size_t n);
void front_free(void *mem); /* NULL is nothing; what is not ours is fatal */
void *front_calloc(size_t n);

/* n bytes with mem's contents. NULL: no memory, and mem is as it was. Pre: mem != NULL, n != 0. */
void *front_realloc(void *mem, size_t n);

/* n bytes at a multiple of align. Pre: align is a power of two. */
void *front_aligned(size_t align, size_t n);

/* Bytes that may be used behind mem. */
size_t front_usable(const void *mem);

/* Give back all that can be given back, but pad bytes of each arena's top. True: some memory went. */
bool front_trim(size_t pad);

#endif
