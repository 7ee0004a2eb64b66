/* The words an operator reads when the network stands still: each way to be stuck, and the names, numbers and remedies
 * that must be in the sentence, in both languages. Core and node state are set by hand; this node is XIANGCHENG (0). */
#include "node/clock.h"
#include "node/node.h"

#include "tests/support/core.h"
#include "tests/support/net.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1000000, HEARD = NOW - 500 };

static struct hub_node n;
static struct core k;
static struct hub_standing s;
static struct net *net;

static void open(void)
{
    static const char *const address[4] = {"", "tcp://10.0.0.2:7400", "tcp://10.0.0.3:7400",
                                           "tcp://10.0.0.4:7400"};
    memset(&n, 0, sizeof n);
    net = net_open(NULL, NULL);
    n.replica = calloc(1, sizeof *n.replica);
    cr_assert_not_null(n.replica);
    n.replica->chain = *net->chain;
    strcpy(n.replica->chain.set.v[2].member, "JIADING"); /* in no row: shown by its code */
    strcpy(n.replica->chain.set.v[3].member, "HONGQIAO");
    n.started_ms = 1;
    strcpy(n.cfg.data, "/var/lib/hub");
    core_prepare(&k, 4, 3, 0);
    k.now_ms = NOW - 20000;
    core_start(&k);
    for (int i = 0; i < 4; i++)
        n.facts.link[i] = (struct hub_link_fact){
            .since_ms = 1000, .seen_ms = i ? HEARD : 0, .address = address[i], .up = true};
}
TestSuite(standing, .init = open);

static void look(void)
{
    n.replica->cons = k.c;
    hub_standing_of(&s, &n, NOW);
}

static void stand_still(void)
{
    n.facts.work_since_ms = NOW - 14000;
    look();
}

static void is_silent(int i)
{
    n.facts.link[i].seen_ms = NOW - 40000;
    n.facts.link[i].since_ms = NOW - 29000;
}

static const struct hub_cause *cause_of(const char *code)
{
    for (uint32_t i = 0; i < s.causes; i++)
        if (!strcmp(s.cause[i].code, code))
            return &s.cause[i];
    cr_assert_fail("no cause %s; %u causes, first %s", code, s.causes,
                   s.causes ? s.cause[0].en : "none");
    return NULL;
}

#define SAYS(text, words) cr_assert_not_null(strstr(text, words), "'%s' not in: %s", words, text)

Test(standing, is_in_order_when_nothing_is_in_the_way)
{
    look();
    cr_assert_eq(s.state, HUB_STANDING_OK);
    cr_assert_eq(s.causes, 0, "%s", s.cause[0].en);
}

Test(standing, names_a_dead_leader_and_where_it_lives)
{
    is_silent(1);
    core_gate(&k, true);
    core_vote(&k, core_nullify(1), 2);
    stand_still();
    const struct hub_cause *c = cause_of("waits_for_leader");
    cr_assert_eq(s.state, HUB_STANDING_STUCK);
    SAYS(c->en, "Nothing became final for 14 s, view 1: the leader CHANGNING (1) has not proposed");
    SAYS(c->en, "heard last 40 s ago");
    SAYS(c->en, "NULLIFY from JIADING (2)");
    SAYS(c->en, "3 of one kind are needed");
    SAYS(c->en, "10.0.0.2:7400");
    SAYS(c->zh, "提议者长宁区（1）尚未提议");
    SAYS(c->zh, "作废票：JIADING（2）");
    cr_assert(cause_of("peer_silent")->notice, "a quorum is heard");
}

Test(standing, counts_and_names_what_a_quorum_lacks)
{
    is_silent(1);
    is_silent(3);
    n.facts.link[3].seen_ms = 0;
    core_gate(&k, true);
    stand_still();
    const struct hub_cause *c = cause_of("no_quorum");
    cr_assert_eq(s.state, HUB_STANDING_NO_QUORUM);
    cr_assert_not(c->notice);
    SAYS(c->en, "2 of 4 validators are heard, 3 are needed");
    SAYS(c->en, "CHANGNING (1), heard last 40 s ago");
    SAYS(c->en, "HONGQIAO (3), never heard");
    SAYS(c->en, "10.0.0.2:7400, tcp://10.0.0.4:7400");
    SAYS(c->zh, "能收到 2 / 4 个共识节点的消息，至少需要 3 个");
    cr_assert_geq(c->since_ms, 29000u);
}

