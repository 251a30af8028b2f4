/*
 * tools/trim.c - `cmalloc trim`: a process gives back what it can, though it is idle or
 * was never told to.
 *
 * One of its threads is stopped and made to run root_serve in the library, as a debugger
 * calls a function: its registers are kept, and put back when the answer is there. The
 * library refuses in a thread that is in the middle of malloc; then another one is asked.
 * A system call that the thread waited in is restarted. While this goes on, no signal
 * ends this command: the thread would be left where it is.
 */
#include "tools/target.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#define RED_ZONE 128
#define FLOATING_MOST 16384 /* bytes of vector registers */

#if defined(__x86_64__)
#define FLOATING_NOTE NT_X86_XSTATE
#else
#define FLOATING_NOTE NT_FPREGSET
#endif

#if defined(__x86_64__) || defined(__aarch64__)
typedef struct user_regs_struct registers_t;
#else
typedef struct registers { /* see aim */
    unsigned long words[64];
} registers_t;
#endif

typedef struct context {
    registers_t general;
    char floating[FLOATING_MOST];
    struct iovec floating_part; /* what of it the kernel has filled */
} context_t;

/* --- registers --- */

static bool get(pid_t thread, uintptr_t note, struct iovec *part)
{
    return ptrace(PTRACE_GETREGSET, thread, note, part) == 0;
}

static bool set(pid_t thread, uintptr_t note, struct iovec *part)
{
    return ptrace(PTRACE_SETREGSET, thread, note, part) == 0;
}

static bool save(pid_t thread, context_t *c)
{
    struct iovec general = {&c->general, sizeof c->general};
    c->floating_part = (struct iovec){c->floating, sizeof c->floating};
    return get(thread, NT_PRSTATUS, &general) &&
           get(thread, FLOATING_NOTE, &c->floating_part);
}

static bool restore(pid_t thread, context_t *c)
{
    struct iovec general = {&c->general, sizeof c->general};
    return set(thread, FLOATING_NOTE, &c->floating_part) &&
           set(thread, NT_PRSTATUS, &general);
}

/* The registers of a call of function(token) on the thread's own stack. It does not
 * return. A system call that was interrupted is not to be restarted now. */
static void aim(registers_t *r, uintptr_t function, uint32_t token)
{
#if defined(__x86_64__)
    r->rsp = ((r->rsp - RED_ZONE) & ~(uintptr_t)15) - 8;
    r->rip = function;
    r->rdi = token;
    r->orig_rax = (unsigned long)-1;
    r->eflags &= ~(unsigned long)0x400; /* strings go upwards */
#elif defined(__aarch64__)
    r->sp = (r->sp - RED_ZONE) & ~(uintptr_t)15;
    r->pc = function;
    r->regs[0] = token;
    r->regs[30] = 0;
#else
    (void)r, (void)function, (void)token;
    tool_die(TOOL_SYSTEM, "trim: not known how to call a function on this machine");
#endif
}

static bool redirect(pid_t thread, const context_t *c, uintptr_t function, uint32_t token)
{
    registers_t changed = c->general;
    struct iovec general = {&changed, sizeof changed};
    aim(&changed, function, token);
#if defined(__aarch64__)
    int none = -1; /* no system call to restart */
    struct iovec call = {&none, sizeof none};
    set(thread, NT_ARM_SYSTEM_CALL, &call);
#endif
    return set(thread, NT_PRSTATUS, &general);
}

/* --- one thread --- */

static bool has_served(target_t *t, uint32_t token)
{
    uint32_t served = 0;
    t->reader.size = 0;
    return reader_copy(&t->reader, t->root_at + offsetof(root_t, served), &served,
                       sizeof served) &&
           served == token;
}

/* Signals that come meanwhile are the program's: they are passed on. */
static void pass_signals(pid_t thread)
{
    int status;
    while (waitpid(thread, &status, __WALL | WNOHANG) == thread && WIFSTOPPED(status))
        ptrace(PTRACE_CONT, thread, NULL,
               status >> 16 == 0 ? (long)WSTOPSIG(status) : 0L);
}

