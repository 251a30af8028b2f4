/*
 * look.h - the heap as the library's own visitor, cmalloc_walk, finds it.
 *
 * look_take() keeps a copy of every item of one walk; all else reads that copy, and the
 * words of a chunk where they lie in memory. Nothing here works out where a chunk begins.
 */
#ifndef DEMO_LOOK_H
#define DEMO_LOOK_H

#include "cmalloc.h"
#include "page.h"

enum { LOOK_MOST = 8192, NAMES_MOST = 16, STRIP_COLUMNS = 56 };

typedef struct look {
    size_t count;
    cmalloc_item items[LOOK_MOST];
} look_t;

typedef struct name {
    const char *text;
    const void *mem;
} name_t;

static look_t look;
static name_t names[NAMES_MOST];

/* --- collecting and finding --- */

/* Runs with an arena's lock held: it may copy, and nothing else. */
static inline int look_keep(const cmalloc_item *item, void *arg)
{
    look_t *l = arg;
    if (l->count == LOOK_MOST)
        return 1;
    l->items[l->count++] = *item;
    return 0;
}

static inline void look_take(void)
{
    look.count = 0;
    if (cmalloc_walk(look_keep, &look) != 0)
        give_up("more than %d items in this heap", LOOK_MOST);
}

static inline bool is_chunk(const cmalloc_item *item)
{
    return item->kind != CMALLOC_ARENA && item->kind != CMALLOC_HEAP;
}

/* The chunk whose payload begins at mem; NULL: there is none. */
static inline const cmalloc_item *look_for(const void *mem)
{
    for (size_t i = 0; i < look.count; i++)
        if (is_chunk(&look.items[i]) && look.items[i].mem == mem)
            return &look.items[i];
    return NULL;
}

static inline const cmalloc_item *look_at(const void *mem)
{
    const cmalloc_item *c = look_for(mem);
    if (c == NULL)
        give_up("the heap contradicts the tour: there is no chunk at %s", hex(mem).text);
    return c;
}

/* The item of this kind of this arena; the last one, if there are several. */
static inline const cmalloc_item *look_kind(cmalloc_kind kind, unsigned arena)
{
    const cmalloc_item *found = NULL;
    for (size_t i = 0; i < look.count; i++)
        if (look.items[i].kind == kind && look.items[i].arena == arena)
            found = &look.items[i];
    if (found == NULL)
        give_up("the heap contradicts the tour: arena %u lacks an item", arena);
    return found;
}

/* The HEAP item that a chunk lies in. */
static inline const cmalloc_item *look_heap(const cmalloc_item *c)
{
    for (size_t i = 0; i < look.count; i++)
        if (look.items[i].kind == CMALLOC_HEAP && look.items[i].heap == c->heap)
            return &look.items[i];
    give_up("the heap contradicts the tour: a chunk lies in no heap");
}

/* Where a chunk or a heap ends. */
static inline const char *end_of(const cmalloc_item *item)
{
    return (const char *)item->address + item->size;
}

/* A word of the chunk as it is in memory now: 0 is prev_size, 1 the size word. */
static inline size_t word_of(const cmalloc_item *c, size_t index)
{
    return ((const size_t *)c->address)[index];
}

/* The footer of a free chunk: the word that follows it. */
static inline const size_t *footer_of(const cmalloc_item *c)
{
    return (const size_t *)c->address + c->size / sizeof(size_t);
}

static inline bool has(const cmalloc_item *c, unsigned flag)
{
    return (c->flags & flag) != 0;
}

/* --- names --- */

static inline void name_chunk(const char *text, const void *mem)
{
    for (size_t i = 0; i < NAMES_MOST; i++)
        if (names[i].text == NULL || names[i].mem == mem || names[i].text == text) {
            names[i] = (name_t){text, mem};
            return;
        }
}

static inline const char *name_of(const cmalloc_item *c)
{
    if (c->kind == CMALLOC_FREE)
        return "free";
    if (c->kind == CMALLOC_TOP)
        return "top";
    for (size_t i = 0; i < NAMES_MOST && names[i].text != NULL; i++)
        if (names[i].mem == c->mem)
            return names[i].text;
    return "";
}

static inline ink_t ink_of(const cmalloc_item *c)
{
    static const ink_t inks[] = {
        [CMALLOC_ARENA] = INK_META,     [CMALLOC_HEAP] = INK_META,
        [CMALLOC_INUSE] = INK_INUSE,    [CMALLOC_CACHED] = INK_CACHED,
        [CMALLOC_FREE] = INK_FREE,      [CMALLOC_TOP] = INK_TOP,
        [CMALLOC_FENCEPOST] = INK_META, [CMALLOC_MMAPPED] = INK_INUSE,
        [CMALLOC_KEPT] = INK_FREE,      [CMALLOC_DAMAGED] = INK_META};
    return inks[c->kind];
}

