/*
 * base/host.h - the few services that base needs from the system, declared here and
 * defined in os/.
 *
 * So that the lowest layer can wait for a lock and say that something is wrong without
 * naming a system call. All are async-signal-safe and keep errno.
 */
#ifndef CM_BASE_HOST_H
#define CM_BASE_HOST_H

#include "base/compiler.h"

/* Sleep while *word == value; may return early. */
void host_wait(_Atomic uint32_t *word, uint32_t value);

/* Wake one thread that sleeps on word. */
void host_wake(_Atomic uint32_t *word);

/* Write all of text to the file descriptor, as far as it takes it. */
void host_write(int fd, const char *text, size_t length);

/* End the process as abort(3) does. */
_Noreturn void host_abort(void);

/* The secure variant: make the pages of CM_CONSTANT writable until they are closed again.
 * False: they are not, and there is nothing to close. Not nested. */
bool host_constant_open(void);
void host_constant_close(void);

/* A word that a child made by fork, _Fork or a raw clone finds zero, and nobody else
 * does. */
extern _Atomic uint32_t *_Atomic host_generation;

/* Give the child that finds the word zero a generation of its own. Returns the new
 * one. */
uint32_t host_generation_renew(void);

#endif
