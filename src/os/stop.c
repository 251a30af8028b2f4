/*
 * os/stop.c - see stop.h.
 *
 * The signal is a real-time one that nobody handles. Its handler, once installed, stays:
 * a thread that has blocked the signal may get it much later, and finds that nobody waits
 * for it any more.
 */
#include "os/stop.h"

#include "os/proc.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define SIGNAL_LAST 62 /* the highest that is tried; the two above it have other users */
#define SIGNAL_FIRST 36
#define SIGNAL_WORDS (64 / (8 * sizeof(unsigned long))) /* of the kernel's set */
#define STOPPED_MOST 4096
#define PATIENCE 25       /* looks at who is missing, */
#define LOOK_NS 10000000L /* that far apart */

static struct {
    _Atomic uint32_t round;   /* odd: threads are to stop, and wait while it is this */
    _Atomic uint32_t arrived; /* threads in the handler, in this round */
    _Atomic uint32_t inside;  /* entries of stopped[] taken */
    os_stopped_t *stopped;    /* STOPPED_MOST of them, mapped */
    size_t asked;             /* threads that were signalled, in tasks[] */
    size_t deaf;              /* that block the signal, in deaf_tasks[] */
    int *tasks, *deaf_tasks;
    int signal; /* 0: not chosen yet */
} stopping;

static void wait_for(_Atomic uint32_t *word, uint32_t value, const struct timespec *most)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, most, NULL, 0);
}

static void wake_all(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 0x7fffffff, NULL, NULL, 0);
}

/* The kernel has pushed the registers above this frame. */
static void note(uint32_t entry, const ucontext_t *context)
{
    if (entry >= STOPPED_MOST)
        return;
    stopping.stopped[entry] =
        (os_stopped_t){.sp = (uintptr_t)__builtin_frame_address(0),
                       .local = (uintptr_t)&errno,
                       .alternate = (uintptr_t)context->uc_stack.ss_sp,
                       .alternate_size = context->uc_stack.ss_size};
}

static CM_NOINLINE void stand_still(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    int saved = errno;
    uint32_t round = atomic_load_explicit(&stopping.round, memory_order_acquire);
    if (round % 2 == 0)
        return;
    note(atomic_fetch_add_explicit(&stopping.inside, 1, memory_order_relaxed), context);
    /* Releases the entry to the thread that waits in await(). */
    atomic_fetch_add_explicit(&stopping.arrived, 1, memory_order_release);
    wake_all(&stopping.arrived);
    while (atomic_load_explicit(&stopping.round, memory_order_acquire) == round)
        wait_for(&stopping.round, round, NULL);
    errno = saved;
}

typedef struct signals {
    unsigned long words[SIGNAL_WORDS]; /* as the kernel has them */
} signals_t;

static signals_t block_signals(void)
{
    signals_t all, before;
    for (size_t i = 0; i < SIGNAL_WORDS; i++)
        all.words[i] = ~0ul;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &before, sizeof all);
    return before;
}

static void set_signals(const signals_t *set)
{
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, NULL, sizeof *set);
}

static bool choose_signal(void)
{
    for (int n = SIGNAL_LAST; n >= SIGNAL_FIRST && stopping.signal == 0; n--) {
        struct sigaction old, mine = {.sa_sigaction = stand_still};
        mine.sa_flags = SA_SIGINFO | SA_RESTART;
        memset(&mine.sa_mask, 0xff, sizeof mine.sa_mask);
        if (sigaction(n, NULL, &old) == 0 && old.sa_handler == SIG_DFL &&
            sigaction(n, &mine, NULL) == 0)
            stopping.signal = n;
    }
    return stopping.signal != 0;
}

static bool prepare(void)
{
    if (stopping.stopped == NULL)
        stopping.stopped = os_map(os_pages(STOPPED_MOST * sizeof *stopping.stopped));
    if (stopping.tasks == NULL)
        stopping.tasks = os_map(os_pages(2 * STOPPED_MOST * sizeof *stopping.tasks));
    if (stopping.tasks != NULL)
        stopping.deaf_tasks = stopping.tasks + STOPPED_MOST;
    return stopping.stopped != NULL && stopping.tasks != NULL &&
           (stopping.signal != 0 || choose_signal());
}

/* --- who is there --- */

static bool is_among(const int *tasks, size_t count, int id)
{
    for (size_t i = 0; i < count; i++)
        if (tasks[i] == id)
            return true;
    return false;
}

/* Who blocks the signal would have everybody wait in vain. */
static void note_deaf(int id, void *arg)
{
    (void)arg;
    if (stopping.deaf < STOPPED_MOST && id != (int)syscall(SYS_gettid) &&
        id != os_own_thread() && os_thread_blocks(id, stopping.signal))
        stopping.deaf_tasks[stopping.deaf++] = id;
}

