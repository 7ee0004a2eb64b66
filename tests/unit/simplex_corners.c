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
