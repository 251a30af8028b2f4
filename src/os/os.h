/*
 * os/os.h - all that the library asks of the kernel, with what each call promises.
 *
 * Only the files of os/ name a system call. Memory calls return NULL or false on failure
 * and change nothing then; all keep errno. Sizes are bytes and multiples of the page
 * size; so are addresses.
 */
#ifndef CM_OS_OS_H
#define CM_OS_OS_H

#include "base/compiler.h"
#include "base/config.h"
#include "base/host.h"
#include "base/options.h"

/* Bytes a page, valid from the first call of os_init on. The kernel's, but that debug
 * variants can have larger ones (the option page_size), to run the tests with. */
extern size_t os_page, os_kernel_page;

/* Learn the page size and set up the generation word. Idempotent; may run in several
 * threads at once. */
void os_init(void);

/* What the process has from the kernel, and has given back. */
typedef struct os_counts {
    _Atomic size_t metadata;  /* bytes of our own bookkeeping outside of any heap */
    _Atomic size_t committed; /* bytes, as limits have it (below) */
    _Atomic size_t committed_most;
    _Atomic size_t returns, returned; /* calls that gave memory back, and its bytes */
} os_counts_t;

extern os_counts_t os_counts;

CM_INLINE void os_count_metadata(size_t bytes)
{
    atomic_fetch_add_explicit(&os_counts.metadata, bytes, memory_order_relaxed);
}

/* Round up to whole pages. Pre: n <= SIZE_MAX - os_page. */
CM_INLINE size_t os_pages(size_t n) { return (n + os_page - 1) & ~(os_page - 1); }

/* Fresh, zeroed, readable and writable memory of its own. */
void *os_map(size_t size);

/* The same, but a child made by fork shares it, and it counts for nothing: os_release
 * with nothing used gives it back. */
void *os_map_shared(size_t size);

/* Address space without memory, at a multiple of align (a power of two): os_commit makes
 * it usable. */
void *os_reserve(size_t size, size_t align);

/* Make reserved pages readable and writable. They are zero. */
bool os_commit(void *p, size_t size);

/* Give pages back to the kernel and out of use: they are reserved again. False: they
 * still are as they were. */
bool os_decommit(void *p, size_t size);

/* Give the pages' memory back but keep them in use. True: they read as zero; false:
 * nothing is known. */
bool os_purge(void *p, size_t size);

/* Whole pages from here to there, of a file and never written, are read again when they
 * are touched. */
void os_forget(const char *from, const char *to);

/* Pages from here to there are mapped when one of them is touched, without those before
 * and behind them. */
void os_set_apart(const char *from, const char *to);

/* Put memory behind committed pages now, as writing to each would. A hint: it may do
 * nothing. */
void os_populate(void *p, size_t size);

/* Bytes of [p, p + size) that are in memory; size, if the kernel does not tell. p and
 * size need not be page-aligned: what does not fill a page counts as resident. */
size_t os_resident(const void *p, size_t size);

/* Huge pages, by the option thp. A fresh heap or mapping: ask for them, or forbid
 * them. */
void os_choose_pages(void *p, size_t size);

/* No huge page here from now on, unless they were asked for. */
void os_forbid_huge(void *p, size_t size);

/* Memory is best committed, and given back, in multiples of this: a huge page where they
 * are asked for and a heap has room for some, else a page. A power of two. */
size_t os_grain(void);

/* A child made by fork finds these pages zero. False: the kernel cannot. */
bool os_wipe_on_fork(void *p, size_t size);

/* Forks are noticed by themselves. If not (an old kernel), every child has to call
 * os_forked before it allocates. */
bool os_fork_is_seen(void);
void os_forked(void);

/* The secure variant: bytes behind a heap or a mapping that nobody may touch; else 0. */
CM_INLINE size_t os_guard(void) { return cm_secure(guard) ? os_page : 0; }

/* All of these bytes can be read now. */
bool os_can_read(uintptr_t from, size_t size);

/* Something is mapped at p. */
bool os_is_mapped(const void *p);

/* Make pages readable alone, or writable too. */
bool os_protect(void *p, size_t size, bool writable);

/* The secure variant: from now on the pages of CM_CONSTANT are read-only. */
void os_constant_seal(void);

/* Give committed pages back, and their addresses. False (too many mappings): their memory
 * is given back, the addresses stay taken. */
bool os_unmap(void *p, size_t size);

/* The same for what os_reserve gave, of which only some bytes are committed. */
bool os_release(void *p, size_t reserved, size_t committed);

