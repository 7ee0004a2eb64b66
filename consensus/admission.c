/* admission.c: what is worth a signature check: in window, not held, not decided. No exceptions by height
 * ("the next height is always welcome" admitted unlimited forks: ava-labs#562). */
#include "round.h"

bool hub_cons_wants_vote(const struct hub_cons *c, const struct hub_subject *s, uint8_t signer)
{
    if (s->epoch != c->cfg.epoch || signer >= c->cfg.n || s->kind < HUB_NOTARIZE ||
        s->kind > HUB_FINALIZE)
        return false;
    if (s->view <= c->top.view || s->view > c->view + 2)
        return false;
    const struct hub_view *v = hub_round_get(c, s->view);
    if (!v)
        return s->view + 1 >= c->view &&
               !(s->kind == HUB_NULLIFY && hub_round_skipped(c, s->view, s->view));
    if (hub_round_voters(v, s->kind) >> signer & 1)
        /* A duplicate; or a different one, wanted once as evidence. */
        return !hub_round_has_vote(v, s, signer) && !(v->accused >> signer & 1);
    if (v->formed >> (s->kind - 1) & 1)
        return false;
    if (s->kind == HUB_NULLIFY)
        return !hub_round_skipped(c, s->view, s->view);
    return s->kind == HUB_FINALIZE || !v->notarized;
}

bool hub_cons_wants_certificate(const struct hub_cons *c, const struct hub_subject *s)
{
    if (s->epoch != c->cfg.epoch || s->view <= c->top.view)
        return false;
    if (s->kind == HUB_FINALIZE)
        return true;
    /* Older than all that is kept of a full list: it would only be forgotten again. */
    if (s->kind == HUB_NULLIFY)
        return !hub_round_skipped(c, s->view, s->view) &&
               (c->nullified_count < HUB_GAPS_MAX || s->view + 1 >= c->nullified[0].first);
    return s->kind == HUB_NOTARIZE && !hub_round_certified(c, s->view) &&
           (c->notarized_count < HUB_GAPS_MAX || s->view > c->notarized[0].view);
}

bool hub_cons_counted(const struct hub_cons *c, const struct hub_subject *s, uint8_t signer)
{
    const struct hub_view *v = hub_round_get(c, s->view);
    return v && hub_round_has_vote(v, s, signer);
}

bool hub_cons_wants_proposal(const struct hub_cons *c, const struct hub_header_facts *h)
{
    if (h->epoch != c->cfg.epoch || h->view <= c->top.view || h->parent_view >= h->view ||
        h->proposer != hub_cons_leader(c, h->view))
        return false;
    const struct hub_view *v = hub_round_get(c, h->view);
    if (v && (v->cert_state == HUB_SLOT_WANTED || v->cert_state == HUB_SLOT_PENDING) &&
        hub_hash_equal(&v->cert_blk.hash, &h->hash))
        return true;
    return (h->view == c->view || h->view == c->view + 1) && (!v || v->prop_state == HUB_SLOT_NONE);
}