/* Signal a thread that was not yet. */
static void ask(int id, void *arg)
{
    (void)arg;
    if (id == (int)syscall(SYS_gettid) || id == os_own_thread() ||
        stopping.asked == STOPPED_MOST || is_among(stopping.tasks, stopping.asked, id) ||
        is_among(stopping.deaf_tasks, stopping.deaf, id))
        return;
    if (syscall(SYS_tgkill, syscall(SYS_getpid), id, stopping.signal) == 0)
        stopping.tasks[stopping.asked++] = id;
}

/* Those that have ended since need not come. */
static size_t still_expected(void)
{
    size_t alive = 0;
    for (size_t i = 0; i < stopping.asked; i++)
        alive += syscall(SYS_tgkill, syscall(SYS_getpid), stopping.tasks[i], 0) == 0;
    return alive;
}

/* Wait until all that were asked have come. False: some have not. */
static bool await(void)
{
    const struct timespec look = {0, LOOK_NS};
    for (int looks = 0; looks < PATIENCE; looks++) {
        uint32_t now;
        while ((now = atomic_load_explicit(&stopping.arrived, memory_order_acquire)) <
               stopping.asked) {
            long woken = syscall(SYS_futex, &stopping.arrived, FUTEX_WAIT_PRIVATE, now,
                                 &look, NULL, 0);
            if (woken != 0 && errno == ETIMEDOUT)
                break;
        }
        if (now >= stopping.asked || now >= still_expected())
            return true;
    }
    return false;
}

size_t os_stop(const os_stopped_t **stopped, size_t *missed)
{
    int saved = errno;
    *missed = 0;
    stopping.asked = 0;
    if (!prepare()) {
        errno = saved;
        return 0;
    }
    stopping.deaf = 0;
    os_each_number(0, "task", note_deaf, NULL);
    atomic_store_explicit(&stopping.arrived, 0, memory_order_relaxed);
    atomic_store_explicit(&stopping.inside, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&stopping.round, 1, memory_order_release);
    /* Who was started by a thread that had not stopped yet is in the next list. */
    for (size_t before = 1; before != stopping.asked;) {
        before = stopping.asked;
        if (!os_each_number(0, "task", ask, NULL))
            *missed = 1; /* at least: we do not know who is there */
        if (!await())
            break;
    }
    size_t arrived = atomic_load_explicit(&stopping.arrived, memory_order_acquire);
    size_t expected = still_expected();
    *missed += stopping.deaf + (expected > arrived ? expected - arrived : 0);
    *stopped = stopping.stopped;
    errno = saved;
    return arrived < STOPPED_MOST ? arrived : STOPPED_MOST;
}

void os_start(void)
{
    int saved = errno;
    if (atomic_load_explicit(&stopping.round, memory_order_relaxed) % 2 == 1) {
        atomic_fetch_add_explicit(&stopping.round, 1, memory_order_release);
        wake_all(&stopping.round);
    }
    errno = saved;
}

os_stopped_t os_own_stack(void)
{
    int saved = errno;
    stack_t alternate = {.ss_sp = NULL};
    syscall(SYS_sigaltstack, NULL, &alternate);
    errno = saved;
    return (os_stopped_t){.sp = (uintptr_t)__builtin_frame_address(0),
                          .local = (uintptr_t)&errno,
                          .alternate = (uintptr_t)alternate.ss_sp,
                          .alternate_size = alternate.ss_size};
}

/* --- a copy --- */

static _Noreturn void be_copy(bool (*work)(void *arg), void *arg)
{
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0L, 0L, 0L);
    syscall(SYS_exit_group, work(arg) ? 0 : 1);
    __builtin_unreachable();
}

/* Should somebody else have waited for every child there is, nothing is known: true. */
static bool has_succeeded(long child)
{
    int status = 0;
    long n;
    do
        n = syscall(SYS_wait4, child, &status, __WALL, NULL);
    while (n < 0 && errno == EINTR);
    return n < 0 || status == 0;
}

bool os_in_copy(bool (*work)(void *arg), void (*between)(void *arg), void *arg)
{
    int saved = errno;
    /* Exit signal 0; a debugger that follows forks leaves the copy alone. */
    signals_t before = block_signals(); /* the program's handlers are not for the copy */
    long child = syscall(SYS_clone, CLONE_UNTRACED, 0L, 0L, 0L, 0L);
    if (child < 0 && errno == EINVAL) /* an emulator that knows fork alone */
        child = syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
    if (child == 0)
        be_copy(work, arg);
    set_signals(&before);
    if (between != NULL)
        between(arg);
    bool done = child > 0 && has_succeeded(child);
    errno = saved;
    return done;
}

/* Asked at each start: libc's own function would be pages more of it in memory. */
CM_NEAR int os_process(void) { return (int)syscall(SYS_getpid); }

void os_sleep(unsigned milliseconds)
{
    int saved = errno;
    /* The kernel's own timespec: libc's may have other widths. */
    struct {
        long seconds, nanoseconds;
    } left = {(long)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000L};
    while (syscall(SYS_nanosleep, &left, &left) != 0 && errno == EINTR) {
    }
    errno = saved;
}
