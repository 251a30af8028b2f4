/*
 * base/options.h - everything that a user may set, in one table.
 *
 * The struct, its first values, the reader, `CMALLOC_OPTIONS=help` and (checked by
 * tests/lint/options.sh) the table of the README are made from its rows. Each option is
 * one word; whoever reads it needs no lock, and any value that a racing reader sees is a
 * valid one. Written by the constructor (environment), mallopt and cmalloc_option_set.
 */
#ifndef CM_BASE_OPTIONS_H
#define CM_BASE_OPTIONS_H

#include "base/compiler.h"
#include "base/config.h"

/* What `off` stands for where OPTION_OFF allows it: no such limit, never. */
#define OPTION_NEVER SIZE_MAX

/* Flags of a row. */
#define OPTION_FIXES 1u  /* setting it ends the adapting of the thresholds (mallopt(3)) */
#define OPTION_START 2u  /* read once, by the constructor */
#define OPTION_BYTES 4u  /* shown with a unit */
#define OPTION_OFF 8u    /* `off` and, as mallopt has it, -1 are values too */
#define OPTION_ZERO 16u  /* 0, for none, is a value though it is less than the least */
#define OPTION_DEBUG 32u /* known to debug variants only */
#define OPTION_TEXT 64u  /* the value is text; cm_option_text has it */
#define OPTION_SECURE 128u /* known to the secure variant only */

#define OPTION_TEXT_MOST 256 /* bytes of a text, with its zero */

#define OPTION_SWITCH "off|on" /* with OPTION_BYTES: or a number */

/* Values of thp. */
enum { THP_DEFAULT, THP_NEVER, THP_ALWAYS };

/*
 * name, glibc's variable or "", words (the values are their indices) or "" for a number,
 * default, least, most, flags, meaning
 */
#define OPTION_ROWS(ROW) \
    ROW(arena_max, "MALLOC_ARENA_MAX", "", 0, 0, ARENA_MAX, 0, \
        "arenas at most; 0: as many as processors it may use, two at least") \
    ROW(mmap_threshold, "MALLOC_MMAP_THRESHOLD_", "", MMAP_THRESHOLD_DEFAULT, 0, \
        MMAP_THRESHOLD_MAX, OPTION_FIXES | OPTION_BYTES, \
        "requests from this size on get a mapping of their own; adapts") \
    ROW(mmap_max, "MALLOC_MMAP_MAX_", "", MMAP_MAX_DEFAULT, 0, SIZE_MAX, OPTION_FIXES, \
        "such mappings at a time, at most") \
    ROW(trim_threshold, "MALLOC_TRIM_THRESHOLD_", "", TRIM_THRESHOLD_DEFAULT, 0, \
        SIZE_MAX, OPTION_FIXES | OPTION_BYTES | OPTION_OFF, \
        "more free memory than this at a heap's end goes back at once; adapts") \
    ROW(top_pad, "MALLOC_TOP_PAD_", "", TOP_PAD_DEFAULT, 0, HEAP_MAX_SIZE, \
        OPTION_FIXES | OPTION_BYTES, \
        "the main heap grows by this beyond the need, and keeps it") \
    ROW(perturb, "MALLOC_PERTURB_", "", 0, 0, 255, 0, \
        "fill freed memory with this byte, new memory with its complement") \
    ROW(purge_age, "", "", PURGE_AGE_DEFAULT, 0, PURGE_AGE_MAX, OPTION_OFF, \
        "milliseconds after which free pages go back; 0: at once") \
    ROW(background, "", OPTION_SWITCH, 1, 0, 1, 0, \
        "a thread gives memory back while the program is idle") \
    ROW(limit_soft, "", "", 0, LIMIT_LEAST, SIZE_MAX, OPTION_BYTES | OPTION_ZERO, \
        "give back all that is free before more than this is taken; 0: none") \
    ROW(limit_hard, "", "", 0, LIMIT_LEAST, SIZE_MAX, OPTION_BYTES | OPTION_ZERO, \
        "take no more than this from the system: malloc fails; 0: none") \
    ROW(thp, "", "default|never|always", THP_DEFAULT, 0, THP_ALWAYS, 0, \
        "huge pages: as the system has it, but none where pages were purged") \
    ROW(deepbind, "", OPTION_SWITCH, 0, 0, 1, 0, \
        "dlopen heeds RTLD_DEEPBIND, so that such libraries call libc's malloc") \
    ROW(leaks, "", "off|exit", 0, 0, 1, 0, \
        "look for leaks when the program ends, and report them") \
    ROW(leak_status, "", "", 0, 0, 255, 0, \
        "exit status of a program whose report has leaks; 0: its own") \
    ROW(leak_unaligned, "", OPTION_SWITCH, 0, 0, 1, 0, \
        "look for pointers at any byte, as in packed structs") \
    ROW(leak_bits, "", "", 0, 12, 63, OPTION_ZERO, \
        "a word's low bits that are an address, with a tag above; 0: all") \
    ROW(stats, "", "off|exit", 0, 0, 1, 0, "write statistics when the program ends") \
    ROW(stats_signal, "", "", 0, 0, 64, OPTION_START, \
        "write them when this signal comes; 0: none") \
    ROW(stats_interval, "", "", 0, 0, STATS_INTERVAL_MOST, OPTION_START, \
        "write them every so many seconds; 0: never") \
    ROW(stats_file, "", "", 0, 0, SIZE_MAX, OPTION_START | OPTION_TEXT, \
        "where to; %p: process id; .json and .prom choose the format") \
    ROW(profile, "", OPTION_SWITCH, 0, 2, PROFILE_RATE_MOST, \
        OPTION_START | OPTION_BYTES, \
        "sample who allocates, once in so many bytes; on: 512k") \
    ROW(profile_signal, "", "", 0, 0, 64, OPTION_START, \
        "write the profile when this signal comes; 0: none") \
    ROW(profile_file, "", "", 0, 0, SIZE_MAX, OPTION_START | OPTION_TEXT, \
        "where to, and when the program ends; %p: process id") \
    ROW(valgrind, "", OPTION_SWITCH, 0, 0, 1, OPTION_START, \
        "tell memcheck what is allocated, below valgrind") \
    ROW(guard_sample, "", "", 0, 0, GUARD_SAMPLE_MOST, OPTION_START, \
        "one small allocation in so many gets a page between guards; 0: none") \
    ROW(report_file, "", "", 0, 0, SIZE_MAX, OPTION_START | OPTION_TEXT, \
        "a fatal report is written to this file, too") \
    ROW(seal, "", OPTION_SWITCH, 1, 0, 1, OPTION_START | OPTION_SECURE, \
        "headers bear a keyed checksum, verified whenever they are read") \
    ROW(canary, "", OPTION_SWITCH, 1, 0, 1, OPTION_START | OPTION_SECURE, \
        "a secret word ends each heap chunk and is looked at when it is freed") \
    ROW(shuffle, "", OPTION_SWITCH, 1, 0, 1, OPTION_START | OPTION_SECURE, \
        "chance decides which free chunk is handed out") \
    ROW(quarantine, "", "", QUARANTINE_DEFAULT, 0, QUARANTINE_MOST, \
        OPTION_START | OPTION_BYTES | OPTION_SECURE, \
        "bytes that each thread has freed and holds back from reuse") \
    ROW(zero, "", OPTION_SWITCH, 1, 0, 1, OPTION_START | OPTION_SECURE, \
        "what is freed is zeroed at once") \
    ROW(guard, "", OPTION_SWITCH, 1, 0, 1, OPTION_START | OPTION_SECURE, \
        "a page without access behind each heap and each mapping") \
    ROW(constant, "", OPTION_SWITCH, 1, 0, 1, OPTION_START | OPTION_SECURE, \
        "options and secrets are read-only once the program runs") \
    ROW(sized, "", OPTION_SWITCH, 1, 0, 1, OPTION_START | OPTION_SECURE, \
        "size and alignment told to free and delete are compared") \
    ROW(page_size, "", "kernel|16k|64k", 0, 0, 2, OPTION_START | OPTION_DEBUG, \
        "pages larger than the kernel's") \
    ROW(os_fail_at, "", "", 0, 0, SIZE_MAX, OPTION_START | OPTION_DEBUG, \
        "the n-th memory call of the kernel fails, and no other; 0: none") \
    ROW(os_fail, "", "", 0, 0, SIZE_MAX, OPTION_START | OPTION_DEBUG, \
        "every n-th memory call of the kernel fails; 0: none")

