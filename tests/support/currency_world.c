#include "tests/support/currency_world.h"

#include "hub/cose.h"
#include "hub/merkle.h"
#include "tests/support/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "currency_world: %s\n", what);
    abort();
}

/* ---- members and keys */

static const struct {
    uint16_t roles;
    uint32_t member;
} key_rows[KEY_MEMBERS] = {
    [KEY_ISSUER] = {HUB_ROLE_ISSUER, 0},       [KEY_ISSUER_2] = {HUB_ROLE_ISSUER, 0},
    [KEY_ISSUER_3] = {HUB_ROLE_ISSUER, 0},     [KEY_OPERATOR] = {HUB_ROLE_OPERATOR, 1},
    [KEY_OPERATOR_2] = {HUB_ROLE_OPERATOR, 1}, [KEY_CHECKER] = {HUB_ROLE_CHECKER, 1},
    [KEY_SEAL] = {HUB_ROLE_SEAL, 1},           [KEY_OTHER_OPERATOR] = {HUB_ROLE_OPERATOR, 2},
};

static struct hub_span chars(const char *s)
{
    return (struct hub_span){(const uint8_t *)s, strlen(s)};
}

static void add_member(struct world *w, const char *code, enum hub_member_kind kind,
                       uint64_t institution)
{
    struct hub_member m = {
        .code = chars(code), .name_zh = chars(code), .kind = kind, .institution = institution};

    must(hub_member_add(&w->state, &m) != UINT32_MAX, "member");
}

static void add_keys(struct world *w)
{
    for (int i = 0; i < WORLD_KEYS; i++) {
        uint8_t seed[HUB_SEED_BYTES] = {(uint8_t)(i + 1)}, secret[HUB_SECRET_BYTES];

        hub_key_from_seed(&w->key[i], secret, seed);
        hub_kid_of(&w->kid[i], &w->key[i]);
        if (i < KEY_MEMBERS) {
            struct hub_key k = {.kid = w->kid[i],
                                .key = w->key[i],
                                .roles = key_rows[i].roles,
                                .member = key_rows[i].member};

            must(hub_key_add(&w->state, &k) != UINT32_MAX, "key");
        }
    }
}

static void set_parameter(struct world *w, const char *name, uint64_t value)
{
    uint8_t bytes[64];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_array(&b, 2);
    hub_put_text(&b, name);
    hub_put_uint(&b, value);
    must(!b.full && hub_state_add(&w->state, HUB_TABLE_PARAMETERS, hub_span_of(&b)) != UINT32_MAX,
         "parameter");
}

void world_open(struct world *w, bool currency)
{
    uint32_t caps[HUB_TABLES] = {
        [HUB_TABLE_PARAMETERS] = 8,   [HUB_TABLE_MEMBERS] = 8,    [HUB_TABLE_KEYS] = 64,
        [HUB_TABLE_WALLETS] = 4096,   [HUB_TABLE_LIMITS] = 256,   [HUB_TABLE_CHILDREN] = 256,
        [HUB_TABLE_INSTITUTIONS] = 8, [HUB_TABLE_BATCHES] = 4096, [HUB_TABLE_REFERENCES] = 32768,
        [HUB_TABLE_TOTALS] = 1};
    uint64_t quorum = w->issue_quorum;

    memset(w, 0, sizeof *w);
    w->memory_bytes = hub_state_memory_bytes(caps);
    w->memory = test_space(w->memory_bytes);
    w->log_memory = test_space(HUB_BLOCK_UNDO_BYTES_MAX);
    hub_state_init(&w->state, w->memory, caps);
    add_member(w, "310000PBC", HUB_KIND_AUTHORITY, WORLD_AUTHORITY);
    add_member(w, "310000BANK", HUB_KIND_INSTITUTION, WORLD_BANK);
    add_member(w, "320500BANK", HUB_KIND_INSTITUTION, WORLD_OTHER_BANK);
    add_keys(w);
    set_parameter(w, "currency.cosign_issue", quorum);
    if (currency) {
        hub_wallet_genesis(&w->state, WORLD_AUTHORITY, 0, true);
        hub_wallet_genesis(&w->state, WORLD_BANK, WORLD_QUOTA, false);
        hub_wallet_genesis(&w->state, WORLD_OTHER_BANK, WORLD_QUOTA, false);
    }
    w->time_ms = WORLD_TIME;
    w->log = (struct hub_undo){.log = w->log_memory, .cap = HUB_BLOCK_UNDO_BYTES_MAX};
    w->state.undo = &w->log;
}

