/*
 * leak/plant.cc - plants 1,000 leaks of twelve kinds among 100,000 live objects, and
 * asks the allocator which are which.
 *
 *   plant TRUTH [command]...
 *
 *   precise N   N scans in precise mode        no-stop N   N scans that stop nobody
 *   once        without the confirming scan    aligned     no unaligned pointers
 *   pin         threads hold objects in        no-pin      and no longer
 *               registers alone, from here on
 *   load        threads allocate, free and pass on objects, from here on
 *   churn       threads start and end, libraries come and go, from here on
 *   crowd N     N more threads, which wait
 *   kill        copies that scan are killed at random; scans may fail
 *   deny        no ptrace and no process_vm_readv, from here on
 *   collect     free what is unreachable
 *   ready       print the pid and wait for a line
 *
 * The truth goes to a file for scans from outside. Each scan prints one line; any live
 * object reported, or less than 99 % of the leaks found, fails.
 */
#include "truth.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <map>
#include <memory>
#include <pthread.h>
#include <random>
#include <signal.h>
#include <string>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#include "cmalloc.h"

#pragma weak cmalloc_leaks
#pragma weak cmalloc_check
#pragma weak cmalloc_ignore
#pragma weak cmalloc_root_add
#pragma weak cmalloc_collect

#define LIVE_OBJECTS 100000
#define THREADS 8
#define NOINLINE __attribute__((noinline))

/* --- structures --- */

struct node {
    node *next, *other;
    char payload[48];
};

struct packed {
    char tag;
    packed *next;
    char payload[23];
} __attribute__((packed));

struct shape {
    virtual ~shape() {}
    virtual double area() const = 0;
    int corners = 0;
};

struct square : shape {
    std::unique_ptr<std::vector<int>> points{new std::vector<int>(20)};
    double area() const override { return 1.0; }
};

static const char *kind;
static fate_t fate;

static void *make(size_t n)
{
    void *p = std::calloc(1, n);
    if (p == nullptr)
        std::abort();
    truth_add(fate, kind, p);
    return p;
}

static node *new_node() { return static_cast<node *>(make(sizeof(node))); }

static node *new_list(unsigned n)
{
    node *first = nullptr;
    while (n-- > 0) {
        node *one = new_node();
        one->next = first;
        first = one;
    }
    return first;
}

static node *new_ring(unsigned n)
{
    node *first = new_list(n), *last = first;
    for (node *p = first; p->next != nullptr; p = p->next) {
        p->next->other = p;
        last = p->next;
    }
    last->next = first;
    first->other = last;
    return first;
}

static node *new_tree(unsigned depth)
{
    node *root = new_node();
    if (depth > 1) {
        root->next = new_tree(depth - 1);
        root->other = new_tree(depth - 1);
    }
    return root;
}

static square *new_square()
{
    square *s = new square;
    truth_add(fate, kind, s);
    truth_add(fate, kind, s->points.get());
    truth_add(fate, kind, s->points->data());
    return s;
}

static packed *new_packed(unsigned n)
{
    packed *first = nullptr;
    while (n-- > 0) {
        packed *one = static_cast<packed *>(make(sizeof(packed)));
        one->next = first;
        first = one;
    }
    return first;
}

/* Every link points into the middle. */
static char *new_interior(unsigned n)
{
    char *inside = nullptr;
    while (n-- > 0) {
        char *one = static_cast<char *>(make(400));
        std::memcpy(one + 16, &inside, sizeof inside);
        inside = one + 200;
    }
    return inside;
}

static node *new_mapped(unsigned n)
{
    node *first = nullptr;
    while (n-- > 0) {
        node *one = static_cast<node *>(make(300 * 1024));
        one->next = first;
        first = one;
    }
    return first;
}

#define SECRET static_cast<uintptr_t>(0x5bd1e995a5a5a5a5u)

static uintptr_t hidden(const void *p) { return reinterpret_cast<uintptr_t>(p) ^ SECRET; }

/* A list whose links are hidden: each chunk stands alone. */
static uintptr_t new_hidden(unsigned n)
{
    uintptr_t first = 0;
    while (n-- > 0) {
        uintptr_t *one = static_cast<uintptr_t *>(make(64));
        one[0] = first;
        first = hidden(one);
    }
    return first;
}

