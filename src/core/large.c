/* core/large.c - M chunks. See large.h for the layout. */
#include "core/large.h"

#include "base/options.h"
#include "os/os.h"

static large_info *place(char *base, size_t mapped, size_t offset)
{
    large_info *info = (large_info *)(void *)base;
    mchunkptr c = chunk_at(base, offset);
    info->magic = LARGE_MAGIC ^ (uintptr_t)base;
    info->arena = NULL;
    info->mapped = mapped;
    info->offset = offset;
    c->prev_size = offset;
    chunk_set_word(c, (mapped - offset) | CHUNK_M);
    return info;
}

mchunkptr large_map(size_t n, size_t align)
{
    const size_t first = chunk_start(sizeof(large_info)), head = first + CHUNK_HEADER;
    if (align <= CHUNK_ALIGN) {
        size_t mapped = os_pages(n + head);
        char *base = os_map(mapped);
        return base == NULL ? NULL : chunk_at(place(base, mapped, first), first);
    }
    size_t wide = os_pages(n + head) + align;
    char *base = os_map(wide);
    if (base == NULL)
        return NULL;
    uintptr_t mem = ((uintptr_t)base + head + align - 1) & ~(align - 1);
    size_t before = (mem - head - (uintptr_t)base) & ~(os_page - 1);
    size_t mapped = os_pages((size_t)(mem - (uintptr_t)base) + n) - before;
    if (before + mapped < wide)
        os_unmap(base + before + mapped, wide - before - mapped);
    if (before > 0)
        os_unmap(base, before);
    base += before;
    size_t offset = mem - (uintptr_t)base - CHUNK_HEADER;
    place(base, mapped, offset);
    return chunk_at(base, offset);
}

large_info *large_info_of(const chunk_t *c)
{
    uintptr_t base = (uintptr_t)c - c->prev_size;
    large_info *info = (large_info *)base; /* NOLINT(performance-no-int-to-ptr) */
    if (cm_unlikely(base % os_page != 0 || base > (uintptr_t)c ||
                    info->magic != (LARGE_MAGIC ^ base)))
        cm_panic(PANIC_FOREIGN, chunk_mem(c));
    if (cm_unlikely(info->mapped != c->prev_size + chunk_size(c)))
        cm_panic(PANIC_SIZE, chunk_mem(c));
    return info;
}

void large_link_locked(arena_t *a, mchunkptr c)
{
    large_info *info = large_info_of(c);
    info->arena = a;
    info->newer = NULL;
    info->older = a->larges;
    if (a->larges != NULL)
        a->larges->newer = info;
    a->larges = info;
    a->large_count++;
    a->large_bytes += info->mapped;
}

void large_unlink_locked(arena_t *a, mchunkptr c)
{
    large_info *info = large_info_of(c);
    large_info *newer = info->newer, *older = info->older;
    if (cm_unlikely((newer != NULL ? newer->older : a->larges) != info ||
                    (older != NULL && older->newer != info)))
        cm_panic(PANIC_LINKS, chunk_mem(c));
    if (older != NULL)
        older->newer = newer;
    if (newer != NULL)
        newer->older = older;
    else
        a->larges = older;
    a->large_count--;
    a->large_bytes -= info->mapped;
    info->arena = NULL;
}

void large_unmap(mchunkptr c)
{
    large_info *info = large_info_of(c);
    size_t mapped = info->mapped;
    info->magic = 0; /* should the mapping stay, a second free is no M chunk's */
    os_unmap(info, mapped);
}

void large_give_locked(arena_t *a, mchunkptr c)
{
    large_unlink_locked(a, c);
    large_unmap(c);
}

mchunkptr large_resize(mchunkptr c, size_t n)
{
    large_info *info = large_info_of(c);
    size_t offset = c->prev_size, mapped = os_pages(offset + CHUNK_HEADER + n);
    if (mapped == info->mapped)
        return c;
    char *base = os_remap(info, info->mapped, mapped, true);
    if (base == NULL)
        return NULL;
    place(base, mapped, offset);
    return chunk_at(base, offset);
}

void large_adapt_threshold(size_t size)
{
    size_t threshold =
        atomic_load_explicit(&cm_options.mmap_threshold, memory_order_relaxed);
    if (size <= threshold || size > MMAP_THRESHOLD_MAX ||
        atomic_load_explicit(&cm_options.thresholds_fixed, memory_order_relaxed))
        return;
    atomic_store_explicit(&cm_options.mmap_threshold, size, memory_order_relaxed);
    atomic_store_explicit(&cm_options.trim_threshold, 2 * size, memory_order_relaxed);
}
