/* test_remote.c - an inbox gives each chunk that was posted to it once. */
#include "inside.h"

#include <sched.h>

enum { POSTERS = 4, POSTED = 20000, LIST_MOST = 7 };

typedef struct parcel {
    _Alignas(16) uintptr_t words[6]; /* three for links, then who and which */
} parcel_t;

static inbox_t inbox;
static parcel_t parcels[POSTERS][POSTED];

static void an_empty_inbox_gives_nothing(void **state)
{
    (void)state;
    assert_null(inbox_take(&inbox));
    assert_null(inbox_take(&inbox));
}

static void what_was_posted_is_taken_at_once_magazines_as_they_were(void **state)
{
    (void)state;
    parcel_t *p = parcels[0];
    link_set(&p[0], &p[1]);
    link_set(&p[1], NULL);
    inbox_post(&inbox, (magazine_t){&p[0], 2});
    inbox_post_one(&inbox, &p[2]);
    void *next = inbox_take(&inbox);
    magazine_t m = magazine_get(next, &next);
    assert_ptr_equal(m.first, &p[2]); /* the last one posted lies on top */
    assert_int_equal(m.count, 1);
    assert_ptr_equal(next, &p[0]);
    m = magazine_get(next, &next);
    assert_int_equal(m.count, 2);
    assert_ptr_equal(link_next(m.first), &p[1]);
    assert_null(link_next(&p[1]));
    assert_null(next);
    assert_null(inbox_take(&inbox));
}

static void what_waits_bears_the_mark(void **state)
{
    (void)state;
    parcel_t *p = parcels[0];
    memset(p, 0, sizeof *p);
    assert_false(link_marked(p));
    inbox_post_one(&inbox, p);
    assert_true(link_marked(inbox_take(&inbox)));
    link_unmark(p);
    assert_false(link_marked(p));
}

static void show(void *hidden) { link_show(*(uintptr_t *)hidden); }

static void a_forged_link_is_not_followed(void **state)
{
    (void)state;
    parcel_t *p = parcels[0];
    link_set(&p[0], &p[1]);
    assert_ptr_not_equal(p[0].words[0], &p[1]); /* it is hidden */
    for (uintptr_t low = 1; low < 16; low++) {
        uintptr_t forged = link_hide(&p[1]) ^ low;
        assert_dies(show, &forged, "broken links", (char *)&p[1] + low);
    }
    uintptr_t zeroed = 0;
    words_t w = words_of(show, &zeroed);
    assert_non_null(strstr(w.text, "broken links"));
}

/* ---- threads ----------------------------------------------------------------------- */

static _Atomic unsigned posting;

static void *post_all(void *arg)
{
    parcel_t *mine = arg;
    uintptr_t who = (uintptr_t)(mine - parcels[0]) / POSTED;
    uint64_t chance = support_seed + who;
    for (size_t i = 0; i < POSTED;) {
        size_t n = 1 + random_below(&chance, LIST_MOST);
        n = n < POSTED - i ? n : POSTED - i;
        for (size_t j = i; j < i + n; j++) {
            mine[j].words[3] = who;
            mine[j].words[4] = j;
            link_set(&mine[j], j + 1 < i + n ? &mine[j + 1] : NULL);
        }
        inbox_post(&inbox, (magazine_t){&mine[i], (unsigned)n});
        i += n;
    }
    atomic_fetch_sub(&posting, 1);
    return NULL;
}

static size_t take_all(unsigned char seen[POSTERS][POSTED])
{
    size_t n = 0;
    void *next = inbox_take(&inbox);
    while (next != NULL) {
        magazine_t m = magazine_get(next, &next);
        for (unsigned i = 0; i < m.count; i++, m.first = link_next(m.first)) {
            const parcel_t *p = m.first;
            CHECK(p->words[3] < POSTERS && p->words[4] < POSTED); /* contents, too */
            CHECK(p == &parcels[p->words[3]][p->words[4]]);
            seen[p->words[3]][p->words[4]]++;
        }
        CHECK(m.first == NULL);
        n += m.count;
    }
    return n;
}

static void from_several_threads_everything_arrives_once(void **state)
{
    (void)state;
    static unsigned char seen[POSTERS][POSTED];
    pthread_t threads[POSTERS];
    size_t taken = 0;
    posting = POSTERS;
    for (int i = 0; i < POSTERS; i++)
        threads[i] = start_thread(post_all, parcels[i]);
    while (atomic_load(&posting) > 0) {
        taken += take_all(seen);
        sched_yield();
    }
    for (int i = 0; i < POSTERS; i++)
        join_thread(threads[i]);
    taken += take_all(seen);
    assert_int_equal(taken, POSTERS * POSTED);
    assert_true(is_all(seen, 1, sizeof seen));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_inbox_gives_nothing),
        cmocka_unit_test(what_was_posted_is_taken_at_once_magazines_as_they_were),
        cmocka_unit_test(what_waits_bears_the_mark),
        cmocka_unit_test(a_forged_link_is_not_followed),
        cmocka_unit_test(from_several_threads_everything_arrives_once),
    };
    require_library();
    return cmocka_run_group_tests(tests, announce, NULL);
}
