/*
 * inspect/vector.h - an array that grows, in mappings of its own.
 *
 * For what looks at the heap and must not change it: nothing here calls malloc. Elements
 * may move when one is added.
 */
#ifndef CM_INSPECT_VECTOR_H
#define CM_INSPECT_VECTOR_H

#include "os/os.h"

#include <string.h>

typedef struct vector {
    void *at;
    size_t used, room; /* bytes */
} vector_t;

/* Room for bytes more, not counted yet. NULL: no memory; the vector is as it was. */
static inline void *vector_room(vector_t *v, size_t bytes)
{
    if (bytes <= v->room - v->used)
        return (char *)v->at + v->used;
    size_t room = os_pages(2 * v->room + bytes);
    void *at = v->at == NULL ? os_map(room) : os_remap(v->at, v->room, room, true);
    if (at == NULL)
        return NULL;
    v->at = at;
    v->room = room;
    return (char *)at + v->used;
}

/* Append bytes. False: no memory. */
static inline bool vector_add(vector_t *v, const void *bytes, size_t n)
{
    void *to = vector_room(v, n);
    if (to == NULL)
        return false;
    memcpy(to, bytes, n);
    v->used += n;
    return true;
}

static inline void vector_free(vector_t *v)
{
    if (v->at != NULL)
        os_unmap(v->at, v->room);
    *v = (vector_t){NULL, 0, 0};
}

#endif
