/* Form of the agreement records, the parties' own signatures, and what people are shown. Golden bytes and
 * the size of the largest record come from tests/vectors/agreement.py, which shares no code with us. */
#include "tests/support/desk.h"
#include "tests/support/hex.h"
#include "tests/support/space.h"

#include "hub/record.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { NONCE = 7, ROOM = 1 << 17, ROOMS = 16 };

static const char consent_hex[] =
    "835834a30127045820866eefbd6718c8846cd7ddfe43fc74ab1daac4538ff8514ea2ec2d410a4157433a00011171"
    "820166e5908ce6848fa058407e4829569131a2f293af04f49bb15af10ba94a4ec20fcebe24aa02e5f10beed53796"
    "ec724a37116eb6b54590bc915463001acd08da4848a4dc3b7090bc474309";
static const char executed_hex[] =
    "d86284582ca10378286170706c69636174696f6e2f766e642e6875626c65646765722e61677265656d656e742b63"
    "626f72a044a16161018283582ea301270458205c840f7a40230170abdee5151a594efdf270f7a89825f5c310badf"
    "6b589c5c593a00011171820160a05840b9ea33fae952af3a73e5e7c24a1305e12b8d35a3e050f6f176fe55cfbd38"
    "1a38c78d700f04b62f2e71170d49e6ec720c74d29c3a4376b6ef37383797cc493e02835834a30127045820866eef"
    "bd6718c8846cd7ddfe43fc74ab1daac4538ff8514ea2ec2d410a4157433a00011171820166e5908ce6848fa05840"
    "7e4829569131a2f293af04f49bb15af10ba94a4ec20fcebe24aa02e5f10beed53796ec724a37116eb6b54590bc91"
    "5463001acd08da4848a4dc3b7090bc474309";
