/* test_walk.c - the walker visits everything once, in order, and stops when told to. */
#include "inside.h"

enum { MOST = 4000 };

typedef struct trail {
    cmalloc_item items[MOST];
    size_t count, stop_at;
} trail_t;

static trail_t trail;

static int note(const cmalloc_item *item, void *arg)
{
    trail_t *t = arg;
    if (t->count < MOST)
        t->items[t->count] = *item;
    t->count++;
    return t->count == t->stop_at ? 99 : 0;
}

static void walk_own(void)
{
    memset(&trail, 0, sizeof trail);
    assert_int_equal(walk_arena_locked(&own, note, &trail), 0);
    assert_true(trail.count <= MOST);
}

static const cmalloc_item *item_of(const chunk_t *c)
{
    for (size_t i = 0; i < trail.count; i++)
        if (trail.items[i].address == c && trail.items[i].kind != CMALLOC_HEAP)
            return &trail.items[i];
    fail_msg("chunk not visited");
    return NULL;
}

static void an_empty_arena_is_an_arena_a_heap_and_top(void **state)
{
    walk_own();
    assert_int_equal(trail.count, 3);
    const cmalloc_item *a = &trail.items[0], *h = &trail.items[1], *top = &trail.items[2];
    assert_int_equal(a->kind, CMALLOC_ARENA);
    assert_ptr_equal(a->address, *state);
    assert_int_equal(a->arena, OWN_INDEX);
    assert_int_equal(a->size, sizeof(arena_t));
    assert_int_equal(h->kind, CMALLOC_HEAP);
    assert_ptr_equal(h->address, own.newest);
    assert_int_equal(h->size, own.newest->committed);
    assert_int_equal(h->reserved, own.newest->reserved);
    assert_int_equal(top->kind, CMALLOC_TOP);
    assert_ptr_equal(top->address, own.top);
    assert_int_equal(top->size, top_size(&own));
}

static void each_chunk_is_told_by_what_it_is(void **state)
{
    mchunkptr used = take(*state, 64), hole = given_free(*state, 2048);
    magazine_t m = arena_take_run_locked(*state, 48, CHUNK_ALIGN, 1);
    depot_park(&own.depot, class_of(48), m);
    walk_own();
    assert_int_equal(item_of(used)->kind, CMALLOC_INUSE);
    assert_int_equal(item_of(used)->size, 64);
    assert_ptr_equal(item_of(used)->mem, chunk_mem(used));
    assert_ptr_equal(item_of(used)->heap, own.newest);
    assert_int_equal(item_of(used)->flags, CMALLOC_FLAG_A | CMALLOC_FLAG_P);
    assert_int_equal(item_of(chunk_of(m.first))->kind, CMALLOC_CACHED);
    hole = chunk_of(m.first) == hole ? chunk_next(hole) : hole; /* split for it */
    assert_int_equal(item_of(hole)->kind, CMALLOC_FREE);
    assert_int_equal(item_of(hole)->prev_size, 0);
    const cmalloc_item *behind = item_of(chunk_next(hole));
    assert_int_equal(behind->kind, CMALLOC_INUSE);
    assert_int_equal(behind->flags, CMALLOC_FLAG_A);
    assert_int_equal(behind->prev_size, chunk_size(hole));
}

/* From first to fence or top, end to end. */
static size_t assert_heap(size_t i)
{
    const heap_info *h = trail.items[i].address;
    assert_int_equal(trail.items[i++].kind, CMALLOC_HEAP);
    const char *at = (const char *)h->first;
    for (;; i++) {
        const cmalloc_item *c = &trail.items[i];
        assert_ptr_equal(c->address, at);
        assert_ptr_equal(c->heap, h);
        at += c->size;
        if (c->kind == CMALLOC_TOP || c->kind == CMALLOC_FENCEPOST)
            break;
    }
    assert_ptr_equal(at, heap_end(h));
    assert_int_equal(trail.items[i].kind,
                     h == own.newest ? CMALLOC_TOP : CMALLOC_FENCEPOST);
    return i + 1;
}

static void heaps_come_by_address_and_their_chunks_end_to_end(void **state)
{
    uint64_t chance = support_seed;
    size_t size = HEAP_MAX_SIZE / 16;
    for (int i = 0; i < 70; i++) {
        mchunkptr c = take(*state, size);
        mchunkptr small = take(*state, chunk_size_for(random_below(&chance, 5000)));
        if (random_below(&chance, 3) == 0)
            arena_give_locked(*state, c);
        if (random_below(&chance, 3) == 0)
            arena_give_locked(*state, small);
    }
    walk_own();
    const void *before = NULL;
    unsigned heaps = 0;
    for (size_t i = 1; i < trail.count; heaps++) {
        assert_true(trail.items[i].address > before);
        before = trail.items[i].address;
        i = assert_heap(i);
    }
    unsigned owned = 0;
    for (const heap_info *h = own.newest; h != NULL; h = h->older)
        owned++;
    assert_int_equal(heaps, owned);
    assert_true(heaps > 1);
}

