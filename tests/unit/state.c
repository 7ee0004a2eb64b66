/* The state against a second implementation: rows in plain arrays, copied whole for every block, and the
 * tree written as RFC 9162 section 2.1.1 writes it. */
#include "hub/state.h"

#include "hub/cbor.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 40, ROW_BYTES = 128, BLOCKS = 10, KEYS = 64, LOG_BYTES = 1 << 16 };

/* The tables the tests write: small rows, raw rows, rows of another size. */
static const enum hub_table tables[] = {HUB_TABLE_PARAMETERS, HUB_TABLE_WALLETS, HUB_TABLE_MEMBERS};
enum { TABLES = 3 };

struct plain { /* the second implementation */
    uint32_t count[TABLES];
    uint16_t len[TABLES][ROWS];
    uint8_t row[TABLES][ROWS][ROW_BYTES];
};

static uint64_t seed;

static uint32_t below(uint32_t n) /* xorshift64*, Vigna 2016 */
{
    seed ^= seed >> 12, seed ^= seed << 25, seed ^= seed >> 27;
    return (uint32_t)((seed * 2685821657736338717u) >> 33) % n;
}

/* RFC 9162 2.1.1, word for word. */
static void tree_hash(struct hub_hash *out, const struct hub_hash *leaf, uint64_t n)
{
    struct hub_hash half[2];
    struct hub_hasher h;
    uint64_t k = 1;

    if (n == 0) {
        hub_hash_span(out, (struct hub_span){NULL, 0});
        return;
    }
    if (n == 1) {
        *out = leaf[0];
        return;
    }
    while (2 * k < n)
        k *= 2;
    tree_hash(&half[0], leaf, k);
    tree_hash(&half[1], leaf + k, n - k);
    hub_hash_init(&h);
    hub_hash_add(&h, "\x01", 1);
    hub_hash_add(&h, half, sizeof half);
    hub_hash_final(&h, out);
}

static void leaf_hash(struct hub_hash *out, const void *data, size_t len)
{
    struct hub_hasher h;

    hub_hash_init(&h);
    hub_hash_add(&h, "\x00", 1);
    hub_hash_add(&h, data, len);
    hub_hash_final(&h, out);
}

/* Leaves [table, row_count, table root], all counts below 24: heads of one byte. */
static void plain_root(struct hub_hash *out, const struct plain *p)
{
    struct hub_hash leaf[HUB_TABLES], rows[ROWS], root;

    for (unsigned t = 0; t < HUB_TABLES; t++) {
        uint32_t count = 0;
        uint8_t bytes[64] = {0x83};
        size_t n = 1;

        for (unsigned i = 0; i < TABLES; i++)
            if (tables[i] == (enum hub_table)t) {
                count = p->count[i];
                for (uint32_t r = 0; r < count; r++)
                    leaf_hash(&rows[r], p->row[i][r], p->len[i][r]);
            }
        tree_hash(&root, rows, count);
        bytes[n++] = (uint8_t)t;
        if (count >= 24)
            bytes[n++] = 0x18;
        bytes[n++] = (uint8_t)count;
        bytes[n++] = 0x58;
        bytes[n++] = 32;
        memcpy(bytes + n, root.b, 32);
        leaf_hash(&leaf[t], bytes, n + 32);
    }
    tree_hash(out, leaf, HUB_TABLES);
}

static struct hub_state *open_state(uint32_t rows)
{
    uint32_t caps[HUB_TABLES];
    struct hub_state *s = malloc(sizeof *s);
    void *memory;

    for (unsigned t = 0; t < HUB_TABLES; t++)
        caps[t] = rows < hub_table_kinds[t].rows_max ? rows : hub_table_kinds[t].rows_max;
    memory = aligned_alloc(64, hub_state_memory_bytes(caps));
    memset(memory, 0, hub_state_memory_bytes(caps));
    hub_state_init(s, memory, caps);
    return s;
}

static struct hub_undo open_log(size_t cap)
{
    return (struct hub_undo){malloc(cap), 0, cap, false, false};
}

