/* tools/screen.c - see screen.h. The few sequences are those of every terminal since the
 * VT100. */
#include "tools/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define FRAME_MOST 65536

static struct termios before;
static bool begun;
static char frame[FRAME_MOST];
static size_t used;
static int columns_now = 80, column, rows_now = 24, row;
static bool reversed;

bool screen_possible(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term != NULL &&
           strcmp(term, "dumb") != 0;
}

static void write_all(const char *text, size_t length)
{
    while (length > 0) {
        ssize_t n = write(STDOUT_FILENO, text, length);
        if (n <= 0)
            return;
        text += n;
        length -= (size_t)n;
    }
}

static void say(const char *text) { write_all(text, strlen(text)); }

void screen_end(void)
{
    if (!begun)
        return;
    begun = false;
    say("\033[?25h\033[?1049l");
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void end_by_signal(int number)
{
    screen_end();
    signal(number, SIG_DFL);
    raise(number);
}

void screen_begin(void)
{
    struct termios raw;
    tcgetattr(STDIN_FILENO, &before);
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    begun = true;
    signal(SIGTERM, end_by_signal);
    signal(SIGHUP, end_by_signal);
    atexit(screen_end);
    say("\033[?1049h\033[?25l");
}

void screen_size(int *rows, int *columns)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        rows_now = size.ws_row;
        columns_now = size.ws_col;
    }
    *rows = rows_now;
    *columns = columns_now;
}

/* --- frames --- */

static void add(const char *text)
{
    size_t length = strlen(text);
    if (length < sizeof frame - used) {
        memcpy(frame + used, text, length);
        used += length;
    }
}

void screen_put(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    int room = columns_now - column;
    if (row >= rows_now || room <= 0)
        return;
    if ((int)strlen(text) > room)
        text[room] = '\0';
    column += (int)strlen(text);
    add(text);
}

void screen_line(bool chosen)
{
    add(reversed ? "\033[0m\033[K" : "\033[K");
    if (++row < rows_now)
        add("\r\n");
    reversed = chosen;
    if (chosen)
        add("\033[7m");
    column = 0;
}

void screen_show(void)
{
    add("\033[0m\033[K\033[J");
    say("\033[H");
    write_all(frame, used);
    used = 0;
    row = column = 0;
    reversed = false;
}

/* --- keys --- */

/* The first of the keys that count bytes are: an arrow is escape, [ or O, and a letter.
 * Sets its length. */
static screen_key key_of(const char *bytes, size_t count, size_t *length)
{
    *length =
        count >= 3 && bytes[0] == '\033' && (bytes[1] == '[' || bytes[1] == 'O') ? 3 : 1;
    if (*length == 3)
        switch (bytes[2]) {
        case 'A':
            return KEY_UP;
        case 'B':
            return KEY_DOWN;
        case 'C':
            return KEY_RIGHT;
        case 'D':
            return KEY_LEFT;
        default:
            return KEY_OTHER;
        }
    bool quit = bytes[0] == 'q' || bytes[0] == 3 || (bytes[0] == '\033' && count == 1);
    return quit ? KEY_QUIT : KEY_OTHER;
}

screen_key screen_wait(int milliseconds)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    static char bytes[8]; /* keys that came together wait here */
    static size_t count;
    if (count == 0) {
        if (poll(&input, 1, milliseconds) <= 0)
            return KEY_NONE;
        ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n <= 0)
            return KEY_QUIT;
        count = (size_t)n;
    }
    size_t length;
    screen_key key = key_of(bytes, count, &length);
    count -= length;
    memmove(bytes, bytes + length, count);
    return key;
}
