/* agreement_view.c: one agreement as people ask about it: who has signed, who is late, what blocks it. */
#include "hub/agreement.h"

#include "hub/body.h"
#include "hub/json.h"

static void read_documents(struct hub_agreement_view *v)
{
    struct hub_cbor c;
    uint32_t count;
    bool has = hub_field_array(v->revision.body, "documents", &c, &count);
    HUB_ASSERT(has && count <= HUB_DOCUMENTS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct hub_span item = hub_cbor_item(&c);
        struct hub_document *d = &v->document[i];
        struct hub_cbor sha256 = hub_cbor_open(hub_field_item(item, "sha256"));
        d->name = hub_field_span(item, "name");
        d->media = hub_field_span(item, "media");
        d->lang = hub_field_span(item, "lang");
        d->size = hub_field_uint(item, "size", 0);
        hub_cbor_hash(&sha256, &d->sha256);
    }
    v->document_count = count;
}

static void read_texts(struct hub_agreement_view *v)
{
    struct hub_span title = hub_field_item(v->revision.body, "title");
    struct hub_span place = hub_field_item(v->revision.body, "place");
    v->title_zh = hub_field_span(title, "zh");
    v->title_en = hub_field_span(title, "en");
    v->document_date = hub_field_span(v->revision.body, "document_date");
    v->place_zh = place.len == 0 ? place : hub_field_span(place, "zh");
    v->place_en = place.len == 0 ? place : hub_field_span(place, "en");
}

/* Who must make the next step. A draft waits for those who have not spoken, and once somebody sent it
 * back or refused it, or its time is over, for the one who wrote it to write the next. */
static bool waited(const struct hub_agreement_view *v, const struct hub_agreement_party *p)
{
    bool author = p->member == v->revision.proposer;
    switch (v->state) {
    case HUB_AGREEMENT_PROPOSED:
        return (p->must_sign && p->decision == HUB_DECISION_NONE) || (author && v->returned);
    case HUB_AGREEMENT_REFUSED:
    case HUB_AGREEMENT_LAPSED:
        return author;
    case HUB_AGREEMENT_SIGNED:
        return v->is.effective_ms == 0 && p->member == v->is.lead;
    case HUB_AGREEMENT_RECALLED:
    case HUB_AGREEMENT_IN_FORCE:
    case HUB_AGREEMENT_SUSPENDED:
    case HUB_AGREEMENT_EXPIRED:
    case HUB_AGREEMENT_TERMINATED:
        break;
    }
    return false;
}

static void read_parties(struct hub_agreement_view *v, const struct hub_state *s)
{
    v->returned = false;
    v->must_sign = v->has_signed = 0;
    for (uint32_t i = 0; i < v->is.party_count; i++) {
        const struct hub_agreement_party *p = &v->is.party[i];
        v->returned = v->returned || p->returned;
        v->must_sign += p->must_sign;
        v->has_signed += p->must_sign && p->decision == HUB_DECISION_SIGN;
    }
    for (uint32_t i = 0; i < v->is.party_count; i++) {
        struct hub_party_view *out = &v->party[i];
        struct hub_statement w;
        out->is = v->is.party[i];
        hub_member_get(&out->member, s, out->is.member);
        out->remark = (struct hub_span){NULL, 0};
        if (hub_statement_find(&w, s, &v->is.id, v->is.revision, out->is.member))
            out->remark = w.remark;
        out->overdue = v->state == HUB_AGREEMENT_LAPSED && out->is.must_sign &&
                       out->is.decision != HUB_DECISION_SIGN;
        out->waited = waited(v, &out->is);
    }
}

void hub_agreement_read(struct hub_agreement_view *out, const struct hub_state *s, uint32_t row,
                        uint64_t time_ms)
{
    hub_agreement_get(&out->is, s, row);
    bool held = hub_revision_find(&out->revision, s, &out->is.id, out->is.revision);
    HUB_ASSERT(held);
    out->time_ms = time_ms;
    out->state = hub_agreement_standing(&out->is, time_ms);
    read_texts(out);
    read_parties(out, s);
    read_documents(out);
}

/* ---- the sentence */