/* A row [key, payload]: the key is 4 bytes. */
static struct hub_span make_row(uint8_t bytes[ROW_BYTES], uint32_t key)
{
    uint8_t payload[90], name[4];
    struct hub_buf b = {bytes, 0, ROW_BYTES - 2, false};
    uint32_t len = below(80);

    for (uint32_t i = 0; i < len; i++)
        payload[i] = (uint8_t)below(256);
    hub_put_be32(name, key);
    hub_put_array(&b, 2);
    hub_put_bytes(&b, (struct hub_span){name, 4});
    hub_put_bytes(&b, (struct hub_span){payload, len});
    cr_assert(!b.full);
    return hub_span_of(&b);
}

static bool plain_find(const struct plain *p, unsigned i, uint32_t key, uint32_t *row)
{
    for (*row = 0; *row < p->count[i]; ++*row)
        if (hub_get_be32(p->row[i][*row] + 2) == key) /* behind the heads of array and bytes */
            return true;
    return false;
}

static void write_once(struct hub_state *s, struct plain *p)
{
    unsigned i = below(TABLES);
    enum hub_table t = tables[i];
    uint8_t bytes[ROW_BYTES];
    uint32_t row, key = below(KEYS);
    struct hub_span span;

    if (t == HUB_TABLE_WALLETS) {
        if (p->count[i] == 0 || (p->count[i] < ROWS && below(2) == 0)) {
            memset(bytes, (int)below(256), sizeof bytes);
            row = hub_state_add(s, t, (struct hub_span){bytes, sizeof bytes});
            cr_assert_eq(row, p->count[i]++);
            memcpy(p->row[i][row], bytes, sizeof bytes);
            p->len[i][row] = ROW_BYTES;
            return;
        }
        row = below(p->count[i]);
        key = below(ROW_BYTES);
        hub_state_wallet_write(s, row)[key]++;
        p->row[i][row][key]++;
        return;
    }
    span = make_row(bytes, key);
    if (plain_find(p, i, key, &row))
        hub_state_put(s, t, row, span);
    else if (p->count[i] == ROWS)
        return;
    else
        cr_assert_eq(hub_state_add(s, t, span), p->count[i]++);
    memcpy(p->row[i][row], span.data, span.len);
    p->len[i][row] = (uint16_t)span.len;
}

/* Everything the state can be asked agrees with the plain rows. */
static void check(struct hub_state *s, const struct plain *p)
{
    struct hub_hash got, want;
    struct hub_span row;
    uint32_t at, where;
    uint8_t key[4];

    hub_state_root(s, &got);
    plain_root(&want, p);
    cr_assert(hub_hash_equal(&got, &want));
    for (unsigned i = 0; i < TABLES; i++) {
        cr_assert_eq(s->count[tables[i]], p->count[i]);
        for (at = 0; at < p->count[i]; at++) {
            row = hub_state_row(s, tables[i], at);
            cr_assert(hub_span_equal(row, (struct hub_span){p->row[i][at], p->len[i][at]}));
        }
        for (uint32_t k = 0; k < KEYS && tables[i] != HUB_TABLE_WALLETS; k++) {
            bool known = plain_find(p, i, k, &where);

            hub_put_be32(key, k);
            cr_assert_eq(hub_state_find(s, tables[i], (struct hub_span){key, 4}, &at), known);
            cr_assert(!known || at == where);
        }
    }
}

struct node {
    struct hub_undo log;
    struct plain after;
    int parent;
};

static int depth_of(const struct node *nodes, int n)
{
    int depth = 0;

    for (; n > 0; n = nodes[n].parent)
        depth++;
    return depth;
}

