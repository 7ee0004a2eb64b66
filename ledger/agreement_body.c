/* agreement_body.c: fields and static rules of the agreement records (docs/agreements.md). What follows here
 * needs no state: a record that breaks it can be in no block. */
#include "ledger/agreement.h"

#include "hub/record.h"

enum {
    WITHDRAW_NOTICE_DAYS_MAX = 3650, /* ten years: longer notice is none */
    REVIEW_DAYS_MAX = 180,
    DEEMED_DAYS_MAX = 365,
    CONSENT_BYTES_MAX = 1200 /* of one consent-signature: remark 1,000, kid, signature, heads */
};

const char *const hub_decision_field_names[] = {"sign", "refuse", "return", NULL};
const char *const hub_effective_on_names[] = {"last-signature", "notice", NULL};
const char *const hub_party_as_names[] = {"lead", "party", "witness", NULL};
const char *const hub_visibility_names[] = {"public", "members", "named", NULL};
static const char *const lang_names[] = {"zh", "en", "both", NULL};
static const char *const prevailing_names[] = {"zh", "en", "equal", NULL};
static const char *const accept_names[] = {"all", "any", "listed", NULL};
static const char *const then_names[] = {"others-stay", "ends", NULL};

/* bi(N) of docs/agreements.md: Chinese always, English where there is one. */
#define BILINGUAL(id, bytes)                                                                       \
    static const struct hub_field id[] = {                                                         \
        {.name = "en", .kind = HUB_FIELD_TEXT, .min = 1, .max = (bytes)},                          \
        {.name = "zh", .kind = HUB_FIELD_TEXT, .required = true, .min = 1, .max = (bytes)},        \
        {.name = NULL}}
BILINGUAL(bi_100, 100);
BILINGUAL(bi_200, 200);
BILINGUAL(bi_300, 300);
BILINGUAL(bi_1000, 1000);

#define FIELD(n, k, ...)                                                                           \
    {                                                                                              \
        .name = (n), .kind = HUB_FIELD_##k, .required = true, __VA_ARGS__                          \
    }
#define OPTION(n, k, ...)                                                                          \
    {                                                                                              \
        .name = (n), .kind = HUB_FIELD_##k, .required = false, __VA_ARGS__                         \
    }
#define BOUNDS(low, high) .min = (low), .max = (high)
#define MOMENT BOUNDS(0, HUB_UINT_MAX)
#define END                                                                                        \
    {                                                                                              \
        .name = NULL                                                                               \
    }

static const struct hub_field document[] = {
    OPTION("lang", ENUM, .names = lang_names),
    FIELD("name", TEXT, BOUNDS(1, 200)),
    FIELD("size", UINT, BOUNDS(0, (uint64_t)1 << 40)),
    FIELD("media", TEXT, BOUNDS(1, 100)),
    FIELD("sha256", HASH, BOUNDS(32, 32)),
    END,
};
static const struct hub_field document_item = {.kind = HUB_FIELD_MAP, .sub = document};

static const struct hub_field party[] = {
    FIELD("as", ENUM, .names = hub_party_as_names),
    FIELD("member", CODE, BOUNDS(3, HUB_MEMBER_CODE_MAX)),
    FIELD("must_sign", BOOL, BOUNDS(0, 1)),
    END,
};
static const struct hub_field party_item = {.kind = HUB_FIELD_MAP, .sub = party};

static const struct hub_field area[] = {
    FIELD("code", TEXT, BOUNDS(1, 32)),
    FIELD("name", MAP, .sub = bi_100),
    END,
};
static const struct hub_field area_item = {.kind = HUB_FIELD_MAP, .sub = area};