Test(standing, a_node_cut_off_hears_nobody)
{
    for (int i = 1; i < 4; i++)
        is_silent(i);
    look();
    cr_assert_eq(s.state, HUB_STANDING_NO_QUORUM);
    SAYS(cause_of("no_quorum")->en, "1 of 4 validators are heard, 3 are needed");
}

Test(standing, tells_validators_that_are_heard_but_do_not_vote)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_gate(&k, true);
    core_propose(&k, &b);
    core_vote(&k, core_notarize(&b), 1);
    core_verdict(&k, &b, true);
    stand_still();
    const struct hub_cause *c = cause_of("waits_for_votes");
    SAYS(c->en, "NOTARIZE from CHANGNING (1)");
    SAYS(c->en, "no vote from XIANGCHENG (0), JIADING (2), HONGQIAO (3)");
    SAYS(c->en, "Those that are heard but do not vote");
    SAYS(c->zh, "能收到消息却不投票的节点");
}

Test(standing, names_the_missing_finalizes_of_a_notarized_view)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_notarized(&k, &b);
    core_vote(&k, core_finalize(&b), 2);
    stand_still();
    const struct hub_cause *c = &s.cause[0];
    SAYS(c->en, "view 1");
    SAYS(c->en, "notarized; FINALIZE from JIADING (2)");
    SAYS(c->en, "no vote from XIANGCHENG (0), CHANGNING (1), HONGQIAO (3)");
}

Test(standing, names_the_missing_block_and_who_has_it)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&b));
    stand_still();
    const struct hub_cause *c = cause_of("waits_for_block");
    SAYS(c->en, "of view 1, or one below it, is not here");
    SAYS(c->en, "asked of CHANGNING (1), JIADING (2), HONGQIAO (3)");
    SAYS(c->en, "Whoever has it must be reachable.");
    SAYS(c->zh, "缺少视图 1 的区块");
    cr_assert_null(strstr(c->en, "no vote from"));
}

Test(standing, sends_the_operator_to_those_who_have_the_missing_block)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_certify(&k, core_notarize(&b));
    for (int i = 1; i < 4; i++)
        is_silent(i);
    stand_still();
    SAYS(cause_of("waits_for_block")->en,
         "Check those nodes and the links to tcp://10.0.0.2:7400, tcp://10.0.0.3:7400, "
         "tcp://10.0.0.4:7400.");
}

Test(standing, names_the_missing_certificates)
{
    struct hub_header_facts b = core_block(&k, 'b', 3, 'p', 1, 2);
    core_gate(&k, true);
    core_certify(&k, core_nullify(2));
    core_propose(&k, &b);
    stand_still();
    SAYS(cause_of("waits_for_certificates")->en, "views 1 to 1, of which no certificate is here");
}

Test(standing, tells_a_wrong_clock)
{
    struct hub_header_facts b = core_block(&k, 'b', 1, 'g', 0, 1);
    core_gate(&k, true);
    b.time_ms = UINT64_C(1) << 45; /* in the year 3084 by any clock that runs this */
    core_propose(&k, &b);
    core_verdict(&k, &b, true);
    stand_still();
    const struct hub_cause *c = cause_of("clock");
    SAYS(c->en, "the block of CHANGNING (1) is ");
    SAYS(c->en, "ahead of this machine's clock; set both clocks");
    SAYS(c->zh, "请校准两台机器的时钟");
}

Test(standing, tells_a_full_disk_first)
{
    n.disk = HUB_DISK_NO_PROPOSALS;
    n.facts.disk_since_ms = NOW - 12000;
    is_silent(1);
    look();
    cr_assert_eq(s.state, HUB_STANDING_DISK_LOW);
    cr_assert_str_eq(s.cause[0].code, "disk_low");
    SAYS(s.cause[0].en, "/var/lib/hub is nearly full: this node proposes no blocks, for 12 s now. "
                        "Free space");
    cr_assert_eq(s.cause[0].since_ms, 12000u);
    SAYS(s.cause[0].zh, "请释放空间");
}

