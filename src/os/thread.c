/* os/thread.c - a thread of our own, and time for it to pass. */
#include "os/os.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES (128 * KIB)

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

static _Atomic int own_thread;

int os_own_thread(void)
{
    return atomic_load_explicit(&own_thread, memory_order_relaxed);
}

static void (*own_body)(void);

/* A sandbox may kill for gettid. libc knows the id, and writes it into a mutex. */
static int own_id(void)
{
#if defined(__GLIBC__)
    pthread_mutex_t m = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
    pthread_mutex_lock(&m);
    int id = m.__data.__owner;
    pthread_mutex_unlock(&m);
    return id;
#else
    return (int)syscall(SYS_gettid);
#endif
}

static void *run(void *arg)
{
    (void)arg;
    atomic_store_explicit(&own_thread, own_id(), memory_order_relaxed);
    own_body();
    atomic_store_explicit(&own_thread, 0, memory_order_relaxed);
    return NULL;
}

/* A program with much thread-local memory needs more stack than ours: then the
 * default. */
static bool create(size_t stack)
{
    static pthread_attr_t attr; /* one start at a time, and little stack */
    pthread_t id;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (stack != 0)
        pthread_attr_setstacksize(&attr, stack);
    bool done = pthread_create(&id, &attr, run, NULL) == 0;
    pthread_attr_destroy(&attr);
    return done;
}

bool os_thread_start(void (*body)(void))
{
    static sigset_t all, before;
    int saved = errno;
    own_body = body;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool done = create(STACK_BYTES) || create(0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return done;
}
