/* inspect/find.c - looking for addresses in a walk, and telling. See find.h. */
#include "inspect/find.h"

#define DUMP_BEFORE 2 /* lines of two words before the header's */
#define DUMP_LINES 7

static bool has_mapping(const cmalloc_item *item)
{
    return item->kind == CMALLOC_MMAPPED || item->kind == CMALLOC_KEPT;
}

/* A chunk owns the next one's prev_size and not its own; a mapping's owns all of it. */
static bool holds(const cmalloc_item *item, uintptr_t address)
{
    uintptr_t from = (uintptr_t)item->address;
    if (has_mapping(item))
        return address - (from - item->prev_size) < item->reserved;
    return address - (from + SIZE_SZ) < item->size;
}

static void find_one(const find_t *s, finding_t *f, const cmalloc_item *item)
{
    if (f->found && !f->has_after && f->item.heap != NULL && f->item.heap == item->heap) {
        f->after = *item;
        f->has_after = true;
    } else if (!f->found && holds(item, f->address)) {
        f->item = *item;
        f->before = s->last;
        f->has_before = s->has_last && !has_mapping(item);
        f->found = true;
    }
}

int find_visit(const cmalloc_item *item, void *arg)
{
    find_t *s = arg;
    bool is_chunk = item->kind != CMALLOC_ARENA && item->kind != CMALLOC_HEAP;
    for (size_t i = 0; is_chunk && i < s->count; i++)
        find_one(s, &s->findings[i], item);
    s->last = *item;
    s->has_last = is_chunk;
    return 0;
}

void find_ignore(const char *what, uintptr_t where, void *arg)
{
    (void)what, (void)where, (void)arg;
}

/* --- telling --- */

const char *find_kind_name(const cmalloc_item *item)
{
    switch (item->kind) {
    case CMALLOC_ARENA:
        return "arena";
    case CMALLOC_HEAP:
        return "heap";
    case CMALLOC_INUSE:
        return "in use";
    case CMALLOC_CACHED:
        return "cached";
    case CMALLOC_FREE:
        return "free";
    case CMALLOC_TOP:
        return "top";
    case CMALLOC_FENCEPOST:
        return "fencepost";
    case CMALLOC_MMAPPED:
        return "in use, mmapped";
    case CMALLOC_KEPT:
        return "free, kept";
    default:
        return "damaged";
    }
}

static void tell_chunk(cm_text *t, const char *label, const cmalloc_item *item)
{
    cm_text_string(t, label);
    cm_text_hex(t, (uintptr_t)item->mem);
    cm_text_string(t, "  ");
    cm_text_number(t, item->size);
    cm_text_string(t, " bytes  ");
    cm_text_string(t, (item->flags & CMALLOC_FLAG_A) != 0 ? "A" : "-");
    cm_text_string(t, (item->flags & CMALLOC_FLAG_M) != 0 ? "M" : "-");
    cm_text_string(t, (item->flags & CMALLOC_FLAG_P) != 0 ? "P  " : "-  ");
    cm_text_string(t, find_kind_name(item));
    cm_text_string(t, "\n");
}

void find_tell(cm_text *t, const finding_t *f)
{
    if (f->has_before)
        tell_chunk(t, "  before  ", &f->before);
    if (f->found)
        tell_chunk(t, "  chunk   ", &f->item);
    if (f->has_after)
        tell_chunk(t, "  after   ", &f->after);
}

static void put_word(cm_text *t, size_t word)
{
    char digits[2 * sizeof word + 2];
    for (size_t i = 0; i < 2 * sizeof word; i++)
        digits[i] = "0123456789abcdef"[word >> (8 * sizeof word - 4 - 4 * i) & 15];
    digits[2 * sizeof word] = ' ';
    digits[2 * sizeof word + 1] = '\0';
    cm_text_string(t, digits);
}

static void put_characters(cm_text *t, const unsigned char *bytes, size_t count)
{
    char shown[2 * SIZE_SZ + 1];
    for (size_t i = 0; i < count; i++)
        shown[i] = (char)(bytes[i] >= ' ' && bytes[i] < 0x7f ? bytes[i] : '.');
    shown[count] = '\0';
    cm_text_string(t, shown);
}

void find_dump(cm_text *t, reader_t *r, uintptr_t chunk)
{
    uintptr_t at = chunk - DUMP_BEFORE * CHUNK_HEADER;
    for (int i = 0; i < DUMP_LINES; i++, at += CHUNK_HEADER) {
        const size_t *words = reader_probe(r, at, CHUNK_HEADER);
        if (words == NULL)
            continue;
        cm_text_string(t, i == DUMP_BEFORE ? "> " : "  ");
        cm_text_hex(t, at);
        cm_text_string(t, "  ");
        put_word(t, words[0]);
        put_word(t, words[1]);
        put_characters(t, (const unsigned char *)words, CHUNK_HEADER);
        cm_text_string(t, "\n");
    }
}
