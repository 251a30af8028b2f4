/* inspect/check.c - see check.h. */
#include "inspect/check.h"

#define CHECK_THREADS_MOST ((size_t)1 << 20)

static void fault(check_t *c, const char *what, uintptr_t where)
{
    c->faults++;
    c->fault(c, what, where);
}

/* False, and a fault, if it does not hold. */
static bool require(check_t *c, bool holds, const char *what, uintptr_t where)
{
    if (cm_unlikely(!holds))
        fault(c, what, where);
    return holds;
}

/* --- the walk --- */

static void check_chunk(check_t *c, const cmalloc_item *item)
{
    uintptr_t mem = (uintptr_t)item->mem, next = (uintptr_t)item->address + item->size;
    size_t expected = (uintptr_t)item->heap % HEAP_MAX_SIZE == 0 ? CHUNK_A : 0;
    if (expected != 0) { /* a heap at the break may start there too */
        const heap_info *h =
            reader_object(c->walk.reader, (uintptr_t)item->heap, heap_info);
        expected = h == NULL ? expected : heap_flag(h);
    }
    require(c, (item->flags & (CHUNK_M | CHUNK_A)) == expected, PANIC_SIZE, mem);
    require(c, ((item->flags & CHUNK_P) == 0) == c->before_free,
            "P bit disagrees with the chunk before", mem);
    c->before_free = item->kind == CMALLOC_FREE;
    if (!c->before_free)
        return;
    require(c, (item->flags & CHUNK_P) != 0, "two neighbouring free chunks", mem);
    const chunk_t *after = walk_chunk(&c->walk, next);
    require(c, after != NULL && after->prev_size == item->size, PANIC_FOOTER, mem);
    c->free_count++;
    c->free_bytes += item->size;
}

static int check_item(const cmalloc_item *item, void *arg)
{
    check_t *c = arg;
    switch (item->kind) {
    case CMALLOC_ARENA:
        break;
    case CMALLOC_HEAP:
        c->before_free = false;
        break;
    case CMALLOC_MMAPPED:
        c->large_count++;
        c->large_bytes += item->reserved;
        break;
    case CMALLOC_DAMAGED: /* has been told; the next one's P means nothing */
        c->before_free = false;
        break;
    default:
        check_chunk(c, item);
    }
    return 0;
}

static void walk_fault(const char *what, uintptr_t where, void *arg)
{
    fault(arg, what, where);
}

/* --- bins --- */

/* What is wrong with chunk at, which is in bin index; *next is the one behind it. NULL:
 * nothing. */
static const char *binned_fault(check_t *c, uintptr_t at, unsigned index, uintptr_t *next)
{
    const chunk_t *chunk = reader_object(c->walk.reader, at, chunk_t);
    if (chunk == NULL)
        return PANIC_LINKS;
    size_t size = walk_word(&c->walk, chunk) & ~CHUNK_FLAGS;
    *next = chunk->fd ^ c->secret.mask;
    if (*next % CHUNK_ALIGN != at % CHUNK_ALIGN)
        return PANIC_LINKS;
    chunk = reader_object(c->walk.reader, *next, chunk_t);
    if (chunk == NULL || (chunk->bk ^ c->secret.mask) != at)
        return PANIC_LINKS;
    if (bin_index(size) != index)
        return "bin: chunk of another size";
    chunk = walk_chunk(&c->walk, at + size);
    if (chunk == NULL || (walk_word(&c->walk, chunk) & CHUNK_P) != 0 ||
        c->free_count == 0)
        return "bin: chunk in use";
    c->free_count--;
    c->free_bytes -= size;
    return NULL;
}

static void check_bin(check_t *c, uintptr_t first, unsigned index)
{
    uintptr_t at = first, next = 0;
    do {
        const char *what = binned_fault(c, at, index, &next);
        if (!require(c, what == NULL, what, at + CHUNK_HEADER))
            return;
        at = next;
    } while (at != first);
}

