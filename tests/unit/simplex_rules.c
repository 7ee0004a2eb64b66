/* Each guard of the voting rules N, Z and F (docs/protocol.md), driven by hand on one core. Validator 0 of 4,
 * q = 3; leader of view v is v mod 4. */
#include "tests/support/core.h"

#include <criterion/criterion.h>

static struct core k;

static void open(void)
{
    core_open(&k, 4, 3, 0);
}
static void open_busy(void) /* a record waits: the gate is open */
{
    open();
    core_gate(&k, true);
}
TestSuite(rule_n, .init = open);
TestSuite(rule_z, .init = open);
TestSuite(rule_f, .init = open);

/* ---- N */

Test(rule_n, notarizes_a_valid_proposal_and_keeps_its_block_first)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    cr_assert(core_effect(&k, HUB_FX_EXECUTE));
    core_verdict(&k, &a, true);
    cr_assert_eq(k.fx.item[0].kind, HUB_FX_KEEP_BLOCK);
    cr_assert(core_casts(&k, core_notarize(&a)));
    cr_assert(!core_effect(&k, HUB_FX_PROPOSE), "only the leader proposes");
}

Test(rule_n, waits_for_execution)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_tick(&k, 10);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(rule_n, refuses_an_invalid_block)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, false);
    core_tick(&k, 10);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(rule_n, votes_once_a_view)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    core_tick(&k, 10);
    cr_assert(!hub_cons_wants_proposal(&k.c, &b));
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 1);
}

Test(rule_n, wants_proposals_of_the_leader_only)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    a.proposer = 2;
    cr_assert(!hub_cons_wants_proposal(&k.c, &a));
}

Test(rule_n, keeps_a_proposal_of_the_next_view_until_it_is_entered)
{
    struct hub_header_facts b = core_block(&k, 'b', 2, 'g', 0, 1),
                            c = core_block(&k, 'c', 3, 'g', 0, 1);
    cr_assert(hub_cons_wants_proposal(&k.c, &b) && !hub_cons_wants_proposal(&k.c, &c));
    core_propose(&k, &b);
    cr_assert(!core_effect(&k, HUB_FX_EXECUTE));
    core_certify(&k, core_nullify(1));
    cr_assert(core_effect(&k, HUB_FX_EXECUTE));
    core_verdict(&k, &b, true);
    cr_assert(core_casts(&k, core_notarize(&b)));
}

Test(rule_n, refuses_to_go_behind_a_final_block)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'g', 0, 1);
    core_certify(&k, core_finalize(&a));
    core_verdict(&k, &a, true);
    core_propose(&k, &b); /* parent_view 0 < top.view 1 */
    core_verdict(&k, &b, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(rule_n, refuses_another_parent_than_the_final_block)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'x', 1, 2);
    core_certify(&k, core_finalize(&a));
    core_verdict(&k, &a, true);
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(rule_n, waits_for_the_parents_certificate)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'a', 1, 2);
    core_certify(&k, core_nullify(1));
    core_propose(&k, &b);
    cr_assert(!core_effect(&k, HUB_FX_EXECUTE));
    core_verdict(&k, &b, true); /* even if its verdict were known */
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
    core_notarized(&k, &a);
    cr_assert(core_casts(&k, core_notarize(&b)));
}

Test(rule_n, waits_for_the_certificate_of_a_parent_older_than_its_slots)
{
    struct hub_header_facts z = core_block(&k, 'z', 20, 'p', 5, 3);
    for (uint64_t v = 6; v < 20; v++)
        core_certify(&k, core_nullify(v));
    core_propose(&k, &z);
    cr_assert(!core_effect(&k, HUB_FX_EXECUTE));
    core_verdict(&k, &z, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(rule_n, waits_until_the_parent_is_valid)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'a', 1, 2);
    core_certify(&k, core_nullify(1));
    core_certify(&k, core_notarize(&a));
    core_propose(&k, &b);
    core_tick(&k, 1);
    cr_assert(!core_effect(&k, HUB_FX_EXECUTE), "its parent is not executed");
    core_verdict(&k, &a, true);
    cr_assert(core_effect(&k, HUB_FX_EXECUTE));
}

