/* Guards of the consensus core that only rare histories reach, driven by hand on one core. Validator 0 of 4, q = 3;
 * leader of view v is v mod 4. */
#include "tests/support/core.h"

#include <criterion/criterion.h>

static struct core k;

static void open(void)
{
    core_open(&k, 4, 3, 0);
}
TestSuite(corners, .init = open);

/* The journal holds FINALIZE(9, a); the certificates that led to view 9 were lost, so it has no slot yet. */
static void restart_with_distant_finalize(void)
{
    core_prepare(&k, 4, 3, 0);
    struct hub_header_facts a = core_block(&k, 'a', 9, 'g', 0, 1);
    core_own(&k, core_finalize(&a));
    core_start(&k);
    cr_assert_eq(k.c.view, 1);
    core_gate(&k, true);
    core_certify(&k, core_nullify(1));
    for (uint64_t v = 2; v < 9; v++)
        core_certify(&k, core_nullify(v));
    cr_assert_eq(k.c.view, 9);
}

Test(corners, no_notarize_where_a_forgotten_finalize_may_be)
{
    restart_with_distant_finalize();
    struct hub_header_facts b = core_block(&k, 'b', 9, 'g', 0, 1);
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(corners, no_nullify_where_a_forgotten_finalize_may_be)
{
    restart_with_distant_finalize();
    core_tick(&k, 60000);
    core_vote(&k, core_nullify(9), 1); /* its leader's own */
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
}

/* Below top nothing can be notarized any more: the view is given up at once, not after t_a. */
Test(corners, a_proposal_that_goes_behind_top_is_nullified_at_once)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 2, 'g', 0, 1);
    core_certify(&k, core_finalize(&a));
    core_gate(&k, true);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
    core_propose(&k, &b);
    cr_assert(core_casts(&k, core_nullify(2)));
}

Test(corners, a_parent_in_its_own_view_is_never_wanted)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 1, 1);
    cr_assert(!hub_cons_wants_proposal(&k.c, &a));
}

Test(corners, what_is_final_already_gets_no_finalize)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&a));
    core_certify(&k, core_finalize(&a));
    core_verdict(&k, &a, true);
    cr_assert_eq(k.votes[HUB_FINALIZE], 0);
}

/* Both ends of the run (p, v) have to be nullified: here the first view is, the second is not. */
Test(corners, a_nullified_view_proves_nothing_about_the_next)
{
    struct hub_header_facts b = core_block(&k, 'b', 2, 'g', 0, 1),
                            c = core_block(&k, 'c', 3, 'g', 0, 1);
    core_certify(&k, core_nullify(1));
    core_notarized(&k, &b);
    cr_assert_eq(k.c.view, 3);
    core_propose(&k, &c);
    core_verdict(&k, &c, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

/* What made a proposal INVALID may be our ignorance; a certified block is judged by executing it. */
Test(corners, a_certificate_has_an_invalid_proposal_looked_at_again)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, false);
    core_certify(&k, core_notarize(&a));
    cr_assert(core_effect(&k, HUB_FX_FETCH_BLOCK) && !core_effect(&k, HUB_FX_ALARM));
    core_verdict(&k, &a, false);
    cr_assert(core_effect(&k, HUB_FX_ALARM));
}

Test(corners, a_finalization_of_another_block_than_the_notarized_raises_the_alarm)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&a));
    core_certify(&k, core_finalize(&b));
    const struct hub_effect *alarm = core_effect(&k, HUB_FX_ALARM);
    cr_assert(alarm && hub_hash_equal(&alarm->block_hash, &b.hash));
}

/* E2 and E4, whichever vote comes first; NOTARIZE and NULLIFY together are legal. */
Test(corners, votes_of_two_kinds_that_exclude_each_other_are_evidence_in_either_order)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1),
                            b = core_block(&k, 'b', 1, 'g', 0, 1);
    const struct {
        struct hub_subject first, second;
        bool evidence;
    } pair[] = {
        {core_finalize(&a), core_nullify(1), true},
        {core_nullify(1), core_finalize(&a), true},
        {core_finalize(&a), core_notarize(&b), true},
        {core_notarize(&b), core_finalize(&a), true},
        {core_finalize(&a), core_notarize(&a), false},
        {core_notarize(&a), core_finalize(&a), false},
        {core_notarize(&a), core_nullify(1), false},
        {core_nullify(1), core_notarize(&a), false},
    };
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        open();
        core_vote(&k, pair[i].first, 2);
        cr_assert(!core_effect(&k, HUB_FX_EVIDENCE));
        core_vote(&k, pair[i].second, 2);
        cr_assert_eq(core_effect(&k, HUB_FX_EVIDENCE) != NULL, pair[i].evidence, "pair %zu", i);
    }
}

