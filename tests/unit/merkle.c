/* Expected values: the reference tree of the certificate-transparency project (its merkle_tree_test),
 * and, for every size to 130, the recursive definitions of RFC 9162 section 2.1 written out below. */
#include "hub/merkle.h"

#include "tests/support/hex.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SIZES = 130 };

static struct hub_hash leaves[SIZES];

static void make_leaves(void)
{
    for (unsigned i = 0; i < SIZES; i++) {
        uint8_t data[3] = {(uint8_t)i, (uint8_t)(i >> 8), 0x5a};

        hub_merkle_leaf(&leaves[i], (struct hub_span){data, i % 4});
        leaves[i].b[0] = (uint8_t)i; /* all distinct, whatever the data */
    }
}

/* RFC 9162 2.1.1: MTH(D_n) with k the largest power of two below n. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;

    while (k * 2 < n)
        k *= 2;
    return k;
}

static struct hub_hash naive_root(const struct hub_hash *leaf, uint64_t n)
{
    struct hub_hash left, right, out;

    if (n == 0)
        return test_hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    if (n == 1)
        return leaf[0];
    left = naive_root(leaf, split(n));
    right = naive_root(leaf + split(n), n - split(n));
    hub_merkle_pair(&out, &left, &right);
    return out;
}

/* RFC 9162 2.1.3.1: PATH(m, D_n). */
static unsigned naive_path(struct hub_hash *path, uint64_t m, const struct hub_hash *leaf,
                           uint64_t n)
{
    uint64_t k = split(n);
    unsigned len;

    if (n == 1)
        return 0;
    if (m < k) {
        len = naive_path(path, m, leaf, k);
        path[len] = naive_root(leaf + k, n - k);
    } else {
        len = naive_path(path, m - k, leaf + k, n - k);
        path[len] = naive_root(leaf, k);
    }
    return len + 1;
}

/* RFC 9162 2.1.4.1: SUBPROOF(m, D_n, b). */
static unsigned naive_subproof(struct hub_hash *path, uint64_t m, const struct hub_hash *leaf,
                               uint64_t n, bool whole)
{
    uint64_t k = split(n);
    unsigned len;

    if (m == n) {
        if (!whole)
            path[0] = naive_root(leaf, n);
        return whole ? 0 : 1;
    }
    if (m <= k) {
        len = naive_subproof(path, m, leaf, k, whole);
        path[len] = naive_root(leaf + k, n - k);
    } else {
        len = naive_subproof(path, m - k, leaf + k, n - k, false);
        path[len] = naive_root(leaf, k);
    }
    return len + 1;
}

/* What a store would hold: every perfect node emitted so far, and how many. */
struct store {
    struct hub_hash node[9][SIZES];
    uint64_t count[9];
    uint64_t size;
};
static struct store store;

static void keep(void *ctx, unsigned level, uint64_t index, const struct hub_hash *node)
{
    struct store *s = ctx;

    cr_assert_eq(index, s->count[level], "emitted in order");
    s->node[level][s->count[level]++] = *node;
}

static bool look_up(void *ctx, unsigned level, uint64_t index, struct hub_hash *node)
{
    const struct store *s = ctx;

    cr_assert_lt(index, s->size >> level, "asks for perfect nodes of the tree only");
    *node = s->node[level][index];
    return true;
}

static bool look_up_nothing(void *ctx, unsigned level, uint64_t index, struct hub_hash *node)
{
    (void)ctx, (void)level, (void)index, (void)node;
    return false;
}

static void make_store(void)
{
    struct hub_edge edge = {.size = 0};

    make_leaves();
    memset(&store, 0, sizeof store);
    for (unsigned i = 0; i < SIZES; i++)
        hub_merkle_append(&edge, &leaves[i], keep, &store);
}

static void expect_path(const struct hub_hash *got, unsigned len, const char *const *want,
                        unsigned n)
{
    cr_assert_eq(len, n);
    for (unsigned i = 0; i < n; i++) {
        struct hub_hash h = test_hash(want[i]);

        cr_assert(hub_hash_equal(&got[i], &h), "element %u", i);
    }
}

static void reference_leaves(struct hub_hash leaf[8])
{
    static const char *const inputs[8] = {"",
                                          "00",
                                          "10",
                                          "2021",
                                          "3031",
                                          "40414243",
                                          "5051525354555657",
                                          "606162636465666768696a6b6c6d6e6f"};

    for (unsigned i = 0; i < 8; i++)
        hub_merkle_leaf(&leaf[i], test_bytes(inputs[i]));
}

Test(merkle, reference_tree_has_the_published_roots)
{
    static const char *const roots[9] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct hub_hash leaf[8];
    struct hub_edge edge = {.size = 0};

    reference_leaves(leaf);
    for (unsigned n = 0; n <= 8; n++) {
        struct hub_hash want = test_hash(roots[n]), grown, built;

        hub_merkle_root(&grown, &edge);
        hub_merkle_root_of(&built, leaf, n);
        cr_assert(hub_hash_equal(&grown, &want), "grown to %u", n);
        cr_assert(hub_hash_equal(&built, &want), "built of %u", n);
        if (n < 8)
            hub_merkle_append(&edge, &leaf[n], NULL, NULL);
    }
}