/* Node 0 is the final block. */
static void move(struct hub_state *s, struct node *nodes, int *at, int to)
{
    int path[BLOCKS], n = 0, meet = to;

    for (int a = *at;;) {
        if (depth_of(nodes, a) > depth_of(nodes, meet)) {
            a = nodes[a].parent;
        } else if (a == meet) {
            break;
        } else if (depth_of(nodes, a) == depth_of(nodes, meet)) {
            a = nodes[a].parent;
            path[n++] = meet;
            meet = nodes[meet].parent;
        } else {
            path[n++] = meet;
            meet = nodes[meet].parent;
        }
    }
    for (; *at != meet; *at = nodes[*at].parent)
        hub_state_swap_back(s, &nodes[*at].log);
    for (; n > 0; n--)
        hub_state_swap_forward(s, &nodes[path[n - 1]].log);
    *at = to;
}

/* The rows of the final block are readable wherever the state stands. */
static void check_before(const struct hub_state *s, const struct node *nodes, int at)
{
    const struct hub_undo *logs[BLOCKS];
    int n = depth_of(nodes, at);

    for (int i = n, a = at; i > 0; a = nodes[a].parent)
        logs[--i] = &nodes[a].log;
    for (unsigned i = 0; i < TABLES; i++)
        for (uint32_t row = 0; row < ROWS; row++) {
            struct hub_span got;
            bool was = hub_state_row_before(s, logs, (size_t)n, tables[i], row, &got);

            cr_assert_eq(was, row < nodes[0].after.count[i]);
            cr_assert(!was || hub_span_equal(got, (struct hub_span){nodes[0].after.row[i][row],
                                                                    nodes[0].after.len[i][row]}));
        }
}

static void check_proof(struct hub_state *s, const struct plain *p)
{
    struct hub_hash row_path[64], table_path[8], leaf, root, want;
    unsigned row_len, table_len, i = below(TABLES);
    uint8_t bytes[64];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    uint32_t row;

    if (p->count[i] == 0)
        return;
    row = below(p->count[i]);
    hub_state_proof(s, tables[i], row, row_path, &row_len, table_path, &table_len);
    leaf_hash(&leaf, p->row[i][row], p->len[i][row]);
    cr_assert(hub_merkle_inclusion_root(&root, &leaf, row, p->count[i], row_path, row_len));
    hub_put_array(&b, 3);
    hub_put_uint(&b, tables[i]);
    hub_put_uint(&b, p->count[i]);
    hub_put_hash(&b, &root);
    leaf_hash(&leaf, bytes, b.len);
    cr_assert(
        hub_merkle_inclusion_root(&root, &leaf, tables[i], HUB_TABLES, table_path, table_len));
    plain_root(&want, p);
    cr_assert(hub_hash_equal(&root, &want));
}

static void grow_a_tree(uint64_t with)
{
    static struct node nodes[BLOCKS];
    struct hub_state *s = open_state(ROWS);
    struct plain kept;
    int at = 0;

    seed = with;
    memset(&nodes[0].after, 0, sizeof nodes[0].after);
    for (int i = 0; i < 30; i++) /* genesis writes without a log */
        write_once(s, &nodes[0].after);
    check(s, &nodes[0].after);
    for (int n = 1; n < BLOCKS; n++) {
        int parent = (int)below((uint32_t)n);
        size_t mark;

        move(s, nodes, &at, parent);
        nodes[n].parent = parent;
        nodes[n].after = nodes[parent].after;
        nodes[n].log = open_log(LOG_BYTES);
        s->undo = &nodes[n].log;
        for (uint32_t writes = below(40); writes > 0; writes--)
            write_once(s, &nodes[n].after);
        mark =
            nodes[n]
                .log.len; /* a failed record: written and undone, with or without a root between */
        kept = nodes[n].after;
        for (uint32_t writes = below(10); writes > 0; writes--)
            write_once(s, &kept);
        if (below(2) == 0)
            check(s, &kept);
        hub_state_undo_to(s, mark);
        write_once(s, &nodes[n].after);
        s->undo = NULL;
        at = n;
        if (below(3) > 0)
            check(s, &nodes[n].after);
        for (int hops = 0; hops < 4; hops++) {
            move(s, nodes, &at, (int)below((uint32_t)n + 1));
            if (below(3) > 0)
                check(s, &nodes[at].after);
            check_before(s, nodes, at);
            check_proof(s, &nodes[at].after);
        }
    }
    for (int n = 1; n < BLOCKS; n++)
        free(nodes[n].log.log);
    free(s->mem[0].rows); /* the block of memory begins with the first table's rows */
    free(s);
}