Test(rule_n, refuses_another_parent_than_the_notarized_block)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'x', 1, 2);
    core_notarized(&k, &a);
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

/* ava-labs/Simplex#281: a voter accepted a block that skipped a round without proof. */
Test(rule_n, needs_a_nullification_of_every_skipped_view)
{
    struct hub_header_facts c = core_block(&k, 'c', 3, 'g', 0, 1);
    core_certify(&k, core_nullify(2)); /* of view 1 there is none */
    core_propose(&k, &c);
    const struct hub_effect *ask = core_effect(&k, HUB_FX_FETCH_CERTS);
    cr_assert(!core_effect(&k, HUB_FX_EXECUTE) && !core_casts(&k, core_notarize(&c)));
    cr_assert(ask || k.fx.wake_ms != UINT64_MAX);
    core_verdict(&k, &c, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
    core_certify(&k, core_nullify(1));
    cr_assert(core_casts(&k, core_notarize(&c)));
}

Test(rule_n, refuses_a_height_that_is_not_the_parents_plus_one)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 2),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
    open();
    core_notarized(&k, &b);
    struct hub_header_facts c = core_block(&k, 'c', 2, 'b', 1, 3);
    core_propose(&k, &c);
    core_verdict(&k, &c, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(rule_n, waits_for_its_clock_but_never_calls_the_block_invalid)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    a.time_ms = CORE_WALL_MS + 5001;
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE] + k.votes[HUB_NULLIFY], 0);
    cr_assert_eq(k.fx.wake_ms, k.now_ms + 1);
    core_tick(&k, 1);
    cr_assert(core_casts(&k, core_notarize(&a)));
}

Test(rule_n, ignores_the_gate)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    cr_assert(!k.c.gate_open);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    cr_assert(core_casts(&k, core_notarize(&a)));
    cr_assert(k.c.gate_open, "an own vote opens it");
}

Test(rule_n, is_legal_after_an_own_nullify_in_the_current_view)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_tick(&k, 1000);
    cr_assert(core_casts(&k, core_nullify(1)));
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    cr_assert(core_casts(&k, core_notarize(&a)));
}

Test(rule_n, is_never_applied_by_an_observer)
{
    core_open(&k, 4, 3, 4);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    core_tick(&k, 5000);
    cr_assert_eq(k.votes[HUB_NOTARIZE] + k.votes[HUB_NULLIFY], 0);
    core_notarized(&k, &a);
    cr_assert_eq(k.votes[HUB_FINALIZE], 0);
    cr_assert_eq(k.c.view, 2, "it follows");
}

Test(rule_n, waits_while_the_replica_forbids_votes)
{
    struct hub_event no = {.kind = HUB_EV_VOTING};
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_step(&k, &no);
    core_gate(&k, true);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    core_tick(&k, 5000);
    cr_assert_eq(k.votes[HUB_NOTARIZE] + k.votes[HUB_NULLIFY], 0);
    no.u.voting.allowed = true;
    core_step(&k, &no);
    cr_assert(core_casts(&k, core_notarize(&a)));
}

/* ---- Z */

Test(rule_z, nullifies_after_t_l_without_a_proposal)
{
    open_busy();
    core_tick(&k, 999); /* t_l = max(1 s, 2 Delta) */
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
    cr_assert_eq(k.fx.wake_ms, k.now_ms + 1);
    core_tick(&k, 1);
    cr_assert(core_casts(&k, core_nullify(1)));
}

Test(rule_z, nullifies_after_t_a_with_a_proposal)
{
    open_busy();
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    core_tick(&k, 1999);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
    core_tick(&k, 1);
    cr_assert(core_casts(&k, core_nullify(1)));
}

Test(rule_z, never_fires_while_the_gate_is_closed)
{
    for (int i = 0; i < 100; i++)
        core_tick(&k, 1000);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, false);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0, "not even for an invalid proposal");
    core_gate(&k, true);
    cr_assert(core_casts(&k, core_nullify(1)));
}

Test(rule_z, votes_once_a_view)
{
    open_busy();
    core_tick(&k, 1000);
    core_tick(&k, 5000);
    cr_assert_eq(k.votes[HUB_NULLIFY], 1);
}

