/* os/break.c - the application's own heap: where the break is, and moving it. */
#include "os/limit.h"
#include "os/os.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__GLIBC__)
/* Through libc, which remembers the break for the application's own calls of sbrk. */
static void *move_break(ptrdiff_t delta) { return sbrk(delta); }
#else
/* musl's sbrk never moves the break, so that it is ours. */
static void *move_break(ptrdiff_t delta)
{
    char *now = (char *)syscall(SYS_brk, 0);
    if (delta == 0)
        return now;
    return (char *)syscall(SYS_brk, now + delta) == now + delta ? now : (void *)-1;
}
#endif

static bool is_left; /* constant once the program runs */

void os_break_leave(void) { is_left = true; }

/* The kernel copies the place of the break before it locks what it copies (dup_mm): a
 * child whose parent moved the break in another thread just then has the new heap with
 * the old break. To move that would cut the heap off. */
void *os_break(void)
{
    if (is_left)
        return NULL;
    int saved = errno;
    void *now = move_break(0);
    bool agreed = syscall(SYS_brk, NULL) == (long)now;
    errno = saved;
    return agreed ? now : NULL;
}

void *os_break_move(ptrdiff_t delta)
{
    size_t more = delta > 0 ? (size_t)delta : 0;
    if (!limit_charge(more))
        return NULL;
    int saved = errno;
    void *before = os_refused() ? (void *)-1 : move_break(delta);
    errno = saved;
    if (before == (void *)-1) { /* NOLINT(performance-no-int-to-ptr) */
        limit_discharge(more);
        return NULL;
    }
    if (delta < 0) {
        limit_discharge(-(size_t)delta);
        limit_count_return(-(size_t)delta);
    }
    return before;
}
