/*
 * inspect/file.h - a report to a file that an option names, while the program runs.
 *
 * Written beside its place and renamed, so that a reader finds the old one or the new
 * one, whole. Without malloc or stdio; async-signal-safe.
 */
#ifndef CM_INSPECT_FILE_H
#define CM_INSPECT_FILE_H

#include "base/options.h"

typedef struct file_path {
    char text[OPTION_TEXT_MOST + 32];
    size_t length;
} file_path_t;

/* The path ends like this. */
bool file_ends(const file_path_t *p, const char *end);

/* The option's text with %p as the process's id: a program that forks writes several.
 * False: the file cannot be written, or write has said so. */
bool file_write(const char *option, bool (*write)(int fd, const file_path_t *path));

#endif
