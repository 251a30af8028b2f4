/* test_cache.c - magazines grow with demand, spill, are flushed, and send chunks home. */
#include "inside.h"

#include "front/front.h"
#include "front/sample.h"

enum { SIZE = 208, N = SIZE - 8 }; /* a class of its own, and the request for it */

static cache_bin_t *bin(void) { return &thread_self->bins[class_of(SIZE)]; }

static size_t charge_of_caps(void)
{
    size_t bytes = 0;
    for (unsigned k = 0; k < CLASS_COUNT; k++)
        bytes += 2 * (size_t)thread_self->bins[k].cap * class_size(k);
    return bytes;
}

static unsigned bin_length(void)
{
    unsigned n = 0;
    CHECK(thread_self->charge == charge_of_caps());
    for (void *mem = link_show(bin()->head); mem != NULL; mem = link_next(mem)) {
        CHECK(link_marked(mem));
        n++;
    }
    CHECK(n + bin()->room == bin()->cap); /* the invariant */
    return n;
}

/* Each scenario has a thread, in a child: its caches begin empty. */
static void (*inner)(void);

static void in_thread(void)
{
    cmalloc_thread_flush();
    in_new_thread(inner);
    check_heaps();
}

static void alone(void (*scenario)(void))
{
    inner = scenario;
    assert_ends_well(in_thread);
}

static void caps_grow(void)
{
    void *mem[600];
    uint32_t before = 0;
    for (int i = 0; i < 600; i++) {
        CHECK((mem[i] = malloc(N)) != NULL);
        bin_length();
        CHECK(bin()->cap >= before && bin()->cap <= 2 * class_magazine(SIZE));
        CHECK(i > 0 || bin()->cap <= 1); /* who asks once gets one */
        before = bin()->cap;
    }
    CHECK(before >= class_magazine(SIZE));
    for (int i = 0; i < 600; i++)
        free(mem[i]);
    bin_length();
}

/* Visits to the arena with other classes than SIZE's. */
static void visit_with_others(unsigned visits)
{
    thread_t *t = thread_get();
    for (unsigned i = 0; i < visits; i++)
        cache_look_round(t);
}

static void demand(unsigned changes)
{
    thread_t *t = thread_get();
    size_t seen = t->misses;
    CHECK(t->arena != NULL);
    while (t->misses - seen < changes)
        CHECK(malloc(N) != NULL);
}

static void longer_when_busy(void)
{
    thread_t *t = thread_get();
    size_t others = cache_charged - t->charge;
    unsigned full = class_magazine(SIZE);
    demand(2 * CACHE_BUSY);
    CHECK(bin()->cap == 2 * full);
    CHECK(cache_charged - others == t->charge);
    bin_length();
    visit_with_others(CLASS_COUNT); /* the hand finds it busy */
    CHECK(bin()->cap == 2 * full);
    while (bin_length() > full)
        CHECK(malloc(N) != NULL);
    visit_with_others(CLASS_COUNT); /* and now it is not */
    CHECK(bin()->cap == full);
    CHECK(cache_charged - others == t->charge);
    bin_length();
}

static void a_class_in_demand_before_others_has_longer_ones(void **state)
{
    (void)state;
    alone(longer_when_busy);
}

static void take_from_a_busy_thread(void)
{
    thread_t *t = thread_get();
    unsigned full = class_magazine(SIZE), k = class_of(SIZE);
    unsigned more = 2 * full - 1; /* twice as many would be cut */
    magazine_t longer = arena_take_run_locked(t->arena, SIZE, CHUNK_ALIGN, more);
    CHECK(longer.count == more);
    while (bin()->cap < full)
        demand(1);
    while (bin_length() + t->spare[k].count > 0)
        CHECK(malloc(N) != NULL);
    depot_park(&t->arena->depot, k, longer);
    CHECK(malloc(N) == longer.first && bin()->cap == more);
    bin_length();
}

static void another_threads_longer_one_is_charged(void **state)
{
    (void)state;
    alone(take_from_a_busy_thread);
}

static void never_longer(void)
{
    for (unsigned i = 0; i < 4 * CACHE_BUSY; i++) {
        demand(1);
        visit_with_others(CLASS_COUNT / CACHE_BUSY + 1);
        CHECK(bin()->cap <= class_magazine(SIZE));
    }
}

static void one_among_others_has_not(void **state)
{
    (void)state;
    alone(never_longer);
}

static void magazines_grow_with_demand(void **state)
{
    (void)state;
    alone(caps_grow);
}

static void last_in_first_out(void)
{
    void *a = malloc(N), *b = malloc(N);
    while (chunk_size(chunk_of(a)) != SIZE)
        a = malloc(N);
    while (chunk_size(chunk_of(b)) != SIZE)
        b = malloc(N);
    free(a), free(b);
    CHECK(link_marked(a) && link_marked(b));
    CHECK(malloc(N) == b && !link_marked(b));
    CHECK(bin()->room == bin()->cap || malloc(N) == a);
}

