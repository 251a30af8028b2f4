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

static void *as_pointer(uintptr_t address)
{
    return (void *)address; /* NOLINT(performance-no-int-to-ptr) */
}

static void damage(const walk_t *w, const char *what, uintptr_t where)
{
    w->damaged(what, where, w->arg);
}

/* --- heaps --- */

static bool is_heap_of(walk_t *w, uintptr_t at, uintptr_t arena)
{
    const heap_info *h = reader_see(w->reader, at, sizeof *h);
    return h != NULL && h->magic == HEAP_MAGIC && (uintptr_t)h->arena == arena;
}

/* The heap before h in the chain; 0 ends it, also where it breaks off. */
static uintptr_t older_heap(walk_t *w, uintptr_t at)
{
    const heap_info *h = reader_see(w->reader, at, sizeof *h);
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
        damage(w, "heap: broken links", a->newest);
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
        const chunk_t *c = reader_see(w->reader, at, CHUNK_HEADER);
        if (c == NULL || (walk_word(w, c) & (CHUNK_M | CHUNK_A)) != h->flag)
            return false;
        size_t size = walk_word(w, c) & ~CHUNK_FLAGS, room = h->end - at;
        if (is_last(h, at, size))
            return true;
        if (!size_holds(size, room))
            return false;
        c = reader_see(w->reader, at + size, CHUNK_HEADER);
        if (c == NULL || ((walk_word(w, c) & CHUNK_P) == 0 && c->prev_size != size))
            return false;
        at += size;
    }
    return true;
}

/* Where chunks make sense again behind at; the heap's end if they do nowhere. */
static uintptr_t find_sense(walk_t *w, const heap_view *h, uintptr_t at)
{
    uintptr_t top = h->arena->top;
    for (at += CHUNK_ALIGN; at < h->end; at += CHUNK_ALIGN)
        if (at == top || is_plausible(w, h, at))
            return at;
    return h->end;
}