static const struct hub_field code_item = {.kind = HUB_FIELD_CODE, BOUNDS(3, HUB_MEMBER_CODE_MAX)};
static const struct hub_field accept[] = {
    OPTION("who", ARRAY, BOUNDS(1, HUB_PARTIES_MAX), .sub = &code_item),
    FIELD("rule", ENUM, .names = accept_names),
    END,
};
static const struct hub_field milestone[] = {
    FIELD("no", UINT, BOUNDS(1, HUB_MILESTONES_MAX)),
    FIELD("due", TIME, MOMENT),
    FIELD("owner", CODE, BOUNDS(3, HUB_MEMBER_CODE_MAX)),
    FIELD("title", MAP, .sub = bi_200),
    FIELD("accept", MAP, .sub = accept),
    OPTION("deemed_days", UINT, BOUNDS(0, DEEMED_DAYS_MAX)),
    OPTION("review_days", UINT, BOUNDS(1, REVIEW_DAYS_MAX)),
    END,
};
static const struct hub_field milestone_item = {.kind = HUB_FIELD_MAP, .sub = milestone};

static const struct hub_field effective[] = {
    OPTION("at", TIME, MOMENT),
    OPTION("on", ENUM, .names = hub_effective_on_names),
    END,
};
static const struct hub_field need[] = {FIELD("need", RAW, BOUNDS(1, 16)), END};
static const struct hub_field withdraw[] = {
    FIELD("then", ENUM, .names = then_names),
    FIELD("allowed", BOOL, BOUNDS(0, 1)),
    FIELD("notice_days", UINT, BOUNDS(0, WITHDRAW_NOTICE_DAYS_MAX)),
    END,
};
static const struct hub_field rules[] = {
    FIELD("amend", MAP, .sub = need),
    FIELD("renew", MAP, .sub = need),
    OPTION("dispute", MAP, .sub = bi_300),
    FIELD("suspend", MAP, .sub = need),
    FIELD("withdraw", MAP, .sub = withdraw),
    FIELD("terminate", MAP, .sub = need),
    END,
};

/* agreement-body: what every party signs. */
static const struct hub_field agreement_body[] = {
    FIELD("lead", CODE, BOUNDS(3, HUB_MEMBER_CODE_MAX)),
    OPTION("areas", ARRAY, BOUNDS(0, HUB_AREAS_MAX), .sub = &area_item),
    FIELD("chain", HASH, BOUNDS(32, 32)),
    OPTION("place", MAP, .sub = bi_100),
    FIELD("rules", MAP, .sub = rules),
    FIELD("title", MAP, .sub = bi_300),
    FIELD("number", TEXT, BOUNDS(1, HUB_AGREEMENT_NUMBER_MAX)),
    OPTION("expires", TIME, MOMENT),
    FIELD("parties", ARRAY, BOUNDS(2, HUB_PARTIES_MAX), .sub = &party_item),
    FIELD("sign_by", TIME, MOMENT),
    OPTION("previous", HASH, BOUNDS(32, 32)),
    FIELD("revision", UINT, BOUNDS(1, UINT32_MAX)),
    FIELD("agreement", HASH, BOUNDS(32, 32)),
    FIELD("documents", ARRAY, BOUNDS(1, HUB_DOCUMENTS_MAX), .sub = &document_item),
    FIELD("effective", MAP, .sub = effective),
    FIELD("retention", RAW, BOUNDS(1, 16)),
    OPTION("milestones", ARRAY, BOUNDS(0, HUB_MILESTONES_MAX), .sub = &milestone_item),
    FIELD("prevailing", ENUM, .names = prevailing_names),
    FIELD("visibility", ENUM, .names = hub_visibility_names),
    OPTION("change_note", MAP, .sub = bi_1000),
    FIELD("document_date", DATE, BOUNDS(7, 10)),
    END,
};

static const struct hub_field hash_item = {.kind = HUB_FIELD_HASH, BOUNDS(32, 32)};
static const struct hub_field consent_part[] = {
    FIELD("reviewed", ARRAY, BOUNDS(1, HUB_DOCUMENTS_MAX), .sub = &hash_item),
    OPTION("seal_ref", HASH, BOUNDS(32, 32)),
    FIELD("signature", RAW, BOUNDS(1, CONSENT_BYTES_MAX)),
    END,
};

