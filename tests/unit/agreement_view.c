/* What people are shown of an agreement: who has signed, who is late, what blocks it. */
#include "tests/support/desk.h"
#include "tests/support/hex.h"
#include "tests/support/space.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { NONCE = 7, ROOM = 1 << 17, ROOMS = 16 };

static struct desk *d;
static struct hub_draft draft;

static void setup(void)
{
    d = desk_open();
    draft = desk_draft(d, NONCE);
}

TestSuite(agreement_view, .init = setup);

/* One of 16 buffers, reused in turn. */
static struct hub_buf room(void)
{
    static uint8_t(*bytes)[ROOM];
    static unsigned next;
    if (!bytes)
        bytes = test_space((size_t)ROOMS * ROOM);
    return (struct hub_buf){bytes[next++ % ROOMS], 0, ROOM, false};
}

static struct hub_agreement_view view(void)
{
    struct hub_agreement_view v;
    hub_agreement_read(&v, &d->state, 0, d->time_ms);
    return v;
}

static void expect_sentence(const char *zh, const char *en)
{
    struct hub_agreement_view v = view();
    struct hub_buf out = room();
    hub_agreement_sentence(&out, &v, true);
    cr_expect(hub_span_equal(hub_span_of(&out), hub_text_span(zh)), "%.*s", (int)out.len,
              (const char *)out.data);
    out.len = 0;
    hub_agreement_sentence(&out, &v, false);
    cr_expect(hub_span_equal(hub_span_of(&out), hub_text_span(en)), "%.*s", (int)out.len,
              (const char *)out.data);
}

Test(agreement_view, the_view_says_who_signed_who_is_late_and_what_blocks_it)
{
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
    struct hub_agreement_view v = view();
    cr_expect_eq(v.must_sign, 3);
    cr_expect_eq(v.has_signed, 1);
    cr_expect_eq(v.is.party_count, 4);
    cr_expect_eq(v.party[XIANGCHENG].is.at_ms, DESK_START_MS);
    cr_expect_not(v.party[XIANGCHENG].waited);
    cr_expect(v.party[CHANGNING].waited && v.party[JIADING].waited);
    cr_expect_not(v.party[HUB_OFFICE].waited, "a witness keeps nobody waiting");
    cr_expect_eq(v.document_count, 2);
    cr_expect(hub_span_equal(v.document[1].name, hub_text_span("annex.pdf")));
    cr_expect_eq(v.document[1].lang.len, 0);
    cr_expect_eq(v.document[1].sha256.b[0], 0xd2);
    cr_expect(hub_span_equal(v.document_date, hub_text_span("--05-22")));
    cr_expect(hub_span_equal(v.title_zh, hub_text_span("区域战略合作协议")));
    cr_expect(hub_span_equal(v.place_en, hub_text_span("Shanghai")));
    expect_sentence("1/3 已签署；等待长宁区、嘉定区。",
                    "1 of 3 have signed; waiting for Changning and Jiading.");

    cr_assert_eq(desk_decide(d, &draft.agreement, CHANGNING, HUB_DECISION_SIGN, NULL), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, JIADING, HUB_DECISION_RETURN, "请补充附件"), 0);
    v = view();
    cr_expect(v.returned && v.party[JIADING].is.returned && v.party[XIANGCHENG].waited);
    cr_expect(hub_span_equal(v.party[JIADING].remark, hub_text_span("请补充附件")));
    expect_sentence("2/3 已签署；嘉定区退回修改；等待相城区。",
                    "2 of 3 have signed; sent back by Jiading; waiting for Xiangcheng.");

    cr_assert_eq(desk_decide(d, &draft.agreement, JIADING, HUB_DECISION_REFUSE, "不同意"), 0);
    expect_sentence("嘉定区不同意；可由相城区发起新一版草案。",
                    "Refused by Jiading; Xiangcheng may send the next draft.");

    d->time_ms = draft.sign_by_ms;
    v = view();
    cr_expect_eq(v.state, HUB_AGREEMENT_LAPSED);
    cr_expect(v.party[JIADING].overdue && !v.party[CHANGNING].overdue &&
              !v.party[HUB_OFFICE].overdue);
    expect_sentence("逾期失效，未签署：嘉定区；可由相城区发起新一版草案。",
                    "Lapsed; not signed in time by Jiading; Xiangcheng may send the next draft.");
}

