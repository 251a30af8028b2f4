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

/* The part's pages come to lie at `to`, in a mapping of ours, and go on to size bytes.
 * What the kernel refuses to move (too many mappings) is copied: so nothing is ever half
 * done. */
static void move_part(const os_part_t *part, char *to, size_t size)
{
    if (!os_refused() && syscall(SYS_mremap, part->from, part->size, size,
                                 MREMAP_MAYMOVE | MREMAP_FIXED, to) == (long)to)
        return;
    memcpy(to, part->from, part->size);
    unmap_part(part);
}

void *os_gather(const os_part_t *part, size_t count, size_t size)
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
        move_part(&part[i], to,
                  i + 1 < count ? part[i].size : size - (size_t)(to - base));
    errno = saved;
    return base;
}
