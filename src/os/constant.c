/* os/constant.c - the pages of CM_CONSTANT (src/secure.ld): read-only after the start. */
#include "os/os.h"

#include "base/lock.h"
#include "base/options.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

bool os_protect(void *p, size_t size, bool writable)
{
    int saved = errno;
    bool done =
        syscall(SYS_mprotect, p, size, PROT_READ | (writable ? PROT_WRITE : 0)) == 0;
    errno = saved;
    return done;
}

#if CM_SECURE
extern char __start_cm_constant[], __stop_cm_constant[];

/* The lock is not among them: it changes. */
static cm_lock constant_lock;
static bool constant_sealed;

/* Whole pages only: a program that was linked without the script has none. */
static bool constant_protect(bool writable)
{
    uintptr_t from = (uintptr_t)__start_cm_constant, to = (uintptr_t)__stop_cm_constant;
    to -= to % os_page;
    return !constant_sealed || from % os_page != 0 || from >= to ||
           os_protect(__start_cm_constant, to - from, writable);
}

bool host_constant_open(void)
{
    cm_lock_take_or_inherit(&constant_lock);
    bool done = constant_protect(true);
    if (!done)
        cm_lock_drop(&constant_lock);
    return done;
}

void host_constant_close(void)
{
    constant_protect(false);
    cm_lock_drop(&constant_lock);
}

void os_constant_seal(void)
{
    constant_sealed = true;
    constant_protect(false);
}
#else
bool host_constant_open(void) { return true; }
void host_constant_close(void) {}
void os_constant_seal(void) {}
#endif
