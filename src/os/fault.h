/*
 * os/fault.h - being told of accesses to memory that is not there.
 */
#ifndef CM_OS_FAULT_H
#define CM_OS_FAULT_H

#include "base/compiler.h"

/*
 * Have look called at a fault (SIGSEGV), with its address, in the thread that made it and
 * on its alternate signal stack if it has one. True: it has said what there is to say,
 * and the program ends as it would have without us: the handler of before is back, or the
 * default, and the access is tried again. What look does not know goes to the handler of
 * before. Who sets a handler later, and does not call the one before, hears of faults
 * instead of us.
 * One look for the whole process; the constructor's share. False: no handler could be
 * set.
 */
bool os_on_fault(bool (*look)(uintptr_t address));

#endif
