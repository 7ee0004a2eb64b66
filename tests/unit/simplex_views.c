/* Certificates, view advance, admission, leader duty and restart, driven by hand on one core. */
#include "tests/support/core.h"

#include <criterion/criterion.h>

static struct core k;

static void open(void)
{
    core_open(&k, 4, 3, 0);
}
TestSuite(advance, .init = open);
TestSuite(certificate, .init = open);
TestSuite(admission, .init = open);
TestSuite(leader, .init = open);
TestSuite(restart, .init = open);

/* ---- advance */

Test(advance, nullification_of_this_view_or_a_later_one)
{
    core_certify(&k, core_nullify(1));
    cr_assert_eq(k.c.view, 2);
    core_certify(&k, core_nullify(7));
    cr_assert_eq(k.c.view, 8);
    core_certify(&k, core_nullify(3));
    cr_assert_eq(k.c.view, 8, "never back");
}

Test(advance, notarization_waits_for_its_block_with_deadlines_armed)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_certify(&k, core_notarize(&a));
    cr_assert_eq(k.c.view, 1);
    const struct hub_effect *fetch = core_effect(&k, HUB_FX_FETCH_BLOCK);
    cr_assert(fetch && fetch->peers == 0xe, "from its signers 1, 2, 3");
    core_tick(&k, 1000);
    cr_assert(core_effect(&k, HUB_FX_FETCH_BLOCK), "asked again");
    cr_assert_eq(k.votes[HUB_NULLIFY], 0, "a block is known: t_a counts, not t_l");
    core_tick(&k, 1000);
    cr_assert(core_casts(&k, core_nullify(1)), "a block lost everywhere must not stop the view");
    core_verdict(&k, &a, true);
    cr_assert_eq(k.c.view, 2, "even if we nullified it");
}

Test(advance, finalization_moves_top_at_once_and_fin_with_its_block)
{
    struct hub_header_facts a = core_block(&k, 'a', 5, 'g', 0, 1);
    core_certify(&k, core_finalize(&a));
    cr_assert(k.c.view == 6 && k.c.top.view == 5 && k.c.fin.view == 0);
    cr_assert(core_effect(&k, HUB_FX_FETCH_BLOCK) && !core_effect(&k, HUB_FX_FINAL));
    core_verdict(&k, &a, true);
    const struct hub_effect *final = core_effect(&k, HUB_FX_FINAL);
    struct hub_subject s = core_finalize(&a);
    cr_assert(final && hub_subject_equal(&final->subject, &s));
    cr_assert(k.c.fin.view == 5 && k.c.fin.height == 1);
    core_tick(&k, 1);
    cr_assert(!core_effect(&k, HUB_FX_FINAL), "once");
}

Test(advance, a_later_finalization_covers_an_earlier_one_whose_block_is_missing)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'a', 1, 2);
    core_certify(&k, core_finalize(&a));
    core_certify(&k, core_finalize(&b));
    core_verdict(&k, &b, true); /* VALID says: ancestors too */
    cr_assert(core_effect(&k, HUB_FX_FINAL) && k.c.fin.height == 2);
    cr_assert(
        !hub_cons_wants_certificate(&k.c, &(struct hub_subject){.kind = HUB_FINALIZE, .view = 1}));
}

/* An equivocating leader stops n = 4 for ever when one slot serves proposal and certificate. */
Test(advance, certified_block_has_a_slot_of_its_own)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, true); /* we voted for a, the others for b */
    core_certify(&k, core_notarize(&b));
    const struct hub_effect *fetch = core_effect(&k, HUB_FX_FETCH_BLOCK);
    cr_assert(fetch && hub_hash_equal(&fetch->block_hash, &b.hash));
    cr_assert(hub_cons_wants_proposal(&k.c, &b), "its body is welcome as a proposal too");
    core_verdict(&k, &b, true);
    cr_assert_eq(k.c.view, 2);
    struct hub_header_facts c = core_block(&k, 'c', 2, 'b', 1, 2);
    core_propose(&k, &c);
    core_verdict(&k, &c, true);
    cr_assert(core_casts(&k, core_notarize(&c)), "and the next block stands on it");
}

Test(advance, an_invalid_proposal_does_not_hide_a_certified_block)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, false);
    core_notarized(&k, &b);
    cr_assert_eq(k.c.view, 2);
}