/* A chunk's link, shown; offset: of fd or bk. 0: it cannot be read. */
static uintptr_t binned_link(const check_t *c, uintptr_t chunk, size_t offset)
{
    const uintptr_t *link = NULL;
    if (chunk % _Alignof(chunk_t) == 0)
        link = reader_probe(c->walk.reader, chunk + offset, sizeof *link);
    return link != NULL ? *link ^ c->secret.mask : 0;
}

/* A visitor: is it a free chunk that no other one leads to? */
static int find_unbinned(const cmalloc_item *item, void *arg)
{
    const size_t fd = offsetof(chunk_t, fd), bk = offsetof(chunk_t, bk);
    check_t *c = arg;
    uintptr_t at = (uintptr_t)item->address;
    uintptr_t first = c->arena + offsetof(arena_t, bins.first) +
                      bin_index(item->size) * sizeof(mchunkptr);
    if (item->kind != CMALLOC_FREE)
        return 0;
    uintptr_t next = binned_link(c, at, fd), before = binned_link(c, at, bk);
    bool binned = binned_link(c, next, bk) == at && binned_link(c, before, fd) == at;
    if (binned && next == at)
        binned = reader_copy(c->walk.reader, first, &first, sizeof first) && first == at;
    c->unbinned = at + CHUNK_HEADER;
    return !binned;
}

/* The bins hold less than there is free. */
static uintptr_t first_unbinned(check_t *c)
{
    c->walk.visit = find_unbinned;
    bool found = walk_arena(&c->walk, c->arena) != 0;
    c->walk.visit = check_item;
    return found ? c->unbinned : c->arena;
}

static void check_bins(check_t *c)
{
    bins_t bins;
    uintptr_t at = c->arena + offsetof(arena_t, bins);
    size_t faults = c->faults;
    if (!reader_copy(c->walk.reader, at, &bins, sizeof bins))
        return;
    for (unsigned i = 0; i < BIN_COUNT; i++) {
        bool marked = (bins.bitmap[i / BIN_WORD_BITS] >> (i % BIN_WORD_BITS) & 1) != 0;
        require(c, marked == (bins.first[i] != NULL), "bin: bitmap disagrees",
                at + offsetof(bins_t, first) + i * sizeof(mchunkptr));
        if (bins.first[i] != NULL)
            check_bin(c, (uintptr_t)bins.first[i], i);
    }
    if (c->faults == faults && (c->free_count != 0 || c->free_bytes != 0))
        fault(c, "free chunk in no bin", first_unbinned(c));
}

/* --- lists of chunks that wait --- */

/* The size bytes at address, to which a link or a size has led; they need not be asked
 * for on the page of `known` (0: none), which is there. */
static const void *see_led(check_t *c, uintptr_t address, size_t size, uintptr_t known)
{
    reader_t *r = c->walk.reader;
    uintptr_t page = known / r->page, last = (address + size - 1) / r->page;
    return known != 0 && address / r->page == page && last == page
               ? reader_see(r, address, size)
               : reader_probe(r, address, size);
}

/* What is wrong with mem, which waits in class k behind `before`. *next is the one behind
 * it. */
static const char *waiting_fault(check_t *c, uintptr_t before, uintptr_t mem, unsigned k,
                                 uintptr_t *next)
{
    const uintptr_t *words = see_led(c, mem - CHUNK_HEADER, CHUNK_MIN, before);
    if (mem % CHUNK_ALIGN != 0 || words == NULL || words[3] != c->secret.key)
        return PANIC_LINKS;
    size_t word = walk_word(&c->walk, (const chunk_t *)(const void *)words);
    size_t size = word & ~CHUNK_FLAGS;
    *next = words[2] ^ c->secret.mask;
    if ((word & CHUNK_M) != 0)
        return k == CLASS_COUNT ? NULL : PANIC_SIZE;
    if (size < CHUNK_MIN || size % CHUNK_ALIGN != 0 || size > HEAP_MAX_SIZE ||
        (k < CLASS_COUNT && size < class_size(k)))
        return PANIC_SIZE;
    const chunk_t *after = see_led(c, mem - CHUNK_HEADER + size, CHUNK_HEADER, mem);
    if (after == NULL)
        return PANIC_SIZE;
    return (walk_word(&c->walk, after) & CHUNK_P) != 0 ? NULL : "cached chunk is free";
}

