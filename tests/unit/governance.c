/* What enacted proposals do, and the guards in front: docs/governance.md and records A.4.5. The arithmetic of the votes
 * has a test of its own (votes.c); here a council of four voters decides with three approvals, or with
 * ceil(2/3 x 3) = 2 where one of them is concerned. */
#include "tests/support/council.h"

#include "ledger/governance.h"
#include "ledger/wallet.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct council_plan four = {
    .voters = 4, .validators = 4, .quorum = 3, .model = HUB_FAULT_BFT};
static const struct council_plan with_bank = {.voters = 4,
                                              .others = 2, /* an institution and the authority */
                                              .authority = true,
                                              .validators = 4,
                                              .quorum = 3,
                                              .model = HUB_FAULT_BFT};
enum { BANK = 4, AUTHORITY = 5 };

static struct council c;
static unsigned number; /* of the last proposal */
static uint8_t action_bytes[4096];
static struct hub_buf action;

static struct hub_buf *actions(unsigned n)
{
    action = (struct hub_buf){action_bytes, 0, sizeof action_bytes, false};
    hub_put_array(&action, n);
    return &action;
}

static void put_one(struct hub_buf *b, const char *verb, const char *code)
{
    hub_put_map(b, 1);
    hub_put_text(b, verb);
    hub_put_text(b, code);
}

static void put_suspend(struct hub_buf *b, const char *code)
{
    hub_put_map(b, 2);
    hub_put_text(b, "reason");
    hub_put_text(b, "offline");
    hub_put_text(b, "suspend");
    hub_put_text(b, code);
}

static void put_parameter(struct hub_buf *b, const char *name, uint64_t value)
{
    hub_put_map(b, 2);
    hub_put_text(b, "value");
    hub_put_uint(b, value);
    hub_put_text(b, "parameter");
    hub_put_text(b, name);
}

static void put_validators(struct hub_buf *b, const unsigned *key, unsigned n, uint64_t quorum,
                           const char *model)
{
    hub_put_map(b, 3);
    hub_put_text(b, "quorum");
    hub_put_uint(b, quorum);
    hub_put_text(b, "validators");
    hub_put_array(b, n);
    for (unsigned i = 0; i < n; i++)
        hub_put_hash(b, &c.kid[key[i]]);
    hub_put_text(b, "fault_model");
    hub_put_text(b, model);
}

static void put_governor(struct hub_buf *b, const char *code, unsigned key)
{
    hub_put_map(b, 2);
    hub_put_text(b, "key");
    council_put_grant(b, &c, key, "governor", -1);
    hub_put_text(b, "governor");
    hub_put_text(b, code);
}

static void put_succeed(struct hub_buf *b, const char *old, const char *code)
{
    hub_put_map(b, 3);
    hub_put_text(b, "code");
    hub_put_text(b, code);
    hub_put_text(b, "names");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, "新名");
    hub_put_text(b, "succeed");
    hub_put_text(b, old);
}

static void put_version(struct hub_buf *b, uint64_t version, uint64_t height)
{
    hub_put_map(b, 2);
    hub_put_text(b, "height");
    hub_put_uint(b, height);
    hub_put_text(b, "version");
    hub_put_uint(b, version);
}

/* Governors spare 0 and 1, validator spare 2, which joins the set when asked. */
static void put_admit(struct hub_buf *b, const char *code, const char *kind, unsigned institution,
                      bool joins)
{
    hub_put_map(b, joins ? 3 : 2);
    hub_put_text(b, "keys");
    hub_put_array(b, 3);
    council_put_grant(b, &c, council_spare(0), "governor", -1);
    council_put_grant(b, &c, council_spare(1), "governor", -1);
    council_put_grant(b, &c, council_spare(2), "validator", (int)council_spare(2));
    hub_put_text(b, "admit");
    hub_put_map(b, institution ? 4 : 3);
    hub_put_text(b, "code");
    hub_put_text(b, code);
    hub_put_text(b, "kind");
    hub_put_text(b, kind);
    hub_put_text(b, "names");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, "新成员");
    if (institution) {
        hub_put_text(b, "institution");
        hub_put_uint(b, institution);
    }
    if (joins) {
        hub_put_text(b, "validator");
        hub_put_hash(b, &c.kid[council_spare(2)]);
    }
}

static void cosign_spares(unsigned n)
{
    c.cosigns = n;
    for (unsigned i = 0; i < n; i++)
        c.cosign[i] = council_spare(i);
}

static uint16_t propose_by(unsigned member)
{
    cr_assert_not(action.full);
    return council_run(
        &c, HUB_TYPE_GOVERNANCE_PROPOSE, council_governor(member),
        council_propose_body(++number, c.time_ms + 48 * COUNCIL_HOUR_MS, hub_span_of(&action)));
}

static uint16_t propose(void)
{
    return propose_by(0);
}

