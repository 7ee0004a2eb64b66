/* The idle gate, time-outs and repair, driven by hand on one core. */
#include "tests/support/core.h"

#include <criterion/criterion.h>

static struct core k;

static void open(void)
{
    core_open(&k, 4, 3, 0);
}
TestSuite(gate, .init = open);
TestSuite(timer, .init = open);
TestSuite(repair, .init = open);

/* ---- gate */

Test(gate, is_closed_while_there_is_nothing_to_do)
{
    cr_assert(!k.c.gate_open);
    cr_assert_eq(k.fx.wake_ms, UINT64_MAX, "and nothing wakes us");
}

Test(gate, a_record_opens_it_and_announces_us)
{
    core_gate(&k, true);
    cr_assert(k.c.gate_open && core_effect(&k, HUB_FX_STATUS));
    core_tick(&k, 1);
    cr_assert(!core_effect(&k, HUB_FX_STATUS));
}

Test(gate, opening_arms_the_deadlines_from_now_and_closing_disarms_them)
{
    core_tick(&k, 100000);
    core_gate(&k, true);
    cr_assert(k.c.leader_due_ms == k.now_ms + 1000 && k.c.advance_due_ms == k.now_ms + 2000);
    core_tick(&k, 900);
    core_gate(&k, false);
    core_tick(&k, 5000);
    cr_assert_eq(k.votes[HUB_NULLIFY], 0);
    core_gate(&k, true);
    cr_assert_eq(k.c.leader_due_ms, k.now_ms + 1000);
}

Test(gate, any_validators_nullify_opens_it)
{
    core_vote(&k, core_nullify(1), 3);
    cr_assert(k.c.gate_open);
    core_tick(&k, 1000);
    cr_assert(core_casts(&k, core_nullify(1)));
}

Test(gate, one_peer_opens_it_once_in_10_s_and_is_held_until_then)
{
    core_vote(&k, core_nullify(1), 3);
    core_certify(&k, core_nullify(1));
    cr_assert(!k.c.gate_open);
    core_tick(&k, 4000);
    core_vote(&k, core_nullify(2), 3);
    cr_assert(!k.c.gate_open);
    cr_assert_leq(k.fx.wake_ms, k.now_ms + 6000);
    core_tick(&k, 5999);
    cr_assert(!k.c.gate_open);
    core_tick(&k, 1);
    cr_assert(k.c.gate_open);
    core_certify(&k, core_nullify(2));
    core_vote(&k, core_nullify(3), 2);
    cr_assert(k.c.gate_open, "another peer has its own turn");
}

Test(gate, an_own_vote_opens_it_in_its_view_only)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    a.empty = true;
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    cr_assert(k.c.gate_open);
    core_certify(&k, core_notarize(&a));
    cr_assert(k.c.view == 2 && !k.c.gate_open);
}

Test(gate, an_unfinalized_block_with_records_opens_it_after_1_s)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_notarized(&k, &a);
    core_tick(&k, 999);
    cr_assert(!k.c.gate_open);
    core_tick(&k, 1);
    cr_assert(k.c.gate_open);
    core_certify(&k, core_finalize(&a));
    cr_assert(!k.c.gate_open);
}

Test(gate, an_empty_block_never_opens_it)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    a.empty = true;
    core_notarized(&k, &a);
    core_tick(&k, 60000);
    cr_assert(!k.c.gate_open);
}

Test(gate, leader_finalizes_a_lone_block_with_an_empty_one)
{
    core_open(&k, 4, 3, 2);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_notarized(&k, &a);
    cr_assert(!core_effect(&k, HUB_FX_BUILD));
    core_tick(&k, 1000);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_BUILD);
    cr_assert(fx && fx->empty && fx->view == 2);
}

Test(gate, heartbeat_is_an_empty_block)
{
    core_open(&k, 4, 3, 1);
    k.c.cfg.heartbeat_ms = 600000;
    core_tick(&k, 1);
    cr_assert_eq(k.fx.wake_ms, k.c.last_block_ms + 600000);
    core_tick(&k, 600000);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_BUILD);
    cr_assert(fx && fx->empty);
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    a.empty = true;
    core_built(&k, &a, HUB_BUILT_OK);
    core_certify(&k, core_notarize(&a));
    cr_assert(k.c.view == 2 && !k.c.gate_open, "one, then rest");
}

/* ---- time-outs */

/* 1000 x 1.3^i, rounded, capped at 20000: in integers. */
static uint64_t backoff(uint32_t i)
{
    uint64_t power = 1000, scale = 1;
    for (; i > 0; i--)
        power *= 13, scale *= 10;
    uint64_t permille = (power + scale / 2) / scale;
    return permille < 20000 ? permille : 20000;
}

