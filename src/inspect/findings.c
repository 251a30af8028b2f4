/* inspect/findings.c - see findings.h. */
#include "inspect/findings.h"

#include "base/text.h"

typedef struct group {
    size_t usable;
    uintptr_t first; /* 0: no file's */
    size_t count, bytes, held, held_bytes;
} group_t;

typedef struct groups {
    group_t *table; /* open addressing; count 0: empty */
    size_t mask, used, mapped;
} groups_t;

void findings_mapping(const os_mapping_t *m, void *arg)
{
    findings_t *f = arg;
    const file_map_t *last = f->places.at;
    file_map_t place = {.low = m->low, .high = m->high, .base = m->low};
    size_t length = cm_length(m->name), count = f->places.used / sizeof place;
    if (m->name[0] != '/')
        return;
    const char *name =
        m->name + (length >= sizeof place.name ? length - sizeof place.name + 1 : 0);
    memcpy(place.name, name, cm_length(name));
    if (count > 0 && cm_equals(last[count - 1].name, name, cm_length(name)))
        place.base = last[count - 1].base;
    vector_add(&f->places, &place, sizeof place);
}

void findings_free(findings_t *f) { vector_free(&f->places); }

static const file_map_t *place_of(const findings_t *f, uintptr_t address)
{
    const file_map_t *places = f->places.at;
    size_t low = 0, high = f->places.used / sizeof *places;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (address - places[middle].low < places[middle].high - places[middle].low)
            return &places[middle];
        if (address < places[middle].low)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* --- groups --- */

static group_t *group_for(groups_t *g, size_t usable, uintptr_t first)
{
    size_t i = (usable * 31 + first) * (size_t)0x9E3779B97F4A7C15u >> 16 & g->mask;
    while (g->table[i].count != 0 &&
           (g->table[i].usable != usable || g->table[i].first != first))
        i = (i + 1) & g->mask;
    return &g->table[i];
}

static void add_to_group(const findings_t *f, groups_t *g, const leak_t *leak)
{
    uintptr_t first = ~leak->first;
    if (place_of(f, first) == NULL)
        first = 0;
    group_t *group = group_for(g, leak->usable, first);
    g->used += group->count == 0;
    group->usable = leak->usable;
    group->first = first;
    group->count++;
    group->bytes += leak->usable;
    group->held += leak->chunks;
    group->held_bytes += leak->bytes;
}

static groups_t groups_new(const findings_t *f)
{
    size_t room = 64;
    while (room < 2 * f->list->count)
        room *= 2;
    groups_t g = {.mask = room - 1, .mapped = os_pages(room * sizeof(group_t))};
    g.table = os_map(g.mapped);
    return g;
}

static groups_t group_all(const findings_t *f)
{
    groups_t g = groups_new(f);
    for (size_t i = 0; g.table != NULL && i < f->list->count; i++)
        if (leak_is_direct(&f->list->leaks[i]))
            add_to_group(f, &g, &f->list->leaks[i]);
    return g;
}

/* Where a leak was allocated. 0: it was not sampled. */
static uintptr_t sampled_site(const findings_t *f, const leak_t *leak,
                              profile_site_t *site)
{
    return f->samples == 0 ? 0
                           : profile_site_of(f->reader, f->samples, leak_mem(leak), site);
}

/* A group is a site, its first word the site's address. */
static groups_t group_sites(const findings_t *f)
{
    profile_site_t site;
    groups_t g = groups_new(f);
    for (size_t i = 0; g.table != NULL && i < f->list->count; i++) {
        uintptr_t at = sampled_site(f, &f->list->leaks[i], &site);
        if (at == 0)
            continue;
        group_t *group = group_for(&g, 0, at);
        g.used += group->count == 0;
        group->first = at;
        group->count++;
        group->held_bytes += f->list->leaks[i].usable;
    }
    return g;
}

/* The group with the most bytes of those that are left; its count becomes 0. */
static bool take_largest(groups_t *g, group_t *largest)
{
    group_t *best = NULL;
    for (size_t i = 0; i <= g->mask; i++)
        if (g->table[i].count != 0 &&
            (best == NULL || g->table[i].held_bytes > best->held_bytes))
            best = &g->table[i];
    if (best == NULL)
        return false;
    *largest = *best;
    best->count = 0;
    return true;
}

/* --- writing --- */

static void text(cm_text *t, const char *s) { cm_text_string(t, s); }

/* "label": or label=; a number behind it. */
static void field(cm_text *t, const char *label, uint64_t n)
{
    text(t, label);
    cm_text_number(t, n);
}

/* A number to the right of its column. */
static void column(cm_text *t, uint64_t n, unsigned width)
{
    unsigned digits = 1;
    for (uint64_t rest = n; rest >= 10; rest /= 10)
        digits++;
    for (; digits < width; digits++)
        text(t, " ");
    cm_text_number(t, n);
}

/* Names of files and symbols have no control characters, but may have quotes. */
static void quoted(cm_text *t, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            text(t, "\\");
        cm_text_bytes(t, &bytes[i], 1);
    }
}

