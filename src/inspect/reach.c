/*
 * inspect/reach.c - see reach.h. The inner loop is scan(): it reads every word of the
 * heap once. Most words are no pointers into a span, and two comparisons say so.
 */
#include "inspect/reach.h"

#define COMING 8u /* chunks that are fetched before they are scanned */

static span_t *spans(const reach_t *r) { return r->spans.at; }
static size_t span_count(const reach_t *r) { return r->spans.used / sizeof(span_t); }

/* --- where the chunks are --- */

void reach_init(reach_t *r, unsigned step, uintptr_t mask, bool paths)
{
    *r = (reach_t){.step = step, .mask = mask, .paths = paths};
}

static size_t from_bytes(size_t granules) { return os_pages(granules * SIZE_SZ); }

static bool add_span(reach_t *r, span_t *s, size_t granules)
{
    if (r->paths && (s->from = os_map(from_bytes(granules))) == NULL)
        return false;
    return vector_add(&r->spans, s, sizeof *s);
}

static size_t granules_for(uintptr_t low, uintptr_t high)
{
    return (high - low) / CHUNK_ALIGN + 2;
}

bool reach_heap(reach_t *r, uintptr_t low, uintptr_t high, const void *bytes)
{
    size_t granules = granules_for(low, high), words[SPAN_LEVELS], total;
    words[0] = span_words(granules);
    words[1] = span_words(words[0]);
    words[2] = span_words(words[1]);
    total = os_pages((2 * words[0] + words[1] + words[2]) * sizeof(size_t));
    span_t s = {.low = low, .high = high, .bytes = bytes, .shift = SPAN_HEAP_SHIFT};
    size_t *map = os_map(total);
    if (map == NULL)
        return false;
    s.mapped = total;
    for (unsigned level = 0; level < SPAN_LEVELS; level++) {
        s.start[level] = map;
        map += words[level];
    }
    s.mark = map;
    span_set_start(&s, 0);
    return add_span(r, &s, granules);
}

void reach_free(reach_t *r)
{
    for (size_t i = 0; i < span_count(r); i++) {
        span_t *s = &spans(r)[i];
        if (s->mapped > 0)
            os_unmap(s->start[0], s->mapped);
        if (s->from != NULL)
            os_unmap(s->from,
                     from_bytes(s->mapped > 0 ? granules_for(s->low, s->high) : 1));
    }
    vector_free(&r->spans);
    if (r->slots != NULL)
        os_unmap(r->slots, r->slot_bytes);
    if (r->stack != NULL)
        os_unmap(r->stack, os_pages(r->stack_room * sizeof *r->stack));
    *r = (reach_t){0};
}

void reach_chunk(reach_t *r, uintptr_t mem, bool owned)
{
    span_t *s = &spans(r)[span_count(r) - 1];
    size_t g = span_granule(s, mem);
    r->chunks++;
    span_set_start(s, g);
    if (!owned) {
        span_bit_set(s->mark, g);
        span_bit_set(s->mark, g + 1);
    }
}

bool reach_large(reach_t *r, uintptr_t mem, uintptr_t high, const void *bytes)
{
    span_t s = {.low = mem, .high = high, .bytes = bytes, .shift = SPAN_LARGE_SHIFT};
    r->chunks++;
    return add_span(r, &s, 1);
}

/* --- finding a span --- */

/* Heap sort: spans come nearly sorted, by the thousand at most, and there is no qsort
 * here. */
static void sift(span_t *s, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && s[child].low < s[child + 1].low)
            child++;
        if (s[at].low >= s[child].low)
            return;
        span_t t = s[at];
        s[at] = s[child];
        s[child] = t;
    }
}

static void sort(span_t *s, size_t count)
{
    for (size_t i = count / 2; i > 0; i--)
        sift(s, i - 1, count);
    for (size_t end = count; end > 1; end--) {
        span_t t = s[0];
        s[0] = s[end - 1];
        s[end - 1] = t;
        sift(s, 0, end - 1);
    }
}

static reach_slot_t *slot_for(const reach_t *r, uintptr_t number)
{
    size_t i = number * (size_t)0x9E3779B97F4A7C15u >> 20 & r->slot_mask;
    while (r->slots[i].number != 0 && r->slots[i].number != number + 1)
        i = (i + 1) & r->slot_mask;
    return &r->slots[i];
}

