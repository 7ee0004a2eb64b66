#include "tests/support/small_ledger.h"

#include "hub/cose.h"
#include "ledger/wallet.h"
#include "tests/support/space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_MS UINT64_C(1779415200000) /* 2026-05-22 10:00 in UTC+8 */
enum { AUTHORITY = 1, BLOCK_MS = 100, VALID_MS = 20 * 3600 * 1000 };
#define QUOTA_FEN UINT64_C(1000000000000)

static void expect(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "small ledger: %s\n", what);
    abort();
}

/* ---- genesis */
static void make_signer(struct small_signer *out, const char *name, unsigned seed)
{
    char text[64];
    struct hub_hash h;
    int n = snprintf(text, sizeof text, "small ledger %u %s", seed, name);
    hub_hash_span(&h, (struct hub_span){(const uint8_t *)text, (size_t)n});
    hub_key_from_seed(&out->key, out->secret, h.b);
    hub_kid_of(&out->kid, &out->key);
}

static void put_grant(struct hub_buf *b, const char *code, const struct small_signer *s,
                      const char *role)
{
    bool transport = strcmp(role, "validator") == 0;
    uint8_t cose[HUB_COSE_KEY_BYTES];
    hub_cose_key_encode(cose, &s->key);
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
        hub_put_bytes(b, (struct hub_span){s->key.b, sizeof s->key.b});
    }
}

static void put_keys(struct hub_buf *b, const struct small_ledger *l, unsigned seed)
{
    static const char *const codes[] = {"DISTRICT", "AUTHORITY", "BANK"};
    hub_put_text(b, "keys");
    hub_put_array(b, 9);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; k < 2; k++) {
            struct small_signer governor;
            make_signer(&governor, codes[i], seed * 2 + k);
            put_grant(b, codes[i], &governor, "governor");
        }
        put_grant(b, codes[i],
                  i == 0   ? &l->validator
                  : i == 1 ? &l->issuer
                           : &l->bank,
                  i == 0   ? "validator"
                  : i == 1 ? "issuer"
                           : "operator");
    }
}

static void put_member(struct hub_buf *b, const char *code, const char *kind, uint64_t institution,
                       bool quota)
{
    hub_put_map(b, 3u + (institution != 0) + quota);
    hub_put_text(b, "code");
    hub_put_text(b, code);
    hub_put_text(b, "kind");
    hub_put_text(b, kind);
    hub_put_text(b, "names");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, code);
    if (quota) {
        hub_put_text(b, "quota");
        hub_put_uint(b, QUOTA_FEN);
    }
    if (institution) {
        hub_put_text(b, "institution");
        hub_put_uint(b, institution);
    }
}

static void put_epoch(struct hub_buf *b, const struct small_ledger *l)
{
    struct hub_validators set = {.n = 1, .q = 1, .fault_model = HUB_FAULT_SINGLE};
    set.v[0].key = l->validator.key;
    set.v[0].kid = l->validator.kid;
    memcpy(set.v[0].transport, l->validator.key.b, sizeof set.v[0].transport);
    strcpy(set.v[0].member, "DISTRICT");
    hub_put_text(b, "epoch");
    hub_validators_encode(b, &set);
}

struct small_ledger *small_ledger_new(unsigned seed)
{
    struct small_ledger *l = calloc(1, sizeof *l);
    expect(l != NULL, "no memory");
    struct hub_buf b = {l->genesis_bytes, 0, sizeof l->genesis_bytes, false};
    make_signer(&l->validator, "validator", seed);
    make_signer(&l->issuer, "issuer", seed);
    make_signer(&l->bank, "bank", seed);
    hub_put_map(&b, 8);
    put_keys(&b, l, seed);
    hub_put_text(&b, "name");
    hub_put_text(&b, "small");
    put_epoch(&b, l);
    hub_put_text(&b, "suite");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "format");
    hub_put_uint(&b, 1);
    hub_put_text(&b, "members");
    hub_put_array(&b, 3);
    put_member(&b, "DISTRICT", "district", 0, false);
    put_member(&b, "AUTHORITY", "authority", AUTHORITY, false);
    put_member(&b, "BANK", "institution", SMALL_BANK, true);
    hub_put_text(&b, "time_ms");
    hub_put_uint(&b, NOW_MS);
    hub_put_text(&b, "parameters");
    hub_put_map(&b, 1);
    hub_put_text(&b, "currency.cosign_issue");
    hub_put_uint(&b, 0);
    const char *why = "genesis does not fit";
    expect(!b.full && hub_genesis_decode(&l->genesis, &why, hub_span_of(&b)) == HUB_OK, why);
    l->time_ms = NOW_MS;
    return l;
}

