/*
 * core/link.h - how chunks that wait in a thread cache, a depot or an inbox are linked
 * through their payload.
 *
 *   word 0: the next chunk of the list, hidden
 *   word 1: link_key
 *   word 2: of the first chunk, the next magazine, hidden; of the second one, the count
 *           of the magazine
 *
 * A pointer is hidden by a secret of the process, which an overflow cannot guess; what
 * comes out on use must be aligned, so that 15 of 16 forgeries are found at once and the
 * others lead to no address that an attacker chose. The key tells a waiting chunk from
 * one in use: whoever frees a chunk that bears it looks for it in the lists before
 * calling it a double free, for the application may have copied the word.
 */
#ifndef CM_CORE_LINK_H
#define CM_CORE_LINK_H

#include "core/class.h"

typedef struct link_secret {
    uintptr_t mask, key;
} link_secret_t;

extern link_secret_t link_secret; /* constant once the first thread has attached */

/* Draw the secrets, once: this one and the key of the seals. */
void link_init(void);

CM_INLINE uintptr_t link_hide(const void *mem)
{
    return (uintptr_t)mem ^ link_secret.mask;
}

/* The secure variant: nothing, or memory that is there; whose, its header's seal
 * tells. */
bool link_leads(uintptr_t mem);

/* The pointer behind a hidden one; a forged one is fatal. */
CM_INLINE void *link_show(uintptr_t hidden)
{
    uintptr_t mem = hidden ^ link_secret.mask;
    if (cm_unlikely((mem & (CHUNK_ALIGN - 1)) != 0) || (CM_SECURE && !link_leads(mem)))
        cm_panic(PANIC_LINKS, (const void *)mem); /* NOLINT(performance-no-int-to-ptr) */
    return (void *)mem;                           /* NOLINT(performance-no-int-to-ptr) */
}

/* The words of a waiting chunk's payload. */
CM_INLINE uintptr_t *link_words(void *mem) { return mem; }

CM_INLINE void *link_next(void *mem) { return link_show(link_words(mem)[0]); }

/* Put mem before next (NULL: it is the last) and mark it as waiting. */
CM_INLINE void link_set(void *mem, const void *next)
{
    link_words(mem)[0] = link_hide(next);
    link_words(mem)[1] = link_secret.key;
}

/* It waits, in no list. */
CM_INLINE void link_mark(void *mem) { link_words(mem)[1] = link_secret.key; }

/* mem bears the mark. */
CM_INLINE bool link_marked(const void *mem)
{
    return ((const uintptr_t *)mem)[1] == link_secret.key;
}

/* Memory that the arena hands out may still bear the mark of an earlier life. */
CM_INLINE void link_unmark(void *mem) { link_words(mem)[1] = 0; }

/* A list with its length. */
typedef struct magazine {
    void *first; /* NULL: empty */
    unsigned count;
} magazine_t;

/* Magazines wait in a list of their own: m before the one that begins with next. One of a
 * single chunk has no second one to keep its count. */
CM_INLINE void magazine_set(magazine_t m, const void *next)
{
    link_words(m.first)[2] = link_hide(next);
    if (m.count > 1)
        link_words(link_next(m.first))[2] = m.count;
}

/* The magazine that begins with first, as it waits, and the next one. The count lies
 * where an overflow from the chunk before may reach it. */
CM_INLINE magazine_t magazine_get(void *first, void **next)
{
    void *second = link_next(first);
    uintptr_t count = second == NULL ? 1 : link_words(second)[2];
    if (cm_unlikely(count == 0 || count > MAGAZINE_LONGEST))
        cm_panic(PANIC_LINKS, first);
    *next = link_show(link_words(first)[2]);
    return (magazine_t){first, (unsigned)count};
}

#endif