Test(state, agrees_with_a_second_implementation_over_random_forks)
{
    for (uint64_t i = 1; i <= 150; i++)
        grow_a_tree(i * 2654435761u);
}

Test(state, empty_state_has_the_root_of_empty_tables)
{
    static const struct plain nothing;
    struct hub_hash got, want;

    hub_state_root(open_state(4), &got);
    plain_root(&want, &nothing);
    cr_assert(hub_hash_equal(&got, &want));
}

Test(state, perfect_and_ragged_trees_of_every_size_agree)
{
    struct hub_state *s = open_state(200);
    struct hub_hash rows[200], got;
    uint8_t wallet[128] = {0};

    for (uint32_t n = 0; n < 200; n++) {
        wallet[0] = (uint8_t)n;
        cr_assert_eq(hub_state_add(s, HUB_TABLE_WALLETS, (struct hub_span){wallet, 128}), n);
        leaf_hash(&rows[n], wallet, 128);
        hub_state_root(s, &got);
        tree_hash(&got, rows, n + 1);
        cr_assert(hub_hash_equal(&s->table_root[HUB_TABLE_WALLETS], &got));
    }
}

Test(state, scattered_writes_rehash_what_they_must)
{
    struct hub_state *s = open_state(1000);
    struct hub_hash rows[1000], want, root;
    uint8_t wallet[128] = {0};

    seed = 7;
    for (uint32_t n = 0; n < 1000; n++) {
        hub_state_add(s, HUB_TABLE_WALLETS, (struct hub_span){wallet, 128});
        leaf_hash(&rows[n], wallet, 128);
    }
    for (int round = 0; round < 200; round++) {
        for (uint32_t writes = 1 + below(5); writes > 0; writes--) {
            uint32_t row = below(1000);
            uint8_t *bytes = hub_state_wallet_write(s, row);

            bytes[below(128)]++;
            leaf_hash(&rows[row], bytes, 128);
        }
        hub_state_root(s, &root);
        tree_hash(&want, rows, 1000);
        cr_assert(hub_hash_equal(&s->table_root[HUB_TABLE_WALLETS], &want));
    }
}

Test(state, a_full_log_stops_the_record_and_an_undo_restores_everything)
{
    struct hub_state *s = open_state(ROWS);
    struct hub_undo log =
        open_log(3 * 140 + 139); /* three wallet writes of 12 + 128 bytes, not four */
    struct hub_hash before, after;
    uint8_t wallet[128] = {0};

    hub_state_add(s, HUB_TABLE_WALLETS, (struct hub_span){wallet, 128});
    hub_state_root(s, &before);
    s->undo = &log;
    for (int i = 0; i < 3; i++)
        hub_state_wallet_write(s, 0)[i] = 1;
    cr_assert(!log.full);
    cr_assert_null(hub_state_wallet_write(s, 0));
    cr_assert(log.full);
    cr_assert_eq(log.len, 3 * 140);
    cr_assert_eq(hub_state_add(s, HUB_TABLE_WALLETS, (struct hub_span){wallet, 128}), UINT32_MAX);
    hub_state_put(s, HUB_TABLE_WALLETS, UINT32_MAX,
                  (struct hub_span){wallet, 128}); /* of the add refused */
    hub_state_undo_to(s, 140);
    cr_assert(log.full, "only the caller that undoes the record clears it");
    cr_assert_eq(hub_state_row(s, HUB_TABLE_WALLETS, 0).data[0], 1);
    cr_assert_eq(hub_state_row(s, HUB_TABLE_WALLETS, 0).data[1], 0);
    hub_state_undo_to(s, 0);
    hub_state_root(s, &after);
    cr_assert(hub_hash_equal(&before, &after));
}