/* --- places --- */

void *volatile statics[4096]; /* volatile, else nobody reads it and it goes */
volatile uintptr_t kept_hidden;
static size_t static_count;
static void keep(void *p) { statics[static_count++] = p; }

typedef void *(*library_word_t)(void *p, int local, unsigned index);
static library_word_t kept_library;

static library_word_t open_library(void **handle)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    char *slash = std::strrchr(path, '/');
    std::strcpy(slash + 1, "library.so");
    *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (*handle == nullptr) {
        std::fprintf(stderr, "%s\n", dlerror());
        std::exit(2);
    }
    return reinterpret_cast<library_word_t>(dlsym(*handle, "library_word"));
}

static thread_local void *own_words[16];

static volatile int pinned, finished; /* for the asm and the threads */
static pthread_barrier_t planted;

/* Loop with p in a register and nowhere else, as far as the compiler lets us, for as long
 * as pinned == value. */
static NOINLINE void *hold(void *p, volatile int *word, int value)
{
#if defined(__x86_64__)
    __asm__ volatile("1: pause; cmpl %2, (%1); je 1b"
                     : "+r"(p)
                     : "r"(word), "r"(value)
                     : "memory", "cc");
#elif defined(__aarch64__)
    __asm__ volatile("1: yield; ldr w9, [%1]; cmp w9, %w2; b.eq 1b"
                     : "+r"(p)
                     : "r"(word), "r"(value)
                     : "memory", "cc", "x9");
#else
    while (*word == value) {
    }
#endif
    return p;
}

static void *mutex_free_words[THREADS]; /* where a thread puts its object in between */
static pthread_mutex_t truth_lock = PTHREAD_MUTEX_INITIALIZER;

static NOINLINE void plant_thread(node **on_stack, unsigned index)
{
    pthread_mutex_lock(&truth_lock);
    fate = LIVE;
    kind = "stack";
    *on_stack = new_list(100);
    kind = "thread-local";
    own_words[0] = new_list(50);
    kind = "library-local";
    kept_library(new_list(10), 1, 3);
    kind = "register";
    mutex_free_words[index] = new_list(3);
    pthread_mutex_unlock(&truth_lock);
}

static NOINLINE void *take_word(unsigned index)
{
    void *p = mutex_free_words[index];
    mutex_free_words[index] = nullptr;
    return p;
}

/* Waits, or holds its object in a register, as long as main says so. */
static void *live_thread(void *arg)
{
    unsigned index = static_cast<unsigned>(reinterpret_cast<uintptr_t>(arg));
    node *on_stack;
    plant_thread(&on_stack, index);
    pthread_barrier_wait(&planted);
    while (!finished) {
        if (index < 2 && pinned)
            mutex_free_words[index] = hold(take_word(index), &pinned, 1);
        else
            usleep(1000);
    }
    return on_stack == nullptr ? nullptr : own_words[0];
}

/* --- twelve kinds of leaks --- */

static void *leave_in_local(void *)
{
    own_words[0] = new_list(20);
    own_words[1] = new_tree(3);
    own_words[2] = new_list(13);
    return nullptr;
}

static void *leave_nothing(void *)
{
    own_words[0] = std::malloc(100);
    std::free(own_words[0]);
    own_words[0] = nullptr;
    return nullptr;
}

static NOINLINE void leak_structures()
{
    fate = LEAKED;
    kind = "single";
    for (unsigned i = 0; i < 100; i++)
        make(16 + 40 * i);
    kind = "list";
    for (unsigned i = 0; i < 10; i++)
        new_list(10);
    kind = "cycle";
    for (unsigned i = 0; i < 10; i++)
        new_ring(10);
    kind = "tree";
    for (unsigned i = 0; i < 7; i++)
        new_tree(4);
    kind = "object";
    for (unsigned i = 0; i < 30; i++)
        new_square();
    kind = "packed";
    for (unsigned i = 0; i < 8; i++)
        new_packed(10);
    kind = "interior";
    for (unsigned i = 0; i < 10; i++)
        new_interior(10);
    kind = "mapped";
    for (unsigned i = 0; i < 5; i++)
        new_mapped(5);
    kind = "hidden";
    for (unsigned i = 0; i < 8; i++)
        new_hidden(10);
}

