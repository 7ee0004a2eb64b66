/* The chain: genesis, forks, bounds, empty blocks, certificates, checkpoints. */
#include "tests/support/net.h"

#include "ledger/wallet.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct hub_record any_record(struct net *net, enum net_key signer)
{
    return net_record(net, HUB_TYPE_KEY_REVOKE, signer, net_body_key_revoke(net, signer), NULL);
}

static struct hub_record open_wallet(struct net *net)
{
    return net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR, net_body_wallet_open(net), NULL);
}

static struct hub_hash root_now(struct hub_chain *c)
{
    struct hub_hash root;

    hub_state_root(&c->state, &root);
    return root;
}

static bool finalize(struct net *net, struct hub_chain *c, const struct hub_block *b)
{
    struct hub_certificate cert = net_certificate(net, b, 0);

    return hub_chain_finalize(c, &cert, NULL, NULL) == HUB_OK &&
           hub_hash_equal(&c->final_hash, &b->hash);
}

/* Appends the block's bytes to another chain. */
static enum hub_status append_to(struct net *net, struct hub_chain *c, const struct hub_block *b)
{
    struct hub_fault fault;

    return hub_chain_append(c, net_receive(net, c, b->bytes), &fault);
}

/* ---- genesis */

Test(chain, begins_with_header_0_of_the_format)
{
    struct net *net = net_open(NULL, NULL);
    const struct hub_header *h = &net->chain->final_header;
    struct hub_hash leaf[2], root, empty, state, hash;
    struct hub_hasher hasher;
    uint8_t bytes[HUB_HEADER_BYTES_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    const uint8_t no_parameters = 0xa0;

    hub_hash_init(&hasher); /* chain = SHA-256("hubledger/genesis/1" || file) */
    hub_hash_add(&hasher, "hubledger/genesis/1", 19);
    hub_hash_add(&hasher, net->genesis_bytes.data, net->genesis_bytes.len);
    hub_hash_final(&hasher, &hash);
    cr_assert(hub_hash_equal(&h->chain, &hash));
    cr_assert(hub_hash_equal(&h->parent, &hash));
    hub_merkle_leaf(&leaf[0], net->genesis_bytes);
    hub_merkle_leaf(&leaf[1], (struct hub_span){&no_parameters, 1});
    hub_merkle_pair(&root, &leaf[0], &leaf[1]);
    hub_hash_span(&empty, (struct hub_span){NULL, 0});
    state = root_now(net->chain);
    /* [1, chain, 0, 0, 0, chain, 0, time_ms, 0, 2, root, 0, empty, empty, state root, E, E, 0] */
    hub_put_array(&b, 18);
    hub_put_uint(&b, 1);
    hub_put_hash(&b, &hash);
    for (int i = 0; i < 3; i++)
        hub_put_uint(&b, 0);
    hub_put_hash(&b, &hash);
    hub_put_uint(&b, 0);
    hub_put_uint(&b, NET_GENESIS_MS);
    hub_put_uint(&b, 0);
    hub_put_uint(&b, 2);
    hub_put_hash(&b, &root);
    hub_put_uint(&b, 0);
    hub_put_hash(&b, &empty);
    hub_put_hash(&b, &empty);
    hub_put_hash(&b, &state);
    hub_put_hash(&b, &net->genesis.set.hash);
    hub_put_hash(&b, &net->genesis.set.hash);
    hub_put_uint(&b, 0);
    hub_hash_init(&hasher);
    hub_hash_add(&hasher, "hubledger/header/1", 18);
    hub_hash_add(&hasher, b.data, b.len);
    hub_hash_final(&hasher, &hash);
    cr_assert(hub_hash_equal(&net->chain->final_hash, &hash));
}

Test(chain, begins_with_the_rows_of_the_genesis_file_in_their_order)
{
    const char *const names[] = {"hold.max_s", "consensus.pace_ms", NULL};
    const uint64_t values[] = {60, 0};
    struct net *net = net_open(names, values);
    const struct hub_state *s = &net->chain->state;
    const uint8_t first[] = {0x82, 0x6a, 'h', 'o', 'l', 'd',  '.',
                             'm',  'a',  'x', '_', 's', 0x18, 60};
    const uint8_t *wallet;
    struct hub_member m;
    struct hub_key k;

    cr_assert_eq(s->count[HUB_TABLE_PARAMETERS], 2);
    cr_assert(hub_span_equal(hub_state_row(s, HUB_TABLE_PARAMETERS, 0),
                             (struct hub_span){first, sizeof first}));
    cr_assert_eq(hub_parameter(s, HUB_PARAM_HOLD_MAX_S), 60);
    cr_assert_eq(hub_parameter(s, HUB_PARAM_CONSENSUS_PACE_MS), 0);
    cr_assert_eq(hub_parameter(s, HUB_PARAM_GOVERNOR_DELAY_H), 24, "the default");
    cr_assert_eq(s->count[HUB_TABLE_MEMBERS], NET_MEMBERS);
    hub_member_get(&m, s, NET_XIANGCHENG);
    cr_assert(hub_span_equal(m.code, hub_text_span("XIANGCHENG")));
    cr_assert(m.voting && m.governors == 3 && m.governor[2] == NET_XC_GOVERNOR_3);
    cr_assert(hub_member_of_institution(&m, s, 2));
    cr_assert(m.row == NET_BANK && !m.voting && m.quota == 1000000000000u);
    cr_assert(!hub_member_of_institution(&m, s, 3));
    cr_assert_eq(s->count[HUB_TABLE_KEYS], NET_SPARE);
    for (uint32_t i = 0; i < NET_SPARE; i++) {
        hub_key_get(&k, s, i);
        cr_assert(hub_hash_equal(&k.kid, &net->key[i].kid));
    }
    cr_assert_eq(s->count[HUB_TABLE_EPOCHS], 1);
    cr_assert_eq(s->count[HUB_TABLE_WALLETS], 2);
    wallet = hub_state_row(s, HUB_TABLE_WALLETS, 0).data;
    cr_assert_eq(wallet[HUB_WALLET_KIND], HUB_WALLET_KIND_ISSUER);
    cr_assert_eq(hub_get_be16(wallet + HUB_WALLET_INSTITUTION), 1);
    wallet = hub_state_row(s, HUB_TABLE_WALLETS, 1).data;
    cr_assert_eq(wallet[HUB_WALLET_KIND], HUB_WALLET_KIND_RESERVE);
    cr_assert_eq(hub_get_be16(wallet + HUB_WALLET_INSTITUTION), 2);
    cr_assert_eq(s->count[HUB_TABLE_INSTITUTIONS], 1);
}

/* ---- append */

Test(chain, a_built_block_appends_elsewhere_and_once)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *other = net_chain(net);
    struct hub_record r[2] = {open_wallet(net), any_record(net, NET_XC_SEAL)};
    struct hub_block *b = net_build(net, net->chain, NULL, r, 2);
    struct hub_hash root;

    cr_assert_eq(b->header.record_count, 2);
    cr_assert_eq(append_to(net, other, b), HUB_OK);
    root = root_now(other);
    cr_assert(hub_hash_equal(&root, &b->header.state_root));
    cr_assert_eq(append_to(net, other, b), HUB_OK, "already held");
    cr_assert(finalize(net, other, b));
    cr_assert_eq(append_to(net, other, b), HUB_OK, "final already");
}