Test(merkle, reference_tree_has_the_published_proofs)
{
    static const char *const leaf_5_of_8[] = {
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"};
    static const char *const leaf_1_of_5[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"};
    static const char *const from_6_to_8[] = {
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"};
    static const char *const from_3_to_8[] = {
        "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
        "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"};
    struct hub_hash leaf[8], path[64];
    struct hub_edge edge = {.size = 0};
    unsigned len;

    reference_leaves(leaf);
    memset(&store, 0, sizeof store);
    for (unsigned i = 0; i < 8; i++)
        hub_merkle_append(&edge, &leaf[i], keep, &store);
    hub_merkle_inclusion_of(path, &len, 5, leaf, 8);
    expect_path(path, len, leaf_5_of_8, 3);
    hub_merkle_inclusion_of(path, &len, 1, leaf, 5);
    expect_path(path, len, leaf_1_of_5, 3);
    store.size = 8;
    cr_assert_eq(hub_merkle_consistency(path, &len, 6, 8, look_up, &store), HUB_OK);
    expect_path(path, len, from_6_to_8, 3);
    cr_assert_eq(hub_merkle_consistency(path, &len, 3, 8, look_up, &store), HUB_OK);
    expect_path(path, len, from_3_to_8, 4);
}

Test(merkle, emits_exactly_the_perfect_nodes)
{
    make_store();
    for (unsigned level = 0; level < 9; level++) {
        cr_assert_eq(store.count[level], SIZES >> level);
        for (uint64_t i = 0; i < store.count[level]; i++) {
            struct hub_hash want = naive_root(leaves + (i << level), (uint64_t)1 << level);

            cr_assert(hub_hash_equal(&store.node[level][i], &want), "node %u,%lu", level, i);
        }
    }
}

Test(merkle, roots_of_all_sizes_follow_the_definition)
{
    struct hub_edge edge = {.size = 0};

    make_leaves();
    for (uint64_t n = 0; n <= SIZES; n++) {
        struct hub_hash want = naive_root(leaves, n), grown, built;

        hub_merkle_root(&grown, &edge);
        hub_merkle_root_of(&built, leaves, n);
        cr_assert(hub_hash_equal(&grown, &want) && hub_hash_equal(&built, &want), "size %lu", n);
        if (n < SIZES)
            hub_merkle_append(&edge, &leaves[n], NULL, NULL);
    }
}

Test(merkle, inclusion_of_every_leaf_of_every_size)
{
    make_store();
    for (uint64_t n = 1; n <= SIZES; n++) {
        struct hub_hash root = naive_root(leaves, n);

        store.size = n;
        for (uint64_t m = 0; m < n; m++) {
            struct hub_hash path[64], want[64], got;
            unsigned len, want_len = naive_path(want, m, leaves, n);

            cr_assert_eq(hub_merkle_inclusion(path, &len, m, n, look_up, &store), HUB_OK);
            cr_assert_eq(len, want_len, "leaf %lu of %lu", m, n);
            cr_assert_eq(memcmp(path, want, len * sizeof path[0]), 0, "leaf %lu of %lu", m, n);
            cr_assert(hub_merkle_inclusion_root(&got, &leaves[m], m, n, path, len));
            cr_assert(hub_hash_equal(&got, &root), "leaf %lu of %lu", m, n);
        }
    }
}

Test(merkle, inclusion_over_leaves_in_memory_is_the_same_path)
{
    make_store();
    for (uint64_t n = 1; n <= SIZES; n += 3) {
        for (uint64_t m = 0; m < n; m++) {
            struct hub_hash path[64], want[64];
            unsigned len, want_len = naive_path(want, m, leaves, n);

            hub_merkle_inclusion_of(path, &len, m, leaves, n);
            cr_assert_eq(len, want_len);
            cr_assert_eq(memcmp(path, want, len * sizeof path[0]), 0, "leaf %lu of %lu", m, n);
        }
    }
}

Test(merkle, consistency_of_every_pair_of_sizes)
{
    make_store();
    for (uint64_t n = 1; n <= SIZES; n++) {
        struct hub_hash new = naive_root(leaves, n);

        store.size = n;
        for (uint64_t m = 1; m <= n; m++) {
            struct hub_hash path[64], want[64], old = naive_root(leaves, m);
            unsigned len, want_len = naive_subproof(want, m, leaves, n, true);

            cr_assert_eq(hub_merkle_consistency(path, &len, m, n, look_up, &store), HUB_OK);
            cr_assert_eq(len, want_len, "%lu to %lu", m, n);
            cr_assert_eq(memcmp(path, want, len * sizeof path[0]), 0, "%lu to %lu", m, n);
            cr_assert(hub_merkle_consistency_ok(&old, m, &new, n, path, len), "%lu to %lu", m, n);
        }
    }
}

Test(merkle, refuses_inclusion_that_was_tampered_with)
{
    make_store();
    for (uint64_t n = 1; n <= 40; n++) {
        struct hub_hash root = naive_root(leaves, n);

        for (uint64_t m = 0; m < n; m++) {
            struct hub_hash path[64] = {{{0}}}, got, wrong = leaves[m];
            unsigned len = naive_path(path, m, leaves, n);

            cr_assert_not(hub_merkle_inclusion_root(&got, &leaves[m], m, n, path, len + 1));
            if (len > 0)
                cr_assert_not(hub_merkle_inclusion_root(&got, &leaves[m], m, n, path, len - 1));
            cr_assert_not(hub_merkle_inclusion_root(&got, &leaves[m], n, n, path, len));
            for (uint64_t other = 0; other < n; other++) {
                if (other != m && hub_merkle_inclusion_root(&got, &leaves[m], other, n, path, len))
                    cr_assert_not(hub_hash_equal(&got, &root), "%lu as %lu of %lu", m, other, n);
            }
            wrong.b[31] ^= 1;
            cr_assert(hub_merkle_inclusion_root(&got, &wrong, m, n, path, len));
            cr_assert_not(hub_hash_equal(&got, &root));
            for (unsigned i = 0; i < len; i++) {
                path[i].b[i % 32] ^= 0x80;
                cr_assert(hub_merkle_inclusion_root(&got, &leaves[m], m, n, path, len));
                cr_assert_not(hub_hash_equal(&got, &root));
                path[i].b[i % 32] ^= 0x80;
            }
        }
    }
}

Test(merkle, refuses_consistency_that_was_tampered_with)
{
    make_store();
    for (uint64_t n = 1; n <= 40; n++) {
        struct hub_hash new = naive_root(leaves, n);

        for (uint64_t m = 1; m <= n; m++) {
            struct hub_hash path[64] = {{{0}}}, old = naive_root(leaves, m), wrong;
            unsigned len = naive_subproof(path, m, leaves, n, true);

            cr_assert_not(hub_merkle_consistency_ok(&old, m, &new, n, path, len + 1));
            if (len > 0)
                cr_assert_not(hub_merkle_consistency_ok(&old, m, &new, n, path, len - 1));
            wrong = old, wrong.b[0] ^= 1;
            cr_assert_not(hub_merkle_consistency_ok(&wrong, m, &new, n, path, len));
            wrong = new, wrong.b[0] ^= 1;
            cr_assert_not(hub_merkle_consistency_ok(&old, m, &wrong, n, path, len));
            for (unsigned i = 0; i < len; i++) {
                path[i].b[31 - i % 32] ^= 1;
                cr_assert_not(hub_merkle_consistency_ok(&old, m, &new, n, path, len));
                path[i].b[31 - i % 32] ^= 1;
            }
            if (m < n)
                cr_assert_not(hub_merkle_consistency_ok(&new, n, &old, m, path, len), "backwards");
            cr_assert_not(hub_merkle_consistency_ok(&old, 0, &new, n, path, len), "from nothing");
        }
    }
}

Test(merkle, says_so_when_a_node_is_not_held)
{
    struct hub_hash path[64];
    unsigned len = 77;

    cr_assert_eq(hub_merkle_inclusion(path, &len, 0, 2, look_up_nothing, NULL), HUB_NOT_FOUND);
    cr_assert_eq(hub_merkle_inclusion(path, &len, 0, 3, look_up_nothing, NULL), HUB_NOT_FOUND);
    cr_assert_eq(hub_merkle_consistency(path, &len, 3, 7, look_up_nothing, NULL), HUB_NOT_FOUND);
    cr_assert_eq(len, 77, "untouched on failure");
    cr_assert_eq(hub_merkle_inclusion(path, &len, 0, 1, look_up_nothing, NULL), HUB_OK);
    cr_assert_eq(len, 0);
}

/* Sizes near 2^63 must neither overflow nor overrun path[64]. Every node is one value, so the shape
 * alone is tested: a proof made is a proof accepted. */
static bool look_up_same(void *ctx, unsigned level, uint64_t index, struct hub_hash *node)
{
    (void)level, (void)index;
    *node = *(const struct hub_hash *)ctx;
    return true;
}

Test(merkle, proofs_of_the_largest_trees_fit)
{
    const uint64_t max = UINT64_MAX >> 1;
    const uint64_t sizes[] = {max,     max - 1,           max / 2 + 1,
                              max / 2, (uint64_t)1 << 53, max ^ 0x55555555};
    struct hub_hash path[64], node = {{7}}, got;
    unsigned len;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const uint64_t at[] = {0, 1, sizes[i] / 2, sizes[i] - 2, sizes[i] - 1};

        for (size_t k = 0; k < sizeof at / sizeof at[0]; k++) {
            cr_assert_eq(hub_merkle_inclusion(path, &len, at[k], sizes[i], look_up_same, &node),
                         HUB_OK);
            cr_assert_leq(len, 63);
            cr_assert(hub_merkle_inclusion_root(&got, &node, at[k], sizes[i], path, len));
            cr_assert_eq(
                hub_merkle_consistency(path, &len, at[k] + 1, sizes[i], look_up_same, &node),
                HUB_OK);
            cr_assert_leq(len, 64);
        }
    }
}
