/* core/depot.c - see depot.h. */
#include "core/depot.h"

static void keep_for(depot_shelf_t *shelf, unsigned ticks)
{
    if (shelf->ticks < ticks)
        shelf->ticks = ticks;
}

static void push(depot_t *d, unsigned k, magazine_t m)
{
    magazine_set(m, d->shelf[k].parked);
    d->shelf[k].parked = m.first;
}

void depot_add(depot_t *d, unsigned k, void *mem)
{
    magazine_t *loose = &d->shelf[k].loose;
    size_t size = class_size(k);
    keep_for(&d->shelf[k], PURGE_TICKS / 2);
    link_set(mem, loose->first);
    loose->first = mem;
    loose->count++;
    d->bytes += size;
    if (loose->count >= class_magazine(size)) {
        push(d, k, *loose);
        *loose = (magazine_t){NULL, 0};
    }
}

void depot_park(depot_t *d, unsigned k, magazine_t m)
{
    if (m.count == 0)
        return;
    if (m.count == 1) {
        depot_add(d, k, m.first);
        return;
    }
    d->bytes += class_size(k) * m.count;
    keep_for(&d->shelf[k], PURGE_TICKS / 2);
    push(d, k, m);
}

void depot_receive(depot_t *d, unsigned k, magazine_t m)
{
    if (m.count > class_magazine(class_size(k)) / 4) {
        depot_park(d, k, m);
        return;
    }
    while (m.first != NULL) {
        void *next = link_next(m.first);
        depot_add(d, k, m.first);
        m.first = next;
    }
}

magazine_t depot_take_back(depot_t *d, unsigned k)
{
    depot_shelf_t *shelf = &d->shelf[k];
    magazine_t m = shelf->loose;
    if (shelf->parked != NULL) {
        m = magazine_get(shelf->parked, &shelf->parked);
        cm_prefetch(shelf->parked);
    } else {
        shelf->loose = (magazine_t){NULL, 0};
    }
    d->bytes -= class_size(k) * m.count;
    return m;
}

/* All but the first count chunks of m, which keeps those. */
static magazine_t cut(magazine_t *m, unsigned count)
{
    void *last = m->first;
    for (unsigned i = 1; i < count; i++)
        last = link_next(last);
    magazine_t rest = {link_next(last), m->count - count};
    link_set(last, NULL);
    m->count = count;
    return rest;
}

magazine_t depot_take(depot_t *d, unsigned k, unsigned count)
{
    keep_for(&d->shelf[k], PURGE_TICKS);
    d->shelf[k].wanted = true;
    magazine_t m = depot_take_back(d, k);
    if (m.count / 2 >= count)
        depot_park(d, k, cut(&m, count));
    return m;
}

bool depot_unwanted(depot_t *d, unsigned *k)
{
    *k = d->hand = (d->hand + 1) % CLASS_COUNT;
    depot_shelf_t *shelf = &d->shelf[*k];
    bool unwanted = !shelf->wanted && (shelf->parked != NULL || shelf->loose.count > 0);
    shelf->wanted = false;
    if (unwanted && shelf->merged && d->merges < DEPOT_DRIFT)
        d->merges++;
    shelf->merged |= unwanted;
    return unwanted;
}

void depot_missed(depot_t *d, unsigned k)
{
    if (d->shelf[k].merged)
        d->merges -= d->merges < DEPOT_REGRET ? d->merges : DEPOT_REGRET;
    d->shelf[k].merged = false;
}

void depot_tick(depot_t *d)
{
    for (unsigned k = 0; k < CLASS_COUNT; k++)
        d->shelf[k].ticks -= d->shelf[k].ticks > 0;
}

magazine_t depot_take_idle(depot_t *d, unsigned k)
{
    return d->shelf[k].ticks > 0 ? (magazine_t){NULL, 0} : depot_take_back(d, k);
}