void world_close(struct world *w)
{
    test_space_end(w->memory, w->memory_bytes);
    test_space_end(w->log_memory, HUB_BLOCK_UNDO_BYTES_MAX);
}

/* ---- one record */

static void put_cosign(struct hub_buf *b, const struct world *w, const struct world_body *body)
{
    hub_put_array(b, body->cosigns);
    for (uint32_t i = 0; i < body->cosigns; i++) /* signatures are checked elsewhere */
        hub_cosignature_put(b, &(struct hub_cosignature){.kid = w->kid[body->cosign[i]]});
}

static uint16_t apply(struct world *w, const struct hub_record *r, const struct hub_key *signer)
{
    struct hub_apply a = {.state = &w->state,
                          .record = r,
                          .signer = signer,
                          .height = ++w->height,
                          .time_ms = w->time_ms,
                          .parent_time_ms = w->time_ms - 1,
                          .value = &w->value,
                          .keys_before = w->state.count[HUB_TABLE_KEYS]};
    uint16_t code;

    w->log.len = 0;
    code = hub_record_types[r->type].apply(&a);
    w->room_out = w->log.full || w->log.table_full;
    if (code != 0 || w->room_out)
        hub_state_undo_to(&w->state, 0);
    must(hub_wallet_invariants_ok(&w->state, &w->log), "invariants");
    return code;
}

uint16_t world_run(struct world *w, enum world_key signer, const struct world_body *body)
{
    const struct hub_record_type *type = &hub_record_types[body->type];
    uint8_t cosign[1024];
    struct hub_buf b = {cosign, 0, sizeof cosign, false};
    struct hub_record r = {
        .type = (uint16_t)body->type, .body = {body->bytes, body->len}, .kid = w->kid[signer]};
    struct hub_key key;
    uint16_t code = hub_body_check(r.body, type->fields, NULL);

    w->value = (struct hub_buf){w->value_bytes, 0, sizeof w->value_bytes, false};
    if (body->cosigns > 0) {
        put_cosign(&b, w, body);
        r.cosign = hub_span_of(&b);
    }
    if (type->attachment)
        r.attachment = (struct hub_span){w->attachment, w->entries * (size_t)HUB_BATCH_ENTRY_BYTES};
    w->entries = 0;
    if (code == 0 && type->check != NULL)
        code = type->check(&r);
    if (code != 0)
        return code;
    if (!hub_key_find(&key, &w->state, &w->kid[signer]))
        return HUB_CODE_key_unknown;
    return key.roles & type->roles ? apply(w, &r, &key) : HUB_CODE_role_missing;
}

/* ---- bodies */

static struct hub_buf begin(struct world_body *body, enum hub_record_type_id type)
{
    *body = (struct world_body){.type = type};
    return (struct hub_buf){body->bytes, 0, sizeof body->bytes, false};
}

static void end(struct world_body *body, const struct hub_buf *b)
{
    must(!b->full, "body too long");
    body->len = b->len;
}

static void put_ref(struct hub_buf *b, const char *name, uint64_t value)
{
    uint8_t ref[16] = {0};

    hub_put_be64(ref + 8, value);
    hub_put_text(b, name);
    hub_put_bytes(b, (struct hub_span){ref, sizeof ref});
}

static void put_number(struct hub_buf *b, const char *name, uint64_t value)
{
    hub_put_text(b, name);
    hub_put_uint(b, value);
}

struct world_body world_issue(uint16_t institution, uint64_t amount, uint64_t reference)
{
    struct world_body body;
    struct hub_buf b = begin(&body, HUB_TYPE_CURRENCY_ISSUE);

    hub_put_map(&b, 3);
    put_number(&b, "amount", amount);
    put_ref(&b, "reference", reference);
    put_number(&b, "institution", institution);
    end(&body, &b);
    return body;
}

