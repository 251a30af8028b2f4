/*
 * trees.c - binary trees: one large tree lives throughout while trees of growing depth
 * are built, walked and felled, about the same number of nodes for each depth.
 */
#include "bench.h"

enum { DEEPEST = 18, STEP = 2, SHALLOWEST = 4 };

typedef struct node {
    uint64_t tag; /* the object's first word */
    struct node *left, *right;
} node;

static node *tree_build(unsigned depth, uint64_t tag)
{
    node *n = object_new(sizeof *n, tag);
    n->left = depth > 0 ? tree_build(depth - 1, 2 * tag) : NULL;
    n->right = depth > 0 ? tree_build(depth - 1, 2 * tag + 1) : NULL;
    return n;
}

static uint64_t tree_walk(const node *n)
{
    return n == NULL ? 0 : n->tag + tree_walk(n->left) + 3 * tree_walk(n->right);
}

static uint64_t tree_fell(node *n)
{
    if (n == NULL)
        return 0;
    uint64_t sum = tree_fell(n->left) ^ tree_fell(n->right);
    return sum + object_drop(n);
}

void trees(const bench_args *args)
{
    uint64_t rounds = bench_rounds(args, 10), sum = 0;
    node *old = tree_build(DEEPEST, 1);
    for (uint64_t r = 0; r < rounds; r++) {
        for (unsigned depth = SHALLOWEST; depth <= DEEPEST; depth += STEP) {
            for (uint64_t i = 0; i < 1ull << (DEEPEST - depth); i++) {
                node *young = tree_build(depth, i + r);
                sum += tree_walk(young);
                sum += tree_fell(young);
            }
        }
    }
    sum += tree_walk(old);
    sum += tree_fell(old);
    bench_checksum(sum);
}
