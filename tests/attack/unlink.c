/* unlink.c - the links of a free chunk are forged, so that taking it out of its list
 * writes to an address: when a neighbour is freed, and when malloc takes it. The prey
 * agrees with the links, as a program's own pointer to the chunk would. */
#include "attack.h"

static void *given_free(void **before)
{
    *before = take(BINNED);
    void *b = take(BINNED);
    wall();
    give(b);
    return b;
}

/* fd and bk lead to two fakes that lead back to the chunk. */
static void forge(void *b, size_t fd, size_t bk)
{
    poke(b, 0, fd);
    poke(b, WORD, bk);
    poke((void *)fd, 3 * WORD, chunk(b));
    poke((void *)bk, 2 * WORD, chunk(b));
}

static void by_free(void)
{
    void *a, *b = given_free(&a);
    forge(b, prey_at(0), prey_at(1));
    prey_is_set();
    give(a);
    prey_must_be_unchanged();
    go_on(BINNED, 10);
}

static void by_malloc(void)
{
    void *a, *b = given_free(&a);
    (void)a;
    forge(b, prey_at(0), prey_at(1));
    prey_is_set();
    go_on(BINNED, 10);
    prey_must_be_unchanged();
}

/* The fakes lie in the heap: no look-up of addresses tells them from chunks. */
static void in_heap(void)
{
    char *fakes = take(BINNED);
    void *a, *b = given_free(&a);
    forge(b, (size_t)fakes, (size_t)fakes + 2 * WORD);
    give(a);
    if (peek(fakes, 3 * WORD) != chunk(b) || peek(fakes, 4 * WORD) != chunk(b))
        won("the allocator wrote into a live chunk");
    go_on(BINNED, 10);
}

/* A ring of one, though there are two: the chunk is taken and yet stays. */
static void self(void)
{
    void *a, *b = given_free(&a), *c = take(3 * BINNED);
    wall();
    give(c);
    forge(b, chunk(b), chunk(b));
    forge(c, chunk(c), chunk(c));
    go_on(BINNED, 10);
    go_on(3 * BINNED, 10);
}

ATTACK(by_free, by_malloc, in_heap, self)
