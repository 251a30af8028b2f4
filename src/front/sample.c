/* front/sample.c - see sample.h. */
#include "front/sample.h"

#include "front/cache.h"
#include "front/front.h"
#include "front/place.h"
#include "os/os.h"
#include "os/stack.h"

#include <string.h>

sample_table_t sample_table;

/* What a thread counts; mapped when it allocates for the first time while samples are
 * taken, and kept with its struct. */
struct sampler {
    uint64_t chance;            /* state of the generator; never 0 */
    size_t chunks[CLASS_COUNT]; /* of the class, up to the sample and with it; 0: to be
                                   drawn */
    size_t bytes;               /* the same, of what comes from no cache */
    bool due;                   /* what is handed out next is a sample */
    bool busy;                  /* at work on one: no other */
    bool armed;                 /* the next guarded chunk has its place */
};

/* --- chance --- */

static uint32_t draw(struct sampler *s)
{
    s->chance ^= s->chance << 13;
    s->chance ^= s->chance >> 7;
    s->chance ^= s->chance << 17;
    return (uint32_t)(s->chance >> 32);
}

#define POINT 16 /* binary digits behind the point */

/* -log2(u / 2^32), by squaring: each square has twice the logarithm. Pre: u > 0. */
static uint64_t minus_log2(uint32_t u)
{
    unsigned whole = cm_log2(u);
    uint64_t x = (uint64_t)u << (31 - whole), digits = 0;
    for (unsigned i = 0; i < POINT; i++) {
        x = x * x >> 31;
        unsigned digit = (unsigned)(x >> 32);
        x >>= digit;
        digits = digits << 1 | digit;
    }
    return ((uint64_t)(32 - whole) << POINT) - digits;
}

/* A distance of exponential distribution. At least 1; just that if all are samples. */
static size_t draw_distance(struct sampler *s, size_t mean)
{
    if (mean == 1)
        return 1;
    const uint64_t ln2 = 45426; /* times 2^POINT */
    uint64_t halvings = minus_log2(draw(s) | 1);
    return (size_t)((mean * halvings >> POINT) * ln2 >> POINT) + 1;
}

static struct sampler *sampler_of(thread_t *t)
{
    size_t bytes = os_pages(sizeof(struct sampler));
    if (t->sampler == NULL && (t->sampler = os_map(bytes)) != NULL) {
        os_count_metadata(bytes);
        uintptr_t chance;
        os_random(&chance, 1);
        t->sampler->chance = chance | 1;
    }
    return t->sampler;
}

/* --- counting --- */

/* Of count chunks of class k: how many may be handed out before the next sample, counted.
 * Pre: count > 0. */
static unsigned allow(thread_t *t, unsigned k, unsigned count)
{
    struct sampler *s = sampler_of(t);
    if (s == NULL)
        return count;
    size_t *left = &s->chunks[k], size = class_size(k);
    if (*left == 0)
        *left = (draw_distance(s, sample_table.rate) + size - 1) / size;
    if (*left == 1) {
        *left = 0;
        s->due = true;
        return 1;
    }
    if (count >= *left)
        count = (unsigned)*left - 1;
    *left -= count;
    return count;
}

magazine_t sample_cut(thread_t *t, unsigned k, magazine_t m)
{
    unsigned count = m.count == 0 ? 0 : allow(t, k, m.count);
    if (count == m.count)
        return m;
    void *last = m.first;
    for (unsigned i = 1; i < count; i++)
        last = link_next(last);
    magazine_t rest = {link_next(last), m.count - count};
    link_set(last, NULL);
    cm_lock_take_or_inherit(&t->lock);
    t->spare[k] = rest;
    cm_lock_drop(&t->lock);
    return (magazine_t){m.first, count};
}

static void count_bytes(struct sampler *s, size_t size)
{
    if (s->bytes == 0)
        s->bytes = draw_distance(s, sample_table.rate);
    s->due = s->due || size >= s->bytes;
    s->bytes = size >= s->bytes ? 0 : s->bytes - size;
}

void sample_count(void *mem)
{
    thread_t *t = thread_self;
    if (t->arena == NULL || !thread_enter())
        return;
    struct sampler *s = sampler_of(t);
    if (s != NULL)
        count_bytes(s, chunk_size(chunk_of(mem)));
    thread_leave_quietly();
    sample_check(mem);
}

/* --- the tables; under the lock --- */

static void *cut_piece(size_t size)
{
    sample_table_t *t = &sample_table;
    if ((size_t)(t->piece_end - t->piece) < size) {
        size_t bytes = os_pages(PROFILE_PIECE);
        char *piece = os_map(bytes);
        if (piece == NULL)
            return NULL;
        os_count_metadata(bytes);
        t->piece = piece;
        t->piece_end = piece + bytes;
    }
    void *p = t->piece;
    t->piece += size;
    return p;
}

static size_t hash_of(const uintptr_t *frames, size_t depth)
{
    size_t hash = depth;
    for (size_t i = 0; i < depth; i++)
        hash = (hash ^ frames[i]) * (size_t)0x9E3779B97F4A7C15u;
    return hash >> (SIZE_SZ * 8 - 20);
}

static sample_site_t *new_site(sample_site_t **list, const uintptr_t *frames,
                               size_t depth)
{
    size_t bytes = depth * sizeof *frames;
    sample_site_t *s = cut_piece(sizeof *s + bytes);
    if (s == NULL)
        return NULL;
    s->depth = depth;
    memcpy(s->frames, frames, bytes);
    s->next = *list;
    *list = s;
    s->older = atomic_load_explicit(&sample_table.newest, memory_order_relaxed);
    atomic_store_explicit(&sample_table.newest, s, memory_order_release);
    return s;
}

