/*
 * inspect/walk.h - the one visitor of arenas, heaps and chunks, of any process.
 *
 * Everything that looks at a heap (check, statistics, the demo, cmalloc_walk, the tools)
 * comes through here. walk.c reads through a reader and knows nothing of this process; it
 * believes no word of the target before it has looked whether that can be, so that damage
 * is reported and walked round. self.c walks this process with it: under the lock of the
 * arena that it is in, and with chunks in the inbox sorted into the depot first; there,
 * damage is fatal. A chunk in use that bears link_key counts as cached.
 *
 * From outside no lock is taken. A target that runs meanwhile may be caught in the middle
 * of a change; what is seen then looks like damage, and a second walk finds it elsewhere.
 */
#ifndef CM_INSPECT_WALK_H
#define CM_INSPECT_WALK_H

#include "cmalloc.h"
#include "inspect/reader.h"
#include "inspect/root.h"

typedef int (*walk_visit)(const cmalloc_item *item, void *arg);

typedef struct walk {
    reader_t *reader;
    uintptr_t key; /* link_secret.key of the target */
    walk_visit visit;
    /* A fault, in the words of a panic, and where. Chunks are named by their payload. May
     * return: the walk goes on behind it. */
    void (*damaged)(const char *what, uintptr_t where, void *arg);
    void *arg;              /* for both */
    const seal_key_t *seal; /* of the target's secure variant; NULL: headers bear none */
} walk_t;

/* The seal of this process's headers, for walk_t. */
#define WALK_OWN_SEAL (CHUNK_SEALED ? &seal_key : NULL)

/* The header of the chunk at address at, where we can see it; else NULL. */
CM_INLINE const chunk_t *walk_chunk(const walk_t *w, uintptr_t at)
{
    return at % _Alignof(chunk_t) == 0 ? reader_see(w->reader, at, CHUNK_HEADER) : NULL;
}

/* The size word of a chunk of the target, without its seal. */
CM_INLINE size_t walk_word(const walk_t *w, const chunk_t *c)
{
    size_t word = atomic_load_explicit(&c->size_flags, memory_order_relaxed);
    return w->seal != NULL ? word & CHUNK_SEALED_MASK : word;
}

/* The chunk at address at bears the right seal, or none is borne. */
CM_INLINE bool walk_is_sealed(const walk_t *w, const chunk_t *c, uintptr_t at)
{
    size_t sealed = atomic_load_explicit(&c->size_flags, memory_order_relaxed);
    size_t word = sealed & CHUNK_SEALED_MASK;
    return w->seal == NULL ||
           ((cm_fold_product(at ^ w->seal->a, word ^ w->seal->b) ^ sealed) &
            ~CHUNK_SEALED_MASK) == 0;
}

CM_INLINE void walk_damage(const walk_t *w, const char *what, uintptr_t where)
{
    w->damaged(what, where, w->arg);
}

/* An address of the target, as an item has it. */
CM_INLINE void *walk_pointer(uintptr_t address)
{
    return (void *)address; /* NOLINT(performance-no-int-to-ptr) */
}

/* --- any target; no locks. Each returns what visit returned when it ended the walk, or 0
 * --- */

/* One arena, its heaps and their chunks. */
int walk_arena(walk_t *w, uintptr_t arena);

/* An arena's M chunks. */
int walk_larges(walk_t *w, uintptr_t arena);

/* Everything, arenas first, then M chunks, then kept mappings. Pre: root fits (root.h).
 * Sets w->key. */
int walk_target(walk_t *w, const root_t *root);

/* The key of root's seals, copied to *seal; NULL: there are none, or it cannot be
 * read. */
const seal_key_t *walk_seal_of(reader_t *r, const root_t *root, seal_key_t *seal);

/* Bytes at the end of each chunk in use in root's heaps that may hold its canary. */
size_t walk_canary_of(const root_t *root);

/* --- this process --- */

/* All arenas; what cmalloc_walk does. */
int walk_all(walk_visit visit, void *arg);

/* One arena, its heaps and its chunks. Caller holds its lock. */
int walk_arena_locked(arena_t *a, walk_visit visit, void *arg);

/* An arena's M chunks. Caller holds its lock. */
int walk_larges_locked(arena_t *a, walk_visit visit, void *arg);

/* The kept mappings: each is taken out of its place for the time of the visit. */
int walk_kept_self(walk_visit visit, void *arg);

/* Check one arena's invariants; damage is fatal. Caller holds its lock. */
void check_arena_locked(arena_t *a);

/* All arenas, each under its lock. Returns how many. */
int check_all(void);

#endif