static uint16_t cast(unsigned member, enum hub_record_type_id type)
{
    return council_run(&c, type, council_governor(member), council_vote_body(&c, number));
}

static uint16_t approve(unsigned member)
{
    return cast(member, HUB_TYPE_GOVERNANCE_APPROVE);
}

/* Approvals of these members; how the proposal stands then: its state, or 1000 + code where it failed. */
static unsigned outcome(const char *members)
{
    struct hub_proposal p;

    for (; *members != '\0'; members++)
        cr_assert_eq(approve((unsigned)(*members - '0')), 0);
    cr_assert(council_proposal(&p, &c, number));
    return p.state == HUB_PROPOSAL_FAILED ? 1000u + p.code : (unsigned)p.state;
}

static void start(const struct council_plan *plan)
{
    council_open(&c, plan);
    number = 0;
    action.len = 0;
}

/* ---- forms */

Test(governance, actions_have_one_of_the_shapes)
{
    const unsigned set[2] = {council_validator(0), council_validator(0)};
    struct hub_buf *b;

    start(&four);
    b = actions(1);
    hub_put_map(b, 0);
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "no action");
    b = actions(1);
    put_one(b, "suspend", "MEM1");
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "no reason");
    b = actions(1);
    hub_put_map(b, 2);
    hub_put_text(b, "remove");
    hub_put_text(b, "MEM1");
    hub_put_text(b, "restore");
    hub_put_text(b, "MEM1");
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "two in one");
    put_validators(actions(1), set, 2, 2, "bft");
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "a validator twice");
    b = actions(2);
    put_validators(b, set, 1, 1, "single");
    put_validators(b, set, 1, 1, "single");
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "two sets");
    put_admit(actions(1), "NEW", "institution", 0, false);
    cosign_spares(3);
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "without its number");
    b = actions(17);
    for (unsigned i = 0; i < 17; i++)
        put_one(b, "restore", "MEM1");
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "seventeen");
    actions(0);
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "none");
    council_close(&c);
}

Test(governance, admission_needs_two_governors_and_no_quota)
{
    struct hub_buf *b;

    start(&four);
    b = actions(1);
    hub_put_map(b, 2);
    hub_put_text(b, "keys");
    hub_put_array(b, 2);
    council_put_grant(b, &c, council_spare(0), "governor", -1);
    council_put_grant(b, &c, council_spare(1), "seal", -1);
    hub_put_text(b, "admit");
    hub_put_map(b, 3);
    hub_put_text(b, "code");
    hub_put_text(b, "NEW");
    hub_put_text(b, "kind");
    hub_put_text(b, "district");
    hub_put_text(b, "names");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, "新成员");
    cosign_spares(2);
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "one governor");
    b = actions(1);
    hub_put_map(b, 2);
    hub_put_text(b, "keys");
    hub_put_array(b, 2);
    council_put_grant(b, &c, council_spare(0), "governor", -1);
    council_put_grant(b, &c, council_spare(1), "governor", -1);
    hub_put_text(b, "admit");
    hub_put_map(b, 5);
    hub_put_text(b, "code");
    hub_put_text(b, "NEW");
    hub_put_text(b, "kind");
    hub_put_text(b, "institution");
    hub_put_text(b, "names");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, "新成员");
    hub_put_text(b, "quota");
    hub_put_uint(b, 5);
    hub_put_text(b, "institution");
    hub_put_uint(b, 9);
    cosign_spares(2);
    cr_assert_eq(propose(), COUNCIL_REFUSED + HUB_CODE_body_invalid, "a quota is the authority's");
    council_close(&c);
}

/* ---- votes: the cells of A.4.5 that need no arithmetic */

Test(governance, a_vote_names_the_actions_it_is_about)
{
    uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_hash other = {{1}};

    start(&four);
    put_parameter(actions(1), "key.governor_delay_h", 48);
    cr_assert_eq(propose(), 0);
    hub_put_map(&b, 2);
    hub_put_text(&b, "proposal");
    council_put_ref(&b, number);
    hub_put_text(&b, "actions_hash");
    hub_put_hash(&b, &other);
    for (int t = HUB_TYPE_GOVERNANCE_APPROVE; t <= HUB_TYPE_GOVERNANCE_WITHDRAW; t++)
        cr_assert_eq(
            council_run(&c, (enum hub_record_type_id)t, council_governor(0), hub_span_of(&b)),
            HUB_CODE_actions_mismatch);
    cr_assert_eq(approve(0), 0);
    cr_assert_eq(council_run(&c, HUB_TYPE_GOVERNANCE_APPROVE, council_governor(0), hub_span_of(&b)),
                 HUB_CODE_already_voted, "stands before actions_mismatch");
    cr_assert_eq(council_run(&c, HUB_TYPE_GOVERNANCE_APPROVE, council_seal(1),
                             council_vote_body(&c, number)),
                 HUB_CODE_role_missing);
    cr_assert_eq(council_run(&c, HUB_TYPE_GOVERNANCE_APPROVE, council_governor(0) + 1,
                             council_vote_body(&c, number)),
                 HUB_CODE_already_voted, "one voice a member, not a key");
    council_close(&c);
}