/* A magazine of class k, or of any (CLASS_COUNT). It ends at a fault. */
static void check_magazine(check_t *c, uintptr_t first, size_t count, unsigned k)
{
    size_t found = 0, most = count < MAGAZINE_LONGEST ? count : MAGAZINE_LONGEST;
    uintptr_t next = 0, before = 0;
    for (uintptr_t mem = first; mem != 0; before = mem, mem = next, found++) {
        const char *what =
            found < most ? waiting_fault(c, before, mem, k, &next) : "list: too long";
        if (!require(c, what == NULL, what, mem))
            return;
    }
    require(c, found == count, "magazine: count disagrees", first);
}

/* Magazines that wait in a list. Adds to *count how many chunks they have. A list that
 * leads round in a circle comes by one that was its 2^n-th (Brent, 1980). */
static void check_parked(check_t *c, uintptr_t first, unsigned k, size_t *count)
{
    uintptr_t mask = c->secret.mask, seen = 0;
    for (size_t i = 0; first != 0; i++) {
        bool sound = first != seen && first % CHUNK_ALIGN == 0;
        if (!require(c, sound, PANIC_LINKS, first))
            return;
        if ((i & (i - 1)) == 0)
            seen = first;
        const uintptr_t *words = reader_probe(c->walk.reader, first, 3 * SIZE_SZ);
        uintptr_t second = words == NULL ? 0 : words[0] ^ mask;
        uintptr_t behind = words == NULL ? 0 : words[2] ^ mask;
        if (words != NULL && second != 0)
            words = reader_probe(c->walk.reader, second, 3 * SIZE_SZ);
        sound = words != NULL && second % CHUNK_ALIGN == 0;
        if (!require(c, sound, PANIC_LINKS, first))
            return;
        size_t n = second == 0 ? 1 : words[2], faults = c->faults;
        check_magazine(c, first, n, k);
        if (c->faults != faults)
            return;
        *count += n;
        first = behind;
    }
}

static void check_depot(check_t *c)
{
    depot_t depot;
    size_t faults = c->faults, bytes = 0;
    uintptr_t at = c->arena + offsetof(arena_t, depot);
    if (!reader_copy(c->walk.reader, at, &depot, sizeof depot))
        return;
    for (unsigned k = 0; k < CLASS_COUNT; k++) {
        const depot_shelf_t *shelf = &depot.shelf[k];
        size_t count = shelf->loose.count;
        check_magazine(c, (uintptr_t)shelf->loose.first, count, k);
        check_parked(c, (uintptr_t)shelf->parked, k, &count);
        bytes += count * class_size(k);
    }
    if (c->faults == faults)
        require(c, bytes == depot.bytes, "depot: bytes disagree", at);
}

static void check_inbox(check_t *c)
{
    uintptr_t first = 0;
    size_t count = 0;
    if (reader_copy(c->walk.reader, c->arena + offsetof(arena_t, inbox), &first,
                    sizeof first))
        check_parked(c, first, CLASS_COUNT, &count);
}

/* --- M chunks --- */

static void check_larges(check_t *c)
{
    size_t faults = c->faults;
    walk_larges(&c->walk, c->arena);
    const arena_t *a = reader_object(c->walk.reader, c->arena, arena_t);
    if (a != NULL && c->faults == faults)
        require(c, a->large_count == c->large_count && a->large_bytes == c->large_bytes,
                "mmapped chunks: count disagrees", c->arena);
}