/* Kept for a while, by a register, a thread, a library; and then by nobody. */
static NOINLINE void leak_from_places()
{
    fate = LEAKED;
    kind = "register";
    for (unsigned i = 0; i < 6; i++)
        hold(new_list(10), &finished, 1);
    kind = "thread-local";
    for (unsigned i = 0; i < 2; i++) {
        pthread_t thread;
        pthread_create(&thread, nullptr, leave_in_local, nullptr);
        pthread_join(thread, nullptr);
    }
    kind = "library";
    void *handle;
    library_word_t word = open_library(&handle);
    for (unsigned i = 0; i < 8; i++)
        word(new_list(10), 0, 1 + i);
    for (unsigned i = 0; i < 8; i++)
        word(nullptr, 0, 1 + i);
    dlclose(handle);
}

/* --- live objects, each reachable in one way only --- */

static NOINLINE void live_in_kernel()
{
    kind = "epoll";
    int fd = epoll_create1(EPOLL_CLOEXEC), ends[2];
    if (fd < 0 || pipe(ends) != 0)
        std::abort();
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.ptr = new_list(5);
    epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &event);
    std::memset(&event, 0, sizeof event);
    kind = "timer";
    timer_t timer;
    sigevent on = {};
    on.sigev_notify = SIGEV_SIGNAL;
    on.sigev_signo = SIGUSR1;
    on.sigev_value.sival_ptr = new_list(5);
    signal(SIGUSR1, SIG_IGN);
    if (timer_create(CLOCK_MONOTONIC, &on, &timer) != 0)
        std::abort();
    std::memset(&on, 0, sizeof on);
}

static void *map_page(int flags)
{
    void *page =
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        std::abort();
    return page;
}

static NOINLINE void live_in_places()
{
    fate = LIVE;
    kind = "library";
    void *handle;
    kept_library = open_library(&handle);
    for (unsigned i = 0; i < 10; i++)
        kept_library(new_list(10), 0, i);
    kind = "interior";
    keep(new_interior(100));
    kind = "packed";
    keep(new_packed(100));
    kind = "mapped";
    node *mapped = new_mapped(5);
    keep(mapped->payload + 200 * 1024); /* NOLINT: inside the chunk */
    node *first = static_cast<node *>(mapped);
    first->other = new_list(20);
    kind = "foreign-map";
    *static_cast<void **>(map_page(MAP_PRIVATE)) = new_list(20);
    live_in_kernel();
    kind = "ignored";
    if (cmalloc_ignore != nullptr)
        cmalloc_ignore(new_hidden(1) != 0
                           ? reinterpret_cast<void *>(~truths[truth_count - 1].hidden)
                           : nullptr);
    kind = "shared-map";
    if (cmalloc_root_add != nullptr) {
        void *shared = map_page(MAP_SHARED);
        *static_cast<void **>(shared) = new_list(10);
        cmalloc_root_add(shared, 4096);
    }
    fate = HIDDEN;
    kind = "hidden";
    kept_hidden = new_hidden(50);
}

static std::map<unsigned, std::string> *dictionary;

static NOINLINE void live_structures()
{
    fate = LIVE;
    kind = "object";
    for (unsigned i = 0; i < 300; i++)
        keep(new_square());
    kind = "cycle";
    for (unsigned i = 0; i < 100; i++)
        keep(new_ring(50));
    kind = "list";
    keep(new_list(20000));
    kind = "tree";
    for (unsigned i = 0; truth_count + 1023 < LIVE_OBJECTS + 1000; i++)
        keep(new_tree(10));
    dictionary = new std::map<unsigned, std::string>; /* live as well, not in the truth */
    for (unsigned i = 0; i < 1000; i++)
        (*dictionary)[i] =
            "a text that does not fit into the string itself: " + std::to_string(i);
    kind = "single";
    while (truth_count < LIVE_OBJECTS + 1000)
        keep(make(32));
}

