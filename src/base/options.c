/*
 * base/options.c - the table of options, and the two ways that they are spelled in the environment:
 * CMALLOC_OPTIONS="name=value,..." and glibc's own variables (mallopt(3)). Numbers are decimal, with k, m or g
 * behind them for powers of 1024.
 */
#include "base/options.h"

#include "base/report.h"
#include "base/text.h"

cm_options_t cm_options = {
    .mmap_threshold = MMAP_THRESHOLD_DEFAULT,
    .mmap_max = MMAP_MAX_DEFAULT,
    .trim_threshold = TRIM_THRESHOLD_DEFAULT,
    .top_pad = TOP_PAD_DEFAULT,
};

typedef struct option {
    const char *name, *glibc; /* glibc: its environment variable, or NULL */
    _Atomic size_t *value;
    size_t most;
    bool fixes; /* setting it ends the adapting of the thresholds */
} option_t;

static const option_t option_table[] = {
    {"arena_max", "MALLOC_ARENA_MAX", &cm_options.arena_max, ARENA_MAX, false},
    {"mmap_threshold", "MALLOC_MMAP_THRESHOLD_", &cm_options.mmap_threshold,
     MMAP_THRESHOLD_MAX, true},
    {"mmap_max", "MALLOC_MMAP_MAX_", &cm_options.mmap_max, SIZE_MAX, true},
    {"trim_threshold", "MALLOC_TRIM_THRESHOLD_", &cm_options.trim_threshold, SIZE_MAX,
     true},
    {"top_pad", "MALLOC_TOP_PAD_", &cm_options.top_pad, HEAP_MAX_SIZE, true},
    {"perturb", "MALLOC_PERTURB_", &cm_options.perturb, 255, false},
    {"os_fail", NULL, &cm_options.os_fail, SIZE_MAX, false},
};
#define OPTIONS (sizeof option_table / sizeof *option_table)

/* Shift of a unit letter; 0 for none; -1 for what is no unit. */
static int unit_shift(const char *s, size_t length)
{
    if (length == 0)
        return 0;
    if (length > 1)
        return -1;
    switch (*s) {
    case 'k':
    case 'K':
        return 10;
    case 'm':
    case 'M':
        return 20;
    case 'g':
    case 'G':
        return 30;
    default:
        return -1;
    }
}

static bool parse_size(const char *s, size_t length, size_t *value)
{
    size_t n = 0, i = 0;
    for (; i < length && s[i] >= '0' && s[i] <= '9'; i++) {
        if (n > (SIZE_MAX - 9) / 10)
            return false;
        n = n * 10 + (size_t)(s[i] - '0');
    }
    int shift = unit_shift(s + i, length - i);
    if (i == 0 || shift < 0 || n > SIZE_MAX >> shift)
        return false;
    *value = n << shift;
    return true;
}

static bool option_write(const option_t *o, const char *value, size_t length)
{
    size_t n;
    if (!parse_size(value, length, &n) || n > o->most)
        return false;
    atomic_store_explicit(o->value, n, memory_order_relaxed);
    if (o->fixes)
        atomic_store_explicit(&cm_options.thresholds_fixed, true, memory_order_relaxed);
    return true;
}

bool cm_option_set(const char *name, size_t name_length, const char *value,
                   size_t value_length)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (cm_length(option_table[i].name) == name_length &&
            cm_starts_with(name, option_table[i].name))
            return option_write(&option_table[i], value, value_length);
    return false;
}

/* One "name=value" of the list. */
static void read_item(const char *item, size_t length)
{
    size_t name = 0;
    while (name < length && item[name] != '=')
        name++;
    if (name == length || !cm_option_set(item, name, item + name + 1, length - name - 1))
        cm_warn("ignored in CMALLOC_OPTIONS, from here on", item);
}

static void read_list(const char *list)
{
    while (*list != '\0') {
        size_t length = 0;
        while (list[length] != '\0' && list[length] != ',')
            length++;
        if (length > 0)
            read_item(list, length);
        list += length + (list[length] == ',');
    }
}

void cm_options_read(const char *(*get)(const char *name))
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const char *value =
            option_table[i].glibc == NULL ? NULL : get(option_table[i].glibc);
        if (value != NULL && !option_write(&option_table[i], value, cm_length(value)))
            cm_warn("ignored, not a value for it", option_table[i].glibc);
    }
    const char *list = get("CMALLOC_OPTIONS");
    if (list != NULL)
        read_list(list);
}