const struct hub_field hub_agreement_propose_fields[] = {
    FIELD("body", NESTED, BOUNDS(1, HUB_RECORD_BYTES_MAX), .sub = agreement_body),
    FIELD("nonce", BYTES, BOUNDS(16, 16)),
    OPTION("consent", MAP, .sub = consent_part),
    END,
};
const struct hub_field hub_agreement_amend_fields[] = {
    FIELD("body", NESTED, BOUNDS(1, HUB_RECORD_BYTES_MAX), .sub = agreement_body),
    OPTION("consent", MAP, .sub = consent_part),
    FIELD("agreement", HASH, BOUNDS(32, 32)),
    END,
};
const struct hub_field hub_agreement_consent_fields[] = {
    OPTION("remark", TEXT, BOUNDS(1, HUB_REMARK_BYTES_MAX)),
    OPTION("consent", MAP, .sub = consent_part),
    FIELD("decision", ENUM, .names = hub_decision_field_names),
    FIELD("revision", UINT, BOUNDS(1, UINT32_MAX)),
    FIELD("agreement", HASH, BOUNDS(32, 32)),
    FIELD("body_hash", HASH, BOUNDS(32, 32)),
    END,
};

struct party_list { /* borrowed from the body */
    uint32_t count, must_sign;
    struct hub_span code[HUB_PARTIES_MAX];
};

static bool listed(const struct party_list *l, struct hub_span code)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (hub_span_equal(l->code[i], code))
            return true;
    return false;
}

/* Parties once each; exactly one `lead`, the one body.lead names; at least two must sign, for one signature
 * is no agreement. */
static uint16_t check_parties(struct party_list *out, struct hub_span body)
{
    struct hub_cbor c;
    uint32_t count, leads = 0;
    struct hub_span lead = hub_field_span(body, "lead");
    out->count = out->must_sign = 0;
    if (!hub_field_array(body, "parties", &c, &count))
        return HUB_CODE_body_invalid;
    for (uint32_t i = 0; i < count; i++) {
        struct hub_span item = hub_cbor_item(&c);
        struct hub_span code = hub_field_span(item, "member");
        bool is_lead = hub_field_enum(item, "as", hub_party_as_names) == HUB_PARTY_LEAD;
        if (listed(out, code) || is_lead != hub_span_equal(code, lead))
            return HUB_CODE_body_invalid;
        leads += is_lead;
        out->must_sign += hub_field_bool(item, "must_sign", false);
        out->code[out->count++] = code;
    }
    return leads == 1 && out->must_sign >= 2 ? 0 : HUB_CODE_body_invalid;
}

#define TEXT(literal) ((struct hub_span){(const uint8_t *)(literal), sizeof(literal) - 1})

static bool text_is(struct hub_cbor c, struct hub_span want)
{
    struct hub_span got = hub_cbor_text(&c, 0, 16);
    return !c.bad && hub_span_equal(got, want);
}

/* {need: "all" / "lead" / m}, m of the parties that must sign. */
static uint16_t check_need(struct hub_span rules_map, const char *name, uint32_t voters)
{
    struct hub_cbor c = hub_cbor_open(hub_field_item(hub_field_item(rules_map, name), "need"));
    if (hub_cbor_peek(&c) == HUB_CBOR_TEXT)
        return text_is(c, TEXT("all")) || text_is(c, TEXT("lead")) ? 0 : HUB_CODE_body_invalid;
    if (hub_cbor_peek(&c) != HUB_CBOR_UINT)
        return HUB_CODE_body_invalid;
    hub_cbor_uint(&c, 1, voters);
    return c.bad ? HUB_CODE_threshold_form : 0;
}

static uint16_t check_rules(struct hub_span body, uint32_t voters)
{
    static const char *const names[] = {"amend", "renew", "suspend", "terminate"};
    struct hub_span map = hub_field_item(body, "rules");
    uint16_t code = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names && code == 0; i++)
        code = check_need(map, names[i], voters);
    return code;
}

