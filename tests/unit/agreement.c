/* The agreement's state machine, cell by cell as in docs/agreements.md, and each code of the family. */
#include "tests/support/desk.h"

#include <criterion/criterion.h>
#include <string.h>

enum { STATES = HUB_AGREEMENT_TERMINATED + 1, NONCE = 7 };
enum {
    OK = 0,
    EXISTS = HUB_CODE_agreement_exists,
    DECIDED = HUB_CODE_already_decided,
    PASSED = HUB_CODE_sign_by_passed,
    NO = HUB_CODE_state_forbids
};

static struct desk *d;
static struct hub_draft draft;
static struct hub_hash id;

static void setup(void)
{
    d = desk_open();
    draft = desk_draft(d, NONCE);
    id = draft.agreement;
}

TestSuite(agreement, .init = setup);

static void all_sign(void)
{
    cr_assert_eq(desk_decide(d, &id, CHANGNING, HUB_DECISION_SIGN, NULL), 0);
    cr_assert_eq(desk_decide(d, &id, JIADING, HUB_DECISION_SIGN, NULL), 0);
}

static void days_pass(unsigned days)
{
    d->time_ms += days * (uint64_t)DESK_DAY_MS;
}

/* Brings a fresh ledger's agreement into the state. Xiangcheng has signed with its proposal, Changning is
 * the refuser, Jiading has said nothing, the hub office need not sign. */
static void reach(enum hub_agreement_state state)
{
    setup();
    draft.effective = HUB_EFFECTIVE_AT;
    draft.effective_ms = d->time_ms + 20 * (uint64_t)DESK_DAY_MS;
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
    if (state == HUB_AGREEMENT_REFUSED)
        cr_assert_eq(desk_decide(d, &id, CHANGNING, HUB_DECISION_REFUSE, "条款不妥"), 0);
    if (state == HUB_AGREEMENT_LAPSED)
        days_pass(10);
    if (state == HUB_AGREEMENT_RECALLED)
        desk_force(d, &id, state);
    if (state >= HUB_AGREEMENT_SIGNED)
        all_sign();
    if (state >= HUB_AGREEMENT_IN_FORCE)
        days_pass(20);
    if (state == HUB_AGREEMENT_SUSPENDED || state == HUB_AGREEMENT_TERMINATED)
        desk_force(d, &id, state);
    if (state == HUB_AGREEMENT_EXPIRED)
        days_pass(980);
    cr_assert_eq(desk_standing(d, &id), state);
}

static uint16_t propose_again(void)
{
    struct hub_draft second = draft;
    uint8_t nonce[16];
    memset(nonce, NONCE + 1, sizeof nonce);
    hub_agreement_id(&second.agreement, &d->chain, &d->seal[XIANGCHENG].kid, nonce);
    second.effective = HUB_EFFECTIVE_NOTICE;
    second.expires_ms = 0;
    second.sign_by_ms = d->time_ms + DESK_DAY_MS;
    return desk_propose(d, &second, NONCE + 1, XIANGCHENG, true);
}

static uint16_t amend(void)
{
    struct hub_draft next = desk_next(d, &draft);
    next.expires_ms = 0;
    return desk_amend(d, &next, JIADING, false);
}

static uint16_t sign_by_jiading(void)
{
    return desk_decide(d, &id, JIADING, HUB_DECISION_SIGN, NULL);
}

static uint16_t sign_by_refuser(void)
{
    return desk_decide(d, &id, CHANGNING, HUB_DECISION_SIGN, NULL);
}

static uint16_t sign_by_witness(void)
{
    return desk_decide(d, &id, HUB_OFFICE, HUB_DECISION_SIGN, NULL);
}

static uint16_t sign_twice(void)
{
    return desk_decide(d, &id, XIANGCHENG, HUB_DECISION_SIGN, NULL);
}

static uint16_t refuse_by_jiading(void)
{
    return desk_decide(d, &id, JIADING, HUB_DECISION_REFUSE, "不同意第三条");
}

static uint16_t refuse_by_witness(void)
{
    return desk_decide(d, &id, HUB_OFFICE, HUB_DECISION_REFUSE, "不同意第三条");
}

static uint16_t return_by_jiading(void)
{
    return desk_decide(d, &id, JIADING, HUB_DECISION_RETURN, "请补充附件");
}

