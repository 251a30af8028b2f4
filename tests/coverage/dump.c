/*
 * dump.c - what gcov counts is written by destructors: here also where a program ends
 * without them, by _exit, abort, a fatal signal whose default comes back, or as a copy
 * made by clone; and where it becomes another program. Linked into all that is built,
 * with --wrap.
 */
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

void __gcov_dump(void);
void __gcov_reset(void);

_Noreturn void __real__exit(int status);
_Noreturn void __real_abort(void);
long __real_syscall(long number, ...);
int __real_execvp(const char *file, char *const argv[]);
int __real_sigaction(int number, const struct sigaction *act, struct sigaction *old);

_Noreturn void __wrap__exit(int status);
_Noreturn void __wrap_abort(void);
long __wrap_syscall(long number, ...);
int __wrap_execvp(const char *file, char *const argv[]);
int __wrap_sigaction(int number, const struct sigaction *act, struct sigaction *old);

/* It allocates: in a heap that a test has damaged it may end in abort, and come here. */
static void dump(void)
{
    static _Thread_local int busy;
    if (busy++ == 0)
        __gcov_dump();
    busy--;
}

void __wrap__exit(int status)
{
    dump();
    __real__exit(status);
}

void __wrap_abort(void)
{
    dump();
    __real_abort();
}

long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_exit_group) {
        prctl(PR_SET_PDEATHSIG, 0L); /* a file that is half written is lost */
        dump();
    }
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Should it fail, the counting goes on from zero. */
int __wrap_execvp(const char *file, char *const argv[])
{
    dump();
    __gcov_reset();
    return __real_execvp(file, argv);
}

int __wrap_sigaction(int number, const struct sigaction *act, struct sigaction *old)
{
    if (number == SIGSEGV && act != NULL && act->sa_handler == SIG_DFL) {
        dump();
        __gcov_reset();
    }
    return __real_sigaction(number, act, old);
}
