/* front/harden.c - see harden.h. */
#include "front/harden.h"

#include "base/options.h"
#include "front/owner.h"
#include "os/os.h"

#include <string.h>

/* --- canaries --- */

void harden_check(const chunk_t *c)
{
    if (!CM_SECURE || !canary_is_borne(c))
        return;
    size_t found = *canary_place(c, chunk_size(c)), right = canary_of(c);
    /* A chunk that the heap has taken back has its footer there. */
    if (cm_unlikely(found == ~right || (found != right && chunk_is_free(c))))
        cm_panic(PANIC_DOUBLE_FREE, chunk_mem(c));
    if (cm_unlikely(found != right))
        cm_panic(PANIC_CANARY, chunk_mem(c));
}

/* Nobody shall read the old one in what has become payload. */
void harden_resized(mchunkptr c, size_t before)
{
    if (!CM_SECURE || !canary_is_borne(c))
        return;
    size_t now = chunk_size(c);
    if (now > before)
        chunk_at(c, before)->prev_size = 0;
    harden_out(chunk_mem(c));
}

void harden_in(mchunkptr c)
{
    if (!CM_SECURE)
        return;
    harden_check(c);
    if ((chunk_word(c) & CHUNK_M) != 0)
        return; /* it is unmapped */
    if (cm_secure(zero))
        memset(chunk_mem(c), 0, chunk_usable(c));
    if (cm_secure(canary))
        *canary_place(c, chunk_size(c)) = ~canary_of(c);
}

/* --- quarantine: a ring of the chunks that were freed last --- */

struct quarantine {
    void *mem[QUARANTINE_SLOTS];
    unsigned first, count;
    size_t bytes;
};

static void *take_oldest(struct quarantine *q)
{
    void *mem = q->mem[q->first];
    q->first = (q->first + 1) % QUARANTINE_SLOTS;
    q->count--;
    q->bytes -= chunk_size(chunk_of(mem));
    link_unmark(mem);
    return mem;
}

static void put_newest(struct quarantine *q, void *mem)
{
    q->mem[(q->first + q->count) % QUARANTINE_SLOTS] = mem;
    q->count++;
    q->bytes += chunk_size(chunk_of(mem));
    link_set(mem, NULL);
}

static struct quarantine *quarantine_of(thread_t *t)
{
    size_t bytes = os_pages(sizeof(struct quarantine));
    if (t->quarantine == NULL && (t->quarantine = os_map(bytes)) != NULL)
        os_count_metadata(bytes);
    return t->quarantine;
}

void *quarantine_exchange(thread_t *t, mchunkptr c)
{
    size_t most = atomic_load_explicit(&cm_options.quarantine, memory_order_relaxed);
    void *mem = c == NULL ? NULL : chunk_mem(c), *out = mem;
    if (t->arena == NULL || most == 0 || !thread_enter())
        return mem;
    struct quarantine *q = quarantine_of(t);
    if (q != NULL) {
        out = NULL;
        if (q->count == QUARANTINE_SLOTS || (q->count > 0 && q->bytes > most))
            out = take_oldest(q);
        if (mem != NULL)
            put_newest(q, mem);
    }
    thread_leave();
    return out;
}

void quarantine_flush(thread_t *t)
{
    struct quarantine *q = CM_SECURE ? t->quarantine : NULL;
    while (q != NULL && q->count > 0) {
        void *mem = take_oldest(q);
        inbox_post(&arena_of(chunk_of(mem))->inbox, mem, mem);
    }
}

/* --- what the caller knows --- */

/* No chunk that a request of n bytes got, or was cut down to by realloc, is larger. */
static size_t largest_for(size_t n)
{
    size_t size = chunk_size_for(n);
    return size + size / 2 + CHUNK_MIN + os_page;
}

void harden_sized(const void *mem, size_t n, size_t align)
{
    if (!cm_secure(sized) || mem == NULL)
        return;
    const chunk_t *c = owner_chunk(mem);
    if (((uintptr_t)mem & (align - 1)) != 0 || n > chunk_usable(c) ||
        chunk_size(c) > largest_for(n))
        cm_panic(PANIC_SIZED, mem);
}
