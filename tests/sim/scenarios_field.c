/* scenarios_field.c: what the test suites of other consensus engines try, replayed on our nodes. Names in brackets
 * are theirs. */
#include "scenario.h"

static void work(struct sim_plan *p, uint32_t records)
{
    p->records = records;
    p->work_ms = 12000;
    p->heal_ms = 13000;
}

/* ---- rolling restarts of five nodes, one at a time, each as soon as the last is back [commonware hailstorm] */
static void five(struct sim_plan *p)
{
    work(p, 60);
    p->n = 5;
    for (uint32_t i = 0; i < 30; i++)
        scenario_fault(p, &(struct sim_fault){SIM_CRASH, (uint8_t)(i % 5), 1000 + 400 * i, 350, i});
}

/* ---- whoever leads is killed, again and again [TON always-kill-leader] */
static void calm_work(struct sim_plan *p)
{
    work(p, 40);
}

static void kill_leader(struct sim *s, uint32_t step)
{
    uint64_t view = 1;
    for (uint8_t i = 0; i < s->plan.n; i++)
        if (s->node[i].up && s->node[i].replica->cons.view > view)
            view = s->node[i].replica->cons.view;
    struct sim_node *n = &s->node[scenario_leader(s, view)];
    bool all_up = true;
    for (uint8_t i = 0; i < s->plan.n; i++)
        all_up = all_up && s->node[i].up;
    if (all_up)
        sim_crash(n, 300);
    if (s->now_ms < s->plan.heal_ms)
        sim_push(
            s, &(struct sim_event){.time_ms = s->now_ms + 250, .kind = SIM_SCRIPT, .record = step});
}

/* ---- one node after the other loses all its links for a second [TON net gremlin] */
static void net_gremlin(struct sim_plan *p)
{
    work(p, 40);
    for (uint32_t i = 0; i < 24; i++) {
        uint8_t node = (uint8_t)(i * 7 % 4);
        scenario_fault(p, &(struct sim_fault){SIM_SPLIT, node, 800 + 450 * i, 1000,
                                              sim_split_of(SIM_BOTH_WAYS, (uint64_t)1 << node)});
    }
}

/* ---- a disk, a link and an application that are slow [commonware slow_validator; TON DB delay, slow validation] */
static void slow_disk(struct sim_plan *p)
{
    work(p, 40);
    scenario_fault(p, &(struct sim_fault){SIM_SLOW, 1, 500, 12000, 700});
}

static void slow_disks(struct sim_plan *p)
{
    work(p, 40);
    scenario_fault(p, &(struct sim_fault){SIM_SLOW, SIM_ALL, 500, 12000, 250});
}

static void slow_application(struct sim_plan *p)
{
    work(p, 40);
    scenario_fault(p, &(struct sim_fault){SIM_APP, SIM_ALL, 500, 12000, 500});
}

/* Two of four take longer than a view lasts: nothing can be notarized until time-outs have grown enough. */
static void very_slow_application(struct sim_plan *p)
{
    work(p, 10);
    scenario_fault(p, &(struct sim_fault){SIM_APP, 0, 500, 60000, 3500});
    scenario_fault(p, &(struct sim_fault){SIM_APP, 1, 500, 60000, 3500});
    p->heal_ms = 60000;
    p->limit_ms = 120000;
}

static const char *final_while_slow(struct sim *s)
{
    return s->node[2].final_height && s->progress_view && s->done_ms <= s->plan.heal_ms + 1000
               ? NULL
               : "nothing became final before the application was fast again";
}

/* ---- an application that answers nothing, gives the leader nothing, or errs [commonware mocks::application] */
static void hanging(struct sim_plan *p)
{
    work(p, 40);
    scenario_fault(p, &(struct sim_fault){SIM_APP, 2, 500, 12000, 20000});
    scenario_fault(p, &(struct sim_fault){SIM_CRASH, 2, 12500, 300, 0});
}