Test(timer, backs_off_after_more_failed_views_than_crashed_leaders_explain)
{
    core_gate(&k, true);
    for (uint64_t view = 2; view < 40; view++) {
        core_certify(&k, core_nullify(view - 1));
        uint64_t failed = view - 1, excused = 2; /* n - q + 1 */
        uint64_t i = failed > excused ? failed - excused : 0,
                 permille = backoff(i < 12 ? (uint32_t)i : 12);
        cr_assert_eq(k.c.leader_due_ms - k.now_ms, permille, "view %d", (int)view);
        cr_assert_eq(k.c.advance_due_ms - k.now_ms, 2 * permille, "view %d", (int)view);
    }
    struct hub_header_facts a = core_block(&k, 'a', 40, 'g', 0, 1);
    core_certify(&k, core_finalize(&a));
    cr_assert_eq(k.c.leader_due_ms - k.now_ms, 1000,
                 "a finalization resets it: no counter is kept");
}

Test(timer, leaves_time_for_delta_the_block_and_the_pace)
{
    k.c.cfg.delta_ms = 5000, k.c.cfg.block_send_ms = 2600, k.c.cfg.pace_ms = 200;
    core_gate(&k, true);
    cr_assert_eq(k.c.leader_due_ms - k.now_ms, 2 * 5000 + 2600);
    open();
    k.c.cfg.pace_ms = 60000;
    core_gate(&k, true);
    cr_assert_eq(k.c.leader_due_ms - k.now_ms, 60000 + 2 * 250);
}

Test(timer, retries_from_1_s_by_half_more_up_to_10_s)
{
    core_gate(&k, true);
    uint64_t wait = 1000, since = k.now_ms;
    for (int i = 0; i < 12; i++) {
        cr_assert_leq(k.c.retry_due_ms, since + wait + wait / 10);
        cr_assert_geq(k.c.retry_due_ms, since + wait - wait / 10);
        while (!core_effect(&k, HUB_FX_RETRY))
            core_tick(&k, k.fx.wake_ms - k.now_ms);
        since = k.now_ms;
        wait = wait * 3 / 2 < 10000 ? wait * 3 / 2 : 10000;
        core_tick(&k, 1);
    }
}

Test(timer, rests_when_all_is_final)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_propose(&k, &a);
    core_verdict(&k, &a, true);
    core_certify(&k, core_notarize(&a));
    core_certify(&k, core_finalize(&a));
    cr_assert_eq(k.fx.wake_ms, UINT64_MAX);
}

/* ---- repair */

Test(repair, bundle_names_the_own_finalizes_of_the_newest_notarized_views)
{
    char name = 'a';
    for (uint64_t v = 1; v <= 11; v++, name++) {
        struct hub_header_facts b =
            core_block(&k, name, v, v == 1 ? 'g' : (char)(name - 1), v - 1, v);
        core_notarized(&k, &b);
    }
    core_tick(&k, 1100);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_RETRY);
    cr_assert(fx && fx->view == 12 && fx->first == 4 && fx->last == 11);
}

Test(repair, standstill_resends_finalizes_and_asks_for_certificates)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_notarized(&k, &a);
    core_tick(&k, 2999);
    cr_assert(!core_effect(&k, HUB_FX_RESEND_FINALIZE));
    core_tick(&k, 1);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_RESEND_FINALIZE);
    cr_assert(fx && fx->first == 1 && fx->last == 1);
    fx = core_effect(&k, HUB_FX_FETCH_CERTS);
    cr_assert(fx && fx->first == 1 && fx->last == 2);
    core_certify(&k, core_finalize(&a));
    core_tick(&k, 3000);
    cr_assert(!core_effect(&k, HUB_FX_FETCH_CERTS));
}

Test(repair, asks_a_peer_ahead_for_at_most_64_newest_views)
{
    core_peer(&k, 2, 101, 0);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_FETCH_CERTS);
    cr_assert(fx && fx->peer == 2 && fx->first == 37 && fx->last == 100);
    core_tick(&k, 999);
    cr_assert(!core_effect(&k, HUB_FX_FETCH_CERTS));
    core_tick(&k, 1);
    cr_assert(core_effect(&k, HUB_FX_FETCH_CERTS), "1 s, then 1.5 s");
    core_tick(&k, 1499);
    cr_assert(!core_effect(&k, HUB_FX_FETCH_CERTS));
    core_tick(&k, 1);
    cr_assert(core_effect(&k, HUB_FX_FETCH_CERTS));
}

