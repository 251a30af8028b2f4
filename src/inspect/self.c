/* inspect/self.c - walking this process, arena by arena under its lock. See walk.h. */
#include "core/large.h"
#include "front/thread.h"
#include "inspect/walk.h"
#include "os/os.h"
#include "os/proc.h"

/* --- the reader of this process --- */

/* Only what wraps around lies outside of the window. */
/* The window is all there is; whether it can be read is for reader_probe. */
static bool is_there(reader_t *r, uintptr_t address, size_t size)
{
    char copy[CACHE_LINE];
    (void)r;
    return size <= sizeof copy && os_read_memory(0, address, copy, size) == size;
}

static size_t resident_here(reader_t *r, uintptr_t from, size_t size)
{
    (void)r;
    return os_resident((void *)from, size); /* NOLINT(performance-no-int-to-ptr) */
}

void reader_self(reader_t *r)
{
    *r = (reader_t){
        .size = SIZE_MAX, .page = os_page, .move = is_there, .resident = resident_here};
}

/* --- walking it --- */

typedef struct self_walk {
    walk_visit visit;
    void *arg;
} self_walk;

static int self_visit(const cmalloc_item *item, void *arg)
{
    const self_walk *s = arg;
    return s->visit(item, s->arg);
}

static void self_damaged(const char *what, uintptr_t where, void *arg)
{
    (void)arg;
    cm_panic(what, (const void *)where); /* NOLINT(performance-no-int-to-ptr) */
}

static int self_walk_with(int (*walk)(walk_t *, uintptr_t), const arena_t *a,
                          self_walk *s)
{
    reader_t reader;
    walk_t w = {&reader, link_secret.key, self_visit, self_damaged, s, WALK_OWN_SEAL};
    reader_self(&reader);
    return walk(&w, (uintptr_t)a);
}

int walk_arena_locked(arena_t *a, walk_visit visit, void *arg)
{
    self_walk s = {visit, arg};
    arena_drain_locked(a);
    return self_walk_with(walk_arena, a, &s);
}

int walk_larges_locked(arena_t *a, walk_visit visit, void *arg)
{
    self_walk s = {visit, arg};
    return self_walk_with(walk_larges, a, &s);
}

/* A kept mapping belongs to whoever takes it out of its place: so it is ours while it is
 * visited. */
int walk_kept_self(walk_visit visit, void *arg)
{
    int stop = 0;
    for (unsigned i = 0; i < LARGE_KEPT && stop == 0; i++) {
        large_info *info = large_kept_take(i);
        if (info == NULL)
            continue;
        const chunk_t *c = large_chunk(info);
        cmalloc_item item = {.kind = CMALLOC_KEPT,
                             .arena = CMALLOC_NO_ARENA,
                             .flags = (unsigned)(chunk_word(c) & CHUNK_FLAGS),
                             .address = c,
                             .mem = chunk_mem(c),
                             .size = chunk_size(c),
                             .prev_size = info->offset,
                             .reserved = info->mapped};
        stop = visit(&item, arg);
        large_kept_put(info);
    }
    return stop;
}

int walk_all(walk_visit visit, void *arg)
{
    int stop = 0;
    if (!thread_enter())
        return 0;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < arena_count() && stop == 0; i++) {
            arena_t *a = arena_at(i);
            if (!arena_lock(a))
                continue;
            stop = pass == 0 ? walk_arena_locked(a, visit, arg)
                             : walk_larges_locked(a, visit, arg);
            arena_unlock(a);
        }
    if (stop == 0)
        stop = walk_kept_self(visit, arg);
    thread_leave();
    return stop;
}