static void what_was_freed_last_is_handed_out_first(void **state)
{
    (void)state;
    alone(last_in_first_out);
}

static void spill_over(void)
{
    enum { COUNT = 500 };
    thread_t *t = thread_get();
    void *mem[COUNT];
    unsigned k = class_of(SIZE), exact = 0;
    for (int i = 0; i < COUNT; i++) {
        mem[i] = malloc(N);
        exact += chunk_size(chunk_of(mem[i])) == SIZE;
    }
    unsigned ready = bin_length() + t->spare[k].count;
    size_t parked = t->arena->depot.bytes;
    for (int i = 0; i < COUNT; i++)
        free(mem[i]);
    CHECK(t->spare[k].count > 0 && bin_length() > 0);
    CHECK(t->arena->depot.bytes >= parked);
    size_t here = bin_length() + t->spare[k].count;
    CHECK(here <= 2 * bin()->cap);
    /* The rest is in the depot: no chunk is lost. */
    for (magazine_t m; (m = depot_take(&t->arena->depot, k, ~0u)).count > 0;
         here += m.count)
        arena_give_list_locked(t->arena, m.first);
    CHECK(here == exact + ready);
}

static void a_full_magazine_spills_to_the_spare_and_the_depot(void **state)
{
    (void)state;
    alone(spill_over);
}

/* A class that nobody has asked the depot for since half an age is spilled in small
 * magazines, until it is asked for again. */
static void go_cold(void)
{
    enum { COUNT = 600 };
    static void *mem[COUNT];
    thread_t *t = thread_get();
    size_t others = cache_charged - t->charge;
    uint32_t full = class_magazine(SIZE);
    for (int round = 0; round < 3; round++) {
        bool cold = round == 1;
        for (int i = 0; i < COUNT; i++)
            CHECK((mem[i] = malloc(N)) != NULL);
        CHECK(bin()->cap >= full);
        for (int i = 0; cold && i < PURGE_TICKS / 2; i++)
            depot_tick(&t->arena->depot);
        for (int i = 0; i < COUNT; i++)
            free(mem[i]);
        bin_length();
        CHECK(cold && full > CACHE_COLD ? bin()->cap == CACHE_COLD : bin()->cap >= full);
    }
    cmalloc_thread_flush();
    CHECK(t->charge == 0 && cache_charged == others);
}

static void what_is_only_freed_is_spilled_in_small_magazines(void **state)
{
    (void)state;
    alone(go_cold);
}

/* Calls that go to the arena, until the hand has gone round the classes n times. */
static void go_round(unsigned n)
{
    enum { OTHER = 2 * SIZE, MOST = 20000 };
    static void *mem[MOST];
    unsigned rounds = 0, before = thread_self->hand;
    int i = 0;
    for (; rounds < n; i++) {
        CHECK(i < MOST && (mem[i] = malloc(OTHER)) != NULL);
        rounds += thread_self->hand < before;
        before = thread_self->hand;
    }
    while (i > 0)
        free(mem[--i]);
}

static void leave_a_class_alone(void)
{
    void *mem[200];
    for (int i = 0; i < 200; i++)
        CHECK((mem[i] = malloc(N)) != NULL);
    for (int i = 0; i < 200; i++)
        free(mem[i]);
    unsigned held = bin_length() + thread_self->spare[class_of(SIZE)].count;
    CHECK(held > 0);
    go_round(1);
    free(malloc(N)); /* goes out and comes back */
    CHECK(bin_length() > 0);
    go_round(2);
    CHECK(bin_length() == 0 && thread_self->spare[class_of(SIZE)].count == 0);
    CHECK(bin()->cap > 0); /* what it has grown to */
    for (int i = 0; i < 200; i++)
        CHECK((mem[i] = malloc(N)) != NULL);
    CHECK(bin()->room == bin()->cap || bin_length() > 0);
}

static void what_a_thread_does_not_use_goes_to_the_depot(void **state)
{
    (void)state;
    alone(leave_a_class_alone);
}

static void flush_all(void)
{
    thread_t *t = thread_get();
    static void *mem[2000];
    for (size_t i = 0; i < 2000; i++)
        mem[i] = malloc(1 + i * 37 % 9000);
    for (size_t i = 0; i < 2000; i++)
        free(mem[i]);
    CHECK(t->charge > 0);
    CHECK(thread_enter());
    cache_flush(t);
    thread_leave();
    CHECK(t->charge == 0);
    for (unsigned k = 0; k < CLASS_COUNT; k++) {
        CHECK(t->bins[k].cap == 0 && t->bins[k].room == 0);
        CHECK(link_show(t->bins[k].head) == NULL && t->spare[k].count == 0);
    }
    for (unsigned i = 0; i < OUTGOING; i++)
        CHECK(t->out[i].chunks.first == NULL);
    CHECK(malloc(N) != NULL);
}

