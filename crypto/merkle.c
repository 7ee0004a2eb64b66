/* merkle.c: one walk up the tree gives every proof, one fold down a path checks every proof.
 *
 * In a tree of n leaves, level l has nodes 0..(n - 1) >> l. All are perfect but perhaps the last;
 * the last one, when it is not perfect, is the fold of the perfect subtrees that make up its leaves.
 * An even last node has no sibling at its level and stands for itself one level up. */
#include "hub/merkle.h"

enum { LEVELS = 64 };

void hub_merkle_leaf(struct hub_hash *out, struct hub_span data)
{
    struct hub_hasher h;
    const uint8_t prefix = 0x00;

    hub_hash_init(&h);
    hub_hash_add(&h, &prefix, 1);
    hub_hash_add(&h, data.data, data.len);
    hub_hash_final(&h, out);
}

void hub_merkle_pair(struct hub_hash *out, const struct hub_hash *left,
                     const struct hub_hash *right)
{
    struct hub_hasher h;
    const uint8_t prefix = 0x01;

    hub_hash_init(&h);
    hub_hash_add(&h, &prefix, 1);
    hub_hash_add(&h, left->b, sizeof left->b);
    hub_hash_add(&h, right->b, sizeof right->b);
    hub_hash_final(&h, out);
}

void hub_merkle_append(struct hub_edge *edge, const struct hub_hash *leaf, hub_merkle_emit *emit,
                       void *ctx)
{
    struct hub_hash node = *leaf;
    unsigned level = 0;

    HUB_ASSERT(edge->size < UINT64_MAX >> 1);
    if (emit != NULL)
        emit(ctx, 0, edge->size, &node);
    /* Like a carry in binary counting: each full level merges into the one above. */
    for (; edge->size >> level & 1; level++) {
        hub_merkle_pair(&node, &edge->node[level], &node);
        if (emit != NULL)
            emit(ctx, level + 1, edge->size >> (level + 1), &node);
    }
    edge->node[level] = node;
    edge->size++;
}

void hub_merkle_root(struct hub_hash *root, const struct hub_edge *edge)
{
    bool any = false;

    hub_hash_span(root, (struct hub_span){NULL, 0});
    for (unsigned level = 0; level < LEVELS; level++) {
        if (!(edge->size >> level & 1))
            continue;
        if (any)
            hub_merkle_pair(root, &edge->node[level], root);
        else
            *root = edge->node[level];
        any = true;
    }
}

void hub_merkle_root_of(struct hub_hash *root, const struct hub_hash *leaf, uint64_t n)
{
    struct hub_edge edge;

    edge.size = 0; /* the nodes of an empty edge mean nothing */
    for (uint64_t i = 0; i < n; i++)
        hub_merkle_append(&edge, &leaf[i], NULL, NULL);
    hub_merkle_root(root, &edge);
}

/* The last node of a level, over the leaves from the last multiple of 2^level below size to its
 * end: the fold of the perfect subtrees named by the low bits of size, smallest first. */
static bool ragged_node(struct hub_hash *out, unsigned level, uint64_t size, hub_merkle_node *get,
                        void *ctx)
{
    bool any = false;

    for (unsigned l = 0; l < level; l++) {
        struct hub_hash node;

        if (!(size >> l & 1))
            continue;
        if (!get(ctx, l, (size >> l) - 1, &node))
            return false;
        if (any)
            hub_merkle_pair(out, &node, out);
        else
            *out = node;
        any = true;
    }
    HUB_ASSERT(any);
    return true;
}

/* Appends to path the siblings of node (level, index) on its way up to the root. */
static bool walk_up(struct hub_hash path[LEVELS], unsigned *len, unsigned level, uint64_t index,
                    uint64_t size, hub_merkle_node *get, void *ctx)
{
    for (uint64_t last = (size - 1) >> level; last > 0; level++, index >>= 1, last >>= 1) {
        uint64_t sibling = index ^ 1;
        bool found;

        if (sibling > last)
            continue;
        HUB_ASSERT(*len < LEVELS);
        if (sibling < size >> level)
            found = get(ctx, level, sibling, &path[*len]);
        else
            found = ragged_node(&path[*len], level, size, get, ctx);
        if (!found)
            return false;
        ++*len;
    }
    return true;
}

enum hub_status hub_merkle_inclusion(struct hub_hash path[64], unsigned *len, uint64_t index,
                                     uint64_t size, hub_merkle_node *get, void *ctx)
{
    unsigned n = 0;

    HUB_ASSERT(index < size && size <= UINT64_MAX >> 1);
    if (!walk_up(path, &n, 0, index, size, get, ctx))
        return HUB_NOT_FOUND;
    *len = n;
    return HUB_OK;
}

