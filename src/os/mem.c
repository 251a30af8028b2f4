/*
 * os/mem.c - memory from the kernel.
 *
 * Every call goes through os_refused, where the debug variants make it fail on request,
 * and keeps errno: free must (POSIX.1-2024), and malloc sets it in one place only. What a
 * call gives or takes is counted (limit.h), against the hard limit.
 */
#include "os/limit.h"

#include "base/options.h"
#include "base/lock.h"
#include "base/report.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sys/syscall.h>

/* Through syscall(2) alone: a name bound from libc costs a look-up at every start of
 * every program, and a call of it pages in another part of libc. */
#if defined(SYS_mmap2)
#define SYS_MAP SYS_mmap2
#else
#define SYS_MAP SYS_mmap
#endif

size_t os_page = 4096, os_kernel_page = 4096;

static _Atomic unsigned fail_every, fail_at, calls;

CM_START void os_fail_every(unsigned n)
{
    atomic_store_explicit(&fail_every, n, memory_order_relaxed);
}

CM_START void os_fail_at(unsigned n)
{
    atomic_store_explicit(&calls, 0, memory_order_relaxed);
    atomic_store_explicit(&fail_at, n, memory_order_relaxed);
}

bool os_refused(void)
{
    if (!CM_DEBUG)
        return false;
    unsigned every = atomic_load_explicit(&fail_every, memory_order_relaxed);
    unsigned at = atomic_load_explicit(&fail_at, memory_order_relaxed);
    if (every == 0 && at == 0)
        return false;
    unsigned n = atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) + 1;
    if (at != 0 && n == at)
        cm_warn("os_fail_at", "this call fails"); /* the sweep goes on while it is said */
    return n == at || (every != 0 && n % every == 0);
}

/* --- mappings --- */

static void *map_here(void *hint, size_t size, int protection, int flags)
{
    int saved = errno;
    long p = syscall(SYS_MAP, hint, size, protection, MAP_ANONYMOUS | flags, -1, 0L);
    errno = saved;
    return p == -1 ? NULL : (void *)p; /* NOLINT(performance-no-int-to-ptr) */
}

/* Our pages may be larger than the kernel's (debug variants): whatever it has mapped at a
 * place that is none of ours is mapped once more, with a page to spare. */
static void *map_aligned(size_t size, int protection, int flags)
{
    char *wide = map_here(NULL, size + os_page, protection, flags);
    if (wide == NULL)
        return NULL;
    size_t before = -(uintptr_t)wide & (os_page - 1);
    if (before > 0)
        syscall(SYS_munmap, wide, before);
    syscall(SYS_munmap, wide + before + size, os_page - before);
    return wide + before;
}

static bool is_misplaced(const void *p)
{
    return CM_DEBUG && ((uintptr_t)p & (os_page - 1)) != 0;
}

static void *map(void *hint, size_t size, int protection, int flags)
{
    if (os_refused())
        return NULL;
    void *p = map_here(hint, size, protection, flags);
    if (!is_misplaced(p))
        return p;
    syscall(SYS_munmap, p, size);
    return map_aligned(size, protection, flags);
}

