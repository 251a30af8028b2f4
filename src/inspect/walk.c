/*
 * inspect/walk.c - see walk.h. Heaps are chained newest first and may lie anywhere. To
 * visit them by address, the lowest few that come next are picked out of the chain at a
 * time, which is cheap beside walking their chunks and needs no memory.
 *
 * Chunks must lie end to end up to top or the fencepost. Where a size leads elsewhere,
 * the next place is looked for at which several chunks in a row make sense; what lies
 * between is one item, CMALLOC_DAMAGED.
 */
#include "inspect/walk.h"

#define HEAPS_AT_ONCE 8 /* on the stack of whoever calls mallinfo2 */
#define PLAUSIBLE_RUN 6 /* chunks in a row that are believed */

/* What the walk needs to know of the arena, and of the heap, that it is in. */
typedef struct arena_view {
    uintptr_t address, newest, top;
    unsigned index;
    bool by_magic; /* its chain is damaged: heaps are looked for in the mappings */
} arena_view;

typedef struct heap_view {
    const arena_view *arena;
    uintptr_t address, first, end;
    size_t flag; /* the A bit of its chunks */
} heap_view;

/* --- heaps --- */

static bool is_heap_of(walk_t *w, uintptr_t at, uintptr_t arena)
{
    const heap_info *h = reader_object(w->reader, at, heap_info);
    return h != NULL && h->magic == HEAP_MAGIC && (uintptr_t)h->arena == arena;
}

/* The heap before h in the chain; 0 ends it, also where it breaks off. */
static uintptr_t older_heap(walk_t *w, uintptr_t at)
{
    const heap_info *h = reader_object(w->reader, at, heap_info);
    return h == NULL || h->magic != HEAP_MAGIC ? 0 : (uintptr_t)h->older;
}

typedef enum chain_state { CHAIN_WHOLE, CHAIN_CUT, CHAIN_RING } chain_state;

/* Whether every heap in the chain is the arena's, and it ends. A ring is found as Brent
 * does: by a heap that is remembered for twice as many steps each time. */
static chain_state chain_of(walk_t *w, const arena_view *a)
{
    uintptr_t remembered = 0;
    size_t steps = 0, next = 1;
    for (uintptr_t h = a->newest; h != 0; h = older_heap(w, h)) {
        if (h == remembered)
            return CHAIN_RING;
        if (!is_heap_of(w, h, a->address))
            return CHAIN_CUT;
        if (++steps == next) {
            remembered = h;
            next *= 2;
        }
    }
    return CHAIN_WHOLE;
}

/* Mappings find what a damaged chain does not; without any, its last heap tells. */
static void view_chain(walk_t *w, arena_view *a)
{
    chain_state state = chain_of(w, a);
    a->by_magic = state != CHAIN_WHOLE && w->reader->map_count > 0;
    if (state == CHAIN_RING || a->by_magic)
        walk_damage(w, "heap: broken links", a->newest);
    if (state == CHAIN_RING && !a->by_magic)
        a->newest = 0;
}

typedef struct batch {
    uintptr_t heaps[HEAPS_AT_ONCE];
    unsigned count;
} batch_t;

/* Keep the lowest addresses, in order. */
static void batch_add(batch_t *b, uintptr_t heap)
{
    unsigned i = b->count < HEAPS_AT_ONCE ? b->count++ : HEAPS_AT_ONCE;
    if (i == HEAPS_AT_ONCE && b->heaps[--i] < heap)
        return;
    for (; i > 0 && b->heaps[i - 1] > heap; i--)
        b->heaps[i] = b->heaps[i - 1];
    b->heaps[i] = heap;
}

/* Heaps start at a multiple of their largest size, but for those at the break, which
 * start on any page. */
static void batch_by_magic(walk_t *w, const arena_view *a, uintptr_t after, batch_t *b)
{
    for (size_t i = 0; i < w->reader->map_count; i++) {
        const reader_map *m = &w->reader->maps[i];
        bool at_break = a->index == 0 && m->writable && !m->shared;
        uintptr_t step = at_break ? w->reader->page : HEAP_MAX_SIZE;
        uintptr_t at = (m->from + step - 1) & ~(step - 1);
        if (!m->readable || at < m->from || at >= m->to)
            continue;
        for (size_t left = (m->to - at - 1) / step + 1; left > 0; left--, at += step)
            if (at > after && is_heap_of(w, at, a->address))
                batch_add(b, at);
    }
}