Test(governance, a_closed_proposal_stays_closed_for_everybody)
{
    static const enum hub_proposal_state ends[] = {HUB_PROPOSAL_ENACTED, HUB_PROPOSAL_REFUSED,
                                                   HUB_PROPOSAL_LAPSED, HUB_PROPOSAL_WITHDRAWN,
                                                   HUB_PROPOSAL_FAILED};

    for (size_t e = 0; e < sizeof ends / sizeof ends[0]; e++) {
        struct hub_proposal p;

        start(&four);
        if (ends[e] == HUB_PROPOSAL_FAILED)
            put_one(actions(1), "restore", "MEM3"); /* who is not suspended */
        else
            put_suspend(actions(1), "MEM3");
        cr_assert_eq(propose_by(2), 0);
        if (ends[e] == HUB_PROPOSAL_ENACTED || ends[e] == HUB_PROPOSAL_FAILED)
            outcome("01");
        else if (ends[e] == HUB_PROPOSAL_WITHDRAWN)
            cr_assert_eq(cast(2, HUB_TYPE_GOVERNANCE_WITHDRAW), 0);
        else if (ends[e] == HUB_PROPOSAL_LAPSED)
            c.time_ms += 48 * COUNCIL_HOUR_MS;
        else
            cr_assert(cast(0, HUB_TYPE_GOVERNANCE_REJECT) == 0 &&
                      cast(1, HUB_TYPE_GOVERNANCE_REJECT) == 0);
        cr_assert(council_proposal(&p, &c, number));
        cr_assert_eq(hub_proposal_standing(&p, c.time_ms), ends[e]);
        for (unsigned m = 0; m < 3; m++) {
            cr_assert_eq(approve(m), HUB_CODE_proposal_closed);
            cr_assert_eq(cast(m, HUB_TYPE_GOVERNANCE_REJECT), HUB_CODE_proposal_closed);
            cr_assert_eq(cast(m, HUB_TYPE_GOVERNANCE_WITHDRAW), HUB_CODE_proposal_closed);
        }
        if (ends[e] != HUB_PROPOSAL_ENACTED) /* it is suspended then */
            cr_assert_eq(approve(3), HUB_CODE_proposal_closed, "the member concerned, too");
        council_close(&c);
    }
}

/* ---- admission */

Test(governance, an_admitted_member_votes_and_signs_from_the_next_block)
{
    struct hub_validators set;
    struct hub_member m;

    start(&four);
    council_ready(&c, 0, 4);
    put_admit(actions(1), "NEW", "district", 0, true);
    cosign_spares(2);
    cr_assert_eq(propose(), HUB_CODE_cosign_missing, "its validator key did not sign");
    cosign_spares(3);
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), HUB_PROPOSAL_ENACTED);
    cr_assert(hub_member_find(&m, &c.state, hub_text_span("NEW")));
    cr_assert(m.voting && !m.suspended && m.governors == 2 && m.kind == HUB_KIND_DISTRICT);
    hub_epoch_newest(&set, &c.state);
    cr_assert(set.epoch == 1 && set.n == 5 && set.q == 4 && set.fault_model == HUB_FAULT_BFT,
              "floor(2 x 5 / 3) + 1");
    cr_assert_str_eq(set.v[4].member, "NEW");
    cr_assert(hub_hash_equal(&set.v[4].kid, &c.kid[council_spare(2)]));
    put_parameter(actions(1), "key.governor_delay_h", 1);
    number++;
    cr_assert_eq(council_run(&c, HUB_TYPE_GOVERNANCE_PROPOSE, council_spare(0),
                             council_propose_body(number, c.time_ms + 48 * COUNCIL_HOUR_MS,
                                                  hub_span_of(&action))),
                 0, "its governors do not wait");
    cr_assert_eq(council_run(&c, HUB_TYPE_GOVERNANCE_APPROVE, council_spare(1),
                             council_vote_body(&c, number)),
                 0);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_OPEN, "ceil(2/3 x 5) = 4");
    cr_assert_eq(outcome("2"), HUB_PROPOSAL_ENACTED);
    cr_assert_eq(hub_parameter(&c.state, HUB_PARAM_GOVERNOR_DELAY_H), 1);
    council_close(&c);
}

