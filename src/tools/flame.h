/*
 * tools/flame.h - call stacks as a tree of frames, and as a page: a flame graph.
 */
#ifndef CM_TOOLS_FLAME_H
#define CM_TOOLS_FLAME_H

#include "base/compiler.h"

#include <stdio.h>

typedef struct flame {
    const char *name;
    uint64_t bytes; /* of it and all that it has called */
    struct flame *child, *next;
} flame_t;

/* The frame of this name that f has called, with bytes more; f's are not changed. */
flame_t *flame_enter(flame_t *f, const char *name, uint64_t bytes);

/* A page that needs nothing else: all, the root, above what it has called, widths in
 * proportion to bytes. A click on a frame widens it, one on another frame goes back. */
void flame_page(flame_t *all, const char *title, FILE *to);

void flame_free(flame_t *f);

#endif
