/*
 * model.c - random sequences of calls, held against a model of what must be in memory.
 *
 * The model is a table of slots: what was handed out, how much of it may be written, and
 * the tag of the pattern that fills it to its last byte. Before a chunk is freed or
 * resized, and at the end, its pattern, its usable size and its alignment must be as they
 * were. Chunks of one thread are compared with each other for overlap; an overlap of two
 * threads' chunks shows in the patterns. Now and then the whole heap is walked and
 * compared with the table.
 *
 *   SEED=n  the sequence (with one thread, exactly)     OPS=n  its length
 * With os_fail in CMALLOC_OPTIONS any call may fail, and must then have changed nothing.
 */
#include "../unit/support.h"

enum { SLOTS = 500, PHASE = 4000, THREADS = 4, MAILBOXES = 64 };

/* In a thread's table at most this much; beyond it, sizes are small until it shrinks. */
static const size_t live_limit = 160 * MIB;

typedef struct slot {
    unsigned char *mem; /* NULL: empty */
    size_t usable, alignment;
    uint64_t tag;
} slot_t;

/* One player: a thread with its table and its luck. */
typedef struct player {
    slot_t slots[SLOTS];
    uint64_t chance;
    size_t ops, live;
    unsigned free_per_cent; /* how often a full slot is freed: phases grow and shrink */
    unsigned flavour;       /* which sizes this phase prefers */
    bool alone;
} player_t;

static bool may_fail;
static _Atomic(slot_t *) mailboxes[MAILBOXES];

static size_t length_of_run(size_t quick, size_t in_long_suite)
{
    const char *given = getenv("OPS");
    return given ? (size_t)strtoull(given, NULL, 0) : at_length(quick, in_long_suite);
}

/* ---- what to ask for --------------------------------------------------------------- */

static size_t size_of_flavour(uint64_t *chance, unsigned flavour)
{
    switch (flavour) {
    case 0:
        return random_below(chance, 200);
    case 1:
        return random_below(chance, 1200);
    case 2:
        return random_below(chance, 64) * 16 + random_below(chance, 3);
    case 3:
        return random_below(chance, (size_t)2 << random_below(chance, 18));
    case 4:
        return boundary_size(random_below(chance, BOUNDARY_SIZES));
    case 5:
        return random_below(chance, 200000);
    case 6:
        return 30000 + random_below(chance, 8000);
    default:
        return random_below(chance, (size_t)2 << random_below(chance, 24));
    }
}

enum { FLAVOURS = 8 };

static size_t pick_size(player_t *p)
{
    if (p->live > live_limit)
        return random_below(&p->chance, 500);
    bool stray = random_below(&p->chance, 5) == 0;
    unsigned flavour = stray ? (unsigned)random_below(&p->chance, FLAVOURS) : p->flavour;
    size_t size = size_of_flavour(&p->chance, flavour);
    /* Many megabytes are for now and then: they cost page tables, not insight. */
    return size > 4 * MIB && random_below(&p->chance, 20) ? size % (100 * KIB) : size;
}

static size_t pick_alignment(uint64_t *chance)
{
    size_t shift = random_below(chance, random_below(chance, 4) ? 8 : 22);
    return (size_t)8 << shift;
}

/* ---- slots ------------------------------------------------------------------------- */

static void check_apart(const player_t *p, const slot_t *fresh)
{
    for (size_t i = 0; i < SLOTS; i++) {
        const slot_t *s = &p->slots[i];
        if (s == fresh || !s->mem)
            continue;
        CHECK(fresh->mem + fresh->usable <= s->mem || s->mem + s->usable <= fresh->mem);
    }
}

static void check_slot(const slot_t *s)
{
    CHECK(is_aligned(s->mem, s->alignment));
    CHECK(malloc_usable_size(s->mem) == s->usable);
    CHECK(pattern_holds(s->mem, s->usable, s->usable, s->tag));
}

/* The slot gets mem, which was asked for with size bytes, or stays as it is if there
 * is none. */
