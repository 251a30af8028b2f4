/*
 * inspect/trace.h - call stacks in words, and what is to be said of a guarded chunk.
 * Faults at those are told on standard error and in the option report_file.
 *
 *   <return address> <file>+<offset from where it is mapped>
 *
 * Of this process, whatever state it is in: nothing is locked, nothing is allocated.
 * Async-signal-safe.
 */
#ifndef CM_INSPECT_TRACE_H
#define CM_INSPECT_TRACE_H

#include "base/report.h"
#include "core/guard.h"

/* A line for each of the frames. */
void trace_write(cm_text *t, const uintptr_t *frames, size_t depth);

/* What an access to address was, to which chunk, and who has allocated and freed that;
 * nothing if it is no guarded one's. */
void trace_explain(cm_text *t, uintptr_t address);

#endif