static sample_site_t *site_of(const uintptr_t *frames, size_t depth)
{
    sample_site_t **list = &sample_table.sites[hash_of(frames, depth) % PROFILE_SITES];
    sample_site_t *s = *list;
    while (s != NULL &&
           (s->depth != depth || memcmp(s->frames, frames, depth * sizeof *frames) != 0))
        s = s->next;
    return s != NULL ? s : new_site(list, frames, depth);
}

static sample_t *take_sample(void)
{
    sample_t *s = sample_table.unused;
    if (s == NULL)
        return cut_piece(sizeof *s);
    sample_table.unused = s->next;
    return s;
}

static void count_up(_Atomic size_t *sum, size_t n)
{
    atomic_fetch_add_explicit(sum, n, memory_order_relaxed);
}

static void enter_sample(uintptr_t mem, size_t size, const uintptr_t *frames,
                         size_t depth)
{
    sample_site_t *site = site_of(frames, depth);
    sample_t *s = site == NULL ? NULL : take_sample();
    if (s == NULL) {
        count_up(&sample_table.lost, 1);
        return;
    }
    _Atomic(sample_t *) *list = &sample_table.live[sample_list_of(mem)];
    *s = (sample_t){.site = site, .hidden = ~mem, .size = size};
    s->next = atomic_load_explicit(list, memory_order_relaxed);
    atomic_store_explicit(list, s, memory_order_release);
    count_up(&site->live, 1);
    count_up(&site->live_bytes, size);
    count_up(&site->all, 1);
    count_up(&site->all_bytes, size);
}

static void drop_sample(uintptr_t mem)
{
    _Atomic(sample_t *) *list = &sample_table.live[sample_list_of(mem)];
    sample_t *s = atomic_load_explicit(list, memory_order_relaxed), *before = NULL;
    for (; s != NULL && s->hidden != ~mem; s = s->next)
        before = s;
    if (s == NULL)
        return;
    if (before != NULL)
        before->next = s->next;
    else
        atomic_store_explicit(list, s->next, memory_order_release);
    atomic_fetch_sub_explicit(&s->site->live, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&s->site->live_bytes, s->size, memory_order_relaxed);
    s->next = sample_table.unused;
    sample_table.unused = s;
}

/* --- taking and forgetting --- */

/* Not inlined, so that what the miss needs of the stack does not grow. */
static CM_NOINLINE void record(void *mem)
{
    uintptr_t frames[PROFILE_FRAMES];
    size_t depth = os_stack(frames, PROFILE_FRAMES);
    if (!thread_enter())
        return;
    if (cm_lock_take(&sample_table.lock)) {
        enter_sample((uintptr_t)mem, chunk_size(chunk_of(mem)), frames, depth);
        cm_lock_drop(&sample_table.lock);
    }
    thread_leave();
}

/* The unwinder may allocate. */
void sample_check(void *mem)
{
    struct sampler *s = thread_self->sampler;
    if (s == NULL || !s->due || s->busy)
        return;
    s->due = false;
    s->busy = true;
    record(mem);
    s->busy = false;
}

/* In a signal handler that has interrupted the library, who holds the lock may wait for
 * us: then the sample stays. */
void sample_forget(const void *mem)
{
    bool entered = thread_enter();
    if (entered ? cm_lock_take(&sample_table.lock) : cm_lock_try(&sample_table.lock)) {
        drop_sample((uintptr_t)mem);
        cm_lock_drop(&sample_table.lock);
    }
    if (entered)
        thread_leave();
}

/* --- guarded chunks --- */

/* Draw where the next one is due. */
static void arm_guard(thread_t *t)
{
    size_t distance = draw_distance(t->sampler, sample_table.guards);
    t->base += t->taken + distance;
    t->taken = -distance;
    t->sampler->armed = true;
}

static CM_NOINLINE void *guard_instead(void *mem, size_t n, size_t align)
{
    guard_trace_t who;
    who.depth = os_stack(who.frames, GUARD_FRAMES);
    mchunkptr c = place_take_guarded(n, align, &who);
    if (c == NULL)
        return mem;
    front_free(mem);
    return chunk_mem(c);
}

/* The unwinder may allocate. */
void *sample_guard(void *mem, size_t n, size_t align)
{
    thread_t *t = thread_self;
    if (t->arena == NULL || !thread_enter())
        return mem;
    struct sampler *s = sampler_of(t);
    bool due = s != NULL && !s->busy && (!s->armed || (ptrdiff_t)t->taken >= 0);
    thread_leave_quietly();
    if (!due)
        return mem;
    s->busy = true;
    if (s->armed)
        mem = guard_instead(mem, n, align);
    arm_guard(t);
    s->busy = false;
    return mem;
}

CM_NOINLINE void sample_guard_freed(const void *mem)
{
    guard_trace_t who;
    who.depth = os_stack(who.frames, GUARD_FRAMES);
    guard_freed(mem, &who);
}

/* --- start --- */

CM_START void sample_init(void)
{
    size_t guards = atomic_load_explicit(&cm_options.guard_sample, memory_order_relaxed);
    if (guards != 0 && guard_init()) {
        os_stack_init();
        sample_table.guards = guards;
    }
    size_t wish = atomic_load_explicit(&cm_options.profile, memory_order_relaxed);
    if (wish == 0)
        return;
    os_stack_init();
    if (thread_enter()) { /* what is in the cache was not counted */
        if (thread_self->arena != NULL) {
            cache_flush(thread_self);
            thread_self->window = thread_self->span = 0;
        }
        sample_table.rate = wish == 1 ? PROFILE_RATE : wish;
        thread_leave_quietly();
    }
}