/* RFC 8032 TEST 1 and TEST 2. */
static const char *const public_hex[] = {
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"};
static const char seed_hex[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

static struct desk *d;
static struct hub_draft draft;

static void setup(void)
{
    d = desk_open();
    draft = desk_draft(d, NONCE);
}

TestSuite(agreement_form, .init = setup);

/* One of 16 buffers, reused in turn. */
static struct hub_buf room(void)
{
    static uint8_t(*bytes)[ROOM];
    static unsigned next;
    if (!bytes)
        bytes = test_space((size_t)ROOMS * ROOM);
    return (struct hub_buf){bytes[next++ % ROOMS], 0, ROOM, false};
}

static struct hub_public_key public_key(unsigned i)
{
    struct hub_public_key k;
    test_unhex(k.b, sizeof k.b, public_hex[i]);
    return k;
}

/* ---- static rules: each line breaks one thing of a good draft */

static void milestone_of(struct hub_draft *b, uint32_t i, uint32_t no)
{
    b->milestone[i] = (struct hub_draft_milestone){.no = no,
                                                   .title = {"节点", NULL},
                                                   .owner = desk_code(CHANGNING),
                                                   .due_ms = b->sign_by_ms,
                                                   .accept = HUB_ACCEPT_ALL};
    b->milestone_count = i + 1;
}

static void other_chain(struct hub_draft *b)
{
    b->chain.b[0] ^= 1;
}
static void other_id(struct hub_draft *b)
{
    b->agreement.b[0] ^= 1;
}
static void revision_two(struct hub_draft *b)
{
    b->revision = 2;
}
static void early_note(struct hub_draft *b)
{
    b->change_note.zh = "改";
}
static void one_party(struct hub_draft *b)
{
    b->party_count = 1;
}
static void party_twice(struct hub_draft *b)
{
    b->party[2].member = b->party[1].member;
}
static void no_lead(struct hub_draft *b)
{
    b->party[0].as = HUB_PARTY_PARTY;
}
static void two_leads(struct hub_draft *b)
{
    b->party[1].as = HUB_PARTY_LEAD;
}
static void lead_elsewhere(struct hub_draft *b)
{
    b->lead = desk_code(CHANGNING);
}
static void lead_outside(struct hub_draft *b)
{
    b->lead = desk_code(OUTSIDER);
}
static void one_must_sign(struct hub_draft *b)
{
    b->party[1].must_sign = b->party[2].must_sign = false;
}
static void no_document(struct hub_draft *b)
{
    b->document_count = 0;
}
static void document_twice(struct hub_draft *b)
{
    b->document[1].sha256 = b->document[0].sha256;
}
static void document_size(struct hub_draft *b)
{
    b->document[0].size = (UINT64_C(1) << 40) + 1;
}
static void language(struct hub_draft *b)
{
    b->document[0].lang = "fr";
}
static void year_only(struct hub_draft *b)
{
    b->document_date = "2026";
}
static void no_such_day(struct hub_draft *b)
{
    b->document_date = "2026-02-30";
}
static void slashes(struct hub_draft *b)
{
    b->document_date = "2026/05/22";
}
static void untrimmed(struct hub_draft *b)
{
    b->title.zh = " 协议";
}
static void empty_title(struct hub_draft *b)
{
    b->title.zh = "";
}
static void lower_case(struct hub_draft *b)
{
    b->party[1].member = "cn310105";
}
static void need_too_many(struct hub_draft *b)
{
    b->need_amend = 4;
} /* three must sign */
static void expires_first(struct hub_draft *b)
{
    b->expires_ms = b->sign_by_ms;
}
static void ends_before_it_begins(struct hub_draft *b)
{
    b->effective = HUB_EFFECTIVE_AT;
    b->effective_ms = b->expires_ms;
}
static void effective_never(struct hub_draft *b)
{
    b->effective = HUB_EFFECTIVE_AT;
}
static void retention(struct hub_draft *b)
{
    b->retention = 20;
}
static void notice_days(struct hub_draft *b)
{
    b->withdraw_notice_days = 3651;
}
static void number_twice(struct hub_draft *b)
{
    milestone_of(b, 0, 2), milestone_of(b, 1, 2);
}
static void number_33(struct hub_draft *b)
{
    milestone_of(b, 0, 33);
}
static void foreign_owner(struct hub_draft *b)
{
    milestone_of(b, 0, 1);
    b->milestone[0].owner = desk_code(OUTSIDER);
}
static void list_without_names(struct hub_draft *b)
{
    milestone_of(b, 0, 1);
    b->milestone[0].accept = HUB_ACCEPT_LISTED;
}
static void names_without_list(struct hub_draft *b)
{
    milestone_of(b, 0, 1);
    b->milestone[0].who_count = 1;
    b->milestone[0].who[0] = desk_code(JIADING);
}
static void owner_accepts(struct hub_draft *b)
{
    list_without_names(b);
    b->milestone[0].who_count = 1;
    b->milestone[0].who[0] = desk_code(CHANGNING);
}
static void review_days(struct hub_draft *b)
{
    milestone_of(b, 0, 1);
    b->milestone[0].review_days = 181;
}

static const struct {
    const char *name;
    void (*broken)(struct hub_draft *);
    uint16_t code;
} refusals[] = {
    {"chain of another network", other_chain, HUB_CODE_chain_mismatch},
    {"id not made of chain, kid and nonce", other_id, HUB_CODE_body_invalid},
    {"a first draft that is the second", revision_two, HUB_CODE_body_invalid},
    {"a first draft with a note of changes", early_note, HUB_CODE_body_invalid},
    {"one party", one_party, HUB_CODE_body_invalid},
    {"a party twice", party_twice, HUB_CODE_body_invalid},
    {"no lead among the parties", no_lead, HUB_CODE_body_invalid},
    {"two leads", two_leads, HUB_CODE_body_invalid},
    {"lead is another party", lead_elsewhere, HUB_CODE_body_invalid},
    {"lead is no party", lead_outside, HUB_CODE_body_invalid},
    {"only one must sign", one_must_sign, HUB_CODE_body_invalid},
    {"no document", no_document, HUB_CODE_body_invalid},
    {"a document twice", document_twice, HUB_CODE_hash_form},
    {"a document above 2^40 bytes", document_size, HUB_CODE_body_invalid},
    {"a language we do not have", language, HUB_CODE_body_invalid},
    {"a year for a date", year_only, HUB_CODE_date_form},
    {"a day that is not in the calendar", no_such_day, HUB_CODE_date_form},
    {"a date with slashes", slashes, HUB_CODE_date_form},
    {"a title with a space in front", untrimmed, HUB_CODE_text_form},
    {"an empty title", empty_title, HUB_CODE_text_form},
    {"a member code in lower case", lower_case, HUB_CODE_text_form},
    {"more voices than must sign", need_too_many, HUB_CODE_threshold_form},
    {"expires at sign_by", expires_first, HUB_CODE_body_invalid},
    {"expires when it begins", ends_before_it_begins, HUB_CODE_body_invalid},
    {"effective at time 0", effective_never, HUB_CODE_body_invalid},
    {"kept for 20 years", retention, HUB_CODE_body_invalid},
    {"notice of more than ten years", notice_days, HUB_CODE_body_invalid},
    {"a milestone number twice", number_twice, HUB_CODE_body_invalid},
    {"milestone 33", number_33, HUB_CODE_body_invalid},
    {"a milestone of an outsider", foreign_owner, HUB_CODE_body_invalid},
    {"accepted by a list that is missing", list_without_names, HUB_CODE_body_invalid},
    {"a list where all accept", names_without_list, HUB_CODE_body_invalid},
    {"an owner that accepts its own", owner_accepts, HUB_CODE_body_invalid},
    {"181 days of review", review_days, HUB_CODE_body_invalid},
};

Test(agreement_form, a_draft_that_breaks_a_static_rule_is_in_no_block)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct hub_draft bad = draft;
        refusals[i].broken(&bad);
        uint16_t code = desk_propose(d, &bad, NONCE, XIANGCHENG, false);
        cr_expect_eq(code, refusals[i].code, "%s: got %u", refusals[i].name, code);
    }
    cr_expect_eq(d->state.count[HUB_TABLE_AGREEMENTS], 0);
    cr_expect_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, false), 0,
                 "the draft they were made of is good");
}

