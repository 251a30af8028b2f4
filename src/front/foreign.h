/*
 * front/foreign.h - chunks of other arenas, on their way home (core/remote.h).
 */
#ifndef CM_FRONT_FOREIGN_H
#define CM_FRONT_FOREIGN_H

#include "front/thread.h"

/* Put c, which is a's, to the others of a; they are posted together. */
void foreign_collect(thread_t *t, arena_t *a, mchunkptr c);

/* Post the chunks of a mixed magazine that are not a's, neighbours in the list together;
 * what stays is a's. */
magazine_t foreign_send(const arena_t *a, magazine_t m);

/* Post all that t has collected. */
void foreign_flush(thread_t *t);

#endif
