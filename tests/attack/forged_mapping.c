/* forged_mapping.c - chunks with a mapping of their own. A header says that memory is
 * one, so that free unmaps or keeps what the attacker wants; or a real one is made
 * longer, over its neighbour. The layouts are glibc's (prev_size and size) and cmalloc's,
 * as far as the attacker can know it: all but secrets. */
#include "attack.h"

#include "core/large.h"

enum { FIRST = 64 }; /* a page's first chunk has its memory here, or a bit further on */

/* prey is made to look like a mapping. */
static void fake(void)
{
    see_free(take(MAPPED));
    live_count = 0;
    for (size_t mem = FIRST; mem <= 128; mem += 16) {
        size_t offset = mem - 2 * WORD, base = prey_at(0);
        size_t *w = prey.words;
        memset(w, 0, mem);
        w[0] = LARGE_MAGIC ^ base; /* magic, arena, older, newer, mapped, offset */
        w[4] = PREY_BYTES;
        w[5] = offset;
        w[offset / WORD] = offset;
        w[offset / WORD + 1] = (PREY_BYTES - offset) | M;
        prey_is_set();
        see_free((char *)w + mem);
    }
    go_on(MAPPED, 20);
    prey_must_be_unchanged();
}

/* glibc's own form: a chunk at the start of a page, no header before it. */
static void fake_plain(void)
{
    size_t *w = prey.words;
    w[0] = 0;
    w[1] = PREY_BYTES | M;
    prey_is_set();
    see_free(w + 2);
    go_on(PREY_BYTES, 20);
    prey_must_be_unchanged(); /* faults if it is gone */
}

/* Two mappings, one behind the other: the first one's header claims both. */
static void longer(bool info_too)
{
    char *all[3], *low = NULL, *high = NULL;
    for (unsigned i = 0; i < 3; i++)
        all[i] = take(MAPPED);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned j = 0; j < 3; j++)
            if (all[j] > all[i] && (size_t)(all[j] - all[i]) < MAPPED + 16384)
                low = all[i], high = all[j];
    if (low == NULL)
        return;
    size_t apart = (size_t)(high - low), before = peek(low, -WORD);
    poke(low, -WORD, before + apart);
    size_t mapped = peek(low, -2 * WORD) + (before & ~(size_t)7);
    for (ptrdiff_t at = -128; info_too && at < -2 * WORD; at += WORD)
        if (((size_t)low + (size_t)at) >> 12 == (size_t)low >> 12 &&
            peek(low, at) == mapped)
            poke(low, at, mapped + apart);
    give(low);
    go_on(2 * MAPPED, 20);
    (void)peek(high, 0); /* live: must still be there */
}

static void longer_size(void) { longer(false); }
static void longer_info(void) { longer(true); }

/* A heap chunk gets the flag. */
static void flag(void)
{
    char *a = take(BINNED), *b = take(BINNED);
    wall();
    poke(b, -2 * WORD, (size_t)b & 4095);
    poke(b, -WORD, peek(b, -WORD) | M);
    (void)a;
    give(b);
    go_on(BINNED, 20);
}

ATTACK(fake, fake_plain, longer_size, longer_info, flag)