static uint16_t return_by_refuser(void)
{
    return desk_decide(d, &id, CHANGNING, HUB_DECISION_RETURN, "请补充附件");
}

#define P HUB_AGREEMENT_PROPOSED
#define R HUB_AGREEMENT_REFUSED
#define L HUB_AGREEMENT_LAPSED
#define X HUB_AGREEMENT_RECALLED
#define S HUB_AGREEMENT_SIGNED
#define F HUB_AGREEMENT_IN_FORCE
#define U HUB_AGREEMENT_SUSPENDED
#define E HUB_AGREEMENT_EXPIRED
#define T HUB_AGREEMENT_TERMINATED

/* One line an event, one column a state in the order of the table: the code and the standing afterwards. */
static const struct {
    const char *name;
    uint16_t (*run)(void);
    struct {
        uint16_t code;
        enum hub_agreement_state after;
    } cell[STATES];
} table[] = {
    {"propose, same lead and number",
     propose_again,
     {{EXISTS, P},
      {EXISTS, R},
      {EXISTS, L},
      {OK, X},
      {EXISTS, S},
      {EXISTS, F},
      {EXISTS, U},
      {EXISTS, E},
      {EXISTS, T}}},
    /* Amending what everybody signed waits for amendments (A.4.2). */
    {"amend",
     amend,
     {{OK, P}, {OK, P}, {OK, P}, {NO, X}, {NO, S}, {NO, F}, {NO, U}, {NO, E}, {NO, T}}},
    {"sign, a must-sign party",
     sign_by_jiading,
     {{OK, P},
      {OK, R},
      {PASSED, L},
      {NO, X},
      {DECIDED, S},
      {DECIDED, F},
      {DECIDED, U},
      {NO, E},
      {NO, T}}},
    {"sign, the refuser",
     sign_by_refuser,
     {{OK, P},
      {OK, P},
      {PASSED, L},
      {NO, X},
      {DECIDED, S},
      {DECIDED, F},
      {DECIDED, U},
      {NO, E},
      {NO, T}}},
    {"sign, an optional party: accession",
     sign_by_witness,
     {{OK, P}, {OK, R}, {PASSED, L}, {NO, X}, {OK, S}, {OK, F}, {OK, U}, {NO, E}, {NO, T}}},
    {"sign, who has signed: final",
     sign_twice,
     {{DECIDED, P},
      {DECIDED, R},
      {PASSED, L},
      {NO, X},
      {DECIDED, S},
      {DECIDED, F},
      {DECIDED, U},
      {NO, E},
      {NO, T}}},
    {"refuse, a must-sign party",
     refuse_by_jiading,
     {{OK, R},
      {OK, R},
      {PASSED, L},
      {NO, X},
      {DECIDED, S},
      {DECIDED, F},
      {DECIDED, U},
      {NO, E},
      {NO, T}}},
    {"refuse, an optional party",
     refuse_by_witness,
     {{OK, P},
      {OK, R},
      {PASSED, L},
      {NO, X},
      {DECIDED, S},
      {DECIDED, F},
      {DECIDED, U},
      {NO, E},
      {NO, T}}},
    {"return",
     return_by_jiading,
     {{OK, P},
      {OK, R},
      {PASSED, L},
      {NO, X},
      {DECIDED, S},
      {DECIDED, F},
      {DECIDED, U},
      {NO, E},
      {NO, T}}},
    {"return, the refuser: its refusal stands",
     return_by_refuser,
     {{OK, P},
      {OK, R},
      {PASSED, L},
      {NO, X},
      {DECIDED, S},
      {DECIDED, F},
      {DECIDED, U},
      {NO, E},
      {NO, T}}},
};

Test(agreement, does_in_every_state_what_the_table_says)
{
    for (size_t e = 0; e < sizeof table / sizeof *table; e++)
        for (enum hub_agreement_state s = P; s <= T; s++) {
            reach(s);
            uint16_t code = table[e].run();
            cr_expect_eq(code, table[e].cell[s].code, "%s in %s: got %u, expected %u",
                         table[e].name, hub_agreement_state_names[s], code, table[e].cell[s].code);
            cr_expect_eq(desk_standing(d, &id), table[e].cell[s].after, "%s in %s: now %s",
                         table[e].name, hub_agreement_state_names[s],
                         hub_agreement_state_names[desk_standing(d, &id)]);
        }
}