Test(advance, certified_invalid_block_raises_the_alarm_and_stops_own_votes)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'g', 0, 1);
    core_certify(&k, core_notarize(&a));
    core_verdict(&k, &a, false);
    const struct hub_effect *alarm = core_effect(&k, HUB_FX_ALARM);
    cr_assert(alarm && hub_hash_equal(&alarm->block_hash, &a.hash));
    core_certify(&k, core_nullify(1));
    core_gate(&k, true);
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    core_tick(&k, 60000);
    cr_assert_eq(k.votes[HUB_NOTARIZE] + k.votes[HUB_NULLIFY] + k.votes[HUB_FINALIZE], 0);
    cr_assert(!core_effect(&k, HUB_FX_ALARM), "once");
    cr_assert_eq(k.c.view, 2, "it keeps following");
}

Test(advance, finalized_numbers_that_are_not_the_headers_raise_the_alarm)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1), b = a;
    b.log_size++;
    core_certify(&k, core_finalize(&b));
    core_verdict(&k, &a, true);
    cr_assert(core_effect(&k, HUB_FX_ALARM) && !core_effect(&k, HUB_FX_FINAL));
}

/* commonware#2149, #1224: half the nodes left view 1 by notarization, half by nullification, and each half refused
 * the other's proposals for ever. The proposal brings its certificates; they are fed first. */
Test(advance, split_certificates_heal_with_the_proposals_justification)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'a', 1, 2);
    core_certify(&k,
                 core_nullify(1)); /* we left by nullification, the leader of 2 by notarization */
    core_certify(&k, core_notarize(&a));
    core_propose(&k, &b);
    core_verdict(&k, &a, true);
    core_verdict(&k, &b, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 1);

    open();
    struct hub_header_facts c = core_block(&k, 'c', 2, 'g', 0, 1);
    core_notarized(&k, &a); /* the other way round */
    core_certify(&k, core_nullify(1));
    core_propose(&k, &c);
    core_verdict(&k, &c, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 1);
}

Test(advance, a_chain_of_late_notarizations_is_followed)
{
    struct hub_header_facts b = core_block(&k, 'b', 2, 'a', 1, 2),
                            a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&b)); /* of a view ahead: stay until its block is here */
    cr_assert_eq(k.c.view, 1);
    core_notarized(&k, &a);
    cr_assert_eq(k.c.view, 2);
    core_verdict(&k, &b, true);
    cr_assert_eq(k.c.view, 3);
}

/* ---- certificates from votes */

Test(certificate, forms_once_from_q_equal_votes)
{
    core_vote(&k, core_nullify(1), 1);
    core_vote(&k, core_nullify(1), 2);
    cr_assert(!core_effect(&k, HUB_FX_CERTIFICATE));
    core_vote(&k, core_nullify(1), 3);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_CERTIFICATE);
    cr_assert(fx && fx->subject.kind == HUB_NULLIFY && fx->peers == 0xe);
    cr_assert_eq(k.c.view, 1, "the replica keeps it first, then feeds it back");
    core_tick(&k, 1);
    cr_assert(!core_effect(&k, HUB_FX_CERTIFICATE));
}

Test(certificate, own_vote_counts_only_when_it_comes_back)
{
    core_gate(&k, true);
    core_vote(&k, core_nullify(1), 2);
    core_vote(&k, core_nullify(1), 3);
    core_tick(&k, 1000);
    cr_assert(core_casts(&k, core_nullify(1)) && !core_effect(&k, HUB_FX_CERTIFICATE));
    core_vote(&k, core_nullify(1), 0);
    cr_assert(core_effect(&k, HUB_FX_CERTIFICATE));
}

Test(certificate, one_validator_is_its_own_quorum)
{
    core_open(&k, 1, 1, 0);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    cr_assert(core_effect(&k, HUB_FX_BUILD));
    core_built(&k, &a, HUB_BUILT_OK);
    cr_assert(core_casts(&k, core_notarize(&a)));
    core_vote(&k, core_notarize(&a), 0);
    cr_assert(core_effect(&k, HUB_FX_CERTIFICATE));
    core_certify(&k, core_notarize(&a));
    cr_assert(core_casts(&k, core_finalize(&a)));
    core_vote(&k, core_finalize(&a), 0);
    core_certify(&k, core_finalize(&a));
    cr_assert(core_effect(&k, HUB_FX_FINAL) && k.c.fin.height == 1);
}

