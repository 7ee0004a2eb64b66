#include "tests/support/desk.h"

#include "hub/record.h"
#include "tests/support/space.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 17, ROOMS = 32, ROWS = 64 };

static const char *const codes[DESK_MEMBERS] = {"XC320507", "CN310105", "JD310114", "HQHUB",
                                                "KS320583"};
static const char *const names_zh[DESK_MEMBERS] = {"相城区", "长宁区", "嘉定区",
                                                   "虹桥国际开放枢纽办公室", "昆山市"};
static const char *const names_en[DESK_MEMBERS] = {"Xiangcheng", "Changning", "Jiading",
                                                   "Hongqiao Hub Office", "Kunshan"};

/* One of 32 buffers, reused in turn: no call here needs half as many. */
static struct hub_buf room(void)
{
    static uint8_t(*bytes)[ROOM];
    static unsigned next;
    if (!bytes)
        bytes = test_space((size_t)ROOMS * ROOM);
    return (struct hub_buf){bytes[next++ % ROOMS], 0, ROOM, false};
}

static struct hub_span text(const char *s)
{
    return s == NULL ? (struct hub_span){NULL, 0}
                     : (struct hub_span){(const uint8_t *)s, strlen(s)};
}

const char *desk_code(enum desk_member m)
{
    return codes[m];
}

static void add_key(struct desk *d, struct desk_key *out, enum desk_member m, uint16_t role)
{
    uint8_t seed[HUB_SEED_BYTES] = {(uint8_t)(m + 1), (uint8_t)(role >> 8), (uint8_t)role};
    struct hub_key k = {.roles = role, .member = m, .label = text("test")};
    hub_key_from_seed(&out->key, out->secret, seed);
    hub_kid_of(&out->kid, &out->key);
    k.key = out->key;
    k.kid = out->kid;
    hub_key_add(&d->state, &k);
}

/* One state memory for all desks of a test. */
static void fresh_state(struct hub_state *s)
{
    static void *memory;
    uint32_t caps[HUB_TABLES];
    for (size_t t = 0; t < HUB_TABLES; t++)
        caps[t] = hub_table_kinds[t].slot_bytes > 4096 ? ROWS / 8 : ROWS;
    const size_t bytes = hub_state_memory_bytes(caps);
    if (memory == NULL)
        memory = test_space(bytes);
    memset(memory, 0, bytes);
    hub_state_init(s, memory, caps);
}

struct desk *desk_open(void)
{
    static struct desk desk;
    struct desk *d = &desk;
    memset(d, 0, sizeof *d);
    cr_assert(hub_crypto_self_test() == HUB_OK);
    fresh_state(&d->state);
    memset(d->chain.b, 0xc4, sizeof d->chain.b);
    d->time_ms = DESK_START_MS;
    d->height = 1;
    for (enum desk_member m = XIANGCHENG; m < DESK_MEMBERS; m++) {
        struct hub_member row = {.code = text(codes[m]),
                                 .name_zh = text(names_zh[m]),
                                 .name_en = text(names_en[m]),
                                 .kind = m == HUB_OFFICE ? HUB_KIND_HUB : HUB_KIND_DISTRICT,
                                 .voting = true,
                                 .governors_needed = 1};
        cr_assert_eq(hub_member_add(&d->state, &row), (uint32_t)m);
        add_key(d, &d->seal[m], m, HUB_ROLE_SEAL);
        add_key(d, &d->approver[m], m, HUB_ROLE_APPROVER);
        add_key(d, &d->operator_[m], m, HUB_ROLE_OPERATOR);
    }
    return d;
}

/* The row is replaced, so its borrowed texts are pointed at our own copies first. */
static struct hub_member member_copy(const struct desk *d, enum desk_member m)
{
    struct hub_member row;
    hub_member_get(&row, &d->state, m);
    row.code = text(codes[m]);
    row.name_zh = text(names_zh[m]);
    row.name_en = text(names_en[m]);
    row.contact = text("");
    return row;
}

void desk_suspend(struct desk *d, enum desk_member m, bool suspended)
{
    struct hub_member row = member_copy(d, m);
    row.suspended = suspended;
    hub_member_put(&d->state, &row);
}

void desk_seal_needs(struct desk *d, enum desk_member m, uint64_t needs)
{
    struct hub_member row = member_copy(d, m);
    row.seal_needs = needs;
    hub_member_put(&d->state, &row);
}

static void draft_id(const struct desk *d, struct hub_hash *out, uint8_t nonce_byte,
                     enum desk_member by)
{
    uint8_t nonce[16];
    memset(nonce, nonce_byte, sizeof nonce);
    hub_agreement_id(out, &d->chain, &d->seal[by].kid, nonce);
}