static void flip(struct hub_hash *h)
{
    h->b[31] ^= 1;
}

Test(chain, every_wrong_claim_is_told_and_changes_nothing)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net_chain(net);
    struct hub_record r = open_wallet(net);
    struct hub_block *good = net_build(net, net->chain, NULL, &r, 1);
    const struct hub_hash before = root_now(c);
    static const char *const fields[18] = {
        "version",    "chain",           "epoch",        "view",         "height",
        NULL,         "parent_view",     "time_ms",      "proposer",     "log_size",
        "log_root",   "record_count",    "records_root", "results_root", "state_root",
        "validators", "next_validators", "flags"};

    for (unsigned i = 0; i < 18; i++) {
        struct hub_block *b = net_receive(net, c, good->bytes);
        struct hub_header *h = &b->header;
        struct hub_fault fault;
        struct hub_claim claim;
        struct hub_hash *hashes[18] = {
            [1] = &h->chain,         [5] = &h->parent,          [10] = &h->log_root,
            [12] = &h->records_root, [13] = &h->results_root,   [14] = &h->state_root,
            [15] = &h->validators,   [16] = &h->next_validators};
        uint64_t *numbers[18] = {
            [2] = &h->epoch, [4] = &h->height, [6] = &h->parent_view, [9] = &h->log_size};
        uint16_t *small[18] = {[0] = &h->version, [11] = &h->record_count, [17] = &h->flags};

        if (hashes[i] != NULL)
            flip(hashes[i]);
        else if (numbers[i] != NULL)
            ++*numbers[i];
        else if (small[i] != NULL)
            ++*small[i];
        else if (i == 3)
            h->view = 0;
        else if (i == 7)
            h->time_ms = NET_GENESIS_MS;
        else
            h->proposer = 4;
        flip(&b->hash);
        if (i == 5) {
            cr_assert_eq(hub_chain_append(c, b, &fault), HUB_UNKNOWN_PARENT);
            continue;
        }
        cr_assert_eq(hub_chain_append(c, b, &fault), HUB_BAD_BLOCK, "%s", fields[i]);
        cr_assert_eq(fault.record, UINT32_MAX);
        cr_assert_str_eq(fault.field, fields[i]);
        cr_assert_eq(fault.wrong, 1u << i);
        cr_assert(hub_fault_claim(&claim, &fault, h, 0));
        cr_assert_str_eq(claim.field, fields[i]);
        cr_assert_eq(claim.number, hashes[i] == NULL);
        cr_assert(!hub_hash_equal(&claim.expected, &claim.got));
        cr_assert(!hub_fault_claim(&claim, &fault, h, 1));
        cr_assert_null(hub_chain_header(c, &b->hash));
        struct hub_hash after = root_now(c);
        cr_assert(hub_hash_equal(&before, &after));
    }
    cr_assert_eq(append_to(net, c, good), HUB_OK);
}

