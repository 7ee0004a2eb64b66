/* controls.c: guards taken away, one at a time, in the simulator only: by writing into the memory of running nodes, or
 * by a port that does less than it says. Each must be caught by the check that is there for it, within a few seeds:
 * a check that never fails shows nothing. */
#include "sim.h"

#include <string.h>

enum { SEEDS_MAX = 60 };
#define ASSERTED                                                                                   \
    "ended by signal 6" /* the core's own invariants: they stand before the first send */

/* ---- what is taken away */

static void forget_nullify(struct sim_node *n)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        n->replica->cons.views[i].did_nullify = false;
}

static void one_less(struct sim_node *n)
{
    uint8_t q = (uint8_t)(n->sim->world->genesis.set.q - 1);
    n->replica->cons.cfg.q = n->replica->chain.set.q = q;
}

/* Every view from 1 to far ahead counts as nullified. */
static void skip_freely(struct sim_node *n)
{
    struct hub_cons *c = &n->replica->cons;
    c->nullified[0] = (struct hub_range){c->top.view + 1, c->view > 1 ? c->view - 1 : 1};
    c->nullified_count = c->top.view + 1 < c->view;
}

static void vote_unasked(struct sim_node *n)
{
    if (n->replica->voting == HUB_VOTING_ALLOWED || n->replica->cons.halted)
        return;
    n->replica->voting = HUB_VOTING_ALLOWED;
    n->replica->cons.allowed = true;
    n->replica->permit.why = HUB_ABSTAIN_NOT;
    n->replica->permit.halt.why = HUB_ABSTAIN_NOT;
}

static void go_on(struct sim_node *n)
{
    n->replica->failure = HUB_OK;
}

/* The last final block is lost from the index of heights. */
static void lose_final(struct sim_node *n)
{
    struct sim_journal *j = &n->journal;
    if (j->now.heights > 8)
        memset(&j->height[j->now.heights - 1], 0, sizeof j->height[0]);
}

/* ---- in what world */

static void liars(struct sim_plan *p, const char *name, uint8_t count)
{
    memset(p->traitor, 0, sizeof p->traitor);
    p->faults = 0;
    p->n = 4;
    p->absent = -1;
    p->safety_only = true;
    for (uint8_t i = 0; i < count; i++)
        p->traitor[i] = sim_adversary_find(name);
}

static void plain(struct sim_plan *p)
{
    (void)p;
}

static void equivocators(struct sim_plan *p)
{
    liars(p, "equivocator", 1);
}

static void skippers(struct sim_plan *p)
{
    liars(p, "skipper", 1);
}

static void impostors(struct sim_plan *p)
{
    liars(p, "corrupt_signature", 1);
}

static void losers(struct sim_plan *p)
{
    liars(p, NULL, 0);
    for (uint8_t i = 0; i < 40; i++)
        p->fault[p->faults++] =
            (struct sim_fault){SIM_REWIND, i % p->n, 2000u + i * 500u, 60, -900};
}

static void failing_disks(struct sim_plan *p)
{
    liars(p, NULL, 0);
    for (uint8_t i = 0; i < 40; i++)
        p->fault[p->faults++] =
            (struct sim_fault){SIM_ERROR, i % p->n, 2000u + i * 500u, 60, i % 7};
}

/* Each hears one other at most. */
static void deaf_clones(struct sim_plan *p)
{
    liars(p, NULL, 0);
    p->fault[p->faults++] = (struct sim_fault){SIM_CLONE, 1, 3000, 500, 1};
}

static const struct sim_control controls[] = {
    {"nullify-then-finalize",
     "rule F without `no own NULLIFY`, and the journal's own refusal",
     plain,
     forget_nullify,
     {.rules = true},
     ASSERTED},
    {"quorum-less-one",
     "a vote fewer than the epoch's quorum",
     equivocators,
     one_less,
     {0},
     "certificates_are_valid"},
    {"skip-unproven",
     "rule N without the NULLIFICATIONs of skipped views",
     skippers,
     skip_freely,
     {0},
     ""},
    {"votes-unasked",
     "neither guard nor peers are asked before a vote",
     losers,
     vote_unasked,
     {.forgiven = true},
     "signed"},
    {"clone-votes-unasked",
     "the same, of a copy that hears one other",
     deaf_clones,
     vote_unasked,
     {0},
     "the clone of node 1 votes"},
    {"not-durable",
     "commit returns before anything is written",
     plain,
     NULL,
     {.commit = true},
     "not durable"},
    {"goes-on",
     "a failed store does not end the process",
     failing_disks,
     go_on,
     {0},
     "after its disk failed"},
    {"signatures-unchecked",
     "every signature is taken for good",
     impostors,
     NULL,
     {.signatures = true},
     "bad certificate"},
    {"final-lost",
     "the newest final block vanishes from the store",
     plain,
     lose_final,
     {0},
     "lacks final block"},
};

static bool is_caught(const struct sim_control *c)
{
    static struct sim_plan plan;
    struct sim_result r = {.good = true};
    for (uint64_t seed = 1; seed <= SEEDS_MAX; seed++) {
        sim_plan_of(&plan, seed);
        plan.real_signatures = false;
        c->plan(&plan);
        plan.control = c;
        sim_try_apart(&r, seed, &plan);
        if (r.good)
            continue;
        bool good = strstr(r.why, c->caught) != NULL;
        printf("control %s (%s): seed %llu, %s%s\n", c->name, c->removed, (unsigned long long)seed,
               good ? "" : "CAUGHT BY ANOTHER CHECK: ", r.why);
        return good;
    }
    printf("control %s (%s): NOT CAUGHT in %d seeds\n", c->name, c->removed, SEEDS_MAX);
    return false;
}

bool sim_controls(void)
{
    bool good = true;
    for (size_t i = 0; i < sizeof controls / sizeof controls[0]; i++)
        good = is_caught(&controls[i]) && good;
    fflush(stdout);
    return good;
}

void sim_tamper(struct sim_node *n)
{
    const struct sim_control *c = n->sim->plan.control;
    sim_unchecked_signatures = c && c->off.signatures;
    if (c && c->tamper && !n->sim->plan.traitor[n->index])
        c->tamper(n);
}

bool sim_guard_off(const struct sim *s, enum sim_guard_kind which)
{
    const struct sim_control *c = s->plan.control;
    if (!c)
        return false;
    return which == SIM_RULES    ? c->off.rules
           : which == SIM_COMMIT ? c->off.commit
                                 : c->off.forgiven;
}
