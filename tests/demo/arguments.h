/* arguments.h - what ./heap may be asked for. */
#ifndef DEMO_ARGUMENTS_H
#define DEMO_ARGUMENTS_H

#include "draw.h"

static inline _Noreturn void usage(void)
{
    fputs("usage: heap [--step | --svg DIR | --html FILE | --json] [--help] [--version]\n"
          "\n"
          "A guided tour of the heap that this program runs on.\n\n"
          "  --step       wait for Enter after each stop\n"
          "  --svg DIR    draw each step into DIR: 01.svg and so on\n"
          "  --html FILE  the tour with its pictures, as one page\n"
          "  --json       what cmalloc_walk finds at each step\n"
          "  --help       this text\n"
          "  --version    the library's version\n\n"
          "Colours are used on a terminal only; NO_COLOR=1 turns them off.\n"
          "Status: 0, or 1 if the heap is not as the tour says, 2 for bad arguments.\n",
          stdout);
    exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

__attribute__((format(printf, 1, 2))) static inline _Noreturn void refuse(const char *why,
                                                                          ...)
{
    va_list args;
    fputs("heap: ", stderr);
    va_start(args, why);
    vfprintf(stderr, why, args);
    va_end(args);
    fputs(" (try --help)\n", stderr);
    exit(2);
}

typedef struct argument {
    const char *name, *value; /* what its value is called; NULL: it has none */
    draw_kind kind;
} argument_t;

static const argument_t arguments_known[] = {{"--step", NULL, DRAW_NOTHING},
                                             {"--svg", "a directory", DRAW_SVG},
                                             {"--html", "a file", DRAW_HTML},
                                             {"--json", NULL, DRAW_JSON}};

static inline const argument_t *argument_named(const char *name)
{
    for (size_t i = 0; i < sizeof arguments_known / sizeof *arguments_known; i++)
        if (strcmp(arguments_known[i].name, name) == 0)
            return &arguments_known[i];
    refuse("no such argument: %s", name);
}

/* Sets drawing. Returns whether to wait after each stop. */
static inline bool read_arguments(int count, char **arguments)
{
    const argument_t *chosen = NULL;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--help") == 0)
            usage();
        if (strcmp(arguments[i], "--version") == 0) {
            printf("heap (cmalloc) %s\n", cmalloc_version());
            exit(EXIT_SUCCESS);
        }
        const argument_t *a = argument_named(arguments[i]);
        if (chosen != NULL)
            refuse("%s and %s do not go together", chosen->name, a->name);
        chosen = a;
        if (a->value != NULL && ++i == count)
            refuse("%s needs %s", a->name, a->value);
        drawing.kind = a->kind;
        drawing.path = a->value != NULL ? arguments[i] : "";
    }
    return chosen == &arguments_known[0];
}

#endif
