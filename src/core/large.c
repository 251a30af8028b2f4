/* core/large.c - M chunks. See large.h for the layout. */
#include "core/large.h"

#include "base/options.h"
#include "core/guard.h"
#include "core/seal.h"
#include "os/os.h"

static size_t seal_for(const large_info *info)
{
    size_t where = seal_of((size_t)info, info->mapped), parts = info->parts.count;
    for (size_t i = 0; i + 1 < info->parts.count; i++)
        parts = seal_of(parts, info->parts.size[i]);
    return seal_of(where, seal_of((size_t)info->arena, info->offset) ^ parts);
}

bool large_is_sealed(const large_info *info)
{
    return info->parts.count - 1 < LARGE_PARTS && info->seal == seal_for(info);
}

large_parts_t large_cut_parts(const large_info *info, size_t from, size_t to)
{
    large_parts_t cut = {.count = 0};
    for (size_t i = 0, at = 0, end; i < info->parts.count; i++, at = end) {
        end = at + large_part_size(info, i, at);
        size_t first = at > from ? at : from, last = end < to ? end : to;
        if (first < last)
            cut.size[cut.count++] = last - first;
    }
    return cut;
}

large_info *large_place(char *base, size_t mapped, size_t offset,
                        const large_parts_t *parts)
{
    large_info *info = (large_info *)(void *)base;
    mchunkptr c = chunk_at(base, offset);
    info->magic = LARGE_MAGIC ^ (uintptr_t)base;
    info->arena = NULL;
    info->mapped = mapped;
    info->offset = offset;
    info->parts.count = 1;
    if (parts != NULL)
        info->parts = *parts;
    info->seal = seal_for(info);
    c->prev_size = offset;
    chunk_set_word(c, (mapped - offset) | CHUNK_M);
    return info;
}

static size_t link_seal_for(const large_info *info)
{
    return seal_of(seal_of((size_t)info, (size_t)info->newer), (size_t)info->older);
}

static void link_to(large_info *info, large_info *older, large_info *newer)
{
    info->older = older;
    info->newer = newer;
    info->link_seal = link_seal_for(info);
}

/* --- the secure variant: a page behind each mapping that nobody may touch --- */

/* os_guard is not in info->mapped; mappings that have one are not kept. */

static void guard_end(char *end)
{
    if (os_guard() > 0)
        os_decommit(end, os_guard());
}

static char *map_guarded(size_t mapped)
{
    char *base = os_map(mapped + os_guard());
    if (base != NULL)
        guard_end(base + mapped);
    return base;
}

/* The page is in the way of growth in place: so the rest moves, and gets a new one. NULL:
 * all is as it was. */
static char *remap_guarded(char *base, size_t before, size_t mapped)
{
    const size_t guard = os_guard();
    if (mapped < before) {
        if (!os_decommit(base + mapped, guard))
            return NULL;
        os_release(base + mapped + guard, before - mapped, before - mapped - guard);
        return base;
    }
    char *moved = os_remap(base, before, mapped + guard, true);
    if (moved == NULL)
        return NULL;
    guard_end(moved + mapped);
    if (moved != base)
        os_release(base + before, guard, 0);
    return moved;
}

/* The last byte of c's header and the large_info share a page, whatever the alignment. */
static mchunkptr map_new(size_t n, size_t align)
{
    const size_t first = chunk_start(sizeof(large_info)), head = first + CHUNK_HEADER;
    if (!os_may_grow(n))
        return NULL;
    if (align <= CHUNK_ALIGN) {
        size_t mapped = os_pages(n + head);
        char *base = map_guarded(mapped);
        return base == NULL ? NULL
                            : chunk_at(large_place(base, mapped, first, NULL), first);
    }
    size_t wide = os_pages(n + head + align);
    char *base = os_map(wide + os_guard());
    if (base == NULL)
        return NULL;
    uintptr_t mem = ((uintptr_t)base + head + align - 1) & ~(align - 1);
    size_t before = (mem - head - (uintptr_t)base) & ~(os_page - 1);
    size_t mapped = os_pages((size_t)(mem - (uintptr_t)base) + n) - before;
    size_t behind = before + mapped + os_guard();
    if (behind < wide + os_guard())
        os_unmap(base + behind, wide - before - mapped);
    guard_end(base + before + mapped);
    if (before > 0)
        os_unmap(base, before);
    base += before;
    size_t offset = mem - (uintptr_t)base - CHUNK_HEADER;
    large_place(base, mapped, offset, NULL);
    return chunk_at(base, offset);
}