Test(agreement_view, the_sentence_of_a_signed_agreement_says_what_it_waits_for)
{
    draft.effective = HUB_EFFECTIVE_NOTICE;
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, CHANGNING, HUB_DECISION_SIGN, NULL), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, JIADING, HUB_DECISION_SIGN, NULL), 0);
    struct hub_agreement_view v = view();
    cr_expect(v.party[XIANGCHENG].waited);
    expect_sentence("必签方均已签署，待牵头单位通知生效。",
                    "Signed by all who must; comes into force by the lead's notice.");
    d->time_ms = draft.expires_ms;
    expect_sentence("期满。", "Expired.");
}

static json_t *loaded(const struct hub_buf *out)
{
    cr_assert(!out->full);
    json_t *j = json_loadb((const char *)out->data, out->len, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(j, "%.*s", (int)out->len, (const char *)out->data);
    return j;
}

static const char *string_at(const json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));
    return s == NULL ? "" : s;
}

Test(agreement_view, the_json_of_an_agreement_is_json_and_says_the_same)
{
    struct hub_buf out = room();
    draft.milestone_count = 1;
    draft.milestone[0] = (struct hub_draft_milestone){.no = 1,
                                                      .title = {"节点", NULL},
                                                      .owner = desk_code(CHANGNING),
                                                      .due_ms = draft.sign_by_ms};
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, JIADING, HUB_DECISION_RETURN, "请补\"附件\""), 0);
    struct hub_agreement_view v = view();
    hub_agreement_json(&out, &v, true);
    json_t *j = loaded(&out), *party = json_array_get(json_object_get(j, "parties"), JIADING);
    cr_expect_str_eq(string_at(j, "number"), draft.number);
    cr_expect_str_eq(string_at(j, "state"), "proposed");
    cr_expect_str_eq(json_string_value(json_array_get(json_object_get(j, "flags"), 0)), "returned");
    cr_expect_str_eq(string_at(party, "decision"), "return");
    cr_expect_str_eq(string_at(party, "remark"), "请补\"附件\"");
    cr_expect_eq(json_array_size(json_object_get(j, "waiting_on")),
                 2); /* Changning, and the author */
    cr_expect_eq(json_array_size(json_object_get(j, "documents")), 2);
    cr_expect_eq(json_array_size(json_object_get(j, "milestones")), 1);
    cr_expect_null(json_object_get(j, "effective_ms"), "not known before the last signature");
    cr_expect_str_eq(
        string_at(json_object_get(j, "blocks"), "en"),
        "1 of 3 have signed; sent back by Jiading; waiting for Xiangcheng and Changning.");
    json_decref(j);
}

Test(agreement_view, the_json_of_a_revision_holds_the_bytes_that_are_signed)
{
    static uint8_t body[HUB_RECORD_BYTES_MAX];
    struct hub_buf out = room();
    struct hub_hash hash;
    char hex[65];
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, JIADING, HUB_DECISION_REFUSE, "不同意"), 0);
    cr_expect(!hub_revision_json(&out, &d->state, &draft.agreement, 2));
    cr_assert(hub_revision_json(&out, &d->state, &draft.agreement, 1));
    json_t *j = loaded(&out), *said = json_object_get(j, "statements");
    size_t n = test_unhex(body, sizeof body, string_at(j, "body_cbor"));
    hub_hash_span(&hash, (struct hub_span){body, n});
    for (size_t i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash.b[i]);
    cr_expect_str_eq(string_at(j, "body_hash"), hex);
    cr_expect_str_eq(string_at(j, "proposer"), desk_code(XIANGCHENG));
    cr_expect_str_eq(string_at(json_object_get(j, "body"), "number"), draft.number);
    cr_assert_eq(json_array_size(said), 2);
    cr_expect_eq(strlen(string_at(json_array_get(said, 0), "signature")), 128);
    cr_expect_eq(strlen(string_at(json_array_get(said, 0), "key")), 2 * HUB_COSE_KEY_BYTES);
    cr_expect_str_eq(string_at(json_array_get(said, 1), "remark"), "不同意");
    cr_expect_null(json_object_get(json_array_get(said, 1), "signature"));
    json_decref(j);
}
