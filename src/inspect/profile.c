/* inspect/profile.c - see profile.h. */
#include "inspect/profile.h"

#include "front/sample.h"

#define SITES_MOST ((size_t)1 << 20) /* of a list that may be damaged */

size_t profile_rate(reader_t *r, uintptr_t table)
{
    size_t rate = 0;
    reader_copy(r, table + offsetof(sample_table_t, rate), &rate, sizeof rate);
    return rate;
}

/* The site at an address; what it names as older. False: it cannot be read. */
static bool read_site(reader_t *r, uintptr_t at, profile_site_t *site, uintptr_t *older)
{
    sample_site_t s;
    if (!reader_copy(r, at, &s, sizeof s) || s.depth > PROFILE_FRAMES)
        return false;
    *site = (profile_site_t){.depth = s.depth};
    site->live = atomic_load_explicit(&s.live, memory_order_relaxed);
    site->live_bytes = atomic_load_explicit(&s.live_bytes, memory_order_relaxed);
    site->all = atomic_load_explicit(&s.all, memory_order_relaxed);
    site->all_bytes = atomic_load_explicit(&s.all_bytes, memory_order_relaxed);
    *older = (uintptr_t)s.older;
    return reader_copy(r, at + sizeof s, site->frames, s.depth * sizeof(uintptr_t));
}

void profile_each(reader_t *r, uintptr_t table,
                  void (*visit)(const profile_site_t *site, void *arg), void *arg)
{
    uintptr_t at = 0;
    profile_site_t site;
    reader_copy(r, table + offsetof(sample_table_t, newest), &at, sizeof at);
    for (size_t left = SITES_MOST; at != 0 && left > 0; left--) {
        if (!read_site(r, at, &site, &at))
            return;
        visit(&site, arg);
    }
}

bool profile_site_at(reader_t *r, uintptr_t at, profile_site_t *site)
{
    uintptr_t older;
    return read_site(r, at, site, &older);
}

uintptr_t profile_site_of(reader_t *r, uintptr_t table, uintptr_t mem,
                          profile_site_t *site)
{
    uintptr_t at = 0;
    size_t list = sample_list_of(mem) * sizeof(uintptr_t);
    sample_t s;
    reader_copy(r, table + offsetof(sample_table_t, live) + list, &at, sizeof at);
    for (size_t left = SITES_MOST; at != 0 && left > 0; left--, at = (uintptr_t)s.next) {
        if (!reader_copy(r, at, &s, sizeof s))
            return 0;
        if (s.hidden == ~mem)
            return profile_site_at(r, (uintptr_t)s.site, site) ? (uintptr_t)s.site : 0;
    }
    return 0;
}

static void add_site(const profile_site_t *site, void *arg)
{
    profile_site_t *sum = arg;
    sum->live += site->live;
    sum->live_bytes += site->live_bytes;
    sum->all += site->all;
    sum->all_bytes += site->all_bytes;
}

static void put_counts(cm_text *t, const profile_site_t *s)
{
    cm_text_number(t, s->live);
    cm_text_string(t, ": ");
    cm_text_number(t, s->live_bytes);
    cm_text_string(t, " [");
    cm_text_number(t, s->all);
    cm_text_string(t, ": ");
    cm_text_number(t, s->all_bytes);
    cm_text_string(t, "] @");
}

static void put_site(const profile_site_t *site, void *arg)
{
    cm_text *t = arg;
    put_counts(t, site);
    for (size_t i = 0; i < site->depth; i++) {
        cm_text_string(t, " ");
        cm_text_hex(t, site->frames[i]);
    }
    cm_text_string(t, "\n");
}

void profile_write(cm_text *t, reader_t *r, uintptr_t table)
{
    profile_site_t sum = {.live = 0};
    profile_each(r, table, add_site, &sum);
    cm_text_string(t, "heap profile: ");
    put_counts(t, &sum);
    cm_text_string(t, " heap_v2/");
    cm_text_number(t, profile_rate(r, table));
    cm_text_string(t, "\n");
    profile_each(r, table, put_site, t);
    cm_text_string(t, "\nMAPPED_LIBRARIES:\n");
}

void profile_mapping(const os_mapping_t *m, void *arg)
{
    cm_text *t = arg;
    if (!m->executable || m->name[0] == '\0')
        return;
    cm_text_digits(t, m->low);
    cm_text_string(t, "-");
    cm_text_digits(t, m->high);
    cm_text_string(t, m->writable ? " rwxp " : " r-xp ");
    cm_text_digits(t, m->offset);
    cm_text_string(t, " 00:00 ");
    cm_text_number(t, m->inode);
    cm_text_string(t, " ");
    cm_text_string(t, m->name);
    cm_text_string(t, "\n");
}