Test(repair, asks_for_the_finalization_of_a_peer_whose_views_ran_on)
{
    core_peer(&k, 2, 501, 17);
    cr_assert_eq(core_count(&k, HUB_FX_FETCH_CERTS), 2);
    bool found = false;
    for (uint32_t i = 0; i < k.fx.count; i++)
        found |= k.fx.item[i].kind == HUB_FX_FETCH_CERTS && k.fx.item[i].first == 17 &&
                 k.fx.item[i].last == 17;
    cr_assert(found);
}

Test(repair, asks_for_views_it_jumped_over)
{
    core_certify(&k, core_nullify(5));
    const struct hub_effect *fx = core_effect(&k, HUB_FX_FETCH_CERTS);
    cr_assert(fx && fx->first == 1 && fx->last == 4);
    for (uint64_t v = 4; v >= 1; v--)
        core_certify(&k, core_nullify(v));
    cr_assert_eq(k.c.nullified_count, 1, "one run");
    core_tick(&k, 60000);
    cr_assert(!core_effect(&k, HUB_FX_FETCH_CERTS));
}

Test(repair, asks_the_leader_first_for_what_its_proposal_lacks)
{
    core_certify(&k, core_nullify(2));
    core_certify(&k, core_nullify(1));
    struct hub_header_facts c = core_block(&k, 'c', 3, 'a', 1, 2); /* on a block of view 1 */
    core_propose(&k, &c);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_FETCH_CERTS);
    cr_assert(fx && fx->peer == 3 && fx->first == 1 && fx->last == 1);
    core_tick(&k, 1000);
    fx = core_effect(&k, HUB_FX_FETCH_CERTS);
    cr_assert(fx && fx->peer == 4, "then any peer");
}

Test(repair, asks_below_the_newest_64_skipped_views_when_it_holds_those)
{
    for (uint64_t v = 100; v <= 200; v++)
        core_certify(&k, core_nullify(v));
    struct hub_header_facts z = core_block(&k, 'z', 201, 'g', 0, 1);
    core_tick(&k, 60000);
    core_propose(&k, &z);
    core_tick(&k, 60000);
    bool found = false;
    for (uint32_t i = 0; i < k.fx.count; i++)
        found |= k.fx.item[i].kind == HUB_FX_FETCH_CERTS && k.fx.item[i].first == 36 &&
                 k.fx.item[i].last == 99;
    cr_assert(found);
}

static void late_vote(struct hub_subject s, uint8_t signer)
{
    struct hub_event ev = {.kind = HUB_EV_LATE_VOTE};
    ev.u.vote.subject = s;
    ev.u.vote.signer = signer;
    core_step(&k, &ev);
}

/* ava-labs/Simplex#306: on an idle network a node that lacks the finalization resends for ever. */
Test(repair, helps_a_late_voter_at_most_4_times_a_second)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_notarized(&k, &a);
    core_certify(&k, core_finalize(&a));
    late_vote(core_finalize(&a), 3);
    cr_assert(!core_effect(&k, HUB_FX_HELP), "a Delta has not passed: it is only slow");
    core_tick(&k, 250);
    late_vote(core_finalize(&a), 3);
    const struct hub_effect *fx = core_effect(&k, HUB_FX_HELP);
    cr_assert(fx && fx->peer == 3 && fx->first == 1);
    core_tick(&k, 249);
    late_vote(core_finalize(&a), 3);
    cr_assert(!core_effect(&k, HUB_FX_HELP));
    late_vote(core_finalize(&a), 2);
    cr_assert(core_effect(&k, HUB_FX_HELP), "each peer has its own allowance");
    core_tick(&k, 1);
    late_vote(core_nullify(1), 3);
    cr_assert(core_effect(&k, HUB_FX_HELP));
}

Test(repair, a_finalize_above_top_is_no_sign_of_lagging)
{
    struct hub_header_facts a = core_block(&k, 'a', 1, 'g', 0, 1);
    core_notarized(&k, &a);
    core_tick(&k, 1000);
    core_vote(&k, core_finalize(&a), 3);
    cr_assert(!core_effect(&k, HUB_FX_HELP));
    core_vote(&k, core_nullify(1), 3);
    cr_assert(core_effect(&k, HUB_FX_HELP));
}

/* ---- arithmetic of the quorum: arXiv 1901.07160 is about getting it wrong */

Test(quorum, intersects_in_more_than_the_faulty_for_every_n)
{
    for (uint32_t n = 1; n <= HUB_VALIDATORS_MAX; n++) {
        uint32_t q = hub_quorum_default((uint8_t)n), f = (n - 1) / 3;
        cr_assert_eq(q, n - f, "n %u", n);
        cr_assert_geq(2 * q - n, f + 1, "n %u: two quorums share an honest validator", n);
        cr_assert_leq(q, n - f, "n %u: the honest ones alone are a quorum", n);
    }
    cr_assert_eq(hub_quorum_default(6), 5, "not 2f + 1 = 3");
}