static void the_inbox_is_sorted_before_the_walk(void **state)
{
    mchunkptr c = take(*state, 64);
    inbox_post_one(&own.inbox, chunk_mem(c));
    walk_own();
    assert_int_equal(item_of(c)->kind, CMALLOC_CACHED);
    assert_int_equal(own.depot.bytes, 64);
}

static void a_visitor_ends_the_walk(void **state)
{
    take(*state, 64), take(*state, 64);
    for (size_t stop = 1; stop <= 5; stop++) {
        memset(&trail, 0, sizeof trail);
        trail.stop_at = stop;
        assert_int_equal(walk_arena_locked(*state, note, &trail), 99);
        assert_int_equal(trail.count, stop);
    }
}

/* ---- the whole process ------------------------------------------------------------- */

typedef struct sums {
    size_t arenas, chunks, mapped;
    bool mapped_first; /* a heap's chunk came behind a mapped one */
    const void *wanted;
    cmalloc_kind found;
} sums_t;

static int add(const cmalloc_item *item, void *arg)
{
    sums_t *s = arg;
    if (item->mem != NULL && item->mem == s->wanted)
        s->found = item->kind;
    s->arenas += item->kind == CMALLOC_ARENA;
    s->chunks += item->kind == CMALLOC_INUSE;
    s->mapped_first |= s->mapped > 0 && item->kind != CMALLOC_MMAPPED;
    s->mapped += item->kind == CMALLOC_MMAPPED;
    return 0;
}

static void all_arenas_come_and_mapped_chunks_last(void **state)
{
    (void)state;
    void *small = malloc(77), *large = malloc(2 * HEAP_MAX_SIZE);
    sums_t s = {.wanted = small};
    assert_int_equal(cmalloc_walk(add, &s), 0);
    assert_int_equal(s.arenas, arena_count());
    assert_true(s.chunks > 0 && s.mapped > 0 && !s.mapped_first);
    assert_int_equal(s.found, CMALLOC_INUSE);
    s = (sums_t){.wanted = large};
    assert_int_equal(cmalloc_walk(add, &s), 0);
    assert_int_equal(s.found, CMALLOC_MMAPPED);
    free(small), free(large);
    s = (sums_t){.wanted = small};
    assert_int_equal(cmalloc_walk(add, &s), 0);
    assert_int_equal(s.found, CMALLOC_CACHED);
}

static int seven(const cmalloc_item *item, void *arg)
{
    ++*(size_t *)arg;
    return item->kind == CMALLOC_HEAP ? 7 : 0;
}

static void what_the_visitor_returns_is_returned(void **state)
{
    size_t calls = 0;
    (void)state;
    assert_int_equal(cmalloc_walk(seven, &calls), 7);
    assert_int_equal(calls, 2);
}

/* ---- damage ------------------------------------------------------------------------ */

static void do_walk(void *unused)
{
    (void)unused;
    walk_arena_locked(&own, note, &trail);
}

static void a_size_that_leads_elsewhere_is_fatal(void **state)
{
    static const size_t forged[] = {0, 8, HEAP_MAX_SIZE, ~(size_t)7};
    mchunkptr c = take(*state, 64);
    size_t word = chunk_word(c);
    memset(&trail, 0, sizeof trail);
    for (size_t i = 0; i < 4; i++) {
        chunk_set_word(c, forged[i] | CHUNK_A | CHUNK_P);
        assert_dies(do_walk, NULL, "invalid size", chunk_mem(c));
    }
    /* To the end of the heap, as only top may. */
    chunk_set_word(c, (size_t)(heap_end(own.newest) - (char *)c) | CHUNK_A | CHUNK_P);
    assert_dies(do_walk, NULL, "invalid size", chunk_mem(c));
    chunk_set_word(c, word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        arena_test(an_empty_arena_is_an_arena_a_heap_and_top),
        arena_test(each_chunk_is_told_by_what_it_is),
        arena_test(heaps_come_by_address_and_their_chunks_end_to_end),
        arena_test(the_inbox_is_sorted_before_the_walk),
        arena_test(a_visitor_ends_the_walk),
        cmocka_unit_test(all_arenas_come_and_mapped_chunks_last),
        cmocka_unit_test(what_the_visitor_returns_is_returned),
        arena_test(a_size_that_leads_elsewhere_is_fatal),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