Test(agreement_form, every_option_of_a_body_is_accepted)
{
    milestone_of(&draft, 0, 1);
    milestone_of(&draft, 1, 32);
    draft.milestone[1].accept = HUB_ACCEPT_LISTED;
    draft.milestone[1].who_count = 2;
    draft.milestone[1].who[0] = desk_code(XIANGCHENG);
    draft.milestone[1].who[1] = desk_code(HUB_OFFICE);
    draft.milestone[1].deemed_days = 365;
    draft.milestone[1].review_days = 180;
    draft.dispute = (struct hub_bilingual){"协商解决", "By consultation"};
    draft.need_amend = HUB_NEED_LEAD;
    draft.need_renew = 3;
    draft.retention = 30;
    draft.withdraw_then = HUB_ENDS;
    draft.document_date = "2024-02-29";
    draft.visibility = HUB_VISIBILITY_NAMED;
    draft.prevailing = HUB_PREVAILING_EQUAL;
    cr_expect_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
}

Test(agreement_form, an_amendment_names_the_agreement_and_the_body_it_replaces)
{
    struct hub_buf body = room(), core = room();
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, false), 0);
    struct hub_draft next = desk_next(d, &draft);
    struct hub_hash other = {{1}};
    hub_draft_encode(&body, &next);
    hub_amend_encode(&core, &other, hub_span_of(&body), (struct hub_span){NULL, 0});
    cr_expect_eq(desk_submit(d, HUB_TYPE_AGREEMENT_AMEND, hub_span_of(&core), &d->seal[XIANGCHENG]),
                 HUB_CODE_body_invalid);
    next.revision = 1; /* and then without `previous` */
    cr_expect_eq(desk_amend(d, &next, XIANGCHENG, false), HUB_CODE_body_invalid);
}

