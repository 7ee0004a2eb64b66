/* world.c: the genesis of n validators with a small currency, and the records that clients bring. */
#include "sim.h"

#include "hub/cose.h"
#include "hub/genesis.h"
#include "hub/wallet.h"

#include <stdlib.h>
#include <string.h>

enum { AUTHORITY = 1, BANK = 2, GRANTS_MAX = 64, PACE_MS = 50, HEARTBEAT_S = 20, DELTA_MS = 150 };
#define QUOTA 1000000000000u
#define ISSUED 100000000u

static void make_signer(struct sim_signer *out, const char *name, unsigned number)
{
    char text[64];
    struct hub_hash seed;
    int len = snprintf(text, sizeof text, "sim key %s %u", name, number);
    hub_hash_span(&seed, (struct hub_span){(const uint8_t *)text, (size_t)len});
    hub_key_from_seed(&out->key, out->secret, seed.b);
    hub_kid_of(&out->kid, &out->key);
    sim_sign_register(&out->key, out->secret);
}

static void put_grant(struct hub_buf *b, const char *code, const struct hub_public_key *key,
                      const char *role, bool transport)
{
    uint8_t cose[HUB_COSE_KEY_BYTES];
    hub_cose_key_encode(cose, key);
    hub_put_array(b, 2);
    hub_put_text(b, code);
    hub_put_map(b, transport ? 4 : 3);
    hub_put_text(b, "key");
    hub_put_bytes(b, (struct hub_span){cose, sizeof cose});
    hub_put_text(b, "label");
    hub_put_text(b, role);
    hub_put_text(b, "roles");
    hub_put_array(b, 1);
    hub_put_text(b, role);
    if (transport) {
        hub_put_text(b, "transport");
        hub_put_bytes(b, (struct hub_span){key->b, sizeof key->b});
    }
}

static void put_governors(struct hub_buf *b, const char *code)
{
    for (unsigned i = 0; i < 2; i++) {
        struct sim_signer governor;
        make_signer(&governor, code, i);
        put_grant(b, code, &governor.key, "governor", false);
    }
}

static void put_member(struct hub_buf *b, const char *code, const char *kind, uint64_t institution)
{
    hub_put_map(b, institution == BANK ? 5 : institution ? 4 : 3);
    hub_put_text(b, "code");
    hub_put_text(b, code);
    hub_put_text(b, "kind");
    hub_put_text(b, kind);
    hub_put_text(b, "names");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, code);
    if (institution == BANK) {
        hub_put_text(b, "quota");
        hub_put_uint(b, QUOTA);
    }
    if (institution) {
        hub_put_text(b, "institution");
        hub_put_uint(b, institution);
    }
}

static const char *validator_code(unsigned i)
{
    static char codes[SIM_NODES_MAX][8];
    snprintf(codes[i], sizeof codes[i], "NODE%u", i % 100);
    return codes[i];
}

static void put_keys(struct hub_buf *b, const struct sim_world *w)
{
    hub_put_text(b, "keys");
    hub_put_array(b, 3u * w->n + 6);
    for (uint8_t i = 0; i < w->n; i++) {
        put_governors(b, validator_code(i));
        put_grant(b, validator_code(i), &w->validator[i].key, "validator", true);
    }
    put_governors(b, "AUTHORITY");
    put_grant(b, "AUTHORITY", &w->issuer.key, "issuer", false);
    put_governors(b, "BANK");
    put_grant(b, "BANK", &w->operator_.key, "operator", false);
}

static void put_epoch(struct hub_buf *b, const struct sim_world *w)
{
    struct hub_validators set = {.n = w->n, .q = hub_quorum_default(w->n)};
    set.fault_model = w->n == 1 ? HUB_FAULT_SINGLE : w->n == 3 ? HUB_FAULT_ALL_OF_3 : HUB_FAULT_BFT;
    for (uint8_t i = 0; i < w->n; i++) {
        set.v[i].key = w->validator[i].key;
        set.v[i].kid = w->validator[i].kid;
        memcpy(set.v[i].transport, w->validator[i].key.b, 32);
        strcpy(set.v[i].member, validator_code(i));
    }
    hub_put_text(b, "epoch");
    hub_validators_encode(b, &set);
}

