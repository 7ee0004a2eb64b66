/* agreement.c: what agreement.propose, agreement.consent and agreement.amend do (docs/agreements.md).
 *  1. A rule checks everything, in the order of the result codes, and then writes.
 *  2. An agreement is judged by its standing at block time, so what time brought about counts even where
 *     no record has said so.
 *  3. Completeness is judged by the party list inside the body, which the row repeats by member rows.
 * Amending an agreement that everybody signed would open an amendment beside it (A.4.2), which this
 * version of the protocol does not have: it answers state_forbids. */
#include "ledger/agreement.h"

#include "hub/record.h"

enum {
    SEAL_ROLES = HUB_ROLE_SEAL | HUB_ROLE_CHECKER | HUB_ROLE_APPROVER
}; /* who may co-sign for a member */

static const struct hub_span no_bytes = {NULL, 0};

/* The member behind the signing key may act, and as many of its officers co-signed as it asks for. */
static uint16_t check_signer(const struct hub_apply *a)
{
    struct hub_member m;
    struct hub_hash kid;
    struct hub_key k;
    hub_member_get(&m, a->state, a->signer->member);
    for (uint32_t i = 0; hub_record_cosigner(a->record, i, &kid); i++)
        if (!hub_key_find(&k, a->state, &kid) || k.member != m.row || (k.roles & SEAL_ROLES) == 0)
            return HUB_CODE_cosign_role;
    if (m.seal_needs > 0 && !hub_apply_cosigned(a, m.row, SEAL_ROLES, m.seal_needs))
        return HUB_CODE_cosign_missing;
    return m.suspended ? HUB_CODE_member_suspended : 0;
}

static struct hub_agreement_party *party_of(struct hub_agreement *ag, uint32_t member)
{
    for (uint32_t i = 0; i < ag->party_count; i++)
        if (ag->party[i].member == member)
            return &ag->party[i];
    return NULL;
}

/* The body's parties by their member rows. */
static uint16_t read_parties(struct hub_agreement *out, const struct hub_state *s,
                             struct hub_span body)
{
    struct hub_cbor c;
    uint32_t count;
    bool has = hub_field_array(body, "parties", &c, &count);
    HUB_ASSERT(has &&
               count <= HUB_PARTIES_MAX); /* the body was checked when the record was decoded */
    for (uint32_t i = 0; i < count; i++) {
        struct hub_span item = hub_cbor_item(&c);
        struct hub_member m;
        if (!hub_member_find(&m, s, hub_field_span(item, "member")) || m.removed)
            return HUB_CODE_member_unknown;
        enum hub_party_as as = (enum hub_party_as)hub_field_enum(item, "as", hub_party_as_names);
        out->party[i] = (struct hub_agreement_party){
            .member = m.row, .as = as, .must_sign = hub_field_bool(item, "must_sign", false)};
        if (as == HUB_PARTY_LEAD)
            out->lead = m.row;
    }
    out->party_count = count;
    return 0;
}

/* What the row repeats of a new draft; nobody has decided on it yet. */
static uint16_t read_draft(struct hub_agreement *out, const struct hub_state *s,
                           struct hub_span body)
{
    struct hub_span effective = hub_field_item(body, "effective");
    bool dated = hub_field_has(effective, "at");
    uint16_t code = read_parties(out, s, body);
    if (code != 0)
        return code;
    out->state = HUB_AGREEMENT_PROPOSED;
    out->number = hub_field_span(body, "number");
    out->revision = (uint32_t)hub_field_uint(body, "revision", 0);
    out->visibility = (enum hub_visibility)hub_field_enum(body, "visibility", hub_visibility_names);
    out->effective_rule =
        dated ? HUB_EFFECTIVE_AT
              : (enum hub_effective)(hub_field_enum(effective, "on", hub_effective_on_names) + 1);
    out->effective_ms = hub_field_uint(effective, "at", 0);
    out->sign_by_ms = hub_field_uint(body, "sign_by", 0);
    out->expires_ms = hub_field_uint(body, "expires", 0);
    return 0;
}