static void put_name(const findings_t *f, uintptr_t first, cm_text *t)
{
    const file_map_t *place = place_of(f, first);
    if (place == NULL) {
        text(t, "-");
        return;
    }
    if (f->symbol != NULL && f->symbol(place, first, t))
        return;
    const char *base = place->name;
    for (const char *s = base; *s != '\0'; s++)
        if (*s == '/')
            base = s + 1;
    text(t, base);
    text(t, "+");
    cm_text_hex(t, first - place->base);
}

static void put_quoted_name(const findings_t *f, uintptr_t first, cm_text *t)
{
    cm_text name = {.used = 0, .fd = -1};
    put_name(f, first, &name);
    text(t, "\"");
    quoted(t, name.bytes, name.used);
    text(t, "\"");
}

static size_t direct_count(const leak_list_t *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++)
        n += leak_is_direct(&list->leaks[i]);
    return n;
}

static void text_totals(const findings_t *f, cm_text *t)
{
    const leak_list_t *l = f->list;
    field(t, "cmalloc: leaks: ", l->count);
    field(t, l->cut ? " chunks and more, " : " chunks, ", l->bytes);
    field(t, " bytes; ", direct_count(l));
    field(t, " of them direct; reachable: ", l->live);
    field(t, " chunks, ", l->live_bytes);
    text(t, " bytes\n");
    if (l->missed > 0) {
        field(t, "cmalloc: ", l->missed);
        text(t, " threads were not stopped: their registers are not known\n");
    }
    if (l->arenas_left > 0) {
        field(t, "cmalloc: ", l->arenas_left);
        text(t, " arenas from before a fork were not looked into\n");
    }
}

static void text_group(const findings_t *f, const group_t *g, cm_text *t)
{
    column(t, g->count, 9);
    column(t, g->usable, 11);
    column(t, g->bytes, 13);
    column(t, g->held - g->count, 13);
    column(t, g->held_bytes, 14);
    text(t, "  ");
    put_name(f, g->first, t);
    text(t, "\n");
}

/* The frames of a stack, innermost first. A call lies before the address that it returns
 * to. */
static void put_stack(const findings_t *f, const profile_site_t *site, cm_text *t)
{
    for (size_t i = 0; i < site->depth; i++) {
        text(t, i == 0 ? "    by " : "       ");
        put_name(f, site->frames[i] - 1, t);
        text(t, "\n");
    }
}

static void text_leak(const findings_t *f, const leak_t *leak, cm_text *t)
{
    text(t, "  ");
    cm_text_hex(t, leak_mem(leak));
    column(t, leak->usable, 11);
    column(t, leak->chunks, 10);
    column(t, leak->bytes, 13);
    text(t, "  ");
    put_name(f, ~leak->first, t);
    text(t, "\n");
    profile_site_t site;
    if (sampled_site(f, leak, &site) != 0)
        put_stack(f, &site, t);
    if (f->detail != NULL)
        f->detail(leak, t, f->arg);
}

static void text_sites(const findings_t *f, cm_text *t)
{
    group_t group;
    profile_site_t site;
    groups_t g = group_sites(f);
    if (g.table == NULL)
        return;
    if (g.used > 0)
        text(t,
             "  samples        bytes  of those leaks that were sampled, by call site\n");
    for (size_t row = 0; row < f->rows && take_largest(&g, &group); row++) {
        column(t, group.count, 9);
        column(t, group.held_bytes, 13);
        text(t, "\n");
        if (profile_site_at(f->reader, group.first, &site))
            put_stack(f, &site, t);
    }
    os_unmap(g.table, g.mapped);
}