Test(governance, codes_numbers_and_keys_are_given_once)
{
    start(&with_bank);
    put_admit(actions(1), "MEM1", "district", 0, false);
    cosign_spares(3);
    cr_assert_eq(propose(), HUB_CODE_member_exists);
    put_admit(actions(1), "NEW", "institution", BANK + 1, false);
    cosign_spares(3);
    cr_assert_eq(propose(), HUB_CODE_member_exists, "the number of the bank");
    put_admit(actions(1), "NEW", "authority", 77, false);
    cosign_spares(3);
    cr_assert_eq(propose(), HUB_CODE_authority_protected);
    put_admit(actions(1), "NEW", "district", 0, false);
    cosign_spares(3);
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), HUB_PROPOSAL_ENACTED);
    put_admit(actions(1), "NEWER", "district", 0, false);
    cosign_spares(3);
    cr_assert_eq(propose(), HUB_CODE_key_exists);
    council_close(&c);
}

Test(governance, an_admitted_institution_has_a_reserve_and_no_quota)
{
    struct hub_institution i;

    start(&with_bank);
    put_admit(actions(1), "NEW", "institution", 77, false);
    cosign_spares(3);
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), HUB_PROPOSAL_ENACTED);
    cr_assert(hub_institution_find(&i, &c.state, 77));
    cr_assert(i.quota == 0 && i.reserve > 0);
    council_close(&c);
}

/* ---- suspension, removal, succession */

Test(governance, a_suspended_member_keeps_its_keys_and_does_nothing_else)
{
    struct hub_member m;

    start(&four);
    put_suspend(actions(1), "MEM3");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(approve(3), HUB_CODE_concerned_cannot_vote);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_ENACTED);
    m = council_member(&c, 3);
    cr_assert(m.suspended && m.since_ms == c.time_ms);
    put_parameter(actions(1), "key.governor_delay_h", 48);
    cr_assert_eq(propose_by(3), HUB_CODE_member_suspended);
    cr_assert_eq(propose(), 0);
    cr_assert_eq(approve(3), HUB_CODE_member_suspended);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_OPEN, "it stays in the denominator: 3 of 4");
    cr_assert_eq(outcome("2"), HUB_PROPOSAL_ENACTED);
    council_ready(&c, 3, 4); /* its node goes on */
    put_suspend(actions(1), "MEM2");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("01"), 1000 + HUB_CODE_suspended_already);
    put_one(actions(1), "restore", "MEM3");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_ENACTED);
    m = council_member(&c, 3);
    cr_assert(!m.suspended && m.since_ms == 0);
    cr_assert_eq(outcome(""), HUB_PROPOSAL_ENACTED);
    council_close(&c);
}

Test(governance, a_removed_member_signs_no_more)
{
    const unsigned rest[3] = {council_validator(0), council_validator(1), council_validator(2)};
    struct hub_validators set;
    struct hub_buf *b;

    start(&four);
    council_ready(&c, 0, 3);
    put_one(actions(1), "remove", "MEM3");
    cr_assert_eq(propose_by(3), 0, "it may ask for it");
    cr_assert_eq(outcome("01"), 1000 + HUB_CODE_member_validates);
    b = actions(2);
    put_one(b, "remove", "MEM3");
    put_validators(b, rest, 3, 2, "crash-1of3");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(approve(3), HUB_CODE_concerned_cannot_vote);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_ENACTED);
    hub_epoch_newest(&set, &c.state);
    cr_assert(set.n == 3 && set.q == 2 && set.fault_model == HUB_FAULT_CRASH_1_OF_3);
    cr_assert_eq(
        council_run(&c, HUB_TYPE_VALIDATOR_READY, council_validator(3), council_ready_body()),
        COUNCIL_REFUSED + HUB_CODE_key_revoked);
    put_parameter(actions(1), "key.governor_delay_h", 48);
    cr_assert_eq(propose_by(3), COUNCIL_REFUSED + HUB_CODE_key_revoked);
    put_suspend(actions(1), "MEM3");
    cr_assert_eq(propose(), HUB_CODE_member_unknown);
    put_admit(actions(1), "MEM3", "district", 0, false);
    cosign_spares(3);
    cr_assert_eq(propose(), HUB_CODE_member_exists, "a code is given once");
    council_close(&c);
}

Test(governance, an_institution_leaves_with_a_clean_slate)
{
    struct hub_institution i;
    uint8_t bytes[64];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    start(&with_bank);
    put_one(actions(1), "remove", "MEM4");
    cr_assert_eq(propose(), 0);
    cr_assert(hub_institution_find(&i, &c.state, BANK + 1));
    hub_put_array(&b, 5);
    hub_put_uint(&b, BANK + 1);
    hub_put_uint(&b, i.quota);
    hub_put_uint(&b, 7); /* issued */
    hub_put_uint(&b, 0);
    hub_put_uint(&b, i.reserve);
    hub_state_put(&c.state, HUB_TABLE_INSTITUTIONS, 0, hub_span_of(&b));
    cr_assert_eq(outcome("012"), 1000 + HUB_CODE_balance_not_zero);
    put_one(actions(1), "remove", "MEM5");
    cr_assert_eq(propose(), HUB_CODE_authority_protected);
    put_suspend(actions(1), "MEM5");
    cr_assert_eq(propose(), HUB_CODE_authority_protected);
    council_close(&c);
}