static void next_heaps(walk_t *w, const arena_view *a, uintptr_t after, batch_t *b)
{
    b->count = 0;
    if (a->by_magic) {
        batch_by_magic(w, a, after, b);
        return;
    }
    for (uintptr_t h = a->newest; h != 0; h = older_heap(w, h))
        if (h > after)
            batch_add(b, h);
}

/* What is wrong with a heap_info, in words; NULL: nothing that shows. */
static const char *heap_fault(const heap_info *h, uintptr_t at, const arena_view *a)
{
    if (h->magic != HEAP_MAGIC)
        return "heap: wrong magic";
    if ((uintptr_t)h->arena != a->address)
        return PANIC_ARENA;
    if (h->reserved != 0 && h->committed > h->reserved)
        return "heap: committed > reserved";
    if ((h->newer == NULL) != (at == a->newest))
        return "heap: broken links";
    if (h->reserved > HEAP_MAX_SIZE || (h->reserved != 0 && at % HEAP_MAX_SIZE != 0) ||
        h->first - at >= h->committed || h->first != chunk_start(h->first))
        return "heap: damaged";
    return NULL;
}

/* --- chunks --- */

/* A size that a chunk with another one behind it may have, room bytes before the end. */
static bool size_holds(size_t size, size_t room)
{
    return size >= CHUNK_MIN && size % CHUNK_ALIGN == 0 && size <= room - FENCEPOST_SIZE;
}

/* Top, or a fencepost, which has what is too small for a chunk behind it. */
static bool is_last(const heap_view *h, uintptr_t at, size_t size)
{
    return at == h->arena->top ||
           (size == FENCEPOST_SIZE && h->end - at < CHUNK_MIN + FENCEPOST_SIZE);
}

/* Several chunks in a row, from at on, that could be what they say. */
static bool is_plausible(walk_t *w, const heap_view *h, uintptr_t at)
{
    for (int i = 0; i < PLAUSIBLE_RUN; i++) {
        const chunk_t *c = walk_chunk(w, at);
        if (c == NULL || (walk_word(w, c) & (CHUNK_M | CHUNK_A)) != h->flag)
            return false;
        size_t size = walk_word(w, c) & ~CHUNK_FLAGS, room = h->end - at;
        if (is_last(h, at, size))
            return true;
        if (!size_holds(size, room))
            return false;
        c = walk_chunk(w, at + size);
        if (c == NULL || ((walk_word(w, c) & CHUNK_P) == 0 && c->prev_size != size))
            return false;
        at += size;
    }
    return true;
}

/* Where chunks make sense again behind at; the heap's end if they do nowhere. A heap can
 * be read to its end, wherever a damaged length says that it is. */
static uintptr_t find_sense(walk_t *w, const heap_view *h, uintptr_t at)
{
    uintptr_t top = h->arena->top;
    do {
        at += CHUNK_ALIGN;
        if (at >= h->end || walk_chunk(w, at) == NULL)
            return h->end;
    } while (at != top && !is_plausible(w, h, at));
    return at;
}

static int skip_damage(walk_t *w, const heap_view *h, uintptr_t *at)
{
    uintptr_t from = *at;
    walk_damage(w, PANIC_SIZE, from + CHUNK_HEADER);
    *at = find_sense(w, h, from);
    cmalloc_item item = {.kind = CMALLOC_DAMAGED,
                         .arena = h->arena->index,
                         .address = walk_pointer(from),
                         .heap = walk_pointer(h->address),
                         .mem = walk_pointer(from + CHUNK_HEADER),
                         .size = *at - from};
    return w->visit(&item, w->arg);
}

/* The second word of a chunk's payload is the mark. Of a chunk in use it may be changing;
 * it decides what the item is called, and nothing more. */
static cmalloc_kind kind_inuse(walk_t *w, uintptr_t at)
{
    const uintptr_t *words = reader_see(w->reader, at + CHUNK_HEADER, 2 * SIZE_SZ);
    return words != NULL && words[1] == w->key ? CMALLOC_CACHED : CMALLOC_INUSE;
}

/* The kind of the chunk at at, of this size, not the last one: the next one's P knows.
 * False: there is no next. */
