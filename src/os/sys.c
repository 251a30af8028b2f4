/*
 * os/sys.c - what is not memory: waiting, writing, processors, chance, the environment,
 * forks.
 *
 * What only start-up needs (files below /sys and /proc, getrandom, affinity) is asked
 * once, from the constructor: a sandbox may forbid it later.
 */
#include "os/os.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not from <stdlib.h>: it would tell the compiler what malloc and free may be assumed to
 * do. */
_Noreturn void abort(void);

#define AFFINITY_WORDS (1024 / (sizeof(long) * 8))

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

/* Until os_init has a page that fork wipes, the generation is this word: it can tell no
 * child apart. */
static _Atomic uint32_t first_generation = 1;
static _Atomic uint32_t newest_generation = 1;
_Atomic uint32_t *_Atomic host_generation = &first_generation;

void host_wait(_Atomic uint32_t *word, uint32_t value)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
    errno = saved;
}

void host_wake(_Atomic uint32_t *word)
{
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    errno = saved;
}

void host_write(int fd, const char *text, size_t length)
{
    int saved = errno;
    while (length > 0) {
        long n = syscall(SYS_write, fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        text += n;
        length -= (size_t)n;
    }
    errno = saved;
}

_Noreturn void host_abort(void) { abort(); }

uint32_t host_generation_renew(void)
{
    _Atomic uint32_t *word = atomic_load_explicit(&host_generation, memory_order_acquire);
    uint32_t mine =
        atomic_fetch_add_explicit(&newest_generation, 1, memory_order_relaxed) + 1;
    uint32_t seen = 0;
    /* Two threads of a child may both come here; the first one names the generation. */
    if (atomic_compare_exchange_strong_explicit(word, &seen, mine, memory_order_relaxed,
                                                memory_order_relaxed))
        return mine;
    return seen;
}

static void generation_init(void)
{
    if (atomic_load_explicit(&host_generation, memory_order_acquire) != &first_generation)
        return;
    _Atomic uint32_t *page = os_map(os_page), *expected = &first_generation;
    if (page == NULL)
        return;
    atomic_store_explicit(page, 1, memory_order_relaxed);
    if (!os_wipe_on_fork(page, os_page) ||
        !atomic_compare_exchange_strong_explicit(&host_generation, &expected, page,
                                                 memory_order_release,
                                                 memory_order_relaxed))
        os_unmap(page, os_page);
    else
        os_count_metadata(os_page);
}

bool os_fork_is_seen(void)
{
    return atomic_load_explicit(&host_generation, memory_order_acquire) !=
           &first_generation;
}

void os_forked(void)
{
    atomic_store_explicit(&first_generation, 0, memory_order_relaxed);
}

void os_init(void)
{
    int saved = errno;
    size_t page = (size_t)getauxval(AT_PAGESZ);
    if (os_page != page) /* threads that attach later must not write it */
        os_page = page;
    generation_init();
    errno = saved;
}

/* Read a small file into text, with a zero behind it. False: it cannot be read. */
static bool read_file(const char *path, char *text, size_t size)
{
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    long n = syscall(SYS_read, fd, text, size - 1);
    syscall(SYS_close, fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    return true;
}

static unsigned long number(const char **s)
{
    unsigned long n = 0;
    while (**s >= '0' && **s <= '9')
        n = n * 10 + (unsigned long)(*(*s)++ - '0');
    return n;
}

/* "quota period" or "max period", as cgroup v2's cpu.max has it. 0: no limit. */
static unsigned long quota_of(const char *text)
{
    if (*text < '0' || *text > '9')
        return 0;
    unsigned long quota = number(&text);
    while (*text == ' ' || *text == '\n')
        text++;
    unsigned long period = number(&text);
    return period == 0 ? 0 : (quota + period - 1) / period;
}

/* Append text up to a line's end or its own. False: no room. */
static bool append(char *path, size_t *used, size_t size, const char *text)
{
    while (*text != '\0' && *text != '\n') {
        if (*used + 1 >= size)
            return false;
        path[(*used)++] = *text++;
    }
    path[*used] = '\0';
    return true;
}

/* The cpu.max of our cgroup of version 2, from the line "0::/path". */
static bool cgroup_path(char *path, size_t size)
{
    char text[1024];
    size_t used = 0;
    if (!read_file("/proc/self/cgroup", text, sizeof text))
        return false;
    const char *line = text;
    while (*line != '\0' && !cm_starts_with(line, "0::/")) {
        while (*line != '\0' && *line++ != '\n') {
        }
    }
    return *line != '\0' && append(path, &used, size, "/sys/fs/cgroup") &&
           append(path, &used, size, line + 3) && append(path, &used, size, "/cpu.max");
}

static unsigned long cgroup_processors(void)
{
    char path[512], text[128], period[64];
    if (cgroup_path(path, sizeof path) && read_file(path, text, sizeof text))
        return quota_of(text);
    if (!read_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text,
                   sizeof text - sizeof period) ||
        !read_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period, sizeof period))
        return 0;
    size_t used = 0;
    while (text[used] != '\0')
        used++;
    return append(text, &used, sizeof text, period) ? quota_of(text) : 0;
}

unsigned os_processors(void)
{
    int saved = errno;
    unsigned long set[AFFINITY_WORDS] = {0};
    unsigned affine = 0;
    syscall(SYS_sched_getaffinity, 0, sizeof set, set);
    for (unsigned i = 0; i < AFFINITY_WORDS; i++)
        affine += (unsigned)__builtin_popcountl(set[i]);
    unsigned long quota = cgroup_processors();
    errno = saved;
    unsigned count = affine > 0 ? affine : 1;
    return quota != 0 && quota < count ? (unsigned)quota : count;
}

int os_pid(void) { return (int)syscall(SYS_getpid); }

uintptr_t os_random(void)
{
    int saved = errno;
    uintptr_t word = 0;
    if (syscall(SYS_getrandom, &word, sizeof word, GRND_NONBLOCK) != (long)sizeof word) {
        /* No getrandom: the kernel's gift to every process, and where we are. */
        const uintptr_t *gift = (const uintptr_t *)getauxval(
            AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
        word = (uintptr_t)&word * 0x9E3779B9u;
        if (gift != NULL)
            word ^= gift[0] ^ gift[1] << 1;
    }
    errno = saved;
    return word;
}

static char *
    *environment; /* as the constructor got it: libc's own is not set yet when it runs */

void os_environment_set(char **all) { environment = all; }

const char *os_environment(const char *name)
{
    char **all = environment != NULL ? environment : environ;
    if (getauxval(AT_SECURE) != 0 || all == NULL)
        return NULL;
    for (; *all != NULL; all++) {
        size_t length = cm_length(name);
        if (cm_starts_with(*all, name) && (*all)[length] == '=')
            return *all + length + 1;
    }
    return NULL;
}