/* Wallets of an institution that never issued anything may still hold what others' customers paid into them. */
Test(governance, an_institution_with_money_in_its_custody_stays)
{
    struct hub_supply totals;
    uint8_t row[HUB_WALLET_ROW_BYTES];
    uint32_t slot;

    start(&with_bank);
    cr_assert(hub_supply_read(&totals, &c.state, NULL, 0));
    hub_wallet_new(row, &c.state, BANK + 1, HUB_WALLET_KIND_PERSONAL, 1, NULL);
    hub_put_be64(row + HUB_WALLET_CREDITS_POSTED, 1);
    slot = hub_wallet_add(&c.state, &totals, row);
    put_one(actions(1), "remove", "MEM4");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), 1000 + HUB_CODE_balance_not_zero);
    hub_put_be32(row + HUB_WALLET_KEY, 1); /* its holder's own key: it can be paid out for ever */
    hub_state_put(&c.state, HUB_TABLE_WALLETS, slot, (struct hub_span){row, sizeof row});
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), HUB_PROPOSAL_ENACTED);
    council_close(&c);
}

Test(governance, a_successor_keeps_the_row_and_the_old_code_is_gone)
{
    struct hub_member m;

    start(&four);
    put_succeed(actions(1), "MEM3", "MEM1");
    cr_assert_eq(propose(), HUB_CODE_member_exists);
    put_succeed(actions(1), "MEM3", "MERGED");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_ENACTED);
    cr_assert_not(hub_member_find(&m, &c.state, hub_text_span("MEM3")));
    cr_assert(hub_member_find(&m, &c.state, hub_text_span("MERGED")));
    cr_assert(m.row == 3 && hub_span_equal(m.name_zh, hub_text_span("新名")));
    cr_assert(hub_span_equal(m.birth_code, hub_text_span("MEM3")));
    council_ready(&c, 3, 4); /* iss is the new code */
    put_succeed(actions(1), "MEM2", "MEM3");
    cr_assert_eq(propose(), HUB_CODE_member_exists, "a code once used");
    put_succeed(actions(1), "MERGED", "MERGED");
    cr_assert_eq(propose(), 0, "only the name");
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_ENACTED);
    put_succeed(actions(1), "MERGED", "LATEST");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_ENACTED);
    put_succeed(actions(1), "MEM2", "MERGED");
    cr_assert_eq(propose(), HUB_CODE_member_exists, "one it had in between");
    put_admit(actions(1), "MERGED", "district", 0, false);
    cosign_spares(3);
    cr_assert_eq(propose(), HUB_CODE_member_exists);
    council_close(&c);
}

/* ---- governors by vote */

Test(governance, a_lost_governor_is_replaced_by_the_others_at_once)
{
    struct hub_key k;

    start(&with_bank);
    put_governor(actions(1), "MEM3", council_spare(0));
    cr_assert_eq(propose(), HUB_CODE_cosign_missing);
    cosign_spares(1);
    cr_assert_eq(propose(), 0);
    cr_assert_eq(approve(3), HUB_CODE_concerned_cannot_vote);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_ENACTED);
    cr_assert(hub_key_find(&k, &c.state, &c.kid[council_spare(0)]));
    cr_assert(k.member == 3 && hub_key_standing(&k, c.time_ms) == HUB_KEY_ACTIVE);
    put_governor(actions(1), "MEM5", council_spare(1));
    c.cosigns = 1;
    c.cosign[0] = council_spare(1);
    cr_assert_eq(propose(), HUB_CODE_authority_protected);
    council_close(&c);
}

Test(governance, two_members_cannot_judge_each_other)
{
    const struct council_plan two = {
        .voters = 2, .validators = 2, .quorum = 2, .model = HUB_FAULT_BFT};

    start(&two);
    put_suspend(actions(1), "MEM1");
    cr_assert_eq(propose(), HUB_CODE_last_voter);
    put_governor(actions(1), "MEM1", council_spare(0));
    cosign_spares(1);
    cr_assert_eq(propose(), HUB_CODE_last_voter);
    council_close(&c);
}

/* ---- sets of validators */

