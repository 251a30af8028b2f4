/*
 * base/report.h - saying something without malloc, stdio or locale.
 *
 * cm_assert: our own logic (debug variants). cm_panic: what a user's bug could have
 * changed; always on, O(1). A report is built in a buffer on the stack and leaves in one
 * write(2). Async-signal-safe.
 */
#ifndef CM_BASE_REPORT_H
#define CM_BASE_REPORT_H

#include "base/compiler.h"
#include "base/config.h"

/* One line `cmalloc: fatal: <what>: <address>` on standard error, the last words, then
 * abort. */
_Noreturn CM_COLD void cm_panic(const char *what, const void *address);

/* What is said behind that line, on standard error and to the option report_file. Defined
 * in inspect/; a program without that layer (the tools) says no more. */
void cm_last_words(const char *line, size_t length, const void *address)
    __attribute__((weak));

/* One line `cmalloc: <what>: <detail>` on standard error. */
CM_COLD void cm_warn(const char *what, const char *detail);

_Noreturn CM_COLD void cm_assert_failed(const char *expression, const char *file,
                                        unsigned line);

#if CM_DEBUG
#define cm_assert(e) ((e) ? (void)0 : cm_assert_failed(#e, __FILE__, __LINE__))
#else
#define cm_assert(e) ((void)sizeof((e) ? 1 : 0))
#endif

/* What users have done wrong, in words that the tests know. */
#define PANIC_DOUBLE_FREE "double free"
#define PANIC_MISALIGNED "misaligned pointer"
#define PANIC_FOREIGN "foreign pointer"
#define PANIC_SIZE "invalid size"
#define PANIC_FOOTER "size != next->prev_size"
#define PANIC_LINKS "broken links"
#define PANIC_TOP "damaged top"
#define PANIC_ARENA "heap: wrong arena"
#define PANIC_HEAP "damaged heap"
#define PANIC_SEAL "damaged header" /* this and the following: secure variant */
#define PANIC_CANARY "overflow"
#define PANIC_SIZED "wrong size or alignment"

/* Text under construction. What does not fit is cut off; a full buffer goes to fd when
 * there is one. */
typedef struct cm_text {
    char bytes[512];
    size_t used;
    int fd; /* -1: keep the text for the caller */
} cm_text;

void cm_text_flush(cm_text *t);
void cm_text_string(cm_text *t, const char *s);
void cm_text_bytes(cm_text *t, const char *bytes, size_t count);
void cm_text_number(cm_text *t, uint64_t n);
void cm_text_hex(cm_text *t, uintptr_t n);
void cm_text_digits(cm_text *t, uint64_t n); /* hexadecimal, without 0x */

#endif