struct world_body world_transfer(uint64_t debit, uint64_t credit, uint64_t amount,
                                 uint64_t reference)
{
    struct world_body body;
    struct hub_buf b = begin(&body, HUB_TYPE_CURRENCY_TRANSFER);

    hub_put_map(&b, reference == 0 ? 3 : 4);
    put_number(&b, "debit", debit);
    put_number(&b, "amount", amount);
    put_number(&b, "credit", credit);
    if (reference != 0)
        put_ref(&b, "reference", reference);
    end(&body, &b);
    return body;
}

struct world_body world_redeem(uint64_t wallet, uint64_t amount, uint64_t reference)
{
    struct world_body body;
    struct hub_buf b = begin(&body, HUB_TYPE_CURRENCY_REDEEM);

    hub_put_map(&b, 3);
    put_number(&b, "amount", amount);
    put_number(&b, "wallet", wallet);
    put_ref(&b, "reference", reference);
    end(&body, &b);
    return body;
}

void world_entry(struct world *w, uint64_t debit, uint64_t credit, uint64_t amount)
{
    uint8_t *p = w->attachment + (size_t)w->entries * HUB_BATCH_ENTRY_BYTES;

    must(w->entries <= HUB_BATCH_ENTRIES_MAX, "too many entries");
    memset(p, 0, HUB_BATCH_ENTRY_BYTES);
    hub_put_be64(p, debit);
    hub_put_be64(p + 8, credit);
    hub_put_be64(p + 16, amount);
    hub_put_be64(p + 32, w->entries++);
}

struct world_body world_batch(struct world *w, uint16_t institution, uint64_t reference,
                              bool atomic)
{
    static struct hub_hash leaf[HUB_BATCH_ENTRIES_MAX + 1];
    struct world_body body;
    struct hub_buf b = begin(&body, HUB_TYPE_CURRENCY_BATCH);
    struct hub_hash root;
    uint64_t total = 0;

    for (uint32_t i = 0; i < w->entries; i++) {
        const uint8_t *p = w->attachment + (size_t)i * HUB_BATCH_ENTRY_BYTES;

        hub_merkle_leaf(&leaf[i], (struct hub_span){p, HUB_BATCH_ENTRY_BYTES});
        total += hub_get_be64(p + 16);
    }
    hub_merkle_root_of(&root, leaf, w->entries);
    hub_put_map(&b, 7);
    hub_put_text(&b, "root");
    hub_put_hash(&b, &root);
    put_ref(&b, "batch", reference);
    put_number(&b, "count", w->entries);
    put_number(&b, "total", total);
    hub_put_text(&b, "atomic");
    hub_put_bool(&b, atomic);
    put_number(&b, "purpose", 1);
    put_number(&b, "institution", institution);
    end(&body, &b);
    return body;
}

static void put_limits(struct hub_buf *b, const struct hub_limits *l)
{
    /* In the order of their encoding. */
    static const enum hub_limit order[] = {HUB_LIMIT_DAY,
                                           HUB_LIMIT_YEAR,
                                           HUB_LIMIT_SINGLE,
                                           HUB_LIMIT_BALANCE,
                                           HUB_LIMIT_DAY_COUNT,
                                           HUB_LIMIT_REDEEM_DAY,
                                           HUB_LIMIT_REDEEM_YEAR,
                                           HUB_LIMIT_REDEEM_SINGLE,
                                           HUB_LIMIT_REDEEM_DAY_COUNT,
                                           HUB_LIMIT_REDEEM_YEAR_COUNT};
    uint64_t n = 0;

    for (int i = 0; i < HUB_LIMIT_COUNT; i++)
        n += l->value[i] != HUB_LIMIT_NONE;
    hub_put_text(b, "limits");
    hub_put_map(b, n);
    for (int i = 0; i < HUB_LIMIT_COUNT; i++)
        if (l->value[order[i]] != HUB_LIMIT_NONE)
            put_number(b, hub_limit_names[order[i]], l->value[order[i]]);
}

struct world_body world_opening(const struct world_opening *o)
{
    struct world_body body;
    struct hub_buf b = begin(&body, HUB_TYPE_WALLET_OPEN);

