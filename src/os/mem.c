/*
 * os/mem.c - memory from the kernel.
 *
 * Every call goes through refused(), where the debug variants make it fail on request,
 * and keeps errno: free must (POSIX.1-2024), and malloc sets it in one place only. What a
 * call gives or takes is counted in committed_bytes, against the hard limit.
 */
#include "os/os.h"

#include "base/options.h"
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

size_t os_page = 4096;
_Atomic size_t os_metadata;

static _Atomic unsigned fail_every, calls;

void os_fail_every(unsigned n)
{
    atomic_store_explicit(&fail_every, n, memory_order_relaxed);
}

static bool refused(void)
{
    if (!CM_DEBUG)
        return false;
    unsigned n = atomic_load_explicit(&fail_every, memory_order_relaxed);
    return n != 0 &&
           atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed) % n == n - 1;
}

/* --- what is committed --- */

static _Atomic size_t committed_bytes;

size_t os_committed(void)
{
    return atomic_load_explicit(&committed_bytes, memory_order_relaxed);
}

/* Count size bytes in before they are asked for. False: the hard limit says no. */
static bool charge(size_t size)
{
    size_t most = atomic_load_explicit(&cm_options.limit_hard, memory_order_relaxed);
    size_t now =
        atomic_fetch_add_explicit(&committed_bytes, size, memory_order_relaxed) + size;
    if (cm_likely(most == 0 || now <= most))
        return true;
    atomic_fetch_sub_explicit(&committed_bytes, size, memory_order_relaxed);
    return false;
}

static void discharge(size_t size)
{
    atomic_fetch_sub_explicit(&committed_bytes, size, memory_order_relaxed);
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

/* --- mappings --- */

static void *map(void *hint, size_t size, int protection, int flags)
{
    if (refused())
        return NULL;
    int saved = errno;
    long p = syscall(SYS_MAP, hint, size, protection, MAP_ANONYMOUS | flags, -1, 0L);
    errno = saved;
    return p == -1 ? NULL : (void *)p; /* NOLINT(performance-no-int-to-ptr) */
}

void *os_map(size_t size)
{
    if (!charge(size))
        return NULL;
    void *p = map(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    if (p == NULL)
        discharge(size);
    else
        os_choose_pages(p, size);
    return p;
}

void *os_map_shared(size_t size)
{
    return map(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE);
}

static bool unmap(void *p, size_t size)
{
    int saved = errno;
    bool done = !refused() && syscall(SYS_munmap, p, size) == 0;
    if (!done)
        syscall(SYS_madvise, p, size,
                MADV_DONTNEED); /* too many mappings: at least the memory goes */
    errno = saved;
    return done;
}

bool os_release(void *p, size_t reserved, size_t used)
{
    discharge(used);
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
    if (!charge(size))
        return false;
    int saved = errno;
    bool done = !refused() && syscall(SYS_mprotect, p, size, PROT_READ | PROT_WRITE) == 0;
    errno = saved;
    if (!done)
        discharge(size);
    return done;
}

bool os_decommit(void *p, size_t size)
{
    bool done = map(p, size, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED) != NULL;
    if (done)
        discharge(size);
    return done;
}

bool os_purge(void *p, size_t size)
{
    if (refused())
        return false;
    int saved = errno;
    bool done = syscall(SYS_madvise, p, size, MADV_DONTNEED) == 0;
    errno = saved;
    return done;
}

/* Bytes of the pages from page on that mincore calls resident; count is at most
 * RESIDENT_AT_ONCE. */
#define RESIDENT_AT_ONCE 512

static size_t resident_pages(uintptr_t page, size_t count)
{
    unsigned char there[RESIDENT_AT_ONCE];
    size_t n = 0;
    if (syscall(SYS_mincore, page, count * os_page, there) != 0)
        return count;
    for (size_t i = 0; i < count; i++)
        n += there[i] & 1;
    return n;
}

/* A page at either end holds a neighbour's bytes too, and so is there. */
size_t os_resident(const void *p, size_t size)
{
    int saved = errno;
    uintptr_t first = os_pages((uintptr_t)p);
    uintptr_t last = ((uintptr_t)p + size) & ~(uintptr_t)(os_page - 1);
    if (first >= last)
        return size;
    size_t bytes = size - (last - first);
    for (size_t n; first < last; first += n * os_page) {
        n = (last - first) / os_page;
        n = n > RESIDENT_AT_ONCE ? RESIDENT_AT_ONCE : n;
        bytes += resident_pages(first, n) * os_page;
    }
    errno = saved;
    return bytes;
}

/* --- huge pages --- */

/* What the lowest level but one of a page table spans: a page holds an eighth of its size
 * in entries. */
static size_t huge_page(void) { return os_page / sizeof(uint64_t) * os_page; }

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

void os_forbid_huge(void *p, size_t size)
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

bool os_wipe_on_fork(void *p, size_t size)
{
    int saved = errno;
    bool done = syscall(SYS_madvise, p, size, MADV_WIPEONFORK) == 0;
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

static void *remap(void *p, size_t old_size, size_t new_size, bool may_move)
{
    if (refused())
        return NULL;
    int saved = errno;
    long moved =
        syscall(SYS_mremap, p, old_size, new_size, may_move ? MREMAP_MAYMOVE : 0);
    errno = saved;
    return moved == -1 ? NULL : (void *)moved; /* NOLINT(performance-no-int-to-ptr) */
}

void *os_remap(void *p, size_t old_size, size_t new_size, bool may_move)
{
    size_t more = new_size > old_size ? new_size - old_size : 0;
    if (!charge(more))
        return NULL;
    void *moved = remap(p, old_size, new_size, may_move);
    discharge(moved == NULL ? more : old_size + more - new_size);
    return moved;
}

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

/* The kernel copies the place of the break before it locks what it copies (dup_mm): a
 * child whose parent moved the break in another thread just then has the new heap with
 * the old break. To move that would cut the heap off. */
void *os_break(void)
{
    int saved = errno;
    void *now = move_break(0);
    bool agreed = syscall(SYS_brk, NULL) == (long)now;
    errno = saved;
    return agreed ? now : NULL;
}

void *os_break_move(ptrdiff_t delta)
{
    size_t more = delta > 0 ? (size_t)delta : 0;
    if (!charge(more))
        return NULL;
    int saved = errno;
    void *before = refused() ? (void *)-1 : move_break(delta);
    errno = saved;
    if (before == (void *)-1) { /* NOLINT(performance-no-int-to-ptr) */
        discharge(more);
        return NULL;
    }
    if (delta < 0)
        discharge(-(size_t)delta);
    return before;
}