/* hub_merkle_node over an array of leaf hashes. */
static bool node_over_leaves(void *ctx, unsigned level, uint64_t index, struct hub_hash *node)
{
    const struct hub_hash *leaf = *(const struct hub_hash **)ctx;

    hub_merkle_root_of(node, leaf + (index << level), (uint64_t)1 << level);
    return true;
}

void hub_merkle_inclusion_of(struct hub_hash path[64], unsigned *len, uint64_t index,
                             const struct hub_hash *leaf, uint64_t size)
{
    enum hub_status status = hub_merkle_inclusion(path, len, index, size, node_over_leaves, &leaf);

    HUB_ASSERT(status == HUB_OK);
}

/* Levels at which the paths of two leaves are apart: the number of significant bits of a ^ b. */
static unsigned levels_apart(uint64_t a, uint64_t b)
{
    unsigned n = 0;

    for (uint64_t d = a ^ b; d != 0; d >>= 1)
        n++;
    return n;
}

static unsigned ones(uint64_t v)
{
    unsigned n = 0;

    for (; v != 0; v &= v - 1)
        n++;
    return n;
}

/* Where a node's path to the root turns, from its index among the nodes of its level and the index of
 * the last one there: below `inner` levels a sibling stands left or right as the index's bit says;
 * above, the path runs along the right edge, where only left siblings exist. */
struct path_shape {
    unsigned inner, border;
};

static struct path_shape shape_of(uint64_t index, uint64_t last)
{
    unsigned inner = levels_apart(index, last);
    uint64_t above = inner < LEVELS ? index >> inner : 0;

    return (struct path_shape){inner, ones(above)};
}

/* The root above node, by its path. */
static void fold_up(struct hub_hash *node, uint64_t index, struct path_shape shape,
                    const struct hub_hash *path)
{
    for (unsigned i = 0; i < shape.inner + shape.border; i++) {
        if (i >= shape.inner || index >> i & 1)
            hub_merkle_pair(node, &path[i], node);
        else
            hub_merkle_pair(node, node, &path[i]);
    }
}

/* The same in the smaller tree of which node is the last: its right siblings came later. */
static void fold_left(struct hub_hash *node, uint64_t index, struct path_shape shape,
                      const struct hub_hash *path)
{
    for (unsigned i = 0; i < shape.inner + shape.border; i++)
        if (i >= shape.inner || index >> i & 1)
            hub_merkle_pair(node, &path[i], node);
}

bool hub_merkle_inclusion_root(struct hub_hash *root, const struct hub_hash *leaf, uint64_t index,
                               uint64_t size, const struct hub_hash *path, unsigned len)
{
    struct path_shape shape;
    struct hub_hash node = *leaf;

    if (index >= size)
        return false;
    shape = shape_of(index, size - 1);
    if (len != shape.inner + shape.border)
        return false;
    fold_up(&node, index, shape, path);
    *root = node;
    return true;
}

/* The largest perfect subtree that ends a tree of size leaves: its level; its index there is
 * (size >> level) - 1. It is whole in every larger tree too, so consistency is its inclusion. */
static unsigned end_level(uint64_t size)
{
    unsigned level = 0;

    HUB_ASSERT(size > 0);
    while (!(size >> level & 1))
        level++;
    return level;
}

enum hub_status hub_merkle_consistency(struct hub_hash path[64], unsigned *len, uint64_t size1,
                                       uint64_t size2, hub_merkle_node *get, void *ctx)
{
    unsigned n = 0, level = end_level(size1);
    uint64_t index = (size1 >> level) - 1;

    HUB_ASSERT(size1 <= size2 && size2 <= UINT64_MAX >> 1);
    if (size1 == size2) {
        *len = 0;
        return HUB_OK;
    }
    /* When the subtree is the whole smaller tree, the verifier has it already: root1. */
    if (index > 0) {
        if (!get(ctx, level, index, &path[n]))
            return HUB_NOT_FOUND;
        n++;
    }
    if (!walk_up(path, &n, level, index, size2, get, ctx))
        return HUB_NOT_FOUND;
    *len = n;
    return HUB_OK;
}

bool hub_merkle_consistency_ok(const struct hub_hash *root1, uint64_t size1,
                               const struct hub_hash *root2, uint64_t size2,
                               const struct hub_hash *path, unsigned len)
{
    unsigned level, seed;
    uint64_t index;
    struct path_shape shape;
    struct hub_hash old, new;

    if (size1 == 0 || size1 > size2)
        return false;
    if (size1 == size2)
        return len == 0 && hub_hash_equal(root1, root2);
    level = end_level(size1);
    index = (size1 >> level) - 1;
    shape = shape_of(index, (size2 - 1) >> level);
    seed = index > 0 ? 1 : 0;
    if (len != seed + shape.inner + shape.border)
        return false;
    old = new = index > 0 ? path[0] : *root1;
    fold_left(&old, index, shape, path + seed);
    fold_up(&new, index, shape, path + seed);
    return hub_hash_equal(&old, root1) && hub_hash_equal(&new, root2);
}
