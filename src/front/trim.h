/*
 * front/trim.h - giving back all that can be given back: for malloc_trim, and before a
 * request fails.
 */
#ifndef CM_FRONT_TRIM_H
#define CM_FRONT_TRIM_H

#include "front/thread.h"

/* Empty every cache that may be emptied, merge every depot, purge every arena but pad
 * bytes of its top. The calling thread is inside and without a lock. t: its cache, which
 * is flushed; NULL: it may be in the middle of a hit. Returns the bytes that went back to
 * the kernel. */
size_t trim_all(thread_t *t, size_t pad);

#endif
