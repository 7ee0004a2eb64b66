/* What the core says it waits for, in each way a view can be stuck. Leader of view v is validator v mod 4; we are 0. */
#include "hub/waiting.h"

#include "tests/support/core.h"

#include <criterion/criterion.h>

static struct core k;
static struct hub_waiting w;

static void open(void)
{
    core_open(&k, 4, 3, 0);
}
TestSuite(waiting, .init = open);

static enum hub_waits look(void)
{
    hub_cons_waiting(&k.c, k.wall_ms, &w);
    return w.what;
}

Test(waiting, for_work_while_the_gate_is_closed)
{
    cr_assert_eq(look(), HUB_WAITS_WORK);
    cr_assert_eq(w.views, 1);
}

Test(waiting, for_the_leader_and_says_who_gave_up)
{
    core_gate(&k, true);
    core_tick(&k, 1500);
    core_vote(&k, core_nullify(1), 2);
    cr_assert_eq(look(), HUB_WAITS_PROPOSAL);
    cr_assert(w.view[0].view == 1 && w.view[0].leader == 1);
    cr_assert_eq(w.view[0].nullify, 1u << 2, "ours is not in the tally before its commit");
}

Test(waiting, for_our_own_proposal)
{
    for (uint64_t v = 1; v <= 3; v++)
        core_certify(&k, core_nullify(v));
    core_gate(&k, true);
    cr_assert_eq(k.c.view, 4);
    cr_assert_eq(look(), HUB_WAITS_OWN_PROPOSAL);
}

Test(waiting, for_votes_of_a_good_proposal)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_propose(&k, &b);
    core_vote(&k, core_notarize(&b), 1);
    cr_assert_eq(look(), HUB_WAITS_BLOCK);
    cr_assert(hub_hash_equal(&w.block, &b.hash) && w.holders == 1u << 1);
    core_verdict(&k, &b, true);
    cr_assert_eq(look(), HUB_WAITS_VOTES);
    cr_assert(w.view[0].notarize & 1u << 1);
    cr_assert_not(w.view[0].notarize & 1u << 3);
}

Test(waiting, for_the_clock)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_gate(&k, true);
    b.time_ms = k.wall_ms + 60000;
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    cr_assert_eq(look(), HUB_WAITS_CLOCK);
    cr_assert_eq(w.ahead_ms, 60000);
}

Test(waiting, for_certificates_the_proposal_stands_on)
{
    struct hub_header_facts b = core_block(&k, 'b', 3, 'p', 1, 2);
    core_gate(&k, true);
    core_certify(&k, core_nullify(2));
    cr_assert_eq(k.c.view, 3);
    core_propose(&k, &b);
    cr_assert_eq(look(), HUB_WAITS_CERTIFICATES);
    cr_assert(w.first == 1 && w.last == 1);
}

Test(waiting, for_a_certified_block_that_nobody_gave_us)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&b));
    core_tick(&k, 700);
    cr_assert_eq(look(), HUB_WAITS_BLOCK);
    cr_assert_eq(w.block_view, 1);
    cr_assert_eq(w.holders, 1u << 1 | 1u << 2 | 1u << 3);
    cr_assert_eq(k.now_ms - w.since_ms, 700);
}

Test(waiting, for_finalizes_of_a_notarized_view)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_notarized(&k, &b);
    core_vote(&k, core_finalize(&b), 2);
    look();
    cr_assert_eq(w.views, 2);
    cr_assert(w.view[0].view == 2 && w.view[1].view == 1 && w.view[1].certified);
    cr_assert(w.view[1].finalize & 1u << 2);
    cr_assert_not(w.view[1].finalize & 1u << 3);
}

Test(waiting, says_that_a_refused_proposal_is_none)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_propose(&k, &b);
    core_verdict(&k, &b, false);
    cr_assert_eq(look(), HUB_WAITS_REFUSED);
}

Test(waiting, says_when_voting_stopped_for_good)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&b));
    core_verdict(&k, &b, false);
    cr_assert_eq(look(), HUB_WAITS_HALTED);
}
