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

/* The first n bytes of s and t are the same, and s does not end before. */
static inline bool cm_starts_with_n(const char *s, const char *t, size_t n)
{
    size_t i = 0;
    while (i < n && s[i] != '\0' && s[i] == t[i])
        i++;
    return i == n;
}

static inline bool cm_contains(const char *s, const char *part)
{
    while (*s != '\0' && !cm_starts_with(s, part))
        s++;
    return *s != '\0';
}

/* s is the n bytes at t. */
static inline bool cm_equals(const char *s, const char *t, size_t n)
{
    return cm_starts_with_n(s, t, n) && s[n] == '\0';
}

#endif
