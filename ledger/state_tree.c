/* state_tree.c: the roots of the tables and of the state. All perfect nodes of a table's tree are kept, and those above
 * written rows are hashed again (state.h 3). */
#include "hub/state.h"

#include "hub/cbor.h"

#include <string.h>

/* Node (level, 0): level l has room for row_cap >> l perfect nodes, level 0 first. */
static struct hub_hash *level_of(const struct hub_table_memory *m, unsigned level)
{
    struct hub_hash *at = m->nodes;

    for (unsigned l = 0; l < level; l++)
        at += m->row_cap >> l;
    return at;
}

/* The even bits of x, packed into the low half. */
static uint64_t pack_even(uint64_t x)
{
    x &= 0x5555555555555555u;
    x = (x | x >> 1) & 0x3333333333333333u;
    x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0fu;
    x = (x | x >> 4) & 0x00ff00ff00ff00ffu;
    x = (x | x >> 8) & 0x0000ffff0000ffffu;
    return (x | x >> 16) & 0x00000000ffffffffu;
}

/* Turns the bitmap of written nodes [*low, *high) into that of their parents, in place: word j is
 * written only after words 2j and 2j + 1 were read and cleared. */
static void fold_dirty(uint64_t *dirty, uint32_t *low, uint32_t *high)
{
    for (uint32_t j = *low / 128; j <= (*high - 1) / 128; j++) {
        uint64_t a = dirty[2 * (size_t)j], b = dirty[2 * (size_t)j + 1];

        dirty[2 * (size_t)j] = 0;
        dirty[2 * (size_t)j + 1] = 0;
        dirty[j] = pack_even(a | a >> 1) | pack_even(b | b >> 1) << 32;
    }
    *low /= 2;
    *high = (*high + 1) / 2;
}

/* Recomputes the written nodes of one level. The bitmap may name rows that an undo took away. */
static void rehash_level(const struct hub_state *s, enum hub_table t, unsigned level, uint32_t low,
                         uint32_t high)
{
    const struct hub_table_memory *m = &s->mem[t];
    struct hub_hash *node = level_of(m, level);
    const struct hub_hash *below = level == 0 ? NULL : level_of(m, level - 1);
    uint32_t perfect = s->count[t] >> level;

    for (uint32_t w = low / 64; w <= (high - 1) / 64; w++) {
        for (uint64_t bits = m->dirty[w]; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);

            if (i >= perfect)
                break;
            if (level == 0)
                hub_merkle_leaf(&node[i], hub_state_row(s, t, i));
            else
                hub_merkle_pair(&node[i], &below[2 * (size_t)i], &below[2 * (size_t)i + 1]);
        }
    }
}

static void rehash_table(struct hub_state *s, enum hub_table t)
{
    struct hub_table_memory *m = &s->mem[t];
    uint32_t low = s->dirty_low[t], high = s->dirty_high[t];
    struct hub_edge edge;

    if (low >= high)
        return;
    rehash_level(s, t, 0, low, high);
    for (unsigned level = 1; s->count[t] >> level > 0; level++) {
        fold_dirty(m->dirty, &low, &high);
        rehash_level(s, t, level, low, high);
    }
    memset(&m->dirty[low / 64], 0, ((high - 1) / 64 - low / 64 + 1) * sizeof m->dirty[0]);
    s->dirty_low[t] = s->dirty_high[t] = 0;

    edge.size = s->count[t];
    for (unsigned level = 0; edge.size >> level > 0; level++)
        if (edge.size >> level & 1)
            edge.node[level] = level_of(m, level)[(edge.size >> level) - 1];
    hub_merkle_root(&s->table_root[t], &edge);
}

/* The leaves [table, row_count, table root] of the state root. */
static void table_leaves(struct hub_hash leaf[HUB_TABLES], const uint32_t rows[HUB_TABLES],
                         const struct hub_hash roots[HUB_TABLES])
{
    uint8_t bytes[48];

    for (unsigned t = 0; t < HUB_TABLES; t++) {
        struct hub_buf b = {bytes, 0, sizeof bytes, false};

        hub_put_array(&b, 3);
        hub_put_uint(&b, t);
        hub_put_uint(&b, rows[t]);
        hub_put_hash(&b, &roots[t]);
        HUB_ASSERT(!b.full);
        hub_merkle_leaf(&leaf[t], hub_span_of(&b));
    }
}

void hub_state_root(struct hub_state *s, struct hub_hash *root)
{
    struct hub_hash leaf[HUB_TABLES];

    for (unsigned t = 0; t < HUB_TABLES; t++)
        rehash_table(s, (enum hub_table)t);
    table_leaves(leaf, s->count, s->table_root);
    hub_merkle_root_of(root, leaf, HUB_TABLES);
}

void hub_state_root_of(struct hub_hash *root, const uint32_t rows[HUB_TABLES],
                       const struct hub_hash roots[HUB_TABLES])
{
    struct hub_hash leaf[HUB_TABLES];

    table_leaves(leaf, rows, roots);
    hub_merkle_root_of(root, leaf, HUB_TABLES);
}

struct row_tree {
    const struct hub_state *s;
    enum hub_table t;
};

static bool get_node(void *ctx, unsigned level, uint64_t index, struct hub_hash *node)
{
    const struct row_tree *tree = ctx;

    if (level >= 32 || index >= tree->s->count[tree->t] >> level)
        return false;
    *node = level_of(&tree->s->mem[tree->t], level)[index];
    return true;
}

void hub_state_proof(struct hub_state *s, enum hub_table t, uint32_t row,
                     struct hub_hash row_path[64], unsigned *row_len, struct hub_hash table_path[8],
                     unsigned *table_len)
{
    struct hub_hash leaf[HUB_TABLES], path[64], root;
    struct row_tree tree = {s, t};
    enum hub_status status;

    HUB_ASSERT((unsigned)t < HUB_TABLES && row < s->count[t]);
    hub_state_root(s, &root);
    status = hub_merkle_inclusion(row_path, row_len, row, s->count[t], get_node, &tree);
    HUB_ASSERT(status == HUB_OK);
    table_leaves(leaf, s->count, s->table_root);
    hub_merkle_inclusion_of(path, table_len, t, leaf, HUB_TABLES);
    HUB_ASSERT(*table_len <= 8);
    memcpy(table_path, path, *table_len * sizeof path[0]);
}
