/* Input: type, signer, co-signer (0: none), be16 length of the attachment, attachment, body. The record is
 * signed for it, so that everything a member could sign reaches the rules. What is accepted is built into a
 * block; the block, received by another chain, gives the same roots; taken back, the first state. */
#include "tests/fuzz/fuzz.h"
#include "tests/support/net.h"

enum { HEAD_BYTES = 5, WALLETS = 6 };

static struct net *net;
static struct hub_chain *other;
static size_t arena_mark;

static void release(struct hub_block *b)
{
    free(b->records);
    free(b);
}

static void release_built(struct hub_block *b)
{
    free((void *)(uintptr_t)b->bytes.data);
    release(b);
}

static void keep(struct hub_block *b)
{
    struct hub_certificate cert = net_certificate(net, b, 0);
    struct hub_block *received = net_receive(net, other, b->bytes);
    struct hub_fault fault;

    FUZZ_CHECK(hub_chain_finalize(net->chain, &cert, NULL, NULL) == HUB_OK);
    FUZZ_CHECK(hub_chain_append(other, received, &fault) == HUB_OK);
    FUZZ_CHECK(hub_chain_finalize(other, &cert, NULL, NULL) == HUB_OK);
    release(received);
    release_built(b);
}

/* A ledger with wallets, and money in the first of them. */
static void begin(void)
{
    const struct net_wish issuers = {.cosign = {NET_CA_ISSUER_2}, .cosigns = 1};
    struct hub_record r[1 + WALLETS];

    net = net_open(NULL, NULL);
    other = net_chain(net);
    r[0] = net_record(net, HUB_TYPE_CURRENCY_ISSUE, NET_CA_ISSUER, net_body_issue(net, 1000000),
                      &issuers);
    for (unsigned i = 0; i < WALLETS; i++)
        r[1 + i] =
            net_record(net, HUB_TYPE_WALLET_OPEN, NET_BK_OPERATOR, net_body_wallet_open(net), NULL);
    keep(net_build(net, net->chain, NULL, r, 1 + WALLETS));
    r[0] = net_record(
        net, HUB_TYPE_CURRENCY_TRANSFER, NET_BK_OPERATOR,
        net_body_transfer(net, hub_wallet_number(2, 1), hub_wallet_number(2, 2), 500000), NULL);
    keep(net_build(net, net->chain, NULL, r, 1));
    arena_mark = net->used;
}

static bool decode(struct hub_record *r, struct hub_span input)
{
    struct net_wish wish = {.seq = 50};
    enum hub_record_type_id type;
    enum net_key signer;
    struct hub_record_keys keys;
    struct hub_span body;
    size_t attachment;
    uint16_t why = 0;

    if (input.len < HEAD_BYTES)
        return false;
    type = input.data[0] % HUB_RECORD_TYPES;
    signer = input.data[1] % NET_SPARE;
    wish.cosigns = input.data[2] != 0;
    wish.cosign[0] = (input.data[2] - 1u) % NET_KEYS;
    attachment = hub_get_be16(input.data + 3);
    if (attachment > input.len - HEAD_BYTES || (wish.cosigns > 0 && wish.cosign[0] == signer))
        return false;
    wish.attachment = (struct hub_span){input.data + HEAD_BYTES, attachment};
    body = (struct hub_span){input.data + HEAD_BYTES + attachment,
                             input.len - HEAD_BYTES - attachment};
    if (body.len > HUB_RECORD_BYTES_MAX - 1024 ||
        hub_body_check(body, hub_record_types[type].fields, NULL) != 0)
        return false;
    if (hub_record_decode(r, &why, net_sign(net, type, signer, body, &wish), wish.attachment,
                          &net->genesis.chain) != HUB_OK)
        return false;
    why = hub_record_resolve(&keys, &net->chain->state, r);
    return why == 0 && hub_record_verify(r, &why, &keys);
}

bool fuzz_accepts(struct hub_span input)
{
    struct hub_record r;
    struct hub_block *b, *received;
    struct hub_fault fault;
    struct hub_hash root;
    bool accepted;

    if (net == NULL)
        begin();
    net->used = arena_mark;
    if (!decode(&r, input))
        return false;
    b = net_build(net, net->chain, NULL, &r, 1);
    accepted = b->count == 1;
    received = net_receive(net, other, b->bytes);
    FUZZ_CHECK(hub_chain_append(other, received, &fault) == HUB_OK);
    FUZZ_CHECK(hub_chain_move(other, &b->header.parent) == HUB_OK);
    hub_state_root(&other->state, &root);
    FUZZ_CHECK(hub_hash_equal(&root, &other->final_header.state_root));
    release(received);
    release_built(b);
    return accepted;
}