Test(agreement_form, a_consent_part_goes_with_signing_and_repeats_the_remark)
{
    struct hub_buf part = room(), core = room();
    struct hub_hash hash = {{0xd1}};
    uint8_t bytes[256];
    struct hub_span consent = {bytes, test_unhex(bytes, sizeof bytes, consent_hex)},
                    none = {NULL, 0};
    hub_consent_part_encode(&part, &hash, 1, consent); /* its remark is 同意 */
    static const struct {
        enum hub_decision decision;
        const char *remark;
        bool with_part;
        uint16_t code;
    } cases[] = {{HUB_DECISION_SIGN, "同意", false, HUB_CODE_body_invalid},
                 {HUB_DECISION_SIGN, "不", true, HUB_CODE_body_invalid},
                 {HUB_DECISION_SIGN, "", true, HUB_CODE_body_invalid},
                 {HUB_DECISION_REFUSE, "同意", true, HUB_CODE_body_invalid},
                 {HUB_DECISION_RETURN, "同意", true, HUB_CODE_body_invalid},
                 {HUB_DECISION_SIGN, "同意", true, HUB_CODE_agreement_unknown}}; /* form is good */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        core.len = 0;
        hub_consent_record_encode(&core, &hash, 1, &hash, cases[i].decision,
                                  hub_text_span(cases[i].remark),
                                  cases[i].with_part ? hub_span_of(&part) : none);
        uint16_t code =
            desk_submit(d, HUB_TYPE_AGREEMENT_CONSENT, hub_span_of(&core), &d->seal[XIANGCHENG]);
        cr_expect_eq(code, cases[i].code, "case %zu: got %u", i, code);
    }
}

Test(agreement_form, reviewed_names_each_document_once)
{
    struct hub_buf part = room(), core = room();
    struct hub_hash twice[2] = {{{0xd1}}, {{0xd1}}};
    uint8_t bytes[256];
    struct hub_span consent = {bytes, test_unhex(bytes, sizeof bytes, consent_hex)};
    hub_consent_part_encode(&part, twice, 2, consent);
    hub_consent_record_encode(&core, twice, 1, twice, HUB_DECISION_SIGN, hub_text_span("同意"),
                              hub_span_of(&part));
    cr_expect_eq(
        desk_submit(d, HUB_TYPE_AGREEMENT_CONSENT, hub_span_of(&core), &d->seal[XIANGCHENG]),
        HUB_CODE_hash_form);
}

/* ---- ids and signatures */

Test(agreement_form, the_id_is_made_of_chain_kid_and_nonce)
{
    struct hub_hash chain, kid, id;
    struct hub_hash expected =
        test_hash("91487abc102e352a12e72cdb0cc69b38cc00160b0d313b885b47037c33d5d1f9");
    uint8_t nonce[16];
    memset(chain.b, 0xc4, 32);
    memset(nonce, 7, sizeof nonce);
    for (uint8_t i = 0; i < 32; i++)
        kid.b[i] = i;
    hub_agreement_id(&id, &chain, &kid, nonce);
    cr_expect(hub_hash_equal(&id, &expected));
}

Test(agreement_form, a_consent_is_the_bytes_another_implementation_makes)
{
    static const uint8_t body[] = {0xa1, 0x61, 'a', 0x01};
    struct hub_buf protected_ = room(), message = room(), item = room();
    struct hub_public_key key;
    struct hub_signature sig;
    struct hub_hash kid;
    uint8_t seed[32], secret[64], expected[256];
    test_unhex(seed, sizeof seed, seed_hex);
    hub_key_from_seed(&key, secret, seed);
    hub_kid_of(&kid, &key);
    hub_consent_protected(&protected_, &kid, hub_text_span("同意"));
    hub_consent_message(&message, (struct hub_span){body, sizeof body}, hub_span_of(&protected_));
    hub_sign(&sig, secret, hub_span_of(&message));
    hub_consent_encode(&item, hub_span_of(&protected_), &sig);
    size_t n = test_unhex(expected, sizeof expected, consent_hex);
    cr_expect(hub_span_equal(hub_span_of(&item), (struct hub_span){expected, n}));
}

Test(agreement_form, an_executed_agreement_of_another_implementation_verifies)
{
    uint8_t bytes[512];
    struct hub_executed got;
    size_t n = test_unhex(bytes, sizeof bytes, executed_hex);
    cr_assert(hub_executed_decode(&got, (struct hub_span){bytes, n}));
    cr_assert_eq(got.count, 2);
    for (unsigned i = 0; i < 2; i++) { /* kids ascend: TEST 2 before TEST 1 */
        struct hub_public_key right = public_key(1 - i), wrong = public_key(i);
        cr_expect(hub_consent_ok(&got.consent[i], got.body, &right));
        cr_expect(!hub_consent_ok(&got.consent[i], got.body, &wrong));
        cr_expect(!hub_consent_ok(&got.consent[i],
                                  (struct hub_span){got.body.data, got.body.len - 1}, &right));
    }
    cr_expect(hub_span_equal(got.consent[1].remark, hub_text_span("同意")));
}