/* Grow or shrink a mapping, moving it where allowed. NULL: it is as it was. */
void *os_remap(void *p, size_t old_size, size_t new_size, bool may_move);

/* Pages of one of the kernel's mappings. */
typedef struct os_part {
    char *from;
    size_t size;
} os_part_t;

/* A mapping of size bytes that begins with the pages of these parts, in their order;
 * those that follow are fresh and zero. The parts are gone from where they were; of all
 * but the first ones, as many as are wanted, the contents may be lost. NULL: all is as it
 * was. To move a page costs a twentieth of what a fresh one does, or less. Each part, and
 * what is fresh, is a mapping of its own for the kernel, which moves no two by one call.
 */
void *os_gather(const os_part_t *part, size_t count, size_t wanted, size_t size);

/*
 * Limits. Committed is what os_map, os_commit, os_remap, os_gather and os_break_move have
 * given and not got back: heaps, M chunks, kept mappings, our own tables. It may all be
 * resident; what has been purged in between counts.
 *   committed <= limit_hard, if that is set: a call that would pass it is refused
 *   os_may_grow <=> the soft limit is not passed, or nothing more can be given back
 * The soft limit is limit_soft, or seven eighths of the cgroup's if that is less.
 */
size_t os_committed(void);

/* More is committed than the soft limit allows: purge all, and at once. */
bool os_memory_is_short(void);

/* Heaps and M chunks may take size bytes more. False: give back what is free before. */
bool os_may_grow(size_t size);

/* For this thread the soft limit holds (or not): it has given back all there was. Returns
 * what held before. */
bool os_heed_soft_limit(bool heed);

/* The application's heap: where the break is, NULL if libc and the kernel disagree
 * about it. */
void *os_break(void);
/* Leave it to another allocator, which moves it under a lock of its own: two that do so
 * in two threads take each other's memory, for sbrk has no lock. The constructor's
 * share. */
void os_break_leave(void);
/* Move it. NULL: refused; else the old break. Pre: os_break() is not NULL. */
void *os_break_move(ptrdiff_t delta);

/* Learn what the cgroups allow; the constructor's share. root: "", or where a test has
 * put a /proc and a /sys of its own. Where affinity leaves no more than `enough`
 * processors the quota is not looked for: reading its files would delay each start. */
void os_cgroup_read(const char *root, unsigned enough);

/* The caller is the process, and not a child that shares its memory, as vfork's does. */
bool os_owns_memory(void);

/* Milliseconds of a clock that only goes forward and wraps around. */
uint32_t os_milliseconds(void);

/* Sleep for this long; less if *word is not value, or somebody wakes it. */
void os_doze(_Atomic uint32_t *word, uint32_t value, uint32_t milliseconds);

/* Run body in a thread of its own, with every signal blocked; one at a time. Takes no
 * lock of libc's, and body may use nothing of libc but what needs no thread: system
 * calls, memory and errno. False: there is none. Never for a child that does not own its
 * memory: the thread would end with the child, in the middle of anything. */
bool os_thread_start(void (*body)(void));

/* libc says that the program has threads, ours apart; one that does not tell says no. */
bool os_has_threads(void);

/* Its id, 0 while there is none: of the process that has started it. */
int os_own_thread(void);

/* Processors that this process may use: affinity, and the cgroup's quota rounded up if it
 * is known. At least 1. */
unsigned os_processors(void);

/* Bytes that the cgroup and all above it leave to their processes; SIZE_MAX: no limit. */
size_t os_memory_limit(void);

/* A new, empty file to write to, in place of an old one; -1: refused. */
int os_create(const char *path);

/* A device or a pipe that is there, to write to; -1: there is a file, or nothing; -2:
 * nobody reads from the pipe. */
int os_open_device(const char *path);
void os_close(int fd);

/* A second descriptor of the same file, high up, gone after exec; -1: refused. */
int os_duplicate(int fd);
bool os_rename(const char *from, const char *to);

/* Have handler run when the signal comes, with all others held. False: no such signal. */
bool os_handle(int number, void (*handler)(int));

/* Words that an attacker cannot guess; a few at a time. */
void os_random(uintptr_t *words, unsigned count);

/* An environment variable, or NULL; always NULL in a secure-execution process. Looked for
 * in all when that was set. */
void os_environment_set(char **all);
const char *os_environment(const char *name);

/* Debug variants: every n-th memory call fails (0: none does). */
void os_fail_every(unsigned n);

/* And the n-th from now on (0: none), which is said on standard error. */
void os_fail_at(unsigned n);

#endif
