/* council.c: see council.h. */
#include "tests/support/council.h"

#include "hub/cose.h"
#include "hub/merkle.h"
#include "ledger/wallet.h"
#include "tests/support/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "council: %s\n", what);
    abort();
}

static struct hub_span chars(const char *s)
{
    return (struct hub_span){(const uint8_t *)s, strlen(s)};
}

/* ---- the first state */

static void add_member(struct council *c, const struct council_plan *plan, unsigned i)
{
    bool last = i + 1 == c->members;
    struct hub_member m = {.kind = i < plan->voters          ? HUB_KIND_DISTRICT
                                   : plan->authority && last ? HUB_KIND_AUTHORITY
                                                             : HUB_KIND_INSTITUTION,
                           .institution = i < plan->voters ? 0 : i + 1,
                           .voting = i < plan->voters,
                           .governors_needed = 1};

    snprintf(c->code[i], sizeof c->code[i], "MEM%u", i);
    m.code = m.name_zh = chars(c->code[i]);
    must(hub_member_add(&c->state, &m) == i, "member");
}

static void add_key(struct council *c, unsigned key, unsigned member, uint16_t roles)
{
    struct hub_key k = {.kid = c->kid[key], .key = c->key[key], .roles = roles, .member = member};

    if (roles == HUB_ROLE_VALIDATOR)
        k.transport = (struct hub_span){c->kid[key].b, 32};
    must(hub_key_register(&c->state, &k, 0), "key");
}

static void add_epoch(struct council *c, const struct council_plan *plan)
{
    struct hub_validators set = {
        .n = (uint8_t)plan->validators, .q = plan->quorum, .fault_model = plan->model};

    for (unsigned i = 0; i < plan->validators; i++) {
        set.v[i].key = c->key[council_validator(i)];
        set.v[i].kid = c->kid[council_validator(i)];
        memcpy(set.v[i].transport, set.v[i].kid.b, 32);
        memcpy(set.v[i].member, c->code[i], strlen(c->code[i]));
    }
    must(hub_epoch_genesis(&c->state, &set) == HUB_OK, "epoch");
}

/* The authority is the last member; the other members that do not vote are institutions. */
static void add_currency(struct council *c, const struct council_plan *plan)
{
    hub_wallet_genesis(&c->state, (uint16_t)c->members, 0, true);
    for (unsigned i = plan->voters; i + 1 < c->members; i++)
        hub_wallet_genesis(&c->state, (uint16_t)(i + 1), 1000000, false);
}

void council_open(struct council *c, const struct council_plan *plan)
{
    uint32_t caps[HUB_TABLES];

    memset(c, 0, sizeof *c);
    for (unsigned t = 0; t < HUB_TABLES; t++)
        caps[t] = hub_table_kinds[t].slot_bytes > 4096 ? 64 : 128;
    c->memory_bytes = hub_state_memory_bytes(caps);
    c->memory = test_space(c->memory_bytes);
    c->log_memory = test_space(HUB_BLOCK_UNDO_BYTES_MAX);
    hub_state_init(&c->state, c->memory, caps);
    c->members = plan->voters + plan->others;
    c->time_ms = COUNCIL_START_MS;
    must(c->members <= COUNCIL_MAX && plan->validators <= c->members, "plan");
    for (unsigned i = 0; i < COUNCIL_KEYS; i++) {
        uint8_t seed[HUB_SEED_BYTES] = {'c', (uint8_t)i}, secret[HUB_SECRET_BYTES];

        hub_key_from_seed(&c->key[i], secret, seed);
        hub_kid_of(&c->kid[i], &c->key[i]);
    }
    for (unsigned i = 0; i < c->members; i++)
        add_member(c, plan, i);
    for (unsigned i = 0; i < c->members; i++) {
        add_key(c, council_governor(i), i, HUB_ROLE_GOVERNOR);
        add_key(c, council_governor(i) + 1, i, HUB_ROLE_GOVERNOR);
        if (i < plan->validators)
            add_key(c, council_validator(i), i, HUB_ROLE_VALIDATOR);
        add_key(c, council_seal(i), i, HUB_ROLE_SEAL);
    }
    add_epoch(c, plan);
    if (plan->authority)
        add_currency(c, plan);
    c->log = (struct hub_undo){.log = c->log_memory, .cap = HUB_BLOCK_UNDO_BYTES_MAX};
}