static void enter(player_t *p, slot_t *s, void *mem, size_t size, size_t alignment)
{
    if (!mem) {
        CHECK(may_fail && errno == ENOMEM);
        return;
    }
    s->mem = mem;
    s->alignment = alignment < 16 ? 16 : alignment;
    s->usable = malloc_usable_size(mem);
    s->tag = next_random(&p->chance);
    CHECK(s->usable >= size);
    CHECK(is_aligned(mem, s->alignment));
    check_apart(p, s);
    pattern_fill(mem, s->usable, s->tag);
    p->live += s->usable;
}

/* ---- the calls --------------------------------------------------------------------- */

static void play_malloc(player_t *p, slot_t *s)
{
    size_t size = pick_size(p);
    enter(p, s, malloc(size), size, 16);
}

static bool is_zero(const unsigned char *mem, size_t n)
{
    for (size_t i = 0; i < n; i += pattern_step(i, n))
        if (mem[i] != 0)
            return false;
    return true;
}

static void play_calloc(player_t *p, slot_t *s)
{
    size_t size = pick_size(p), count = 1 + random_below(&p->chance, 9);
    unsigned char *mem = calloc(count, size / count);
    CHECK(!mem || is_zero(mem, size / count * count));
    enter(p, s, mem, size / count * count, 16);
}

static void play_aligned(player_t *p, slot_t *s)
{
    size_t size = pick_size(p), alignment = pick_alignment(&p->chance);
    void *mem = NULL;
    switch (random_below(&p->chance, 5)) {
    case 0:
        mem = memalign(alignment, size);
        break;
    case 1:
        mem = aligned_alloc(alignment, size);
        break;
    case 2:
        mem = valloc(size), alignment = 4096;
        break;
    case 3:
        mem = pvalloc(size), alignment = 4096;
        break;
    default: {
        int error = posix_memalign(&mem, alignment, size);
        CHECK(error == 0 || error == ENOMEM);
        errno = error;
    }
    }
    enter(p, s, mem, size, alignment);
}

static void play_resize(player_t *p, slot_t *s)
{
    size_t size =
        1 + (random_below(&p->chance, 3) ? pick_size(p)
                                         : s->usable + random_below(&p->chance, 600));
    slot_t old = *s;
    void *mem = random_below(&p->chance, 8) ? realloc(s->mem, size)
                                            : reallocarray(s->mem, size, 1);
    if (mem) {
        size_t kept = old.usable < size ? old.usable : size;
        CHECK(pattern_holds(mem, kept, old.usable, old.tag));
        p->live -= old.usable;
        s->mem = NULL;
    }
    enter(p, s, mem, size, 16);
    if (!mem)
        check_slot(&old);
}

static void play_free(player_t *p, slot_t *s)
{
    p->live -= s->usable;
    errno = (int)(s->tag & 0xff);
    free(s->mem);
    CHECK(errno == (int)(s->tag & 0xff));
    s->mem = NULL;
}

/* Put the chunk into a mailbox and take what another thread has left there. */
static void play_exchange(player_t *p, slot_t *s)
{
    slot_t *mine = malloc(sizeof *mine);
    if (!mine)
        return;
    *mine = *s;
    p->live -= s->usable;
    s->mem = NULL;
    slot_t *theirs =
        atomic_exchange(&mailboxes[random_below(&p->chance, MAILBOXES)], mine);
    if (!theirs)
        return;
    *s = *theirs;
    p->live += s->usable;
    free(theirs);
    check_slot(s);
    check_apart(p, s);
}

/* ---- the walk ---------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const slot_t *x = *(slot_t *const *)a, *y = *(slot_t *const *)b;
    return (x->mem > y->mem) - (x->mem < y->mem);
}

typedef struct census {
    slot_t *slots[SLOTS];
    size_t live, found;
} census_t;

/* A chunk that the model holds is in use and of its usable size; no other is its. */
static int count_chunk(const cmalloc_item *item, void *arg)
{
    census_t *census = arg;
    slot_t key = {.mem = item->mem}, *wanted = &key;
    if (item->kind == CMALLOC_ARENA || item->kind == CMALLOC_HEAP)
        return 0;
    slot_t **hit =
        bsearch(&wanted, census->slots, census->live, sizeof wanted, by_address);
    if (!hit)
        return 0;
    size_t overhead = sizeof(size_t);
    overhead *= item->kind == CMALLOC_MMAPPED || CM_SECURE ? 2 : 1;
    CHECK(item->kind == CMALLOC_INUSE || item->kind == CMALLOC_MMAPPED);
    CHECK(item->size == (*hit)->usable + overhead);
    census->found++;
    return 0;
}