Test(chain, a_fault_gives_the_number_expected_and_got)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_record r = open_wallet(net);
    struct hub_block *b = net_build(net, net->chain, NULL, &r, 1);
    struct hub_fault fault;
    struct hub_claim claim;

    flip(&b->hash);
    b->header.log_size = 9;
    flip(&b->header.state_root);
    cr_assert_eq(hub_chain_append(net->chain, b, &fault), HUB_BAD_BLOCK);
    cr_assert(hub_fault_claim(&claim, &fault, &b->header, 0));
    cr_assert_str_eq(claim.field, "log_size");
    cr_assert_eq(claim.expected_number, 3); /* two leaves of genesis and this one */
    cr_assert_eq(claim.got_number, 9);
    cr_assert(hub_fault_claim(&claim, &fault, &b->header, 1));
    cr_assert_str_eq(claim.field, "state_root");
    cr_assert(!hub_fault_claim(&claim, &fault, &b->header, 2));
}

Test(chain, a_block_with_a_refused_record_is_invalid_and_names_it)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net_chain(net);
    struct hub_record r[2] = {open_wallet(net), any_record(net, NET_XC_SEAL)};
    struct hub_block *b = net_receive(net, c, net_build(net, net->chain, NULL, r, 2)->bytes);
    const struct hub_hash before = root_now(c);
    struct hub_hash after;
    struct hub_fault fault;

    b->records[1].verified = false;
    cr_assert_eq(hub_chain_append(c, b, &fault), HUB_BAD_BLOCK);
    cr_assert_eq(fault.record, 1);
    cr_assert_eq(fault.why, HUB_CODE_signature_invalid);
    after = root_now(c);
    cr_assert(hub_hash_equal(&before, &after));
}

