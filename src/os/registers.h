/*
 * os/registers.h - what a thread's registers say about its stack, as ptrace (NT_PRSTATUS)
 * and core files have them. The only place that knows a machine by its registers; one
 * that is not here has no stacks cut, and nothing else changes.
 */
#ifndef CM_OS_REGISTERS_H
#define CM_OS_REGISTERS_H

#include "base/compiler.h"

#include <sys/procfs.h>
#include <sys/user.h>

/* Bytes below the stack pointer that a function may use without moving it. */
#define OS_RED_ZONE 128

/* Where the stack ends, and an address in thread-local memory if it is among them (else
 * 0). False: unknown machine, or too few bytes. */
static inline bool os_registers_stack(const void *registers, size_t size, uintptr_t *sp,
                                      uintptr_t *local)
{
#if defined(__x86_64__)
    const struct user_regs_struct *r = registers;
    if (size < sizeof *r)
        return false;
    *sp = r->rsp - OS_RED_ZONE;
    *local = r->fs_base;
    return true;
#elif defined(__aarch64__)
    const struct user_regs_struct *r = registers;
    if (size < sizeof *r)
        return false;
    *sp = r->sp - OS_RED_ZONE;
    *local = 0; /* NT_ARM_TLS has it */
    return true;
#else
    (void)registers, (void)size, (void)sp, (void)local;
    return false;
#endif
}

#endif