void council_close(struct council *c)
{
    test_space_end(c->memory, c->memory_bytes);
    test_space_end(c->log_memory, HUB_BLOCK_UNDO_BYTES_MAX);
}

struct hub_member council_member(const struct council *c, unsigned member)
{
    struct hub_member m;

    hub_member_get(&m, &c->state, member);
    return m;
}

void council_governors_needed(struct council *c, unsigned member, uint64_t needed)
{
    struct hub_member m = council_member(c, member);

    m.governors_needed = needed;
    hub_member_put(&c->state, &m);
}

/* ---- one record */

static void put_cosign(struct hub_buf *b, const struct council *c)
{
    hub_put_array(b, c->cosigns);
    for (uint32_t i = 0; i < c->cosigns; i++) /* signatures are checked elsewhere */
        hub_cosignature_put(b, &(struct hub_cosignature){.kid = c->kid[c->cosign[i]]});
}

static struct hub_record signed_record(struct council *c, enum hub_record_type_id type,
                                       unsigned signer, struct hub_span body, char iss[24])
{
    static const uint8_t anything[300];
    struct hub_key k;

    must(hub_key_find(&k, &c->state, &c->kid[signer]), "signer");
    hub_key_iss(iss, &c->state, &k);
    return (struct hub_record){.bytes = {anything, sizeof anything},
                               .type = (uint16_t)type,
                               .body = body,
                               .kid = c->kid[signer],
                               .iss = hub_text_span(iss),
                               .seq = ++c->seq[signer],
                               .valid_until_ms = c->time_ms + COUNCIL_HOUR_MS,
                               .verified = true};
}

/* One block with this record on the state as it is. */
static uint16_t apply(struct council *c, struct hub_record *r)
{
    static uint8_t results[4096];
    struct hub_header parent = {.height = c->height, .time_ms = c->time_ms - 1000};
    struct hub_block block = {.records = r, .count = 1};
    struct hub_outcome out = {.results = {results, 0, sizeof results, false}};
    struct hub_edge edge = {0};
    struct hub_cbor result;
    uint32_t bad;
    uint16_t why = 0;

    c->log.len = 0;
    block.header.height = ++c->height;
    block.header.time_ms = c->time_ms;
    block.header.chain = c->chain;
    if (hub_state_apply(&c->state, &c->log, &parent, &edge, &block, true, &out, &bad, &why) !=
        HUB_OK) {
        c->height--;
        return COUNCIL_REFUSED + why;
    }
    result = hub_cbor_open(hub_span_of(&out.results));
    hub_cbor_array(&result, 3, 3);
    hub_cbor_item(&result);
    return (uint16_t)hub_cbor_uint(&result, 0, UINT16_MAX);
}

uint16_t council_run(struct council *c, enum hub_record_type_id type, unsigned signer,
                     struct hub_span body)
{
    const struct hub_record_type *kind = &hub_record_types[type];
    uint8_t cosign_bytes[HUB_COSIGN_MAX * 128];
    struct hub_buf cosign = {cosign_bytes, 0, sizeof cosign_bytes, false};
    struct hub_hash before[HUB_TABLES], root;
    char iss[24];
    struct hub_record r = signed_record(c, type, signer, body, iss);
    uint16_t code = hub_body_check(body, kind->fields, NULL);