typedef struct cm_options_t {
#define OPTION_FIELD(name, variable, words, first, least, most, flags, meaning) \
    _Atomic size_t name;
    OPTION_ROWS(OPTION_FIELD)
#undef OPTION_FIELD
    /* not 0: a threshold was set and no longer adapts (mallopt(3)) */
    _Atomic size_t thresholds_fixed;
} cm_options_t;

extern cm_options_t cm_options;

/* Is a switch of the secure variant on? Never in any other. */
#define cm_secure(name) \
    (CM_SECURE && atomic_load_explicit(&cm_options.name, memory_order_relaxed) != 0)

/* Change an option. False: the secure variant, which keeps them in pages that are
 * read-only, could not make those writable. */
bool cm_option_store(_Atomic size_t *option, size_t value);

/* The variable lies in those pages. */
#if CM_SECURE
#define CM_CONSTANT __attribute__((section("cm_constant")))
#else
#define CM_CONSTANT
#endif

/* Read the environment through get, which returns NULL for what is not set. What makes no
 * sense gets one line. */
void cm_options_read(const char *(*get)(const char *name));

typedef enum option_result {
    OPTION_DONE,
    OPTION_UNKNOWN,
    OPTION_BAD_VALUE,
    OPTION_SEALED /* its page could not be made writable */
} option_result;

/* Set one option by name from text. Unless it is done nothing has changed. */
option_result cm_option_set(const char *name, size_t name_length, const char *value,
                            size_t value_length);

/* The text of an option that is one; NULL: it is not set. */
const char *cm_option_text(const _Atomic size_t *option);

/* The flags of an option; 0 if there is none of that name. */
unsigned cm_option_flags(const char *name, size_t name_length);

/* The value of an option. False: there is none of that name. */
bool cm_option_get(const char *name, size_t *value);

#endif
