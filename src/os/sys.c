/*
 * os/sys.c - what is not memory: waiting, writing, processors, chance, the environment, forks.
 *
 * What only start-up needs (files below /sys and /proc, getrandom, affinity) is asked once, from the
 * constructor: a sandbox may forbid it later.
 */
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

/* Until os_init has a page that fork wipes, the generation is this word: it can tell no child apart. */
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
        ssize_t n = write(fd, text, length);
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
    _Atomic uint32_t *page =
        mmap(NULL, os_page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
    atomic_store_explicit(page, 1, memory_order_relaxed);
    _Atomic uint32_t *expected = &first_generation;
    if (madvise(page, os_page, MADV_WIPEONFORK) != 0 ||
        !atomic_compare_exchange_strong_explicit(&host_generation, &expected, page,
                                                 memory_order_release,
                                                 memory_order_relaxed))
        munmap(page, os_page);
}

void os_init(void)
{
    int saved = errno;
    os_page = (size_t)getauxval(AT_PAGESZ);
    generation_init();
    errno = saved;
}

/* Read a small file into text, with a zero behind it. False: it cannot be read. */
static bool read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, size - 1);
    close(fd);
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

/* The path of our cgroup below the mount point of version 2, from the line "0::/path". */
static bool cgroup_path(char *path, size_t size)
{
    static const char root[] = "/sys/fs/cgroup", leaf[] = "/cpu.max";
    char text[1024];
    if (!read_file("/proc/self/cgroup", text, sizeof text))
        return false;
    const char *line = strstr(text, "0::/");
    size_t length = line == NULL ? 0 : strcspn(line + 3, "\n");
    if (length + sizeof root + sizeof leaf > size)
        return false;
    memcpy(path, root, sizeof root - 1);
    if (length > 1)
        memcpy(path + sizeof root - 1, line + 3, length);
    memcpy(path + sizeof root - 1 + (length > 1 ? length : 0), leaf, sizeof leaf);
    return true;
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
    memcpy(text + strlen(text), period, strlen(period) + 1);
    return quota_of(text);
}

unsigned os_processors(void)
{
    int saved = errno;
    cpu_set_t set;
    CPU_ZERO(&set);
    int affine = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    unsigned long quota = cgroup_processors();
    errno = saved;
    unsigned count = affine > 0 ? (unsigned)affine : 1;
    return quota != 0 && quota < count ? (unsigned)quota : count;
}

uintptr_t os_random(void)
{
    int saved = errno;
    uintptr_t word = 0;
    if (getrandom(&word, sizeof word, GRND_NONBLOCK) != (ssize_t)sizeof word) {
        /* No getrandom: the kernel's gift to every process, and where and when we are. */
        const void *gift =
            (const void *)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
        struct timespec now = {0, 0};
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (gift != NULL)
            memcpy(&word, gift, sizeof word);
        word ^= (uintptr_t)&word ^ ((uintptr_t)now.tv_nsec << 20);
    }
    errno = saved;
    return word;
}

static char *
    *environment; /* as the constructor got it: libc's own is not set yet when it runs */

void os_environment_set(char **all) { environment = all; }

const char *os_environment(const char *name)
{
    size_t length = strlen(name);
    if (getauxval(AT_SECURE) != 0)
        return NULL;
    if (environment == NULL)
        return getenv(name);
    for (char **e = environment; *e != NULL; e++)
        if (strncmp(*e, name, length) == 0 && (*e)[length] == '=')
            return *e + length + 1;
    return NULL;
}