Test(corners, time_never_runs_back)
{
    core_tick(&k, 10);
    uint64_t before = k.c.now_mono_ms;
    k.now_ms -= 5000;
    core_step(&k, &(struct hub_event){.kind = HUB_EV_TICK});
    cr_assert_eq(k.c.now_mono_ms, before);
}

/* ---- the leader's duty: validator 0 leads views 4 and 8 */

Test(corners, a_leader_that_has_nullified_does_not_build)
{
    for (uint64_t v = 1; v < 4; v++)
        core_certify(&k, core_nullify(v));
    core_vote(&k, core_nullify(4), 2); /* opens the gate: without work the turn is passed on */
    cr_assert(core_casts(&k, core_nullify(4)));
    core_gate(&k, true);
    cr_assert(!core_effect(&k, HUB_FX_BUILD));
}

Test(corners, a_leader_builds_on_nothing_below_a_view_that_may_be_final)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_notarized(&k, &a);
    core_certify(&k, core_nullify(3)); /* of view 2 nothing is known */
    cr_assert_eq(k.c.view, 4);
    cr_assert(!core_effect(&k, HUB_FX_BUILD));
    core_certify(&k, core_nullify(2));
    cr_assert(core_effect(&k, HUB_FX_BUILD));
}

Test(corners, a_leader_builds_on_top_when_top_is_executed)
{
    struct hub_header_facts a = core_block(&k, 'a', 3, 'g', 0, 1);
    core_gate(&k, true);
    core_certify(&k, core_finalize(&a));
    cr_assert(k.c.view == 4 && !core_effect(&k, HUB_FX_BUILD));
    core_verdict(&k, &a, true);
    const struct hub_effect *build = core_effect(&k, HUB_FX_BUILD);
    cr_assert(build && hub_hash_equal(&build->parent, &a.hash));
}

Test(corners, a_block_built_for_a_view_that_was_left_is_dropped)
{
    for (uint64_t v = 1; v < 4; v++)
        core_certify(&k, core_nullify(v));
    core_gate(&k, true);
    cr_assert(core_effect(&k, HUB_FX_BUILD));
    struct hub_header_facts late = core_block(&k, 'l', 4, 'g', 0, 1);
    for (uint64_t v = 4; v < 8; v++)
        core_certify(&k, core_nullify(v));
    cr_assert(core_effect(&k, HUB_FX_BUILD), "of view 8");
    core_built(&k, &late, HUB_BUILT_OK);
    cr_assert(!core_effect(&k, HUB_FX_PROPOSE));
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

/* ---- the end of an epoch: SEAL, and TAILs upon it until it is final */

static struct hub_header_facts sealing(char name, uint64_t view)
{
    struct hub_header_facts s = core_block(&k, name, view, 'g', 0, 1);
    s.ends_epoch = true;
    return s;
}

static struct hub_header_facts tail_on_s(char name, uint64_t height)
{
    struct hub_header_facts t = core_block(&k, name, 2, 's', 1, height);
    t.ends_epoch = t.tail = true;
    return t;
}

Test(corners, a_tail_has_its_parents_height)
{
    struct hub_header_facts s = sealing('s', 1), t = tail_on_s('t', 1);
    core_notarized(&k, &s);
    core_propose(&k, &t);
    core_verdict(&k, &t, true);
    cr_assert(core_casts(&k, core_notarize(&t)));
}

Test(corners, a_tail_one_higher_gets_no_vote)
{
    struct hub_header_facts s = sealing('s', 1), t = tail_on_s('t', 2);
    core_notarized(&k, &s);
    core_propose(&k, &t);
    core_verdict(&k, &t, true);
    cr_assert_eq(k.votes[HUB_NOTARIZE], 0);
}

Test(corners, no_vote_after_the_final_block_that_ends_the_epoch)
{
    struct hub_header_facts s = sealing('s', 1), t = tail_on_s('t', 1);
    core_certify(&k, core_finalize(&s));
    core_verdict(&k, &s, true);
    cr_assert(core_effect(&k, HUB_FX_FINAL));
    core_gate(&k, true);
    core_propose(&k, &t);
    core_verdict(&k, &t, true);
    core_tick(&k, 60000);
    core_certify(&k, core_notarize(&t));
    cr_assert_eq(k.votes[HUB_NOTARIZE] + k.votes[HUB_NULLIFY] + k.votes[HUB_FINALIZE], 0);
}
