/* front/trim.c - see trim.h; and what a thread does of its own accord. */
#include "core/large.h"
#include "core/purge.h"
#include "front/front.h"
#include "front/trim.h"

void front_flush(void)
{
    thread_t *t = thread_get();
    if (t->arena == NULL || !thread_enter())
        return;
    cache_flush(t);
    arena_t *a = thread_lock_arena(t);
    if (a != NULL) {
        arena_drain_locked(a);
        arena_merge_locked(a);
        arena_unlock(a);
    }
    thread_leave();
}

static size_t trim_arena(arena_t *a, size_t pad)
{
    if (!arena_lock(a))
        return 0;
    arena_drain_locked(a);
    arena_merge_locked(a);
    arena_unlock(a);
    size_t bytes = purge_free(a, PURGE_TRIM);
    return bytes + purge_top(a, PURGE_TRIM, pad);
}

size_t trim_all(thread_t *t, size_t pad)
{
    size_t bytes = large_drop_kept();
    if (t != NULL && t->arena != NULL)
        cache_flush(t);
    cache_drain_spares();
    for (unsigned i = 0; i < arena_count(); i++)
        bytes += trim_arena(arena_at(i), pad);
    return bytes;
}

bool front_trim(size_t pad)
{
    thread_t *t = thread_get();
    if (!thread_enter())
        return false;
    size_t bytes = trim_all(t, pad);
    thread_leave();
    return bytes > 0;
}
