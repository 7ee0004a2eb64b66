/* scenarios_epoch.c: the set of validators changes under fire (docs/protocol.md 14): one validator's key is replaced
 * half-way; its node follows, and votes again once it runs with the new key. */
#include "scenario.h"

#include <string.h>

enum { REKEYED = 2, CRASH_POINTS = 120 };

static void new_set(struct sim_plan *p)
{
    p->records = 60;
    p->work_ms = 10000;
    p->rekeyed = REKEYED + 1;
    p->linger_ms = 10000;
}

static void lossy(struct sim_plan *p)
{
    new_set(p);
    p->loss = 200;
    p->duplicate = 100;
    p->jitter_ms = 100;
}

static void joiner(struct sim_plan *p)
{
    new_set(p);
    p->only = 1; /* records given to a node that is not there come too late */
    p->absent = 0;
}

static void all_crash(struct sim *s, uint32_t step)
{
    (void)step;
    for (uint8_t i = 0; i < s->plan.n; i++)
        if (s->node[i].up)
            sim_crash(&s->node[i], 200);
}

/* FINALIZEs are lost while the set changes: the SEAL becomes final by one over a TAIL. */
static bool no_direct_finality(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)from, (void)to;
    return s->now_ms >= 4500 && s->now_ms < 9500 &&
           (scenario_is_vote(m, HUB_FINALIZE) || scenario_is_certificate(m, HUB_FINALIZE));
}

/* A node crashes at each of its port calls while the set changes: between any two puts, commits and sends. */
static void crash_point(struct sim_plan *p, uint32_t number)
{
    const struct sim_fault crash = {SIM_CRASH, (uint8_t)(number % 4), 5050, 300, number};
    p->records = 20;
    p->linger_ms = 4000;
    scenario_fault(p, &crash);
}

static const char *set_is_new(struct sim *s)
{
    for (uint8_t i = 0; i < s->plan.n; i++) {
        const struct hub_replica *r = s->node[i].replica;
        if (r->chain.set.epoch != 1 || r->cons.cfg.epoch != 1)
            return "a node is not in the new epoch";
        if (r->cfg.me != i)
            return "a node is not the validator that it should be";
    }
    return s->node[REKEYED].new_key && s->node[REKEYED].replica->voting == HUB_VOTING_ALLOWED
               ? NULL
               : "the new key does not vote";
}

static const char *set_is_new_by_tail(struct sim *s)
{
    struct hub_link link;
    if (!hub_link_decode(&link, sim_journal_link(&s->node[0].journal, 1)))
        return "there is no link";
    return link.headers.n > 1 ? set_is_new(s) : "no TAIL was needed";
}

/* A validator that stays says again what it said in the epoch that is over, and forges the link. */
static void replayed(struct sim_plan *p)
{
    new_set(p);
    p->traitor[1] = sim_adversary_find("replayer");
    p->stubborn = true;
    p->absent = 0; /* and comes late, when links are all there is */
    p->only = 3;
}

/* ---- the quorum is lost for good, and a block was final, and told, by one of the lost alone */
enum { SURVIVORS = 2, TELLER = 3, GONE_MS = 6000, RECOVER_MS = 9000 };

static void half_is_lost(struct sim_plan *p)
{
    p->records = 40;
    p->work_ms = 12000;
    p->only = 1; /* of those that stay */
    p->linger_ms = 3000;
    p->ruin[0] = (struct sim_ruin){SURVIVORS, GONE_MS, RECOVER_MS};
}

static bool final_at_one(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    if (s->now_ms < 4000 || s->now_ms >= GONE_MS || to == TELLER)
        return false;
    return (from == TELLER && m->kind == HUB_MSG_BLOCK) || scenario_is_vote(m, HUB_FINALIZE) ||
           scenario_is_certificate(m, HUB_FINALIZE);
}

static void told_by_one(struct sim *s, uint32_t step)
{
    (void)step;
    for (uint8_t i = 0; i < SURVIVORS; i++)
        if (s->node[i].final_height >= s->node[TELLER].final_height)
            sim_fail(s, "node %u knows what only the lost one may", i);
}

/* Later, a block of the epoch that was left: the file is at hand no more. */
static void damaged_below(struct sim *s, uint32_t step)
{
    if (step == 0) {
        told_by_one(s, step);
        return;
    }
    s->recovery.given = 0;
    sim_journal_flip(&s->node[0].journal, 8 * 5);
    sim_crash(&s->node[0], 200);
}

/* That the blocks which the lost one told are those of the chain is checked at each height. */
static const char *rest_goes_on(struct sim *s)
{
    for (uint8_t i = 0; i < SURVIVORS; i++) {
        const struct hub_replica *r = s->node[i].replica;
        if (r->chain.set.epoch != 1 || r->chain.set.n != SURVIVORS)
            return "a node is not in the recovery epoch";
        if (r->voting != HUB_VOTING_ALLOWED)
            return "a node does not vote";
    }
    return NULL;
}

/* Seven, then four, then two; the second time before anything else happened, and when there was work. */
static void lost_again(struct sim_plan *p, uint32_t number)
{
    p->n = 7;
    p->ruin[0].survivors = 4;
    p->ruin[1] = (struct sim_ruin){SURVIVORS, number ? 11000 : RECOVER_MS + 320, 13000};
    p->heal_ms = 15000;
}

static const char *two_recoveries(struct sim *s)
{
    for (uint8_t i = 0; i < SURVIVORS; i++)
        if (s->node[i].replica->chain.set.epoch != 2 ||
            s->node[i].replica->voting != HUB_VOTING_ALLOWED)
            return "a node does not vote in the second recovery epoch";
    return NULL;
}

static void crash_while_recovering(struct sim_plan *p, uint32_t number)
{
    const struct sim_fault crash = {SIM_CRASH, (uint8_t)(number % SURVIVORS), RECOVER_MS + 300, 300,
                                    number / SURVIVORS};
    p->heal_ms = RECOVER_MS + 3000;
    scenario_fault(p, &crash);
}

static const struct scenario list[] = {
    {"new-set", new_set, NULL, NULL, {0}, set_is_new, 0, NULL},
    {"new-set-lossy", lossy, NULL, NULL, {0}, set_is_new, 0, NULL},
    {"new-set-joiner", joiner, NULL, NULL, {0}, set_is_new, 0, NULL},
    {"new-set-by-tail", new_set, no_direct_finality, NULL, {0}, set_is_new_by_tail, 0, NULL},
    {"new-set-restarts", new_set, NULL, all_crash, {4900, 5100, 5300, 7000}, set_is_new, 0, NULL},
    {"new-set-replayed", replayed, NULL, NULL, {0}, set_is_new, 0, NULL},
    {"recovery", half_is_lost, final_at_one, told_by_one, {GONE_MS - 1}, rest_goes_on, 0, NULL},
    {"recovery-twice", half_is_lost, NULL, NULL, {0}, two_recoveries, 2, lost_again},
    {"recovery-and-damage",
     half_is_lost,
     final_at_one,
     damaged_below,
     {GONE_MS - 1, 14000},
     rest_goes_on,
     0,
     NULL},
    {"recovery-crash-points",
     half_is_lost,
     final_at_one,
     told_by_one,
     {GONE_MS - 1},
     rest_goes_on,
     CRASH_POINTS,
     crash_while_recovering},
    {"new-set-crash-points", new_set, NULL, NULL, {0}, set_is_new, CRASH_POINTS, crash_point},
};
const struct scenarios sim_scenarios_epoch = {list, sizeof list / sizeof list[0]};
