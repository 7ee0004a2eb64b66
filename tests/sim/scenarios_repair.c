/* scenarios_repair.c: a gap that one path alone can close, because all the others are cut for good. The path taken
 * away, the scenario fails; elsewhere the paths stand in for each other. */
#include "scenario.h"

/* ---- HELP: a node that missed the end of a quiet chain votes on for its view; the answer to that late vote is all
 * that can reach it. It hears no STATUS, its questions by view and height are lost, the others are at rest. */
static void short_run(struct sim_plan *p)
{
    p->records = 1;
    p->heal_ms = 5000;
    p->limit_ms = 15000; /* before the heartbeat's block would bring its certificates */
}

static bool only_help(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    uint8_t victim = scenario_other(s, 1, 2);
    if (from == victim)
        return m->kind == HUB_MSG_GET_CERTS || m->kind == HUB_MSG_GET_BLOCKS;
    if (to != victim)
        return false;
    return m->kind == HUB_MSG_STATUS || (s->now_ms < 4000 && m->kind != HUB_MSG_PROPOSE);
}

/* ---- FINALIZE again: the votes of the only block were lost, and no later block is ever seen. They come again in the
 * retry bundle and, as the second chance, every 3 s at a standstill. */
enum { STANDSTILL_MS = 3000 }; /* docs/protocol.md 7, t_s */

static void long_run(struct sim_plan *p)
{
    p->records = 1;
    p->heal_ms = 5000;
    p->limit_ms = 40000;
}

static bool at_standstill(const struct sim *s, uint8_t node)
{
    const struct sim_node *n = &s->node[node];
    return n->replica->cons.standstill_due_ms == sim_node_now(n).mono_ms + STANDSTILL_MS;
}

static bool later_block(const struct hub_message *m)
{
    return m->kind == HUB_MSG_PROPOSE && m->u.propose.header.view > 1;
}

static bool only_bundle(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)to;
    return later_block(m) ||
           (scenario_is_vote(m, HUB_FINALIZE) && (s->now_ms < 3000 || at_standstill(s, from)));
}

static bool only_standstill(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)to;
    return later_block(m) ||
           (scenario_is_vote(m, HUB_FINALIZE) && (s->now_ms < 3000 || !at_standstill(s, from)));
}

/* ---- the certificates in a proposal: some leave view 1 by NOTARIZATION, the others by NULLIFICATION, and neither
 * vote nor certificate of view 1 ever reaches the other side (commonware#2149, #1224: certified_split_heals_*). */
static bool split(const struct sim *s, uint8_t to, const struct hub_message *m, uint64_t holders)
{
    struct hub_subject subject = {.view = 0};
    struct hub_certificate c;
    if (m->kind == HUB_MSG_VOTE)
        subject = m->u.vote.subject;
    else if (m->kind == HUB_MSG_CERT && hub_certificate_decode(&c, m->u.certificate))
        subject = c.subject;
    if (subject.view != 1 || subject.kind == HUB_FINALIZE)
        return false;
    if (s->now_ms < 5000) /* everybody votes for its block, then nullifies it */
        return true;
    return subject.kind == (holders >> to & 1 ? HUB_NULLIFY : HUB_NOTARIZE);
}

static uint64_t bit(uint8_t node)
{
    return (uint64_t)1 << node;
}

static bool group_leads(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)from;
    return split(s, to, m, bit(scenario_leader(s, 2)) | bit(scenario_leader(s, 3)));
}

static bool lone_holder_leads(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)from;
    return split(s, to, m, bit(scenario_leader(s, 2)));
}

/* The lone holder leads last: the others go on without the certified block, and it must follow. */
static bool lone_holder_follows(struct sim *s, uint8_t from, uint8_t to,
                                const struct hub_message *m)
{
    (void)from;
    return split(s, to, m, bit(scenario_leader(s, 4)));
}

static uint64_t view_of_first_block(const struct sim *s)
{
    const struct sim_block *b = sim_journal_at(&s->node[0].journal, 1);
    return b ? b->header.view : 0;
}

static const char *certified_block_is_kept(struct sim *s)
{
    return view_of_first_block(s) == 1 ? NULL : "the certified block of view 1 was lost";
}

static const char *certified_block_is_displaced(struct sim *s)
{
    return view_of_first_block(s) > 1 ? NULL : "the block that one node held certified is final";
}

/* ---- a FINALIZATION alone: one node gets no proposal, vote, other certificate or record, ever. */
static void some_work(struct sim_plan *p)
{
    p->records = 30;
    p->work_ms = 8000;
}

static bool only_finalizations(struct sim *s, uint8_t from, uint8_t to, const struct hub_message *m)
{
    (void)from;
    if (to != scenario_other(s, 1, 2))
        return false;
    return m->kind == HUB_MSG_PROPOSE || m->kind == HUB_MSG_VOTE || m->kind == HUB_MSG_RECORDS ||
           scenario_is_certificate(m, HUB_NOTARIZE) || scenario_is_certificate(m, HUB_NULLIFY);
}

static const struct scenario list[] = {
    {.name = "only-help", .set_up = short_run, .lose = only_help},
    {.name = "only-finalize-in-bundle", .set_up = long_run, .lose = only_bundle},
    {.name = "only-finalize-at-standstill", .set_up = long_run, .lose = only_standstill},
    {.name = "certified-split-group-leads",
     .set_up = scenario_single,
     .lose = group_leads,
     .verify = certified_block_is_kept},
    {.name = "certified-split-lone-holder-leads",
     .set_up = scenario_single,
     .lose = lone_holder_leads,
     .verify = certified_block_is_kept},
    {.name = "certified-split-lone-holder-follows",
     .set_up = scenario_single,
     .lose = lone_holder_follows,
     .verify = certified_block_is_displaced},
    {.name = "only-finalization", .set_up = some_work, .lose = only_finalizations},
};
const struct scenarios sim_scenarios_repair = {list, sizeof list / sizeof list[0]};