Test(chain, build_refuses_choices_that_do_not_fit_the_parent)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_block b = {.header = {.view = 1, .time_ms = NET_GENESIS_MS + 1}};
    struct hub_hash nobody = {{1}};
    uint8_t *bytes = malloc(4096);
    struct hub_buf out = {bytes, 0, 4096, false};

    cr_assert_eq(hub_chain_build(net->chain, &nobody, &b, &out), HUB_UNKNOWN_PARENT);
    b.header.time_ms--;
    cr_assert_eq(hub_chain_build(net->chain, &net->chain->final_hash, &b, &out), HUB_BAD_BLOCK);
    b.header.time_ms++;
    b.header.view = 0;
    cr_assert_eq(hub_chain_build(net->chain, &net->chain->final_hash, &b, &out), HUB_BAD_BLOCK);
    b.header.view = 1;
    cr_assert_eq(hub_chain_build(net->chain, &net->chain->final_hash, &b, &out), HUB_OK);
}

/* ---- forks */

enum { TREE = 24 };

/* A random tree of blocks is built on one chain and appended in another order on a second, which jumps between
 * the forks; then one branch becomes final on both and, alone, on a third. Append compares every root, so equal
 * tips mean that undoing and redoing was exact. */
static void grow_forks(uint32_t seed)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *second = net_chain(net), *third = net_chain(net);
    struct hub_block *b[TREE], *last;
    int parent[TREE], n = 0;
    struct hub_hash one, two;

    for (int i = 0; i < 7; i++) { /* no more than there are slots, with empty blocks among them */
        seed = seed * 1664525 + 1013904223;
        int on = n == 0 || (seed >> 20) % 4 == 0 ? -1 : (int)((seed >> 10) % (uint32_t)n);
        struct hub_record r[3] = {open_wallet(net), any_record(net, NET_XC_SEAL),
                                  any_record(net, NET_CN_GOVERNOR)};
        const struct hub_hash *hash = on < 0 ? &net->chain->final_hash : &b[on]->hash;
        const struct hub_header *h = hub_chain_header(net->chain, hash);

        parent[n] = on;
        b[n++] = net_build_at(net, net->chain, hash, r, (seed >> 5) % 4, h->view + 1 + (uint64_t)i,
                              h->time_ms + 7);
    }
    for (int done = 0, tries = 0; done < n;
         tries++) { /* children after parents, else in any order */
        int i = (int)((seed = seed * 1664525 + 1013904223) >> 16) % n;

        cr_assert_lt(tries, 10000);
        if (hub_chain_header(second, &b[i]->hash) != NULL)
            continue;
        if (parent[i] >= 0 && hub_chain_header(second, &b[parent[i]]->hash) == NULL) {
            cr_assert_eq(append_to(net, second, b[i]), HUB_UNKNOWN_PARENT);
            continue;
        }
        cr_assert_eq(append_to(net, second, b[i]), HUB_OK);
        done++;
    }
    last = b[(seed >> 8) % (uint32_t)n];
    for (int i = 0; i < n; i++) { /* the branch alone, in order of height */
        for (int j = 0; j < n; j++) {
            int up = j;

            if (b[j]->header.height != (uint64_t)i + 1)
                continue;
            for (int k = 0; k < n; k++)
                if (b[k] == last)
                    up = k;
            while (up >= 0 && up != j)
                up = parent[up];
            if (up == j)
                cr_assert_eq(append_to(net, third, b[j]), HUB_OK);
        }
    }
    cr_assert(finalize(net, net->chain, last) && finalize(net, second, last) &&
              finalize(net, third, last));
    cr_assert_eq(hub_chain_move(net->chain, &last->hash), HUB_OK);
    cr_assert_eq(hub_chain_move(second, &last->hash), HUB_OK);
    one = root_now(second);
    cr_assert(hub_hash_equal(&one, &last->header.state_root));
    one = root_now(net->chain);
    two = root_now(third);
    cr_assert(hub_hash_equal(&one, &two));
    for (int i = 0; i < n; i++) { /* what does not stand on it is gone */
        int up = i;
        bool above = false, held = hub_chain_header(second, &b[i]->hash) != NULL;

        for (; up >= 0; up = parent[up])
            above = above || b[up] == last;
        cr_assert_eq(held, above);
        if (held)
            cr_assert_eq(hub_chain_move(second, &b[i]->hash), HUB_OK);
    }
}

