/* double_free_mapped.c - the chunk was a mapping of its own, which is kept for reuse: it
 * was asked for right after another was let go. */
#include "abort.h"

static void twice(void)
{
    give(take(MAPPED));
    char *mem = take(2 * MAPPED); /* the threshold has risen to the first one's size */
    give(mem);
    expect("double free", mem);
    give(mem);
}

MISTAKE(twice)
