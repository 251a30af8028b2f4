/*
 * inspect/check.c - every invariant of every heap, as the heads of core's files state
 * them.
 *
 * One walk looks at the chunks and counts those that are free by their header; the bins
 * must then hold just as many, each in its place. Damage is fatal, with the words of a
 * panic.
 */
#include "front/thread.h"
#include "inspect/walk.h"

typedef struct tally {
    const arena_t *a;
    size_t free_count, free_bytes;
    bool before_free; /* the chunk before was free */
} tally_t;

static void require(bool holds, const char *what, const void *where)
{
    if (cm_unlikely(!holds))
        cm_panic(what, where);
}

static void check_heap(const cmalloc_item *item, tally_t *t)
{
    (void)item;
    t->before_free = false;
}

static void check_chunk(const cmalloc_item *item, tally_t *t)
{
    const chunk_t *c = item->address;
    const heap_info *h = item->heap;
    require(item->kind == CMALLOC_TOP || item->kind == CMALLOC_FENCEPOST ||
                item->size >= CHUNK_MIN,
            PANIC_SIZE, item->mem);
    require((item->flags & CHUNK_M) == 0 && (item->flags & CHUNK_A) == heap_flag(h),
            PANIC_SIZE, item->mem);
    require(((item->flags & CHUNK_P) == 0) == t->before_free,
            "P bit disagrees with the chunk before", item->mem);
    t->before_free = item->kind == CMALLOC_FREE;
    if (item->kind != CMALLOC_FREE)
        return;
    require((item->flags & CHUNK_P) != 0, "two neighbouring free chunks", item->mem);
    require(chunk_next(c)->prev_size == item->size, PANIC_FOOTER, item->mem);
    t->free_count++;
    t->free_bytes += item->size;
}

static int check_item(const cmalloc_item *item, void *arg)
{
    if (item->kind == CMALLOC_HEAP)
        check_heap(item, arg);
    else if (item->kind != CMALLOC_ARENA)
        check_chunk(item, arg);
    return 0;
}

static void check_bin(const arena_t *a, unsigned index, tally_t *t)
{
    const chunk_t *first = a->bins.first[index], *c = first;
    bool marked =
        (a->bins.bitmap[index / BIN_WORD_BITS] >> (index % BIN_WORD_BITS) & 1) != 0;
    require(marked == (first != NULL), "bin: bitmap disagrees", &a->bins.first[index]);
    while (c != NULL) {
        const chunk_t *next = bin_next(c);
        require(next->bk == link_hide(c), PANIC_LINKS, chunk_mem(c));
        require(bin_index(chunk_size(c)) == index, "bin: chunk of another size",
                chunk_mem(c));
        require(chunk_is_free(c) && t->free_count > 0, "bin: chunk in use", chunk_mem(c));
        t->free_count--;
        t->free_bytes -= chunk_size(c);
        c = next != first ? next : NULL;
    }
}

void check_arena_locked(arena_t *a)
{
    tally_t t = {.a = a};
    walk_arena_locked(a, check_item, &t);
    for (unsigned i = 0; i < BIN_COUNT; i++)
        check_bin(a, i, &t);
    require(t.free_count == 0 && t.free_bytes == 0, "free chunk in no bin", a);
}

int check_all(void)
{
    int checked = 0;
    if (!thread_enter())
        return 0;
    for (unsigned i = 0; i < arena_count(); i++) {
        arena_t *a = arena_at(i);
        if (!arena_lock(a))
            continue;
        check_arena_locked(a);
        arena_unlock(a);
        checked++;
    }
    thread_leave();
    return checked;
}