static size_t slots_of(const span_t *s)
{
    return ((s->high - 1) >> REACH_SLOT_SHIFT) - (s->low >> REACH_SLOT_SHIFT) + 1;
}

static void enter_slots(reach_t *r, unsigned index)
{
    const span_t *s = &spans(r)[index];
    for (size_t i = 0; i < slots_of(s); i++) {
        uintptr_t number = (s->low >> REACH_SLOT_SHIFT) + i;
        reach_slot_t *slot = slot_for(r, number);
        if (slot->number == 0)
            *slot = (reach_slot_t){.number = number + 1, .first = index};
        slot->last = index;
    }
}

/* An M chunk's maps are in the span itself, which does not move any more. */
static void point_to_own(span_t *s)
{
    static size_t large_start = 1;
    if (s->mark != NULL)
        return;
    s->start[0] = &large_start;
    s->mark = &s->own;
}

bool reach_seal(reach_t *r)
{
    size_t count = span_count(r), slots = 0, room = 64;
    sort(spans(r), count);
    for (size_t i = 0; i < count; i++) {
        point_to_own(&spans(r)[i]);
        slots += slots_of(&spans(r)[i]);
    }
    while (room < 2 * slots)
        room *= 2;
    r->slot_bytes = os_pages(room * sizeof(reach_slot_t));
    r->slot_mask = room - 1;
    r->slots = os_map(r->slot_bytes);
    r->stack_room = r->paths ? r->chunks : REACH_STACK_MOST;
    r->stack = os_map(os_pages(r->stack_room * sizeof *r->stack));
    if (r->slots == NULL || r->stack == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        enter_slots(r, (unsigned)i);
    r->low = count > 0 ? spans(r)[0].low : 0;
    r->high = count > 0 ? spans(r)[count - 1].high : 0;
    return true;
}

static span_t *span_of(const reach_t *r, uintptr_t p)
{
    if (p - r->low >= r->high - r->low)
        return NULL;
    const reach_slot_t *slot = slot_for(r, p >> REACH_SLOT_SHIFT);
    if (slot->number == 0)
        return NULL;
    unsigned low = slot->first, high = slot->last;
    while (low < high) { /* the last one that begins at or before p */
        unsigned middle = high - (high - low) / 2;
        if (spans(r)[middle].low <= p)
            low = middle;
        else
            high = middle - 1;
    }
    span_t *s = &spans(r)[low];
    return p - s->low < s->high - s->low ? s : NULL;
}

/* --- marking --- */

static void stack_push(reach_t *r, const span_t *s, uintptr_t mem)
{
    if (cm_likely(r->depth < r->stack_room)) {
        r->stack[r->depth++] = mem;
        return;
    }
    r->overflow = true;
    r->reached_bytes += span_usable(s, mem);
}

static void reach_mark(reach_t *r, uintptr_t p, uintptr_t where)
{
    span_t *s = span_of(r, p);
    if (s == NULL)
        return;
    size_t g = span_start(s, span_granule(s, p));
    if (span_bit(s->mark, g))
        return;
    uintptr_t mem = span_mem(s, g);
    span_bit_set(s->mark, g);
    r->reached++;
    if (s->from != NULL)
        s->from[g] = where;
    stack_push(r, s, mem);
}

static void scan(reach_t *r, const char *bytes, size_t length, uintptr_t where)
{
    uintptr_t low = r->low, width = r->high - r->low, mask = r->mask;
    if (length < sizeof(uintptr_t))
        return;
    r->scanned += length;
    for (size_t i = 0; i <= length - sizeof(uintptr_t); i += r->step) {
        uintptr_t word;
        memcpy(&word, bytes + i, sizeof word);
        word &= mask;
        if (cm_unlikely(word - low < width))
            reach_mark(r, word, where + i);
    }
}

static size_t scan_chunk(reach_t *r, const span_t *s, uintptr_t mem)
{
    size_t usable = span_usable(s, mem);
    scan(r, s->bytes + (mem - s->low), usable, mem);
    return usable;
}

/* Depth first keeps the stack short; breadth first makes paths short. */
static bool stack_pop(reach_t *r, uintptr_t *mem)
{
    if (r->done == r->depth)
        return false;
    *mem = r->stack[r->paths ? r->done++ : --r->depth];
    return true;
}

/* A chunk that will be scanned soon: its bytes are on their way. */
typedef struct coming {
    const span_t *span;
    uintptr_t mem;
} coming_t;

static coming_t announce(const reach_t *r, uintptr_t mem)
{
    const span_t *s = span_of(r, mem);
    __builtin_prefetch(s->bytes + (mem - s->low) - SIZE_SZ);
    __builtin_prefetch(s->bytes + (mem - s->low) - SIZE_SZ + CACHE_LINE);
    return (coming_t){s, mem};
}

/* A ring of chunks stands between the stack and the scan. On a tree of
 * half a GiB: 390 ms instead of 630. */
static void scan_stacked(reach_t *r)
{
    coming_t ring[COMING];
    unsigned first = 0, count = 0;
    for (uintptr_t mem;;) {
        while (count < COMING && stack_pop(r, &mem))
            ring[(first + count++) % COMING] = announce(r, mem);
        if (count == 0)
            return;
        coming_t next = ring[first];
        first = (first + 1) % COMING;
        count--;
        r->reached_bytes += scan_chunk(r, next.span, next.mem);
    }
}

/* Those of one word of a span's bitmaps. */
static void scan_marked_in(reach_t *r, const span_t *s, size_t w)
{
    size_t word = s->start[0][w] & s->mark[w];
    for (; word != 0; word &= word - 1) {
        size_t g = w * SPAN_WORD_BITS + cm_lowest(word);
        if (!span_bit(s->mark, g + 1))
            scan_chunk(r, s, span_mem(s, g));
        scan_stacked(r);
    }
}

/* Every marked chunk is scanned again; what was lost is among its targets. */
static void scan_marked(reach_t *r)
{
    for (size_t i = 0; i < span_count(r); i++) {
        const span_t *s = &spans(r)[i];
        for (size_t w = 0; w < span_words(span_granule(s, s->high - 1) + 1); w++)
            scan_marked_in(r, s, w);
    }
}

void reach_drain(reach_t *r)
{
    scan_stacked(r);
    while (r->overflow) {
        r->overflow = false;
        scan_marked(r);
    }
}

void reach_scan(reach_t *r, const void *bytes, size_t length, uintptr_t where)
{
    scan(r, bytes, length, where);
    if (!r->paths)
        reach_drain(r);
}

void reach_word(reach_t *r, uintptr_t word, uintptr_t where)
{
    reach_scan(r, &word, sizeof word, where);
}

bool reach_chunk_at(reach_t *r, uintptr_t mem)
{
    size_t before = r->reached;
    reach_mark(r, mem, 0);
    if (r->reached == before)
        return false;
    reach_drain(r);
    return true;
}

void reach_unmark(reach_t *r, uintptr_t mem)
{
    span_t *s = span_of(r, mem);
    if (s != NULL)
        span_bit_clear(s->mark, span_start(s, span_granule(s, mem)));
}

/* --- asking --- */

static void describe(const span_t *s, size_t g, reach_found_t *found)
{
    uintptr_t mem = span_mem(s, g);
    *found = (reach_found_t){.mem = mem,
                             .usable = span_usable(s, mem),
                             .bytes = s->bytes + (mem - s->low),
                             .marked = span_bit(s->mark, g),
                             .owned = !span_bit(s->mark, g + 1),
                             .from = s->from == NULL ? 0 : s->from[g]};
}

bool reach_find(const reach_t *r, uintptr_t address, reach_found_t *found)
{
    const span_t *s = span_of(r, address);
    if (s == NULL)
        return false;
    describe(s, span_start(s, span_granule(s, address)), found);
    return true;
}

static void each_in(const span_t *s, bool lost, reach_visit visit, void *arg)
{
    for (size_t w = 0; w < span_words(span_granule(s, s->high - 1) + 1); w++) {
        size_t word = s->start[0][w] & (lost ? ~s->mark[w] : s->mark[w]);
        for (; word != 0; word &= word - 1) {
            reach_found_t found;
            describe(s, w * SPAN_WORD_BITS + cm_lowest(word), &found);
            if (found.owned)
                visit(&found, arg);
        }
    }
}

void reach_each(const reach_t *r, bool lost, reach_visit visit, void *arg)
{
    for (size_t i = 0; i < span_count(r); i++)
        each_in(&spans(r)[i], lost, visit, arg);
}