Test(governance, a_set_is_enacted_only_if_it_is_safe_and_ready)
{
    const unsigned all[4] = {council_validator(0), council_validator(1), council_validator(2),
                             council_validator(3)};
    static const struct {
        unsigned n, ready;
        uint64_t quorum;
        const char *model;
        uint16_t code; /* 0: enacted */
    } cases[] = {
        {4, 4, 2, "bft", HUB_CODE_quorum_unsafe},        /* half */
        {4, 4, 5, "bft", HUB_CODE_quorum_unsafe},        /* more than all */
        {3, 3, 3, "bft", HUB_CODE_quorum_unsafe},        /* three must say which */
        {3, 3, 2, "all-of-3", HUB_CODE_quorum_unsafe},   /* two are not all */
        {3, 3, 3, "crash-1of3", HUB_CODE_quorum_unsafe}, /* nor are three two */
        {4, 4, 3, "single", HUB_CODE_quorum_unsafe},
        {4, 2, 3, "bft", HUB_CODE_ready_missing},
        {3, 2, 3, "all-of-3", HUB_CODE_ready_missing},
        {4, 3, 3, "bft", 0},
        {4, 4, 4, "bft", 0},
        {3, 3, 3, "all-of-3", 0},
        {3, 2, 2, "crash-1of3", 0},
        {1, 1, 1, "single", 0},
        {2, 2, 2, "bft", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned end;

        start(&four);
        council_ready(&c, 0, cases[i].ready);
        put_validators(actions(1), all, cases[i].n, cases[i].quorum, cases[i].model);
        cr_assert_eq(propose(), 0, "%zu: guards are asked when it is decided", i);
        end = outcome("012");
        cr_assert_eq(end, cases[i].code == 0 ? HUB_PROPOSAL_ENACTED : 1000u + cases[i].code,
                     "%zu: %u", i, end);
        cr_assert_eq(c.state.count[HUB_TABLE_EPOCHS], cases[i].code == 0 ? 2 : 1);
        council_close(&c);
    }
}

Test(governance, a_set_is_made_of_acting_validator_keys)
{
    const unsigned with_seal[4] = {council_validator(0), council_validator(1), council_validator(2),
                                   council_seal(3)};
    const unsigned with_stranger[4] = {council_validator(0), council_validator(1),
                                       council_validator(2), council_spare(0)};

    start(&four);
    council_ready(&c, 0, 4);
    put_validators(actions(1), with_seal, 4, 3, "bft");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), 1000 + HUB_CODE_validator_unknown);
    put_validators(actions(1), with_stranger, 4, 3, "bft");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), 1000 + HUB_CODE_validator_unknown);
    council_close(&c);
}

Test(governance, a_hundred_blocks_lie_between_two_sets)
{
    const unsigned all[4] = {council_validator(3), council_validator(2), council_validator(1),
                             council_validator(0)};
    uint64_t first;

    start(&four);
    council_ready(&c, 0, 4);
    put_validators(actions(1), all, 4, 3, "bft");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), HUB_PROPOSAL_ENACTED);
    first = c.height;
    put_validators(actions(1), all, 4, 4, "bft");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_OPEN);
    c.height = first + 98;
    cr_assert_eq(outcome("2"), 1000 + HUB_CODE_height_too_soon);
    put_validators(actions(1), all, 4, 4, "bft");
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("01"), HUB_PROPOSAL_OPEN);
    c.height = first + 99;
    cr_assert_eq(outcome("2"), HUB_PROPOSAL_ENACTED);
    council_close(&c);
}

/* ---- parameters and versions */

Test(governance, parameters_have_owners_and_ranges)
{
    struct hub_buf *b;

    start(&with_bank);
    put_parameter(actions(1), "consensus.luck", 7);
    cr_assert_eq(propose(), HUB_CODE_parameter_unknown);
    put_parameter(actions(1), "consensus.delta_ms", 4);
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), 1000 + HUB_CODE_parameter_out_of_range);
    put_parameter(actions(1), "governance.threshold_den", 4); /* 2 of 4 is half */
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("012"), 1000 + HUB_CODE_threshold_form);
    cr_assert_eq(hub_parameter(&c.state, HUB_PARAM_GOVERNANCE_THRESHOLD_DEN), 3, "taken back");
    put_parameter(actions(1), "currency.max_amount", 5000);
    cr_assert_eq(propose(), HUB_CODE_authority_protected);
    cr_assert_eq(propose_by(BANK), HUB_CODE_role_missing);
    b = actions(2);
    put_parameter(b, "currency.max_amount", 5000);
    put_parameter(b, "key.governor_delay_h", 5);
    cr_assert_eq(propose(), HUB_CODE_authority_protected);
    cr_assert_eq(propose_by(AUTHORITY), HUB_CODE_role_missing, "it has no vote on the other");
    put_parameter(actions(1), "currency.max_amount", 5000);
    cr_assert_eq(propose_by(AUTHORITY), 0);
    cr_assert_eq(approve(0), HUB_CODE_authority_protected);
    char authority[] = {'0' + AUTHORITY, '\0'};
    cr_assert_eq(outcome(authority), HUB_PROPOSAL_ENACTED);
    cr_assert_eq(hub_parameter(&c.state, HUB_PARAM_CURRENCY_MAX_AMOUNT), 5000);
    council_close(&c);
}

