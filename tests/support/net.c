/* net.c: see net.h. */
#include "tests/support/net.h"

#include "tests/support/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_BYTES = 1 << 20 };

/* Fuzz targets stand on this as well: a failure ends the process, which a unit test reports as such. */
#define NEED(cond) ((cond) ? (void)0 : need_failed(#cond, __LINE__))

_Noreturn static void need_failed(const char *cond, int line)
{
    fprintf(stderr, "tests/support/net.c:%d: does not hold: %s\n", line, cond);
    abort();
}

static const struct {
    const char *code, *kind, *name;
    uint64_t institution, quota;
} members[NET_MEMBERS] = {
    {"XIANGCHENG", "district", "相城区", 0, 0},
    {"CHANGNING", "district", "长宁区", 0, 0},
    {"AUTHORITY", "authority", "发行机构（模拟）", 1, 0},
    {"BANK", "institution", "试点银行", 2, 1000000000000u},
};

static const struct {
    enum net_member member;
    const char *role;
    bool late;
} grants[NET_SPARE] = {
    [NET_XC_GOVERNOR] = {NET_XIANGCHENG, "governor", false},
    [NET_XC_GOVERNOR_2] = {NET_XIANGCHENG, "governor", false},
    [NET_XC_GOVERNOR_3] = {NET_XIANGCHENG, "governor", false},
    [NET_XC_SEAL] = {NET_XIANGCHENG, "seal", false},
    [NET_XC_RECOVERY] = {NET_XIANGCHENG, "recovery", false},
    [NET_CN_GOVERNOR] = {NET_CHANGNING, "governor", false},
    [NET_CN_GOVERNOR_2] = {NET_CHANGNING, "governor", false},
    [NET_CN_SEAL] = {NET_CHANGNING, "seal", false},
    [NET_CA_GOVERNOR] = {NET_AUTHORITY, "governor", false},
    [NET_CA_GOVERNOR_2] = {NET_AUTHORITY, "governor", false},
    [NET_CA_ISSUER] = {NET_AUTHORITY, "issuer", false},
    [NET_CA_ISSUER_2] = {NET_AUTHORITY, "issuer", false},
    [NET_BK_GOVERNOR] = {NET_BANK, "governor", false},
    [NET_BK_GOVERNOR_2] = {NET_BANK, "governor", false},
    [NET_BK_OPERATOR] = {NET_BANK, "operator", false},
    [NET_BK_LATE] = {NET_BANK, "operator", true},
    [NET_VALIDATOR] = {NET_XIANGCHENG, "validator", false},
    [NET_VALIDATOR + 1] = {NET_CHANGNING, "validator", false},
    [NET_VALIDATOR + 2] = {NET_AUTHORITY, "validator", false},
    [NET_VALIDATOR + 3] = {NET_BANK, "validator", false},
};

uint8_t *net_take(struct net *net, size_t len)
{
    uint8_t *at = net->arena + net->used;

    NEED(len <= NET_ARENA_BYTES - net->used);
    net->used += (len + 15) / 16 * 16;
    return at;
}

static struct hub_buf take_buf(struct net *net, size_t cap)
{
    return (struct hub_buf){net_take(net, cap), 0, cap, false};
}

/* ---- genesis */

static void put_cose_key(struct hub_buf *b, const struct net_key_pair *k)
{
    uint8_t bytes[HUB_COSE_KEY_BYTES];

    hub_cose_key_encode(bytes, &k->key);
    hub_put_bytes(b, (struct hub_span){bytes, sizeof bytes});
}

/* A CURVE key need only be distinct here. */
static struct hub_span transport_of(const struct net_key_pair *k)
{
    return (struct hub_span){k->kid.b, 32};
}

