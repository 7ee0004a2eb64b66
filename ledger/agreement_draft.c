/* agreement_draft.c: keys are written in the order of their encoding: shorter first, then bytewise. */
#include "hub/agreement_draft.h"

#include "ledger/agreement.h"

static void put_bilingual(struct hub_buf *b, const char *key, const struct hub_bilingual *t)
{
    if (t->zh == NULL)
        return;
    hub_put_text(b, key);
    hub_put_map(b, t->en == NULL ? 1 : 2);
    if (t->en != NULL) {
        hub_put_text(b, "en");
        hub_put_text(b, t->en);
    }
    hub_put_text(b, "zh");
    hub_put_text(b, t->zh);
}

static void put_text_field(struct hub_buf *b, const char *key, const char *value)
{
    hub_put_text(b, key);
    hub_put_text(b, value);
}

static void put_uint_field(struct hub_buf *b, const char *key, uint64_t value)
{
    hub_put_text(b, key);
    hub_put_uint(b, value);
}

static void put_hash_field(struct hub_buf *b, const char *key, const struct hub_hash *value)
{
    hub_put_text(b, key);
    hub_put_hash(b, value);
}

static void put_areas(struct hub_buf *b, const struct hub_draft *d)
{
    if (d->area_count == 0)
        return;
    hub_put_text(b, "areas");
    hub_put_array(b, d->area_count);
    for (uint32_t i = 0; i < d->area_count; i++) {
        hub_put_map(b, 2);
        put_text_field(b, "code", d->area[i].code);
        put_bilingual(b, "name", &d->area[i].name);
    }
}

static void put_need(struct hub_buf *b, const char *key, uint32_t need)
{
    hub_put_text(b, key);
    hub_put_map(b, 1);
    hub_put_text(b, "need");
    if (need == HUB_NEED_ALL)
        hub_put_text(b, "all");
    else if (need == HUB_NEED_LEAD)
        hub_put_text(b, "lead");
    else
        hub_put_uint(b, need);
}

static void put_rules(struct hub_buf *b, const struct hub_draft *d)
{
    static const char *const then[] = {"others-stay", "ends"};
    hub_put_text(b, "rules");
    hub_put_map(b, d->dispute.zh == NULL ? 5 : 6);
    put_need(b, "amend", d->need_amend);
    put_need(b, "renew", d->need_renew);
    put_bilingual(b, "dispute", &d->dispute);
    put_need(b, "suspend", d->need_suspend);
    hub_put_text(b, "withdraw");
    hub_put_map(b, 3);
    put_text_field(b, "then", then[d->withdraw_then]);
    hub_put_text(b, "allowed");
    hub_put_bool(b, d->withdraw_allowed);
    put_uint_field(b, "notice_days", d->withdraw_notice_days);
    put_need(b, "terminate", d->need_terminate);
}

static void put_parties(struct hub_buf *b, const struct hub_draft *d)
{
    hub_put_text(b, "parties");
    hub_put_array(b, d->party_count);
    for (uint32_t i = 0; i < d->party_count; i++) {
        hub_put_map(b, 3);
        put_text_field(b, "as", hub_party_as_names[d->party[i].as]);
        put_text_field(b, "member", d->party[i].member);
        hub_put_text(b, "must_sign");
        hub_put_bool(b, d->party[i].must_sign);
    }
}

static void put_documents(struct hub_buf *b, const struct hub_draft *d)
{
    hub_put_text(b, "documents");
    hub_put_array(b, d->document_count);
    for (uint32_t i = 0; i < d->document_count; i++) {
        const struct hub_draft_document *doc = &d->document[i];
        hub_put_map(b, doc->lang == NULL ? 4 : 5);
        if (doc->lang != NULL)
            put_text_field(b, "lang", doc->lang);
        put_text_field(b, "name", doc->name);
        put_uint_field(b, "size", doc->size);
        put_text_field(b, "media", doc->media);
        put_hash_field(b, "sha256", &doc->sha256);
    }
}

static void put_accept(struct hub_buf *b, const struct hub_draft_milestone *m)
{
    static const char *const rule[] = {"all", "any", "listed"};
    hub_put_text(b, "accept");
    hub_put_map(b, m->who_count == 0 ? 1 : 2);
    if (m->who_count > 0) {
        hub_put_text(b, "who");
        hub_put_array(b, m->who_count);
        for (uint32_t i = 0; i < m->who_count; i++)
            hub_put_text(b, m->who[i]);
    }
    put_text_field(b, "rule", rule[m->accept]);
}

