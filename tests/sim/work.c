/* work.c: what clients bring: money issued and moved, in the ways of enum sim_load, and agreements that several
 * members sign in any order. When each record comes is drawn here too, for its validity counts from then. */
#include "sim.h"

#include "hub/agreement_draft.h"
#include "hub/cose.h"
#include "hub/governance.h"
#include "hub/wallet.h"

#include <stdlib.h>
#include <string.h>

enum { OPENINGS_MS = 1000, FIRST_MS = 2000, BURSTS = 4, PARTIES_MAX = 5, ROOM = 1 << 17 };
#define ISSUED UINT64_C(100000000)
#define VALID_MS UINT64_C(21600000)
#define DAY_MS UINT64_C(86400000)

static const struct hub_hash document = {{0xd1}}; /* what every agreement has attached */

struct draft {
    uint16_t type;
    const struct sim_signer *signer;
    const char *iss;
    uint64_t seq, valid_until_ms;
    struct hub_span body, attachment;
    bool cosigned;
    const struct sim_signer *cosigner; /* NULL: none */
};
struct writing { /* the records of one run */
    struct sim *sim;
    uint64_t *r, *when;                /* random numbers: what the records say; when they come */
    uint64_t seq, reference, seal_seq; /* of the bank's key; of batches; of every seal key */
    uint32_t agreements;
};

static void put_number16(struct hub_buf *b, const char *name, uint64_t number)
{
    uint8_t bytes[16] = {1};
    hub_put_be64(bytes + 8, number);
    hub_put_text(b, name);
    hub_put_bytes(b, (struct hub_span){bytes, sizeof bytes});
}

static void put_number(struct hub_buf *b, const char *name, uint64_t number)
{
    hub_put_text(b, name);
    hub_put_uint(b, number);
}

uint64_t sim_wallet_number(uint32_t slot)
{
    return hub_wallet_number(SIM_BANK, slot);
}

struct sim_record *sim_record_find(struct sim *s, const struct hub_hash *id)
{
    int64_t i = sim_index_find(&s->record_at, hub_get_be64(id->b));
    return i >= 0 && hub_hash_equal(&s->record[i].id, id) ? &s->record[i] : NULL;
}

/* ---- one record */

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

static void sign(struct hub_buf *out, struct sim *s, const struct draft *d)
{
    static uint8_t payload_bytes[ROOM], scratch_bytes[ROOM];
    struct hub_buf payload = {.data = payload_bytes, .cap = ROOM};
    struct hub_buf scratch = {.data = scratch_bytes, .cap = ROOM};
    struct hub_span iss = {(const uint8_t *)d->iss, strlen(d->iss)};
    char sub[65];
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
    HUB_ASSERT(hub_record_build(out, &scratch, &draft, d->signer->secret) == HUB_OK);
}

static struct sim_record *add_record(struct sim *s, const struct draft *d, uint64_t first_ms,
                                     enum sim_expect expect)
{
    static uint8_t record_bytes[ROOM];
    struct hub_buf out = {.data = record_bytes, .cap = ROOM};
    sign(&out, s, d);
    return sim_record_keep(s, hub_span_of(&out), d->attachment, d->signer, first_ms, expect);
}

struct sim_record *sim_record_keep(struct sim *s, struct hub_span record,
                                   struct hub_span attachment, const struct sim_signer *signer,
                                   uint64_t first_ms, enum sim_expect expect)
{
    struct hub_record r;
    uint16_t why = 0;
    HUB_ASSERT(s->records < s->records_cap);
    struct sim_record *slot = &s->record[s->records++];
    *slot = (struct sim_record){.bytes = malloc(record.len + attachment.len),
                                .len = record.len,
                                .attachment_len = attachment.len,
                                .expect = expect,
                                .signer = signer,
                                .first_ms = first_ms};
    HUB_ASSERT(slot->bytes);
    memcpy(slot->bytes, record.data, record.len);
    if (attachment.len)
        memcpy(slot->bytes + record.len, attachment.data, attachment.len);
    HUB_ASSERT(hub_record_decode(&r, &why, sim_record_bytes(slot), sim_record_attachment(slot),
                                 &s->world->genesis.chain) == HUB_OK);
    slot->id = r.id;
    sim_index_put(&s->record_at, hub_get_be64(r.id.b), s->records - 1);
    return slot;
}

