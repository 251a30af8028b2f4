/*
 * base/options.c - the table of options, and the ways that they are spelled in the
 * environment: CMALLOC_OPTIONS="name=value,...", glibc's own variables (mallopt(3)), and
 * its tunables, GLIBC_TUNABLES="glibc.malloc.name=value:...". Numbers are decimal, with
 * k, m or g behind them for powers of 1024.
 *
 * The rows hold their texts, not pointers to them: so the table is constant, and no start
 * of a program pays for its relocation.
 */
#include "base/options.h"

#include "base/host.h"
#include "base/report.h"
#include "base/text.h"

#define OPTION_FIRST(name, variable, words, first, least, most, flags, meaning) \
    .name = (first),
CM_CONSTANT cm_options_t cm_options = {OPTION_ROWS(OPTION_FIRST)};
#undef OPTION_FIRST

typedef struct option {
    char name[16], variable[24], words[24];
    size_t place; /* in cm_options_t */
    size_t first, least, most;
    unsigned flags;
} option_t;

#define OPTION_ENTRY(name, variable, words, first, least, most, flags, meaning) \
    {#name, variable, words, offsetof(cm_options_t, name), first, least, most, flags},
static const option_t option_table[] = {OPTION_ROWS(OPTION_ENTRY)};
#undef OPTION_ENTRY
#define OPTION_MEANING(name, variable, words, first, least, most, flags, meaning) meaning,
static const char meanings[][72] = {OPTION_ROWS(OPTION_MEANING)}; /* only help's */
#undef OPTION_MEANING
#define OPTIONS (sizeof option_table / sizeof *option_table)

static _Atomic size_t *word_of(const option_t *o)
{
    return (_Atomic size_t *)(void *)((char *)&cm_options + o->place);
}

CM_NEAR bool cm_option_store(_Atomic size_t *option, size_t value)
{
    if (CM_SECURE && !host_constant_open())
        return false;
    atomic_store_explicit(option, value, memory_order_relaxed);
    if (CM_SECURE)
        host_constant_close();
    return true;
}

static bool is_known(const option_t *o)
{
    return (CM_DEBUG || (o->flags & OPTION_DEBUG) == 0) &&
           (CM_SECURE || (o->flags & OPTION_SECURE) == 0);
}

static const option_t *find(const char *name, size_t length)
{
    for (const option_t *o = option_table; o < option_table + OPTIONS; o++)
        if (cm_equals(o->name, name, length) && is_known(o))
            return o;
    return NULL;
}

/* --- values --- */

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

/* The index of s among words, which '|' separates. */
static bool parse_word(const char *words, const char *s, size_t length, size_t *value)
{
    for (size_t index = 0; *words != '\0'; index++) {
        size_t n = 0;
        while (words[n] != '\0' && words[n] != '|')
            n++;
        if (n == length && cm_starts_with_n(words, s, length)) {
            *value = index;
            return true;
        }
        words += n + (words[n] == '|');
    }
    return false;
}

static bool parse(const option_t *o, const char *s, size_t length, size_t *value)
{
    if (parse_word(o->words, s, length, value))
        return true;
    if ((o->flags & OPTION_OFF) != 0 &&
        (cm_equals("off", s, length) || cm_equals("-1", s, length))) {
        *value = OPTION_NEVER;
        return true;
    }
    return parse_size(s, length, value) && *value <= o->most &&
           (*value >= o->least || (*value == 0 && (o->flags & OPTION_ZERO) != 0));
}

/* Texts of the options, each behind the one before. The word of the option is where its
 * text begins, counted from one. A text that is set again takes room anew. */
static char texts[2 * OPTION_TEXT_MOST];
static size_t texts_used;

static bool keep_text(const char *s, size_t length, size_t *value)
{
    if (length == 0 || length >= sizeof texts - texts_used)
        return false;
    *value = texts_used + 1;
    for (size_t i = 0; i < length; i++)
        texts[texts_used++] = s[i];
    texts[texts_used++] = '\0';
    return true;
}

CM_NEAR const char *cm_option_text(const _Atomic size_t *option)
{
    size_t at = atomic_load_explicit(option, memory_order_relaxed);
    return at == 0 ? NULL : &texts[at - 1];
}

static option_result option_write(const option_t *o, const char *value, size_t length)
{
    size_t n;
    bool holds = (o->flags & OPTION_TEXT) != 0 ? keep_text(value, length, &n)
                                               : parse(o, value, length, &n);
    if (!holds)
        return OPTION_BAD_VALUE;
    if (!cm_option_store(word_of(o), n))
        return OPTION_SEALED;
    if ((o->flags & OPTION_FIXES) != 0)
        cm_option_store(&cm_options.thresholds_fixed, 1);
    return OPTION_DONE;
}

option_result cm_option_set(const char *name, size_t name_length, const char *value,
                            size_t value_length)
{
    const option_t *o = find(name, name_length);
    return o == NULL ? OPTION_UNKNOWN : option_write(o, value, value_length);
}

unsigned cm_option_flags(const char *name, size_t name_length)
{
    const option_t *o = find(name, name_length);
    return o == NULL ? 0 : o->flags;
}

bool cm_option_get(const char *name, size_t *value)
{
    const option_t *o = find(name, cm_length(name));
    if (o != NULL)
        *value = atomic_load_explicit(word_of(o), memory_order_relaxed);
    return o != NULL;
}

/* --- text --- */

/* A number as a user would write it. */
static void put_value(cm_text *t, const option_t *o, size_t n)
{
    static const char units[][2] = {"", "k", "m", "g"};
    unsigned unit = 0;
    if (n == SIZE_MAX) {
        cm_text_string(t, (o->flags & OPTION_OFF) != 0 ? "off" : "any");
        return;
    }
    while ((o->flags & OPTION_BYTES) != 0 && n != 0 && n % KIB == 0 && unit < 3) {
        n /= KIB;
        unit++;
    }
    cm_text_number(t, n);
    cm_text_string(t, units[unit]);
}

static void put_first(cm_text *t, const option_t *o)
{
    const char *words = o->words;
    if ((o->flags & OPTION_TEXT) != 0) {
        cm_text_string(t, "none");
        return;
    }
    if (*words == '\0') {
        put_value(t, o, o->first);
        return;
    }
    for (size_t i = 0; i < o->first; words++)
        i += *words == '|';
    size_t length = 0;
    while (words[length] != '\0' && words[length] != '|')
        length++;
    cm_text_bytes(t, words, length);
}

static void put_range(cm_text *t, const option_t *o)
{
    if ((o->flags & OPTION_TEXT) != 0) {
        cm_text_string(t, "text");
        return;
    }
    if (o->words[0] != '\0') {
        cm_text_string(t, o->words);
        if ((o->flags & OPTION_BYTES) == 0)
            return;
        cm_text_string(t, ", ");
    }
    if ((o->flags & OPTION_ZERO) != 0)
        cm_text_string(t, "0, ");
    put_value(t, o, o->least);
    cm_text_string(t, "..");
    put_value(t, o, o->most);
    if ((o->flags & OPTION_OFF) != 0 && o->most != OPTION_NEVER)
        cm_text_string(t, ", off");
}

/* Spaces up to a column; two at least. */
static void put_gap(cm_text *t, size_t start, size_t column)
{
    cm_text_string(t, " ");
    do
        cm_text_string(t, " ");
    while (t->used - start < column);
}

static void help_line(cm_text *t, const char *name, const option_t *o)
{
    size_t start = t->used;
    cm_text_string(t, name);
    put_gap(t, start, 16);
    if (o == NULL)
        cm_text_string(t, "default");
    else
        put_first(t, o);
    put_gap(t, start, 25);
    if (o == NULL)
        cm_text_string(t, "range");
    else
        put_range(t, o);
    put_gap(t, start, 46);
    cm_text_string(t, o == NULL ? "meaning" : meanings[o - option_table]);
    if (o != NULL && (o->flags & OPTION_START) != 0)
        cm_text_string(t, " (read at start)");
    cm_text_string(t, "\n");
    cm_text_flush(t);
}

static CM_COLD void help(void)
{
    cm_text t = {.used = 0, .fd = 2};
    help_line(&t, "option", NULL);
    for (const option_t *o = option_table; o < option_table + OPTIONS; o++)
        if (is_known(o))
            help_line(&t, o->name, o);
}

/* One line that names what was not understood in a variable of the environment. */
static CM_COLD void complain(const char *where, const option_t *o, const char *text,
                             size_t length)
{
    cm_text t = {.used = 0, .fd = 2};
    cm_text_string(&t, "cmalloc: ");
    cm_text_string(&t, where);
    cm_text_string(&t, o == NULL ? ": no such option: \"" : ": not a value");
    if (o != NULL) {
        cm_text_string(&t, " of ");
        cm_text_string(&t, o->name);
        cm_text_string(&t, " (");
        put_range(&t, o);
        cm_text_string(&t, "): \"");
    }
    cm_text_bytes(&t, text, length);
    cm_text_string(&t, "\"\n");
    cm_text_flush(&t);
}

/* --- the environment --- */

/* Length of s up to a byte that ends it, or its own end. */
static size_t length_to(const char *s, size_t most, char end)
{
    size_t n = 0;
    while (n < most && s[n] != '\0' && s[n] != end)
        n++;
    return n;
}

/* One "name=value" of CMALLOC_OPTIONS. */
static CM_COLD void read_item(const char *item, size_t length)
{
    size_t name = length_to(item, length, '=');
    if (cm_equals("help", item, length)) {
        help();
        return;
    }
    const option_t *o = find(item, name);
    const char *value = item + name + (name < length);
    size_t value_length = length - (size_t)(value - item);
    if (o == NULL)
        complain("CMALLOC_OPTIONS", NULL, item, length);
    else if (option_write(o, value, value_length) != OPTION_DONE)
        complain("CMALLOC_OPTIONS", o, value, value_length);
}

/* One "name=value" of GLIBC_TUNABLES. What we have no option for is glibc's affair. */
static CM_COLD void read_tunable(const char *item, size_t length)
{
    static const char prefix[] = "glibc.malloc.";
    size_t skip = sizeof prefix - 1, name = length_to(item, length, '=');
    if (name == length || !cm_starts_with(item, prefix))
        return;
    const option_t *o = find(item + skip, name - skip);
    const char *value = item + name + 1;
    if (o != NULL && o->variable[0] != '\0' &&
        option_write(o, value, length - name - 1) != OPTION_DONE)
        complain("GLIBC_TUNABLES", o, value, length - name - 1);
}

static void read_list(const char *list, char separator,
                      void (*read)(const char *item, size_t length))
{
    while (list != NULL && *list != '\0') {
        size_t length = length_to(list, SIZE_MAX, separator);
        if (length > 0)
            read(list, length);
        list += length + (list[length] == separator);
    }
}

void cm_options_read(const char *(*get)(const char *name))
{
    read_list(get("GLIBC_TUNABLES"), ':', read_tunable);
    for (const option_t *o = option_table; o < option_table + OPTIONS; o++) {
        const char *value = o->variable[0] == '\0' ? NULL : get(o->variable);
        if (value != NULL && option_write(o, value, cm_length(value)) != OPTION_DONE)
            complain(o->variable, o, value, cm_length(value));
    }
    read_list(get("CMALLOC_OPTIONS"), ',', read_item);
}