static void put_milestones(struct hub_buf *b, const struct hub_draft *d)
{
    if (d->milestone_count == 0)
        return;
    hub_put_text(b, "milestones");
    hub_put_array(b, d->milestone_count);
    for (uint32_t i = 0; i < d->milestone_count; i++) {
        const struct hub_draft_milestone *m = &d->milestone[i];
        hub_put_map(b, 5u + (m->deemed_days > 0) + (m->review_days > 0));
        put_uint_field(b, "no", m->no);
        put_uint_field(b, "due", m->due_ms);
        put_text_field(b, "owner", m->owner);
        put_bilingual(b, "title", &m->title);
        put_accept(b, m);
        if (m->deemed_days > 0)
            put_uint_field(b, "deemed_days", m->deemed_days);
        if (m->review_days > 0)
            put_uint_field(b, "review_days", m->review_days);
    }
}

static void put_effective(struct hub_buf *b, const struct hub_draft *d)
{
    hub_put_text(b, "effective");
    hub_put_map(b, 1);
    if (d->effective == HUB_EFFECTIVE_AT)
        put_uint_field(b, "at", d->effective_ms);
    else
        put_text_field(b, "on", hub_effective_on_names[d->effective - 1]);
}

static void put_retention(struct hub_buf *b, const struct hub_draft *d)
{
    if (d->retention == HUB_RETENTION_PERMANENT)
        put_text_field(b, "retention", "permanent");
    else
        put_uint_field(b, "retention", d->retention);
}

/* The 15 fields that are always there, and the six that may be. */
static uint64_t body_fields(const struct hub_draft *d)
{
    return 15u + (d->area_count > 0) + (d->place.zh != NULL) + (d->expires_ms > 0) +
           (d->revision > 1) + (d->milestone_count > 0) + (d->change_note.zh != NULL);
}

void hub_draft_encode(struct hub_buf *out, const struct hub_draft *d)
{
    static const char *const prevailing[] = {"zh", "en", "equal"};
    hub_put_map(out, body_fields(d));
    put_text_field(out, "lead", d->lead);
    put_areas(out, d);
    put_hash_field(out, "chain", &d->chain);
    put_bilingual(out, "place", &d->place);
    put_rules(out, d);
    put_bilingual(out, "title", &d->title);
    put_text_field(out, "number", d->number);
    if (d->expires_ms > 0)
        put_uint_field(out, "expires", d->expires_ms);
    put_parties(out, d);
    put_uint_field(out, "sign_by", d->sign_by_ms);
    if (d->revision > 1)
        put_hash_field(out, "previous", &d->previous);
    put_uint_field(out, "revision", d->revision);
    put_hash_field(out, "agreement", &d->agreement);
    put_documents(out, d);
    put_effective(out, d);
    put_retention(out, d);
    put_milestones(out, d);
    put_text_field(out, "prevailing", prevailing[d->prevailing]);
    put_text_field(out, "visibility", hub_visibility_names[d->visibility]);
    put_bilingual(out, "change_note", &d->change_note);
    put_text_field(out, "document_date", d->document_date);
}

void hub_consent_part_encode(struct hub_buf *out, const struct hub_hash *reviewed, uint32_t count,
                             struct hub_span signature)
{
    hub_put_map(out, 2);
    hub_put_text(out, "reviewed");
    hub_put_array(out, count);
    for (uint32_t i = 0; i < count; i++)
        hub_put_hash(out, &reviewed[i]);
    hub_put_text(out, "signature");
    hub_put_raw(out, signature);
}

static void put_part(struct hub_buf *b, struct hub_span part)
{
    if (part.len == 0)
        return;
    hub_put_text(b, "consent");
    hub_put_raw(b, part);
}

void hub_propose_encode(struct hub_buf *out, struct hub_span body, const uint8_t nonce[16],
                        struct hub_span part)
{
    hub_put_map(out, part.len == 0 ? 2 : 3);
    hub_put_text(out, "body");
    hub_put_bytes(out, body);
    hub_put_text(out, "nonce");
    hub_put_bytes(out, (struct hub_span){nonce, 16});
    put_part(out, part);
}

void hub_amend_encode(struct hub_buf *out, const struct hub_hash *agreement, struct hub_span body,
                      struct hub_span part)
{
    hub_put_map(out, part.len == 0 ? 2 : 3);
    hub_put_text(out, "body");
    hub_put_bytes(out, body);
    put_part(out, part);
    put_hash_field(out, "agreement", agreement);
}

void hub_consent_record_encode(struct hub_buf *out, const struct hub_hash *agreement,
                               uint32_t revision, const struct hub_hash *body_hash,
                               enum hub_decision decision, struct hub_span remark,
                               struct hub_span part)
{
    HUB_ASSERT(decision != HUB_DECISION_NONE);
    hub_put_map(out, 4u + (remark.len > 0) + (part.len > 0));
    if (remark.len > 0) {
        hub_put_text(out, "remark");
        hub_put_text_span(out, remark);
    }
    put_part(out, part);
    put_text_field(out, "decision", hub_decision_names[decision]);
    put_uint_field(out, "revision", revision);
    put_hash_field(out, "agreement", agreement);
    put_hash_field(out, "body_hash", body_hash);
}
