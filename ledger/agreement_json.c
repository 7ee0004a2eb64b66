/* agreement_json.c: agreements as the API shows them. */
#include "ledger/agreement.h"

#include "hub/json.h"

static void put_party(struct hub_buf *out, const struct hub_party_view *p, bool whole)
{
    hub_json_object(out);
    hub_json_text_member(out, "member", p->member.code);
    hub_json_names_member(out, "names", p->member.name_zh, p->member.name_en);
    hub_json_string_member(out, "as", hub_party_as_names[p->is.as]);
    hub_json_bool_member(out, "must_sign", p->is.must_sign);
    hub_json_string_member(out, "decision", hub_decision_names[p->is.decision]);
    hub_json_bool_member(out, "returned", p->is.returned);
    if (p->is.at_ms > 0)
        hub_json_time_members(out, "at", p->is.at_ms);
    if (whole)
        hub_json_text_member(out, "remark", p->remark);
    hub_json_bool_member(out, "overdue", p->overdue);
    hub_json_object_end(out);
}

static void put_parties(struct hub_buf *out, const struct hub_agreement_view *v, bool whole)
{
    hub_json_key(out, "parties");
    hub_json_array(out);
    for (uint32_t i = 0; i < v->is.party_count; i++)
        put_party(out, &v->party[i], whole);
    hub_json_array_end(out);
    hub_json_key(out, "waiting_on");
    hub_json_array(out);
    for (uint32_t i = 0; i < v->is.party_count; i++)
        if (v->party[i].waited)
            hub_json_string_span(out, v->party[i].member.code);
    hub_json_array_end(out);
}

/* The sentence has no character that JSON escapes but those in names, so it goes through the string writer. */
static void put_blocks(struct hub_buf *out, const struct hub_agreement_view *v)
{
    uint8_t zh_bytes[HUB_SENTENCE_BYTES_MAX], en_bytes[HUB_SENTENCE_BYTES_MAX];
    struct hub_buf zh = {zh_bytes, 0, sizeof zh_bytes, false},
                   en = {en_bytes, 0, sizeof en_bytes, false};
    hub_agreement_sentence(&zh, v, true);
    hub_agreement_sentence(&en, v, false);
    HUB_ASSERT(!zh.full && !en.full);
    hub_json_names_member(out, "blocks", hub_span_of(&zh), hub_span_of(&en));
}

static void put_documents(struct hub_buf *out, const struct hub_agreement_view *v)
{
    hub_json_key(out, "documents");
    hub_json_array(out);
    for (uint32_t i = 0; i < v->document_count; i++) {
        const struct hub_document *d = &v->document[i];
        hub_json_object(out);
        hub_json_text_member(out, "name", d->name);
        hub_json_text_member(out, "media", d->media);
        hub_json_text_member(out, "lang", d->lang);
        hub_json_u64_member(out, "size", d->size);
        hub_json_hash_member(out, "sha256", &d->sha256);
        hub_json_object_end(out);
    }
    hub_json_array_end(out);
}

/* Milestones run while the agreement is in force. */
static void put_milestones(struct hub_buf *out, const struct hub_agreement_view *v)
{
    struct hub_cbor c;
    uint32_t count;
    hub_json_key(out, "milestones");
    hub_json_array(out);
    if (!hub_field_array(v->revision.body, "milestones", &c, &count))
        count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct hub_span item = hub_cbor_item(&c), title = hub_field_item(item, "title");
        uint64_t due = hub_field_uint(item, "due", 0);
        hub_json_object(out);
        hub_json_int_member(out, "no", (uint32_t)hub_field_uint(item, "no", 0));
        hub_json_names_member(out, "title", hub_field_span(title, "zh"),
                              hub_field_span(title, "en"));
        hub_json_text_member(out, "owner", hub_field_span(item, "owner"));
        hub_json_time_members(out, "due", due);
        hub_json_string_member(out, "state", "planned");
        hub_json_bool_member(out, "overdue",
                             v->state == HUB_AGREEMENT_IN_FORCE && due < v->time_ms);
        hub_json_object_end(out);
    }
    hub_json_array_end(out);
}

static void put_times(struct hub_buf *out, const struct hub_agreement_view *v)
{
    static const char *const rule[] = {"at", "last-signature", "notice"};
    hub_json_time_members(out, "proposed", v->is.proposed_ms);
    hub_json_time_members(out, "sign_by", v->is.sign_by_ms);
    hub_json_string_member(out, "effective_on", rule[v->is.effective_rule]);
    if (v->is.effective_ms > 0)
        hub_json_time_members(out, "effective", v->is.effective_ms);
    if (v->is.expires_ms > 0)
        hub_json_time_members(out, "expires", v->is.expires_ms);
}