Test(agreement, a_record_without_effect_changes_no_row)
{
    struct hub_hash before, after;
    reach(S);
    hub_state_root(&d->state, &before);
    for (size_t e = 0; e < sizeof table / sizeof *table; e++)
        if (table[e].cell[S].code != OK)
            cr_expect_eq(table[e].run(), table[e].cell[S].code);
    hub_state_root(&d->state, &after);
    cr_expect(hub_hash_equal(&before, &after));
}

Test(agreement, the_last_signature_brings_it_into_force_as_its_body_says)
{
    static const struct {
        enum hub_effective rule;
        int days; /* of a date, from the proposal */
        enum hub_agreement_state after;
    } cases[] = {{HUB_EFFECTIVE_LAST_SIGNATURE, 0, F},
                 {HUB_EFFECTIVE_NOTICE, 0, S},
                 {HUB_EFFECTIVE_AT, 3, F},
                 {HUB_EFFECTIVE_AT, 20, S}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setup();
        draft.effective = cases[i].rule;
        draft.effective_ms = d->time_ms + (uint64_t)cases[i].days * DESK_DAY_MS;
        cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
        days_pass(5);
        cr_assert_eq(sign_by_refuser(), 0);
        cr_expect_eq(desk_standing(d, &id), P);
        cr_assert_eq(sign_by_jiading(), 0);
        cr_expect_eq(desk_standing(d, &id), cases[i].after, "case %zu", i);
        cr_expect_eq(desk_agreement(d, &id).approved, 1);
    }
}

Test(agreement, is_due_when_block_time_reaches_the_moment)
{
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
    struct hub_agreement a = desk_agreement(d, &id);
    cr_expect_eq(hub_agreement_standing(&a, draft.sign_by_ms - 1), P);
    cr_expect_eq(hub_agreement_standing(&a, draft.sign_by_ms), L);
    all_sign();
    a = desk_agreement(d, &id);
    cr_expect_eq(hub_agreement_standing(&a, draft.expires_ms - 1), F);
    cr_expect_eq(hub_agreement_standing(&a, draft.expires_ms), E);
}

Test(agreement, a_refusal_is_lifted_only_by_signing)
{
    reach(R);
    cr_assert_eq(return_by_refuser(), 0);
    cr_assert_eq(sign_by_jiading(), 0);
    cr_expect_eq(desk_standing(d, &id), R);
    cr_expect(desk_agreement(d, &id).party[CHANGNING].returned);
    cr_assert_eq(sign_by_refuser(), 0);
    cr_expect_eq(desk_standing(d, &id), S);
    cr_expect(!desk_agreement(d, &id).party[CHANGNING].returned);
}

Test(agreement, consents_to_an_old_draft_do_not_carry_over)
{
    reach(P);
    cr_assert_eq(sign_by_refuser(), 0);
    cr_assert_eq(return_by_jiading(), 0);
    struct hub_draft next = desk_next(d, &draft);
    cr_assert_eq(desk_amend(d, &next, XIANGCHENG, true), 0);
    struct hub_agreement a = desk_agreement(d, &id);
    cr_expect_eq(a.revision, 2);
    cr_expect_eq(a.approved, 0);
    cr_expect_eq(a.party[XIANGCHENG].decision, HUB_DECISION_SIGN);
    cr_expect_eq(a.party[CHANGNING].decision, HUB_DECISION_NONE);
    cr_expect_eq(a.party[JIADING].decision, HUB_DECISION_NONE);
    cr_expect(!a.party[JIADING].returned);
    all_sign();
    cr_expect_eq(desk_agreement(d, &id).approved, 2);
    /* What was said to the first draft stays readable. */
    struct hub_statement w;
    cr_assert(hub_statement_find(&w, &d->state, &id, 1, JIADING));
    cr_expect_eq(w.decision, HUB_DECISION_RETURN);
    cr_expect(hub_span_equal(w.remark, hub_text_span("请补充附件")));
}

/* ---- each code */

Test(agreement, agreement_unknown)
{
    struct hub_hash other = {{9}};
    cr_expect_eq(desk_decide_on(d, &other, 1, &other, CHANGNING, HUB_DECISION_REFUSE, "x"),
                 HUB_CODE_agreement_unknown);
    draft.revision = 2;
    cr_expect_eq(desk_amend(d, &draft, XIANGCHENG, true), HUB_CODE_agreement_unknown);
}

