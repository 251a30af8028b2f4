/* test_thread.c - from a thread's first call to behind its last, and below a signal. */
#include "inside.h"

#include "front/front.h"

static void starts_empty(void)
{
    CHECK(thread_self == &thread_none);
    void *mem = malloc(100);
    CHECK(mem != NULL && thread_self != &thread_none && !thread_gone);
    CHECK(thread_self->arena != NULL && arena_threads(thread_self->arena) > 0);
    CHECK(thread_get() == thread_self && thread_attach() != NULL);
    free(mem);
}

static void a_thread_is_attached_by_its_first_call(void **state)
{
    (void)state;
    in_new_thread(starts_empty);
}

static void nothing_can_be_had_from_the_constant_struct(void **state)
{
    (void)state;
    assert_true(is_all(&thread_none, 0, sizeof thread_none));
}

static unsigned threads_of_all(void)
{
    unsigned n = 0;
    for (unsigned i = 0; i < arena_count(); i++)
        n += arena_threads(arena_at(i));
    return n;
}

static unsigned structs(void)
{
    unsigned n = 0;
    for (const thread_t *t = thread_first(); t != NULL; t = thread_after(t), n++)
        for (const thread_t *u = thread_after(t); u != NULL; u = thread_after(u))
            CHECK(u != t);
    return n;
}

static void *attached_struct(void *unused)
{
    (void)unused;
    free(malloc(100));
    return thread_self;
}

static void structs_are_used_again(void **state)
{
    (void)state;
    void *first = join_thread(start_thread(attached_struct, NULL));
    unsigned threads = threads_of_all(), all = structs();
    for (int i = 0; i < 50; i++)
        assert_ptr_equal(join_thread(start_thread(attached_struct, NULL)), first);
    assert_int_equal(threads_of_all(), threads);
    assert_int_equal(structs(), all);
}

/* ---- exit -------------------------------------------------------------------------- */

static arena_t *left;

static void *leave_everything(void *unused)
{
    (void)unused;
    static void *mem[3000];
    for (size_t i = 0; i < 3000; i++)
        CHECK((mem[i] = malloc(1 + i * 13 % 3000)) != NULL);
    for (size_t i = 0; i < 3000; i++)
        free(mem[i]);
    left = thread_self->arena;
    return NULL;
}

static size_t inuse_after_merge(arena_t *a)
{
    size_t sum = 0;
    CHECK(arena_lock(a));
    arena_drain_locked(a);
    arena_merge_locked(a);
    for (const heap_info *h = a->newest; h != NULL; h = h->older)
        for (const chunk_t *c = chunk_at(h, h->first - (uintptr_t)h);
             c != a->top && !chunk_is_fencepost(c); c = chunk_next(c))
            sum += chunk_is_free(c) ? 0 : chunk_size(c);
    arena_unlock(a);
    return sum;
}

static void exits(void)
{
    join_thread(start_thread(leave_everything, NULL));
    size_t before = inuse_after_merge(left);
    arena_t *first = left;
    for (int i = 0; i < 5; i++) {
        join_thread(start_thread(leave_everything, NULL));
        CHECK(left == first && inuse_after_merge(left) == before);
    }
    CHECK(left == &main_arena || before == 0);
    check_heaps();
}

static void a_thread_that_exits_returns_everything(void **state)
{
    (void)state;
    assert_ends_well(exits);
}

static pthread_key_t key;
static bool seen_gone;

/* Destructors run in the order of keys: the library's was made before main. */
static void after_the_last(void *mem)
{
    seen_gone = thread_gone && thread_self == &thread_none;
    free(mem);
    char *late = malloc(500), *later = calloc(10, 50), *large = malloc(HEAP_MAX_SIZE * 2);
    CHECK(late != NULL && later != NULL && large != NULL && is_all(later, 0, 500));
    late = realloc(late, 5000);
    CHECK(late != NULL && !cache_give(thread_get(), chunk_of(later)));
    free(late), free(later), free(large);
    CHECK(thread_self == &thread_none);
}

static void *hand_to_destructor(void *unused)
{
    (void)unused;
    CHECK(pthread_setspecific(key, malloc(100)) == 0);
    return NULL;
}

static void behind_its_exit_a_thread_can_allocate_still(void **state)
{
    (void)state;
    assert_int_equal(pthread_key_create(&key, after_the_last), 0);
    join_thread(start_thread(hand_to_destructor, NULL));
    assert_true(seen_gone);
    pthread_key_delete(key);
    assert_true(check_all() > 0);
}

/* ---- below a signal handler -------------------------------------------------------- */

static void entered_once(void **state)
{
    (void)state;
    assert_true(thread_enter());
    assert_false(thread_enter());
    thread_leave();
    assert_true(thread_enter());
    thread_leave();
}

static void interrupted(void)
{
    enum { UNCACHED = CLASS_MAX + 100 };
    void *heap_chunk = malloc(UNCACHED), *none = malloc(8);
    cm_options.mmap_threshold = MMAP_THRESHOLD_MAX;
    heap_chunk = realloc(heap_chunk, UNCACHED + 5000);
    arena_t *a = thread_self->arena;
    CHECK(arena_lock(a)); /* as at the worst moment: who waits for it waits for ever */
    CHECK(thread_enter());
    char *fresh = malloc(3333), *zero = calloc(1, 4444), *wide = memalign(4096, 100);
    CHECK(fresh != NULL && is_mmapped(fresh));
    CHECK(zero != NULL && is_mmapped(zero) && is_all(zero, 0, 4444));
    CHECK(wide != NULL && is_mmapped(wide) && is_aligned(wide, 4096));
    CHECK(large_info_of(chunk_of(fresh))->arena == NULL);
    free(heap_chunk); /* posted */
    CHECK(is_mmapped(heap_chunk) || atomic_load(&a->inbox.first) == heap_chunk);
    free(wide);
    thread_leave();
    arena_unlock(a);
    free(fresh), free(zero), free(none);
    check_heaps();
    CHECK(atomic_load(&a->inbox.first) == NULL);
}

static void a_handler_that_interrupts_the_core_never_waits(void **state)
{
    (void)state;
    assert_ends_well(interrupted);
}

/* ---- forks ------------------------------------------------------------------------- */

static arena_t *parents;

static void goes_on_elsewhere(void)
{
    CHECK(thread_self->arena == parents);
    for (int i = 0; i < 1000; i++) {
        void *mem = malloc((size_t)i * 7 + 1);
        CHECK(mem != NULL);
        if (i % 2)
            free(mem);
    }
    void *mem = malloc(CLASS_MAX + 100);
    CHECK(mem != NULL && thread_self->arena != parents);
    free(mem);
    CHECK(cmalloc_check() > 0);
}

static void a_child_whose_arena_is_orphaned_takes_another(void **state)
{
    (void)state;
    parents = thread_get()->arena;
    assert_true(arena_lock(parents));
    int status = status_in_child(goes_on_elsewhere);
    arena_unlock(parents);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_is_attached_by_its_first_call),
        cmocka_unit_test(nothing_can_be_had_from_the_constant_struct),
        cmocka_unit_test(structs_are_used_again),
        cmocka_unit_test(a_thread_that_exits_returns_everything),
        cmocka_unit_test(behind_its_exit_a_thread_can_allocate_still),
        cmocka_unit_test(entered_once),
        cmocka_unit_test(a_handler_that_interrupts_the_core_never_waits),
        cmocka_unit_test(a_child_whose_arena_is_orphaned_takes_another),
    };
    require_library();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
