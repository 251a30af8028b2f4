/* os/fault.c - see fault.h. */
#include "os/fault.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static bool (*fault_look)(uintptr_t address);
static struct sigaction fault_before; /* whoever handled SIGSEGV when we came */

static bool is_handled_before(void)
{
    return (fault_before.sa_flags & SA_SIGINFO) != 0 ||
           (fault_before.sa_handler != SIG_DFL && fault_before.sa_handler != SIG_IGN);
}

/* The access that is tried again, or the signal that somebody has sent, now meets the
 * handler of before. */
static void step_aside(int number, const siginfo_t *info)
{
    sigaction(number, &fault_before, NULL);
    if (info->si_code <= 0)
        kill(getpid(), number);
}

static void answer_fault(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    bool sent = info->si_code <= 0;
    if ((!sent && fault_look((uintptr_t)info->si_addr)) || !is_handled_before())
        step_aside(number, info);
    else if ((fault_before.sa_flags & SA_SIGINFO) != 0)
        fault_before.sa_sigaction(number, info, context);
    else
        fault_before.sa_handler(number);
    errno = saved;
}

bool os_on_fault(bool (*look)(uintptr_t address))
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    int saved = errno;
    action.sa_sigaction = answer_fault;
    sigemptyset(&action.sa_mask);
    fault_look = look;
    bool done = sigaction(SIGSEGV, NULL, &fault_before) == 0 &&
                sigaction(SIGSEGV, &action, NULL) == 0;
    errno = saved;
    return done;
}
