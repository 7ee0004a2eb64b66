/* stopped.c: whether damage has struck more disks than a cluster can bear. A vote says that the voter's disk holds
 * the block; where faults have taken a block from every honest disk after too many had said FINALIZE, the chain
 * stops by design: nothing can be built on the block and nothing beside it. Then progress is not owed, and all else
 * is: nothing forks, and what was told final is still there. No port takes a block from the simulated disk, so a block
 * that all lack was taken by faults and not by a node. */
#include "sim.h"

/* A liar that is not stubborn keeps to the rules once faults have ended, and to what it has voted before. */
static bool is_honest(const struct sim_node *n)
{
    const struct sim_plan *p = &n->sim->plan;
    return !n->gone && (!n->faulty || (p->traitor[n->slot] && !p->stubborn && !n->lost));
}

static bool is_held(const struct sim *s, const struct hub_hash *block)
{
    for (uint8_t i = 0; i < s->plan.n; i++) {
        const struct sim_block *b = sim_journal_find(&s->node[i].journal, block);
        if (is_honest(&s->node[i]) && b && !b->damaged)
            return true;
    }
    return false;
}

/* Nor is a node that is down for a moment lost. */
static bool may_vote(const struct sim_node *n)
{
    const enum hub_abstain why = n->replica->permit.why;
    return why == HUB_ABSTAIN_NOT || why == HUB_ABSTAIN_ASKING;
}

/* The block of a FINALIZE that stands in an honest journal, if too few are left to nullify its view; else NULL. */
static const struct hub_hash *bound_to(const struct sim *s, const struct hub_validators *set,
                                       uint64_t view)
{
    const struct hub_hash *block = NULL;
    struct hub_certificate c;
    uint8_t free_to_nullify = 0;
    for (uint8_t i = 0; i < s->plan.n; i++) {
        const struct sim_node *n = &s->node[i];
        const struct hub_vote *f = sim_journal_vote(&n->journal, set->epoch, view, HUB_FINALIZE);
        if (!is_honest(n))
            continue;
        if (sim_journal_certificate(&n->journal, set->epoch, view, HUB_NULLIFY, &c))
            return NULL;
        if (f)
            block = &f->subject.block_hash;
        else
            free_to_nullify += may_vote(n);
    }
    return free_to_nullify < set->q ? block : NULL;
}

bool sim_is_stopped(struct sim *s)
{
    struct hub_validators set;
    uint64_t epoch = 0, view = 0;
    for (uint8_t i = 0; i < s->plan.n; i++) {
        const struct hub_cons *c = &s->node[i].replica->cons;
        if (!is_honest(&s->node[i]) || c->cfg.epoch < epoch)
            continue;
        view = c->cfg.epoch > epoch || c->view > view ? c->view : view;
        epoch = c->cfg.epoch;
    }
    sim_set_of(s, epoch, &set);
    for (uint64_t v = 1; v <= view && !s->stopped; v++) {
        const struct hub_hash *block = bound_to(s, &set, v);
        if (!block || is_held(s, block))
            continue;
        s->stopped = true;
        snprintf(s->why, sizeof s->why,
                 "stopped by design: faults took the block of view %llu of epoch %llu from every "
                 "honest disk, and too few are left to nullify it",
                 (unsigned long long)v, (unsigned long long)epoch);
        sim_trace(s, "%s", s->why);
    }
    return s->stopped;
}
