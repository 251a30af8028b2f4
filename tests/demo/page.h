/*
 * page.h - what the tour writes: text, colours, numbers, and statements that it checked.
 *
 * Colours are used on a terminal only, and not where NO_COLOR or TERM=dumb asks for none.
 * The buffer of stdout is ours, so that printing asks the heap on show for nothing.
 */
#ifndef DEMO_PAGE_H
#define DEMO_PAGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum ink {
    INK_PLAIN,
    INK_INUSE,
    INK_CACHED,
    INK_FREE,
    INK_TOP,
    INK_META,
    INK_TITLE,
    INK_DIM
} ink_t;

#define MARGIN "  "

typedef struct page {
    char buffer[1 << 14];
    bool colour, step; /* step: wait for Enter after each stop */
    unsigned stop, stops, checked;
    const char *title, *code; /* of the stop, and of what it does */
    bool pending;             /* what it did has not been drawn yet */
    void (*draw)(void);       /* draw.h; NULL: the tour is not drawn */
} page_t;

static page_t page;

static inline const char *ink(ink_t which)
{
    static const char *const codes[] = {"\033[0m",  "\033[94m", "\033[36m", "\033[32m",
                                        "\033[33m", "\033[35m", "\033[1m",  "\033[2m"};
    return page.colour ? codes[which] : "";
}

static inline void page_open(bool step, unsigned stops)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    setvbuf(stdout, page.buffer, _IOFBF, sizeof page.buffer);
    page.step = step;
    page.stops = stops;
    page.colour = isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') &&
                  (term == NULL || strcmp(term, "dumb") != 0);
}

/* One clear line on standard error, and the end of the tour. */
__attribute__((format(printf, 1, 2))) static inline _Noreturn void
give_up(const char *why, ...)
{
    va_list args;
    fflush(stdout);
    fputs("heap: ", stderr);
    va_start(args, why);
    vfprintf(stderr, why, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

static inline void page_close(void)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        give_up("cannot write the tour");
}

static inline void wait_for_enter(void)
{
    char c;
    printf("\n" MARGIN "%sEnter goes on.%s ", ink(INK_DIM), ink(INK_PLAIN));
    fflush(stdout);
    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
        continue;
}

static inline void stop_begins(const char *title)
{
    if (page.step && page.stop > 0)
        wait_for_enter();
    page.stop++;
    page.title = title;
    printf("\n%s%u/%u  %s%s\n\n", ink(INK_TITLE), page.stop, page.stops, title,
           ink(INK_PLAIN));
}

static inline void gap(void) { putchar('\n'); }

static inline void say(const char *text) { printf(MARGIN "%s\n", text); }

/* What the program on show does now. */
static inline void does(const char *code)
{
    page.code = code;
    page.pending = true;
    printf(MARGIN "%s>  %s%s\n\n", ink(INK_TITLE), code, ink(INK_PLAIN));
}

/* The heap is now as the text says that comes next. */
static inline void picture(void)
{
    if (page.pending && page.draw != NULL)
        page.draw();
    page.pending = false;
}

/* A statement about the heap. It is true, or the tour ends. */
__attribute__((format(printf, 2, 3))) static inline void claim(bool holds,
                                                               const char *statement, ...)
{
    char text[160];
    va_list args;
    va_start(args, statement);
    vsnprintf(text, sizeof text, statement, args);
    va_end(args);
    if (!holds)
        give_up("the heap contradicts the tour: %s", text);
    picture();
    page.checked++;
    printf(MARGIN "%sok%s  %s\n", ink(INK_FREE), ink(INK_PLAIN), text);
}

typedef struct digits {
    char text[32];
} digits_t;

/* n with a comma before every third digit from the end. */
static inline digits_t commas(size_t n)
{
    char plain[24];
    digits_t d = {""};
    int length = snprintf(plain, sizeof plain, "%zu", n);
    size_t used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            d.text[used++] = ',';
        d.text[used++] = plain[i];
    }
    return d;
}

/* An address, always as wide as the widest. */
static inline digits_t hex(const void *p)
{
    digits_t d;
    int width = sizeof p == 8 ? 12 : 8;
    snprintf(d.text, sizeof d.text, "0x%0*llx", width, (unsigned long long)(uintptr_t)p);
    return d;
}

#endif