static void put_grant(struct hub_buf *b, const struct net *net, unsigned i)
{
    bool validates = strcmp(grants[i].role, "validator") == 0;

    hub_put_array(b, 2);
    hub_put_text(b, members[grants[i].member].code);
    hub_put_map(b, 3u + validates + 2u * grants[i].late);
    hub_put_text(b, "key");
    put_cose_key(b, &net->key[i]);
    hub_put_text(b, "label");
    hub_put_text(b, grants[i].role);
    hub_put_text(b, "roles");
    hub_put_array(b, 1);
    hub_put_text(b, grants[i].role);
    if (grants[i].late) {
        hub_put_text(b, "not_after");
        hub_put_uint(b, NET_GENESIS_MS + 2 * NET_HOUR_MS);
    }
    if (validates) {
        hub_put_text(b, "transport");
        hub_put_bytes(b, transport_of(&net->key[i]));
    }
    if (grants[i].late) {
        hub_put_text(b, "not_before");
        hub_put_uint(b, NET_GENESIS_MS + NET_HOUR_MS);
    }
}

static void put_member(struct hub_buf *b, unsigned i)
{
    bool numbered = members[i].institution != 0, quota = members[i].quota != 0;

    hub_put_map(b, 3u + numbered + quota);
    hub_put_text(b, "code");
    hub_put_text(b, members[i].code);
    hub_put_text(b, "kind");
    hub_put_text(b, members[i].kind);
    hub_put_text(b, "names");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, members[i].name);
    if (quota) {
        hub_put_text(b, "quota");
        hub_put_uint(b, members[i].quota);
    }
    if (numbered) {
        hub_put_text(b, "institution");
        hub_put_uint(b, members[i].institution);
    }
}

static void put_epoch(struct hub_buf *b, const struct net *net)
{
    hub_put_array(b, 5);
    hub_put_uint(b, 1);
    hub_put_uint(b, 0);
    hub_put_uint(b, 3);
    hub_put_text(b, "bft");
    hub_put_array(b, 4);
    for (unsigned i = 0; i < 4; i++) {
        hub_put_array(b, 3);
        put_cose_key(b, &net->key[NET_VALIDATOR + i]);
        hub_put_text(b, members[grants[NET_VALIDATOR + i].member].code);
        hub_put_bytes(b, transport_of(&net->key[NET_VALIDATOR + i]));
    }
}

static void write_genesis(struct net *net, const char *const *names, const uint64_t *values)
{
    struct hub_buf b = take_buf(net, HUB_GENESIS_BYTES_MAX);
    unsigned parameters = 0;

    while (names != NULL && names[parameters] != NULL)
        parameters++;
    hub_put_map(&b, 8);
    hub_put_text(&b, "keys");
    hub_put_array(&b, NET_SPARE);
    for (unsigned i = 0; i < NET_SPARE; i++)
        put_grant(&b, net, i);
    hub_put_text(&b, "name");
    hub_put_text(&b, "trial of the tests");
    hub_put_text(&b, "epoch");
    put_epoch(&b, net);
    hub_put_text(&b, "suite");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "format");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "members");
    hub_put_array(&b, NET_MEMBERS);
    for (unsigned i = 0; i < NET_MEMBERS; i++)
        put_member(&b, i);
    hub_put_text(&b, "time_ms");
    hub_put_uint(&b, NET_GENESIS_MS);
    hub_put_text(&b, "parameters");
    hub_put_map(&b, parameters);
    for (unsigned i = 0; i < parameters; i++) {
        hub_put_text(&b, names[i]);
        hub_put_uint(&b, values[i]);
    }
    NEED(!b.full);
    net->genesis_bytes = hub_span_of(&b);
}

struct hub_chain *net_chain(const struct net *net)
{
    uint32_t caps[HUB_TABLES];
    struct hub_chain *c = malloc(sizeof *c);

    for (unsigned t = 0; t < HUB_TABLES; t++) {
        const uint32_t most = TABLE_BYTES / hub_table_kinds[t].slot_bytes;
        const uint32_t enough = most < 4096 ? most : 4096;
        caps[t] = hub_table_kinds[t].rows_max < enough ? hub_table_kinds[t].rows_max : enough;
    }
    NEED(hub_chain_init(c, &net->genesis, test_space(hub_state_memory_bytes(caps)), caps,
                        test_space(hub_chain_memory_bytes())) == HUB_OK);
    return c;
}