/* ava-labs/Simplex#546 and its like: one bogus first vote must not decide what is tallied. */
Test(certificate, votes_for_other_subjects_do_not_stand_in_its_way)
{
    core_open(&k, 64, 43, 63);
    struct hub_header_facts a = core_block(&k, 'a', 2, 'g', 0, 1);
    for (uint8_t i = 0; i < 21; i++) { /* n - q liars, each with a block of its own */
        struct hub_subject lie = core_notarize(&a);
        lie.block_hash.b[0] = i;
        core_vote(&k, lie, i);
    }
    for (uint8_t i = 21; i < 63; i++)
        core_vote(&k, core_notarize(&a), i);
    cr_assert(!core_effect(&k, HUB_FX_CERTIFICATE), "42 of 43");
    core_propose(&k, &a);
    core_certify(&k, core_nullify(1));
    core_verdict(&k, &a, true);
    cr_assert(core_casts(&k, core_notarize(&a)));
    core_vote(&k, core_notarize(&a), 63);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_CERTIFICATE);
    cr_assert(fx && hub_hash_equal(&fx->subject.block_hash, &a.hash));
    cr_assert_eq(fx->peers, UINT64_MAX << 21);
}

Test(certificate, finalize_votes_are_tallied_per_whole_subject)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1), b = a;
    b.log_size++;
    core_vote(&k, core_finalize(&b), 1);
    core_vote(&k, core_finalize(&a), 2);
    core_vote(&k, core_finalize(&a), 3);
    cr_assert(!core_effect(&k, HUB_FX_CERTIFICATE));
}

Test(certificate, second_different_vote_is_evidence_and_not_counted)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_vote(&k, core_notarize(&a), 2);
    cr_assert(!hub_cons_wants_vote(
        &k.c, &(struct hub_subject){.kind = 1, .view = 1, .block_hash = a.hash}, 2));
    struct hub_subject second = core_notarize(&b);
    cr_assert(hub_cons_wants_vote(&k.c, &second, 2), "once, as evidence");
    core_vote(&k, second, 2);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_EVIDENCE);
    cr_assert(fx && fx->peer == 2 && hub_subject_equal(&fx->subject, &second));
    second.block_hash.b[0]++;
    cr_assert(!hub_cons_wants_vote(&k.c, &second, 2), "no third");
    core_vote(&k, core_notarize(&b), 1);
    core_vote(&k, core_notarize(&b), 3);
    cr_assert(!core_effect(&k, HUB_FX_CERTIFICATE), "2's second vote is not b's third");
}

Test(certificate, votes_of_two_kinds_that_exclude_each_other_are_evidence)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_vote(&k, core_nullify(1), 1);
    core_vote(&k, core_notarize(&a), 1);
    cr_assert(!core_effect(&k, HUB_FX_EVIDENCE), "NOTARIZE and NULLIFY are legal together");
    core_vote(&k, core_finalize(&a), 1);
    cr_assert(core_effect(&k, HUB_FX_EVIDENCE), "E2: NULLIFY and FINALIZE");
    core_vote(&k, core_finalize(&a), 2);
    core_vote(&k, core_notarize(&a), 2);
    cr_assert(!core_effect(&k, HUB_FX_EVIDENCE), "FINALIZE and NOTARIZE of one block");
    core_vote(&k, core_finalize(&a), 3);
    core_vote(&k, core_notarize(&b), 3);
    cr_assert(core_effect(&k, HUB_FX_EVIDENCE), "E4: of two");
}

Test(certificate, a_vote_of_our_key_that_we_did_not_cast_stops_us)
{
    core_vote(&k, core_nullify(1), 0);
    cr_assert(core_effect(&k, HUB_FX_ALARM));
}

/* ---- admission, before any signature is checked */

