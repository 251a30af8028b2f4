/* front/trim.c - malloc_trim: every arena gives back what it can, from any thread. */
#include "core/large.h"
#include "core/purge.h"
#include "front/front.h"
#include "front/thread.h"

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

bool front_trim(size_t pad)
{
    size_t bytes = large_drop_kept();
    front_flush();
    if (!thread_enter())
        return false;
    cache_drain_others();
    for (unsigned i = 0; i < arena_count(); i++) {
        arena_t *a = arena_at(i);
        if (!arena_lock(a))
            continue;
        arena_drain_locked(a);
        arena_merge_locked(a);
        bytes += purge_all_locked(a, pad);
        arena_unlock(a);
    }
    thread_leave();
    return bytes > 0;
}
