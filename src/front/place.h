/*
 * front/place.h - taking chunks from, and giving them to, whichever place has them.
 *
 * The seam between the callers (malloc, realloc, memalign) and the core: entering,
 * locking, what to try when memory is short, and what a signal handler gets are decided
 * here and nowhere else.
 */
#ifndef CM_FRONT_PLACE_H
#define CM_FRONT_PLACE_H

#include "core/guard.h"
#include "front/thread.h"

typedef struct place {
    size_t n, align; /* wanted: payload bytes; CHUNK_ALIGN or a larger power of two */
    mchunkptr chunk; /* got */
    zone_t zero;     /* of the payload: this reads as zero */
} place_t;

/* Chunks handed out by who had no struct to count them in (thread.h: taken). */
extern _Atomic size_t place_taken;

/* Find a chunk for p->n bytes. False: no memory, or n is more than may ever be asked
 * for. */
bool place_take(place_t *p);

/* A guarded chunk (core/guard.h). NULL: none can be had. */
mchunkptr place_take_guarded(size_t n, size_t align, const guard_trace_t *who);

/* Free a chunk in use, wherever it belongs. */
void place_give(mchunkptr c);

/* Try to make heap chunk c at least size bytes large, or cut it to size, where it
 * stands. */
bool place_grow(mchunkptr c, size_t size);
void place_cut(mchunkptr c, size_t size);

/* Resize M chunk c to n payload bytes; it may move. NULL: it is as it was. */
mchunkptr place_resize_large(mchunkptr c, size_t n);

#endif