struct hub_draft desk_draft(const struct desk *d, uint8_t nonce)
{
    struct hub_draft b = {
        .chain = d->chain,
        .number = "虹桥合作〔2026〕1号",
        .lead = codes[XIANGCHENG],
        .title = {"区域战略合作协议", "Regional strategic cooperation agreement"},
        .place = {"上海", "Shanghai"},
        .party_count = 4,
        .party = {{codes[XIANGCHENG], HUB_PARTY_LEAD, true},
                  {codes[CHANGNING], HUB_PARTY_PARTY, true},
                  {codes[JIADING], HUB_PARTY_PARTY, true},
                  {codes[HUB_OFFICE], HUB_PARTY_WITNESS, false}},
        .area_count = 1,
        .area = {{"eco", {"生态环境", "Ecological environment"}}},
        .document_count = 2,
        .document = {{"agreement.pdf", "application/pdf", "zh", 120000, {{0xd1}}},
                     {"annex.pdf", "application/pdf", NULL, 4000, {{0xd2}}}},
        .revision = 1,
        .prevailing = HUB_PREVAILING_ZH,
        .document_date = "--05-22",
        .sign_by_ms = d->time_ms + 10 * (uint64_t)DESK_DAY_MS,
        .effective = HUB_EFFECTIVE_LAST_SIGNATURE,
        .expires_ms = d->time_ms + 1000 * (uint64_t)DESK_DAY_MS,
        .need_terminate = 2,
        .withdraw_allowed = true,
        .withdraw_notice_days = 90,
        .visibility = HUB_VISIBILITY_MEMBERS,
    };
    draft_id(d, &b.agreement, nonce, XIANGCHENG);
    return b;
}

static struct hub_record_draft record_draft(struct desk *d, uint16_t type, struct hub_span core,
                                            const struct desk_key *signer, char iss[24],
                                            char sub[65])
{
    struct hub_key k;
    cr_assert(hub_key_find(&k, &d->state, &signer->kid));
    hub_key_iss(iss, &d->state, &k);
    cr_assert(hub_record_sub(sub, type, core, text(iss)));
    return (struct hub_record_draft){.type = type,
                                     .kid = signer->kid,
                                     .chain = d->chain,
                                     .iss = text(iss),
                                     .sub = text(sub),
                                     .seq = ++d->seq,
                                     .valid_until_ms = d->time_ms + 3600000};
}

static struct hub_span payload_of(struct desk *d, const struct hub_record_draft *draft,
                                  struct hub_span core)
{
    struct hub_buf protected_ = room(), scratch = room(), payload = room();
    struct hub_cosignature by;
    hub_record_protected(&protected_, draft);
    if (d->cosigner != NULL)
        hub_cosign(&by, &scratch, hub_span_of(&protected_), core, &d->cosigner->key,
                   d->cosigner->secret);
    hub_payload_cosigned(&payload, core, &by, d->cosigner != NULL);
    cr_assert(!payload.full && !protected_.full);
    return hub_span_of(&payload);
}

static uint16_t apply(struct desk *d, const struct hub_record *r)
{
    struct hub_buf value = room();
    struct hub_key signer;
    cr_assert(hub_key_find(&signer, &d->state, &r->kid));
    struct hub_apply a = {.state = &d->state,
                          .record = r,
                          .signer = &signer,
                          .height = d->height++,
                          .time_ms = d->time_ms,
                          .parent_time_ms = d->time_ms - 1,
                          .chain = d->chain,
                          .value = &value,
                          .keys_before = d->state.count[HUB_TABLE_KEYS]};
    return hub_record_types[r->type].apply(&a);
}

uint16_t desk_submit(struct desk *d, uint16_t type, struct hub_span core,
                     const struct desk_key *signer)
{
    char iss[24], sub[65];
    struct hub_buf bytes = room(), scratch = room();
    struct hub_record r;
    struct hub_record_keys keys;
    uint16_t why = 0;
    struct hub_record_draft draft = record_draft(d, type, core, signer, iss, sub);
    draft.payload = payload_of(d, &draft, core);
    cr_assert(hub_record_build(&bytes, &scratch, &draft, signer->secret) == HUB_OK);
    if (hub_record_decode(&r, &why, hub_span_of(&bytes), (struct hub_span){NULL, 0}, &d->chain) !=
        HUB_OK)
        return why;
    d->last_id = r.id;
    why = hub_record_resolve(&keys, &d->state, &r);
    if (why != 0 || !hub_record_verify(&r, &why, &keys))
        return why;
    return apply(d, &r);
}

