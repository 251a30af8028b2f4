/*
 * soak.c SECONDS - the worst that a program does to its malloc, for as long as one likes:
 * threads that start and end and free each other's objects, signals at any moment,
 * children of fork that go on, and requests beyond what memory there is. Every object
 * bears a pattern; the heap is checked once a second, in children too. The handlers do
 * not allocate: below a hit that they interrupt no malloc allows it
 * (tests/preload/src/signal.c).
 */
#include "../unit/support.h"

#include <sys/time.h>
#include <time.h>

enum { WORKERS = 6, MAILBOXES = 512, STEPS = 40000, LIMIT = 1024, HUGE_SIZE = 600 };

static _Atomic(unsigned char *) mailbox[MAILBOXES];
static _Atomic bool over;
static _Atomic unsigned long signals;

/* ---- objects ----------------------------------------------------------------------- */

/* The size stands in front, its pattern behind. */
static unsigned char *made(size_t n, uint64_t *chance)
{
    unsigned char *mem =
        random_below(chance, 20) == 0 ? aligned_alloc(64, (n + 63) / 64 * 64) : malloc(n);
    if (mem == NULL)
        return NULL;
    memcpy(mem, &n, sizeof n);
    memset(mem + sizeof n, (int)(n % 251), n - sizeof n);
    return mem;
}

static size_t size_of(const unsigned char *mem)
{
    size_t n;
    memcpy(&n, mem, sizeof n);
    return n;
}

static void unmade(unsigned char *mem)
{
    if (mem == NULL)
        return;
    size_t n = size_of(mem);
    CHECK(is_all(mem + sizeof n, (unsigned char)(n % 251), n - sizeof n));
    free(mem);
}

static size_t any_size(uint64_t *chance)
{
    size_t n = sizeof(size_t) + random_below(chance, 200);
    unsigned luck = (unsigned)random_below(chance, 1000);
    return luck < 900 ? n : luck < 998 ? n * 40 : n * 4000;
}

static unsigned char *resized(unsigned char *mem, uint64_t *chance)
{
    size_t n = any_size(chance), old = mem == NULL ? n : size_of(mem);
    unsigned char *moved = mem == NULL ? NULL : realloc(mem, n);
    if (moved == NULL)
        return mem;
    size_t kept = (old < n ? old : n) - sizeof n;
    CHECK(is_all(moved + sizeof n, (unsigned char)(old % 251), kept));
    memcpy(moved, &n, sizeof n);
    memset(moved + sizeof n, (int)(n % 251), n - sizeof n);
    return moved;
}

static void step(uint64_t *chance)
{
    _Atomic(unsigned char *) *box = &mailbox[random_below(chance, MAILBOXES)];
    unsigned char *mem = atomic_exchange(box, NULL);
    if (random_below(chance, 4) == 0)
        mem = resized(mem, chance);
    else {
        unmade(mem);
        mem = made(any_size(chance), chance);
    }
    unmade(atomic_exchange(box, mem));
}

/* ---- threads, signals, children ---------------------------------------------------- */

static void *work(void *seed)
{
    uint64_t chance = (uint64_t)(uintptr_t)seed;
    for (int i = 0; i < STEPS && !atomic_load(&over); i++) {
        step(&chance);
        if (i % 10000 == 5000)
            free(malloc(HUGE_SIZE * MIB)); /* more than there may be */
    }
    return NULL;
}

static void handle(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

static void be_child(uint64_t chance)
{
    for (int i = 0; i < 3000; i++)
        step(&chance);
    CHECK(cmalloc_check());
    _exit(EXIT_SUCCESS);
}

static void beget(uint64_t chance)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        be_child(chance);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR);
    CHECK(status == 0);
}

static void keep_busy(time_t seconds)
{
    pthread_t worker[WORKERS];
    uint64_t chance = support_seed | 1;
    time_t end = time(NULL) + seconds, checked = 0;
    for (uintptr_t i = 0; i < WORKERS; i++)
        worker[i] = start_thread(work, (void *)(i + 1));
    for (unsigned next = 0; time(NULL) < end; next = (next + 1) % WORKERS) {
        join_thread(worker[next]);
        worker[next] =
            start_thread(work, (void *)(uintptr_t)(random_below(&chance, 1u << 30) + 1));
        if (time(NULL) == checked)
            continue;
        checked = time(NULL);
        beget(chance);
        CHECK(cmalloc_check());
    }
    atomic_store(&over, true);
    for (unsigned i = 0; i < WORKERS; i++)
        join_thread(worker[i]);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 7000}, {0, 7000}};
    struct rlimit most = {LIMIT * (rlim_t)MIB, LIMIT * (rlim_t)MIB};
    require_library();
    announce_seed();
    CHECK(argc > 1 && setrlimit(RLIMIT_AS, &most) == 0);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    keep_busy(atol(argv[1]));
    for (size_t i = 0; i < MAILBOXES; i++)
        unmade(atomic_exchange(&mailbox[i], NULL));
    CHECK(cmalloc_check() && signals > 0);
    return EXIT_SUCCESS;
}
