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
