/* api_facts.c: which events one final record gives, and their JSON. See struct hub_facts. */
#include "node/api_query.h"

#include "ledger/evidence_record.h"

#include <string.h>

/* ---- which */

static void add(struct hub_facts *f, const char *type)
{
    HUB_ASSERT(f->types < sizeof f->type / sizeof *f->type);
    f->type[f->types++] = type;
}

static const char *decision_type(struct hub_span body)
{
    static const char *const names[] = {"sign", "refuse", "return", NULL};
    static const char *const types[] = {"agreement.signed_by", "agreement.refused_by",
                                        "agreement.returned_by"};
    const int i = hub_field_enum(body, "decision", names);
    HUB_ASSERT(i >= 0); /* the body was checked when the record was decoded */
    return types[i];
}

/* What a record without fault did beside moving money. */
static void add_done(struct hub_facts *f, const struct hub_record *r)
{
    switch (r->type) {
    case HUB_TYPE_GOVERNANCE_PROPOSE:
    case HUB_TYPE_GOVERNANCE_APPROVE:
    case HUB_TYPE_GOVERNANCE_REJECT:
    case HUB_TYPE_GOVERNANCE_WITHDRAW:
    case HUB_TYPE_VALIDATOR_REPLACE:
        f->types += hub_facts_of_governance(f->type + f->types,
                                            (uint32_t)(sizeof f->type / sizeof *f->type) - f->types,
                                            f->state, r, f->place);
        break;
    case HUB_TYPE_VALIDATOR_READY:
        add(f, "validator.ready");
        break;
    case HUB_TYPE_KEY_CANCEL:
        add(f, "key.cancelled");
        break;
    case HUB_TYPE_KEY_ADD:
        add(f, "key.added");
        break;
    case HUB_TYPE_KEY_REVOKE:
        add(f, "key.revoked");
        break;
    case HUB_TYPE_EVIDENCE_REPORT:
        add(f, "evidence.found");
        break;
    case HUB_TYPE_EPOCH_RECOVER:
        add(f, "epoch.started");
        break;
    case HUB_TYPE_AGREEMENT_PROPOSE:
    case HUB_TYPE_AGREEMENT_AMEND:
        add(f, r->type == HUB_TYPE_AGREEMENT_PROPOSE ? "agreement.proposed" : "agreement.amended");
        if (hub_field_has(r->body, "consent"))
            add(f, "agreement.signed_by");
        break;
    case HUB_TYPE_AGREEMENT_CONSENT:
        add(f, decision_type(r->body));
        break;
    case HUB_TYPE_WALLET_OPEN:
        add(f, "wallet.opened");
        break;
    case HUB_TYPE_CURRENCY_ISSUE:
        add(f, "currency.issued");
        break;
    default:
        break;
    }
}

static void next_failed(struct hub_facts *f)
{
    f->failed_entry = UINT64_MAX;
    if (hub_cbor_peek(&f->failed) != HUB_CBOR_ARRAY)
        return;
    hub_cbor_array(&f->failed, 2, 2);
    const uint64_t entry = hub_cbor_uint(&f->failed, 0, HUB_BATCH_ENTRIES_MAX - 1);
    f->failed_code = (uint16_t)hub_cbor_uint(&f->failed, 1, UINT16_MAX);
    if (!f->failed.bad)
        f->failed_entry = entry;
}

/* Payments the record moved or would have moved; a batch whose form did not even reach them has none. */
static uint32_t payments(struct hub_facts *f, const struct hub_record *r, uint16_t code)
{
    if (r->type == HUB_TYPE_CURRENCY_TRANSFER || r->type == HUB_TYPE_CURRENCY_REDEEM)
        return 1;
    if (r->type != HUB_TYPE_CURRENCY_BATCH || (code != 0 && code != HUB_CODE_batch_aborted))
        return 0;
    f->failed = hub_cbor_open(f->found->value);
    if (hub_cbor_peek(&f->failed) == HUB_CBOR_ARRAY) {
        hub_cbor_array(&f->failed, 0, HUB_BATCH_ENTRIES_MAX);
        next_failed(f);
    }
    return (uint32_t)(r->attachment.len / HUB_BATCH_ENTRY_BYTES);
}