static void put_names(struct hub_buf *out, const struct hub_agreement_view *v, bool zh,
                      bool (*named)(const struct hub_party_view *))
{
    bool first = true;
    for (uint32_t i = 0; i < v->is.party_count; i++) {
        const struct hub_member *m = &v->party[i].member;
        if (!named(&v->party[i]))
            continue;
        if (!first)
            hub_text_put(out, zh ? "、" : " and ");
        hub_put_raw(out, zh || m->name_en.len == 0 ? m->name_zh : m->name_en);
        first = false;
    }
}

static bool is_waited(const struct hub_party_view *p)
{
    return p->waited;
}

static bool is_overdue(const struct hub_party_view *p)
{
    return p->overdue;
}

static bool has_returned(const struct hub_party_view *p)
{
    return p->is.returned;
}

static bool has_refused(const struct hub_party_view *p)
{
    return p->is.must_sign && p->is.decision == HUB_DECISION_REFUSE;
}

static void put_count(struct hub_buf *out, const struct hub_agreement_view *v, bool zh)
{
    hub_text_put_u64(out, v->has_signed);
    hub_text_put(out, zh ? "/" : " of ");
    hub_text_put_u64(out, v->must_sign);
    hub_text_put(out, zh ? " 已签署" : " have signed");
}

static void put_draft(struct hub_buf *out, const struct hub_agreement_view *v, bool zh)
{
    put_count(out, v, zh);
    if (v->returned) {
        hub_text_put(out, zh ? "；" : "; sent back by ");
        put_names(out, v, zh, has_returned);
        hub_text_put(out, zh ? "退回修改" : "");
    }
    hub_text_put(out, zh ? "；等待" : "; waiting for ");
    put_names(out, v, zh, is_waited);
    hub_text_put(out, zh ? "。" : ".");
}

static void put_next_draft(struct hub_buf *out, const struct hub_agreement_view *v, bool zh)
{
    if (v->state == HUB_AGREEMENT_REFUSED) {
        hub_text_put(out, zh ? "" : "Refused by ");
        put_names(out, v, zh, has_refused);
        hub_text_put(out, zh ? "不同意" : "");
    } else {
        hub_text_put(out, zh ? "逾期失效，未签署：" : "Lapsed; not signed in time by ");
        put_names(out, v, zh, is_overdue);
    }
    hub_text_put(out, zh ? "；可由" : "; ");
    put_names(out, v, zh, is_waited);
    hub_text_put(out, zh ? "发起新一版草案。" : " may send the next draft.");
}

static const char *fixed_sentence(const struct hub_agreement_view *v, bool zh)
{
    switch (v->state) {
    case HUB_AGREEMENT_SIGNED:
        if (v->is.effective_ms == 0)
            return zh ? "必签方均已签署，待牵头单位通知生效。"
                      : "Signed by all who must; comes into force by the lead's notice.";
        return zh ? "必签方均已签署，待约定日期生效。"
                  : "Signed by all who must; comes into force on the agreed date.";
    case HUB_AGREEMENT_RECALLED:
        return zh ? "已撤回。" : "Recalled.";
    case HUB_AGREEMENT_IN_FORCE:
        return zh ? "必签方均已签署，生效履行中。" : "Signed by all who must; in force.";
    case HUB_AGREEMENT_SUSPENDED:
        return zh ? "中止。" : "Suspended.";
    case HUB_AGREEMENT_EXPIRED:
        return zh ? "期满。" : "Expired.";
    case HUB_AGREEMENT_TERMINATED:
        return zh ? "终止（解除）。" : "Terminated.";
    case HUB_AGREEMENT_PROPOSED:
    case HUB_AGREEMENT_REFUSED:
    case HUB_AGREEMENT_LAPSED:
        break;
    }
    return "";
}

void hub_agreement_sentence(struct hub_buf *out, const struct hub_agreement_view *v, bool zh)
{
    if (v->state == HUB_AGREEMENT_PROPOSED)
        put_draft(out, v, zh);
    else if (v->state == HUB_AGREEMENT_REFUSED || v->state == HUB_AGREEMENT_LAPSED)
        put_next_draft(out, v, zh);
    else
        hub_text_put(out, fixed_sentence(v, zh));
}
