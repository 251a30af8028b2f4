/* overflow_text.c - a string that is too long has run over the next chunk's size, and
 * that chunk is freed. */
#include "abort.h"

static void overflow(void)
{
    char *mem = take_walled(), *next = next_of(mem);
    bool in_allocated = (peek(next, -WORD) & A) != 0;
    take(SMALL);
    memset(mem, 'p', (size_t)(next - mem)); /* P, A and M: clear */
    expect(in_allocated ? "foreign pointer" : "invalid size", next);
    give(next);
}

MISTAKE(overflow)
