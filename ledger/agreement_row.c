/* agreement_row.c: rows of the agreement tables, and what time does to them. */
#include "ledger/agreement.h"

#include <string.h>

enum {
    AGREEMENT_ROW_BYTES = 1400, /* fixed part 196, 32 parties of at most 35 */
    STATEMENT_ROW_BYTES = 1200, /* key 42, remark 1,003, kid 34, signature 66, integers 30 */
    REFERENCE_ROW_BYTES = 48
};

const char *const hub_agreement_state_names[] = {"proposed",   "refused",  "lapsed",    "recalled",
                                                 "signed",     "in_force", "suspended", "expired",
                                                 "terminated", NULL};
const char *const hub_decision_names[] = {"none", "sign", "refuse", "return", NULL};

/* Rows are ours and came in through these writers, so a row that does not read back is a defect of the
 * program, never of its input. */
static void row_done(const struct hub_cbor *c)
{
    HUB_ASSERT(hub_cbor_done(c));
}

/* ---- agreements */

static void party_read(struct hub_cbor *c, struct hub_agreement_party *p)
{
    hub_cbor_array(c, 8, 8);
    p->member = (uint32_t)hub_cbor_uint(c, 0, UINT32_MAX);
    p->as = (enum hub_party_as)hub_cbor_uint(c, 0, HUB_PARTY_WITNESS);
    p->must_sign = hub_cbor_bool(c);
    p->decision = (enum hub_decision)hub_cbor_uint(c, 0, HUB_DECISION_RETURN);
    p->returned = hub_cbor_bool(c);
    p->at_ms = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    p->height = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    p->index = (uint32_t)hub_cbor_uint(c, 0, UINT32_MAX);
}

static void party_write(struct hub_buf *b, const struct hub_agreement_party *p)
{
    hub_put_array(b, 8);
    hub_put_uint(b, p->member);
    hub_put_uint(b, p->as);
    hub_put_bool(b, p->must_sign);
    hub_put_uint(b, p->decision);
    hub_put_bool(b, p->returned);
    hub_put_uint(b, p->at_ms);
    hub_put_uint(b, p->height);
    hub_put_uint(b, p->index);
}

void hub_agreement_get(struct hub_agreement *out, const struct hub_state *s, uint32_t row)
{
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_AGREEMENTS, row));
    out->row = row;
    hub_cbor_array(&c, 12, 12);
    hub_cbor_hash(&c, &out->id);
    out->state = (enum hub_agreement_state)hub_cbor_uint(&c, 0, HUB_AGREEMENT_TERMINATED);
    out->number = hub_cbor_text(&c, 1, HUB_AGREEMENT_NUMBER_MAX);
    out->lead = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    out->proposer = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    out->revision = (uint32_t)hub_cbor_uint(&c, 1, UINT32_MAX);
    out->approved = (uint32_t)hub_cbor_uint(&c, 0, out->revision);
    out->visibility = (enum hub_visibility)hub_cbor_uint(&c, 0, HUB_VISIBILITY_NAMED);
    out->effective_rule = (enum hub_effective)hub_cbor_uint(&c, 0, HUB_EFFECTIVE_NOTICE);
    hub_cbor_array(&c, 4, 4);
    out->proposed_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->sign_by_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->effective_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->expires_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    hub_cbor_hash(&c, &out->last_record);
    out->party_count = hub_cbor_array(&c, 2, HUB_PARTIES_MAX);
    for (uint32_t i = 0; i < out->party_count; i++)
        party_read(&c, &out->party[i]);
    row_done(&c);
}

static void agreement_write(struct hub_buf *b, const struct hub_agreement *a)
{
    hub_put_array(b, 12);
    hub_put_hash(b, &a->id);
    hub_put_uint(b, a->state);
    hub_put_text_span(b, a->number);
    hub_put_uint(b, a->lead);
    hub_put_uint(b, a->proposer);
    hub_put_uint(b, a->revision);
    hub_put_uint(b, a->approved);
    hub_put_uint(b, a->visibility);
    hub_put_uint(b, a->effective_rule);
    hub_put_array(b, 4);
    hub_put_uint(b, a->proposed_ms);
    hub_put_uint(b, a->sign_by_ms);
    hub_put_uint(b, a->effective_ms);
    hub_put_uint(b, a->expires_ms);
    hub_put_hash(b, &a->last_record);
    hub_put_array(b, a->party_count);
    for (uint32_t i = 0; i < a->party_count; i++)
        party_write(b, &a->party[i]);
    HUB_ASSERT(!b->full);
}

