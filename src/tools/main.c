/* tools/main.c - the command `cmalloc`: its subcommands. */
#include "tools/tool.h"

#include "cmalloc.h"

#include <stdio.h>
#include <string.h>

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
    {"map", tool_map, "PID|CORE [-o FILE] [--diff AFTER]", "a picture of the heap"},
    {"find", tool_find, "PID|CORE ADDRESS...", "which chunk is that, and its neighbours"},
    {"leaks", tool_leaks,
     "PID|CORE [--precise] [--json] [--unaligned] [--mask HEX] [--once] [--interval "
     "SECONDS] [--rows N] [--hex BYTES] [--save FILE] [--since FILE]",
     "what nothing points to any more"},
    {"who", tool_who, "PID|CORE ADDRESS [--precise] [--unaligned] [--mask HEX]",
     "who points to it: a path from a root"},
    {"profile", tool_profile, "PID|CORE [--folded|--html [--all]] [-o FILE]",
     "who has allocated what is live"},
    {"check", tool_check, "PID|CORE", "look for damage"},
    {"trim", tool_trim, "PID", "have a process give back what it can"},
};
#define SUBCOMMANDS (sizeof subcommands / sizeof *subcommands)

static const subcommand *current;

void tool_usage(void)
{
    fprintf(stderr, "usage: cmalloc %s %s\n", current->name, current->arguments);
    exit(TOOL_USAGE);
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