Test(agreement, agreement_exists_by_id_and_by_number)
{
    reach(P);
    struct hub_draft second = draft;
    second.number = "2";
    cr_expect_eq(desk_propose(d, &second, NONCE, XIANGCHENG, false), EXISTS);
    cr_expect_eq(propose_again(), EXISTS);
}

Test(agreement, a_number_given_up_by_an_amendment_is_free_again)
{
    reach(P);
    struct hub_draft next = desk_next(d, &draft);
    next.number = "虹桥合作〔2026〕2号";
    cr_assert_eq(desk_amend(d, &next, XIANGCHENG, false), 0);
    cr_assert_eq(propose_again(), 0);
    /* and one that another agreement took is not. */
    struct hub_draft back = desk_next(d, &draft);
    cr_expect_eq(desk_amend(d, &back, XIANGCHENG, false), EXISTS);
}

Test(agreement, another_lead_may_use_the_same_number)
{
    reach(P);
    struct hub_draft second = draft;
    uint8_t nonce[16];
    memset(nonce, 9, sizeof nonce);
    hub_agreement_id(&second.agreement, &d->chain, &d->seal[CHANGNING].kid, nonce);
    second.lead = second.party[1].member;
    second.party[0].as = HUB_PARTY_PARTY;
    second.party[1].as = HUB_PARTY_LEAD;
    cr_expect_eq(desk_propose(d, &second, 9, CHANGNING, true), 0);
}

Test(agreement, not_a_party)
{
    uint8_t nonce[16];
    memset(nonce, 9, sizeof nonce);
    hub_agreement_id(&draft.agreement, &d->chain, &d->seal[OUTSIDER].kid, nonce);
    cr_expect_eq(desk_propose(d, &draft, 9, OUTSIDER, false), HUB_CODE_not_a_party);
    reach(P);
    cr_expect_eq(desk_decide(d, &id, OUTSIDER, HUB_DECISION_SIGN, NULL), HUB_CODE_not_a_party);
    struct hub_draft next = desk_next(d, &draft);
    cr_expect_eq(desk_amend(d, &next, OUTSIDER, false), HUB_CODE_not_a_party);
    next.party_count =
        3; /* the hub office may write the draft that leaves it out, but not sign it */
    cr_expect_eq(desk_amend(d, &next, HUB_OFFICE, true), HUB_CODE_not_a_party);
    cr_expect_eq(desk_amend(d, &next, HUB_OFFICE, false), 0);
}

Test(agreement, revision_unknown_superseded_and_body_hash_mismatch)
{
    struct hub_hash other = {{9}};
    struct hub_revision first;
    reach(P);
    cr_assert(hub_revision_find(&first, &d->state, &id, 1));
    struct hub_hash hash = first.hash;
    cr_expect_eq(desk_decide_on(d, &id, 2, &hash, CHANGNING, HUB_DECISION_SIGN, NULL),
                 HUB_CODE_revision_unknown);
    cr_expect_eq(desk_decide_on(d, &id, 1, &other, CHANGNING, HUB_DECISION_SIGN, NULL),
                 HUB_CODE_body_hash_mismatch);
    struct hub_draft next = desk_next(d, &draft), wrong = next;
    wrong.revision = 3;
    cr_expect_eq(desk_amend(d, &wrong, CHANGNING, false), HUB_CODE_revision_unknown);
    wrong = next;
    wrong.previous = other;
    cr_expect_eq(desk_amend(d, &wrong, CHANGNING, false), HUB_CODE_body_hash_mismatch);
    cr_assert_eq(desk_amend(d, &next, CHANGNING, false), 0);
    cr_expect_eq(desk_amend(d, &next, CHANGNING, false), HUB_CODE_revision_superseded);
    cr_expect_eq(desk_decide_on(d, &id, 1, &hash, CHANGNING, HUB_DECISION_SIGN, NULL),
                 HUB_CODE_revision_superseded);
}

Test(agreement, sign_by_passed_for_a_draft_nobody_could_sign)
{
    draft.sign_by_ms = d->time_ms;
    cr_expect_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, false), PASSED);
    reach(L);
    struct hub_draft next = desk_next(d, &draft);
    next.sign_by_ms = d->time_ms;
    cr_expect_eq(desk_amend(d, &next, XIANGCHENG, false), PASSED);
}