struct net *net_open(const char *const *names, const uint64_t *values)
{
    struct net *net = calloc(1, sizeof *net);
    const char *why = "";

    NEED(hub_crypto_self_test() == HUB_OK);
    net->arena = test_space(NET_ARENA_BYTES);
    for (unsigned i = 0; i < NET_KEYS; i++) {
        uint8_t seed[HUB_SEED_BYTES] = {'n', 'e', 't', (uint8_t)i};

        hub_key_from_seed(&net->key[i].key, net->key[i].secret, seed);
        hub_kid_of(&net->key[i].kid, &net->key[i].key);
    }
    write_genesis(net, names, values);
    NEED(hub_genesis_decode(&net->genesis, &why, net->genesis_bytes) == HUB_OK);
    net->chain = net_chain(net);
    return net;
}

/* ---- records */

static const char *owner_of(enum net_key key)
{
    return key < NET_SPARE ? members[grants[key].member].code : "XIANGCHENG";
}

struct hub_span net_sign(struct net *net, enum hub_record_type_id type, enum net_key signer,
                         struct hub_span body, const struct net_wish *wish)
{
    static const struct net_wish usual;
    uint8_t header[400];
    struct hub_buf protected_ = {header, 0, sizeof header, false};
    struct hub_buf out = take_buf(net, body.len + 2048), scratch = take_buf(net, body.len + 2048),
                   payload = take_buf(net, body.len + 1024);
    struct hub_cosignature cosign[4];
    char sub[65];

    wish = wish == NULL ? &usual : wish;
    struct hub_record_draft d = {
        .type = (uint16_t)type,
        .kid = net->key[signer].kid,
        .chain = wish->chain == NULL ? net->genesis.chain : *wish->chain,
        .iss = hub_text_span(wish->iss == NULL ? owner_of(signer) : wish->iss),
        .payload = body,
        .seq = wish->seq == 0 ? ++net->seq[signer] : wish->seq,
        .valid_until_ms =
            wish->valid_until_ms == 0 ? NET_GENESIS_MS + 5 * NET_HOUR_MS : wish->valid_until_ms,
    };
    NEED(hub_record_sub(sub, d.type, body, d.iss));
    d.sub = hub_text_span(sub);
    hub_record_protected(&protected_, &d);
    for (uint32_t i = 0; i < wish->cosigns; i++) {
        const struct net_key_pair *k = &net->key[wish->cosign[i]];

        hub_cosign(&cosign[i], &scratch, hub_span_of(&protected_), body, &k->key, k->secret);
    }
    if (hub_record_types[type].cosigned) {
        hub_payload_cosigned(&payload, body, cosign, wish->cosigns);
        d.payload = hub_span_of(&payload);
    }
    NEED(hub_record_build(&out, &scratch, &d, net->key[signer].secret) == HUB_OK);
    return hub_span_of(&out);
}

struct hub_record net_record(struct net *net, enum hub_record_type_id type, enum net_key signer,
                             struct hub_span body, const struct net_wish *wish)
{
    struct hub_span bytes = net_sign(net, type, signer, body, wish);
    const struct hub_hash *chain =
        wish == NULL || wish->chain == NULL ? &net->genesis.chain : wish->chain;
    uint32_t cosigns = wish == NULL ? 0 : wish->cosigns;
    struct hub_span attachment = {NULL, 0};
    struct hub_record_keys keys = {.count = 1};
    struct hub_record r;
    uint16_t why = 0;

    if (wish != NULL)
        attachment = wish->attachment;
    NEED(hub_record_decode(&r, &why, bytes, attachment, chain) == HUB_OK);
    keys.key[0] = net->key[signer].key;
    for (uint32_t i = 0; i < cosigns; i++) {
        struct hub_hash kid;

        NEED(hub_record_cosigner(&r, i, &kid));
        for (unsigned k = 0; k < NET_KEYS; k++)
            if (hub_hash_equal(&kid, &net->key[k].kid))
                keys.key[keys.count] = net->key[k].key;
        keys.count++;
    }
    NEED(hub_record_verify(&r, &why, &keys));
    return r;
}