/* The consent-part over a body, with whatever the desk was told to do wrong. */
static struct hub_span consent_part(struct desk *d, struct hub_span body, enum desk_member by,
                                    const char *remark)
{
    struct hub_buf protected_ = room(), message = room(), item = room(), part = room();
    const struct desk_key *key = d->sign_with != NULL ? d->sign_with : &d->seal[by];
    struct hub_hash reviewed[HUB_DOCUMENTS_MAX];
    struct hub_signature signature;
    struct hub_cbor c;
    uint32_t count;
    hub_consent_protected(&protected_, d->claim_kid != NULL ? d->claim_kid : &key->kid,
                          text(remark));
    hub_consent_message(&message, body, hub_span_of(&protected_));
    hub_sign(&signature, key->secret, hub_span_of(&message));
    signature.b[0] ^= d->bad_signature;
    hub_consent_encode(&item, hub_span_of(&protected_), &signature);
    cr_assert(hub_field_array(body, "documents", &c, &count));
    for (uint32_t i = 0; i < count; i++)
        memcpy(reviewed[i].b, hub_field_span(hub_cbor_item(&c), "sha256").data, 32);
    hub_consent_part_encode(&part, reviewed, count - d->skip_review, hub_span_of(&item));
    cr_assert(!part.full);
    return hub_span_of(&part);
}

uint16_t desk_propose(struct desk *d, const struct hub_draft *draft, uint8_t nonce_byte,
                      enum desk_member by, bool sign)
{
    struct hub_buf body = room(), core = room();
    struct hub_span part = {NULL, 0};
    uint8_t nonce[16];
    memset(nonce, nonce_byte, sizeof nonce);
    hub_draft_encode(&body, draft);
    if (sign)
        part = consent_part(d, hub_span_of(&body), by, NULL);
    hub_propose_encode(&core, hub_span_of(&body), nonce, part);
    return desk_submit(d, HUB_TYPE_AGREEMENT_PROPOSE, hub_span_of(&core), &d->seal[by]);
}

uint16_t desk_amend(struct desk *d, const struct hub_draft *draft, enum desk_member by, bool sign)
{
    struct hub_buf body = room(), core = room();
    struct hub_span part = {NULL, 0};
    hub_draft_encode(&body, draft);
    if (sign)
        part = consent_part(d, hub_span_of(&body), by, NULL);
    hub_amend_encode(&core, &draft->agreement, hub_span_of(&body), part);
    return desk_submit(d, HUB_TYPE_AGREEMENT_AMEND, hub_span_of(&core), &d->seal[by]);
}

uint16_t desk_decide_on(struct desk *d, const struct hub_hash *agreement, uint32_t revision,
                        const struct hub_hash *hash, enum desk_member by,
                        enum hub_decision decision, const char *remark)
{
    struct hub_buf core = room(), draft = room();
    struct hub_agreement ag;
    struct hub_revision current;
    struct hub_span part = {NULL, 0}, body;
    if (hub_agreement_find(&ag, &d->state, agreement) &&
        hub_revision_find(&current, &d->state, agreement, ag.revision)) {
        body = current.body;
    } else {
        struct hub_draft other = desk_draft(d, 0xee);
        hub_draft_encode(&draft, &other);
        body = hub_span_of(&draft);
    }
    if (decision == HUB_DECISION_SIGN)
        part = consent_part(d, body, by, remark);
    hub_consent_record_encode(&core, agreement, revision, hash, decision, text(remark), part);
    return desk_submit(d, HUB_TYPE_AGREEMENT_CONSENT, hub_span_of(&core), &d->seal[by]);
}

uint16_t desk_decide(struct desk *d, const struct hub_hash *agreement, enum desk_member by,
                     enum hub_decision decision, const char *remark)
{
    struct hub_agreement ag = desk_agreement(d, agreement);
    struct hub_revision current;
    cr_assert(hub_revision_find(&current, &d->state, agreement, ag.revision));
    struct hub_hash hash = current.hash;
    return desk_decide_on(d, agreement, ag.revision, &hash, by, decision, remark);
}

struct hub_draft desk_next(const struct desk *d, const struct hub_draft *draft)
{
    struct hub_draft next = *draft;
    struct hub_agreement ag = desk_agreement(d, &draft->agreement);
    struct hub_revision current;
    cr_assert(hub_revision_find(&current, &d->state, &ag.id, ag.revision));
    next.revision = ag.revision + 1;
    next.previous = current.hash;
    next.sign_by_ms = d->time_ms + 10 * (uint64_t)DESK_DAY_MS;
    next.change_note = (struct hub_bilingual){"按意见修改", NULL};
    return next;
}

struct hub_agreement desk_agreement(const struct desk *d, const struct hub_hash *agreement)
{
    struct hub_agreement ag;
    cr_assert(hub_agreement_find(&ag, &d->state, agreement));
    return ag;
}

enum hub_agreement_state desk_standing(const struct desk *d, const struct hub_hash *agreement)
{
    struct hub_agreement ag = desk_agreement(d, agreement);
    return hub_agreement_standing(&ag, d->time_ms);
}

void desk_force(struct desk *d, const struct hub_hash *agreement, enum hub_agreement_state state)
{
    struct hub_agreement ag = desk_agreement(d, agreement);
    ag.state = state;
    hub_agreement_put(&d->state, &ag);
}