    hub_put_map(&b, 5u + (o->key != NULL) + (o->limits != NULL) + o->no_p2p + (o->parent != 0));
    if (o->key != NULL) {
        hub_put_text(&b, "key");
        hub_put_bytes(&b, (struct hub_span){o->key, HUB_COSE_KEY_BYTES});
    }
    hub_put_text(&b, "kind");
    hub_put_text(&b, hub_wallet_kind_names[o->kind]);
    put_number(&b, "tier", o->tier);
    put_ref(&b, "owner", o->owner);
    if (o->limits != NULL)
        put_limits(&b, o->limits);
    if (o->no_p2p) {
        hub_put_text(&b, "no_p2p");
        hub_put_bool(&b, true);
    }
    if (o->parent != 0)
        put_number(&b, "parent", o->parent);
    put_ref(&b, "reference", o->reference);
    put_number(&b, "institution", o->institution);
    end(&body, &b);
    return body;
}

/* ---- what tests do all the time */

static enum world_key operator_of(uint16_t institution)
{
    return institution == WORLD_BANK ? KEY_OPERATOR : KEY_OTHER_OPERATOR;
}

static uint64_t fresh(const struct world *w)
{
    return UINT64_C(0xf000000000000000) + w->height;
}

uint64_t world_wallet_of(struct world *w, struct world_opening o, int key)
{
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    struct world_body body;
    struct hub_cbor value;
    uint16_t code;

    if (o.owner == 0)
        o.owner = fresh(w);
    if (o.reference == 0)
        o.reference = fresh(w);
    if (key >= KEY_MEMBERS) {
        hub_cose_key_encode(cose_key, &w->key[key]);
        o.key = cose_key;
    }
    body = world_opening(&o);
    if (key >= KEY_MEMBERS)
        body.cosign[body.cosigns++] = (enum world_key)key;
    code = world_run(w, operator_of(o.institution), &body);
    if (code != 0)
        fprintf(stderr, "opening: code %u\n", code);
    must(code == 0, "wallet not opened");
    value = hub_cbor_open(hub_span_of(&w->value));
    return hub_cbor_uint(&value, 0, UINT64_MAX);
}

uint64_t world_wallet(struct world *w, uint16_t institution, enum hub_wallet_kind kind,
                      uint8_t tier)
{
    return world_wallet_of(
        w, (struct world_opening){.institution = institution, .kind = kind, .tier = tier}, -1);
}

uint64_t world_reserve(const struct world *w, uint16_t institution)
{
    struct hub_institution i;

    must(hub_institution_find(&i, &w->state, institution) && i.reserve > 0, "reserve");
    return hub_wallet_number(institution, i.reserve - 1);
}

void world_fund(struct world *w, uint64_t wallet, uint64_t amount)
{
    uint16_t institution = (uint16_t)(wallet >> 48);
    struct world_body body = world_issue(institution, amount, fresh(w));

    for (uint32_t i = 0; i < hub_parameter(&w->state, HUB_PARAM_CURRENCY_COSIGN_ISSUE); i++)
        body.cosign[body.cosigns++] = (enum world_key)(KEY_ISSUER_2 + i);
    must(world_run(w, KEY_ISSUER, &body) == 0, "not issued");
    body = world_transfer(world_reserve(w, institution), wallet, amount, 0);
    must(world_run(w, operator_of(institution), &body) == 0, "not topped up");
}

struct hub_wallet world_read(const struct world *w, uint64_t number)
{
    struct hub_wallet out;

    must(hub_wallet_read(&out, &w->state, NULL, 0, number, w->time_ms), "no such wallet");
    return out;
}

uint8_t *world_row(struct world *w, uint64_t number)
{
    uint32_t slot;
    uint8_t *row;

    must(hub_wallet_slot(&slot, &w->state, number), "no such wallet");
    w->log.len = 0;
    row = hub_state_wallet_write(&w->state, slot);
    must(row != NULL, "no room");
    return row;
}

void world_flags(struct world *w, uint64_t number, uint16_t flags)
{
    hub_put_be16(world_row(w, number) + HUB_WALLET_FLAGS, flags);
}
