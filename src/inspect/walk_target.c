/* inspect/walk_target.c - what lies in no heap, and everything. See walk.h. */
#include "inspect/walk.h"

/* --- M chunks --- */

/* A mapping that info describes, live or kept by its magic. False: info is no
 * large_info. */
static bool visit_large(walk_t *w, uintptr_t info, size_t magic, cmalloc_item *item,
                        int *stop)
{
    const large_info *l = reader_object(w->reader, info, large_info);
    if (l == NULL || l->magic != (magic ^ info) || l->mapped < w->reader->page ||
        l->offset > l->mapped - CHUNK_MIN)
        return false;
    size_t offset = l->offset;
    uintptr_t at = info + offset;
    item->reserved = l->mapped;
    const chunk_t *c = walk_chunk(w, at);
    if (c == NULL)
        return false;
    item->flags = (unsigned)(walk_word(w, c) & CHUNK_FLAGS);
    item->address = walk_pointer(at);
    item->mem = walk_pointer(at + CHUNK_HEADER);
    item->size = walk_word(w, c) & ~CHUNK_FLAGS;
    item->prev_size = offset;
    bool holds = offset + item->size == item->reserved && c->prev_size == offset;
    item->size = item->reserved - offset; /* where they disagree, the large_info's word */
    if (!holds)
        walk_damage(w, PANIC_SIZE, at + CHUNK_HEADER);
    *stop = w->visit(item, w->arg);
    return true;
}

int walk_larges(walk_t *w, uintptr_t arena)
{
    const arena_t *a = reader_object(w->reader, arena, arena_t);
    if (a == NULL) /* walk_arena has said so */
        return 0;
    uintptr_t info = (uintptr_t)a->larges;
    size_t left = a->large_count;
    unsigned index = a->index;
    int stop = 0;
    for (; info != 0 && stop == 0; left--) {
        cmalloc_item item = {.kind = CMALLOC_MMAPPED, .arena = index};
        if (left == 0 || !visit_large(w, info, LARGE_MAGIC, &item, &stop)) {
            walk_damage(w, "mmapped chunk: broken links", info);
            break;
        }
        const large_info *l = reader_object(w->reader, info, large_info);
        info = l == NULL ? 0 : (uintptr_t)l->older;
    }
    return stop;
}

static int walk_kept(walk_t *w, const root_t *root)
{
    uintptr_t kept[LARGE_KEPT];
    int stop = 0;
    if (!reader_copy(w->reader, (uintptr_t)root->kept, kept, sizeof kept))
        return 0;
    for (unsigned i = 0; i < LARGE_KEPT && stop == 0; i++) {
        cmalloc_item item = {.kind = CMALLOC_KEPT, .arena = CMALLOC_NO_ARENA};
        if (kept[i] != 0 && !visit_large(w, kept[i], LARGE_KEPT_MAGIC, &item, &stop))
            walk_damage(w, "kept mapping: damaged", kept[i]);
    }
    return stop;
}

const seal_key_t *walk_seal_of(reader_t *r, const root_t *root, seal_key_t *seal)
{
    bool borne = (root->variant & ROOT_SECURE) != 0;
    return borne && reader_copy(r, (uintptr_t)root->seal, seal, sizeof *seal) ? seal
                                                                              : NULL;
}

size_t walk_canary_of(const root_t *root)
{
    return (root->variant & ROOT_SECURE) != 0 ? SIZE_SZ : 0;
}

int walk_target(walk_t *w, const root_t *root)
{
    static const size_t count_at = offsetof(arena_table_t, count),
                        arenas_at = offsetof(arena_table_t, arenas);
    uintptr_t arenas[ARENA_MAX], table = (uintptr_t)root->arenas;
    uint32_t count;
    link_secret_t secret;
    seal_key_t seal;
    int stop = 0;
    if (!reader_copy(w->reader, table + count_at, &count, sizeof count) ||
        !reader_copy(w->reader, table + arenas_at, arenas, sizeof arenas) ||
        !reader_copy(w->reader, (uintptr_t)root->secret, &secret, sizeof secret)) {
        walk_damage(w, "table of arenas: cannot be read", table);
        return 0;
    }
    w->key = secret.key;
    w->seal = walk_seal_of(w->reader, root, &seal);
    for (uint32_t i = 0; i < count && i < ARENA_MAX && stop == 0; i++)
        stop = walk_arena(w, arenas[i]);
    for (uint32_t i = 0; i < count && i < ARENA_MAX && stop == 0; i++)
        stop = walk_larges(w, arenas[i]);
    return stop != 0 ? stop : walk_kept(w, root);
}