/* --- all of it --- */

void check_init(check_t *c, reader_t *reader, const link_secret_t *secret,
                void (*on_fault)(check_t *, const char *, uintptr_t), void *arg)
{
    *c =
        (check_t){.walk = {reader, secret->key, check_item, walk_fault, c, WALK_OWN_SEAL},
                  .secret = *secret,
                  .fault = on_fault,
                  .arg = arg};
}

void check_arena(check_t *c, uintptr_t arena)
{
    c->arena = arena;
    c->free_count = c->free_bytes = c->large_count = c->large_bytes = 0;
    walk_arena(&c->walk, arena);
    check_bins(c);
    check_depot(c);
    check_inbox(c);
    check_larges(c);
    c->arena = 0;
}

static void check_thread_class(check_t *c, uintptr_t thread, unsigned k,
                               bool stands_still)
{
    cache_bin_t bin;
    magazine_t spare;
    uintptr_t bin_at = thread + offsetof(thread_t, bins) + k * sizeof bin;
    uintptr_t spare_at = thread + offsetof(thread_t, spare) + k * sizeof spare;
    if (reader_copy(c->walk.reader, spare_at, &spare, sizeof spare))
        check_magazine(c, (uintptr_t)spare.first, spare.count, k);
    if (!stands_still || !reader_copy(c->walk.reader, bin_at, &bin, sizeof bin))
        return;
    if (require(c, bin.room <= bin.cap, "cache: room > cap", bin_at))
        check_magazine(c, bin.head ^ c->secret.mask, bin.cap - bin.room, k);
}

void check_thread(check_t *c, uintptr_t thread, bool stands_still)
{
    uintptr_t arena = 0, at = thread + offsetof(thread_t, out);
    outgoing_t out[OUTGOING];
    if (!reader_copy(c->walk.reader, thread + offsetof(thread_t, arena), &arena,
                     sizeof arena) ||
        arena == 0)
        return;
    for (unsigned k = 0; k < CLASS_COUNT; k++)
        check_thread_class(c, thread, k, stands_still);
    if (stands_still && reader_copy(c->walk.reader, at, out, sizeof out))
        for (unsigned i = 0; i < OUTGOING; i++)
            check_magazine(c, (uintptr_t)out[i].chunks.first, out[i].chunks.count,
                           out[i].k);
}

bool check_target(check_t *c, const root_t *root)
{
    uintptr_t arenas[ARENA_MAX], table = (uintptr_t)root->arenas, thread = 0;
    uint32_t count;
    if (!reader_copy(c->walk.reader, table + offsetof(arena_table_t, count), &count,
                     sizeof count) ||
        !reader_copy(c->walk.reader, table + offsetof(arena_table_t, arenas), arenas,
                     sizeof arenas) ||
        !reader_copy(c->walk.reader, (uintptr_t)root->threads, &thread, sizeof thread))
        return false;
    for (uint32_t i = 0; i < count && i < ARENA_MAX; i++)
        check_arena(c, arenas[i]);
    for (size_t left = CHECK_THREADS_MOST; thread != 0 && left > 0; left--) {
        check_thread(c, thread, true);
        if (!reader_copy(c->walk.reader, thread + offsetof(thread_t, next_all), &thread,
                         sizeof thread))
            break;
    }
    return true;
}

void check_explain(check_t *c, cm_text *t, uintptr_t where)
{
    finding_t finding = {.address = where};
    find_t find = {.findings = &finding, .count = 1};
    walk_t w = {c->walk.reader, c->secret.key, find_visit,
                find_ignore,    &find,         c->walk.seal};
    if (c->arena != 0)
        walk_arena(&w, c->arena);
    find_tell(t, &finding);
    find_dump(t, c->walk.reader, where - CHUNK_HEADER);
}
