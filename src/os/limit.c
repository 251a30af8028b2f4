/* os/limit.c - see limit.h. */
#include "os/limit.h"

#include "base/options.h"

os_counts_t os_counts;

size_t os_committed(void)
{
    return atomic_load_explicit(&os_counts.committed, memory_order_relaxed);
}

bool limit_charge(size_t size)
{
    size_t most = atomic_load_explicit(&cm_options.limit_hard, memory_order_relaxed);
    size_t now =
        atomic_fetch_add_explicit(&os_counts.committed, size, memory_order_relaxed) +
        size;
    if (cm_likely(most == 0 || now <= most)) {
        cm_raise(&os_counts.committed_most, now);
        return true;
    }
    limit_discharge(size);
    return false;
}

void limit_discharge(size_t size)
{
    atomic_fetch_sub_explicit(&os_counts.committed, size, memory_order_relaxed);
}

void limit_count_return(size_t size)
{
    atomic_fetch_add_explicit(&os_counts.returns, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&os_counts.returned, size, memory_order_relaxed);
}

/* Whoever has passed the soft limit may grow this much before all has to be given back
 * once more: one part in so many of the limit. */
#define SOFT_STEPS 32

static _Atomic size_t allowed; /* 0, or a level beyond the soft limit */
static CM_TLS bool heedless;

static size_t soft_limit(void)
{
    size_t limit = atomic_load_explicit(&cm_options.limit_soft, memory_order_relaxed);
    size_t all = os_memory_limit(), most = all - all / 8;
    return limit == 0 || limit > most ? most : limit;
}

bool os_memory_is_short(void) { return os_committed() > soft_limit(); }

bool os_may_grow(size_t size)
{
    size_t limit = soft_limit(), now = os_committed() + size;
    if (cm_likely(now <= limit)) {
        if (atomic_load_explicit(&allowed, memory_order_relaxed) != 0)
            atomic_store_explicit(&allowed, 0, memory_order_relaxed);
        return true;
    }
    return heedless || now <= atomic_load_explicit(&allowed, memory_order_relaxed);
}

bool os_heed_soft_limit(bool heed)
{
    bool before = !heedless;
    heedless = !heed;
    if (!heed)
        atomic_store_explicit(&allowed, os_committed() + soft_limit() / SOFT_STEPS,
                              memory_order_relaxed);
    return before;
}