Test(agreement, remark_missing)
{
    reach(P);
    cr_expect_eq(desk_decide(d, &id, JIADING, HUB_DECISION_REFUSE, NULL), HUB_CODE_remark_missing);
    cr_expect_eq(desk_decide(d, &id, JIADING, HUB_DECISION_RETURN, NULL), HUB_CODE_remark_missing);
}

Test(agreement, reviewed_missing)
{
    d->skip_review = true;
    cr_expect_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), HUB_CODE_reviewed_missing);
    d->skip_review = false;
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
    d->skip_review = true;
    cr_expect_eq(sign_by_jiading(), HUB_CODE_reviewed_missing);
    struct hub_draft next = desk_next(d, &draft);
    cr_expect_eq(desk_amend(d, &next, XIANGCHENG, true), HUB_CODE_reviewed_missing);
}

Test(agreement, consent_invalid)
{
    d->bad_signature = true;
    cr_expect_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), HUB_CODE_consent_invalid);
    d->bad_signature = false;
    cr_assert_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, true), 0);
    d->sign_with = &d->seal[CHANGNING]; /* a good signature by another than the record's key */
    cr_expect_eq(sign_by_jiading(), HUB_CODE_consent_invalid);
    struct hub_draft next = desk_next(d, &draft);
    cr_expect_eq(desk_amend(d, &next, XIANGCHENG, true), HUB_CODE_consent_invalid);
    d->sign_with = NULL;
    d->claim_kid = &d->seal[CHANGNING].kid; /* the record's key, under another's name */
    cr_expect_eq(sign_by_jiading(), HUB_CODE_consent_invalid);
}

Test(agreement, member_unknown)
{
    draft.party[1].member = "NOBODY";
    cr_expect_eq(desk_propose(d, &draft, NONCE, XIANGCHENG, false), HUB_CODE_member_unknown);
    reach(P);
    struct hub_draft next = desk_next(d, &draft);
    next.party[1].member = "NOBODY";
    cr_expect_eq(desk_amend(d, &next, XIANGCHENG, false), HUB_CODE_member_unknown);
}

Test(agreement, member_suspended)
{
    reach(P);
    desk_suspend(d, JIADING, true);
    cr_expect_eq(sign_by_jiading(), HUB_CODE_member_suspended);
    cr_expect_eq(amend(), HUB_CODE_member_suspended);
    desk_suspend(d, JIADING, false);
    cr_expect_eq(sign_by_jiading(), 0);
}

Test(agreement, a_member_that_asks_for_co_signatures_gets_them)
{
    reach(P);
    desk_seal_needs(d, JIADING, 1);
    cr_expect_eq(sign_by_jiading(), HUB_CODE_cosign_missing);
    d->cosigner = &d->operator_[JIADING];
    cr_expect_eq(sign_by_jiading(), HUB_CODE_cosign_role);
    d->cosigner = &d->approver[CHANGNING];
    cr_expect_eq(sign_by_jiading(), HUB_CODE_cosign_role);
    d->cosigner = &d->approver[JIADING];
    cr_expect_eq(sign_by_jiading(), 0);
}

Test(agreement, the_first_broken_rule_in_the_list_is_the_answer)
{
    struct hub_hash other = {{9}};
    reach(
        L); /* suspended, wrong revision, wrong hash, too late: 104 before 204 before 206 before 208 */
    desk_suspend(d, JIADING, true);
    cr_expect_eq(desk_decide_on(d, &id, 5, &other, JIADING, HUB_DECISION_SIGN, NULL),
                 HUB_CODE_member_suspended);
    desk_suspend(d, JIADING, false);
    cr_expect_eq(desk_decide_on(d, &id, 5, &other, JIADING, HUB_DECISION_SIGN, NULL),
                 HUB_CODE_revision_unknown);
    cr_expect_eq(desk_decide_on(d, &id, 1, &other, JIADING, HUB_DECISION_SIGN, NULL),
                 HUB_CODE_body_hash_mismatch);
    cr_expect_eq(desk_decide(d, &id, JIADING, HUB_DECISION_REFUSE, NULL), HUB_CODE_sign_by_passed);
}