Test(chain, forks_are_left_and_entered_exactly)
{
    for (uint32_t seed = 1; seed <= 12; seed++)
        grow_forks(seed * 7919);
}

/* ---- slots and empty blocks */

struct visits {
    uint64_t height[32];
    unsigned n;
};

static void note(void *ctx, const struct hub_applied *final)
{
    struct visits *v = ctx;

    v->height[v->n++] = final->header.height;
}

Test(chain, slots_are_bounded_and_empty_blocks_are_not)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net->chain, *other = net_chain(net);
    struct hub_record r[12];
    struct hub_block *b = NULL, *full, *middle = NULL, *tip;
    struct hub_certificate cert;
    struct hub_hash parent;
    struct visits v = {.n = 0};
    struct hub_fault fault;

    for (int i = 0; i < 12; i++)
        r[i] = open_wallet(net);
    for (int i = 0; i < HUB_UNFINAL_MAX;
         i++) { /* with a long silence between the fifth and the sixth */
        b = net_build(net, c, b == NULL ? NULL : &b->hash, &r[i], 1);
        cr_assert_eq(b->count, 1);
        cr_assert_eq(append_to(net, other, b), HUB_OK);
        for (int quiet = 0; i == 4 && quiet < 3 * HUB_EMPTY_MAX; quiet++) {
            b = net_build(net, c, &b->hash, NULL, 0);
            cr_assert_eq(append_to(net, other, b), HUB_OK);
            if (quiet == HUB_EMPTY_MAX)
                middle = b;
        }
    }
    parent = b->hash;
    tip = net_build(net, c, &parent, &r[8], 1);
    cr_assert_eq(tip->count, 0, "a leader without a slot proposes an empty block");
    /* A ninth block with records is one no voter can hold yet. */
    full = net_receive(net, other, b->bytes);
    full->header.parent = parent;
    full->header.height++;
    full->header.parent_view++;
    full->header.view++;
    full->header.time_ms++;
    flip(&full->hash);
    cr_assert_eq(hub_chain_append(other, full, &fault), HUB_LIMIT);
    for (int quiet = 0; quiet < 200; quiet++)
        tip = net_build(net, c, &tip->hash, NULL, 0);
    cr_assert(hub_hash_equal(&tip->header.state_root, &b->header.state_root));
    cr_assert_null(hub_chain_header(c, &middle->hash), "forgotten");
    cert = net_certificate(net, tip, 0);
    cr_assert_eq(hub_chain_finalize(c, &cert, note, &v), HUB_OK);
    cr_assert_eq(v.n, HUB_UNFINAL_MAX);
    for (unsigned i = 1; i < v.n; i++)
        cr_assert_gt(v.height[i], v.height[i - 1]);
    cr_assert_eq(c->final_header.height, 8 + 192 + 1 + 200);
    b = net_build(net, c, NULL, &r[9], 2);
    cr_assert_eq(b->count, 2, "slots are free again");
    cr_assert(finalize(net, c, b));
}

Test(chain, an_ancestor_below_forgotten_blocks_can_be_finalized)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net->chain;
    struct hub_record r[3] = {open_wallet(net), open_wallet(net), open_wallet(net)};
    struct hub_block *low = net_build(net, c, NULL, &r[0], 1), *b = low, *quiet, *high;

    quiet = net_build(net, c, &low->hash, NULL, 0);
    b = quiet;
    for (int i = 0; i < 2 * HUB_EMPTY_MAX; i++)
        b = net_build(net, c, &b->hash, NULL, 0);
    high = net_build(net, c, &b->hash, &r[1], 1);
    cr_assert_null(hub_chain_header(c, &quiet->hash));
    cr_assert(finalize(net, c, low));
    cr_assert_not_null(hub_chain_header(c, &high->hash));
    cr_assert_eq(append_to(net, c, quiet), HUB_OK, "taken again from its bytes");
    cr_assert(finalize(net, c, quiet));
    cr_assert_not_null(hub_chain_header(c, &high->hash),
                       "what stands on it is kept, unbroken or not");
    b = net_build(net, c, &high->hash, &r[2], 1);
    cr_assert(finalize(net, c, b));
    cr_assert_eq(c->final_header.log_size, 2 + 3);
}

