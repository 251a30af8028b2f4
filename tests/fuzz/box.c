/* box.c - see fuzz.h. Section names and symbols are given by fuzz.mk. */
#include "fuzz.h"

#include "front/thread.h"
#include "os/os.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- what the library has as data -------------------------------------------------- */

extern char __start_cmdata[], __stop_cmdata[], __start_cmbss[], __stop_cmbss[];

static char *data_before;
static thread_t *selves[FUZZ_THREADS];
static unsigned self;

/* Zero again. Most of it was never touched, and stays so: whole pages are given back. */
static void clear_bss(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = (uintptr_t)__start_cmbss, to = (uintptr_t)__stop_cmbss;
    uintptr_t first = (from + page - 1) & ~(page - 1), last = to & ~(page - 1);
    if (first >= last || madvise((void *)first, last - first, MADV_DONTNEED) != 0) {
        memset(__start_cmbss, 0, to - from);
        return;
    }
    memset(__start_cmbss, 0, first - from);
    memset((void *)last, 0, to - last);
}

/* ---- what it asks of the kernel ---------------------------------------------------- */

enum { MAPPINGS = 4096, BREAK_BYTES = 32 << 20 };

static struct {
    uintptr_t start, end;
} mappings[MAPPINGS];
static unsigned mapping_count;

static char *break_start, *break_now;
static size_t break_usable;
static bool boxed; /* the constructor has run, and its results are kept */

static void note(uintptr_t start, size_t size)
{
    FUZZ_CHECK(mapping_count < MAPPINGS);
    mappings[mapping_count].start = start;
    mappings[mapping_count++].end = start + size;
}

/* Mappings are cut at both ends and in the middle, as munmap allows. */
static void unnote(uintptr_t start, size_t size)
{
    uintptr_t end = start + size;
    for (unsigned i = 0; i < mapping_count; i++) {
        uintptr_t was_start = mappings[i].start, was_end = mappings[i].end;
        if (was_end <= start || end <= was_start)
            continue;
        mappings[i--] = mappings[--mapping_count];
        if (was_start < start)
            note(was_start, start - was_start);
        if (end < was_end)
            note(end, was_end - end);
        i = (unsigned)-1; /* the order has changed */
    }
}

/* The library may change nothing but its own mappings. */
static bool is_noted(uintptr_t start, size_t size)
{
    uintptr_t end = start + size;
    for (unsigned i = 0; i < mapping_count && start < end; i++)
        if (mappings[i].start <= start && start < mappings[i].end) {
            start = mappings[i].end;
            i = (unsigned)-1;
        }
    return start >= end;
}

bool fuzz_owns(const void *p, size_t size)
{
    uintptr_t start = (uintptr_t)p;
    bool in_break = start - (uintptr_t)break_start < BREAK_BYTES &&
                    start + size <= (uintptr_t)break_start + BREAK_BYTES;
    return !boxed || in_break || is_noted(start, size);
}

static void unmap_all(void)
{
    while (mapping_count > 0) {
        mapping_count--;
        munmap((void *)mappings[mapping_count].start,
               mappings[mapping_count].end - mappings[mapping_count].start);
    }
}

