/*
 * tools/screen.h - a terminal that a subcommand has to itself: keys one at a time, and a
 * frame written in one piece, so that nothing flickers. It is put back at the end, also
 * at one by a signal.
 */
#ifndef CM_TOOLS_SCREEN_H
#define CM_TOOLS_SCREEN_H

#include "tools/tool.h"

typedef enum screen_key {
    KEY_NONE, /* the time has passed */
    KEY_UP,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_QUIT, /* q, escape, control-C, or the terminal has gone */
    KEY_OTHER
} screen_key;

/* Standard input and output are a terminal that can be drawn on. */
bool screen_possible(void);

void screen_begin(void);
void screen_end(void);

/* The size of the terminal now. */
void screen_size(int *rows, int *columns);

/* Text of the frame that is being made; lines that do not fit are cut. */
void screen_put(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The next line, in reverse if it is chosen. */
void screen_line(bool chosen);

/* Show the frame and begin the next one. */
void screen_show(void);

/* Wait for a key. */
screen_key screen_wait(int milliseconds);

#endif