static void put_members(struct hub_buf *b, const struct sim_world *w)
{
    hub_put_text(b, "members");
    hub_put_array(b, w->n + 2u);
    for (uint8_t i = 0; i < w->n; i++)
        put_member(b, validator_code(i), "district", 0);
    put_member(b, "AUTHORITY", "authority", AUTHORITY);
    put_member(b, "BANK", "institution", BANK);
}

static void put_parameters(struct hub_buf *b)
{
    hub_put_text(b, "parameters");
    hub_put_map(b, 4);
    hub_put_text(b, "consensus.pace_ms");
    hub_put_uint(b, PACE_MS);
    hub_put_text(b, "consensus.delta_ms");
    hub_put_uint(b, DELTA_MS);
    hub_put_text(b, "consensus.heartbeat_s");
    hub_put_uint(b, HEARTBEAT_S);
    hub_put_text(b, "currency.cosign_issue");
    hub_put_uint(b, 0);
}

static void make_world(struct sim_world *w, uint8_t n)
{
    struct hub_buf b = {.data = w->genesis_bytes, .cap = sizeof w->genesis_bytes};
    w->n = n;
    for (uint8_t i = 0; i < n; i++) {
        make_signer(&w->validator[i], "validator", n * 100u + i);
        make_signer(&w->spare[i], "spare", n * 100u + i);
        make_signer(&w->governor[i], validator_code(i), 0);
    }
    make_signer(&w->issuer, "issuer", n);
    make_signer(&w->operator_, "operator", n);
    hub_put_map(&b, 8);
    put_keys(&b, w);
    hub_put_text(&b, "name");
    hub_put_text(&b, "simulated");
    put_epoch(&b, w);
    hub_put_text(&b, "suite");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "format");
    hub_put_uint(&b, 1);
    put_members(&b, w);
    hub_put_text(&b, "time_ms");
    hub_put_uint(&b, SIM_EPOCH_MS - 10000);
    put_parameters(&b);
    const char *why = "too long";
    if (b.full || hub_genesis_decode(&w->genesis, &why, hub_span_of(&b)) != HUB_OK) {
        fprintf(stderr, "sim: genesis of %u validators: %s\n", n, why);
        abort();
    }
}

const struct sim_world *sim_world_get(uint8_t n)
{
    static struct sim_world *world[SIM_NODES_MAX + 1];
    if (!world[n]) {
        world[n] = calloc(1, sizeof *world[n]);
        HUB_ASSERT(world[n]);
        make_world(world[n], n);
    }
    return world[n];
}

/* ---- records */

static void put_number16(struct hub_buf *b, uint64_t number)
{
    uint8_t bytes[16] = {1};
    hub_put_be64(bytes + 8, number);
    hub_put_bytes(b, (struct hub_span){bytes, sizeof bytes});
}

struct draft {
    uint16_t type;
    const struct sim_signer *signer;
    const char *iss;
    uint64_t seq, valid_until_ms;
    struct hub_span body;
    bool cosigned;
    const struct sim_signer *cosigner; /* NULL: none */
};

uint64_t sim_wallet_number(uint32_t slot)
{
    return hub_wallet_number(BANK, slot);
}

struct sim_record *sim_record_find(struct sim *s, const struct hub_hash *id)
{
    int64_t i = sim_index_find(&s->record_at, hub_get_be64(id->b));
    return i >= 0 && hub_hash_equal(&s->record[i].id, id) ? &s->record[i] : NULL;
}

static void cosign(struct hub_cosignature *out, const struct sim_signer *by,
                   const struct hub_record_draft *draft, struct hub_span body)
{
    static uint8_t scratch_bytes[4096];
    uint8_t header[400];
    struct hub_buf protected_ = {.data = header, .cap = sizeof header};
    struct hub_buf scratch = {.data = scratch_bytes, .cap = sizeof scratch_bytes};
    hub_record_protected(&protected_, draft);
    hub_cosign(out, &scratch, hub_span_of(&protected_), body, &by->key, by->secret);
}