static void flushing_empties_every_class(void **state)
{
    (void)state;
    alone(flush_all);
}

static void *given_exactly(void)
{
    void *mem = malloc(N);
    while (chunk_size(chunk_of(mem)) != SIZE)
        mem = malloc(N);
    return mem;
}

static void do_free(void *mem) { free(mem); }

/* What bears the mark is looked for in the lists, which may be damaged. */
static void a_list_that_leads_round_in_a_circle_is_found(void **state)
{
    (void)state;
    void *a, *b, *c = given_exactly();
    do { /* until no magazine changes in between */
        a = given_exactly(), b = given_exactly();
        free(a), free(b);
    } while (link_next(b) != a);
    unsigned length = bin_length();
    uintptr_t link = link_words(a)[0];
    link_words(a)[0] = link_hide(b);
    link_mark(c);
    assert_dies(do_free, c, "broken links", length % 2 == 0 ? b : a);
    link_words(a)[0] = link;
    link_unmark(c);
    free(c);
}

/* While samples are taken what is freed joins the spare, which may have come from a
 * thread with longer magazines. */
static void free_uncounted(void)
{
    thread_t *t = thread_get();
    unsigned k = class_of(SIZE);
    void *mem[8];
    magazine_t spare = {NULL, 0};
    for (int i = 0; i < 8; i++)
        mem[i] = given_exactly();
    for (; spare.count < MAGAZINE_LONGEST - 1; spare.count++) {
        void *next = given_exactly();
        link_set(next, spare.first);
        spare.first = next;
    }
    cmalloc_thread_flush();
    t->spare[k] = spare;
    t->window = t->span = 0;
    sample_table.rate = SIZE_MAX / 2;
    for (int i = 0; i < 8; i++)
        free(mem[i]);
    sample_table.rate = 0;
    unsigned found = t->spare[k].count;
    CHECK(found > 0 && found < 9);
    for (magazine_t m; (m = depot_take(&t->arena->depot, k, ~0u)).count > 0;) {
        CHECK(m.count <= MAGAZINE_LONGEST);
        found += m.count;
    }
    CHECK(found >= spare.count + 8);
}

static void no_magazine_gets_too_long_while_samples_are_taken(void **state)
{
    (void)state;
    alone(free_uncounted);
}

/* ---- chunks of another arena ------------------------------------------------------- */

static void *given_by_main[400];

static void foreign(void)
{
    thread_t *t = thread_get();
    unsigned k = class_of(SIZE);
    CHECK(t->arena != &main_arena);
    uint32_t cap = bin()->cap;
    CHECK(arena_threads(&main_arena) == 0); /* its threads have stayed behind the fork */
    size_t before = main_arena.depot.bytes;
    for (int i = 0; i < 400; i++)
        if (arena_of(chunk_of(given_by_main[i])) == &main_arena)
            free(given_by_main[i]);
    CHECK(bin()->cap == cap && !t->mixed[k]); /* no demand: all collected */
    const outgoing_t *o = &t->out[k % OUTGOING];
    CHECK(o->arena == &main_arena && o->k == k && o->chunks.count < class_magazine(SIZE));
    CHECK(atomic_load(&main_arena.inbox.first) == NULL); /* the rest was posted, */
    arena_lock(&main_arena);
    CHECK(main_arena.depot.bytes > before); /* and drained by who posted it */
    arena_unlock(&main_arena);
    front_flush();
    CHECK(o->chunks.first == NULL);
}

static void foreign_chunks_are_collected_and_sent_home(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++)
        given_by_main[i] = malloc(N);
    alone(foreign);
    for (int i = 0; i < 400; i++)
        free(given_by_main[i]);
}

static void mixed(void)
{
    thread_t *t = thread_get();
    unsigned k = class_of(SIZE);
    void *mem[400];
    for (int i = 0; i < 400; i++)
        mem[i] = malloc(N); /* demand */
    while (bin()->room <= bin()->cap / 2)
        CHECK(malloc(N) != NULL);
    void *stranger = NULL;
    for (int i = 0; i < 400 && stranger == NULL; i++)
        if (arena_of(chunk_of(given_by_main[i])) == &main_arena &&
            chunk_size(chunk_of(given_by_main[i])) == SIZE)
            stranger = given_by_main[i];
    free(stranger);
    if (MAGAZINE_MOST > 2)
        CHECK(t->mixed[k] && link_show(bin()->head) == stranger);
    front_flush(); /* it goes home, the others stay */
    CHECK(cmalloc_check() > 0);
    for (int i = 0; i < 400; i++)
        free(mem[i]);
}

