/* os/image.c - the pages of the library itself (src/library.ld). */
#include "os/os.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static void advise_code(uintptr_t first, uintptr_t last, int advice)
{
    uintptr_t below = os_kernel_page - 1;
    int saved = errno;
    first &= ~below;
    last &= ~below;
    if (first < last)
        syscall(SYS_madvise, first, last - first, advice);
    errno = saved;
}

/* The kernel maps what lies round a page that is touched, but not beyond its mapping, and
 * advice to a part makes that a mapping of its own. */
void os_set_apart(const char *from, const char *to)
{
    advise_code((uintptr_t)from, (uintptr_t)to + os_kernel_page - 1, MADV_RANDOM);
}

void os_forget(const char *from, const char *to)
{
    advise_code((uintptr_t)from + os_kernel_page - 1, (uintptr_t)to, MADV_DONTNEED);
}