bool hub_agreement_find(struct hub_agreement *out, const struct hub_state *s,
                        const struct hub_hash *id)
{
    uint32_t row;
    if (!hub_state_find(s, HUB_TABLE_AGREEMENTS, (struct hub_span){id->b, sizeof id->b}, &row))
        return false;
    hub_agreement_get(out, s, row);
    return true;
}

/* The bytes are built beside the table: number still borrows from the row that is replaced. */
void hub_agreement_put(struct hub_state *s, const struct hub_agreement *a)
{
    uint8_t bytes[AGREEMENT_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    agreement_write(&b, a);
    hub_state_put(s, HUB_TABLE_AGREEMENTS, a->row, hub_span_of(&b));
}

uint32_t hub_agreement_add(struct hub_state *s, struct hub_agreement *a)
{
    uint8_t bytes[AGREEMENT_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    agreement_write(&b, a);
    a->row = hub_state_add(s, HUB_TABLE_AGREEMENTS, hub_span_of(&b));
    return a->row;
}

enum hub_agreement_state hub_agreement_standing(const struct hub_agreement *a, uint64_t time_ms)
{
    switch (a->state) {
    case HUB_AGREEMENT_PROPOSED:
    case HUB_AGREEMENT_REFUSED:
        return time_ms >= a->sign_by_ms ? HUB_AGREEMENT_LAPSED : a->state;
    case HUB_AGREEMENT_SIGNED:
    case HUB_AGREEMENT_SUSPENDED:
        if (a->expires_ms != 0 && time_ms >= a->expires_ms)
            return HUB_AGREEMENT_EXPIRED;
        if (a->state == HUB_AGREEMENT_SIGNED && a->effective_ms != 0 && time_ms >= a->effective_ms)
            return HUB_AGREEMENT_IN_FORCE;
        return a->state;
    case HUB_AGREEMENT_RECALLED:
    case HUB_AGREEMENT_TERMINATED:
    case HUB_AGREEMENT_LAPSED:
    case HUB_AGREEMENT_IN_FORCE:
    case HUB_AGREEMENT_EXPIRED:
        break;
    }
    return a->state;
}

/* ---- revisions */

struct row_key { /* id || be32(revision) [ || be32(member) ] */
    uint8_t b[40];
};

static struct row_key key_of(const struct hub_hash *agreement, uint32_t revision, uint32_t member)
{
    struct row_key k;
    memcpy(k.b, agreement->b, 32);
    hub_put_be32(k.b + 32, revision);
    hub_put_be32(k.b + 36, member);
    return k;
}

bool hub_revision_find(struct hub_revision *out, const struct hub_state *s,
                       const struct hub_hash *agreement, uint32_t revision)
{
    struct row_key key = key_of(agreement, revision, 0);
    uint32_t row;
    if (!hub_state_find(s, HUB_TABLE_REVISIONS, (struct hub_span){key.b, 36}, &row))
        return false;
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_REVISIONS, row));
    hub_cbor_array(&c, 9, 9);
    hub_cbor_bytes(&c, 36, 36);
    out->body = hub_cbor_bytes(&c, 1, HUB_RECORD_BYTES_MAX);
    hub_cbor_hash(&c, &out->hash);
    out->proposer = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    out->proposed_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->index = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    hub_cbor_hash(&c, &out->record);
    out->party_count = hub_cbor_array(&c, 2, HUB_PARTIES_MAX);
    for (uint32_t i = 0; i < out->party_count; i++)
        out->party[i] = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    row_done(&c);
    return true;
}