static uint64_t until(uint64_t first_ms)
{
    return SIM_EPOCH_MS + first_ms + VALID_MS;
}

/* Spread over the time for work, or in a few bursts. */
static uint64_t some_time(const struct writing *w)
{
    const struct sim_plan *p = &w->sim->plan;
    uint64_t span = p->work_ms - FIRST_MS;
    if (p->load & SIM_LOAD_BURSTS)
        return FIRST_MS + sim_below(w->when, BURSTS) * (span / BURSTS);
    return FIRST_MS + sim_below(w->when, span);
}

/* ---- money */

static void add_issue(struct writing *w)
{
    struct sim *s = w->sim;
    uint8_t bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    uint64_t at = sim_below(w->when, OPENINGS_MS);
    hub_put_map(&b, 3);
    put_number(&b, "amount", ISSUED);
    put_number16(&b, "reference", 1);
    put_number(&b, "institution", SIM_BANK);
    struct draft d = {.type = HUB_TYPE_CURRENCY_ISSUE,
                      .signer = &s->world->issuer,
                      .iss = "AUTHORITY",
                      .seq = 1,
                      .valid_until_ms = until(at),
                      .body = hub_span_of(&b),
                      .cosigned = true};
    struct sim_record *r = add_record(s, &d, at, SIM_VALID);
    r->act = SIM_ISSUE;
    r->amount = ISSUED;
}

static struct draft of_bank(struct writing *w, uint16_t type, uint64_t at,
                            const struct hub_buf *body)
{
    return (struct draft){.type = type,
                          .signer = &w->sim->world->operator_,
                          .iss = "BANK",
                          .seq = w->seq,
                          .valid_until_ms = until(at),
                          .body = hub_span_of(body)};
}

static void add_opening(struct writing *w)
{
    uint8_t bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    uint64_t at = sim_below(w->when, OPENINGS_MS);
    hub_put_map(&b, 5);
    hub_put_text(&b, "kind");
    hub_put_text(&b, "corporate");
    put_number(&b, "tier", 0);
    put_number16(&b, "owner", w->seq);
    put_number16(&b, "reference", w->seq);
    put_number(&b, "institution", SIM_BANK);
    struct draft d = of_bank(w, HUB_TYPE_WALLET_OPEN, at, &b);
    d.cosigned = true;
    add_record(w->sim, &d, at, SIM_VALID)->act = SIM_OPEN;
}

/* Which opening got which slot does not matter here. */
static uint32_t some_wallet(uint64_t *r)
{
    return SIM_FIRST_WALLET + (uint32_t)sim_below(r, SIM_WALLETS);
}

static void add_transfer(struct writing *w, enum sim_expect expect)
{
    struct sim *s = w->sim;
    uint8_t bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    uint32_t debit = sim_chance(w->r, 600) ? SIM_RESERVE : some_wallet(w->r);
    uint32_t credit = some_wallet(w->r);
    uint64_t amount = 1 + sim_below(w->r, 1000000); /* often more than there is: double spending */
    uint64_t at = some_time(w);
    if (s->plan.load & SIM_LOAD_HOT && sim_chance(w->r, 800))
        debit = SIM_FIRST_WALLET;
    if (debit == credit)
        debit = SIM_RESERVE;
    hub_put_map(&b, 3);
    put_number(&b, "debit", sim_wallet_number(debit));
    put_number(&b, "amount", amount);
    put_number(&b, "credit", sim_wallet_number(credit));
    struct draft d = of_bank(w, HUB_TYPE_CURRENCY_TRANSFER, at, &b);
    if (expect == SIM_EXPIRED)
        d.valid_until_ms = SIM_EXPIRED_MS;
    struct sim_record *made = add_record(s, &d, at, expect);
    made->act = SIM_TRANSFER;
    made->debit = debit;
    made->credit = credit;
    made->amount = amount;
}

