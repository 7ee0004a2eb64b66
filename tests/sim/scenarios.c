/* scenarios.c: lock-ups that others had, or that exhaustive search found, replayed with a script: which frames
 * are lost until when, who crashes. Each must end with every record final on every node; the checkers of
 * checker.c hold throughout. Numbers refer to docs/protocol.md. */
#include "scenario.h"

#include <string.h>

uint8_t scenario_leader(const struct sim *s, uint64_t view)
{
    uint8_t n = s->plan.n;
    return (uint8_t)((hub_get_be64(s->world->genesis.chain.b) % n + view) % n);
}

uint8_t scenario_other(const struct sim *s, uint64_t view, uint8_t number)
{
    return (uint8_t)((scenario_leader(s, view) + number) % s->plan.n);
}

bool scenario_is_vote(const struct hub_message *m, uint8_t kind)
{
    return m->kind == HUB_MSG_VOTE && m->u.vote.subject.kind == kind;
}

bool scenario_is_certificate(const struct hub_message *m, uint8_t kind)
{
    struct hub_certificate c;
    return m->kind == HUB_MSG_CERT && hub_certificate_decode(&c, m->u.certificate) &&
           c.subject.kind == kind;
}

void scenario_fault(struct sim_plan *p, const struct sim_fault *f)
{
    HUB_ASSERT(p->faults < SIM_FAULTS_MAX);
    p->fault[p->faults++] = *f;
}

static void calm(struct sim_plan *p)
{
    *p = (struct sim_plan){.n = 4,
                           .delay_ms = 30,
                           .only = -1,
                           .absent = -1,
                           .work_ms = 4000,
                           .heal_ms = 12000,
                           .limit_ms = 90000};
}

void scenario_single(struct sim_plan *p)
{
    p->records = 1;
}

/* ---- 2.4: an equivocating leader and one proposal slot stop four nodes for ever. The victim sees face one, the
 * others make face two certain; then the traitor is gone and the victim is needed for every quorum. */
static void two_faces(struct sim_plan *p)
{
    p->traitor[0] = sim_adversary_find("equivocator"); /* moved to the leader when it is known */
}
static void traitor_leaves(struct sim *s, uint32_t step)
{
    struct sim_node *n = &s->node[scenario_leader(s, 1)];
    if (step == 0) {
        s->node[0].faulty = false;
        s->plan.traitor[0] = NULL;
        s->plan.traitor[n->index] = sim_adversary_find("equivocator");
        n->faulty = true;
        s->faces = ~((uint64_t)1 << scenario_other(s, 1, 1));
    } else if (n->up) {
        n->gone = true;
        sim_node_down(n);
    }
}
static const char *three_voted(struct sim *s)
{
    return s->checker.evidence ? NULL : "nobody noticed the leader's two faces";
}

/* ---- 2.11: one node alone has work; records are never forwarded. */
static void alone(struct sim_plan *p)
{
    p->records = 1;
    p->only = 0;
}
static bool no_records(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)s, (void)from, (void)to;
    return m->kind == HUB_MSG_RECORDS;
}

/* ---- 2.11: an idle ledger does not grow: one record, exactly one block. */
static void one_block(struct sim_plan *p)
{
    p->records = 1;
    p->heal_ms = 1000;
    p->linger_ms = 12000; /* below the heartbeat */
}
static const char *height_is_one(struct sim *s)
{
    return s->checker.top == 1 ? NULL : "one record made more than one block";
}

/* ---- 5.1 and 5.5: one node sees nothing of view 1 and nullifies it, then hears of its notarization. It must
 * go on, and must not finalize what it nullified; the checker watches every resend. */
static bool blind(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)from;
    bool news = m->kind == HUB_MSG_PROPOSE || m->kind == HUB_MSG_CERT || m->kind == HUB_MSG_BLOCK ||
                scenario_is_vote(m, HUB_NOTARIZE) || scenario_is_vote(m, HUB_FINALIZE);
    return s->now_ms < 7000 && to == scenario_other(s, 1, 2) && news;
}

/* ---- 5.3: half the nodes leave a view by notarization, half by nullification. */
static bool two_exits(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    bool upper = to >= 2;
    (void)from;
    if (s->now_ms >= 12000)
        return false;
    if (m->kind == HUB_MSG_CERT)
        return true;
    if (s->now_ms < 5000) /* everybody nullifies first */
        return scenario_is_vote(m, HUB_NOTARIZE) || scenario_is_vote(m, HUB_NULLIFY);
    return upper ? scenario_is_vote(m, HUB_NOTARIZE) : scenario_is_vote(m, HUB_NULLIFY);
}

/* ---- 5.4: all crash after journalling NULLIFY; nobody heard any. */
static bool no_proposals(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)from, (void)to;
    return s->now_ms < 6000 && (m->kind == HUB_MSG_PROPOSE || scenario_is_vote(m, HUB_NULLIFY));
}
static void all_crash(struct sim *s, uint32_t step)
{
    (void)step;
    for (uint8_t i = 0; i < s->plan.n; i++)
        if (s->node[i].up)
            sim_crash(&s->node[i], 200);
}

/* ---- 5.10: every finalize vote of the last record on a quiet chain is lost. */
static bool no_finality(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)from, (void)to;
    return s->now_ms < 4000 &&
           (scenario_is_vote(m, HUB_FINALIZE) || scenario_is_certificate(m, HUB_FINALIZE));
}