/* Three blocks of others became final: by them this machine's clock was `behind_s` behind (ahead: < 0). */
static void clock_is(int64_t behind_s)
{
    for (int i = 0; i < HUB_CLOCK_LOOKS; i++)
        n.facts.clock.told_ms[i] =
            (int64_t)hub_clock_wall_ms() - NOW + 1000 * behind_s - 1000 * i + 500;
    n.facts.clock.looks = HUB_CLOCK_LOOKS;
    n.facts.clock.since_ms = NOW - 7000;
}

Test(standing, tells_that_this_machines_clock_is_wrong)
{
    clock_is(3600);
    look();
    cr_assert_eq(s.state, HUB_STANDING_CLOCK);
    const struct hub_cause *c = cause_of("clock_wrong");
    cr_assert_not(c->notice);
    SAYS(c->en, "clock is 3600 s behind the other validators', noticed 7 s ago");
    SAYS(c->en, "cannot vote for their blocks. Set it (chronyd)");
    SAYS(c->zh, "慢 3600 秒（7 秒前发现）：本节点无法为其他节点的区块投票");
    clock_is(-3600);
    look();
    SAYS(cause_of("clock_wrong")->en, "clock is 3599 s ahead of the other validators'");
    SAYS(cause_of("clock_wrong")->zh, "快 3599 秒");
}

Test(standing, says_nothing_of_a_clock_that_is_right_or_not_known)
{
    static const int64_t right[] = {0, 4, -58}; /* bounds: 5 s behind, 60 s ahead */
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        clock_is(right[i]);
        look();
        cr_assert_eq(s.state, HUB_STANDING_OK, "%d s", (int)right[i]);
    }
    clock_is(3600);
    n.facts.clock.looks = HUB_CLOCK_LOOKS - 1;
    look();
    cr_assert_eq(s.state, HUB_STANDING_OK, "two looks are too few");
}

Test(standing, names_a_leader_whose_clock_is_ahead)
{
    n.facts.fast.leader = 1;
    n.facts.fast.since_ms = NOW - 9000;
    n.facts.fast.seen_ms = NOW - 2000;
    n.facts.fast.ahead_ms = 3600000;
    look();
    cr_assert_eq(s.state, HUB_STANDING_OK);
    const struct hub_cause *c = cause_of("clock_of_peer");
    cr_assert(c->notice);
    SAYS(c->en,
         "The clock of CHANGNING (1) is 3600 s ahead of this machine's clock, noticed 9 s ago");
    SAYS(c->zh, "长宁区（1）的时钟比本机快 3600 秒");
    n.facts.fast.seen_ms = NOW - 61000;
    look();
    cr_assert_eq(s.causes, 0, "it was long ago");
}

Test(standing, an_observer_is_no_problem_and_a_halted_validator_is)
{
    n.replica->permit.why = HUB_ABSTAIN_OBSERVER;
    look();
    cr_assert(s.state == HUB_STANDING_OK && cause_of("observer")->notice);
    n.replica->permit.why = HUB_ABSTAIN_BREAKER;
    look();
    cr_assert_eq(s.state, HUB_STANDING_NOT_VOTING);
    cr_assert_not(s.cause[0].notice);
}

Test(standing, names_the_heights_of_a_node_that_catches_up)
{
    n.replica->sync.active = true;
    n.replica->peer[2].fin.height = 812;
    look();
    cr_assert_eq(s.state, HUB_STANDING_SYNCING);
    SAYS(s.cause[0].en, "height 0 of 812");
}

Test(standing, cuts_a_long_sentence_between_characters)
{
    for (int i = 0; i < 4; i++) {
        static char address[3000];
        memset(address, 'x', sizeof address - 1);
        n.facts.link[i].address = address;
        is_silent(i);
    }
    look();
    const char *zh = cause_of("no_quorum")->zh;
    cr_assert_lt(strlen(zh), (size_t)HUB_CAUSE_BYTES);
    cr_assert(hub_text_ok(hub_text_span(zh)), "valid UTF-8");
}