/* The payments of every batch, made once: a fen each. */
static struct hub_span batch_entries(struct hub_hash *root)
{
    static uint8_t entries[HUB_ATTACHMENT_BYTES_MAX];
    static struct hub_hash leaf[HUB_BATCH_ENTRIES_MAX], all;
    static bool made;
    for (uint32_t i = 0; !made && i < HUB_BATCH_ENTRIES_MAX; i++) {
        uint8_t *p = entries + (size_t)i * HUB_BATCH_ENTRY_BYTES;
        hub_put_be64(p, sim_wallet_number(SIM_RESERVE));
        hub_put_be64(p + 8, sim_wallet_number(SIM_FIRST_WALLET + i % SIM_WALLETS));
        hub_put_be64(p + 16, 1);
        hub_put_be64(p + 32, i);
        hub_merkle_leaf(&leaf[i], (struct hub_span){p, HUB_BATCH_ENTRY_BYTES});
    }
    if (!made)
        hub_merkle_root_of(&all, leaf, HUB_BATCH_ENTRIES_MAX);
    made = true;
    *root = all;
    return (struct hub_span){entries, sizeof entries};
}

/* The largest record there is: a batch of 1,500 payments that happens as a whole or not at all. */
static void add_batch(struct writing *w)
{
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_hash root;
    uint64_t at = some_time(w);
    const struct hub_span entries = batch_entries(&root);
    hub_put_map(&b, 7);
    hub_put_text(&b, "root");
    hub_put_hash(&b, &root);
    put_number16(&b, "batch", ++w->reference);
    put_number(&b, "count", HUB_BATCH_ENTRIES_MAX);
    put_number(&b, "total", HUB_BATCH_ENTRIES_MAX);
    hub_put_text(&b, "atomic");
    hub_put_bool(&b, true);
    put_number(&b, "purpose", 1);
    put_number(&b, "institution", SIM_BANK);
    struct draft d = of_bank(w, HUB_TYPE_CURRENCY_BATCH, at, &b);
    d.attachment = entries;
    d.cosigned = true;
    add_record(w->sim, &d, at, SIM_VALID)->act = SIM_BATCH;
}

/* ---- agreements: proposed by one, signed by the others, each at a time of its own: so in any order, and some
 * before there is anything to sign, which is refused and final like the rest */

static void consent_part(struct hub_buf *part, struct hub_span body, const struct sim_signer *who)
{
    static uint8_t message_bytes[ROOM];
    uint8_t head_bytes[256], item_bytes[512];
    struct hub_buf message = {.data = message_bytes, .cap = ROOM};
    struct hub_buf head = {.data = head_bytes, .cap = sizeof head_bytes};
    struct hub_buf item = {.data = item_bytes, .cap = sizeof item_bytes};
    struct hub_signature signature;
    hub_consent_protected(&head, &who->kid, (struct hub_span){NULL, 0});
    hub_consent_message(&message, body, hub_span_of(&head));
    hub_sign(&signature, who->secret, hub_span_of(&message));
    hub_consent_encode(&item, hub_span_of(&head), &signature);
    hub_consent_part_encode(part, &document, 1, hub_span_of(&item));
}

static void encode_agreement(struct hub_buf *body, const struct writing *w, uint8_t parties,
                             const struct hub_hash *id)
{
    static char title[64];
    struct hub_draft d = {.agreement = *id,
                          .chain = w->sim->world->genesis.chain,
                          .number = title + sizeof "Agreement " - 1,
                          .lead = sim_member_code(0),
                          .title = {title, NULL},
                          .place = {"Shanghai", NULL},
                          .party_count = parties,
                          .area_count = 1,
                          .area = {{"eco", {"Environment", NULL}}},
                          .document_count = 1,
                          .document = {{"text.pdf", "application/pdf", "zh", 120000, document}},
                          .revision = 1,
                          .document_date = "--05-22",
                          .sign_by_ms = SIM_EPOCH_MS + 10 * DAY_MS,
                          .effective = HUB_EFFECTIVE_LAST_SIGNATURE,
                          .expires_ms = SIM_EPOCH_MS + 1000 * DAY_MS,
                          .withdraw_allowed = true,
                          .withdraw_notice_days = 90,
                          .visibility = HUB_VISIBILITY_MEMBERS,
                          .need_terminate = 2};
    snprintf(title, sizeof title, "Agreement %u", w->agreements);
    for (uint8_t i = 0; i < parties; i++)
        d.party[i] = (struct hub_draft_party){sim_member_code(i),
                                              i ? HUB_PARTY_PARTY : HUB_PARTY_LEAD, true};
    hub_draft_encode(body, &d);
}