static void ready_for(unsigned member, uint64_t protocol)
{
    uint8_t bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_map(&b, 3);
    hub_put_text(&b, "endpoint");
    hub_put_text(&b, "a:1");
    hub_put_text(&b, "protocol");
    hub_put_uint(&b, protocol);
    hub_put_text(&b, "software");
    hub_put_text(&b, "next");
    cr_assert_eq(
        council_run(&c, HUB_TYPE_VALIDATOR_READY, council_validator(member), hub_span_of(&b)), 0);
}

static unsigned version_outcome(uint64_t version, uint64_t ahead)
{
    put_version(actions(1), version,
                c.height + ahead); /* decided three blocks after the proposal's */
    cr_assert_eq(propose(), 0);
    return outcome("012");
}

Test(governance, a_version_comes_when_a_quorum_speaks_it)
{
    start(&four);
    cr_assert_eq(version_outcome(2, 1000), 1000 + HUB_CODE_ready_missing);
    for (unsigned m = 0; m < 2; m++)
        ready_for(m, 3);
    cr_assert_eq(version_outcome(2, 1000), 1000 + HUB_CODE_ready_missing, "two of three");
    ready_for(2, 3);
    cr_assert_eq(version_outcome(1, 1000), 1000 + HUB_CODE_parameter_out_of_range);
    cr_assert_eq(version_outcome(3, 1000), 1000 + HUB_CODE_parameter_out_of_range, "before 2");
    cr_assert_eq(version_outcome(2, 103), 1000 + HUB_CODE_height_too_soon);
    cr_assert_eq(version_outcome(2, 104), HUB_PROPOSAL_ENACTED, "a hundred blocks ahead");
    cr_assert_eq(hub_version_height(&c.state, 2), c.height + 100);
    cr_assert_eq(hub_protocol_version(&c.state, c.height + 99), 1);
    cr_assert_eq(hub_protocol_version(&c.state, c.height + 100), 2);
    cr_assert_eq(version_outcome(2, 1000), 1000 + HUB_CODE_parameter_out_of_range, "once");
    cr_assert_eq(version_outcome(3, 1000), HUB_PROPOSAL_ENACTED);
    council_close(&c);
}

/* ---- all or nothing */

Test(governance, a_failed_proposal_leaves_the_vote_and_nothing_else)
{
    struct hub_hash before[HUB_TABLES], root;
    struct hub_proposal p;
    struct hub_buf *b;

    start(&four);
    b = actions(3);
    put_parameter(b, "key.governor_delay_h", 48);
    put_suspend(b, "MEM3");
    put_one(b, "restore", "MEM2"); /* who is not suspended */
    cr_assert_eq(propose(), 0);
    cr_assert_eq(outcome("0"), HUB_PROPOSAL_OPEN);
    hub_state_root(&c.state, &root);
    memcpy(before, c.state.table_root, sizeof before);
    cr_assert_eq(outcome("1"), 1000 + HUB_CODE_member_state);
    for (unsigned t = 0; t < HUB_TABLES; t++)
        cr_assert_eq(hub_hash_equal(&before[t], &c.state.table_root[t]),
                     t != HUB_TABLE_KEYS && t != HUB_TABLE_PROPOSALS, "table %u", t);
    cr_assert(council_proposal(&p, &c, number));
    cr_assert(p.votes == 2 && p.closed_height == c.height && p.closed_ms == c.time_ms);
    council_close(&c);
}

/* ---- key.cancel */

static uint16_t with_kid(enum hub_record_type_id type, unsigned signer, unsigned key)
{
    uint8_t bytes[96];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_map(&b, type == HUB_TYPE_KEY_REVOKE ? 2 : 1);
    hub_put_text(&b, "kid");
    hub_put_hash(&b, &c.kid[key]);
    if (type == HUB_TYPE_KEY_REVOKE) {
        hub_put_text(&b, "reason");
        hub_put_text(&b, "lost");
    }
    return council_run(&c, type, signer, hub_span_of(&b));
}

static uint16_t add_governor(unsigned member, unsigned key)
{
    uint8_t bytes[256], grant_bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_buf grant = {grant_bytes, 0, sizeof grant_bytes, false};

    council_put_grant(&grant, &c, key, "governor", -1);
    hub_put_map(&b, 4); /* the grant's three fields, and member, which stands last */
    hub_put_raw(&b, (struct hub_span){grant.data + 1, grant.len - 1});
    hub_put_text(&b, "member");
    hub_put_text(&b, c.code[member]);
    c.cosigns = 1;
    c.cosign[0] = key;
    return council_run(&c, HUB_TYPE_KEY_ADD, council_governor(member), hub_span_of(&b));
}

static enum hub_key_standing standing(unsigned key, uint64_t time_ms)
{
    struct hub_key k;