Test(admission, votes_of_the_window_only)
{
    struct hub_subject s = core_nullify(1);
    cr_assert(hub_cons_wants_vote(&k.c, &s, 1));
    cr_assert(!hub_cons_wants_vote(&k.c, &s, 4), "no such validator");
    s.epoch = 1;
    cr_assert(!hub_cons_wants_vote(&k.c, &s, 1));
    core_certify(&k, core_nullify(9)); /* view 10 */
    for (uint64_t v = 0; v < 20; v++) {
        s = core_nullify(v);
        cr_assert_eq(hub_cons_wants_vote(&k.c, &s, 1), v >= 10 && v <= 12, "view %d", (int)v);
        s.kind = HUB_FINALIZE;
        cr_assert_eq(hub_cons_wants_vote(&k.c, &s, 1), v >= 9 && v <= 12, "view %d", (int)v);
    }
    struct hub_header_facts a = core_block(&k, 'a', 10, 'g', 0, 1);
    core_certify(&k, core_finalize(&a));
    s = core_nullify(10);
    cr_assert(!hub_cons_wants_vote(&k.c, &s, 1), "top.view < view");
}

Test(admission, votes_of_an_older_notarized_view_still_count)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    struct hub_subject s = core_finalize(&a);
    core_notarized(&k, &a);
    core_certify(&k, core_nullify(30));
    cr_assert(hub_cons_wants_vote(&k.c, &s, 1));
    s.view = 2;
    cr_assert(!hub_cons_wants_vote(&k.c, &s, 1));
}

Test(admission, no_vote_twice_and_none_after_the_quorum)
{
    struct hub_subject s = core_nullify(1);
    core_vote(&k, s, 1);
    cr_assert(!hub_cons_wants_vote(&k.c, &s, 1) && hub_cons_wants_vote(&k.c, &s, 2));
    core_certify(&k, core_nullify(1));
    cr_assert(!hub_cons_wants_vote(&k.c, &s, 2));
    struct hub_header_facts b = core_block(&k, 'b', 2, 'g', 0, 1);
    core_certify(&k, core_notarize(&b));
    s = core_notarize(&b);
    cr_assert(!hub_cons_wants_vote(&k.c, &s, 2));
}

Test(admission, certificates_that_are_new_at_any_higher_view)
{
    struct hub_header_facts a = core_block(&k, 'a', 5, 'g', 0, 1),
                            b = core_block(&k, 'b', 7, 'a', 5, 2);
    struct hub_subject z = core_nullify(1000), n = core_notarize(&b), f = core_finalize(&b);
    cr_assert(hub_cons_wants_certificate(&k.c, &z) && hub_cons_wants_certificate(&k.c, &n) &&
              hub_cons_wants_certificate(&k.c, &f));
    core_certify(&k, n);
    core_certify(&k, z);
    cr_assert(!hub_cons_wants_certificate(&k.c, &z) && !hub_cons_wants_certificate(&k.c, &n));
    core_certify(&k, f);
    cr_assert(!hub_cons_wants_certificate(&k.c, &f));
    f = core_finalize(&a);
    cr_assert(!hub_cons_wants_certificate(&k.c, &f), "below top");
    f = core_finalize(&b);
    f.view = 8, f.epoch = 1;
    cr_assert(!hub_cons_wants_certificate(&k.c, &f));
}

/* commonware#1353, ava-labs#562: outages and forks must not grow what is held. */
Test(admission, long_outages_stay_within_bounds)
{
    uint64_t last = 0;
    for (uint64_t v = 2; v < 2000; v += 2) /* every second view nullified: nothing merges */
        core_certify(&k, core_nullify(v)), last = v;
    cr_assert_eq(k.c.nullified_count, HUB_GAPS_MAX);
    cr_assert_eq(k.c.nullified[HUB_GAPS_MAX - 1].last, last);
    struct hub_subject old = core_nullify(2);
    cr_assert(!hub_cons_wants_certificate(&k.c, &old), "it would only be forgotten again");
    for (uint64_t v = 2001; v < 2400; v += 2) {
        struct hub_header_facts b = core_block(&k, 'b', v, 'g', 0, 1);
        b.hash.b[0] = (uint8_t)v, b.hash.b[1] = (uint8_t)(v >> 8);
        core_notarized(&k, &b);
    }
    cr_assert_eq(k.c.notarized_count, HUB_GAPS_MAX);
}

/* ---- leader: validator 1 leads view 1 */

static void open_leader(void)
{
    core_open(&k, 4, 3, 1);
}