/* ---- bodies */

struct hub_span net_body_key_add(struct net *net, enum net_member member, enum net_key key,
                                 const char *role)
{
    struct hub_buf b = take_buf(net, 256);

    hub_put_map(&b, 4);
    hub_put_text(&b, "key");
    put_cose_key(&b, &net->key[key]);
    hub_put_text(&b, "label");
    hub_put_text(&b, "added");
    hub_put_text(&b, "roles");
    hub_put_array(&b, 1);
    hub_put_text(&b, role);
    hub_put_text(&b, "member");
    hub_put_text(&b, members[member].code);
    return hub_span_of(&b);
}

struct hub_span net_body_key_revoke(struct net *net, enum net_key key)
{
    struct hub_buf b = take_buf(net, 128);

    hub_put_map(&b, 2);
    hub_put_text(&b, "kid");
    hub_put_hash(&b, &net->key[key].kid);
    hub_put_text(&b, "reason");
    hub_put_text(&b, "handover");
    return hub_span_of(&b);
}

static void put_reference(struct hub_buf *b, struct net *net)
{
    uint8_t ref[16] = {'r'};

    hub_put_be64(ref + 8, ++net->references);
    hub_put_bytes(b, (struct hub_span){ref, sizeof ref});
}

struct hub_span net_body_wallet_open(struct net *net)
{
    struct hub_buf b = take_buf(net, 256);

    hub_put_map(&b, 5);
    hub_put_text(&b, "kind");
    hub_put_text(&b, "corporate");
    hub_put_text(&b, "tier");
    hub_put_uint(&b, 0);
    hub_put_text(&b, "owner");
    put_reference(&b, net);
    hub_put_text(&b, "reference");
    put_reference(&b, net);
    hub_put_text(&b, "institution");
    hub_put_uint(&b, 2);
    return hub_span_of(&b);
}

struct hub_span net_body_issue(struct net *net, uint64_t amount_fen)
{
    struct hub_buf b = take_buf(net, 128);

    hub_put_map(&b, 3);
    hub_put_text(&b, "amount");
    hub_put_uint(&b, amount_fen);
    hub_put_text(&b, "reference");
    put_reference(&b, net);
    hub_put_text(&b, "institution");
    hub_put_uint(&b, 2);
    return hub_span_of(&b);
}

struct hub_span net_body_transfer(struct net *net, uint64_t debit, uint64_t credit,
                                  uint64_t amount_fen)
{
    struct hub_buf b = take_buf(net, 128);

    hub_put_map(&b, 3);
    hub_put_text(&b, "debit");
    hub_put_uint(&b, debit);
    hub_put_text(&b, "amount");
    hub_put_uint(&b, amount_fen);
    hub_put_text(&b, "credit");
    hub_put_uint(&b, credit);
    return hub_span_of(&b);
}

struct hub_span net_body_batch(struct net *net, uint64_t debit, const uint64_t *credit,
                               uint32_t count, uint64_t amount_fen, struct hub_span *attachment)
{
    struct hub_buf b = take_buf(net, 256);
    struct hub_hash leaf, root;
    struct hub_edge edge = {0};
    uint8_t *entries = net_take(net, (size_t)count * HUB_BATCH_ENTRY_BYTES);

    for (uint32_t i = 0; i < count; i++) {
        uint8_t *e = entries + (size_t)i * HUB_BATCH_ENTRY_BYTES;

        hub_put_be64(e, debit);
        hub_put_be64(e + 8, credit[i]);
        hub_put_be64(e + 16, amount_fen);
        memset(e + 24, 0, 8);
        hub_put_be64(e + 32, ++net->references);
        hub_merkle_leaf(&leaf, (struct hub_span){e, HUB_BATCH_ENTRY_BYTES});
        hub_merkle_append(&edge, &leaf, NULL, NULL);
    }
    hub_merkle_root(&root, &edge);
    *attachment = (struct hub_span){entries, (size_t)count * HUB_BATCH_ENTRY_BYTES};
    hub_put_map(&b, 7);
    hub_put_text(&b, "root");
    hub_put_hash(&b, &root);
    hub_put_text(&b, "batch");
    put_reference(&b, net);
    hub_put_text(&b, "count");
    hub_put_uint(&b, count);
    hub_put_text(&b, "total");
    hub_put_uint(&b, count * amount_fen);
    hub_put_text(&b, "atomic");
    hub_put_bool(&b, false);
    hub_put_text(&b, "purpose");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "institution");
    hub_put_uint(&b, 2);
    return hub_span_of(&b);
}

