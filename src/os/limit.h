/*
 * os/limit.h - what is committed, counted, and the limits on it: for the files of os/
 * that get memory. os.h has what the others may ask.
 *
 *   committed == bytes charged - bytes discharged <= limit_hard, if that is set
 * A call that is about to get memory charges it first, and discharges it when it fails.
 */
#ifndef CM_OS_LIMIT_H
#define CM_OS_LIMIT_H

#include "os/os.h"

/* Count size bytes in before they are asked for. False: the hard limit says no. */
bool limit_charge(size_t size);

void limit_discharge(size_t size);

/* size bytes went back to the kernel: for statistics. What is no longer committed is
 * discharged besides. */
void limit_count_return(size_t size);

/* Fresh memory, as os_map has it, that nobody has charged yet. */
void *limit_map(size_t size);

/* Debug variants: this call for memory is one of those that fail on request. */
bool os_refused(void);

#endif