static struct sim_record *add_record(struct sim *s, const struct draft *d, enum sim_expect expect)
{
    static uint8_t payload_bytes[2048], scratch_bytes[4096], record_bytes[4096];
    struct hub_buf payload = {.data = payload_bytes, .cap = sizeof payload_bytes};
    struct hub_buf scratch = {.data = scratch_bytes, .cap = sizeof scratch_bytes};
    struct hub_buf out = {.data = record_bytes, .cap = sizeof record_bytes};
    char sub[65];
    struct hub_span iss = {(const uint8_t *)d->iss, strlen(d->iss)};
    struct hub_record r;
    uint16_t why = 0;
    HUB_ASSERT(hub_record_sub(sub, d->type, d->body, iss));
    struct hub_record_draft draft = {.type = d->type,
                                     .kid = d->signer->kid,
                                     .chain = s->world->genesis.chain,
                                     .iss = iss,
                                     .sub = {(const uint8_t *)sub, strlen(sub)},
                                     .payload = d->body,
                                     .seq = d->seq,
                                     .valid_until_ms = d->valid_until_ms};
    if (d->cosigned) {
        struct hub_cosignature co;
        if (d->cosigner)
            cosign(&co, d->cosigner, &draft, d->body);
        hub_payload_cosigned(&payload, d->body, &co, d->cosigner != NULL);
        draft.payload = hub_span_of(&payload);
    }
    HUB_ASSERT(hub_record_build(&out, &scratch, &draft, d->signer->secret) == HUB_OK);
    HUB_ASSERT(s->records < SIM_RECORDS_MAX);
    struct sim_record *slot = &s->record[s->records++];
    *slot = (struct sim_record){.bytes = malloc(out.len), .len = out.len, .expect = expect};
    HUB_ASSERT(slot->bytes);
    memcpy(slot->bytes, out.data, out.len);
    struct hub_span bytes = {slot->bytes, slot->len}, none = {NULL, 0};
    HUB_ASSERT(hub_record_decode(&r, &why, bytes, none, &s->world->genesis.chain) == HUB_OK);
    slot->id = r.id;
    slot->signer = d->signer;
    sim_index_put(&s->record_at, hub_get_be64(r.id.b), s->records - 1);
    return slot;
}

#define VALID_UNTIL_MS (SIM_EPOCH_MS + 6u * 3600 * 1000)

static void add_issue(struct sim *s)
{
    uint8_t bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    hub_put_map(&b, 3);
    hub_put_text(&b, "amount");
    hub_put_uint(&b, ISSUED);
    hub_put_text(&b, "reference");
    put_number16(&b, 1);
    hub_put_text(&b, "institution");
    hub_put_uint(&b, BANK);
    struct draft d = {HUB_TYPE_CURRENCY_ISSUE, &s->world->issuer, "AUTHORITY", 1,
                      VALID_UNTIL_MS,          hub_span_of(&b),   true,        NULL};
    struct sim_record *r = add_record(s, &d, SIM_VALID);
    r->act = SIM_ISSUE;
    r->amount = ISSUED;
}

static void add_opening(struct sim *s, uint64_t seq)
{
    uint8_t bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    hub_put_map(&b, 5);
    hub_put_text(&b, "kind");
    hub_put_text(&b, "corporate");
    hub_put_text(&b, "tier");
    hub_put_uint(&b, 0);
    hub_put_text(&b, "owner");
    put_number16(&b, seq);
    hub_put_text(&b, "reference");
    put_number16(&b, seq);
    hub_put_text(&b, "institution");
    hub_put_uint(&b, BANK);
    struct draft d = {HUB_TYPE_WALLET_OPEN, &s->world->operator_, "BANK", seq,
                      VALID_UNTIL_MS,       hub_span_of(&b),      true,   NULL};
    add_record(s, &d, SIM_VALID)->act = SIM_OPEN;
}

/* Which opening got which slot does not matter here. */
static uint32_t some_wallet(uint64_t *r)
{
    return SIM_FIRST_WALLET + (uint32_t)sim_below(r, SIM_WALLETS);
}

