/*
 * os/thread.c - a thread of our own, and time for it to pass.
 *
 * The thread is the kernel's and not libc's. malloc and free are called by libc itself,
 * and by whoever libc calls back, under locks that pthread_create waits for (seen: a
 * thread that ends frees its thread-local memory under nptl's lock on stacks). clone
 * takes none. So the thread has a stack and thread-local memory of our making: zeroes
 * where errno and our own variables are, and where libc has its struct a pointer to
 * itself and the canary. Of libc it may call nothing that needs more: system calls,
 * memset and the like.
 */
#include "os/os.h"

#include "base/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES (64 * KIB)
#define LIBC_BYTES (4 * KIB) /* libc's struct, before or behind the thread pointer */
#define OURS_BYTES 256       /* a library's thread-local variables are together */

uint32_t os_milliseconds(void)
{
    struct timespec t = {0, 0};
    int saved = errno;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    errno = saved;
    return (uint32_t)t.tv_sec * 1000 + (uint32_t)(t.tv_nsec / 1000000);
}

void os_doze(_Atomic uint32_t *word, uint32_t value, uint32_t milliseconds)
{
    struct timespec t = {.tv_sec = (time_t)(milliseconds / 1000),
                         .tv_nsec = (long)(milliseconds % 1000) * 1000000};
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, &t, NULL, 0);
    errno = saved;
}

/* glibc 2.32: not 0 while there is but one thread that it knows of. */
extern char __libc_single_threaded __attribute__((weak));

bool os_has_threads(void)
{
    return &__libc_single_threaded != NULL && __libc_single_threaded == 0;
}

/* --- the thread --- */

static struct {
    char *memory; /* a guard page, the stack, thread-local memory */
    size_t bytes;
    uintptr_t pointer; /* the thread pointer, in there */
    uint32_t generation;
    _Atomic int id; /* the kernel writes it, and 0 when the thread is off its stack */
    void (*body)(void);
} own_thread;
static CM_TLS char own_tls; /* where our thread-local variables are */

int os_own_thread(void)
{
    return atomic_load_explicit(&own_thread.id, memory_order_relaxed);
}

static uintptr_t thread_pointer(void)
{
#if defined(__x86_64__)
    uintptr_t pointer;
    __asm__("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
#else
    return (uintptr_t)__builtin_thread_pointer();
#endif
}

/* Map it once, as far around the thread pointer as what we use lies around the
 * caller's. */
static bool have_memory(void)
{
    uintptr_t here = thread_pointer(), uses[] = {(uintptr_t)&errno, (uintptr_t)&own_tls};
    size_t below = LIBC_BYTES, above = LIBC_BYTES;
    for (unsigned i = 0; i < 2; i++) {
        if (uses[i] < here && here - uses[i] + OURS_BYTES > below)
            below = here - uses[i] + OURS_BYTES;
        if (uses[i] >= here && uses[i] - here + OURS_BYTES > above)
            above = uses[i] - here + OURS_BYTES;
    }
    if (own_thread.memory != NULL)
        return true;
    size_t stack = os_page + STACK_BYTES + os_pages(below);
    own_thread.bytes = stack + os_pages(above);
    char *memory = os_map(own_thread.bytes);
    if (memory == NULL)
        return false;
    os_count_metadata(own_thread.bytes);
    mprotect(memory, os_page, PROT_NONE);
    own_thread.pointer = (uintptr_t)memory + stack;
    cm_signal_fence(); /* a fork in another thread copies what is there: all or nothing */
    own_thread.memory = memory;
    return true;
}

/* The words that compiled code and libc read through the thread pointer. */
static void write_header(void)
{
    uintptr_t *header =
        (uintptr_t *)own_thread.pointer; /* NOLINT(performance-no-int-to-ptr) */
    memset(own_thread.memory + os_page + STACK_BYTES, 0,
           own_thread.bytes - os_page - STACK_BYTES);
#if defined(__x86_64__)
    const uintptr_t *callers =
        (const uintptr_t *)thread_pointer(); /* NOLINT(performance-no-int-to-ptr) */
    header[0] = header[2] = own_thread.pointer;
    header[5] = callers[5];
#else
    (void)header;
#endif
}

static int run(void *arg)
{
    (void)arg;
    own_thread.body();
    return 0;
}

/* The last thread has nothing more to do than to end; a child of fork has none. False: it
 * has not ended yet. */
static bool has_ended(void)
{
    if (own_thread.generation != cm_generation())
        atomic_store_explicit(&own_thread.id, 0, memory_order_relaxed);
    own_thread.generation = cm_generation();
    return atomic_load_explicit(&own_thread.id, memory_order_acquire) == 0;
}

/* What the caller has blocked comes back, and the thread has all blocked, by the kernel's
 * own set: libc's leaves two out. */
static void mask_signals(uint64_t *before, bool block)
{
    const uint64_t all = ~(uint64_t)0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, block ? &all : before, block ? before : NULL,
            sizeof all);
}

#if defined(__i386__)
#define HAS_THREAD 0 /* its thread pointer is a segment's */
#else
#define HAS_THREAD 1
#endif

bool os_thread_start(void (*body)(void))
{
    /* Those of pthread_create: a sandbox may allow no others. */
    const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                      CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                      CLONE_CHILD_CLEARTID;
    uint64_t before;
    int saved = errno;
    if (!HAS_THREAD || !has_ended() || !os_owns_memory() || !have_memory())
        return false;
    write_header();
    own_thread.body = body;
    mask_signals(&before, true);
    bool done = clone(run, own_thread.memory + os_page + STACK_BYTES, flags, NULL,
                      &own_thread.id, own_thread.pointer, &own_thread.id) != -1;
    mask_signals(&before, false);
    errno = saved;
    return done;
}
