/*
 * base/text.h - the few functions on strings that start-up needs.
 *
 * libc's are bound at every start of every program, and page in more of libc than their
 * work is worth.
 */
#ifndef CM_BASE_TEXT_H
#define CM_BASE_TEXT_H

#include "base/compiler.h"

static inline size_t cm_length(const char *s)
{
    size_t n = 0;
    while (s[n] != '\0')
        n++;
    return n;
}

static inline bool cm_starts_with(const char *s, const char *start)
{
    while (*start != '\0')
        if (*s++ != *start++)
            return false;
    return true;
}

#endif
