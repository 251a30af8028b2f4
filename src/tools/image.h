/*
 * tools/image.h - a copy of what a target can write: its heaps and its roots, as of one
 * moment if it was stopped for it.
 *
 * Neighbouring mappings are copied into one, so that each heap is whole in the reader's
 * window. Pages that the target has not touched are not copied and take no memory here.
 */
#ifndef CM_TOOLS_IMAGE_H
#define CM_TOOLS_IMAGE_H

#include "inspect/scene.h"
#include "tools/target.h"

/* A word that a thread has in a register. */
typedef struct image_register {
    uintptr_t word;
    pid_t thread;
} image_register;

typedef struct image_run {
    uintptr_t from, to;
    char *bytes; /* those from `from` on, */
    char *base;  /* in a mapping of ours */
    size_t mapped;
} image_run;

typedef struct image {
    reader_t reader; /* of the copy; first: readers find their image by it */
    target_t *target;
    image_run *runs;
    size_t run_count, run_room;
    image_register *registers;
    size_t register_count, register_room;
    roots_t stacks; /* the mappings, and what of them is dead stack */
    size_t copied;  /* bytes */
    double pause;   /* seconds that the target stood still */
} image_t;

/* Copy. stop: with the target stopped, and the registers of its threads; what is not
 * allowed ends the command. A core has the registers anyway. */
void image_take(image_t *image, target_t *t, bool stop);
void image_free(image_t *image);

#endif