void hub_facts_open(struct hub_facts *out, const struct hub_found *found,
                    const struct hub_place *place, const struct hub_state *state)
{
    *out = (struct hub_facts){
        .found = found, .place = place, .state = state, .failed_entry = UINT64_MAX};
    add(out, "record.final");
    if (found->code == 0)
        add_done(out, &found->record);
    out->count = out->types + payments(out, &found->record, found->code);
}

bool hub_facts_next(struct hub_facts *f, struct hub_fact *out)
{
    if (f->next == f->count)
        return false;
    const uint32_t i = f->next++;
    *out = (struct hub_fact){.type = i < f->types ? f->type[i] : "payment.posted",
                             .code = f->found->code};
    if (i < f->types)
        return true;
    out->entry = i - f->types;
    if (f->found->record.type == HUB_TYPE_CURRENCY_BATCH && f->failed_entry == out->entry) {
        out->code = f->failed_code;
        next_failed(f);
    }
    if (out->code)
        out->type = "payment.failed";
    return true;
}

/* ---- their JSON */

static void put_agreement(struct hub_buf *out, const struct hub_record *r)
{
    hub_json_text_member(out, "agreement", r->sub);
    hub_json_text_member(out, "member", r->iss);
    if (r->type == HUB_TYPE_AGREEMENT_CONSENT)
        hub_json_int_member(out, "revision", (int64_t)hub_field_uint(r->body, "revision", 0));
}

static void put_key(struct hub_buf *out, const struct hub_record *r)
{
    struct hub_hash kid;
    hub_json_text_member(out, "member", r->sub);
    hub_json_key(out, "kid");
    if (r->type == HUB_TYPE_KEY_ADD) {
        hub_hash_span(&kid, hub_field_span(r->body, "key"));
        hub_json_hash(out, &kid);
    } else {
        hub_json_hex(out, hub_field_span(r->body, "kid"));
    }
}

/* What was voted on, and by whom; a replaced key. */
static void put_governance(struct hub_buf *out, const struct hub_record *r)
{
    hub_json_text_member(out, "member", r->iss);
    if (hub_field_has(r->body, "proposal"))
        hub_json_hex_member(out, "proposal", hub_field_span(r->body, "proposal"));
    if (r->type == HUB_TYPE_GOVERNANCE_APPROVE || r->type == HUB_TYPE_GOVERNANCE_REJECT)
        hub_json_string_member(out, "vote",
                               r->type == HUB_TYPE_GOVERNANCE_APPROVE ? "approve" : "reject");
    if (r->type == HUB_TYPE_VALIDATOR_REPLACE)
        hub_json_hex_member(out, "kid", hub_field_span(r->body, "old"));
    if (r->type == HUB_TYPE_VALIDATOR_READY)
        hub_json_text_member(out, "software", hub_field_span(r->body, "software"));
}

/* Whom the record convicts: its row remembers the record. */
static void put_evidence(struct hub_buf *out, const struct hub_facts *f)
{
    struct hub_convicted c;
    for (uint32_t row = f->state->count[HUB_TABLE_EVIDENCE]; row-- > 0;) {
        hub_convicted_get(&c, f->state, row);
        for (uint32_t i = 0; i < c.count; i++)
            if (c.offence[i].height == f->place->height &&
                c.offence[i].index == f->place->position) {
                char member[HUB_MEMBER_CODE_MAX + 1] = "";
                memcpy(member, c.member.data, c.member.len);
                hub_put_offence_members(out, member, &c.kid, c.epoch, c.offence[i].view,
                                        c.offence[i].kind);
                return;
            }
    }
}