/* ---- 5.13: a node that was never there joins a grown chain; one with a wiped disk follows and never votes. */
static void late_joiner(struct sim_plan *p)
{
    p->records = 400; /* more blocks than bodies fit in memory: only by height will do */
    p->work_ms = 40000;
    p->heal_ms = 41000;
    p->absent = 3;
}
enum { LOSER = 2 };
static void grow_and_lose(struct sim_plan *p, enum sim_fault_kind kind)
{
    p->records = 60;
    p->work_ms = 10000;
    p->fault[p->faults++] = (struct sim_fault){kind, LOSER, 7000, 500, 3000};
}
static void wiped(struct sim_plan *p)
{
    grow_and_lose(p, SIM_WIPE);
}
static void rewound(struct sim_plan *p)
{
    grow_and_lose(p, SIM_REWIND);
}
static const char *loser_is_observer(struct sim *s)
{
    return s->node[LOSER].replica->voting == HUB_VOTING_FORBIDDEN
               ? NULL
               : "a node that lost its journal votes again";
}

/* ---- a block that only its leader holds is fetched by hash from those who voted for it. */
static bool one_reader(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)from;
    return s->now_ms < 10000 && m->kind == HUB_MSG_PROPOSE && to == scenario_other(s, 1, 3);
}

/* ---- a dead validator, q left: every fourth view is skipped. */
static void one_down(struct sim_plan *p)
{
    p->records = 40;
    p->work_ms = 10000;
}
static void lose_one(struct sim *s, uint32_t step)
{
    (void)step;
    s->node[1].gone = true;
    sim_node_down(&s->node[1]);
}

/* ---- everybody restarts at once, again and again, with records under way. */
static void restarts(struct sim_plan *p)
{
    p->records = 40;
    p->work_ms = 10000;
}

static const struct scenario scenarios[] = {
    {"equivocator-one-slot", two_faces, NULL, traitor_leaves, {1, 2500}, three_voted, 0, NULL},
    {"alone-with-work", alone, no_records, NULL, {0}, NULL, 0, NULL},
    {"one-record-one-block", one_block, NULL, NULL, {0}, height_is_one, 0, NULL},
    {"late-notarization", scenario_single, blind, NULL, {0}, NULL, 0, NULL},
    {"two-exits", scenario_single, two_exits, NULL, {0}, NULL, 0, NULL},
    {"all-crash-after-nullify", scenario_single, no_proposals, all_crash, {6000}, NULL, 0, NULL},
    {"quiet-chain", scenario_single, no_finality, NULL, {0}, NULL, 0, NULL},
    {"late-joiner", late_joiner, NULL, NULL, {0}, NULL, 0, NULL},
    {"wiped-disk", wiped, NULL, NULL, {0}, loser_is_observer, 0, NULL},
    {"rewound-disk", rewound, NULL, NULL, {0}, loser_is_observer, 0, NULL},
    {"fetch-by-hash", restarts, one_reader, NULL, {0}, NULL, 0, NULL},
    {"one-down", one_down, NULL, lose_one, {2000}, NULL, 0, NULL},
    {"rolling-restarts", restarts, NULL, all_crash, {3000, 5000, 7000, 9000}, NULL, 0, NULL},
};

static bool run(const struct scenario *sc, uint32_t number, bool real_pool, bool trace)
{
    static struct sim s;
    struct sim_plan plan;
    calm(&plan);
    sc->set_up(&plan);
    if (sc->vary)
        sc->vary(&plan, number);
    plan.real_pool = real_pool;
    sim_open(&s, 7, &plan);
    s.trace = trace;
    s.lose = sc->lose;
    s.script = sc->script;
    for (uint32_t i = 0; i < 4 && sc->step_ms[i]; i++)
        sim_push(&s,
                 &(struct sim_event){.time_ms = sc->step_ms[i], .kind = SIM_SCRIPT, .record = i});
    bool good = sim_run(&s);
    const char *wrong = good && sc->verify ? sc->verify(&s) : NULL;
    if (wrong)
        sim_fail(&s, "%s", wrong);
    if (s.failed || number + 1 >= sc->runs)
        printf("scenario %s%s, run %u: %s at %llu ms, height %llu\n", sc->name,
               real_pool ? ", real pool" : "", number + 1, s.failed ? s.why : "ok",
               (unsigned long long)s.now_ms, (unsigned long long)s.checker.top);
    fflush(stdout);
    sim_close(&s);
    return !s.failed;
}

static bool run_all(const struct scenario *sc, bool trace)
{
    bool good = true;
    for (uint32_t i = 0; i < (sc->runs ? sc->runs : 1); i++) {
        good = run(sc, i, false, trace) && good;
        if (!sc->runs)
            good = run(sc, i, true, trace) && good;
    }
    return good;
}

bool sim_scenarios(const char *name, bool trace)
{
    const struct scenarios all[] = {{scenarios, sizeof scenarios / sizeof scenarios[0]},
                                    sim_scenarios_repair,
                                    sim_scenarios_field,
                                    sim_scenarios_epoch};
    bool good = true, found = false;
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        for (size_t i = 0; i < all[k].count; i++)
            if (!name || !strcmp(name, all[k].list[i].name)) {
                found = true;
                good = run_all(&all[k].list[i], trace) && good;
            }
    if (!found)
        printf("no scenario %s\n", name);
    return good && found;
}