Test(agreement_form, an_executed_agreement_with_any_byte_changed_does_not_verify)
{
    uint8_t bytes[512];
    struct hub_public_key key[2] = {public_key(1), public_key(0)};
    size_t n = test_unhex(bytes, sizeof bytes, executed_hex);
    for (size_t i = 0; i < n; i++) {
        struct hub_executed got;
        bytes[i] ^= 1;
        bool good = hub_executed_decode(&got, (struct hub_span){bytes, n}) && got.count == 2 &&
                    hub_consent_ok(&got.consent[0], got.body, &key[0]) &&
                    hub_consent_ok(&got.consent[1], got.body, &key[1]);
        cr_expect(!good, "byte %zu", i);
        bytes[i] ^= 1;
        cr_expect(!hub_executed_decode(&got, (struct hub_span){bytes, i}), "cut at %zu", i);
    }
}

Test(agreement_form, the_executed_agreement_is_assembled_from_the_state_alone)
{
    struct hub_buf file = room(), small = {file.data, 0, 64, false};
    struct hub_executed got;
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, false), 0);
    cr_expect_eq(hub_executed_build(&file, &d->state, &draft.agreement, 1), HUB_NOT_FOUND);
    cr_assert_eq(desk_decide(d, &draft.agreement, CHANGNING, HUB_DECISION_SIGN, "同意签署"), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, JIADING, HUB_DECISION_RETURN, "请补充"), 0);
    cr_assert_eq(desk_decide(d, &draft.agreement, XIANGCHENG, HUB_DECISION_SIGN, NULL), 0);
    cr_assert_eq(hub_executed_build(&file, &d->state, &draft.agreement, 1), HUB_OK);
    cr_assert(hub_executed_decode(&got, hub_span_of(&file)));
    cr_assert_eq(got.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        enum desk_member m =
            hub_hash_equal(&got.consent[i].kid, &d->seal[CHANGNING].kid) ? CHANGNING : XIANGCHENG;
        cr_expect(hub_consent_ok(&got.consent[i], got.body, &d->seal[m].key));
        cr_expect(
            hub_span_equal(got.consent[i].remark, hub_text_span(m == CHANGNING ? "同意签署" : "")));
    }
    cr_expect_eq(hub_executed_build(&small, &d->state, &draft.agreement, 1), HUB_LIMIT);
    cr_expect_eq(hub_executed_build(&small, &d->state, &draft.agreement, 2), HUB_NOT_FOUND);
}

/* ---- sizes */

static char filler[1001], party_code[HUB_PARTIES_MAX][HUB_MEMBER_CODE_MAX + 1];

static const char *long_text(size_t n)
{
    memset(filler, 'x', sizeof filler - 1);
    return filler + sizeof filler - 1 - n;
}

static struct hub_bilingual long_both(size_t n)
{
    return (struct hub_bilingual){long_text(n), long_text(n)};
}

static void largest_milestone(struct hub_draft *b, uint32_t i)
{
    struct hub_draft_milestone *m = &b->milestone[i];
    *m = (struct hub_draft_milestone){.no = i + 1,
                                      .title = long_both(200),
                                      .owner = party_code[i],
                                      .due_ms = UINT64_C(1) << 41,
                                      .accept = HUB_ACCEPT_LISTED,
                                      .deemed_days = 365,
                                      .review_days = 180};
    for (uint32_t j = 0; j < HUB_PARTIES_MAX; j++)
        if (j != i)
            m->who[m->who_count++] = party_code[j];
}