static inline const char *kind_of(const cmalloc_item *c)
{
    static const char *const kinds[] = {
        [CMALLOC_ARENA] = "arena",         [CMALLOC_HEAP] = "heap",
        [CMALLOC_INUSE] = "in use",        [CMALLOC_CACHED] = "cached",
        [CMALLOC_FREE] = "free",           [CMALLOC_TOP] = "top",
        [CMALLOC_FENCEPOST] = "fencepost", [CMALLOC_MMAPPED] = "mmapped",
        [CMALLOC_KEPT] = "kept",           [CMALLOC_DAMAGED] = "damaged"};
    return kinds[c->kind];
}

/* --- showing --- */

static inline void show_row(const cmalloc_item *c)
{
    bool prev_valid = !has(c, CMALLOC_FLAG_P) && !has(c, CMALLOC_FLAG_M);
    printf(MARGIN "%s%-4s%s %s %9s   %d %d %d  %9s  %s%s%s", ink(ink_of(c)), name_of(c),
           ink(INK_PLAIN), hex(c->address).text, commas(c->size).text,
           has(c, CMALLOC_FLAG_A), has(c, CMALLOC_FLAG_M), has(c, CMALLOC_FLAG_P),
           prev_valid ? commas(c->prev_size).text : "-", ink(ink_of(c)), kind_of(c),
           ink(INK_PLAIN));
    if (c->kind == CMALLOC_FREE)
        printf(", footer %s", hex(footer_of(c)).text);
    gap();
}

static inline void show_head(void)
{
    printf(MARGIN "%s     chunk               size   A M P  prev_size  state%s\n",
           ink(INK_DIM), ink(INK_PLAIN));
}

/* The chunks from first to last as a table; last may be NULL, for the end of the heap. */
static inline void show_table(const cmalloc_item *first, const cmalloc_item *last)
{
    show_head();
    for (const cmalloc_item *c = first; c < look.items + look.count && is_chunk(c); c++) {
        show_row(c);
        if (c == last)
            break;
    }
    gap();
}

/* How many columns a chunk gets in a strip: to scale, but never too few for its name. */
static inline int cell_width(const cmalloc_item *c, size_t total)
{
    size_t least = strlen(name_of(c)) + 2, columns = c->size * STRIP_COLUMNS / total;
    if (c->kind == CMALLOC_TOP)
        columns = 0; /* to scale, it would leave no room for the others */
    return (int)(columns < least ? least : columns);
}

static inline void strip_border(const cmalloc_item *first, const cmalloc_item *last,
                                size_t total)
{
    static const char dashes[] =
        "--------------------------------------------------------"
        "--------------------------------------------------------";
    fputs(MARGIN "+", stdout);
    for (const cmalloc_item *c = first; c <= last; c++)
        printf("%.*s%s", cell_width(c, total), dashes,
               c->kind == CMALLOC_TOP ? " - -" : "+");
    gap();
}

/* The chunks from first to last side by side, in address order. */
static inline void show_strip(const cmalloc_item *first, const cmalloc_item *last)
{
    size_t total = 1;
    for (const cmalloc_item *c = first; c <= last; c++)
        total += c->kind == CMALLOC_TOP ? 0 : c->size;
    strip_border(first, last, total);
    fputs(MARGIN "|", stdout);
    for (const cmalloc_item *c = first; c <= last; c++) {
        int width = cell_width(c, total), length = (int)strlen(name_of(c));
        int left = (width - length) / 2;
        printf("%*s%s%s%s%*s%s", left, "", ink(ink_of(c)), name_of(c), ink(INK_PLAIN),
               width - length - left, "", c->kind == CMALLOC_TOP ? " ->" : "|");
    }
    gap();
    strip_border(first, last, total);
    gap();
}

/* One word of memory: where it is, what is in it, what that means. */
static inline void show_word(const char *label, const size_t *at, ink_t which,
                             const char *meaning)
{
    printf(MARGIN "%-8s %s  |%s 0x%0*zx %s| %s\n", label, hex(at).text, ink(which),
           (int)(2 * sizeof *at), *at, ink(INK_PLAIN), meaning);
}

/* The size word of a chunk, taken apart. */
static inline void show_size_word(const char *label, const cmalloc_item *c)
{
    char meaning[96];
    snprintf(meaning, sizeof meaning, "%s bytes  A %d  M %d  P %d", commas(c->size).text,
             has(c, CMALLOC_FLAG_A), has(c, CMALLOC_FLAG_M), has(c, CMALLOC_FLAG_P));
    show_word(label, (const size_t *)c->address + 1, INK_META, meaning);
}

#endif