void small_ledger_caps(uint32_t caps[HUB_TABLES], uint32_t wallets)
{
    for (unsigned t = 0; t < HUB_TABLES; t++)
        caps[t] = hub_table_kinds[t].rows_max < 1024 ? hub_table_kinds[t].rows_max : 1024;
    caps[HUB_TABLE_WALLETS] = wallets;
    caps[HUB_TABLE_REFERENCES] = 2 * wallets;
}

/* ---- records */
static bool add(struct small_ledger *l, uint16_t type, const struct small_signer *signer,
                const char *iss, uint64_t *seq, struct hub_span body, bool cosigned)
{
    uint8_t payload_bytes[512], scratch_bytes[2048], record_bytes[1024];
    struct hub_buf payload = {payload_bytes, 0, sizeof payload_bytes, false};
    struct hub_buf scratch = {scratch_bytes, 0, sizeof scratch_bytes, false};
    struct hub_buf out = {record_bytes, 0, sizeof record_bytes, false};
    struct hub_span issuer = {(const uint8_t *)iss, strlen(iss)};
    char sub[65];
    expect(hub_record_sub(sub, type, body, issuer), "sub");
    if (cosigned)
        hub_payload_cosigned(&payload, body, NULL, 0);
    struct hub_record_draft draft = {.type = type,
                                     .kid = signer->kid,
                                     .chain = l->genesis.chain,
                                     .iss = issuer,
                                     .sub = {(const uint8_t *)sub, strlen(sub)},
                                     .payload = cosigned ? hub_span_of(&payload) : body,
                                     .seq = *seq + 1,
                                     .valid_until_ms = l->time_ms + VALID_MS};
    expect(hub_record_build(&out, &scratch, &draft, signer->secret) == HUB_OK, "record");
    if (l->records == HUB_BLOCK_RECORDS_MAX ||
        l->record_bytes_len + out.len + 2048 + 8 * l->records > sizeof l->record_bytes)
        return false;
    uint8_t *at = memcpy(l->record_bytes + l->record_bytes_len, out.data, out.len);
    struct hub_record *r = &l->record[l->records];
    uint16_t why;
    expect(hub_record_decode(r, &why, (struct hub_span){at, out.len}, (struct hub_span){NULL, 0},
                             &l->genesis.chain) == HUB_OK,
           "record does not decode");
    hub_record_trust_cache(r);
    l->record_bytes_len += out.len;
    l->records++;
    ++*seq;
    return true;
}

static void put_number16(struct hub_buf *b, uint64_t number)
{
    uint8_t bytes[16] = {1};
    hub_put_be64(bytes + 8, number);
    hub_put_bytes(b, (struct hub_span){bytes, sizeof bytes});
}

bool small_ledger_issue(struct small_ledger *l, uint64_t amount_fen)
{
    uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_map(&b, 3);
    hub_put_text(&b, "amount");
    hub_put_uint(&b, amount_fen);
    hub_put_text(&b, "reference");
    put_number16(&b, l->issuer_seq + 1);
    hub_put_text(&b, "institution");
    hub_put_uint(&b, SMALL_BANK);
    return add(l, HUB_TYPE_CURRENCY_ISSUE, &l->issuer, "AUTHORITY", &l->issuer_seq, hub_span_of(&b),
               true);
}

