/* front/purger.c - see purger.h. */
#include "front/purger.h"

#include "base/options.h"
#include "core/large.h"
#include "core/purge.h"
#include "front/cache.h"
#include "os/os.h"

#include <string.h>

_Atomic uint32_t purger_state;
void (*purger_errand)(void);

static _Atomic bool may_start;
static _Atomic uint32_t asleep; /* what the thread sleeps on */

CM_START void purger_init(void)
{
    atomic_store_explicit(&may_start, true, memory_order_relaxed);
}

static bool purger_may_run(void) { return purge_ages() || purger_errand != NULL; }

/* --- what is done --- */

static bool at_once(void)
{
    return atomic_load_explicit(&cm_options.purge_age, memory_order_relaxed) == 0;
}

static uint32_t tick_length(void)
{
    size_t age = atomic_load_explicit(&cm_options.purge_age, memory_order_relaxed);
    if (at_once() || !purge_ages())
        age = PURGE_AGE_DEFAULT; /* an errand's ticks */
    return age < PURGE_TICKS ? 1 : (uint32_t)(age / PURGE_TICKS);
}

static size_t top_pad(void)
{
    return atomic_load_explicit(&cm_options.top_pad, memory_order_relaxed);
}

static void tick_arena(arena_t *a, purge_what_t what)
{
    if (!arena_lock(a))
        return;
    purge_tick_locked(a);
    arena_unlock(a);
    purge_depot(a);
    purge_free(a, what);
    purge_top(a, what, top_pad());
}

static size_t waiting(void)
{
    size_t bytes = large_kept_bytes();
    for (unsigned i = 0; i < arena_count(); i++) {
        arena_t *a = arena_at(i);
        if (!arena_lock(a))
            continue;
        bytes += purge_waiting_locked(a);
        arena_unlock(a);
    }
    return bytes;
}

bool purger_tick(void)
{
    purge_what_t what = os_memory_is_short() ? PURGE_ALL : PURGE_AGED;
    cache_drain_idle();
    for (unsigned i = 0; i < arena_count(); i++)
        tick_arena(arena_at(i), what);
    large_tick();
    return waiting() > PURGER_STOP;
}

/* --- the thread --- */

/* Only as long as the word is what the caller has seen: a call that overtakes a start
 * would make a second one. */
static bool replace_state(uint32_t seen, purger_state_t to)
{
    return atomic_compare_exchange_strong_explicit(
        &purger_state, &seen, cm_generation() << 2 | to, memory_order_seq_cst,
        memory_order_relaxed);
}

static bool change_state(purger_state_t from, purger_state_t to)
{
    return replace_state(cm_generation() << 2 | from, to);
}

/* For who runs. */
static void set_idle(void)
{
    atomic_store_explicit(&purger_state, cm_generation() << 2 | PURGER_IDLE,
                          memory_order_seq_cst);
}

/* Somebody may have looked just before the state was idle again, and not called. */
static bool is_over(void)
{
    set_idle();
    return !purge_ages() || waiting() <= PURGER_STOP ||
           !change_state(PURGER_IDLE, PURGER_RUNNING);
}

/* Chunks that a tick has looked at would be found on this stack by a search for what
 * still is pointed to. */
CM_NOINLINE static void wipe_stack(void)
{
    unsigned char below[PURGER_WIPE];
    memset(below, 0, sizeof below);
}

static bool run_errand(void)
{
    if (purger_errand == NULL)
        return false;
    purger_errand();
    for (const thread_t *t = thread_first(); t != NULL; t = thread_after(t))
        if (thread_is_attached(t))
            return true;
    return false;
}

static void purger_main(void)
{
    bool over = false;
    thread_self = (thread_t *)(uintptr_t)&thread_none; /* no libc has initialised it */
    thread_inside = true;                              /* is_over takes locks, too */
    while (!over && purger_may_run()) {
        os_doze(&asleep, 0, tick_length());
        bool more = purge_ages() && purger_tick();
        more |= run_errand();
        wipe_stack();
        over = !more && is_over();
    }
    if (!over)
        set_idle();
    thread_inside = false;
}

/* A system that refuses a thread is not asked for the next one before an age has gone
 * by. */
static bool start_thread(void)
{
    static uint32_t refused; /* whoever is running looks at it: one at a time */
    static bool was_refused;
    if (was_refused && os_milliseconds() - refused < PURGE_TICKS * tick_length())
        return false;
    was_refused = false; /* before the start: from then on another may be running */
    if (os_thread_start(purger_main))
        return true;
    was_refused = true;
    refused = os_milliseconds();
    return false;
}

/* A program that has threads may have one more. One that has none may be in a sandbox
 * that kills it for the attempt, or about to unshare, or counts on being alone. Where
 * libc does not tell, those count that have allocated. */
static bool is_threaded(void)
{
    const thread_t *first = thread_first();
    return (first != NULL && thread_after(first) != NULL) || os_has_threads();
}

static bool has_thread(void)
{
    return (is_threaded() || purger_errand != NULL) &&
           atomic_load_explicit(&may_start, memory_order_relaxed) &&
           atomic_load_explicit(&cm_options.background, memory_order_relaxed) != 0 &&
           start_thread();
}

/* --- the call --- */

void purger_call(void)
{
    uint32_t state = atomic_load_explicit(&purger_state, memory_order_relaxed);
    bool busy = state >> 2 == cm_generation() && (state & 3) != PURGER_IDLE;
    if (!busy && purger_may_run())
        replace_state(state, PURGER_CALLED);
}

CM_NEAR void purger_look_locked(const arena_t *a)
{
    if (cm_unlikely(purge_waiting_locked(a) > (at_once() ? 0 : PURGER_START)))
        purger_call();
}

static void tick_if_due(void)
{
    static uint32_t ticked; /* whoever is running looks at it: one at a time */
    uint32_t now = os_milliseconds();
    if (now - ticked < tick_length())
        return;
    ticked = now;
    purger_tick();
}

static void purge_at_once(void)
{
    for (unsigned i = 0; i < arena_count(); i++) {
        purge_free(arena_at(i), PURGE_TRIM);
        purge_top(arena_at(i), PURGE_TRIM, top_pad());
    }
}

/* A call that was made before a fork, and answered by nobody in the child. */
static void forget_parents_call(void)
{
    uint32_t state = atomic_load_explicit(&purger_state, memory_order_relaxed);
    if (state >> 2 != cm_generation())
        replace_state(state, PURGER_IDLE);
}

void purger_answer(void)
{
    if (!change_state(PURGER_CALLED, PURGER_RUNNING)) {
        forget_parents_call();
        return;
    }
    if ((!at_once() || purger_errand != NULL) && has_thread())
        return;
    if (thread_enter()) {
        if (at_once())
            purge_at_once();
        else
            tick_if_due();
        thread_leave_quietly();
    }
    set_idle();
}