Test(state, a_full_table_is_told)
{
    struct hub_state *s = open_state(2);
    struct hub_undo log = open_log(1000);
    uint8_t wallet[128] = {0};

    for (uint32_t i = 0; i < 2; i++)
        cr_assert_eq(hub_state_add(s, HUB_TABLE_WALLETS, (struct hub_span){wallet, 128}), i);
    cr_assert_eq(hub_state_add(s, HUB_TABLE_WALLETS, (struct hub_span){wallet, 128}), UINT32_MAX);
    s->undo = &log;
    cr_assert_eq(hub_state_add(s, HUB_TABLE_WALLETS, (struct hub_span){wallet, 128}), UINT32_MAX);
    cr_assert(log.table_full && !log.full);
}

Test(state, rows_of_a_checkpoint_are_checked_for_form)
{
    uint8_t row[640] = {0x82, 0x41, 'k', 0xf6}, wallet[129] = {0};

    cr_assert(hub_state_row_ok(HUB_TABLE_PARAMETERS, (struct hub_span){row, 4}));
    cr_assert(!hub_state_row_ok(HUB_TABLE_PARAMETERS, (struct hub_span){row, 2}), "cut in its key");
    cr_assert(!hub_state_row_ok(HUB_TABLE_PARAMETERS, (struct hub_span){row + 1, 3}), "no array");
    cr_assert(!hub_state_row_ok(HUB_TABLE_PARAMETERS, (struct hub_span){row, 127}),
              "126 bytes and the length");
    cr_assert(hub_state_row_ok(HUB_TABLE_PARAMETERS, (struct hub_span){row, 126}));
    cr_assert(hub_state_row_ok(HUB_TABLE_WALLETS, (struct hub_span){wallet, 128}));
    cr_assert(!hub_state_row_ok(HUB_TABLE_WALLETS, (struct hub_span){wallet, 127}));
    cr_assert(!hub_state_row_ok(HUB_TABLE_WALLETS, (struct hub_span){wallet, 129}));
}

/* 20,000 members from 1,024 slots on: five doublings, one of them inside the undone part. */
Test(state, an_index_that_grew_finds_every_row_also_after_undo_and_redo)
{
    enum { KEPT = 12000, UNDONE = 8000 };
    struct hub_state *s = open_state(KEPT + UNDONE);
    struct hub_undo log = open_log(8 << 20);
    uint8_t bytes[ROW_BYTES];
    uint32_t row;

    cr_assert_geq(s->mem[HUB_TABLE_REFERENCES].row_cap, KEPT + UNDONE);
    for (uint32_t i = 0; i < KEPT; i++)
        cr_assert_eq(hub_state_add(s, HUB_TABLE_REFERENCES, make_row(bytes, i)), i);
    s->undo = &log;
    for (uint32_t i = KEPT; i < KEPT + UNDONE; i++)
        cr_assert_eq(hub_state_add(s, HUB_TABLE_REFERENCES, make_row(bytes, i)), i);
    cr_assert_not(log.full);
    s->undo = NULL;
    for (int forward = 0; forward <= 1; forward++) {
        uint32_t there = forward ? KEPT + UNDONE : KEPT;

        (forward ? hub_state_swap_forward : hub_state_swap_back)(s, &log);
        cr_assert_eq(s->count[HUB_TABLE_REFERENCES], there);
        for (uint32_t i = 0; i < KEPT + UNDONE; i++) {
            struct hub_span whole = make_row(bytes, i);
            struct hub_cbor c = hub_cbor_open(whole);

            hub_cbor_array(&c, 1, UINT16_MAX);
            struct hub_span key = hub_cbor_peek(&c) == HUB_CBOR_TEXT ? hub_cbor_text(&c, 0, 99)
                                                                     : hub_cbor_bytes(&c, 0, 99);
            bool found = hub_state_find(s, HUB_TABLE_REFERENCES, key, &row);

            cr_assert_eq(found, i < there, "row %u", i);
            cr_assert(!found || row == i);
        }
    }
}
