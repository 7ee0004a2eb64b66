/* invariant.c: what holds between two steps, checked in tests after each. */
#include "effects.h"
#include "round.h"
#include "timer.h"

static bool ascending(const struct hub_cons *c)
{
    for (uint32_t i = 0; i < c->nullified_count; i++) {
        if (c->nullified[i].first > c->nullified[i].last)
            return false;
        if (i > 0 && c->nullified[i - 1].last + 1 >= c->nullified[i].first)
            return false; /* disjoint and not even adjacent: merged */
    }
    for (uint32_t i = 1; i < c->notarized_count; i++)
        if (c->notarized[i - 1].view >= c->notarized[i].view)
            return false;
    return true;
}

static void check_tally(const struct hub_cons *c, const struct hub_tally *t)
{
    uint64_t all = 0, everyone = c->cfg.n == 64 ? UINT64_MAX : (UINT64_C(1) << c->cfg.n) - 1;
    HUB_ASSERT(t->count <= HUB_CANDIDATES_MAX);
    for (uint32_t i = 0; i < t->count; i++) {
        HUB_ASSERT(t->candidate[i].signers != 0);
        HUB_ASSERT((t->candidate[i].signers & ~everyone) == 0);
        HUB_ASSERT((all & t->candidate[i].signers) == 0); /* one vote a kind */
        all |= t->candidate[i].signers;
    }
}

static void check_own_votes(const struct hub_cons *c, const struct hub_view *v)
{
    HUB_ASSERT(!v->did_finalize || !v->did_nullify || c->halted); /* Z and F exclude each other */
    HUB_ASSERT(!v->did_finalize || v->did_notarize);
    if (v->did_finalize && v->notarized)
        HUB_ASSERT(hub_hash_equal(&v->my_notarize, &v->cert_blk.hash) || c->halted);
    HUB_ASSERT(c->cfg.me < c->cfg.n || !hub_round_own_vote(v)); /* an observer casts none */
    HUB_ASSERT(v->view <= c->view || !v->did_nullify);
    /* Our tally holds only what we cast, and so only what is journalled. */
    if (c->cfg.me == c->cfg.n || v->closed || c->halted)
        return;
    const uint64_t me = UINT64_C(1) << c->cfg.me;
    HUB_ASSERT(v->did_notarize || !(hub_round_voters(v, HUB_NOTARIZE) & me));
    HUB_ASSERT(v->did_nullify || !(hub_round_voters(v, HUB_NULLIFY) & me));
    HUB_ASSERT(v->did_finalize || !(hub_round_voters(v, HUB_FINALIZE) & me));
}

static void check_view(const struct hub_cons *c, const struct hub_view *v)
{
    HUB_ASSERT(v->view > c->top.view || (v->view == c->top.view && c->fin.view != c->top.view));
    HUB_ASSERT(v->notarized || v->view + 1 >= c->view || v->view == c->top.view);
    HUB_ASSERT(v->notarized || v->view <= c->view + 2);
    HUB_ASSERT(!v->notarized || v->cert_state != HUB_SLOT_NONE);
    HUB_ASSERT((v->cert_state == HUB_SLOT_NONE) == (v->cert_signers == 0));
    HUB_ASSERT(v->cert_state != HUB_SLOT_INVALID || c->halted);
    if (v->cert_state == HUB_SLOT_VALID)
        HUB_ASSERT(v->cert_blk.view == v->view && v->cert_blk.epoch == c->cfg.epoch);
    if (v->prop_state != HUB_SLOT_NONE)
        HUB_ASSERT(v->prop.view == v->view && v->prop.proposer == hub_cons_leader(c, v->view));
    check_own_votes(c, v);
    check_tally(c, &v->notarize);
    check_tally(c, &v->finalize);
}

void hub_cons_assert(const struct hub_cons *c)
{
    HUB_ASSERT(c->fin.view <= c->top.view && c->top.view < c->view);
    HUB_ASSERT(c->fin.height <= c->top.height);
    HUB_ASSERT(c->fin.view != c->top.view ||
               hub_hash_equal(&c->fin.block_hash, &c->top.block_hash));
    HUB_ASSERT(c->top.view == 0 || c->final.view == 0 || c->final.view == c->top.view);
    HUB_ASSERT(hub_round_get(c, c->view)); /* the current view always has its slot */
    HUB_ASSERT(c->nullified_count <= HUB_GAPS_MAX && c->notarized_count <= HUB_GAPS_MAX);
    HUB_ASSERT(ascending(c));
    HUB_ASSERT(c->nullified_count == 0 || c->nullified[0].first > c->top.view);
    HUB_ASSERT(c->notarized_count == 0 || c->notarized[0].view > c->top.view);
    /* A NULLIFICATION of our view or above would have moved us. */
    HUB_ASSERT(c->nullified_count == 0 || c->nullified[c->nullified_count - 1].last < c->view);
    /* t_l and t_a run exactly while the gate is open. */
    HUB_ASSERT(!c->started || c->gate_open == (c->advance_due_ms != HUB_NEVER));
    HUB_ASSERT(c->gate_open == (c->leader_due_ms != HUB_NEVER));
    HUB_ASSERT(c->leader_due_ms <= c->advance_due_ms);
    HUB_ASSERT(!c->alarmed || c->halted);
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        if (!c->views[i].used)
            continue;
        check_view(c, &c->views[i]);
        for (uint32_t k = i + 1; k < HUB_VIEWS_MAX; k++)
            HUB_ASSERT(!c->views[k].used || c->views[k].view != c->views[i].view);
    }
}
