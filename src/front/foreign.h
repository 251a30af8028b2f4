/*
 * front/foreign.h - chunks of other arenas, on their way home (core/remote.h).
 */
#ifndef CM_FRONT_FOREIGN_H
#define CM_FRONT_FOREIGN_H

#include "front/thread.h"

/* Put mem, a chunk of a's of class k, to the others; a full magazine is posted. For t's
 * own thread, entered. */
void foreign_collect(thread_t *t, arena_t *a, unsigned k, void *mem);

/* Send the chunks of a mixed magazine home that are not of t's arena; returns what is.
 * Pre: t's lock is held. */
magazine_t foreign_send(thread_t *t, unsigned k, magazine_t m);

/* Post all that t has collected. */
void foreign_flush(thread_t *t);

#endif
