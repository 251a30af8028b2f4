/* core/merge.c - ready against merged: which of what waits in the depot goes back to the
 * heap when others need memory. See arena.h. By age: purge.c. */
#include "core/arena.h"

static void merge_class(arena_t *a, unsigned k)
{
    magazine_t m;
    while ((m = depot_take_back(&a->depot, k)).count > 0)
        arena_give_list_locked(a, m.first);
}

/* What the depots may hold together is shared. */
static size_t depot_limit(const depot_t *d)
{
    size_t share = DEPOT_READY / arena_count(), ready = depot_ready(d);
    if (share < DEPOT_SHARE_LEAST)
        share = DEPOT_SHARE_LEAST;
    return ready < share ? ready : share;
}

void arena_merge_idle_locked(arena_t *a)
{
    unsigned left = 2 * CLASS_COUNT, k; /* the first round may find all wanted */
    if (cm_likely(a->depot.bytes <= DEPOT_READY_LEAST))
        return;
    for (size_t most = depot_limit(&a->depot); a->depot.bytes > most && left > 0; left--)
        if (depot_unwanted(&a->depot, &k))
            merge_class(a, k);
}

CM_FAR void arena_merge_locked(arena_t *a)
{
    for (unsigned k = 0; k < CLASS_COUNT && a->depot.bytes > 0; k++)
        merge_class(a, k);
}
