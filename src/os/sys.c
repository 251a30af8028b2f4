/*
 * os/sys.c - what is not memory: waiting, writing, chance, the environment, forks.
 *
 * What only start-up needs (getrandom) is asked once, from the constructor: a sandbox may
 * forbid it later.
 */
#include "os/os.h"

#include "base/text.h"
#include "os/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Not from <stdlib.h>: it would tell the compiler what malloc and free may be assumed to
 * do. */
_Noreturn void abort(void);

#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

/* Until os_init has a page that fork wipes, the generation is this word: it can tell no
 * child apart. */
static _Atomic uint32_t first_generation = 1;
static _Atomic uint32_t newest_generation = 1;
_Atomic uint32_t *_Atomic host_generation = &first_generation;
static _Atomic int process; /* whose generation it is */

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

static void note_process(void)
{
    atomic_store_explicit(&process, os_process(), memory_order_relaxed);
}

bool os_owns_memory(void)
{
    return os_process() == atomic_load_explicit(&process, memory_order_relaxed);
}

uint32_t host_generation_renew(void)
{
    _Atomic uint32_t *word = atomic_load_explicit(&host_generation, memory_order_acquire);
    uint32_t mine =
        atomic_fetch_add_explicit(&newest_generation, 1, memory_order_relaxed) + 1;
    uint32_t seen = 0;
    note_process();
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
    note_process();
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

/* Debug variants: CMALLOC_OPTIONS=page_size=64k, looked for before anything has a page.
 * The kernel's copy of the environment is there before libc's. */
static CM_UNUSED size_t forced_page(size_t kernels)
{
    static char text[32 * 1024];
    static size_t forced;
    if (forced != 0)
        return forced;
    long fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY | O_CLOEXEC);
    long n = fd < 0 ? 0 : syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    size_t wish = 0;
    for (long i = 0; i < n; i += (long)cm_length(text + i) + 1)
        if (cm_starts_with(text + i, "CMALLOC_OPTIONS="))
            wish = cm_contains(text + i, "page_size=16k")   ? 16 * KIB
                   : cm_contains(text + i, "page_size=64k") ? 64 * KIB
                                                            : 0;
    forced = wish > kernels ? wish : kernels;
    return forced;
}

CM_START void os_init(void)
{
    int saved = errno;
    size_t page = (size_t)getauxval(AT_PAGESZ),
           ours = CM_DEBUG ? forced_page(page) : page;
    if (os_page != ours || os_kernel_page != page) { /* later threads must not write it */
        os_kernel_page = page;
        os_page = ours;
    }
    generation_init();
    errno = saved;
}

CM_START void os_random(uintptr_t *words, unsigned count)
{
    int saved = errno;
    size_t bytes = count * sizeof *words;
    if (syscall(SYS_getrandom, words, bytes, GRND_NONBLOCK) != (long)bytes) {
        /* No getrandom: the kernel's gift to every process, and where we are. */
        const uintptr_t *gift = (const uintptr_t *)getauxval(
            AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
        for (unsigned i = 0; i < count; i++) {
            words[i] = ((uintptr_t)words + i) * 0x9E3779B9u;
            if (gift != NULL)
                words[i] ^= gift[0] ^ gift[1] << (i + 1);
        }
    }
    errno = saved;
}

static char *
    *environment; /* as the constructor got it: libc's own is not set yet when it runs */

CM_START void os_environment_set(char **all) { environment = all; }

const char *os_environment(const char *name)
{
    char **all = environment != NULL ? environment : environ;
    if (getauxval(AT_SECURE) != 0 || all == NULL)
        return NULL;
    size_t length = cm_length(name);
    for (; *all != NULL; all++) {
        if (cm_starts_with(*all, name) && (*all)[length] == '=')
            return *all + length + 1;
    }
    return NULL;
}

/* --- what statistics are written to, and when --- */

CM_FAR int os_create(const char *path)
{
    int saved = errno;
    long fd = syscall(SYS_openat, AT_FDCWD, path,
                      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    errno = saved;
    return (int)fd;
}

/* Without waiting for a pipe's reader. */
CM_FAR int os_open_device(const char *path)
{
    int saved = errno;
    struct stat is;
    long fd =
        syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        fd = errno == ENXIO ? -2 : -1;
    else if (fstat((int)fd, &is) != 0 || S_ISREG(is.st_mode)) {
        syscall(SYS_close, fd);
        fd = -1;
    } else {
        fcntl((int)fd, F_SETFL, 0);
    }
    errno = saved;
    return (int)fd;
}

#define HIGH_UP 200 /* beyond what programs count on */

CM_FAR int os_duplicate(int fd)
{
    int saved = errno;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_UP);
    errno = saved;
    return copy;
}

CM_FAR void os_close(int fd)
{
    int saved = errno;
    syscall(SYS_close, fd);
    errno = saved;
}

CM_FAR bool os_rename(const char *from, const char *to)
{
    int saved = errno;
    bool done = syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) == 0;
    errno = saved;
    return done;
}

CM_FAR bool os_handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    int saved = errno;
    sigfillset(&action.sa_mask);
    bool done = sigaction(number, &action, NULL) == 0;
    errno = saved;
    return done;
}
