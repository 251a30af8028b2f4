/*
 * os/stack.h - who has called: the return addresses on the calling thread's stack.
 *
 * By the compiler's unwinder where the process has one from the start, as programs in C++
 * do, and those with libgcc_s in LD_PRELOAD: it needs no frame pointers and, with a glibc
 * that has _dl_find_object, waits for no lock. Else along frame pointers, as far as each
 * leads up this thread's own stack.
 */
#ifndef CM_OS_STACK_H
#define CM_OS_STACK_H

#include "base/compiler.h"

/* The program's malloc is this library's, as far as the loader tells: not where the
 * library came by dlopen. The constructor's share. */
bool os_serves_program(void);

/* Look for the unwinder. The constructor's share. */
void os_stack_init(void);

/* With any locks held, and on a damaged heap, os_stack will come back: the unwinder is
 * here, and finds what it needs without a lock. */
bool os_stack_is_safe(void);

/* Up to most return addresses, innermost first, without the library's own frames. Pre: no
 * lock is held, or os_stack_is_safe(). Returns how many. */
size_t os_stack(uintptr_t *addresses, size_t most);

#endif
