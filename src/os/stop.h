/*
 * os/stop.h - this process as of one moment: its other threads stopped, and a copy of it.
 *
 * A scan of the heap wants memory that stands still, and the program wants to run on. So
 * the scan is done by a child with a copy of the memory (fork, but without libc's
 * handlers, without SIGCHLD, and invisible to wait). Threads are stopped for no longer
 * than making the child takes, and only where their stack pointers are wanted: by a
 * signal, whose frame on the thread's stack holds its registers, so that nothing here
 * depends on the machine.
 */
#ifndef CM_OS_STOP_H
#define CM_OS_STOP_H

#include "os/os.h"

/* A thread that waits in the handler. All it uses of its stack is at or above sp. */
typedef struct os_stopped {
    uintptr_t sp;
    uintptr_t local;                     /* an address in its thread-local memory */
    uintptr_t alternate, alternate_size; /* its stack for signals; 0: none */
} os_stopped_t;

/* Stop all other threads of the process but our own, which knows nothing of the program's
 * memory. Those that do not come within a moment, because
 * they block all signals, go on running: *missed counts them. Returns how many stand
 * still; their entries are at *stopped until os_start. One at a time. */
size_t os_stop(const os_stopped_t **stopped, size_t *missed);
void os_start(void);

/* The calling thread: what is above the caller's frame, with the registers in it. */
os_stopped_t os_own_stack(void);

/* Have a copy of this process run work(arg), on a copy of its memory, with no other
 * thread in it; between(arg), when not NULL, is called here as soon as the copy is made.
 * True: work has returned true. False: it has not, or there could be no copy. */
bool os_in_copy(bool (*work)(void *arg), void (*between)(void *arg), void *arg);

/* The id of this process. */
int os_process(void);

/* Do nothing for a while. */
void os_sleep(unsigned milliseconds);

#endif