void *limit_map(size_t size)
{
    void *p = map(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (p != NULL)
        os_choose_pages(p, size);
    return p;
}

void *os_map(size_t size)
{
    if (!limit_charge(size))
        return NULL;
    void *p = limit_map(size);
    if (p == NULL)
        limit_discharge(size);
    return p;
}

CM_FAR void *os_map_shared(size_t size)
{
    return map(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE);
}

static bool unmap(void *p, size_t size)
{
    int saved = errno;
    bool done = !os_refused() && syscall(SYS_munmap, p, size) == 0;
    if (!done)
        syscall(SYS_madvise, p, size,
                MADV_DONTNEED); /* too many mappings: at least the memory goes */
    errno = saved;
    return done;
}

bool os_release(void *p, size_t reserved, size_t used)
{
    limit_discharge(used);
    limit_count_return(used);
    return unmap(p, reserved);
}

bool os_unmap(void *p, size_t size) { return os_release(p, size, size); }

static void *reserve_at(void *hint, size_t size)
{
    return map(hint, size, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
}

/* Ask for the aligned address at or below a place that the kernel would have chosen, and
 * further below. */
static void *reserve_by_hint(size_t size, size_t align)
{
    char *p = reserve_at(NULL, size);
    for (int attempt = 0; p != NULL; attempt++) {
        if (((uintptr_t)p & (align - 1)) == 0)
            return p;
        unmap(p, size);
        if (attempt == 4)
            return NULL;
        uintptr_t below = ((uintptr_t)p & ~(align - 1)) - (attempt > 0 ? align : 0);
        p = reserve_at((void *)below, size); /* NOLINT(performance-no-int-to-ptr) */
    }
    return NULL;
}

void *os_reserve(size_t size, size_t align)
{
    void *hinted = reserve_by_hint(size, align);
    if (hinted != NULL)
        return hinted;
    char *wide = reserve_at(NULL, size + align);
    if (wide == NULL)
        return NULL;
    size_t before = -(uintptr_t)wide & (align - 1);
    if (before > 0)
        unmap(wide, before);
    if (before < align)
        unmap(wide + before + size, align - before);
    return wide + before;
}

bool os_commit(void *p, size_t size)
{
    if (!limit_charge(size))
        return false;
    int saved = errno;
    bool done =
        !os_refused() && syscall(SYS_mprotect, p, size, PROT_READ | PROT_WRITE) == 0;
    errno = saved;
    if (!done)
        limit_discharge(size);
    return done;
}

CM_FAR bool os_decommit(void *p, size_t size)
{
    bool done = map(p, size, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED) != NULL;
    if (done) {
        limit_discharge(size);
        limit_count_return(size);
    }
    return done;
}

bool os_purge(void *p, size_t size)
{
    if (os_refused())
        return false;
    int saved = errno;
    bool done = syscall(SYS_madvise, p, size, MADV_DONTNEED) == 0;
    errno = saved;
    if (done)
        limit_count_return(size);
    return done;
}

static uintptr_t kernel_page_down(uintptr_t at) { return at & ~(os_kernel_page - 1); }

static uintptr_t kernel_page_up(uintptr_t at)
{
    return kernel_page_down(at + os_kernel_page - 1);
}

/* Of the kernel's pages from page on, as many as mincore calls resident; count is at most
 * RESIDENT_AT_ONCE. */
#define RESIDENT_AT_ONCE 512

CM_FAR static size_t resident_pages(uintptr_t page, size_t count)
{
    unsigned char there[RESIDENT_AT_ONCE];
    size_t n = 0;
    if (syscall(SYS_mincore, page, count * os_kernel_page, there) != 0)
        return count;
    for (size_t i = 0; i < count; i++)
        n += there[i] & 1;
    return n;
}

/* A page at either end holds a neighbour's bytes too, and so is there. */
CM_FAR size_t os_resident(const void *p, size_t size)
{
    int saved = errno;
    uintptr_t first = kernel_page_up((uintptr_t)p);
    uintptr_t last = kernel_page_down((uintptr_t)p + size);
    if (first >= last)
        return size;
    size_t bytes = size - (last - first);
    for (size_t n; first < last; first += n * os_kernel_page) {
        n = (last - first) / os_kernel_page;
        n = n > RESIDENT_AT_ONCE ? RESIDENT_AT_ONCE : n;
        bytes += resident_pages(first, n) * os_kernel_page;
    }
    errno = saved;
    return bytes;
}

/* --- huge pages --- */

/* What the lowest level but one of a page table spans: a page holds an eighth of its size
 * in entries. */
static size_t huge_page(void)
{
    return os_kernel_page / sizeof(uint64_t) * os_kernel_page;
}

static size_t thp(void)
{
    return atomic_load_explicit(&cm_options.thp, memory_order_relaxed);
}

static void advise(void *p, size_t size, int advice)
{
    int saved = errno;
    syscall(SYS_madvise, p, size, advice);
    errno = saved;
}

void os_choose_pages(void *p, size_t size)
{
    if (thp() == THP_NEVER)
        advise(p, size, MADV_NOHUGEPAGE);
    else if (thp() == THP_ALWAYS && size >= huge_page())
        advise(p, size, MADV_HUGEPAGE);
}

CM_FAR void os_forbid_huge(void *p, size_t size)
{
    if (thp() == THP_DEFAULT)
        advise(p, size, MADV_NOHUGEPAGE);
}

size_t os_grain(void)
{
    size_t huge = huge_page();
    return thp() == THP_ALWAYS && huge <= HEAP_MAX_SIZE / 4 ? huge : os_page;
}

/* Linux 4.14. */
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#define NO_ADVICE (-1)

/* Who takes NO_ADVICE takes any, and does nothing about it: qemu-user does. */
bool os_wipe_on_fork(void *p, size_t size)
{
    int saved = errno;
    bool done = syscall(SYS_madvise, p, size, NO_ADVICE) != 0 &&
                syscall(SYS_madvise, p, size, MADV_WIPEONFORK) == 0;
    errno = saved;
    return done;
}

/* Linux 5.14. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void os_populate(void *p, size_t size)
{
    static _Atomic bool unknown;
    if (atomic_load_explicit(&unknown, memory_order_relaxed))
        return;
    int saved = errno;
    if (syscall(SYS_madvise, p, size, MADV_POPULATE_WRITE) != 0 && errno == EINVAL)
        atomic_store_explicit(&unknown, true, memory_order_relaxed);
    errno = saved;
}

/* A mapping that the kernel has moved to where no page of ours starts moves on. */
static long move_to_page(long from, size_t size)
{
    void *to = map_aligned(size, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
    cm_assert(to != NULL);
    return syscall(SYS_mremap, from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

static void *remap(void *p, size_t old_size, size_t new_size, bool may_move)
{
    if (os_refused())
        return NULL;
    int saved = errno;
    long moved =
        syscall(SYS_mremap, p, old_size, new_size, may_move ? MREMAP_MAYMOVE : 0);
    if (moved != -1 &&
        is_misplaced((void *)moved)) /* NOLINT(performance-no-int-to-ptr) */
        moved = move_to_page(moved, new_size);
    errno = saved;
    return moved == -1 ? NULL : (void *)moved; /* NOLINT(performance-no-int-to-ptr) */
}

void *os_remap(void *p, size_t old_size, size_t new_size, bool may_move)
{
    size_t more = new_size > old_size ? new_size - old_size : 0;
    if (!limit_charge(more))
        return NULL;
    void *moved = remap(p, old_size, new_size, may_move);
    limit_discharge(moved == NULL ? more : old_size + more - new_size);
    if (moved != NULL && new_size < old_size)
        limit_count_return(old_size - new_size);
    return moved;
}

/* The kernel copies a signal mask before it looks at what to do with it, which is nothing
 * that exists. No sandbox forbids the call: abort needs it. Behind the page's first byte,
 * since NULL would be no mask. */
static bool can_read_word(uintptr_t at)
{
    return syscall(SYS_rt_sigprocmask, -1, at + 1, NULL, sizeof(uint64_t)) == 0 ||
           errno != EFAULT;
}

CM_FAR bool os_can_read(uintptr_t from, size_t size)
{
    int saved = errno;
    bool can = true;
    uintptr_t at = from & ~(uintptr_t)(os_kernel_page - 1);
    for (; can && at < from + size; at += os_kernel_page)
        can = can_read_word(at);
    errno = saved;
    return can;
}

/* Where the kernel will not say, it is: a pointer is not called foreign for that. */
CM_FAR bool os_is_mapped(const void *p)
{
    int saved = errno;
    unsigned char in_memory;
    uintptr_t page = (uintptr_t)p & ~(uintptr_t)(os_page - 1);
    bool mapped = syscall(SYS_mincore, page, os_page, &in_memory) == 0 || errno != ENOMEM;
    errno = saved;
    return mapped;
}
