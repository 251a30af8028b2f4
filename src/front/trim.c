/* front/trim.c - malloc_trim: every arena gives back what it can, from any thread. */
#include "core/purge.h"
#include "front/front.h"
#include "front/thread.h"

bool front_trim(size_t pad)
{
    size_t bytes = 0;
    if (!thread_enter())
        return false;
    for (unsigned i = 0; i < arena_count(); i++) {
        arena_t *a = arena_at(i);
        if (!arena_lock(a))
            continue;
        arena_drain_locked(a);
        bytes += purge_all_locked(a, pad);
        arena_unlock(a);
    }
    thread_leave();
    return bytes > 0;
}