static void empty_handed(struct sim_plan *p)
{
    work(p, 40);
    scenario_fault(p, &(struct sim_fault){SIM_APP, 1, 500, 12000, SIM_APP_NOTHING});
}

static void refusing(struct sim_plan *p)
{
    work(p, 40);
    scenario_fault(p, &(struct sim_fault){SIM_APP, 3, 3000, SIM_NEVER / 2, SIM_APP_REFUSES});
}
static void retire(struct sim *s,
                   uint32_t step) /* it cannot follow any more, and is not waited for */
{
    struct sim_node *n = &s->node[3];
    (void)step;
    if (!n->replica->cons.alarmed)
        sim_fail(s, "a node whose application errs does not raise the alarm");
    n->gone = true;
    sim_node_down(n);
}

/* ---- everything at once [commonware survives_burst] */
static void burst(struct sim_plan *p)
{
    p->records = 500;
    p->work_ms = 2100;
}

/* ---- a newcomer asks, and one of those it asks lies [Avalanche replication against an adversarial node] */
static void newcomer_among_liars(struct sim_plan *p)
{
    p->records = 200;
    p->work_ms = 20000;
    p->heal_ms = 21000;
    p->absent = 3;
    p->traitor[1] = sim_adversary_find("lying_syncer");
    p->stubborn = true;
}

/* ---- a crash at each port call from the start: before and after every put, commit and send of a whole block's life
 * [CometBFT TestWALCrash; Avalanche WAL recovery at each record] */
static void short_life(struct sim_plan *p)
{
    p->records = 4;
    p->work_ms = 2100;
    p->heal_ms = 4000;
}

static uint8_t first_leader(const struct sim_plan *p)
{
    const struct sim_world *w = sim_world_get(p->n, p->n, false);
    return (uint8_t)((hub_get_be64(w->genesis.chain.b) % p->n + 1) % p->n);
}

static void crash_leader_at(struct sim_plan *p, uint32_t run)
{
    scenario_fault(p, &(struct sim_fault){SIM_CRASH, first_leader(p), 600, 200, run});
}

static void crash_voter_at(struct sim_plan *p, uint32_t run)
{
    uint8_t voter = (uint8_t)((first_leader(p) + 1) % p->n);
    scenario_fault(p, &(struct sim_fault){SIM_CRASH, voter, 600, 200, run});
}

static void crash_all_at(struct sim_plan *p, uint32_t run)
{
    scenario_fault(p, &(struct sim_fault){SIM_CRASH, SIM_ALL, 600, 200, run});
}

static const struct scenario list[] = {
    {.name = "hailstorm", .set_up = five},
    {.name = "kill-the-leader", .set_up = calm_work, .script = kill_leader, .step_ms = {1500}},
    {.name = "net-gremlin", .set_up = net_gremlin},
    {.name = "slow-disk", .set_up = slow_disk},
    {.name = "slow-disks", .set_up = slow_disks},
    {.name = "slow-application", .set_up = slow_application},
    {.name = "very-slow-application", .set_up = very_slow_application, .verify = final_while_slow},
    {.name = "application-hangs", .set_up = hanging},
    {.name = "application-empty-handed", .set_up = empty_handed},
    {.name = "application-errs", .set_up = refusing, .script = retire, .step_ms = {11000}},
    {.name = "burst", .set_up = burst},
    {.name = "newcomer-among-liars", .set_up = newcomer_among_liars},
    {.name = "crash-leader-at-each-call",
     .set_up = short_life,
     .vary = crash_leader_at,
     .runs = 120},
    {.name = "crash-voter-at-each-call", .set_up = short_life, .vary = crash_voter_at, .runs = 120},
    {.name = "crash-all-at-each-call", .set_up = short_life, .vary = crash_all_at, .runs = 120},
};
const struct scenarios sim_scenarios_field = {list, sizeof list / sizeof list[0]};