static void add_consent(struct writing *w, uint8_t party, struct hub_span core, uint16_t type)
{
    uint64_t at = some_time(w);
    struct draft d = {.type = type,
                      .signer = &w->sim->world->seal[party],
                      .iss = sim_member_code(party),
                      .seq = w->seal_seq,
                      .valid_until_ms = until(at),
                      .body = core,
                      .cosigned = true};
    struct sim_record *r = add_record(w->sim, &d, at, SIM_VALID);
    r->act = type == HUB_TYPE_AGREEMENT_PROPOSE ? SIM_PROPOSAL : SIM_CONSENT;
    r->agreement = w->agreements;
}

static void add_agreement(struct writing *w)
{
    static uint8_t body_bytes[ROOM], core_bytes[ROOM], part_bytes[1024];
    struct sim *s = w->sim;
    uint8_t parties = s->plan.n < PARTIES_MAX ? s->plan.n : PARTIES_MAX, nonce[16] = {0};
    struct hub_buf body = {.data = body_bytes, .cap = ROOM};
    struct hub_hash id, body_hash;
    hub_put_be64(nonce, ++w->agreements);
    w->seal_seq++;
    hub_agreement_id(&id, &s->world->genesis.chain, &s->world->seal[0].kid, nonce);
    encode_agreement(&body, w, parties, &id);
    hub_hash_span(&body_hash, hub_span_of(&body));
    for (uint8_t i = 0; i < parties; i++) {
        struct hub_buf core = {.data = core_bytes, .cap = ROOM};
        struct hub_buf part = {.data = part_bytes, .cap = sizeof part_bytes};
        consent_part(&part, hub_span_of(&body), &s->world->seal[i]);
        if (i)
            hub_consent_record_encode(&core, &id, 1, &body_hash, HUB_DECISION_SIGN,
                                      (struct hub_span){NULL, 0}, hub_span_of(&part));
        else
            hub_propose_encode(&core, hub_span_of(&body), nonce, hub_span_of(&part));
        add_consent(w, i, hub_span_of(&core),
                    i ? HUB_TYPE_AGREEMENT_CONSENT : HUB_TYPE_AGREEMENT_PROPOSE);
    }
    s->agreement[w->agreements] = (struct sim_agreement){.id = id, .parties = parties};
    s->agreements = w->agreements;
}

/* ---- a new set: every node has said that it is ready, then a governor replaces the key of one */

enum { READY_MS = 1000 };

static void add_ready(struct sim *s, uint8_t i)
{
    uint8_t bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    hub_put_map(&b, 3);
    hub_put_text(&b, "endpoint");
    hub_put_text(&b, "127.0.0.1:7001");
    put_number(&b, "protocol", 1);
    hub_put_text(&b, "software");
    hub_put_text(&b, "sim");
    struct draft d = {.type = HUB_TYPE_VALIDATOR_READY,
                      .signer = &s->world->validator[i],
                      .iss = sim_member_code(i),
                      .seq = 1,
                      .valid_until_ms = until(READY_MS),
                      .body = hub_span_of(&b)};
    /* The key that goes may be gone before its own record comes through. */
    enum sim_expect expect = i + 1 == s->plan.rekeyed ? SIM_RIVAL : SIM_VALID;
    add_record(s, &d, READY_MS, expect)->act = SIM_GOVERNANCE;
}

static void add_replace(struct sim *s, uint8_t i)
{
    const struct sim_world *w = s->world;
    uint8_t bytes[512], cose[HUB_COSE_KEY_BYTES];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    uint64_t at = s->plan.work_ms / 2;
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
    struct draft d = {.type = HUB_TYPE_VALIDATOR_REPLACE,
                      .signer = &w->governor[i],
                      .iss = sim_member_code(i),
                      .seq = 1,
                      .valid_until_ms = until(at),
                      .body = hub_span_of(&b),
                      .cosigned = true,
                      .cosigner = &w->spare[i]};
    add_record(s, &d, at, SIM_VALID)->act = SIM_GOVERNANCE;
}

/* ---- another size: a member proposes that the first nodes vote, and all members approve */

