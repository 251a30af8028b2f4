/* top_damage.c - the last chunk overflows into top: a size that ends elsewhere, flags
 * that lie, or a whole fake chunk in its place. */
#include "attack.h"

static char *last(char **mem)
{
    *mem = take(BINNED);
    if (*mem == NULL)
        exit(EXIT_FAILURE);
    return *mem + size_of(*mem);
}

/* P of top is cleared: the last chunk seems free. */
static void no_p(void)
{
    char *a, *top = last(&a);
    poke(a, BINNED - WORD, size_of(a));
    poke(top, -WORD, peek(top, -WORD) & ~(size_t)P);
    go_on(BINNED, 5);
    give(a);
    go_on(BINNED, 5);
}

/* A fake chunk that seems free, with links to itself, where top is. */
static void free_chunk(void)
{
    char *a, *top = last(&a);
    poke(top, -WORD, 0x100 | P);
    poke(top, 0, chunk(top));
    poke(top, WORD, chunk(top));
    poke(top, 0x100 - 2 * WORD, 0x100);
    poke(top, 0x100 - WORD, 0x100);
    give(a);
    go_on(BINNED, 20);
}

/* Memory behind top's end is handed out. */
static void longer(void)
{
    char *a, *top = last(&a);
    poke(top, -WORD, peek(top, -WORD) + (1 << 20));
    go_on(BINNED, 60);
    (void)a;
}

static void shorter(void)
{
    char *a, *top = last(&a);
    poke(top, -WORD, 64 | P);
    go_on(BINNED, 20);
    (void)a;
}

ATTACK(no_p, free_chunk, longer, shorter)
