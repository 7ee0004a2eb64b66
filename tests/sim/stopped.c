/* stopped.c: whether damage has struck more disks than a cluster can bear; then the chain stops by design, and progress
 * is not owed. All else is: nothing forks, and what was told final is still there.
 *  1. A vote says that the voter's disk holds the block. Where faults have taken a block from every honest disk after
 *     too many had said FINALIZE, nothing can be built on the block and nothing beside it. No port takes a block from the
 *     simulated disk, so a block that all lack was taken by faults and not by a node.
 *  2. A view is left by a certificate, which is durable before a vote in the next view is sent; so the disks of a quorum
 *     hold it once the next view is left too. Where faults damaged it on more of them than may be silent and no honest
 *     disk has it whole, nobody can show any more that the view may be passed, and no block is certified on one below
 *     it. Its votes could form it again, but they are sent and counted in their view only. */
#include "sim.h"

#include "consensus/round.h"

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

/* Views up to this one do not hold up the core: they are nullified, or lie below what is certified. */
static bool is_past(const struct hub_cons *c, uint64_t view)
{
    bool past = c->top.view >= view || hub_round_skipped(c, view, view) ||
                (c->notarized_count && c->notarized[c->notarized_count - 1].view >= view);
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        past |= c->views[i].used && c->views[i].notarized && c->views[i].view >= view;
    return past;
}

/* The disk has whole what shows this: a certificate of the view, or of a block in a later one. */
static bool shows_past(const struct sim_journal *j, uint64_t epoch, uint64_t view)
{
    for (size_t i = 0; i < j->now.certificates; i++) {
        const struct sim_kept *k = &j->certificate[i];
        const uint64_t at = k->subject.view;
        if (!k->damaged && k->subject.epoch == epoch &&
            (at == view || (at > view && k->subject.kind != HUB_NULLIFY)))
            return true;
    }
    return false;
}

static bool is_struck(const struct sim_journal *j, uint64_t epoch, uint64_t view)
{
    for (size_t i = 0; i < j->now.certificates; i++)
        if (j->certificate[i].damaged && j->certificate[i].subject.epoch == epoch &&
            j->certificate[i].subject.view == view)
            return true;
    return false;
}

/* While one is in the view its votes are sent; FINALIZEs of a quorum, liars counted, make its block final; and a quorum that
 * knows how the view ended, though it cannot show it, goes on. Those whose disk faults have spared never held the certificate: they
 * may be no more than a quorum leaves, or it was a node that lost it. */
static bool is_forgotten(const struct sim *s, const struct hub_validators *set, uint64_t view)
{
    const uint32_t rest = (uint32_t)(set->n - set->q);
    uint32_t know = 0, struck = 0, spared = 0, honest = 0, finals = 0;
    for (uint8_t i = 0; i < s->plan.n; i++) {
        const struct sim_node *n = &s->node[i];
        const struct hub_cons *c = &n->replica->cons;
        const bool votes = c->cfg.me < c->cfg.n;
        if (!is_honest(n))
            continue;
        if (c->cfg.epoch != set->epoch || c->view <= view ||
            shows_past(&n->journal, set->epoch, view))
            return false;
        honest += votes;
        finals += votes && sim_journal_vote(&n->journal, set->epoch, view, HUB_FINALIZE) != NULL;
        const bool hit = is_struck(&n->journal, set->epoch, view);
        know += votes && is_past(c, view);
        struck += votes && hit;
        spared += votes && !hit && !n->lost;
    }
    return know < set->q && struck > rest && spared <= rest && finals + set->n - honest < set->q;
}

/* What faults did to this view so that none can be final any more, or NULL. */
static const char *end_of(const struct sim *s, const struct hub_validators *set, uint64_t view)
{
    const struct hub_hash *block = bound_to(s, set, view);
    if (block && !is_held(s, block))
        return "took its block from every honest disk, and too few are left to nullify it";
    if (is_forgotten(s, set, view))
        return "damaged its certificate on more disks than may be silent, and none has it whole";
    return NULL;
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
        const char *what = end_of(s, &set, v);
        if (!what)
            continue;
        s->stopped = true;
        snprintf(s->why, sizeof s->why, "stopped by design: view %llu of epoch %llu: faults %s",
                 (unsigned long long)v, (unsigned long long)epoch, what);
        sim_trace(s, "%s", s->why);
    }
    return s->stopped;
}
