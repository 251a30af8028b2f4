/* tools/main.c - the command `cmalloc`: its subcommands, and what they all use. */
#include "tools/tool.h"

#include "base/host.h"
#include "cmalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT(x) #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

typedef struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments, *what;
} subcommand;

static const subcommand subcommands[] = {
    {"run", tool_run, "[-o OPTIONS] PROGRAM [ARGUMENT...]", "run a program on cmalloc"},
    {"stats", tool_stats, "PID|CORE [--json|--prom]", "where the memory is"},
    {"top", tool_top, "[-1] [-d SECONDS] [PID...]", "processes on cmalloc, live"},
    {"why", tool_why, "PID|CORE [-n COUNT]", "fragmentation: what pins free memory"},
    {"find", tool_find, "PID|CORE ADDRESS...", "which chunk is that, and its neighbours"},
    {"leaks", tool_leaks,
     "PID|CORE [--precise] [--json] [--unaligned] [--mask HEX] [--once] [--interval "
     "SECONDS] [--rows N] [--hex BYTES] [--save FILE] [--since FILE]",
     "what nothing points to any more"},
    {"who", tool_who, "PID|CORE ADDRESS [--precise] [--unaligned] [--mask HEX]",
     "who points to it: a path from a root"},
    {"check", tool_check, "PID|CORE", "look for damage"},
    {"trim", tool_trim, "PID", "have a process give back what it can"},
};
#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

static const subcommand *current;

/* --- ends --- */

static void say(const char *format, va_list arguments)
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
    exit(status);
}

void tool_usage(void)
{
    fprintf(stderr, "usage: cmalloc %s %s\n", current->name, current->arguments);
    exit(TOOL_USAGE);
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

/* --- choosing --- */

static int help(FILE *to)
{
    fputs("usage: cmalloc COMMAND ...\n\n", to);
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        fprintf(to, "  %-5s %-38s %s\n", subcommands[i].name, subcommands[i].arguments,
                subcommands[i].what);
    fputs("\nStatus: 0 done; 1 damage or leaks found; 2 usage; 3 permission refused;\n"
          "4 no such process or file; 5 not on cmalloc; 6 truncated or damaged core;\n"
          "7 another version of the library; 8 the system refused; 9 run: cannot be\n"
          "served; 10 trim: no answer.\n",
          to);
    return to == stdout ? TOOL_OK : TOOL_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "--version") == 0) {
        puts("cmalloc " VERSION(CMALLOC_VERSION_MAJOR, CMALLOC_VERSION_MINOR,
                                CMALLOC_VERSION_PATCH));
        return TOOL_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return help(stdout);
    for (size_t i = 0; i < SUBCOMMANDS; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0) {
            current = &subcommands[i];
            return current->run(argc - 1, argv + 1);
        }
    return help(stderr);
}