bool small_ledger_open_wallet(struct small_ledger *l)
{
    uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_map(&b, 5);
    hub_put_text(&b, "kind");
    hub_put_text(&b, "corporate");
    hub_put_text(&b, "tier");
    hub_put_uint(&b, 0);
    hub_put_text(&b, "owner");
    put_number16(&b, l->bank_seq + 1);
    hub_put_text(&b, "reference");
    put_number16(&b, l->bank_seq + 1);
    hub_put_text(&b, "institution");
    hub_put_uint(&b, SMALL_BANK);
    return add(l, HUB_TYPE_WALLET_OPEN, &l->bank, "BANK", &l->bank_seq, hub_span_of(&b), true);
}

bool small_ledger_transfer(struct small_ledger *l, uint32_t debit_slot, uint32_t credit_slot,
                           uint64_t amount_fen)
{
    uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_map(&b, 3);
    hub_put_text(&b, "debit");
    hub_put_uint(&b, hub_wallet_number(SMALL_BANK, debit_slot));
    hub_put_text(&b, "amount");
    hub_put_uint(&b, amount_fen);
    hub_put_text(&b, "credit");
    hub_put_uint(&b, hub_wallet_number(SMALL_BANK, credit_slot));
    return add(l, HUB_TYPE_CURRENCY_TRANSFER, &l->bank, "BANK", &l->bank_seq, hub_span_of(&b),
               false);
}

/* ---- blocks */
static void certify(struct small_ledger *l, const struct hub_chain *c)
{
    const struct hub_header *h = &l->block.header;
    uint8_t bytes[1024];
    struct hub_buf message = {bytes, 0, sizeof bytes, false};
    memset(&l->certificate, 0, sizeof l->certificate);
    l->certificate.subject = (struct hub_subject){.kind = HUB_FINALIZE,
                                                  .epoch = h->epoch,
                                                  .view = h->view,
                                                  .height = h->height,
                                                  .log_size = h->log_size,
                                                  .block_hash = l->block.hash,
                                                  .log_root = h->log_root};
    l->certificate.signers = 1;
    hub_vote_message(&message, &c->set, &l->certificate.subject, 0);
    expect(!message.full, "vote message");
    hub_sign(&l->certificate.sig[0], l->validator.secret, hub_span_of(&message));
}

void small_ledger_block(struct small_ledger *l, struct hub_chain *c, hub_chain_visit *visit,
                        void *ctx)
{
    struct hub_buf out = {l->block_bytes, 0, sizeof l->block_bytes, false};
    uint32_t waiting = l->records;
    l->time_ms += BLOCK_MS;
    memset(&l->block, 0, sizeof l->block);
    l->block.records = l->record;
    l->block.count = l->records;
    l->block.header.view = c->final_header.view + 1;
    l->block.header.parent_view = c->final_header.view;
    l->block.header.time_ms = l->time_ms;
    expect(hub_chain_build(c, &c->final_hash, &l->block, &out) == HUB_OK, "block is not built");
    expect(l->block.count == waiting, "a record was left out");
    certify(l, c);
    expect(hub_chain_finalize(c, &l->certificate, visit, ctx) == HUB_OK, "block is not final");
    l->records = 0;
    l->record_bytes_len = 0;
}

void small_ledger_replay(struct hub_chain *c, struct hub_span bytes,
                         const struct hub_certificate *cert, hub_chain_visit *visit, void *ctx)
{
    static struct hub_record *records;
    if (!records)
        records = test_space(HUB_BLOCK_RECORDS_MAX * sizeof *records);
    struct hub_block block = {.records = records};
    struct hub_fault fault;
    uint32_t bad;
    uint16_t why;
    expect(hub_block_decode(&block, &bad, &why, bytes, &c->id) == HUB_OK, "block does not decode");
    for (uint32_t i = 0; i < block.count; i++)
        hub_record_trust_cache(&records[i]);
    expect(hub_chain_append(c, &block, &fault) == HUB_OK, "block does not apply");
    expect(hub_chain_finalize(c, cert, visit, ctx) == HUB_OK, "block is not final");
}