static void break_reset(void)
{
    if (break_start == NULL) {
        break_start =
            mmap(NULL, BREAK_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        FUZZ_CHECK(break_start != MAP_FAILED);
    }
    if (break_usable > 0)
        (void)!mmap(break_start, break_usable, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    break_usable = 0;
    break_now = break_start + 48; /* where a program's data may end */
}

void *fuzz_sbrk(intptr_t delta);
long fuzz_syscall(long number, ...);
_Noreturn void fuzz_abort(void);

void *fuzz_sbrk(intptr_t delta)
{
    if (break_start == NULL)
        break_reset();
    char *before = break_now, *after = before + delta;
    if (after < break_start + 48 || after > break_start + BREAK_BYTES) {
        errno = ENOMEM;
        return (void *)-1;
    }
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t usable = ((size_t)(after - break_start) + page - 1) & ~(page - 1);
    if (usable > break_usable)
        mprotect(break_start, usable, PROT_READ | PROT_WRITE);
    else if (usable < break_usable)
        (void)!mmap(break_start + usable, break_usable - usable, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    break_usable = usable;
    break_now = after;
    return before;
}

char fuzz_said[4096];
static size_t said;

static long hear(const char *text, size_t length)
{
    size_t room = sizeof fuzz_said - 1 - said;
    size_t n = length < room ? length : room;
    memcpy(fuzz_said + said, text, n);
    said += n;
    fuzz_said[said] = '\0';
    return (long)length;
}

/* Refused, as by a kernel that has no more: an input must not fill the machine. */
static bool is_too_large(size_t size) { return size > (size_t)1 << 30; }

static long call_map(const long *a)
{
    if (is_too_large((size_t)a[1])) {
        errno = ENOMEM;
        return -1;
    }
    FUZZ_CHECK((a[3] & MAP_FIXED) == 0 || fuzz_owns((const void *)a[0], (size_t)a[1]));
    long p = syscall(SYS_mmap, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (p != -1 && (a[3] & MAP_FIXED) == 0)
        note((uintptr_t)p, (size_t)a[1]);
    return p;
}

static long call_remap(const long *a)
{
    if (is_too_large((size_t)a[2])) {
        errno = ENOMEM;
        return -1;
    }
    bool fixed = (a[3] & MREMAP_FIXED) != 0;
    FUZZ_CHECK(fuzz_owns((const void *)a[0], (size_t)a[1]));
    FUZZ_CHECK(!fixed || fuzz_owns((const void *)a[4], (size_t)a[2]));
    long p = syscall(SYS_mremap, a[0], a[1], a[2], a[3], a[4]);
    if (p != -1)
        unnote((uintptr_t)a[0], (size_t)a[1]);
    if (p != -1 && !fixed)
        note((uintptr_t)p, (size_t)a[2]);
    return p;
}

long fuzz_syscall(long number, ...)
{
    long a[6];
    va_list args;
    va_start(args, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(args, long);
    va_end(args);
    switch (number) {
    case SYS_mmap:
        return call_map(a);
    case SYS_mremap:
        return call_remap(a);
    case SYS_mprotect:
    case SYS_madvise:
        FUZZ_CHECK(fuzz_owns((const void *)a[0], (size_t)a[1]));
        return syscall(number, a[0], a[1], a[2]);
    case SYS_munmap:
        FUZZ_CHECK(fuzz_owns((const void *)a[0], (size_t)a[1]));
        unnote((uintptr_t)a[0], (size_t)a[1]);
        return syscall(SYS_munmap, a[0], a[1]);
    case SYS_brk:
        return (long)(break_now == NULL ? fuzz_sbrk(0) : break_now);
    case SYS_getrandom: /* the same secrets in every run */
        memset((void *)a[0], 0xa5, (size_t)a[1]);
        return a[1];
    case SYS_write:
        return hear((const char *)a[1], (size_t)a[2]);
    default:
        return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

/* ---- panics ------------------------------------------------------------------------ */

static sigjmp_buf escape;
static bool may_escape;

static const uint8_t *one_data;
static size_t one_size;

/* The input goes to a file: the fuzzer may be no longer able to. */
_Noreturn void fuzz_fail(const char *what, const char *file, int line)
{
    FILE *f = fopen("fuzz-failed", "wb");
    if (f != NULL) {
        fwrite(one_data, 1, one_size, f);
        fclose(f);
    }
    fprintf(stderr, "%s:%d: %s\n%sthe input is in fuzz-failed\n", file, line, what,
            fuzz_said);
    signal(SIGABRT, SIG_DFL);
    abort();
}

_Noreturn void fuzz_abort(void)
{
    FUZZ_CHECK(strncmp(fuzz_said, "cmalloc: fatal: ", 16) == 0);
    FUZZ_CHECK(may_escape);
    siglongjmp(escape, 1);
}

bool fuzz_panics(void (*act)(input_t *in), input_t *in)
{
    bool panicked = sigsetjmp(escape, 0) != 0;
    may_escape = !panicked;
    if (!panicked)
        act(in);
    may_escape = false;
    return panicked;
}

/* ---- threads, failures, sizes ------------------------------------------------------ */

static thread_t *nobody(void) { return (thread_t *)(uintptr_t)&thread_none; }

static void (*at_exit)(void *);
static void *exit_args[FUZZ_THREADS];

int fuzz_pthread_key_create(unsigned *key, void (*destroy)(void *));
int fuzz_pthread_setspecific(unsigned key, void *value);

int fuzz_pthread_key_create(unsigned *key, void (*destroy)(void *))
{
    *key = 0;
    at_exit = destroy;
    return 0;
}

int fuzz_pthread_setspecific(unsigned key, void *value)
{
    (void)key;
    exit_args[self] = value;
    return 0;
}

/* The exit handler; what the thread calls behind it is a late call. */
void fuzz_thread_ends(void)
{
    void *arg = exit_args[self];
    exit_args[self] = NULL;
    if (arg != NULL)
        at_exit(arg);
    else
        thread_self = nobody();
}

void fuzz_be_thread(unsigned i)
{
    selves[self] = thread_self;
    self = i % FUZZ_THREADS;
    thread_self = selves[self];
}

void fuzz_let_fail(unsigned n) { os_fail_every(n); }

size_t input_size(input_t *in)
{
    static const size_t marks[] = {
        0,        64,       512,      1 << 10,   2 << 10,   4 << 10, 16 << 10,
        32 << 10, 64 << 10, 96 << 10, 128 << 10, 256 << 10, 1 << 20, 2 << 20,
    };
    unsigned mark = input_byte(in);
    if (mark >= 224)
        return input_number(in, mark - 223 < 8 ? mark - 223 : 8);
    size_t size = marks[mark % (sizeof marks / sizeof *marks)];
    size_t near = input_byte(in);
    return mark >= 112 && size >= near ? size - near : size + near;
}

/* ---- one input --------------------------------------------------------------------- */

static void reset(void)
{
    size_t bytes = (size_t)(__stop_cmdata - __start_cmdata);
    if (!boxed) { /* the first time: what the constructor has done stays for ever */
        break_reset();
        data_before = malloc(bytes);
        memcpy(data_before, __start_cmdata, bytes);
        mapping_count = 0;
        boxed = true;
    }
    os_fail_every(0);
    unmap_all();
    break_reset();
    memcpy(__start_cmdata, data_before, bytes);
    clear_bss();
    for (unsigned i = 0; i < FUZZ_THREADS; i++) {
        selves[i] = nobody();
        exit_args[i] = NULL;
    }
    self = 0;
    thread_self = nobody();
    thread_inside = false;
    said = 0;
    fuzz_said[0] = '\0';
    link_init(); /* the constructor's share that stands in cleared memory */
    thread_init();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input_t in = {data, data + size};
    one_data = data;
    one_size = size;
    reset();
    fuzz_one(&in);
    return 0;
}