/* Direct leaks by the bytes they lead to, most first; of equals, those at lower addresses
 * first. */
static const leak_t *next_direct(const leak_list_t *list, const leak_t *after)
{
    const leak_t *best = NULL;
    for (const leak_t *l = list->leaks; l < list->leaks + list->count; l++) {
        bool later = after == NULL || l->bytes < after->bytes ||
                     (l->bytes == after->bytes && l > after);
        if (leak_is_direct(l) && later && (best == NULL || l->bytes > best->bytes))
            best = l;
    }
    return best;
}

static void findings_text(const findings_t *f, groups_t *g, cm_text *t)
{
    group_t group;
    text_totals(f, t);
    if (f->list->count == 0)
        return;
    text(t, "   chunks       each        bytes   lead to more  bytes in all"
            "  first word leads to\n");
    for (size_t row = 0; row < f->rows && take_largest(g, &group); row++)
        text_group(f, &group, t);
    if (g->used > f->rows) {
        field(t, "  and ", g->used - f->rows);
        text(t, " more groups\n");
    }
    text(t, "direct leaks:         bytes   chunks in   bytes in all\n");
    const leak_t *leak = NULL;
    for (size_t row = 0; row < f->rows && (leak = next_direct(f->list, leak)); row++)
        text_leak(f, leak, t);
    if (f->samples != 0)
        text_sites(f, t);
}

static void json_group(const findings_t *f, const group_t *g, cm_text *t)
{
    field(t, "{\"chunks\":", g->count);
    field(t, ",\"size\":", g->usable);
    field(t, ",\"bytes\":", g->bytes);
    field(t, ",\"chunks_in_all\":", g->held);
    field(t, ",\"bytes_in_all\":", g->held_bytes);
    text(t, ",\"first_word\":");
    put_quoted_name(f, g->first, t);
    text(t, "}");
}

static void json_leak(const findings_t *f, const leak_t *leak, cm_text *t)
{
    text(t, "{\"address\":\"");
    cm_text_hex(t, leak_mem(leak));
    field(t, "\",\"size\":", leak->usable);
    text(t, leak_is_direct(leak) ? ",\"direct\":true" : ",\"direct\":false");
    field(t, ",\"chunks_in_all\":", leak->chunks);
    field(t, ",\"bytes_in_all\":", leak->bytes);
    text(t, ",\"first_word\":");
    put_quoted_name(f, ~leak->first, t);
    profile_site_t site;
    if (sampled_site(f, leak, &site) != 0) {
        text(t, ",\"stack\":[");
        for (size_t i = 0; i < site.depth; i++) {
            text(t, i > 0 ? "," : "");
            put_quoted_name(f, site.frames[i] - 1, t);
        }
        text(t, "]");
    }
    text(t, "}");
}

static void json_totals(const leak_list_t *l, cm_text *t)
{
    field(t, "{\"leaks\":", l->count);
    text(t, l->cut ? ",\"cut\":true" : ",\"cut\":false");
    field(t, ",\"bytes\":", l->bytes);
    field(t, ",\"direct\":", direct_count(l));
    field(t, ",\"reachable\":", l->live);
    field(t, ",\"reachable_bytes\":", l->live_bytes);
    field(t, ",\"threads_not_stopped\":", l->missed);
    field(t, ",\"arenas_not_seen\":", l->arenas_left);
}

/* All groups and all leaks. */
static void findings_json(const findings_t *f, groups_t *g, cm_text *t)
{
    group_t group;
    json_totals(f->list, t);
    text(t, ",\"groups\":[");
    for (bool more = false; take_largest(g, &group); more = true) {
        text(t, more ? ",\n" : "\n");
        json_group(f, &group, t);
    }
    text(t, "],\"chunks\":[");
    for (size_t i = 0; i < f->list->count; i++) {
        text(t, i > 0 ? ",\n" : "\n");
        json_leak(f, &f->list->leaks[i], t);
    }
    text(t, "]}\n");
}

void findings_write(const findings_t *f)
{
    cm_text t = {.used = 0, .fd = f->fd};
    groups_t g = group_all(f);
    if (g.table == NULL) {
        cm_warn("leaks", "no memory to write about them");
        return;
    }
    if (f->json)
        findings_json(f, &g, &t);
    else
        findings_text(f, &g, &t);
    cm_text_flush(&t);
    os_unmap(g.table, g.mapped);
}