/* Far down, so that later calls do not happen to reuse the words left on the stack. */
static NOINLINE void plant()
{
    volatile char deep[64 * 1024];
    deep[0] = 0;
    leak_structures();
    leak_from_places();
    live_in_places();
    live_structures();
    deep[1] = deep[0];
}

/* --- load --- */

static std::unique_ptr<node> *exchange[64];
static pthread_mutex_t exchange_lock = PTHREAD_MUTEX_INITIALIZER;

/* Allocates, frees, and passes objects to other threads without a pause. */
static void *load_thread(void *arg)
{
    std::mt19937 random(static_cast<unsigned>(reinterpret_cast<uintptr_t>(arg)));
    std::vector<std::unique_ptr<std::string>> own(500);
    while (!finished) {
        own[random() % own.size()].reset(new std::string(random() % 700, 'x'));
        auto *passed = new std::unique_ptr<node>(new node());
        pthread_mutex_lock(&exchange_lock);
        std::swap(passed, exchange[random() % 64]);
        pthread_mutex_unlock(&exchange_lock);
        delete passed;
    }
    return nullptr;
}

/* Threads start and end, a library is opened and closed. */
static void *churn_thread(void *)
{
    while (!finished) {
        pthread_t thread;
        void *handle;
        if (pthread_create(&thread, nullptr, leave_nothing, nullptr) == 0)
            pthread_join(thread, nullptr);
        open_library(&handle);
        dlclose(handle);
    }
    return nullptr;
}

static pthread_cond_t end_wait = PTHREAD_COND_INITIALIZER;

/* A crowd waits in the ways that threads do. */
static void *waiting_thread(void *arg)
{
    uintptr_t way = reinterpret_cast<uintptr_t>(arg) % 3;
    int fd = way == 0 ? epoll_create1(EPOLL_CLOEXEC) : -1;
    epoll_event event;
    while (!finished) {
        if (way == 0)
            epoll_wait(fd, &event, 1, 100);
        else if (way == 1)
            usleep(100000);
        else {
            timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_sec++;
            pthread_mutex_lock(&exchange_lock);
            pthread_cond_timedwait(&end_wait, &exchange_lock, &until);
            pthread_mutex_unlock(&exchange_lock);
        }
    }
    if (fd >= 0)
        close(fd);
    return nullptr;
}

static bool killing;
static std::atomic<size_t> killed;

/* The copy is a child of the thread that scans, which is the first one. */
static void *kill_thread(void *)
{
    char path[64], text[64];
    std::mt19937 random(1);
    std::snprintf(path, sizeof path, "/proc/self/task/%d/children",
                  static_cast<int>(getpid()));
    while (!finished) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        close(fd);
        text[n > 0 ? n : 0] = '\0';
        usleep(random() % 30000);
        if (n > 0 && kill(std::atoi(text), SIGKILL) == 0)
            killed++;
    }
    return nullptr;
}

/* As in a container that allows neither. */
static bool deny()
{
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter = {sizeof program / sizeof *program, program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                   &filter) == 0;
}

static pthread_t threads[1024];
static size_t thread_count;

static void start(void *(*run)(void *), unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[thread_count++], nullptr, run,
                           reinterpret_cast<void *>(uintptr_t{i})) != 0)
            std::abort();
}

/* --- scans --- */

static struct {
    size_t found, false_reports, hidden, other, direct;
} tally;

static int note(const cmalloc_leak *leak, void *)
{
    truth_t *t = truth_of(~reinterpret_cast<uintptr_t>(leak->mem));
    tally.direct += leak->direct != 0;
    if (t == nullptr) {
        tally.other++;
        std::printf("# not planted: %p, %zu bytes\n", leak->mem, leak->size);
    } else if (t->fate == LEAKED) {
        tally.found++;
        t->reported = true;
    } else if (t->fate == HIDDEN) {
        tally.hidden++;
    } else {
        tally.false_reports++;
        std::printf("# live and reported: %s %p\n", t->kind, leak->mem);
    }
    return 0;
}