/* However long it takes: to put the thread back before would leave a lock held for ever.
 * It waits for other threads' locks only, since one that holds any answers at once. */
static bool wait_for_answer(target_t *t, pid_t thread, uint32_t token)
{
    struct timespec pause = {.tv_nsec = 1000000};
    while (!has_served(t, token)) {
        if (t->vanished)
            return false;
        pass_signals(thread);
        nanosleep(&pause, NULL);
    }
    return true;
}

/* Stopped by our interruption; a signal on the way is passed on first. */
static bool stop_again(pid_t thread)
{
    int status;
    ptrace(PTRACE_INTERRUPT, thread, NULL, NULL);
    while (waitpid(thread, &status, __WALL) == thread && WIFSTOPPED(status)) {
        if (status >> 16 == PTRACE_EVENT_STOP)
            return true;
        ptrace(PTRACE_CONT, thread, NULL, (long)WSTOPSIG(status));
    }
    return false;
}

/* False: this thread could not be asked, or did not answer. */
static bool ask_thread(target_t *t, pid_t thread, uint32_t token)
{
    static context_t context;
    bool answered = false;
    if (ptrace(PTRACE_SEIZE, thread, NULL, NULL) != 0)
        return false;
    if (stop_again(thread) && save(thread, &context) &&
        redirect(thread, &context, (uintptr_t)t->root.serve, token)) {
        ptrace(PTRACE_CONT, thread, NULL, NULL);
        answered = wait_for_answer(t, thread, token);
        if (stop_again(thread) && !restore(thread, &context))
            tool_warn("%d: its registers could not be put back", (int)thread);
    }
    ptrace(PTRACE_DETACH, thread, NULL, NULL);
    return answered;
}

/* --- all of them --- */

static void hold_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static size_t word_at(target_t *t, uintptr_t at)
{
    size_t word = ROOT_BUSY;
    t->reader.size = 0;
    reader_copy(&t->reader, at, &word, sizeof word);
    return word;
}

/* The first one that is not in the middle of malloc. ROOT_BUSY: nobody. */
static size_t ask(target_t *t, bool *allowed)
{
    char path[64];
    size_t bytes = ROOT_BUSY;
    /* An answer that was there before must not look like ours. */
    uint32_t token = (uint32_t)word_at(t, t->root_at + offsetof(root_t, served));
    snprintf(path, sizeof path, "/proc/%d/task", (int)t->pid);
    DIR *all = opendir(path);
    *allowed = false;
    for (struct dirent *e; all != NULL && bytes == ROOT_BUSY && (e = readdir(all));) {
        pid_t thread = (pid_t)strtol(e->d_name, NULL, 10);
        if (thread <= 0)
            continue;
        if (ask_thread(t, thread, ++token)) {
            bytes = word_at(t, t->root_at + offsetof(root_t, answer));
            *allowed = true;
        } else if (errno != EPERM) {
            *allowed = true;
        }
    }
    if (all != NULL)
        closedir(all);
    return bytes;
}

static size_t resident_of(pid_t pid)
{
    char path[64];
    size_t pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*u %zu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages;
}

int tool_trim(int argc, char **argv)
{
    bool allowed;
    if (argc != 2)
        tool_usage();
    target_t *t = target_open(argv[1]);
    if (t->pid == 0)
        tool_die(TOOL_USAGE, "%s: a core cannot be trimmed", t->name);
    if (t->root.serve == NULL)
        tool_die(TOOL_VERSION, "%s: its library cannot be asked", t->name);
    hold_signals();
    size_t before = resident_of(t->pid), page = t->reader.page;
    size_t bytes = ask(t, &allowed);
    if (bytes == ROOT_BUSY && !allowed)
        tool_die(TOOL_REFUSED, "%s: may not be traced, or is already", t->name);
    if (bytes == ROOT_BUSY)
        tool_die(TOOL_TIMEOUT, "%s: no thread of it could answer", t->name);
    size_t after = resident_of(t->pid);
    printf("%s: resident %s, was %s\n", t->name, tool_size(after * page),
           tool_size(before * page));
    target_close(t);
    return TOOL_OK;
}