static bool reviewed(struct hub_span part, struct hub_span sha256)
{
    struct hub_cbor c;
    uint32_t count;
    if (!hub_field_array(part, "reviewed", &c, &count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (hub_span_equal(hub_cbor_bytes(&c, 32, 32), sha256))
            return true;
    return false;
}

/* The consent in a record's core covers every document of the body and is signed by the record's own key. */
static uint16_t check_consent(const struct hub_apply *a, struct hub_span body)
{
    struct hub_span part = hub_field_item(a->record->body, "consent");
    struct hub_consent consent;
    struct hub_cbor c;
    uint32_t count;
    if (!hub_field_array(body, "documents", &c, &count))
        return HUB_CODE_reviewed_missing;
    for (uint32_t i = 0; i < count; i++)
        if (!reviewed(part, hub_field_span(hub_cbor_item(&c), "sha256")))
            return HUB_CODE_reviewed_missing;
    if (!hub_consent_decode(&consent, hub_field_item(part, "signature")) ||
        !hub_consent_ok(&consent, body, &a->signer->key))
        return HUB_CODE_consent_invalid;
    return 0;
}

/* The same for a draft, whose own consent is optional. */
static uint16_t check_own_consent(const struct hub_apply *a, struct hub_span body)
{
    return hub_field_has(a->record->body, "consent") ? check_consent(a, body) : 0;
}

/* One party's decision into the row; a refusal stands until that party signs. */
static void decide(struct hub_agreement_party *p, enum hub_decision decision,
                   const struct hub_apply *a)
{
    p->returned = decision == HUB_DECISION_RETURN;
    if (decision != HUB_DECISION_RETURN || p->decision != HUB_DECISION_REFUSE)
        p->decision = decision;
    p->at_ms = a->time_ms;
    p->height = a->height;
    p->index = a->index;
}

/* The stored state that the decisions add up to, while the draft can still be signed. */
static void settle(struct hub_agreement *ag, uint64_t time_ms)
{
    bool all_signed = true, refused = false;
    if (ag->state != HUB_AGREEMENT_PROPOSED && ag->state != HUB_AGREEMENT_REFUSED)
        return; /* signed before: this was an accession */
    for (uint32_t i = 0; i < ag->party_count; i++) {
        if (!ag->party[i].must_sign)
            continue;
        all_signed = all_signed && ag->party[i].decision == HUB_DECISION_SIGN;
        refused = refused || ag->party[i].decision == HUB_DECISION_REFUSE;
    }
    ag->state = refused ? HUB_AGREEMENT_REFUSED : HUB_AGREEMENT_PROPOSED;
    if (!all_signed)
        return;
    HUB_ASSERT(!refused);
    ag->state = HUB_AGREEMENT_SIGNED;
    ag->approved = ag->revision;
    if (ag->effective_rule == HUB_EFFECTIVE_LAST_SIGNATURE)
        ag->effective_ms = time_ms;
}

/* Keeps the party's words and, of a signature, all that the stand-alone file needs. */
static void keep_statement(const struct hub_apply *a, const struct hub_agreement *ag,
                           enum hub_decision decision, struct hub_span remark)
{
    struct hub_consent consent = {0};
    struct hub_statement w = {.decision = decision,
                              .remark = remark,
                              .at_ms = a->time_ms,
                              .height = a->height,
                              .index = a->index,
                              .kid = a->record->kid,
                              .signature = no_bytes};
    if (decision == HUB_DECISION_SIGN) {
        struct hub_span part = hub_field_item(a->record->body, "consent");
        bool form = hub_consent_decode(&consent, hub_field_item(part, "signature"));
        HUB_ASSERT(form); /* check_consent read it */
        w.remark = consent.remark;
        w.signature = (struct hub_span){consent.signature->b, sizeof consent.signature->b};
    }
    hub_statement_put(a->state, &ag->id, ag->revision, a->signer->member, &w);
}

static void keep_revision(const struct hub_apply *a, const struct hub_agreement *ag,
                          struct hub_span body)
{
    struct hub_revision r = {.body = body,
                             .record = a->record->id,
                             .proposer = a->signer->member,
                             .proposed_ms = a->time_ms,
                             .height = a->height,
                             .index = a->index,
                             .party_count = ag->party_count};
    hub_hash_span(&r.hash, body);
    for (uint32_t i = 0; i < ag->party_count; i++)
        r.party[i] = ag->party[i].member;
    hub_revision_add(a->state, &ag->id, ag->revision, &r);
}

/* The proposer's own consent, where the draft brought one. */
static void sign_own_draft(const struct hub_apply *a, struct hub_agreement *ag)
{
    struct hub_agreement_party *p = party_of(ag, a->signer->member);
    if (!hub_field_has(a->record->body, "consent"))
        return;
    HUB_ASSERT(p != NULL);
    decide(p, HUB_DECISION_SIGN, a);
    keep_statement(a, ag, HUB_DECISION_SIGN, no_bytes);
}

static struct hub_hash hash_field(struct hub_span map, const char *name)
{
    struct hub_cbor c = hub_cbor_open(hub_field_item(map, name));
    struct hub_hash h;
    hub_cbor_hash(&c, &h);
    HUB_ASSERT(!c.bad); /* checked when the record was decoded */
    return h;
}

uint16_t hub_agreement_propose_apply(struct hub_apply *a)
{
    struct hub_span body = hub_field_span(a->record->body, "body");
    struct hub_agreement ag = {.id = hash_field(body, "agreement"),
                               .proposer = a->signer->member,
                               .proposed_ms = a->time_ms,
                               .last_record = a->record->id};
    struct hub_agreement known;
    uint16_t code = check_signer(a);
    if (code == 0)
        code = read_draft(&ag, a->state, body);
    if (code != 0)
        return code;
    if (hub_agreement_find(&known, a->state, &ag.id) ||
        hub_agreement_number_taken(a->state, ag.lead, ag.number, UINT32_MAX))
        return HUB_CODE_agreement_exists;
    if (party_of(&ag, a->signer->member) == NULL)
        return HUB_CODE_not_a_party;
    if (a->time_ms >= ag.sign_by_ms)
        return HUB_CODE_sign_by_passed;
    code = check_own_consent(a, body);
    if (code != 0)
        return code;

    sign_own_draft(a, &ag);
    keep_revision(a, &ag, body);
    hub_agreement_add(a->state, &ag);
    hub_agreement_number_claim(a->state, ag.lead, ag.number, ag.row);
    return 0;
}

/* A.4.1, row `amend`. */
static uint16_t may_amend(enum hub_agreement_state state)
{
    switch (state) {
    case HUB_AGREEMENT_PROPOSED:
    case HUB_AGREEMENT_REFUSED:
    case HUB_AGREEMENT_LAPSED:
        return 0;
    case HUB_AGREEMENT_SIGNED:
    case HUB_AGREEMENT_IN_FORCE:
    case HUB_AGREEMENT_SUSPENDED: /* would open an amendment: see the head of this file */
    case HUB_AGREEMENT_RECALLED:
    case HUB_AGREEMENT_EXPIRED:
    case HUB_AGREEMENT_TERMINATED:
        break;
    }
    return HUB_CODE_state_forbids;
}

/* The draft is the next one after the current, by number and by hash. */
static uint16_t check_succession(const struct hub_apply *a, const struct hub_agreement *was,
                                 const struct hub_agreement *now, struct hub_span body)
{
    struct hub_revision current;
    struct hub_hash previous = hash_field(body, "previous");
    bool held = hub_revision_find(&current, a->state, &was->id, was->revision);
    HUB_ASSERT(held);
    if (now->revision <= was->revision)
        return HUB_CODE_revision_superseded;
    if (now->revision - was->revision > 1)
        return HUB_CODE_revision_unknown;
    return hub_hash_equal(&previous, &current.hash) ? 0 : HUB_CODE_body_hash_mismatch;
}

/* The one who amends is a party of the draft it replaces; to sign the new one it must be in that, too. */
static bool may_send_draft(const struct hub_apply *a, struct hub_agreement *was,
                           struct hub_agreement *now)
{
    if (party_of(was, a->signer->member) == NULL)
        return false;
    return !hub_field_has(a->record->body, "consent") || party_of(now, a->signer->member) != NULL;
}

uint16_t hub_agreement_amend_apply(struct hub_apply *a)
{
    struct hub_span body = hub_field_span(a->record->body, "body");
    struct hub_hash id = hash_field(a->record->body, "agreement");
    struct hub_agreement was, now = {0};
    uint16_t code = check_signer(a);
    if (code == 0)
        code = read_draft(&now, a->state, body);
    if (code != 0)
        return code;
    if (!hub_agreement_find(&was, a->state, &id))
        return HUB_CODE_agreement_unknown;
    if (hub_agreement_number_taken(a->state, now.lead, now.number, was.row))
        return HUB_CODE_agreement_exists;
    if (!may_send_draft(a, &was, &now))
        return HUB_CODE_not_a_party;
    code = check_succession(a, &was, &now, body);
    if (code == 0 && a->time_ms >= now.sign_by_ms)
        code = HUB_CODE_sign_by_passed;
    if (code == 0)
        code = may_amend(hub_agreement_standing(&was, a->time_ms));
    if (code == 0)
        code = check_own_consent(a, body);
    if (code != 0)
        return code;

    now.row = was.row;
    now.id = was.id;
    now.proposer = was.proposer;
    now.proposed_ms = was.proposed_ms;
    now.approved = was.approved;
    now.last_record = a->record->id;
    sign_own_draft(a, &now);
    keep_revision(a, &now, body);
    hub_agreement_put(a->state, &now);
    hub_agreement_number_claim(a->state, now.lead, now.number, now.row);
    return 0;
}

/* A.4.1, rows `sign`, `refuse`, `return`. A sign is final; a party that need not sign may still accede. */
static uint16_t may_decide(enum hub_agreement_state state, enum hub_decision decision,
                           const struct hub_agreement_party *p)
{
    bool has_signed = p->decision == HUB_DECISION_SIGN;
    switch (state) {
    case HUB_AGREEMENT_PROPOSED:
    case HUB_AGREEMENT_REFUSED:
        return has_signed ? HUB_CODE_already_decided : 0;
    case HUB_AGREEMENT_LAPSED:
        return HUB_CODE_sign_by_passed;
    case HUB_AGREEMENT_SIGNED:
    case HUB_AGREEMENT_IN_FORCE:
    case HUB_AGREEMENT_SUSPENDED:
        return decision != HUB_DECISION_SIGN || p->must_sign || has_signed
                   ? HUB_CODE_already_decided
                   : 0;
    case HUB_AGREEMENT_RECALLED:
    case HUB_AGREEMENT_EXPIRED:
    case HUB_AGREEMENT_TERMINATED:
        break;
    }
    return HUB_CODE_state_forbids;
}

/* The codes before the table: which agreement, which party, which revision of which text. */
static uint16_t find_draft(const struct hub_apply *a, struct hub_agreement *ag,
                           struct hub_agreement_party **party, struct hub_revision *revision)
{
    struct hub_hash id = hash_field(a->record->body, "agreement"),
                    hash = hash_field(a->record->body, "body_hash");
    uint64_t number = hub_field_uint(a->record->body, "revision", 0);
    if (!hub_agreement_find(ag, a->state, &id))
        return HUB_CODE_agreement_unknown;
    *party = party_of(ag, a->signer->member);
    if (*party == NULL)
        return HUB_CODE_not_a_party;
    if (number > ag->revision)
        return HUB_CODE_revision_unknown;
    if (number < ag->revision)
        return HUB_CODE_revision_superseded;
    bool held = hub_revision_find(revision, a->state, &ag->id, ag->revision);
    HUB_ASSERT(held);
    return hub_hash_equal(&hash, &revision->hash) ? 0 : HUB_CODE_body_hash_mismatch;
}

uint16_t hub_agreement_consent_apply(struct hub_apply *a)
{
    enum hub_decision decision = (enum hub_decision)(
        hub_field_enum(a->record->body, "decision", hub_decision_field_names) + 1);
    struct hub_agreement ag;
    struct hub_agreement_party *party = NULL;
    struct hub_revision revision;
    uint16_t code = check_signer(a);
    if (code == 0)
        code = find_draft(a, &ag, &party, &revision);
    if (code == 0)
        code = may_decide(hub_agreement_standing(&ag, a->time_ms), decision, party);
    if (code != 0)
        return code;
    if (decision != HUB_DECISION_SIGN && !hub_field_has(a->record->body, "remark"))
        return HUB_CODE_remark_missing;
    code = decision == HUB_DECISION_SIGN ? check_consent(a, revision.body) : 0;
    if (code != 0)
        return code;

    keep_statement(a, &ag, decision, hub_field_span(a->record->body, "remark"));
    decide(party, decision, a);
    settle(&ag, a->time_ms);
    ag.last_record = a->record->id;
    hub_agreement_put(a->state, &ag);
    return 0;
}
