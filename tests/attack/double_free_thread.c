/* double_free_thread.c - the second free comes from another thread, which cannot see the
 * first one's cache. */
#include "attack.h"

static void *free_it(void *mem)
{
    see_free(mem);
    return NULL;
}

static void elsewhere(size_t n)
{
    pthread_t thread;
    stock(n);
    void *a = take(n);
    wall();
    give(a);
    if (pthread_create(&thread, NULL, free_it, a) == 0)
        pthread_join(thread, NULL);
    spend_stock();
    go_on(n, 800);
}

static void small(void) { elsewhere(SMALL); }
static void middle(void) { elsewhere(MIDDLE); }
static void binned(void) { elsewhere(BINNED); }

ATTACK(small, middle, binned)