Test(chain, a_fork_of_the_lowest_view_makes_place)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net->chain;
    struct hub_block *fork[HUB_UNFINAL_MAX + 1], *empty = NULL, *child;
    struct hub_record r = open_wallet(net), next = open_wallet(net);

    for (uint64_t i = 0; i <= HUB_UNFINAL_MAX; i++) {
        fork[i] = net_build_at(net, c, NULL, &r, 1, 20 - i, NET_GENESIS_MS + 10 + i);
        if (i == 7)
            empty = net_build_at(net, c, &fork[i]->hash, NULL, 0, 30, NET_GENESIS_MS + 90);
    }
    for (unsigned i = 0; i <= HUB_UNFINAL_MAX; i++)
        cr_assert_eq(hub_chain_header(c, &fork[i]->hash) == NULL, i == 7,
                     "view 13 was the lowest when view 12 came");
    cr_assert_null(hub_chain_header(c, &empty->hash), "it needed the state of the fork given up");
    child = net_build(net, c, &fork[8]->hash, &next, 1);
    cr_assert_eq(child->count, 1);
    cr_assert_not_null(hub_chain_header(c, &fork[8]->hash),
                       "an ancestor stays, though its view is lowest");
    cr_assert_null(hub_chain_header(c, &fork[6]->hash));
    cr_assert_eq(append_to(net, c, fork[6]), HUB_OK, "and can be taken again");
    cr_assert(finalize(net, c, fork[6]));
}

Test(chain, an_empty_block_on_the_final_one_shares_its_state)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net->chain;
    struct hub_record r = open_wallet(net);
    struct hub_block *quiet = net_build(net, c, NULL, NULL, 0),
                     *beside = net_build_at(net, c, NULL, &r, 1, 7, NET_GENESIS_MS + 9);
    struct hub_hash empty, root;

    hub_hash_span(&empty, (struct hub_span){NULL, 0});
    cr_assert(hub_hash_equal(&quiet->header.records_root, &empty));
    cr_assert(hub_hash_equal(&quiet->header.results_root, &empty));
    cr_assert(hub_hash_equal(&quiet->header.state_root, &c->final_header.state_root));
    cr_assert(hub_hash_equal(&quiet->header.log_root, &c->final_header.log_root));
    cr_assert_eq(c->at >= 0, true, "the state stands on the other fork");
    cr_assert(finalize(net, c, quiet));
    cr_assert_null(hub_chain_header(c, &beside->hash));
    root = root_now(c);
    cr_assert(hub_hash_equal(&root, &quiet->header.state_root));
}

/* ---- certificates */

Test(chain, only_a_quorums_certificate_over_the_held_block_makes_it_final)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net->chain;
    struct hub_record r = open_wallet(net);
    struct hub_block *b = net_build(net, c, NULL, &r, 1);
    struct hub_certificate cert = net_certificate(net, b, 7), bad;

    bad = net_certificate(net, b, 3);
    cr_assert_eq(hub_chain_finalize(c, &bad, NULL, NULL), HUB_BAD_CERTIFICATE, "two of four");
    bad = cert;
    bad.sig[1].b[0] ^= 1;
    cr_assert_eq(hub_chain_finalize(c, &bad, NULL, NULL), HUB_BAD_CERTIFICATE);
    bad = cert;
    bad.subject.kind = HUB_NOTARIZE;
    cr_assert_eq(hub_chain_finalize(c, &bad, NULL, NULL), HUB_BAD_CERTIFICATE);
    bad = cert;
    bad.subject.log_size++;
    cr_assert_eq(hub_chain_finalize(c, &bad, NULL, NULL), HUB_BAD_CERTIFICATE);
    bad = cert;
    flip(&bad.subject.block_hash);
    cr_assert_eq(hub_chain_finalize(c, &bad, NULL, NULL), HUB_NOT_FOUND);
    cr_assert_eq(c->final_header.height, 0);
    cr_assert_eq(hub_chain_finalize(c, &cert, NULL, NULL), HUB_OK);
    cr_assert_eq(hub_chain_finalize(c, &cert, NULL, NULL), HUB_OK, "again");
    cr_assert_eq(c->final_header.height, 1);
}