/* ---- blocks */

struct hub_block *net_build_at(struct net *net, struct hub_chain *chain,
                               const struct hub_hash *parent, const struct hub_record *records,
                               uint32_t count, uint64_t view, uint64_t time_ms)
{
    const struct hub_hash on = parent == NULL ? chain->final_hash : *parent;
    const struct hub_header *h = hub_chain_header(chain, &on);
    struct hub_block *b = calloc(1, sizeof *b);
    size_t cap = HUB_BLOCK_BYTES_MAX + 4096;
    struct hub_buf out = {malloc(cap), 0, cap, false};

    NEED(h != NULL);
    (void)net;
    b->records = calloc(count + 1, sizeof *b->records);
    for (uint32_t i = 0; i < count; i++)
        b->records[i] = records[i];
    b->count = count;
    b->header = (struct hub_header){.view = view,
                                    .parent_view = h->epoch == chain->set.epoch ? h->view : 0,
                                    .time_ms = time_ms,
                                    .proposer = 0};
    NEED(hub_chain_build(chain, &on, b, &out) == HUB_OK);
    return b;
}

struct hub_block *net_build(struct net *net, struct hub_chain *chain, const struct hub_hash *parent,
                            const struct hub_record *records, uint32_t count)
{
    const struct hub_header *h =
        hub_chain_header(chain, parent == NULL ? &chain->final_hash : parent);

    NEED(h != NULL);
    return net_build_at(net, chain, parent, records, count, h->view + 1, h->time_ms + 1000);
}

struct hub_certificate net_certificate(const struct net *net, const struct hub_block *block,
                                       uint64_t signers)
{
    struct hub_certificate c = {.signers = signers == 0 ? 15 : signers};
    const struct hub_header *h = &block->header;

    c.subject = (struct hub_subject){HUB_FINALIZE, h->epoch,    h->view,    h->height,
                                     h->log_size,  block->hash, h->log_root};
    for (uint8_t i = 0; i < 4; i++) {
        uint8_t bytes[700];
        struct hub_buf message = {bytes, 0, sizeof bytes, false};

        if ((c.signers >> i & 1) == 0)
            continue;
        hub_vote_message(&message, &net->genesis.set, &c.subject, i);
        hub_sign(&c.sig[i], net->key[NET_VALIDATOR + i].secret, hub_span_of(&message));
    }
    return c;
}

struct hub_block *net_receive(struct net *net, struct hub_chain *chain, struct hub_span bytes)
{
    struct hub_block *b = calloc(1, sizeof *b);
    struct hub_record_keys keys;
    uint32_t bad;
    uint16_t why = 0;

    (void)net;
    b->records = calloc(HUB_BLOCK_RECORDS_MAX, sizeof *b->records);
    NEED(hub_block_decode(b, &bad, &why, bytes, &chain->id) == HUB_OK);
    if (hub_chain_move(chain, &b->header.parent) != HUB_OK)
        return b;
    for (uint32_t i = 0; i < b->count; i++)
        if (hub_record_resolve(&keys, &chain->state, &b->records[i]) == 0)
            (void)!hub_record_verify(&b->records[i], &why, &keys);
    return b;
}