static void compare_walk_with_model(player_t *p)
{
    if (!cmalloc_walk)
        return;
    static census_t census;
    census.live = census.found = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (p->slots[i].mem)
            census.slots[census.live++] = &p->slots[i];
    qsort(census.slots, census.live, sizeof *census.slots, by_address);
    CHECK(cmalloc_walk(count_chunk, &census) == 0);
    CHECK(census.found == census.live);
}

/* ---- games ------------------------------------------------------------------------- */

static void play_once(player_t *p)
{
    slot_t *s = &p->slots[random_below(&p->chance, SLOTS)];
    if (!s->mem) {
        switch (random_below(&p->chance, 8)) {
        case 0:
            play_aligned(p, s);
            break;
        case 1:
        case 2:
            play_calloc(p, s);
            break;
        default:
            play_malloc(p, s);
        }
        return;
    }
    check_slot(s);
    if (random_below(&p->chance, 100) < p->free_per_cent)
        play_free(p, s);
    else if (!p->alone && random_below(&p->chance, 2))
        play_exchange(p, s);
    else if (random_below(&p->chance, 2))
        play_resize(p, s);
}

static void begin_phase(player_t *p)
{
    static const unsigned shares[] = {20, 50, 50, 90};
    p->free_per_cent = shares[random_below(&p->chance, 4)];
    p->flavour = (unsigned)random_below(&p->chance, FLAVOURS);
    if (random_below(&p->chance, 4) == 0)
        malloc_trim(random_below(&p->chance, MIB));
    if (p->alone || random_below(&p->chance, 4) == 0)
        check_heaps();
    if (p->alone)
        compare_walk_with_model(p);
}

static void *play(void *player)
{
    player_t *p = player;
    for (size_t i = 0; i < p->ops; i++) {
        if (i % PHASE == 0)
            begin_phase(p);
        play_once(p);
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (p->slots[i].mem) {
            check_slot(&p->slots[i]);
            play_free(p, &p->slots[i]);
        }
    CHECK(p->live == 0);
    return NULL;
}

static player_t players[THREADS];

static player_t *new_player(size_t i, size_t ops, bool alone)
{
    memset(&players[i], 0, sizeof players[i]);
    players[i].chance = support_seed * 1000003 + i + (alone ? 0 : 100);
    players[i].ops = ops;
    players[i].alone = alone;
    return &players[i];
}

static void one_thread_in_the_main_arena(void **state)
{
    (void)state;
    play(new_player(0, length_of_run(100000, 3000000), true));
    check_heaps();
}

static void one_thread_in_an_arena_of_its_own(void **state)
{
    (void)state;
    join_thread(start_thread(play, new_player(1, length_of_run(100000, 3000000), true)));
    check_heaps();
}

static void several_threads_that_hand_chunks_over(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        size_t ops = length_of_run(50000, 2000000);
        threads[i] = start_thread(play, new_player(i, ops, false));
    }
    for (size_t i = 0; i < THREADS; i++)
        join_thread(threads[i]);
    for (size_t i = 0; i < MAILBOXES; i++) {
        slot_t *left = atomic_exchange(&mailboxes[i], NULL);
        if (left) {
            check_slot(left);
            free(left->mem);
            free(left);
        }
    }
    check_heaps();
}

static int announce(void **state)
{
    (void)state;
    const char *options = getenv("CMALLOC_OPTIONS");
    may_fail = options && strstr(options, "os_fail");
    announce_seed();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_in_the_main_arena),
        cmocka_unit_test(one_thread_in_an_arena_of_its_own),
        cmocka_unit_test(several_threads_that_hand_chunks_over),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