/* ---- queries and checkpoints */

Test(chain, finalized_rows_are_readable_wherever_the_state_stands)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net->chain;
    struct hub_record r[2] = {open_wallet(net), open_wallet(net)};
    const struct hub_undo *logs[HUB_UNFINAL_MAX];
    struct hub_span before = hub_state_row(&c->state, HUB_TABLE_KEYS, NET_BK_OPERATOR), row;
    uint8_t kept[HUB_KEY_ROW_BYTES];
    struct hub_block *b;

    memcpy(kept, before.data, before.len);
    b = net_build(net, c, NULL, &r[0], 1);
    net_build(net, c, &b->hash, &r[1], 1);
    cr_assert_eq(hub_chain_logs(c, logs), 2);
    cr_assert(hub_state_row_before(&c->state, logs, 2, HUB_TABLE_KEYS, NET_BK_OPERATOR, &row));
    cr_assert(hub_span_equal(row, (struct hub_span){kept, before.len}));
    cr_assert(!hub_state_row_before(&c->state, logs, 2, HUB_TABLE_WALLETS, 2, &row),
              "opened since");
    cr_assert(hub_state_row_before(&c->state, logs, 2, HUB_TABLE_WALLETS, 1, &row));
    cr_assert(finalize(net, c, b));
    cr_assert_eq(hub_chain_logs(c, logs), 1);
    cr_assert(hub_state_row_before(&c->state, logs, 1, HUB_TABLE_WALLETS, 2, &row));
    cr_assert(!hub_state_row_before(&c->state, logs, 1, HUB_TABLE_WALLETS, 3, &row));
}

/* As a store does: rows of genesis are there and replaced, the others added. */
static void copy_rows(struct hub_state *to, const struct hub_state *from)
{
    for (unsigned t = 0; t < HUB_TABLES; t++)
        for (uint32_t row = 0; row < from->count[t]; row++) {
            struct hub_span bytes = hub_state_row(from, (enum hub_table)t, row);

            if (row < to->count[t])
                hub_state_put(to, (enum hub_table)t, row, bytes);
            else
                cr_assert_eq(hub_state_add(to, (enum hub_table)t, bytes), row);
        }
}

Test(chain, resumes_from_rows_that_give_the_certified_root_and_from_no_others)
{
    struct net *net = net_open(NULL, NULL);
    struct hub_chain *c = net->chain, *sound = net_chain(net), *rotten = net_chain(net);
    struct hub_record r[3] = {open_wallet(net), open_wallet(net), open_wallet(net)};
    struct hub_block *b = net_build(net, c, NULL, r, 2);
    const struct hub_validators *set = &net->genesis.set;

    cr_assert(finalize(net, c, b));
    copy_rows(&sound->state, &c->state);
    copy_rows(&rotten->state, &c->state);
    hub_state_wallet_write(&rotten->state, 2)[0] ^= 1;
    cr_assert_eq(hub_chain_resume(rotten, &b->header, &b->hash, &c->final_edge, set), HUB_CORRUPT);
    cr_assert_eq(hub_chain_resume(sound, &b->header, &b->hash, &net_chain(net)->final_edge, set),
                 HUB_CORRUPT);
    cr_assert_eq(hub_chain_resume(sound, &b->header, &b->hash, &c->final_edge, set), HUB_OK);
    b = net_build(net, c, NULL, &r[2], 1);
    cr_assert_eq(append_to(net, sound, b), HUB_OK);
    cr_assert(finalize(net, sound, b));
}
