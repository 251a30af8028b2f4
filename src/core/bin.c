/* core/bin.c - filing free chunks by size. See bin.h for the invariants. */
#include "core/bin.h"

#include "core/heap.h"

static void mark(bins_t *bins, unsigned index)
{
    bins->bitmap[index / BIN_WORD_BITS] |= (size_t)1 << (index % BIN_WORD_BITS);
}

static void unmark(bins_t *bins, unsigned index)
{
    bins->bitmap[index / BIN_WORD_BITS] &= ~((size_t)1 << (index % BIN_WORD_BITS));
}

/* A link must lead into a heap of ours before it is followed. Most lead to the heap that
 * c lies in. */
static mchunkptr follow(const chunk_t *c, uintptr_t hidden)
{
    mchunkptr link = (mchunkptr)(hidden ^ link_secret.mask);
    uintptr_t apart = (uintptr_t)link ^ (uintptr_t)c;
    bool near = apart >> HEAP_MAX_SHIFT == 0 && (apart & (CHUNK_ALIGN - 1)) == 0;
    if (cm_unlikely(!near && ((apart & (CHUNK_ALIGN - 1)) != 0 || !registry_has(link))))
        cm_panic(PANIC_LINKS, chunk_mem(c));
    return link;
}

mchunkptr bin_next(const chunk_t *c) { return follow(c, c->fd); }

mchunkptr bin_prev(const chunk_t *c) { return follow(c, c->bk); }

void bin_insert(bins_t *bins, mchunkptr c)
{
    unsigned index = bin_index(chunk_size(c));
    mchunkptr first = bins->first[index];
    cm_assert(chunk_is_free(c) && chunk_next(c)->prev_size == chunk_size(c));
    if (first == NULL) {
        c->fd = c->bk = link_hide(c);
        bins->first[index] = c;
        mark(bins, index);
        return;
    }
    mchunkptr last = bin_prev(first);
    if (cm_unlikely(last->fd != link_hide(first)))
        cm_panic(PANIC_LINKS, chunk_mem(first));
    c->fd = last->fd;
    c->bk = first->bk;
    last->fd = first->bk = link_hide(c);
}

void bin_unlink(bins_t *bins, mchunkptr c)
{
    size_t size = chunk_size(c);
    unsigned index = bin_index(size);
    mchunkptr fd = bin_next(c), bk = bin_prev(c);
    if (cm_unlikely(chunk_at(c, size)->prev_size != size))
        cm_panic(PANIC_FOOTER, chunk_mem(c));
    if (cm_unlikely(fd->bk != link_hide(c) || bk->fd != link_hide(c)))
        cm_panic(PANIC_LINKS, chunk_mem(c));
    uintptr_t behind = c->fd, before = c->bk;
    fd->bk = before;
    bk->fd = behind;
    if (bins->first[index] != c)
        return;
    bins->first[index] = fd != c ? fd : NULL;
    if (fd == c)
        unmark(bins, index);
}

size_t bin_size(const chunk_t *c)
{
    size_t size = chunk_size(c);
    if (cm_unlikely(size >= chunk_room(c)))
        cm_panic(PANIC_SIZE, chunk_mem(c));
    if (cm_unlikely(chunk_at(c, size)->prev_size != size))
        cm_panic(PANIC_FOOTER, chunk_mem(c));
    return size;
}

static void take_out(bins_t *bins, unsigned index, mchunkptr c)
{
    if (cm_unlikely(bin_index(bin_size(c)) != index))
        cm_panic(PANIC_SIZE, chunk_mem(c));
    bin_unlink(bins, c);
}

mchunkptr bin_take_first(bins_t *bins, unsigned index)
{
    mchunkptr c = bins->first[index];
    take_out(bins, index, c);
    return c;
}

/* Index of the first bin at or behind index that is not empty; BIN_COUNT if there is
 * none. */
static unsigned next_filled(const bins_t *bins, unsigned index)
{
    unsigned word = index / BIN_WORD_BITS;
    if (index >= BIN_COUNT)
        return BIN_COUNT;
    size_t bits = bins->bitmap[word] & (~(size_t)0 << (index % BIN_WORD_BITS));
    while (bits == 0) {
        if (++word == BIN_WORDS)
            return BIN_COUNT;
        bits = bins->bitmap[word];
    }
    return word * (unsigned)BIN_WORD_BITS + cm_lowest(bits);
}

/* The tightest fit among the first chunks of a bin, of which c is the first; NULL: none
 * of them fits. */
static mchunkptr tightest(mchunkptr c, size_t size, size_t align)
{
    const chunk_t *first = c;
    mchunkptr best = NULL;
    size_t best_size = SIZE_MAX;
    for (int i = 0; i < BIN_LOOK && (i == 0 || c != first); i++, c = bin_next(c)) {
        size_t have = chunk_size(c);
        if (have < best_size && have >= size + chunk_lead(c, align)) {
            best = c;
            best_size = have;
        }
    }
    return best;
}

mchunkptr bin_take(bins_t *bins, size_t size, size_t align)
{
    unsigned index = bin_index(size);
    for (int i = 0; i < BIN_LOOK && (index = next_filled(bins, index)) < BIN_COUNT;
         i++, index++) {
        mchunkptr c = tightest(bins->first[index], size, align);
        if (c != NULL) {
            take_out(bins, index, c);
            return c;
        }
    }
    return NULL;
}
