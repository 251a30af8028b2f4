/* os/gather.c - one mapping of the pages of several. */
#include "os/limit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sys/syscall.h>

static void unmap_part(const os_part_t *part)
{
    if (syscall(SYS_munmap, part->from, part->size) != 0)
        syscall(SYS_madvise, part->from, part->size, MADV_DONTNEED);
}

/* The kernel unmaps the place that a mapping is to come to before it looks whether it is
 * one: programs split theirs, by madvise (numpy) or mprotect. To grow it where it stands
 * asks just that, and the page is given back if there was one. */
static bool is_one(const os_part_t *part)
{
    size_t more = part->size + os_kernel_page;
    if (syscall(SYS_mremap, part->from, part->size, more, 0) == -1)
        return errno == ENOMEM;
    syscall(SYS_munmap, part->from + part->size, os_kernel_page);
    return true;
}

/* The part's pages come to lie at `to`, in a mapping of ours. Those that the kernel would
 * not move are copied, if their contents are wanted: so nothing is ever half done. */
static void move_part(const os_part_t *part, char *to, bool wanted)
{
    if (!os_refused() && is_one(part) &&
        syscall(SYS_mremap, part->from, part->size, part->size,
                MREMAP_MAYMOVE | MREMAP_FIXED, to) == (long)to)
        return;
    if (wanted)
        memcpy(to, part->from, part->size);
    unmap_part(part);
}

void *os_gather(const os_part_t *part, size_t count, size_t wanted, size_t size)
{
    size_t more = size;
    for (size_t i = 0; i < count; i++)
        more -= part[i].size;
    if (!limit_charge(more))
        return NULL;
    char *base = limit_map(size), *to = base;
    if (base == NULL) {
        limit_discharge(more);
        return NULL;
    }
    int saved = errno;
    for (size_t i = 0; i < count; to += part[i++].size)
        move_part(&part[i], to, i < wanted);
    errno = saved;
    return base;
}
