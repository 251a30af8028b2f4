/*
 * inspect/root.h - the one object from which a reader of memory finds everything else.
 *
 * cmalloc_root lies in writable data, so that it is found in a process or a core whose
 * symbols are gone: by looking through writable mappings, at multiples of CHUNK_ALIGN,
 * for ROOT_MAGIC followed by its own address. The sizes say whether a tool and a library
 * mean the same by a heap. A tool of another layout refuses, and names both.
 *
 * Constant but for the last words: a tool may have one of the process's threads run
 * `serve` (tools/trim.c), which leaves its answer here.
 */
#ifndef CM_INSPECT_ROOT_H
#define CM_INSPECT_ROOT_H

#include "base/options.h"
#include "core/large.h"
#include "core/registry.h"
#include "front/thread.h"
#include "os/os.h"

#define ROOT_MAGIC "cmalloc: my root" /* without its zero */
#define ROOT_MAGIC_SIZE 16

/* What a root says about how its library was built. */
#define ROOT_TINY 1u
#define ROOT_DEBUG 2u
#define ROOT_SECURE 4u /* headers bear seals */

typedef struct root {
    char magic[ROOT_MAGIC_SIZE];
    const struct root *self;
    uint32_t size;    /* of this struct */
    uint32_t layout;  /* CM_LAYOUT */
    uint32_t variant; /* ROOT_* */
    uint32_t heap_max_shift;
    uint32_t arena_size, heap_size, thread_size, large_size, options_size, kept_count;
    char version[16]; /* of the library, as text */

    const arena_t *main_arena;
    const arena_table_t *arenas;
    const link_secret_t *secret;
    const seal_key_t *seal;
    const registry_t *registry;
    const _Atomic(thread_t *) *threads; /* head of the list of all structs */
    const _Atomic(large_info *) *kept;  /* kept_count places */
    const os_counts_t *counts;
    const _Atomic size_t *mmapped_most;
    const _Atomic size_t
        *taken; /* chunks handed out by who had no struct to count them */
    const cm_options_t *options;
    const struct sample_table *samples; /* the heap profiler (front/sample.h) */
    const struct extra_roots *extra;    /* what a scan for leaks was told (scene.h) */

    void (*serve)(uint32_t token);
    _Atomic size_t answer;   /* bytes given back, or ROOT_BUSY */
    _Atomic uint32_t served; /* the token of the last answer */
} root_t;

#define ROOT_BUSY SIZE_MAX /* that thread is in the middle of malloc: ask another one */

extern root_t cmalloc_root CM_ALIGNED(CHUNK_ALIGN);

/*
 * Give back all that can be given back. For a thread that was stopped anywhere and made
 * to run this: it waits behind its answer until it is put back where it was, and never
 * returns.
 */
void root_serve(uint32_t token);

/* What a root of this very layout has in its sizes. */
#define ROOT_SIZES \
    .size = sizeof(root_t), .layout = CM_LAYOUT, \
    .variant = (CM_TINY ? ROOT_TINY : 0) | (CM_DEBUG ? ROOT_DEBUG : 0) | \
               (CHUNK_SEALED ? ROOT_SECURE : 0), \
    .heap_max_shift = HEAP_MAX_SHIFT, .arena_size = sizeof(arena_t), \
    .heap_size = sizeof(heap_info), .thread_size = sizeof(thread_t), \
    .large_size = sizeof(large_info), .options_size = sizeof(cm_options_t), \
    .kept_count = LARGE_KEPT

#endif
