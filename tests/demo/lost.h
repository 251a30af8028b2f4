/*
 * lost.h - a stop of the tour: a tree whose root is dropped, seen as unreachable, and
 * collected.
 *
 * What the tour itself knows of the tree would keep it alive: the names and the copy of
 * the walk are wiped before each scan, addresses are kept as their complement, and the
 * functions that handle them run far down the stack, where nothing is looked for.
 */
#ifndef DEMO_LOST_H
#define DEMO_LOST_H

#include "look.h"

enum { TREE_NODES = 7, TREE_BYTES = 50000, TREE_DEEP = 1 << 16 };

typedef struct tree_node {
    struct tree_node *left, *right;
} tree_node;

static tree_node *volatile tree_root;
static uintptr_t tree_hidden[TREE_NODES];
static unsigned tree_count, tree_found, tree_heads;

/* Heap order: the nodes below node i are 2i + 1 and 2i + 2. */
static inline tree_node *tree_grow(void *(*get_memory)(size_t), unsigned i)
{
    if (i >= TREE_NODES)
        return NULL;
    tree_node *node = get_memory(TREE_BYTES);
    if (node == NULL)
        give_up("malloc(%d): no memory", TREE_BYTES);
    memset(node, 0, TREE_BYTES);
    tree_hidden[i] = ~(uintptr_t)node;
    node->left = tree_grow(get_memory, 2 * i + 1);
    node->right = tree_grow(get_memory, 2 * i + 2);
    return node;
}

static inline void tree_forget(void)
{
    memset(&look, 0, sizeof look);
    memset(names, 0, sizeof names);
}

/* All chunks from the lowest node to the highest, the nodes by their names. */
static inline void tree_show(void)
{
    static const char *const called[TREE_NODES] = {"root", "l",  "r", "ll",
                                                   "lr",   "rl", "rr"};
    const cmalloc_item *first = NULL, *last = NULL;
    look_take();
    for (unsigned i = 0; i < TREE_NODES; i++) {
        void *mem = (void *)~tree_hidden[i];
        name_chunk(called[i], mem);
        const cmalloc_item *c = look_at(mem);
        first = first == NULL || c < first ? c : first;
        last = last == NULL || c > last ? c : last;
    }
    show_strip(first, last);
}

static inline int tree_note(const cmalloc_leak *leak, void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < TREE_NODES; i++)
        tree_found += tree_hidden[i] == ~(uintptr_t)leak->mem;
    tree_heads += leak->direct && ~tree_hidden[0] == (uintptr_t)leak->mem &&
                  leak->chunks == TREE_NODES;
    tree_count++;
    return 0;
}

/* Nodes of the tree that are in use, by a walk. */
static inline unsigned tree_in_use(void)
{
    unsigned n = 0;
    look_take();
    for (unsigned i = 0; i < TREE_NODES; i++) {
        const cmalloc_item *c = look_for((void *)~tree_hidden[i]);
        n += c != NULL && c->kind == CMALLOC_INUSE;
    }
    return n;
}

/* The chunk that the lowest node lies in now. */
static inline const cmalloc_item *tree_lowest(void)
{
    uintptr_t lowest = UINTPTR_MAX;
    for (unsigned i = 0; i < TREE_NODES; i++)
        lowest = ~tree_hidden[i] < lowest ? ~tree_hidden[i] : lowest;
    look_take();
    for (size_t i = 0; i < look.count; i++)
        if (is_chunk(&look.items[i]) &&
            lowest - (uintptr_t)look.items[i].address < look.items[i].size)
            return &look.items[i];
    give_up("the heap contradicts the tour: the tree's place is in no chunk");
}

static inline void tree_scan(void)
{
    tree_count = tree_found = tree_heads = 0;
    if (cmalloc_leaks(CMALLOC_LEAKS_PRECISE, tree_note, NULL) < 0)
        give_up("no scan for leaks: no copy of the process can be made");
}

/* Run a step far below the frames that a scan looks at. */
static inline void tree_deep(void (*step)(void))
{
    volatile char deep[TREE_DEEP];
    deep[0] = 0;
    step();
    deep[1] = deep[0];
}

#endif
