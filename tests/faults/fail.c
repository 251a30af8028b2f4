/*
 * fail.c - preloaded into a test program: the FAIL_AT-th system call that the library
 * makes fails once, with an error that this call may have. Children made by fork count
 * on, with their parent. With FAIL_AT=0 nothing fails, and the number of calls is said at
 * the end.
 *
 * The library calls through syscall(3), sbrk and getrandom, so those are taken. x86_64.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

struct shared {
    atomic_long calls;
};

static struct shared *_Atomic shared;
static long fail_at = -1;
static int first_process;

static long kernel(long number, const long a[6])
{
    long result;
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static long plain(long number, long a, long b, long c, long d, long e, long f)
{
    return kernel(number, (long[]){a, b, c, d, e, f});
}

/* The first call may come before libc has its environment, so the kernel's is read. */
static void begin(void)
{
    static char text[64 * 1024];
    void *page = (void *)plain(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    long fd = plain(SYS_openat, AT_FDCWD, (long)"/proc/self/environ", O_RDONLY, 0, 0, 0);
    long n = plain(SYS_read, fd, (long)text, sizeof text - 1, 0, 0, 0);
    plain(SYS_close, fd, 0, 0, 0, 0, 0);
    for (long i = 0; i < n; i += (long)strlen(text + i) + 1)
        if (strncmp(text + i, "FAIL_AT=", 8) == 0)
            fail_at = strtol(text + i + 8, NULL, 10);
    first_process = (int)plain(SYS_getpid, 0, 0, 0, 0, 0, 0);
    atomic_store(&shared, page);
}

/* The error with which this call fails; 0: it cannot fail, or its failure would be
 * another program's fault (a lost wake). */
static int error_of(long number, const long a[6])
{
    switch (number) {
    case SYS_mmap:
    case SYS_munmap:
    case SYS_mremap:
    case SYS_mprotect:
    case SYS_brk:
        return ENOMEM;
    case SYS_madvise:
    case SYS_prctl:
        return EINVAL;
    case SYS_mincore:
    case SYS_clone:
        return EAGAIN;
    case SYS_openat:
        return EMFILE;
    case SYS_read:
    case SYS_write:
    case SYS_getdents64:
        return EIO;
    case SYS_lseek:
        return ESPIPE;
    case SYS_process_vm_readv:
    case SYS_sched_getaffinity:
        return EPERM;
    case SYS_getrandom:
        return ENOSYS;
    case SYS_nanosleep:
        return EINTR;
    case SYS_futex:
        return (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT ? EINTR : 0;
    default:
        return 0;
    }
}

static bool fails(long number, const long a[6])
{
    char line[80];
    if (atomic_load(&shared) == NULL)
        begin();
    int error = error_of(number, a);
    if (error == 0 || fail_at < 0 ||
        atomic_fetch_add(&atomic_load(&shared)->calls, 1) + 1 != fail_at)
        return false;
    int n = snprintf(line, sizeof line, "fail: call %ld, number %ld, errno %d\n", fail_at,
                     number, error);
    plain(SYS_write, STDERR_FILENO, (long)line, n, 0, 0, 0);
    errno = error;
    return true;
}

long syscall(long number, ...)
{
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (fails(number, a))
        return -1;
    long result = kernel(number, a);
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

/* libc's own, under its other name. */
void *__sbrk(intptr_t delta);

void *sbrk(intptr_t delta)
{
    const long none[6] = {0};
    return delta != 0 && fails(SYS_brk, none) ? (void *)-1 : __sbrk(delta);
}

ssize_t getrandom(void *to, size_t size, unsigned flags)
{
    const long a[6] = {(long)to, (long)size, (long)flags};
    return fails(SYS_getrandom, a) ? -1 : syscall(SYS_getrandom, to, size, flags);
}

__attribute__((destructor)) static void say(void)
{
    struct shared *counts = atomic_load(&shared);
    if (counts != NULL && fail_at == 0 && getpid() == first_process)
        fprintf(stderr, "fail: %ld calls\n", atomic_load(&counts->calls));
}