static void a_class_in_demand_keeps_foreign_chunks(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++)
        given_by_main[i] = malloc(N);
    alone(mixed);
    for (int i = 0; i < 400; i++)
        free(given_by_main[i]);
}

/* ---- the hit's one comparison ------------------------------------------------------ */

static void misses(void)
{
    size_t words[8] = {0};
    void *volatile stack = &words[4]; /* out of the compiler's sight */
    char *mem = malloc(N), *large = malloc(2 * HEAP_MAX_SIZE);
    free(malloc(N));
    static volatile uintptr_t nothing;
    CHECK(!cache_free((void *)nothing) && !cache_free(stack) && !cache_free(large));
    for (size_t off = 1; off < CHUNK_ALIGN; off++)
        CHECK(!cache_free(mem + off));
    free(mem), free(large);
    CHECK(cache_malloc(CACHE_HIT_MAX + 1) == NULL);
}

static void what_is_no_hit_changes_nothing(void **state)
{
    (void)state;
    alone(misses);
}

static void copied_mark(void)
{
    for (int i = 0; i < 100; i++) {
        uintptr_t *mem = malloc(N), *other = malloc(N);
        mem[1] = link_secret.key; /* as a copy of freed memory would */
        other[1] = link_secret.key;
        free(mem), free(other);
    }
}

static void an_application_may_have_copied_the_mark(void **state)
{
    (void)state;
    alone(copied_mark);
}

static void free_twice(void *mem)
{
    free(mem);
    free(mem);
}

static void a_second_free_is_found_in_the_cache(void **state)
{
    (void)state;
    void *mem = malloc(N);
    assert_dies(free_twice, mem, "double free", mem);
    free(mem);
}

/* As a signal handler finds a bin between any two instructions of a hit: it may have a
 * chunk more than it counts, and none when the handler has taken that. */
static void spill_in_the_middle_of_a_hit(void)
{
    void *mem = malloc(N), *more[2 * MAGAZINE_LONGEST];
    cmalloc_thread_flush();
    free(mem);
    bin()->room++; /* cache_pop has come so far */
    CHECK(malloc(N) == mem && bin()->head == link_secret.mask);
    CHECK(bin()->room == bin()->cap + 1);
    cmalloc_thread_flush();
    check_heaps();
    for (unsigned i = 0; i < 2 * MAGAZINE_LONGEST; i++)
        more[i] = malloc(N);
    free(mem);
    bin()->room++; /* and so has cache_push */
    for (unsigned i = 0; i < 2 * MAGAZINE_LONGEST; i++)
        free(more[i]);
    cmalloc_thread_flush();
    cmalloc_purge();
    check_heaps();
}

static void a_bin_is_spilled_in_the_middle_of_a_hit(void **state)
{
    (void)state;
    alone(spill_in_the_middle_of_a_hit);
}

static void forge(void *mem)
{
    free(mem);
    *(uintptr_t *)mem = link_hide(mem) ^ 8; /* after it has been freed */
    for (int i = 0; i < 2; i++)
        CHECK(malloc(CACHE_HIT_MAX) != NULL);
}

static void a_forged_link_is_not_handed_out(void **state)
{
    (void)state;
    char *mem = malloc(CACHE_HIT_MAX);
    while (chunk_size(chunk_of(mem)) != CLASS_EXACT_MAX)
        mem = malloc(CACHE_HIT_MAX);
    assert_dies(forge, mem, "broken links", mem + 8);
    free(mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bin_is_spilled_in_the_middle_of_a_hit),
        cmocka_unit_test(magazines_grow_with_demand),
        cmocka_unit_test(a_class_in_demand_before_others_has_longer_ones),
        cmocka_unit_test(another_threads_longer_one_is_charged),
        cmocka_unit_test(one_among_others_has_not),
        cmocka_unit_test(a_list_that_leads_round_in_a_circle_is_found),
        cmocka_unit_test(no_magazine_gets_too_long_while_samples_are_taken),
        cmocka_unit_test(what_was_freed_last_is_handed_out_first),
        cmocka_unit_test(a_full_magazine_spills_to_the_spare_and_the_depot),
        cmocka_unit_test(what_is_only_freed_is_spilled_in_small_magazines),
        cmocka_unit_test(what_a_thread_does_not_use_goes_to_the_depot),
        cmocka_unit_test(flushing_empties_every_class),
        cmocka_unit_test(foreign_chunks_are_collected_and_sent_home),
        cmocka_unit_test(a_class_in_demand_keeps_foreign_chunks),
        cmocka_unit_test(what_is_no_hit_changes_nothing),
        cmocka_unit_test(an_application_may_have_copied_the_mark),
        cmocka_unit_test(a_second_free_is_found_in_the_cache),
        cmocka_unit_test(a_forged_link_is_not_handed_out),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
