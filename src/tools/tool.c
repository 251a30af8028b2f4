/* tools/tool.c - ends, memory, numbers and arguments: see tool.h. Not the subcommands. */
#include "tools/tool.h"

#include "base/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- ends --- */

__attribute__((format(printf, 1, 0))) static void say(const char *format,
                                                      va_list arguments)
{
    fflush(stdout);
    fputs("cmalloc: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void tool_warn(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

void tool_die(tool_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    exit((int)status);
}

/* What base/report.c needs, for the assertions of the debug variant. */
void host_write(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n <= 0)
            return;
        text += n;
        length -= (size_t)n;
    }
}

void host_abort(void) { abort(); }

/* --- small things --- */

void *tool_grow(void *p, size_t size)
{
    void *mem = realloc(p, size);
    if (mem == NULL)
        tool_die(TOOL_SYSTEM, "no memory for %zu bytes", size);
    return mem;
}

void *tool_alloc(size_t size)
{
    void *mem = tool_grow(NULL, size);
    memset(mem, 0, size);
    return mem;
}

static char *next_text(size_t size)
{
    static char texts[8][32];
    static unsigned turn;
    (void)size;
    return texts[turn++ % 8];
}

const char *tool_size(size_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    char *text = next_text(32);
    double n = (double)bytes;
    unsigned unit = 0;
    for (; n >= 999.5 && unit < 6; unit++)
        n /= 1024;
    int digits = unit == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
    snprintf(text, 32, "%.*f %s", digits, n, units[unit]);
    return text;
}

const char *tool_share(size_t part, size_t whole)
{
    char *text = next_text(32);
    snprintf(text, 32, "%.1f %%",
             whole == 0 ? 0.0 : 100.0 * (double)part / (double)whole);
    return text;
}

static void take_out(int *argc, char **argv, int at, int count)
{
    for (int i = at; i + count <= *argc; i++)
        argv[i] = argv[i + count];
    *argc -= count;
}

bool tool_flag(int *argc, char **argv, const char *name)
{
    for (int i = 1; i < *argc; i++)
        if (strcmp(argv[i], name) == 0) {
            take_out(argc, argv, i, 1);
            return true;
        }
    return false;
}

const char *tool_option(int *argc, char **argv, const char *name)
{
    for (int i = 1; i < *argc; i++)
        if (strcmp(argv[i], name) == 0) {
            const char *value = argv[i + 1];
            if (value == NULL)
                tool_usage();
            take_out(argc, argv, i, 2);
            return value;
        }
    return NULL;
}

uintptr_t tool_address(const char *text)
{
    char *end;
    unsigned long long address = strtoull(text, &end, 16);
    if (end == text || *end != '\0')
        tool_die(TOOL_USAGE, "%s: not an address", text);
    return (uintptr_t)address;
}
