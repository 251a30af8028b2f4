/*
 * tools/tool.h - what the files of the command `cmalloc` share.
 *
 * The command is a program of its own, built from these files and from inspect/walk.c and
 * what that needs; it is not part of the library and may use stdio and malloc. One file
 * holds one subcommand. What has no answer ends in one line on standard error and one of
 * the statuses below, which the manual lists.
 */
#ifndef CM_TOOLS_TOOL_H
#define CM_TOOLS_TOOL_H

#include "base/compiler.h"

#include <stdlib.h>

typedef enum tool_status {
    TOOL_OK = 0,
    TOOL_FOUND = 1,      /* check: damage; leaks: leaks */
    TOOL_USAGE = 2,      /* the command line makes no sense */
    TOOL_REFUSED = 3,    /* no permission to look at the process or the file */
    TOOL_NONE = 4,       /* no such process or file; or it has gone meanwhile */
    TOOL_NOT_OURS = 5,   /* it does not run on cmalloc; profile: without the option */
    TOOL_CORE = 6,       /* not a core file, or one that is truncated or damaged */
    TOOL_VERSION = 7,    /* the library in it is of another version or layout */
    TOOL_SYSTEM = 8,     /* the system refused something else: memory, a file to write */
    TOOL_NOT_SERVED = 9, /* run: the program cannot be run on the library */
    TOOL_TIMEOUT = 10    /* trim: nobody answered */
} tool_status;

/* One line `cmalloc: <text>` on standard error, and the end. */
_Noreturn void tool_die(tool_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Likewise, without the end. */
void tool_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The usage line of the subcommand that runs, and the end. */
_Noreturn void tool_usage(void);

/* Memory, or the end. */
void *tool_alloc(size_t size);
void *tool_grow(void *p, size_t size);

/* A size in the three digits that people read, "1.23 MiB", in static storage that eight
 * calls share. */
const char *tool_size(size_t bytes);

/* "12.3 %", likewise. */
const char *tool_share(size_t part, size_t whole);

/* Take a flag such as --json out of argv. True: it was there. */
bool tool_flag(int *argc, char **argv, const char *name);

/* Take an option with its value, "-o FILE", out of argv. NULL: it was not there. */
const char *tool_option(int *argc, char **argv, const char *name);

/* An address in hexadecimal, with or without 0x, or the end. */
uintptr_t tool_address(const char *text);

/* The subcommands: argv[0] is the subcommand's name. They return a tool_status. */
int tool_check(int argc, char **argv);
int tool_find(int argc, char **argv);
int tool_leaks(int argc, char **argv);
int tool_map(int argc, char **argv);
int tool_profile(int argc, char **argv);
int tool_run(int argc, char **argv);
int tool_stats(int argc, char **argv);
int tool_top(int argc, char **argv);
int tool_trim(int argc, char **argv);
int tool_who(int argc, char **argv);
int tool_why(int argc, char **argv);

#endif