static int skip_damage(walk_t *w, const heap_view *h, uintptr_t *at)
{
    uintptr_t from = *at;
    damage(w, PANIC_SIZE, from + CHUNK_HEADER);
    *at = find_sense(w, h, from);
    cmalloc_item item = {.kind = CMALLOC_DAMAGED,
                         .arena = h->arena->index,
                         .address = as_pointer(from),
                         .heap = as_pointer(h->address),
                         .mem = as_pointer(from + CHUNK_HEADER),
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
    const chunk_t *next = reader_see(w->reader, at + size, CHUNK_HEADER);
    if (next == NULL)
        return false;
    if ((walk_word(w, next) & CHUNK_P) == 0)
        *kind = CMALLOC_FREE;
    return true;
}

/* Visit the chunk at *at and go on to the next; the heap's end, behind the last one. */
static int visit_chunk(walk_t *w, const heap_view *h, uintptr_t *at)
{
    const chunk_t *c = reader_see(w->reader, *at, CHUNK_HEADER);
    if (c == NULL)
        return skip_damage(w, h, at);
    if (!walk_is_sealed(w, c, *at))
        damage(w, PANIC_SEAL, *at + CHUNK_HEADER);
    size_t word = walk_word(w, c), prev_size = c->prev_size, size = word & ~CHUNK_FLAGS;
    cmalloc_item item = {.arena = h->arena->index,
                         .flags = (unsigned)(word & CHUNK_FLAGS),
                         .address = as_pointer(*at),
                         .heap = as_pointer(h->address),
                         .mem = as_pointer(*at + CHUNK_HEADER),
                         .size = size,
                         .prev_size = (word & CHUNK_P) != 0 ? 0 : prev_size};
    bool last = is_last(h, *at, size);
    if (*at == h->arena->top && size != h->end - *at) {
        damage(w, PANIC_TOP, *at + CHUNK_HEADER);
        item.size = h->end - *at;
    }
    if (last)
        item.kind = *at == h->arena->top ? CMALLOC_TOP : CMALLOC_FENCEPOST;
    else if (!size_holds(size, h->end - *at) || !find_kind(w, *at, size, &item.kind))
        return skip_damage(w, h, at);
    *at = last ? h->end : *at + size;
    return w->visit(&item, w->arg);
}

static int walk_heap(walk_t *w, const arena_view *a, uintptr_t at)
{
    const heap_info *h = reader_see(w->reader, at, sizeof *h);
    const char *fault = h == NULL ? "heap: cannot be read" : heap_fault(h, at, a);
    if (fault != NULL)
        damage(w, fault, at);
    if (h == NULL || h->magic != HEAP_MAGIC)
        return 0;
    bool at_break = heap_is_break(h);
    heap_view view = {a, at, h->first, at + h->committed, at_break ? 0 : CHUNK_A};
    cmalloc_item item = {.kind = CMALLOC_HEAP,
                         .arena = a->index,
                         .address = as_pointer(at),
                         .heap = as_pointer(at),
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
    const arena_t *a = reader_see(w->reader, address, sizeof *a);
    if (a == NULL) {
        damage(w, "arena: cannot be read", address);
        return false;
    }
    if (a->newest != NULL && a->magic != ARENA_MAGIC) {
        damage(w, "arena: wrong magic", address);
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
                         .address = as_pointer(arena),
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

/* --- M chunks --- */

/* A mapping that info describes, live or kept by its magic. False: info is no large_info.
 * */
static bool visit_large(walk_t *w, uintptr_t info, size_t magic, cmalloc_item *item,
                        int *stop)
{
    const large_info *l = reader_see(w->reader, info, sizeof *l);
    if (l == NULL || l->magic != (magic ^ info) || l->mapped < w->reader->page ||
        l->offset > l->mapped - CHUNK_MIN)
        return false;
    size_t offset = l->offset;
    uintptr_t at = info + offset;
    item->reserved = l->mapped;
    const chunk_t *c = reader_see(w->reader, at, CHUNK_HEADER);
    if (c == NULL)
        return false;
    item->flags = (unsigned)(walk_word(w, c) & CHUNK_FLAGS);
    item->address = as_pointer(at);
    item->mem = as_pointer(at + CHUNK_HEADER);
    item->size = walk_word(w, c) & ~CHUNK_FLAGS;
    item->prev_size = offset;
    bool holds = offset + item->size == item->reserved && c->prev_size == offset;
    item->size = item->reserved - offset; /* where they disagree, the large_info's word */
    if (!holds)
        damage(w, PANIC_SIZE, at + CHUNK_HEADER);
    *stop = w->visit(item, w->arg);
    return true;
}

int walk_larges(walk_t *w, uintptr_t arena)
{
    arena_view view;
    if (!see_arena(w, arena, &view))
        return 0;
    const arena_t *a = reader_see(w->reader, arena, sizeof *a);
    uintptr_t info = a == NULL ? 0 : (uintptr_t)a->larges;
    size_t left = a == NULL ? 0 : a->large_count;
    int stop = 0;
    for (; info != 0 && stop == 0; left--) {
        cmalloc_item item = {.kind = CMALLOC_MMAPPED, .arena = view.index};
        if (left == 0 || !visit_large(w, info, LARGE_MAGIC, &item, &stop)) {
            damage(w, "mmapped chunk: broken links", info);
            break;
        }
        const large_info *l = reader_see(w->reader, info, sizeof *l);
        info = l == NULL ? 0 : (uintptr_t)l->older;
    }
    return stop;
}

static int walk_kept(walk_t *w, const root_t *root)
{
    uintptr_t kept[LARGE_KEPT];
    int stop = 0;
    if (!reader_copy(w->reader, (uintptr_t)root->kept, kept, sizeof kept))
        return 0;
    for (unsigned i = 0; i < LARGE_KEPT && stop == 0; i++) {
        cmalloc_item item = {.kind = CMALLOC_KEPT, .arena = CMALLOC_NO_ARENA};
        if (kept[i] != 0 && !visit_large(w, kept[i], LARGE_KEPT_MAGIC, &item, &stop))
            damage(w, "kept mapping: damaged", kept[i]);
    }
    return stop;
}

const seal_key_t *walk_seal_of(reader_t *r, const root_t *root, seal_key_t *seal)
{
    bool borne = (root->variant & ROOT_SECURE) != 0;
    return borne && reader_copy(r, (uintptr_t)root->seal, seal, sizeof *seal) ? seal
                                                                              : NULL;
}

int walk_target(walk_t *w, const root_t *root)
{
    static const size_t count_at = offsetof(arena_table_t, count),
                        arenas_at = offsetof(arena_table_t, arenas);
    uintptr_t arenas[ARENA_MAX], table = (uintptr_t)root->arenas;
    uint32_t count;
    link_secret_t secret;
    seal_key_t seal;
    int stop = 0;
    if (!reader_copy(w->reader, table + count_at, &count, sizeof count) ||
        !reader_copy(w->reader, table + arenas_at, arenas, sizeof arenas) ||
        !reader_copy(w->reader, (uintptr_t)root->secret, &secret, sizeof secret)) {
        damage(w, "table of arenas: cannot be read", table);
        return 0;
    }
    w->key = secret.key;
    w->seal = walk_seal_of(w->reader, root, &seal);
    for (uint32_t i = 0; i < count && i < ARENA_MAX && stop == 0; i++)
        stop = walk_arena(w, arenas[i]);
    for (uint32_t i = 0; i < count && i < ARENA_MAX && stop == 0; i++)
        stop = walk_larges(w, arenas[i]);
    return stop != 0 ? stop : walk_kept(w, root);
}
