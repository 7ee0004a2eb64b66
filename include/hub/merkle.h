/* merkle.h: RFC 9162 section 2.1 Merkle trees with SHA-256: leaf H(0x00 || d), node H(0x01 || l || r),
 * split at the largest power of two below n, empty tree H("").
 *  1. The right edge (at most 64 perfect subtrees, largest first) is the whole state of a growing tree.
 *  2. Proof lengths are fixed by (index, size); they are checked before a hash is computed.
 *  3. Nothing here allocates or recurses. */
#ifndef HUB_MERKLE_H
#define HUB_MERKLE_H

#include "hub/hash.h"

/* node[level] is the root of the perfect subtree of 2^level leaves, valid where bit level of size is set. */
struct hub_edge {
    uint64_t size;
    struct hub_hash node[64];
};

/* Called for each perfect node once it is complete: the level-0 leaf itself first, then upwards. */
typedef void hub_merkle_emit(void *ctx, unsigned level, uint64_t index,
                             const struct hub_hash *node);
/* Returns the perfect node (level, index); false if it is not held. */
typedef bool hub_merkle_node(void *ctx, unsigned level, uint64_t index, struct hub_hash *node);

/* out = SHA-256(0x00 || data): an RFC 9162 leaf hash. */
void hub_merkle_leaf(struct hub_hash *out, struct hub_span data);
/* out = SHA-256(0x01 || left || right). */
void hub_merkle_pair(struct hub_hash *out, const struct hub_hash *left,
                     const struct hub_hash *right);

/* Appends one leaf hash. emit may be NULL. */
void hub_merkle_append(struct hub_edge *edge, const struct hub_hash *leaf, hub_merkle_emit *emit,
                       void *ctx);
void hub_merkle_root(struct hub_hash *root, const struct hub_edge *edge);
/* Root over leaf hashes leaf[n]; n = 0 gives SHA-256(""). */
void hub_merkle_root_of(struct hub_hash *root, const struct hub_hash *leaf, uint64_t n);

/* Inclusion path of leaf `index` in the tree of `size` leaves. path[64] receives *len hashes, nearest
 * sibling first. HUB_NOT_FOUND if get lacks a node. index < size is the caller's to ensure. */
HUB_MUST_USE enum hub_status hub_merkle_inclusion(struct hub_hash path[64], unsigned *len,
                                                  uint64_t index, uint64_t size,
                                                  hub_merkle_node *get, void *ctx);
/* Same over leaf hashes in memory. */
void hub_merkle_inclusion_of(struct hub_hash path[64], unsigned *len, uint64_t index,
                             const struct hub_hash *leaf, uint64_t size);
/* RFC 9162 2.1.3.2: computes the root the path leads to. False if index >= size or len does not fit. */
HUB_MUST_USE bool hub_merkle_inclusion_root(struct hub_hash *root, const struct hub_hash *leaf,
                                            uint64_t index, uint64_t size,
                                            const struct hub_hash *path, unsigned len);

/* Consistency path from size1 to size2, 0 < size1 <= size2 (empty when equal). */
HUB_MUST_USE enum hub_status hub_merkle_consistency(struct hub_hash path[64], unsigned *len,
                                                    uint64_t size1, uint64_t size2,
                                                    hub_merkle_node *get, void *ctx);
/* RFC 9162 2.1.4.2. False when size1 = 0, size1 > size2, leftovers, or either root differs. */
HUB_MUST_USE bool hub_merkle_consistency_ok(const struct hub_hash *root1, uint64_t size1,
                                            const struct hub_hash *root2, uint64_t size2,
                                            const struct hub_hash *path, unsigned len);

#endif