Test(rule_z, is_excluded_by_an_own_finalize)
{
    /* The journal holds FINALIZE(1) while the certificate that led to it was lost: view 1 is current again. */
    core_prepare(&k, 4, 3, 0);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_own(&k, core_finalize(&a));
    core_start(&k);
    cr_assert_eq(k.c.view, 1);
    core_gate(&k, true);
    core_tick(&k, 60000);
    core_vote(&k, core_nullify(1), 1); /* the leader's own */
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
}

Test(rule_z, fires_at_once_for_an_invalid_proposal)
{
    open_busy();
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, false);
    cr_assert(core_casts(&k, core_nullify(1)));
}

Test(rule_z, fires_at_once_on_the_leaders_own_nullify)
{
    open_busy();
    core_vote(&k, core_nullify(1), 2);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
    core_vote(&k, core_nullify(1), 1);
    cr_assert(core_casts(&k, core_nullify(1)));
}

Test(rule_z, skips_a_leader_silent_for_5_s_while_others_are_heard)
{
    for (int i = 0; i < 6; i++) { /* 2 and 3 announce themselves every second, 1 never */
        core_tick(&k, 1000);
        core_peer(&k, 2, 1, 0);
        core_peer(&k, 3, 1, 0);
    }
    core_gate(&k, true);
    core_tick(&k, 998);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0, "the gate is open for less than 1 s");
    core_certify(&k, core_nullify(4)); /* views 2, 3, 4 pass; leader of view 5 is 1 again */
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
    core_tick(&k, 2);
    cr_assert(core_casts(&k, core_nullify(5)), "without waiting for t_l");
}

Test(rule_z, skips_nobody_while_too_few_others_are_heard)
{
    for (int i = 0; i < 6; i++) {
        core_tick(&k, 1000);
        core_peer(&k, 2, 1, 0); /* q - 1 = 2 others are needed */
    }
    core_gate(&k, true);
    core_tick(&k, 500);
    core_certify(&k, core_nullify(4));
    core_tick(&k, 500);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
}

/* ---- F */

Test(rule_f, finalizes_a_notarized_valid_block_with_what_its_header_says)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    core_certify(&k, core_notarize(&a));
    cr_assert_eq(k.fx.item[0].kind, HUB_FX_KEEP_BLOCK);
    cr_assert(core_casts(&k, core_finalize(&a)));
    cr_assert_eq(k.c.view, 2);
}

Test(rule_f, needs_no_own_notarize)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&a));
    cr_assert_eq(k.votes[HUB_FINALIZE], 0, "the block is missing");
    cr_assert(core_effect(&k, HUB_FX_FETCH_BLOCK));
    core_verdict(&k, &a, true);
    cr_assert(core_casts(&k, core_finalize(&a)));
}

Test(rule_f, votes_once_a_view)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_notarized(&k, &a);
    core_tick(&k, 10);
    core_verdict(&k, &a, true);
    cr_assert_eq(k.votes[HUB_FINALIZE], 1);
}

/* ava-labs/Simplex#280, open since: FINALIZE for a round that was timed out. */
Test(rule_f, is_excluded_by_an_own_nullify)
{
    open_busy();
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_tick(&k, 1000);
    cr_assert(core_casts(&k, core_nullify(1)));
    core_notarized(&k, &a);
    core_tick(&k, 10000);
    cr_assert_eq(k.votes[HUB_FINALIZE], 0);
    cr_assert_eq(k.c.view, 2, "but the view is left: commonware#2695");
}

/* The second half of #280: pruning forgot the own NULLIFY. */
Test(rule_f, is_excluded_by_an_own_nullify_of_a_pruned_view)
{
    open_busy();
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_tick(&k, 1000);
    core_certify(&k, core_nullify(40)); /* far away: the slot of view 1 is gone */
    cr_assert(
        hub_cons_wants_certificate(&k.c, &(struct hub_subject){.kind = HUB_NOTARIZE, .view = 1}));
    core_notarized(&k, &a);
    core_tick(&k, 100);
    cr_assert_eq(k.votes[HUB_FINALIZE], 0);
}

Test(rule_f, is_excluded_by_an_own_notarize_of_another_block)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    core_notarized(&k, &b);
    cr_assert_eq(k.votes[HUB_FINALIZE], 0);
    cr_assert_eq(k.c.view, 2);
}