    cr_assert(hub_key_find(&k, &c.state, &c.kid[key]));
    return hub_key_standing(&k, time_ms);
}

Test(governance, a_governor_on_its_way_in_or_out_can_be_stopped)
{
    const unsigned first = council_governor(0), second = first + 1;
    const unsigned third = council_spare(0), fourth = council_spare(1);
    const uint64_t day = 24 * COUNCIL_HOUR_MS;

    start(&four);
    cr_assert_eq(add_governor(0, third), 0);
    cr_assert_eq(standing(third, c.time_ms + day - 1), HUB_KEY_PENDING);
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, council_governor(1), third), HUB_CODE_key_not_own);
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, second, council_spare(9)), HUB_CODE_key_not_own);
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, council_seal(0), third), HUB_CODE_role_missing);
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, second, first), HUB_CODE_key_not_pending);
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, second, third), 0);
    cr_assert_eq(standing(third, c.time_ms + 2 * day), HUB_KEY_REVOKED, "it never acts");
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, second, third), HUB_CODE_key_not_pending);
    cr_assert_eq(add_governor(0, fourth), 0);
    c.time_ms += day;
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, second, fourth), HUB_CODE_key_not_pending,
                 "it acts by now");
    cr_assert_eq(with_kid(HUB_TYPE_KEY_REVOKE, first, second), 0, "a thief has the first key");
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, second, second), HUB_CODE_role_missing,
                 "not by the key itself");
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, fourth, second), 0);
    cr_assert_eq(standing(second, c.time_ms + 2 * day), HUB_KEY_ACTIVE);
    council_close(&c);
}

/* ---- governors_needed */

static uint16_t by_two(enum hub_record_type_id type, unsigned signer, unsigned second,
                       struct hub_span body)
{
    c.cosigns = 1;
    c.cosign[0] = second;
    return council_run(&c, type, signer, body);
}

Test(governance, as_many_governors_sign_as_their_member_needs)
{
    const unsigned first = council_governor(0), second = first + 1, third = council_spare(0);
    struct hub_proposal p;

    start(&four);
    council_governors_needed(&c, 0, 2);
    put_parameter(actions(1), "key.governor_delay_h", 0);
    cr_assert_eq(propose(), HUB_CODE_cosign_missing);
    cr_assert_eq(propose_by(1), 0, "others need one");
    cr_assert_eq(approve(0), HUB_CODE_cosign_missing);
    cr_assert_eq(by_two(HUB_TYPE_GOVERNANCE_APPROVE, first, council_governor(1),
                        council_vote_body(&c, number)),
                 HUB_CODE_cosign_missing, "another member's governor is none of its own");
    cr_assert_eq(
        by_two(HUB_TYPE_GOVERNANCE_APPROVE, first, council_seal(0), council_vote_body(&c, number)),
        HUB_CODE_cosign_missing, "a seal is no governor");
    cr_assert(council_proposal(&p, &c, number));
    cr_assert_eq(p.votes, 0);
    cr_assert_eq(by_two(HUB_TYPE_GOVERNANCE_APPROVE, second, first, council_vote_body(&c, number)),
                 0);
    cr_assert_eq(outcome("23"), HUB_PROPOSAL_ENACTED);

    cr_assert_eq(add_governor(0, third), HUB_CODE_cosign_missing, "the new key itself counts not");
    cr_assert_eq(with_kid(HUB_TYPE_KEY_REVOKE, first, council_seal(0)), HUB_CODE_cosign_missing);
    c.cosigns = 1;
    c.cosign[0] = second;
    cr_assert_eq(with_kid(HUB_TYPE_KEY_REVOKE, first, council_seal(0)), 0);
    cr_assert_eq(
        council_run(&c, HUB_TYPE_VALIDATOR_READY, council_validator(0), council_ready_body()), 0,
        "no governor signs this");
    council_close(&c);
}

/* What a thief of one governor key begins any other governor stops alone. */
Test(governance, one_governor_is_enough_to_cancel)
{
    const unsigned first = council_governor(0), second = first + 1, third = council_spare(0);
    uint8_t bytes[256], grant_bytes[128];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    struct hub_buf grant = {grant_bytes, 0, sizeof grant_bytes, false};

    start(&four);
    council_governors_needed(&c, 0, 2);
    council_put_grant(&grant, &c, third, "governor", -1);
    hub_put_map(&b, 4);
    hub_put_raw(&b, (struct hub_span){grant.data + 1, grant.len - 1});
    hub_put_text(&b, "member");
    hub_put_text(&b, c.code[0]);
    c.cosigns = 2;
    c.cosign[0] = second;
    c.cosign[1] = third;
    cr_assert_eq(council_run(&c, HUB_TYPE_KEY_ADD, first, hub_span_of(&b)), 0);
    cr_assert_eq(with_kid(HUB_TYPE_KEY_CANCEL, second, third), 0);
    council_close(&c);
}