static void put_payment(struct hub_buf *out, const struct hub_record *r,
                        const struct hub_fact *fact)
{
    uint64_t debit, credit = hub_field_uint(r->body, "credit", 0);
    uint64_t amount = hub_field_uint(r->body, "amount", 0);
    struct hub_span reference = hub_field_span(r->body, "reference");
    if (r->type == HUB_TYPE_CURRENCY_BATCH) {
        const uint8_t *entry = r->attachment.data + (size_t)fact->entry * HUB_BATCH_ENTRY_BYTES;
        debit = hub_get_be64(entry), credit = hub_get_be64(entry + 8);
        amount = hub_get_be64(entry + 16);
        reference = (struct hub_span){entry + 24, 16};
        hub_json_int_member(out, "entry", fact->entry);
    } else {
        debit =
            hub_field_uint(r->body, r->type == HUB_TYPE_CURRENCY_REDEEM ? "wallet" : "debit", 0);
    }
    hub_json_wallet_member(out, "debit", debit);
    if (r->type !=
        HUB_TYPE_CURRENCY_REDEEM) /* a redemption credits the reserve of the institution */
        hub_json_wallet_member(out, "credit", credit);
    hub_json_amount_members(out, "amount", amount);
    if (reference.len)
        hub_json_hex_member(out, "reference", reference);
    if (fact->code) {
        const struct hub_result_text *t = hub_result_text(fact->code);
        hub_json_int_member(out, "code", fact->code);
        hub_json_string_member(out, "name", t ? t->name : "?");
    }
}

static void put_money(struct hub_buf *out, const struct hub_found *f)
{
    struct hub_span body = f->record.body;
    hub_json_int_member(out, "institution", (int64_t)hub_field_uint(body, "institution", 0));
    if (f->record.type == HUB_TYPE_CURRENCY_ISSUE) {
        hub_json_amount_members(out, "amount", hub_field_uint(body, "amount", 0));
        return;
    }
    struct hub_cbor value = hub_cbor_open(f->value);
    hub_json_wallet_member(out, "wallet", hub_cbor_uint(&value, 0, UINT64_MAX));
    hub_json_text_member(out, "kind", hub_field_span(body, "kind"));
    hub_json_hex_member(out, "reference", hub_field_span(body, "reference"));
}

void hub_fact_put(struct hub_buf *out, const struct hub_facts *facts, const struct hub_fact *fact)
{
    const struct hub_found *f = facts->found;
    hub_json_object(out);
    if (fact->type == facts->type[0]) {
        hub_put_outcome_members(out, f, facts->place, false);
        hub_json_object_end(out);
        return;
    }
    hub_json_hash_member(out, "record_id", &f->record.id);
    hub_json_u64_member(out, "height", facts->place->height);
    hub_json_time_members(out, "time", f->header.time_ms);
    const uint16_t type = f->record.type;
    if (type == HUB_TYPE_VALIDATOR_READY || type == HUB_TYPE_VALIDATOR_REPLACE ||
        (type >= HUB_TYPE_GOVERNANCE_PROPOSE && type <= HUB_TYPE_GOVERNANCE_WITHDRAW))
        put_governance(out, &f->record);
    else if (type == HUB_TYPE_EVIDENCE_REPORT)
        put_evidence(out, facts);
    else if (type == HUB_TYPE_EPOCH_RECOVER)
        hub_json_u64_member(out, "epoch", hub_field_uint(f->record.body, "epoch", 0) + 1);
    else if (!strncmp(fact->type, "payment.", 8))
        put_payment(out, &f->record, fact);
    else if (!strncmp(fact->type, "agreement.", 10))
        put_agreement(out, &f->record);
    else if (!strncmp(fact->type, "key.", 4))
        put_key(out, &f->record);
    else
        put_money(out, f);
    hub_json_object_end(out);
}