Test(leader, builds_on_top_when_the_gate_opens)
{
    open_leader();
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_tick(&k, 60000);
    cr_assert(!core_effect(&k, HUB_FX_BUILD));
    core_gate(&k, true);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_BUILD);
    cr_assert(fx && fx->view == 1 && fx->first == 0 && !fx->empty);
    cr_assert(hub_hash_equal(&fx->parent, &k.c.top.block_hash));
    core_built(&k, &a, HUB_BUILT_OK);
    cr_assert_eq(k.fx.item[0].kind, HUB_FX_KEEP_BLOCK);
    cr_assert_eq(k.fx.item[1].kind, HUB_FX_VOTE);
    cr_assert_eq(k.fx.item[2].kind, HUB_FX_PROPOSE);
    core_tick(&k, 10);
    cr_assert(!core_effect(&k, HUB_FX_BUILD) && !core_effect(&k, HUB_FX_PROPOSE));
}

Test(leader, sends_its_proposal_again_and_never_builds_again)
{
    open_leader();
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_built(&k, &a, HUB_BUILT_OK);
    core_tick(&k, 1100); /* t_r = 1 s +- 10 % */
    const struct hub_effect *fx = core_effect(&k, HUB_FX_PROPOSE);
    cr_assert(core_effect(&k, HUB_FX_RETRY) && fx && hub_hash_equal(&fx->block_hash, &a.hash));
    cr_assert(!core_effect(&k, HUB_FX_BUILD));
}

Test(leader, builds_on_the_highest_notarized_block)
{
    core_open(&k, 4, 3, 3);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_notarized(&k, &a);
    core_certify(&k, core_nullify(2));
    const struct hub_effect *fx = core_effect(&k, HUB_FX_BUILD);
    cr_assert(fx && fx->view == 3 && fx->first == 1 && hub_hash_equal(&fx->parent, &a.hash));
    cr_assert(hub_hash_equal(hub_cons_base(&k.c), &a.hash));
}

Test(leader, asks_for_what_is_missing_and_does_not_give_up_the_view)
{
    core_open(&k, 4, 3, 3);
    core_gate(&k, true);
    core_certify(&k, core_nullify(2)); /* of view 1 nothing is known */
    const struct hub_effect *ask = core_effect(&k, HUB_FX_FETCH_CERTS);
    cr_assert(ask && ask->first == 1 && ask->last == 1);
    cr_assert(!core_effect(&k, HUB_FX_BUILD));
    core_tick(&k, 500);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
    core_certify(&k, core_nullify(1));
    cr_assert(core_effect(&k, HUB_FX_BUILD));
}

Test(leader, with_nothing_to_propose_waits)
{
    open_leader();
    core_gate(&k, true);
    struct hub_header_facts none = core_block(&k, 'x', 1, 'g', 0, 1);
    core_gate(&k, false);
    core_built(&k, &none, HUB_BUILT_NOTHING);
    core_tick(&k, 60000);
    cr_assert_eq(k.votes[HUB_NULLIFY] + k.votes[HUB_NOTARIZE], 0);
    cr_assert(!k.c.gate_open);
    core_gate(&k, true);
    cr_assert(core_effect(&k, HUB_FX_BUILD), "and builds when a record comes");
}

Test(leader, without_work_passes_its_turn_at_once_when_a_peer_has_some)
{
    open_leader();
    core_vote(&k, core_nullify(1), 3);
    cr_assert(core_casts(&k, core_nullify(1)));
}

Test(leader, that_cannot_build_nullifies_at_once)
{
    open_leader();
    struct hub_header_facts none = core_block(&k, 'x', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_built(&k, &none, HUB_BUILT_FAILED);
    cr_assert(core_casts(&k, core_nullify(1)));
    core_tick(&k, 10);
    cr_assert(!core_effect(&k, HUB_FX_BUILD), "a leader that has nullified does not build");
}

Test(leader, that_is_syncing_nullifies_at_once)
{
    core_open(&k, 4, 3, 2);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'f', 0, 100);
    core_gate(&k, true);
    core_certify(&k, core_finalize(&a)); /* 100 blocks ahead of what we hold */
    cr_assert_eq(k.c.view, 2);
    cr_assert(core_casts(&k, core_nullify(2)));
}

