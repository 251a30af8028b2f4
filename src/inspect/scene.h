/*
 * inspect/scene.h - a process laid out for a scan: its chunks, its roots, and the bytes
 * of both.
 *
 * The process may be the one that we are part of (snapshot.c) or one that a tool has
 * copied (tools/leaks.c): a scene reads through a reader alone. Order of calls:
 * scene_init, the mappings (roots_mapping), scene_item for all that a walk visits,
 * scene_own, scene_stack and scene_exclude as far as known, scene_mark. Then
 * scene.reach knows what is reachable.
 */
#ifndef CM_INSPECT_SCENE_H
#define CM_INSPECT_SCENE_H

#include "cmalloc.h"
#include "inspect/reach.h"
#include "inspect/reader.h"
#include "inspect/root.h"
#include "inspect/roots.h"

/* How a scan takes words. */
typedef struct scene_wish {
    bool unaligned; /* pointers may stand at any byte */
    bool paths;     /* remember how each chunk was reached */
    uintptr_t mask; /* bits of a word that are its address */
} scene_wish_t;

/* Roots that the program has named (cmalloc_root_add), and chunks that it has said are no
 * leaks: low == high. All complemented: the list itself keeps nothing alive. */
#define EXTRA_MOST 1024
typedef struct extra_roots {
    cm_lock lock; /* of whoever scans, too: one at a time */
    size_t count;
    range_t ranges[EXTRA_MOST];
} extra_roots_t;

extern extra_roots_t extra_roots;

typedef struct scene {
    reader_t *reader; /* one window holds each heap and each M chunk as a whole */
    reach_t reach;
    roots_t roots;
    vector_t lost;       /* of range_t: damaged parts of heaps. They may hold pointers */
    size_t heap_size;    /* of the heap that is being entered, */
    uintptr_t heap_high; /* and its end; 0: it has a span already */
    uintptr_t extra;     /* where the program's extra_roots are */
    /* Copy up to n bytes; returns how many, before the first that cannot be read. */
    size_t (*read)(struct scene *s, uintptr_t at, void *to, size_t n);
    /* The first address from at on that may hold something, or high; NULL: any may. */
    uintptr_t (*next)(struct scene *s, uintptr_t at, uintptr_t high);
    char *buffer;
    bool failed; /* there was no memory */
} scene_t;

/* read is the reader's unless it is set to something else afterwards. Maps no memory yet:
 * in the process that is scanned, what is mapped before its mappings are listed would
 * be a root, and ours names chunks. */
void scene_init(scene_t *s, reader_t *reader, const scene_wish_t *wish);
void scene_free(scene_t *s);

/* What a walk has come to: a walk_visit; arg is the scene. */
int scene_item(const cmalloc_item *item, void *arg);

/* Our own structs, found by root, are not roots; what the program has named is. */
void scene_own(scene_t *s, const root_t *root);

/* All chunks are entered: words can be marked from. False: no memory. */
bool scene_seal(scene_t *s);

/* Mark from all roots. */
void scene_mark(scene_t *s);

/* A word that is a root: of a register, of the kernel. where: how `who` shall name it. */
CM_INLINE void scene_word(scene_t *s, uintptr_t word, uintptr_t where)
{
    reach_word(&s->reach, word, where);
}

#endif