static bool scan(unsigned flags)
{
    tally = {};
    timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    long count = cmalloc_leaks(flags, note, nullptr);
    clock_gettime(CLOCK_MONOTONIC, &to);
    if (count < 0 && killing)
        return true;
    if (count < 0) {
        std::printf("not ok - scan: %s\n", std::strerror(errno));
        return false;
    }
    for (size_t i = 0; i < truth_count; i++) {
        if (truths[i].fate == LEAKED && !truths[i].reported)
            std::printf("# missed: %s ~%jx\n", truths[i].kind,
                        static_cast<uintmax_t>(truths[i].hidden));
        truths[i].reported = false;
    }
    bool good = tally.false_reports == 0 && tally.other == 0 && tally.found >= 990 &&
                tally.hidden <= 50;
    std::printf(
        "%sok - found %zu of 1000, %zu direct; live reported: %zu; hidden: %zu of 50; "
        "others: %zu; %.0f ms\n",
        good ? "" : "not ", tally.found, tally.direct, tally.false_reports, tally.hidden,
        tally.other,
        static_cast<double>(to.tv_sec - from.tv_sec) * 1e3 +
            static_cast<double>(to.tv_nsec - from.tv_nsec) / 1e6);
    std::fflush(stdout);
    return good;
}

static size_t collected_live;

static void finalize(void *mem, size_t, void *)
{
    truth_t *t = truth_of(~reinterpret_cast<uintptr_t>(mem));
    collected_live += t == nullptr || t->fate == LIVE;
}

static bool collect()
{
    size_t bytes = cmalloc_collect(finalize, nullptr);
    std::printf("%sok - collected %zu bytes, %zu of live objects\n",
                bytes > 0 && collected_live == 0 ? "" : "not ", bytes, collected_live);
    std::fflush(stdout);
    return bytes > 0 && collected_live == 0;
}

static bool run(int argc, char **argv)
{
    bool good = true;
    unsigned flags = CMALLOC_LEAKS_UNALIGNED;
    for (int i = 2; i < argc; i++) {
        bool precise = std::strcmp(argv[i], "precise") == 0;
        if (precise || std::strcmp(argv[i], "no-stop") == 0) {
            for (int n = std::atoi(argv[++i]); n > 0; n--)
                good &= scan(flags | (precise ? CMALLOC_LEAKS_PRECISE : 0));
        } else if (std::strcmp(argv[i], "once") == 0) {
            flags |= CMALLOC_LEAKS_ONCE;
        } else if (std::strcmp(argv[i], "aligned") == 0) {
            flags &= ~CMALLOC_LEAKS_UNALIGNED;
        } else if (std::strcmp(argv[i], "pin") == 0) {
            pinned = 1;
            usleep(20000);
        } else if (std::strcmp(argv[i], "no-pin") == 0) {
            pinned = 0;
            usleep(20000);
        } else if (std::strcmp(argv[i], "load") == 0) {
            start(load_thread, 2);
        } else if (std::strcmp(argv[i], "crowd") == 0) {
            start(waiting_thread, static_cast<unsigned>(std::atoi(argv[++i])));
        } else if (std::strcmp(argv[i], "churn") == 0) {
            start(churn_thread, 2);
        } else if (std::strcmp(argv[i], "deny") == 0) {
            good &= deny();
        } else if (std::strcmp(argv[i], "kill") == 0) {
            killing = true;
            start(kill_thread, 1);
        } else if (std::strcmp(argv[i], "collect") == 0) {
            good &= collect();
        } else if (std::strcmp(argv[i], "ready") == 0) {
            std::printf("ready %d\n", static_cast<int>(getpid()));
            std::fflush(stdout);
            while (std::getchar() != '\n') {
            }
        }
    }
    return good;
}

static NOINLINE void finish()
{
    finished = 1;
    pinned = 0;
    for (size_t i = 0; i < thread_count; i++)
        pthread_join(threads[i], nullptr);
    if (killing)
        std::printf("%sok - %zu copies were killed, %d arenas are whole\n",
                    killed > 0 ? "" : "not ", killed.load(), cmalloc_check());
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    plant();
    pthread_barrier_init(&planted, nullptr, THREADS + 1);
    start(live_thread, THREADS);
    pthread_barrier_wait(&planted);
    if (!truth_write(argv[1]))
        return 2;
    bool good = run(argc, argv);
    if (std::getenv("PLANT_LSAN") == nullptr)
        finish();
    return good ? 0 : 1;
}