mchunkptr large_map(size_t n, size_t align)
{
    large_make_room(os_pages(n + chunk_start(sizeof(large_info)) + CHUNK_HEADER + align));
    mchunkptr c = map_new(n, align);
    if (c == NULL && large_drop_kept() > 0)
        c = map_new(n, align);
    if (c != NULL)
        large_count_live((ptrdiff_t)large_info_of(c)->mapped);
    return c;
}

large_info *large_info_of(const chunk_t *c)
{
    uintptr_t base = (uintptr_t)c - c->prev_size;
    large_info *info = (large_info *)base; /* NOLINT(performance-no-int-to-ptr) */
    /* Its own page, which is there if the header is: see map_new. */
    uintptr_t last = (uintptr_t)chunk_mem(c) - 1;
    if (cm_unlikely(base != last - last % os_page))
        cm_panic(PANIC_FOREIGN, chunk_mem(c));
    if (cm_unlikely(info->magic != (LARGE_MAGIC ^ base)))
        cm_panic(info->magic == (LARGE_KEPT_MAGIC ^ base) ? PANIC_DOUBLE_FREE
                                                          : PANIC_FOREIGN,
                 chunk_mem(c));
    if (cm_unlikely(!large_is_sealed(info)))
        cm_panic(PANIC_FOREIGN, chunk_mem(c));
    if (cm_unlikely(info->offset != c->prev_size ||
                    info->mapped != c->prev_size + chunk_size(c)))
        cm_panic(PANIC_SIZE, chunk_mem(c));
    return info;
}

void large_link_locked(arena_t *a, mchunkptr c)
{
    large_info *info = large_info_of(c);
    info->arena = a;
    info->seal = seal_for(info);
    link_to(info, a->larges, NULL);
    if (a->larges != NULL)
        link_to(a->larges, a->larges->older, info);
    a->larges = info;
    a->large_count++;
    a->large_bytes += info->mapped;
}

void large_unlink_locked(arena_t *a, mchunkptr c)
{
    large_info *info = large_info_of(c);
    large_info *newer = info->newer, *older = info->older;
    if (cm_unlikely(info->link_seal != link_seal_for(info) ||
                    (newer != NULL ? newer->older : a->larges) != info ||
                    (older != NULL && older->newer != info)))
        cm_panic(PANIC_LINKS, chunk_mem(c));
    if (older != NULL)
        link_to(older, older->older, newer);
    if (newer != NULL)
        link_to(newer, older, newer->newer);
    else
        a->larges = older;
    a->large_count--;
    a->large_bytes -= info->mapped;
    info->arena = NULL;
    info->seal = seal_for(info);
}

void large_give_locked(arena_t *a, mchunkptr c)
{
    large_unlink_locked(a, c);
    large_keep(c);
}

/* More: kept pages, if there are any, cost less than fresh ones. What has several parts
 * can move in no other way. */
static char *grow(large_info *info, size_t mapped, large_parts_t *parts)
{
    size_t before = info->mapped, fresh;
    bool several = info->parts.count > 1;
    char *base = NULL;
    if (several || (mapped - before >= LARGE_GATHER_LEAST && large_kept_bytes() > 0))
        base = large_gather(info, mapped, parts, &fresh);
    if (base != NULL || several)
        return base;
    large_make_room(mapped - before);
    parts->count = 1;
    return os_remap(info, before, mapped, true);
}

static char *shrink(large_info *info, size_t mapped, large_parts_t *parts)
{
    *parts = large_cut_parts(info, 0, mapped);
    return os_remap(info, info->mapped, mapped, true);
}

mchunkptr large_resize(mchunkptr c, size_t n)
{
    large_info *info = large_info_of(c);
    size_t offset = c->prev_size, mapped = os_pages(offset + CHUNK_HEADER + n);
    size_t before = info->mapped;
    large_parts_t parts = {.count = 1};
    if (mapped == before)
        return c;
    if (guard_has(info) || (mapped > before && !os_may_grow(mapped - before)))
        return NULL;
    char *base = os_guard() > 0    ? remap_guarded((char *)info, before, mapped)
                 : mapped > before ? grow(info, mapped, &parts)
                                   : shrink(info, mapped, &parts);
    if (base == NULL)
        return NULL;
    large_count_live((ptrdiff_t)mapped - (ptrdiff_t)before);
    large_make_room(0);
    large_place(base, mapped, offset, &parts);
    return chunk_at(base, offset);
}

void large_adapt_threshold(size_t size)
{
    size_t threshold =
        atomic_load_explicit(&cm_options.mmap_threshold, memory_order_relaxed);
    if (size <= threshold || size > MMAP_THRESHOLD_MAX ||
        atomic_load_explicit(&cm_options.thresholds_fixed, memory_order_relaxed))
        return;
    cm_option_store(&cm_options.mmap_threshold, size);
    cm_option_store(&cm_options.trim_threshold, 2 * size);
}