void hub_revision_add(struct hub_state *s, const struct hub_hash *agreement, uint32_t revision,
                      const struct hub_revision *r)
{
    uint8_t bytes[HUB_ROW_BYTES_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct row_key key = key_of(agreement, revision, 0);
    hub_put_array(&b, 9);
    hub_put_bytes(&b, (struct hub_span){key.b, 36});
    hub_put_bytes(&b, r->body);
    hub_put_hash(&b, &r->hash);
    hub_put_uint(&b, r->proposer);
    hub_put_uint(&b, r->proposed_ms);
    hub_put_uint(&b, r->height);
    hub_put_uint(&b, r->index);
    hub_put_hash(&b, &r->record);
    hub_put_array(&b, r->party_count);
    for (uint32_t i = 0; i < r->party_count; i++)
        hub_put_uint(&b, r->party[i]);
    HUB_ASSERT(!b.full);
    hub_state_add(s, HUB_TABLE_REVISIONS, hub_span_of(&b));
}

/* ---- consents */

bool hub_statement_find(struct hub_statement *out, const struct hub_state *s,
                        const struct hub_hash *agreement, uint32_t revision, uint32_t member)
{
    struct row_key key = key_of(agreement, revision, member);
    uint32_t row;
    if (!hub_state_find(s, HUB_TABLE_CONSENTS, (struct hub_span){key.b, sizeof key.b}, &row))
        return false;
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_CONSENTS, row));
    hub_cbor_array(&c, 8, 8);
    hub_cbor_bytes(&c, sizeof key.b, sizeof key.b);
    out->decision = (enum hub_decision)hub_cbor_uint(&c, HUB_DECISION_SIGN, HUB_DECISION_RETURN);
    out->remark = hub_cbor_text(&c, 0, HUB_REMARK_BYTES_MAX);
    out->at_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->height = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->index = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    hub_cbor_hash(&c, &out->kid);
    out->signature = hub_cbor_bytes(&c, 0, 64);
    row_done(&c);
    return true;
}

void hub_statement_put(struct hub_state *s, const struct hub_hash *agreement, uint32_t revision,
                       uint32_t member, const struct hub_statement *w)
{
    uint8_t bytes[STATEMENT_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct row_key key = key_of(agreement, revision, member);
    struct hub_span key_span = {key.b, sizeof key.b};
    uint32_t row;
    hub_put_array(&b, 8);
    hub_put_bytes(&b, key_span);
    hub_put_uint(&b, w->decision);
    hub_put_text_span(&b, w->remark);
    hub_put_uint(&b, w->at_ms);
    hub_put_uint(&b, w->height);
    hub_put_uint(&b, w->index);
    hub_put_hash(&b, &w->kid);
    hub_put_bytes(&b, w->signature);
    HUB_ASSERT(!b.full);
    if (hub_state_find(s, HUB_TABLE_CONSENTS, key_span, &row))
        hub_state_put(s, HUB_TABLE_CONSENTS, row, hub_span_of(&b));
    else
        hub_state_add(s, HUB_TABLE_CONSENTS, hub_span_of(&b));
}

/* ---- lead and number */

static struct hub_hash number_key(uint32_t lead, struct hub_span number)
{
    uint8_t bytes[HUB_AGREEMENT_NUMBER_MAX + 16];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_hash key;
    hub_put_array(&b, 2);
    hub_put_uint(&b, lead);
    hub_put_text_span(&b, number);
    HUB_ASSERT(!b.full);
    hub_hash_tagged(&key, "hubledger/agreement-number/1", hub_span_of(&b));
    return key;
}

bool hub_agreement_number_taken(const struct hub_state *s, uint32_t lead, struct hub_span number,
                                uint32_t own)
{
    struct hub_hash key = number_key(lead, number);
    struct hub_agreement holder;
    uint32_t row;
    if (!hub_state_find(s, HUB_TABLE_REFERENCES, (struct hub_span){key.b, sizeof key.b}, &row))
        return false;
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_REFERENCES, row));
    hub_cbor_array(&c, 2, 2);
    hub_cbor_bytes(&c, 32, 32);
    uint32_t agreement = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    row_done(&c);
    if (agreement == own)
        return false;
    hub_agreement_get(&holder, s, agreement);
    return holder.state != HUB_AGREEMENT_RECALLED && holder.lead == lead &&
           hub_span_equal(holder.number, number);
}

void hub_agreement_number_claim(struct hub_state *s, uint32_t lead, struct hub_span number,
                                uint32_t agreement)
{
    uint8_t bytes[REFERENCE_ROW_BYTES];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_hash key = number_key(lead, number);
    uint32_t row;
    hub_put_array(&b, 2);
    hub_put_hash(&b, &key);
    hub_put_uint(&b, agreement);
    HUB_ASSERT(!b.full);
    if (hub_state_find(s, HUB_TABLE_REFERENCES, (struct hub_span){key.b, sizeof key.b}, &row))
        hub_state_put(s, HUB_TABLE_REFERENCES, row, hub_span_of(&b));
    else
        hub_state_add(s, HUB_TABLE_REFERENCES, hub_span_of(&b));
}
