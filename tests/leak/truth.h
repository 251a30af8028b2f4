/*
 * leak/truth.h - what was planted, kept so that no scan can find it.
 *
 * Addresses are stored as their complement: a table of plain pointers would keep every
 * leak alive.
 */
#ifndef TESTS_LEAK_TRUTH_H
#define TESTS_LEAK_TRUTH_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>

enum fate_t { LEAKED, LIVE, HIDDEN };

struct truth_t {
    uintptr_t hidden; /* ~address */
    const char *kind;
    fate_t fate;
    bool reported; /* in this scan */
};

static truth_t truths[128 * 1024];
static size_t truth_count;
static bool truths_sorted;

static inline void truth_add(fate_t fate, const char *kind, const void *mem)
{
    truths[truth_count++] = {~reinterpret_cast<uintptr_t>(mem), kind, fate, false};
    truths_sorted = false;
}

static inline bool truth_before(const truth_t &a, const truth_t &b)
{
    return a.hidden < b.hidden;
}

static inline truth_t *truth_of(uintptr_t hidden)
{
    if (!truths_sorted)
        std::sort(truths, truths + truth_count, truth_before);
    truths_sorted = true;
    truth_t key = {hidden, "", LEAKED, false};
    truth_t *at = std::lower_bound(truths, truths + truth_count, key, truth_before);
    return at != truths + truth_count && at->hidden == hidden ? at : nullptr;
}

/* One line each: fate, kind, address. */
static inline bool truth_write(const char *path)
{
    static const char *const fates[] = {"leak", "live", "hidden"};
    std::FILE *file = std::fopen(path, "w");
    if (file == nullptr)
        return false;
    for (size_t i = 0; i < truth_count; i++)
        std::fprintf(file, "%s %s ~%016jx\n", fates[truths[i].fate], truths[i].kind,
                     static_cast<uintmax_t>(truths[i].hidden));
    return std::fclose(file) == 0;
}

#endif
