/*
 * inspect/reach.h - which chunks can be reached from a set of words.
 *
 * The marking half of a conservative scan. It knows addresses of a program and bytes that
 * lie somewhere: in that program itself, in a copy of its memory, in a core file. Whoever
 * uses it says where the chunks are (reach_heap, reach_chunk, reach_seal), hands in the
 * roots (reach_scan), and asks what was not reached (reach_each).
 *
 * Memory: 1/60 of the spans, and a stack of at most REACH_STACK_MOST entries. What does
 * not fit there is found by a walk over what is marked.
 * No locks: one thread owns a reach_t.
 */
#ifndef CM_INSPECT_REACH_H
#define CM_INSPECT_REACH_H

#include "inspect/span.h"
#include "inspect/vector.h"

/* The spans that touch one stretch of 1 << REACH_SLOT_SHIFT bytes of addresses. */
typedef struct reach_slot {
    uintptr_t number; /* of the stretch, plus one; 0: the entry is empty */
    unsigned first, last;
} reach_slot_t;

#define REACH_SLOT_SHIFT 26
#define REACH_STACK_MOST ((size_t)(CM_TINY ? 64 : 1024 * 1024))

typedef struct reach {
    vector_t spans; /* of span_t; in order of addresses once sealed */
    uintptr_t low, high;
    reach_slot_t *slots;
    size_t slot_mask, slot_bytes;
    uintptr_t *stack;   /* payload addresses: marked, to be scanned */
    size_t depth, done; /* entries; with paths: those that have been scanned */
    size_t stack_room, chunks;
    bool overflow;  /* something marked did not fit on the stack */
    bool paths;     /* keep span_t.from, and go breadth first */
    unsigned step;  /* bytes from one word looked at to the next: 1 or a word's size */
    uintptr_t mask; /* bits of a word that are its address */
    size_t scanned; /* bytes looked at */
    size_t reached, reached_bytes; /* chunks marked so far, and their usable bytes */
} reach_t;

/* step: sizeof(void *), or 1 for pointers at any byte. mask: UINTPTR_MAX, or the bits
 * that an address has. paths: remember how each chunk was reached. */
void reach_init(reach_t *r, unsigned step, uintptr_t mask, bool paths);
void reach_free(reach_t *r);

/* A heap whose chunks' payloads lie in [low, high). False: no memory. */
bool reach_heap(reach_t *r, uintptr_t low, uintptr_t high, const void *bytes);

/* The next chunk of the heap entered last. owned: it is the program's. */
void reach_chunk(reach_t *r, uintptr_t mem, bool owned);

/* One M chunk, in use. */
bool reach_large(reach_t *r, uintptr_t mem, uintptr_t high, const void *bytes);

/* All spans are there: sort them. False: no memory. */
bool reach_seal(reach_t *r);

/* Mark all that the words of bytes lead to; with paths, reach_drain does the rest. where:
 * the address that they have in the program. */
void reach_scan(reach_t *r, const void *bytes, size_t length, uintptr_t where);

/* The same for one word. */
void reach_word(reach_t *r, uintptr_t word, uintptr_t where);

/* Follow all that is marked to the end. */
void reach_drain(reach_t *r);

/* Mark the chunk at mem and all that it leads to. False: it was marked. */
bool reach_chunk_at(reach_t *r, uintptr_t mem);

/* Take back the mark of a chunk. */
void reach_unmark(reach_t *r, uintptr_t mem);

/* A chunk, as found by an address into it. */
typedef struct reach_found {
    uintptr_t mem;
    size_t usable;
    const char *bytes;
    bool marked, owned;
    uintptr_t from; /* with paths: the word through which it was reached; 0: none */
} reach_found_t;

/* False: address lies in no chunk. */
bool reach_find(const reach_t *r, uintptr_t address, reach_found_t *found);

/* Call visit for every chunk of the program's that was not reached (lost), or for every
 * one that was, in order of addresses. */
typedef void (*reach_visit)(const reach_found_t *found, void *arg);
void reach_each(const reach_t *r, bool lost, reach_visit visit, void *arg);

#endif