Test(rule_f, forbids_a_later_notarize_of_another_block)
{
    core_prepare(&k, 4, 3, 0);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_own(&k, core_finalize(&a)); /* its certificate was lost in a crash */
    core_start(&k);
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(rule_f, applies_below_and_above_the_current_view)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 9, 'a', 1, 2);
    core_certify(&k, core_nullify(3));
    cr_assert_eq(k.c.view, 4);
    core_notarized(&k, &a);
    cr_assert(core_casts(&k, core_finalize(&a)), "late, of a view we never voted in");
    core_notarized(&k, &b);
    cr_assert(core_casts(&k, core_finalize(&b)));
    cr_assert_eq(k.c.view, 10);
}

Test(rule_f, applies_above_top_only)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'a', 1, 2);
    core_certify(&k, core_notarize(&a));
    core_certify(&k, core_finalize(&b));
    core_verdict(&k, &a, true);
    core_verdict(&k, &b, true);
    core_certify(&k, core_notarize(&a));
    cr_assert_eq(k.votes[HUB_FINALIZE], 0);
}

/* ---- the end of an epoch (docs/protocol.md 14) */

static struct hub_header_facts sealing(char name, uint64_t view, char parent, uint64_t parent_view,
                                       uint64_t height, bool tail)
{
    struct hub_header_facts b = core_block(&k, name, view, parent, parent_view, height);
    b.ends_epoch = true;
    b.tail = b.empty = tail;
    return b;
}

Test(rule_n, a_tail_has_its_parents_height)
{
    struct hub_header_facts s = sealing('s', 1, 'g', 0, 1, false);
    core_notarized(&k, &s);
    struct hub_header_facts t = sealing('t', 2, 's', 1, 1, true);
    core_propose(&k, &t);
    core_verdict(&k, &t, true);
    cr_assert(core_casts(&k, core_notarize(&t)));
}

Test(rule_n, a_tail_above_its_parent_is_never_voted_for)
{
    struct hub_header_facts s = sealing('s', 1, 'g', 0, 1, false);
    core_notarized(&k, &s);
    struct hub_header_facts t = sealing('t', 2, 's', 1, 2, true);
    core_propose(&k, &t);
    core_verdict(&k, &t, true);
    core_tick(&k, 10);
    cr_assert(!core_casts(&k, core_notarize(&t)) && k.c.view == 2);
}

Test(rule_n, a_block_of_its_parents_height_is_no_tail)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_notarized(&k, &a);
    struct hub_header_facts b = core_block(&k, 'b', 2, 'a', 1, 1);
    uint32_t before = k.votes[HUB_NOTARIZE];
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    core_tick(&k, 10);
    cr_assert_eq(k.votes[HUB_NOTARIZE], before);
}

static void check_ended(const struct hub_header_facts *last)
{
    core_certify(&k, core_finalize(last));
    cr_assert(core_effect(&k, HUB_FX_FINAL) && k.c.ended);
    const uint32_t n = k.votes[HUB_NOTARIZE], z = k.votes[HUB_NULLIFY], f = k.votes[HUB_FINALIZE];
    struct hub_header_facts t = sealing('u', k.c.view, 's', last->view, last->height, true);
    core_gate(&k, true);
    core_propose(&k, &t);
    core_verdict(&k, &t, true);
    core_certify(&k, core_notarize(&t));
    core_tick(&k, 60000);
    cr_assert(k.votes[HUB_NOTARIZE] == n && k.votes[HUB_NULLIFY] == z &&
              k.votes[HUB_FINALIZE] == f);
    cr_assert(!core_effect(&k, HUB_FX_BUILD));
}

Test(rule_f, no_vote_follows_when_a_seal_is_final)
{
    struct hub_header_facts s = sealing('s', 1, 'g', 0, 1, false);
    core_notarized(&k, &s);
    check_ended(&s);
}

Test(rule_f, no_vote_follows_when_a_tail_is_final)
{
    struct hub_header_facts s = sealing('s', 1, 'g', 0, 1, false);
    core_notarized(&k, &s);
    struct hub_header_facts t = sealing('t', 2, 's', 1, 1, true);
    core_notarized(&k, &t);
    check_ended(&t);
}