static void add_transfer(struct sim *s, uint64_t seq, uint64_t valid_until_ms,
                         enum sim_expect expect)
{
    uint64_t *r = &s->random[SIM_RECORDS];
    uint8_t bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    uint32_t debit = sim_chance(r, 600) ? SIM_RESERVE : some_wallet(r), credit = some_wallet(r);
    uint64_t amount = 1 + sim_below(r, 1000000); /* often more than there is: double spending */
    if (debit == credit)
        debit = SIM_RESERVE;
    hub_put_map(&b, 3);
    hub_put_text(&b, "debit");
    hub_put_uint(&b, sim_wallet_number(debit));
    hub_put_text(&b, "amount");
    hub_put_uint(&b, amount);
    hub_put_text(&b, "credit");
    hub_put_uint(&b, sim_wallet_number(credit));
    struct draft d = {HUB_TYPE_CURRENCY_TRANSFER,
                      &s->world->operator_,
                      "BANK",
                      seq,
                      valid_until_ms,
                      hub_span_of(&b),
                      false,
                      NULL};
    struct sim_record *made = add_record(s, &d, expect);
    made->act = SIM_TRANSFER;
    made->debit = debit;
    made->credit = credit;
    made->amount = amount;
}

/* ---- a new set: every node has said that it is ready, then a governor replaces the key of one */

static void add_ready(struct sim *s, uint8_t i)
{
    uint8_t bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    hub_put_map(&b, 3);
    hub_put_text(&b, "endpoint");
    hub_put_text(&b, "127.0.0.1:7001");
    hub_put_text(&b, "protocol");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "software");
    hub_put_text(&b, "sim");
    struct draft d = {HUB_TYPE_VALIDATOR_READY,
                      &s->world->validator[i],
                      validator_code(i),
                      1,
                      VALID_UNTIL_MS,
                      hub_span_of(&b),
                      false,
                      NULL};
    add_record(s, &d, SIM_VALID);
}

static void add_replace(struct sim *s, uint8_t i)
{
    const struct sim_world *w = s->world;
    uint8_t bytes[512], cose[HUB_COSE_KEY_BYTES];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    hub_cose_key_encode(cose, &w->spare[i].key);
    hub_put_map(&b, 3);
    hub_put_text(&b, "key");
    hub_put_map(&b, 4);
    hub_put_text(&b, "key");
    hub_put_bytes(&b, (struct hub_span){cose, sizeof cose});
    hub_put_text(&b, "label");
    hub_put_text(&b, "spare");
    hub_put_text(&b, "roles");
    hub_put_array(&b, 1);
    hub_put_text(&b, "validator");
    hub_put_text(&b, "transport");
    hub_put_bytes(&b, (struct hub_span){w->spare[i].key.b, sizeof w->spare[i].key.b});
    hub_put_text(&b, "old");
    hub_put_hash(&b, &w->validator[i].kid);
    hub_put_text(&b, "reason");
    hub_put_text(&b, "superseded");
    struct draft d = {HUB_TYPE_VALIDATOR_REPLACE,
                      &w->governor[i],
                      validator_code(i),
                      1,
                      VALID_UNTIL_MS,
                      hub_span_of(&b),
                      true,
                      &w->spare[i]};
    add_record(s, &d, SIM_VALID);
}

void sim_set_of(const struct sim *s, uint64_t epoch, struct hub_validators *out)
{
    *out = s->world->genesis.set;
    if (epoch == 0)
        return;
    HUB_ASSERT(epoch == 1 && s->plan.rekeyed);
    const uint8_t i = s->plan.rekeyed - 1;
    out->epoch = 1;
    out->v[i].key = s->world->spare[i].key;
    out->v[i].kid = s->world->spare[i].kid;
    memcpy(out->v[i].transport, s->world->spare[i].key.b, sizeof out->v[i].transport);
}

void sim_world_records(struct sim *s)
{
    uint64_t *r = &s->random[SIM_RECORDS], seq = 1;
    add_issue(s);
    if (s->plan.records == 1)
        return;
    for (; seq <= SIM_WALLETS; seq++)
        add_opening(s, seq);
    while (s->records + 2 < s->plan.records) {
        if (sim_chance(r, 80)) {
            add_transfer(s, seq, VALID_UNTIL_MS, SIM_RIVAL);
            add_transfer(s, seq++, VALID_UNTIL_MS, SIM_RIVAL);
        } else if (sim_chance(r, 80)) {
            add_transfer(s, seq++, SIM_EPOCH_MS - 5000, SIM_EXPIRED);
        } else {
            add_transfer(s, seq++, VALID_UNTIL_MS, SIM_VALID);
        }
    }
    for (uint8_t i = 0; s->plan.rekeyed && i < s->plan.n; i++)
        add_ready(s, i);
    if (s->plan.rekeyed)
        add_replace(s, s->plan.rekeyed - 1);
}