static bool find_kind(walk_t *w, uintptr_t at, size_t size, cmalloc_kind *kind)
{
    *kind = kind_inuse(w, at);
    const chunk_t *next = walk_chunk(w, at + size);
    if (next == NULL)
        return false;
    if ((walk_word(w, next) & CHUNK_P) == 0)
        *kind = CMALLOC_FREE;
    return true;
}

/* Visit the chunk at *at and go on to the next; the heap's end, behind the last one. */
static int visit_chunk(walk_t *w, const heap_view *h, uintptr_t *at)
{
    const chunk_t *c = walk_chunk(w, *at);
    if (c == NULL)
        return skip_damage(w, h, at);
    if (!walk_is_sealed(w, c, *at))
        walk_damage(w, PANIC_SEAL, *at + CHUNK_HEADER);
    size_t word = walk_word(w, c), prev_size = c->prev_size, size = word & ~CHUNK_FLAGS;
    cmalloc_item item = {.arena = h->arena->index,
                         .flags = (unsigned)(word & CHUNK_FLAGS),
                         .address = walk_pointer(*at),
                         .heap = walk_pointer(h->address),
                         .mem = walk_pointer(*at + CHUNK_HEADER),
                         .size = size,
                         .prev_size = (word & CHUNK_P) != 0 ? 0 : prev_size};
    bool last = is_last(h, *at, size);
    if (*at == h->arena->top && size != h->end - *at)
        walk_damage(w, PANIC_TOP, *at + CHUNK_HEADER);
    if (last) { /* a fencepost may have more than it says: see top_close */
        item.kind = *at == h->arena->top ? CMALLOC_TOP : CMALLOC_FENCEPOST;
        item.size = h->end - *at;
    } else if (!size_holds(size, h->end - *at) || !find_kind(w, *at, size, &item.kind)) {
        return skip_damage(w, h, at);
    }
    *at = last ? h->end : *at + size;
    return w->visit(&item, w->arg);
}

static int walk_heap(walk_t *w, const arena_view *a, uintptr_t at)
{
    const heap_info *h = reader_object(w->reader, at, heap_info);
    const char *fault = h == NULL ? "heap: cannot be read" : heap_fault(h, at, a);
    if (fault != NULL)
        walk_damage(w, fault, at);
    if (h == NULL || h->magic != HEAP_MAGIC)
        return 0;
    bool at_break = heap_is_break(h);
    heap_view view = {a, at, h->first, at + h->committed, at_break ? 0 : CHUNK_A};
    cmalloc_item item = {.kind = CMALLOC_HEAP,
                         .arena = a->index,
                         .address = walk_pointer(at),
                         .heap = walk_pointer(at),
                         .size = h->committed,
                         .reserved = at_break ? h->committed : h->reserved};
    int stop = w->visit(&item, w->arg);
    if (view.end < at || (!at_break && h->committed > HEAP_MAX_SIZE) || fault != NULL)
        return stop; /* nothing in it can be trusted */
    uintptr_t chunk = view.first;
    while (stop == 0 && chunk < view.end)
        stop = visit_chunk(w, &view, &chunk);
    return stop;
}

/* --- arenas --- */

static bool see_arena(walk_t *w, uintptr_t address, arena_view *view)
{
    const arena_t *a = reader_object(w->reader, address, arena_t);
    if (a == NULL) {
        walk_damage(w, "arena: cannot be read", address);
        return false;
    }
    if (a->newest != NULL && a->magic != ARENA_MAGIC) {
        walk_damage(w, "arena: wrong magic", address);
        return false;
    }
    *view = (arena_view){.address = address,
                         .newest = (uintptr_t)a->newest,
                         .top = (uintptr_t)a->top,
                         .index = a->index};
    return true;
}

int walk_arena(walk_t *w, uintptr_t arena)
{
    arena_view a;
    if (!see_arena(w, arena, &a))
        return 0;
    cmalloc_item item = {.kind = CMALLOC_ARENA,
                         .arena = a.index,
                         .address = walk_pointer(arena),
                         .size = sizeof(arena_t)};
    int stop = w->visit(&item, w->arg);
    view_chain(w, &a);
    batch_t batch;
    uintptr_t after = 0;
    do {
        next_heaps(w, &a, after, &batch);
        for (unsigned i = 0; i < batch.count && stop == 0; i++)
            stop = walk_heap(w, &a, after = batch.heaps[i]);
    } while (batch.count == HEAPS_AT_ONCE && stop == 0);
    return stop;
}
