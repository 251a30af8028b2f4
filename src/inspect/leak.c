/*
 * inspect/leak.c - see leak.h.
 *
 * Heads are found by two floods over the leaks, each linear. The first takes them in any
 * order; whoever was not reached when its turn came is a candidate. A candidate cannot be
 * reached from an earlier one, or it would have been. So the second flood takes the
 * candidates in reverse: who is not reached now cannot be reached from any other.
 */
#include "inspect/leak.h"

#define FINGERPRINT_BYTES 128

typedef struct gather {
    reach_t *r;
    const leak_list_t *before;
    vector_t mems; /* of uintptr_t, complemented */
    bool failed;
} gather_t;

leak_list_t *leak_list_new(size_t most)
{
    for (; most > 0; most /= 2) {
        size_t mapped = os_pages(sizeof(leak_list_t) + most * sizeof(leak_t));
        leak_list_t *list = os_map_shared(mapped);
        if (list != NULL) {
            list->mapped = mapped;
            return list;
        }
    }
    return NULL;
}

void leak_list_free(leak_list_t *list)
{
    if (list != NULL)
        os_release(list, list->mapped, 0);
}

/* FNV-1a, a word at a time. */
static uint64_t fingerprint(const char *bytes, size_t n)
{
    uint64_t hash = 0xcbf29ce484222325u, word;
    for (size_t i = 0; i + sizeof word <= n && i < FINGERPRINT_BYTES; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    return hash;
}

static leak_t leak_of(const reach_found_t *found)
{
    leak_t leak = {.hidden = ~found->mem,
                   .usable = found->usable,
                   .fingerprint = fingerprint(found->bytes, found->usable)};
    memcpy(&leak.first, found->bytes, sizeof leak.first);
    leak.first = ~leak.first;
    return leak;
}

/* Lists are in order of addresses. */
static const leak_t *listed(const leak_list_t *list, uintptr_t mem)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (leak_mem(&list->leaks[middle]) < mem)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && leak_mem(&list->leaks[low]) == mem ? &list->leaks[low]
                                                                   : NULL;
}

static void gather(const reach_found_t *found, void *arg)
{
    gather_t *g = arg;
    uintptr_t hidden = ~found->mem;
    if (!vector_add(&g->mems, &hidden, sizeof hidden))
        g->failed = true;
}

static bool was_lost(const leak_list_t *before, const reach_found_t *found)
{
    const leak_t *leak = listed(before, found->mem);
    return leak != NULL && leak->usable == found->usable &&
           leak->fingerprint == fingerprint(found->bytes, found->usable);
}

/* What was not lost before is alive, and with it what it leads to. */
static void gather_revived(const reach_found_t *found, void *arg)
{
    const gather_t *g = arg;
    if (!was_lost(g->before, found))
        gather(found, arg);
}

static size_t count_of(const gather_t *g) { return g->mems.used / sizeof(uintptr_t); }
static uintptr_t mem_at(const gather_t *g, size_t i)
{
    return ~((const uintptr_t *)g->mems.at)[i];
}

static bool revive(reach_t *r, const leak_list_t *before)
{
    gather_t g = {.r = r, .before = before};
    reach_each(r, true, gather_revived, &g);
    for (size_t i = 0; i < count_of(&g); i++)
        reach_chunk_at(r, mem_at(&g, i));
    vector_free(&g.mems);
    return !g.failed;
}

/* Flood from the leaks in order; those not reached by then go to heads. */
static bool find_candidates(reach_t *r, const gather_t *lost, vector_t *heads)
{
    bool fits = true;
    for (size_t i = 0; i < count_of(lost); i++) {
        uintptr_t hidden = ~mem_at(lost, i);
        if (reach_chunk_at(r, ~hidden))
            fits = fits && vector_add(heads, &hidden, sizeof hidden);
    }
    return fits;
}

static leak_t *entry_of(leak_list_t *list, uintptr_t mem)
{
    return (leak_t *)(uintptr_t)listed(list, mem);
}

static void name_heads(reach_t *r, const vector_t *heads, leak_list_t *list)
{
    const uintptr_t *hidden = heads->at;
    for (size_t i = heads->used / sizeof *hidden; i > 0; i--) {
        size_t chunks = r->reached, bytes = r->reached_bytes;
        leak_t *leak = entry_of(list, ~hidden[i - 1]);
        if (reach_chunk_at(r, ~hidden[i - 1]) && leak != NULL) {
            leak->chunks = r->reached - chunks;
            leak->bytes = r->reached_bytes - bytes;
        }
    }
}

static void enter(reach_t *r, const gather_t *lost, leak_list_t *list)
{
    size_t room = (list->mapped - sizeof *list) / sizeof(leak_t);
    list->count = 0;
    list->bytes = 0;
    for (size_t i = 0; i < count_of(lost) && list->count < room; i++) {
        reach_found_t found;
        if (!reach_find(r, mem_at(lost, i), &found))
            continue;
        list->leaks[list->count++] = leak_of(&found);
        list->bytes += found.usable;
    }
    list->cut = count_of(lost) > list->count;
}

bool leak_find(reach_t *r, const leak_list_t *before, leak_list_t *list)
{
    gather_t lost = {.r = r};
    vector_t heads = {NULL, 0, 0};
    if (before != NULL && !revive(r, before))
        return false;
    list->live = r->reached;
    list->live_bytes = r->reached_bytes;
    list->scanned = r->scanned;
    reach_each(r, true, gather, &lost);
    enter(r, &lost, list);
    bool fits = find_candidates(r, &lost, &heads);
    for (size_t i = 0; i < count_of(&lost); i++)
        reach_unmark(r, mem_at(&lost, i));
    name_heads(r, &heads, list);
    vector_free(&heads);
    vector_free(&lost.mems);
    atomic_store_explicit(&list->whole, fits && !lost.failed, memory_order_release);
    return fits && !lost.failed;
}