/* A hash stands for a file, so it is listed once. */
static uint16_t check_documents(struct hub_span body)
{
    struct hub_cbor c;
    struct hub_span seen[HUB_DOCUMENTS_MAX];
    uint32_t count;
    if (!hub_field_array(body, "documents", &c, &count))
        return HUB_CODE_body_invalid;
    for (uint32_t i = 0; i < count; i++) {
        seen[i] = hub_field_span(hub_cbor_item(&c), "sha256");
        for (uint32_t j = 0; j < i; j++)
            if (hub_span_equal(seen[i], seen[j]))
                return HUB_CODE_hash_form;
    }
    return 0;
}

/* `who` goes with the rule `listed` and names parties other than the owner, once each. */
static uint16_t check_acceptors(struct hub_span accept_map, struct hub_span owner,
                                const struct party_list *parties)
{
    struct hub_cbor c;
    struct party_list seen = {0};
    uint32_t count;
    bool by_list = hub_field_enum(accept_map, "rule", accept_names) == 2;
    if (!hub_field_array(accept_map, "who", &c, &count))
        return by_list ? HUB_CODE_body_invalid : 0;
    if (!by_list)
        return HUB_CODE_body_invalid;
    for (uint32_t i = 0; i < count; i++) {
        struct hub_span item = hub_cbor_item(&c);
        struct hub_cbor text = hub_cbor_open(item);
        struct hub_span code = hub_cbor_text(&text, 0, HUB_MEMBER_CODE_MAX);
        if (!listed(parties, code) || listed(&seen, code) || hub_span_equal(code, owner))
            return HUB_CODE_body_invalid;
        seen.code[seen.count++] = code;
    }
    return 0;
}

/* Numbers ascend, so that each is there once. */
static uint16_t check_milestones(struct hub_span body, const struct party_list *parties)
{
    struct hub_cbor c;
    uint32_t count;
    uint64_t last = 0;
    if (!hub_field_array(body, "milestones", &c, &count))
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        struct hub_span item = hub_cbor_item(&c);
        struct hub_span owner = hub_field_span(item, "owner");
        uint64_t no = hub_field_uint(item, "no", 0);
        if (no <= last || !listed(parties, owner))
            return HUB_CODE_body_invalid;
        uint16_t code = check_acceptors(hub_field_item(item, "accept"), owner, parties);
        if (code != 0)
            return code;
        last = no;
    }
    return 0;
}

/* effective has one form; an agreement that ends does so after it can be signed and after it begins. */
static uint16_t check_times(struct hub_span body)
{
    struct hub_span map = hub_field_item(body, "effective");
    uint64_t expires = hub_field_uint(body, "expires", UINT64_MAX),
             at = hub_field_uint(map, "at", 1);
    if (hub_field_has(map, "at") == hub_field_has(map, "on"))
        return HUB_CODE_body_invalid;
    if (at == 0 || expires <= at || expires <= hub_field_uint(body, "sign_by", 0))
        return HUB_CODE_body_invalid;
    return 0;
}

static uint16_t check_retention(struct hub_span body)
{
    struct hub_cbor c = hub_cbor_open(hub_field_item(body, "retention"));
    if (hub_cbor_peek(&c) == HUB_CBOR_TEXT)
        return text_is(c, TEXT("permanent")) ? 0 : HUB_CODE_body_invalid;
    uint64_t years = hub_cbor_uint(&c, 10, 30);
    return !c.bad && (years == 10 || years == 30) ? 0 : HUB_CODE_body_invalid;
}

/* The first revision has no former body and no note of changes; every other names the body it replaces. */
static uint16_t check_revision(struct hub_span body, bool first)
{
    if ((hub_field_uint(body, "revision", 0) == 1) != first)
        return HUB_CODE_body_invalid;
    if (hub_field_has(body, "previous") == first || (first && hub_field_has(body, "change_note")))
        return HUB_CODE_body_invalid;
    return 0;
}