static struct hub_draft largest_draft(void)
{
    struct hub_draft b = draft;
    b.number = long_text(64);
    b.title = long_both(300);
    b.place = long_both(100);
    b.dispute = long_both(300);
    b.change_note = long_both(1000);
    b.document_date = "2026-05-22";
    b.revision = UINT32_MAX;
    b.sign_by_ms = b.expires_ms = UINT64_C(1) << 41;
    b.expires_ms++;
    b.need_amend = b.need_renew = b.need_suspend = b.need_terminate = HUB_NEED_LEAD;
    b.withdraw_notice_days = 3650;
    b.prevailing = HUB_PREVAILING_EQUAL;
    b.party_count = HUB_PARTIES_MAX;
    b.area_count = HUB_AREAS_MAX;
    b.document_count = HUB_DOCUMENTS_MAX;
    b.milestone_count = HUB_MILESTONES_MAX;
    for (uint32_t i = 0; i < HUB_PARTIES_MAX; i++) {
        snprintf(party_code[i], sizeof party_code[i], "PARTYXXXXXXXXXXX%02u", i);
        b.party[i] = (struct hub_draft_party){party_code[i],
                                              i == 0 ? HUB_PARTY_LEAD : HUB_PARTY_WITNESS, true};
        b.area[i] = (struct hub_draft_area){long_text(32), long_both(100)};
        largest_milestone(&b, i);
    }
    for (uint32_t i = 0; i < HUB_DOCUMENTS_MAX; i++)
        b.document[i] = (struct hub_draft_document){
            long_text(200), long_text(100), "both", UINT64_C(1) << 40, {{(uint8_t)(i + 1)}}};
    b.lead = party_code[0];
    return b;
}

/* {reviewed: 16 hashes, seal_ref, signature with a remark of 1,000 bytes} */
static void largest_part(struct hub_buf *out, const struct hub_draft *b)
{
    struct hub_buf protected_ = room();
    struct hub_signature sig = {{0}};
    hub_consent_protected(&protected_, &d->seal[0].kid, hub_text_span(long_text(1000)));
    hub_put_map(out, 3);
    hub_put_text(out, "reviewed");
    hub_put_array(out, HUB_DOCUMENTS_MAX);
    for (uint32_t i = 0; i < HUB_DOCUMENTS_MAX; i++)
        hub_put_hash(out, &b->document[i].sha256);
    hub_put_text(out, "seal_ref");
    hub_put_hash(out, &b->chain);
    hub_put_text(out, "signature");
    hub_consent_encode(out, hub_span_of(&protected_), &sig);
}

Test(agreement_form, the_largest_record_within_the_limits_fits)
{
    struct hub_draft b = largest_draft();
    struct hub_buf body = room(), part = room(), core = room(), payload = room(), scratch = room(),
                   bytes = room();
    struct hub_cosignature by[7];
    struct hub_record r;
    uint16_t why = 0;
    char sub[65];
    hub_draft_encode(&body, &b);
    largest_part(&part, &b);
    hub_amend_encode(&core, &b.agreement, hub_span_of(&body), hub_span_of(&part));
    memset(by, 0, sizeof by);
    for (uint8_t i = 0; i < 7; i++)
        by[i].kid.b[0] = i;
    hub_payload_cosigned(&payload, hub_span_of(&core), by, 7);
    cr_assert(hub_record_sub(sub, HUB_TYPE_AGREEMENT_AMEND, hub_span_of(&core), hub_text_span("")));
    struct hub_record_draft rec = {.type = HUB_TYPE_AGREEMENT_AMEND,
                                   .kid = d->seal[0].kid,
                                   .chain = d->chain,
                                   .iss = hub_text_span(party_code[0]),
                                   .sub = hub_text_span(sub),
                                   .payload = hub_span_of(&payload),
                                   .seq = HUB_UINT_MAX,
                                   .valid_until_ms = HUB_UINT_MAX};
    cr_assert_eq(hub_record_build(&bytes, &scratch, &rec, d->seal[0].secret), HUB_OK);
    cr_expect_eq(
        hub_record_decode(&r, &why, hub_span_of(&bytes), (struct hub_span){NULL, 0}, &d->chain),
        HUB_OK, "code %u", why);
    cr_expect_eq(body.len, 55229);  /* tests/vectors/agreement.py */
    cr_expect_eq(bytes.len, 58098); /* the same */
    cr_expect_leq(bytes.len, 59905, "the bound docs/agreements.md gives");
    /* A revision row holds the body, 36 bytes of key, two hashes, four integers and 32 member rows. */
    cr_expect_leq(body.len + 3 + 38 + 2 * 34 + 4 * 9 + 2 + 32 * 5 + 1,
                  (size_t)HUB_ROW_BYTES_MAX - 2);
    /* and the stand-alone file holds 32 consents of that size. */
    cr_expect_leq(64 + body.len + 32 * (part.len - HUB_DOCUMENTS_MAX * 34),
                  (size_t)HUB_EXECUTED_BYTES_MAX);
}