static void put_flags(struct hub_buf *out, const struct hub_agreement_view *v)
{
    hub_json_key(out, "flags");
    hub_json_array(out);
    if (v->returned)
        hub_json_string(out, "returned");
    hub_json_array_end(out);
}

static const struct hub_member *lead_of(const struct hub_agreement_view *v)
{
    for (uint32_t i = 0; i < v->is.party_count; i++)
        if (v->party[i].member.row == v->is.lead)
            return &v->party[i].member;
    HUB_ASSERT(false); /* the lead is a party: a static rule of the body */
    return NULL;
}

void hub_agreement_json(struct hub_buf *out, const struct hub_agreement_view *v, bool whole)
{
    hub_json_object(out);
    hub_json_hash_member(out, "id", &v->is.id);
    hub_json_text_member(out, "number", v->is.number);
    hub_json_names_member(out, "title", v->title_zh, v->title_en);
    hub_json_text_member(out, "lead", lead_of(v)->code);
    hub_json_string_member(out, "state", hub_agreement_state_names[v->state]);
    put_flags(out, v);
    hub_json_string_member(out, "visibility", hub_visibility_names[v->is.visibility]);
    hub_json_int_member(out, "revision", v->is.revision);
    if (v->is.approved > 0)
        hub_json_int_member(out, "approved_revision", v->is.approved);
    hub_json_hash_member(out, "body_hash", &v->revision.hash);
    put_times(out, v);
    hub_json_int_member(out, "signed", v->has_signed);
    hub_json_int_member(out, "must_sign", v->must_sign);
    put_parties(out, v, whole);
    put_blocks(out, v);
    if (whole) {
        put_milestones(out, v);
        put_documents(out, v);
    }
    hub_json_text_member(out, "document_date", v->document_date);
    if (v->place_zh.len > 0)
        hub_json_names_member(out, "place", v->place_zh, v->place_en);
    hub_json_hash_member(out, "last_record", &v->is.last_record);
    hub_json_object_end(out);
}

/* The key beside its kid, so that a reader can check the signature without asking further. */
static void put_key(struct hub_buf *out, const struct hub_state *s, const struct hub_hash *kid)
{
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    struct hub_key k;
    bool known = hub_key_find(&k, s, kid);
    HUB_ASSERT(known); /* it signed a record */
    hub_cose_key_encode(cose_key, &k.key);
    hub_json_hash_member(out, "kid", kid);
    hub_json_hex_member(out, "key", (struct hub_span){cose_key, sizeof cose_key});
}

static void put_statement(struct hub_buf *out, const struct hub_state *s,
                          const struct hub_statement *w, struct hub_span member)
{
    hub_json_object(out);
    hub_json_text_member(out, "member", member);
    hub_json_string_member(out, "decision", hub_decision_names[w->decision]);
    hub_json_time_members(out, "at", w->at_ms);
    hub_json_text_member(out, "remark", w->remark);
    put_key(out, s, &w->kid);
    if (w->signature.len > 0)
        hub_json_hex_member(out, "signature", w->signature);
    hub_json_object_end(out);
}

bool hub_revision_json(struct hub_buf *out, const struct hub_state *s,
                       const struct hub_hash *agreement, uint32_t revision)
{
    struct hub_revision r;
    struct hub_statement w;
    struct hub_member m;
    if (!hub_revision_find(&r, s, agreement, revision))
        return false;
    hub_json_object(out);
    hub_json_hash_member(out, "agreement", agreement);
    hub_json_int_member(out, "revision", revision);
    hub_json_hash_member(out, "body_hash", &r.hash);
    hub_member_get(&m, s, r.proposer);
    hub_json_text_member(out, "proposer", m.code);
    hub_json_time_members(out, "proposed", r.proposed_ms);
    hub_json_hash_member(out, "record", &r.record);
    hub_json_key(out, "body");
    hub_json_body(out, r.body, hub_agreement_propose_fields[0].sub);
    hub_json_hex_member(out, "body_cbor", r.body);
    hub_json_key(out, "statements");
    hub_json_array(out);
    for (uint32_t i = 0; i < r.party_count; i++) {
        if (!hub_statement_find(&w, s, agreement, revision, r.party[i]))
            continue;
        hub_member_get(&m, s, r.party[i]);
        put_statement(out, s, &w, m.code);
    }
    hub_json_array_end(out);
    hub_json_object_end(out);
    return true;
}