/* The chain id under the record's signature (formats.cddl section 3, label -70000). */
static struct hub_hash chain_of(const struct hub_record *r)
{
    struct hub_cbor c = hub_cbor_open(r->protected_);
    struct hub_hash chain;
    uint32_t pairs = hub_cbor_map(&c, 5, 5);
    for (uint32_t i = 1; i < 2 * pairs;
         i++) /* four labels with their values, then the fifth label */
        hub_cbor_item(&c);
    hub_cbor_array(&c, 3, 3);
    hub_cbor_hash(&c, &chain);
    return chain;
}

static bool hash_is(struct hub_span map, const char *name, const struct hub_hash *h)
{
    return hub_span_equal(hub_field_span(map, name), (struct hub_span){h->b, sizeof h->b});
}

static uint16_t check_body(const struct hub_record *r, struct hub_span body, bool first)
{
    struct party_list parties;
    struct hub_hash chain = chain_of(r);
    if (!hash_is(body, "chain", &chain))
        return HUB_CODE_chain_mismatch;
    uint16_t code = check_revision(body, first);
    if (code == 0)
        code = check_parties(&parties, body);
    if (code == 0)
        code = check_milestones(body, &parties);
    if (code == 0)
        code = check_times(body);
    if (code == 0)
        code = check_retention(body);
    if (code == 0)
        code = check_documents(body);
    if (code == 0)
        code = check_rules(body, parties.must_sign);
    return code;
}

/* Form of a consent-part; whose signature it is and whether it stands is judged with the state. */
static uint16_t check_consent(struct hub_span core)
{
    struct hub_consent consent;
    struct hub_cbor c;
    struct hub_span seen[HUB_DOCUMENTS_MAX];
    uint32_t count;
    if (!hub_field_has(core, "consent"))
        return 0;
    struct hub_span part = hub_field_item(core, "consent");
    if (!hub_consent_decode(&consent, hub_field_item(part, "signature")) ||
        !hub_field_array(part, "reviewed", &c, &count))
        return HUB_CODE_body_invalid;
    for (uint32_t i = 0; i < count; i++) {
        seen[i] = hub_cbor_item(&c);
        for (uint32_t j = 0; j < i; j++)
            if (hub_span_equal(seen[i], seen[j]))
                return HUB_CODE_hash_form;
    }
    return 0;
}

uint16_t hub_agreement_propose_check(const struct hub_record *r)
{
    struct hub_span body = hub_field_span(r->body, "body");
    struct hub_hash chain = chain_of(r), id;
    uint16_t code = check_consent(r->body);
    if (code == 0)
        code = check_body(r, body, true);
    if (code != 0)
        return code;
    hub_agreement_id(&id, &chain, &r->kid, hub_field_span(r->body, "nonce").data);
    return hash_is(body, "agreement", &id) ? 0 : HUB_CODE_body_invalid;
}

uint16_t hub_agreement_amend_check(const struct hub_record *r)
{
    struct hub_span body = hub_field_span(r->body, "body");
    uint16_t code = check_consent(r->body);
    if (code == 0)
        code = check_body(r, body, false);
    if (code != 0)
        return code;
    return hub_span_equal(hub_field_span(r->body, "agreement"), hub_field_span(body, "agreement"))
               ? 0
               : HUB_CODE_body_invalid;
}

/* A consent-part belongs to the decision to sign and to no other, and repeats the record's remark: the
 * stand-alone file must say what the ledger says. */
uint16_t hub_agreement_consent_check(const struct hub_record *r)
{
    struct hub_consent consent;
    bool sign =
        hub_field_enum(r->body, "decision", hub_decision_field_names) + 1 == HUB_DECISION_SIGN;
    if (sign != hub_field_has(r->body, "consent"))
        return HUB_CODE_body_invalid;
    uint16_t code = check_consent(r->body);
    if (code != 0 || !sign)
        return code;
    struct hub_span part = hub_field_item(r->body, "consent");
    if (!hub_consent_decode(&consent, hub_field_item(part, "signature")) ||
        !hub_span_equal(consent.remark, hub_field_span(r->body, "remark")))
        return HUB_CODE_body_invalid;
    return 0;
}
