/*
 * front/init.c - what happens once, before main: the options, the processors, the hook of
 * thread exit.
 *
 * malloc works before it and without it, on defaults: the loader and other libraries'
 * constructors come first in static programs, and under LD_PRELOAD the linker flag -z
 * initfirst makes this the first constructor.
 */
#include "base/options.h"
#include "front/memcheck.h"
#include "front/sample.h"
#include "os/os.h"
#include "os/stack.h"

/* Where the linker has put what (src/library.ld): from thread_none, of which only the
 * beginning is ever read, to cm_near_begin lies what a program does not run, or not
 * again; from there to cm_near_end what most run, but not small ones. NULL where that
 * script was not used: in the secure variant, and in a program that has us linked in. */
extern const char cm_near_begin[] CM_OPTIONAL;
extern const char cm_near_end[] CM_OPTIONAL;

CM_START static void init(void)
{
    os_init();
    if (!os_serves_program())
        os_break_leave();
    link_init();
    cm_options_read(os_environment);
    os_cgroup_read("", ARENAS_LEAST);
    arena_limit_init(os_processors());
    thread_init();
    sample_init();
    memcheck_init();
    purger_init();
    if (cm_secure(constant))
        os_constant_seal();
    os_fail_every(
        (unsigned)atomic_load_explicit(&cm_options.os_fail, memory_order_relaxed));
    os_fail_at(
        (unsigned)atomic_load_explicit(&cm_options.os_fail_at, memory_order_relaxed));
}

/* The start is over, and its code need not stay resident. */
CM_NEAR static void start(void)
{
    os_set_apart(cm_near_begin, cm_near_end);
    init();
    os_forget((const char *)thread_none.spare, cm_near_begin);
}

/* glibc calls constructors as it calls main; musl without arguments, but with environ
 * set. */
#if defined(__GLIBC__)
CM_NEAR __attribute__((constructor(101))) static void front_init(int argc, char **argv,
                                                                 char **envp)
{
    (void)argc;
    (void)argv;
    os_environment_set(envp);
    start();
}
#else
CM_NEAR __attribute__((constructor(101))) static void front_init(void) { start(); }
#endif