    if (c->cosigns > 0) {
        put_cosign(&cosign, c);
        r.cosign = hub_span_of(&cosign);
    }
    c->cosigns = 0;
    if (code == 0 && kind->check != NULL)
        code = kind->check(&r);
    if (code != 0)
        return COUNCIL_REFUSED + code;
    c->time_ms += 1000;
    hub_state_root(&c->state, &root);
    memcpy(before, c->state.table_root, sizeof before);
    code = apply(c, &r);
    for (unsigned t = 0; code != 0 && t < HUB_TABLES; t++)
        must(t == HUB_TABLE_KEYS || hub_hash_equal(&before[t], &c->state.table_root[t]),
             "a failed record changed more than its number");
    return code;
}

/* ---- bodies */

void council_put_grant(struct hub_buf *b, const struct council *c, unsigned key, const char *role,
                       int transport)
{
    uint8_t bytes[HUB_COSE_KEY_BYTES];

    hub_cose_key_encode(bytes, &c->key[key]);
    hub_put_map(b, transport < 0 ? 3 : 4);
    hub_put_text(b, "key");
    hub_put_bytes(b, (struct hub_span){bytes, sizeof bytes});
    hub_put_text(b, "label");
    hub_put_text(b, "new");
    hub_put_text(b, "roles");
    hub_put_array(b, 1);
    hub_put_text(b, role);
    if (transport >= 0) {
        hub_put_text(b, "transport");
        hub_put_hash(b, &c->kid[transport]);
    }
}

struct hub_span council_ready_body(void)
{
    static uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_map(&b, 3);
    hub_put_text(&b, "endpoint");
    hub_put_text(&b, "10.0.0.1:7100");
    hub_put_text(&b, "protocol");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "software");
    hub_put_text(&b, "test 1");
    return hub_span_of(&b);
}

struct hub_span council_replace_body(const struct council *c, unsigned old, unsigned key,
                                     unsigned transport)
{
    static uint8_t bytes[256];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_map(&b, 3);
    hub_put_text(&b, "key");
    council_put_grant(&b, c, key, "validator", (int)transport);
    hub_put_text(&b, "old");
    hub_put_hash(&b, &c->kid[old]);
    hub_put_text(&b, "reason");
    hub_put_text(&b, "lost");
    return hub_span_of(&b);
}

void council_put_ref(struct hub_buf *b, unsigned number)
{
    uint8_t ref[16] = {'p'};

    hub_put_be32(ref + 12, number);
    hub_put_bytes(b, (struct hub_span){ref, sizeof ref});
}

struct hub_span council_propose_body(unsigned number, uint64_t deadline_ms, struct hub_span actions)
{
    static uint8_t bytes[COUNCIL_BODY_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_map(&b, 4);
    hub_put_text(&b, "title");
    hub_put_map(&b, 1);
    hub_put_text(&b, "zh");
    hub_put_text(&b, "提案");
    hub_put_text(&b, "actions");
    hub_put_raw(&b, actions);
    hub_put_text(&b, "deadline");
    hub_put_uint(&b, deadline_ms);
    hub_put_text(&b, "proposal");
    council_put_ref(&b, number);
    must(!b.full, "body");
    return hub_span_of(&b);
}

struct hub_span council_vote_body(const struct council *c, unsigned number)
{
    static uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_proposal p;

    hub_put_map(&b, 2);
    hub_put_text(&b, "proposal");
    council_put_ref(&b, number);
    hub_put_text(&b, "actions_hash");
    if (!council_proposal(&p, c, number))
        memset(&p.actions_hash, 0, sizeof p.actions_hash);
    hub_put_hash(&b, &p.actions_hash);
    return hub_span_of(&b);
}

bool council_proposal(struct hub_proposal *out, const struct council *c, unsigned number)
{
    uint8_t ref[16] = {'p'};

    hub_put_be32(ref + 12, number);
    return hub_proposal_find(out, &c->state, (struct hub_span){ref, sizeof ref});
}

void council_ready(struct council *c, unsigned from, unsigned to)
{
    for (unsigned m = from; m < to; m++)
        must(council_run(c, HUB_TYPE_VALIDATOR_READY, council_validator(m), council_ready_body()) ==
                 0,
             "ready");
}