Test(leader, drops_a_block_built_for_a_view_it_left)
{
    open_leader();
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_certify(&k, core_nullify(1));
    core_built(&k, &a, HUB_BUILT_OK);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(leader, keeps_the_pace_between_parent_and_child)
{
    open_leader();
    k.c.cfg.pace_ms = 200;
    core_tick(&k, 1000);
    k.c.fin_time_ms = k.wall_ms + 4000;
    core_gate(&k, true);
    cr_assert(core_effect(&k, HUB_FX_BUILD),
              "in the view for long: a parent's fast clock does not count");
    core_open(&k, 4, 3, 2);
    k.c.cfg.pace_ms = 200;
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    a.time_ms = k.wall_ms - 50;
    core_gate(&k, true);
    core_notarized(&k, &a);
    cr_assert(k.c.view == 2 && !core_effect(&k, HUB_FX_BUILD));
    cr_assert_eq(k.fx.wake_ms, k.now_ms + 150);
    core_tick(&k, 150);
    cr_assert(core_effect(&k, HUB_FX_BUILD));
}

/* ---- restart */

Test(restart, says_nothing_before_start)
{
    core_prepare(&k, 4, 3, 0);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&a));
    cr_assert_eq(k.fx.count, 0);
    core_own(&k, core_nullify(1));
    cr_assert_eq(k.fx.count, 0);
    core_verdict(&k, &a, true);
    cr_assert(k.fx.count == 0 && k.c.view == 2);
    core_start(&k);
    cr_assert_eq(k.votes[HUB_FINALIZE], 0, "the journal holds NULLIFY(1)");
}

Test(restart, takes_up_what_the_journal_holds)
{
    core_prepare(&k, 4, 3, 0);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'a', 1, 2);
    core_certify(&k, core_notarize(&a));
    core_certify(&k, core_finalize(&b));
    core_certify(&k, core_nullify(5));
    core_own(&k, core_notarize(&a));
    core_verdict(&k, &a, true);
    core_verdict(&k, &b, true);
    core_start(&k);
    cr_assert(k.c.view == 6 && k.c.fin.height == 2);
    cr_assert(core_effect(&k, HUB_FX_FINAL), "the replica is told what is final");
}

/* commonware#4275: all crashed after journalling NULLIFY; replay told the peers but not the own tally, and each
 * node stayed one vote short for ever. */
Test(restart, own_votes_count_in_the_own_tally_again)
{
    core_prepare(&k, 3, 3, 0);
    core_own(&k, core_nullify(1));
    core_start(&k);
    cr_assert(core_effect(&k, HUB_FX_RETRY), "and they are sent again at once");
    core_vote(&k, core_nullify(1), 1);
    core_vote(&k, core_nullify(1), 2);
    cr_assert(core_effect(&k, HUB_FX_CERTIFICATE));
    cr_assert_eq(k.votes[HUB_NULLIFY], 0, "never signed twice");
}

Test(restart, one_validator_forms_the_certificate_its_crash_interrupted)
{
    core_prepare(&k, 1, 1, 0);
    core_own(&k, core_nullify(1));
    cr_assert_eq(k.fx.count, 0);
    core_start(&k);
    cr_assert(core_effect(&k, HUB_FX_CERTIFICATE));
}

Test(restart, never_notarizes_another_block_of_that_view)
{
    core_prepare(&k, 4, 3, 0);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_own(&k, core_notarize(&a));
    core_start(&k);
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    core_notarized(&k, &b);
    cr_assert_eq(k.votes[HUB_NOTARIZE] + k.votes[HUB_FINALIZE], 0);
    cr_assert_eq(k.c.view, 2);
}

Test(restart, leader_sends_its_journalled_proposal_and_does_not_build)
{
    core_prepare(&k, 4, 3, 1);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_own(&k, core_notarize(&a));
    core_start(&k);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_PROPOSE);
    cr_assert(fx && hub_hash_equal(&fx->block_hash, &a.hash));
    core_gate(&k, true);
    cr_assert(!core_effect(&k, HUB_FX_BUILD));
}

Test(restart, an_own_vote_proves_that_its_view_was_entered)
{
    core_prepare(&k, 4, 3, 0);
    core_own(&k, core_nullify(6));
    core_start(&k);
    cr_assert_eq(k.c.view, 6);
}