static void encode_set(struct hub_buf *b, const struct sim_world *w, uint8_t n)
{
    hub_put_array(b, 1);
    hub_put_map(b, 3);
    put_number(b, "quorum", hub_quorum_default(n));
    hub_put_text(b, "validators");
    hub_put_array(b, n);
    for (uint8_t i = 0; i < n; i++)
        hub_put_hash(b, &w->validator[i].kid);
    hub_put_text(b, "fault_model");
    hub_put_text(b, "bft");
}

static void add_governance(struct sim *s, uint16_t type, uint8_t member, uint64_t seq, uint64_t at,
                           const struct hub_buf *body)
{
    struct draft d = {.type = type,
                      .signer = &s->world->governor[member],
                      .iss = sim_member_code(member),
                      .seq = seq,
                      .valid_until_ms = until(at),
                      .body = hub_span_of(body),
                      .cosigned = true};
    add_record(s, &d, at, SIM_VALID)->act = SIM_GOVERNANCE;
}

/* The number-th change, from 1. Approvals that come before their proposal are refused, and final like the rest. */
static void add_change(struct sim *s, uint8_t n, uint64_t number, uint64_t at)
{
    enum { APPROVED_MS = 1500 };
    uint8_t action_bytes[4096], bytes[4096 + 256];
    struct hub_buf actions = {.data = action_bytes, .cap = sizeof action_bytes};
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_hash hash;
    encode_set(&actions, s->world, n);
    hub_actions_hash(&hash, hub_span_of(&actions));
    hub_put_map(&b, 4);
    hub_put_text(&b, "title");
    hub_put_map(&b, 1);
    hub_put_text(&b, "zh");
    hub_put_text(&b, "validators");
    hub_put_text(&b, "actions");
    hub_put_raw(&b, hub_span_of(&actions));
    put_number(&b, "deadline", SIM_EPOCH_MS + 10 * DAY_MS);
    put_number16(&b, "proposal", number);
    add_governance(s, HUB_TYPE_GOVERNANCE_PROPOSE, 0, 2 * number - 1, at, &b);
    for (uint8_t i = 0; i < s->plan.n; i++) {
        b.len = 0;
        hub_put_map(&b, 2);
        put_number16(&b, "proposal", number);
        hub_put_text(&b, "actions_hash");
        hub_put_hash(&b, &hash);
        add_governance(s, HUB_TYPE_GOVERNANCE_APPROVE, i, 2 * number, at + APPROVED_MS, &b);
    }
}

/* ---- all of them */

static void add_rivals(struct writing *w)
{
    struct sim *s = w->sim;
    uint32_t first = s->records;
    add_transfer(w, SIM_RIVAL);
    add_transfer(w, SIM_RIVAL);
    s->record[first].rivals = first + 2;
    s->record[first + 1].rivals = first + 1;
}

void sim_work_write(struct sim *s)
{
    struct writing w = {
        .sim = s, .r = &s->random[SIM_RECORDS], .when = &s->random[SIM_WORK], .seq = 1};
    const struct sim_plan *p = &s->plan;
    s->records_cap =
        p->records + SIM_WALLETS + 6u + 3u * p->n + (SIM_AGREEMENTS_MAX + 1) * PARTIES_MAX;
    s->record = calloc(s->records_cap, sizeof *s->record);
    HUB_ASSERT(s->record);
    add_issue(&w);
    if (p->records == 1)
        return;
    for (; w.seq <= SIM_WALLETS; w.seq++)
        add_opening(&w);
    for (uint32_t i = 0; i < SIM_AGREEMENTS_MAX && p->load & SIM_LOAD_PARTIES && p->n > 1; i++)
        add_agreement(&w);
    for (; s->records < p->records; w.seq++) {
        if (sim_chance(w.r, 80))
            add_rivals(&w);
        else if (sim_chance(w.r, 80))
            add_transfer(&w, SIM_EXPIRED);
        else if (p->load & SIM_LOAD_LARGE && sim_chance(w.r, 100))
            add_batch(&w);
        else
            add_transfer(&w, SIM_VALID);
    }
    for (uint8_t i = 0; (p->rekeyed || p->second) && i < p->n; i++)
        add_ready(s, i);
    if (p->rekeyed)
        add_replace(s, p->rekeyed - 1);
    if (p->second)
        add_change(s, p->second, 1, p->work_ms / 4);
    if (p->third)
        add_change(s, p->third, 2, p->work_ms * 9 / 10);
}
