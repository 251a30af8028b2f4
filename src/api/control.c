/* api/control.c - the functions of cmalloc.h that steer the allocator. */
#include "cmalloc.h"

#include "base/options.h"
#include "base/text.h"
#include "front/front.h"
#include "os/os.h"

#include <errno.h>

CM_EXPORT void cmalloc_thread_flush(void) { front_flush(); }

CM_EXPORT void cmalloc_idle(void)
{
    front_flush();
    if (os_memory_is_short() ||
        atomic_load_explicit(&cm_options.purge_age, memory_order_relaxed) == 0)
        front_trim(0);
}

CM_EXPORT int cmalloc_purge(void) { return front_trim(0); }

static int minus_one(int error)
{
    errno = error;
    return -1;
}

CM_EXPORT int cmalloc_option_set(const char *name, const char *value)
{
    size_t length = cm_length(name);
    if ((cm_option_flags(name, length) & OPTION_START) != 0)
        return minus_one(EPERM);
    switch (cm_option_set(name, length, value, cm_length(value))) {
    case OPTION_UNKNOWN:
        return minus_one(ENOENT);
    case OPTION_BAD_VALUE:
        return minus_one(EINVAL);
    case OPTION_SEALED:
        return minus_one(ENOMEM);
    case OPTION_DONE:
        break;
    }
    if (cm_equals("arena_max", name, length))
        arena_limit_init(os_processors());
    return 0;
}

CM_EXPORT int cmalloc_option_get(const char *name, size_t *value)
{
    return cm_option_get(name, value) ? 0 : minus_one(ENOENT);
}
