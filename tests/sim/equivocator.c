/* equivocator.c: a traitor with one validator key. As leader it shows half of the others another block of the
 * same parent and records, a millisecond younger, and votes for both; it finalizes and nullifies the same view. */
#include "sim.h"

/* The same proposal, a millisecond younger. */
static struct hub_span twin(struct sim_node *n, const struct hub_message *m,
                            struct hub_subject *notarize)
{
    struct hub_header h = m->u.propose.header;
    h.time_ms++;
    return sim_traitor_propose(n, notarize, &h, m->u.propose.entries, m);
}

static void two_faces(struct sim_node *n, const struct hub_message *m, struct hub_span frame)
{
    struct sim *s = n->sim;
    struct hub_subject other;
    struct hub_span second = twin(n, m, &other);
    for (uint8_t to = 0; to < s->plan.n; to++) {
        if (to == n->index)
            continue;
        bool first = sim_random(&s->random[SIM_TRAITOR]) & 1;
        if (s->faces)
            first = !(s->faces >> to & 1);
        sim_net_put(s, n->index, to, first ? frame : second);
        if (s->faces)
            sim_traitor_vote(n, to, &other);
        else if (sim_chance(&s->random[SIM_TRAITOR], 300)) /* and then the other face too */
            sim_net_put(s, n->index, to, first ? second : frame);
        if (!s->faces && sim_chance(&s->random[SIM_TRAITOR], 300))
            sim_traitor_vote(n, to, &other);
    }
}

bool sim_equivocator(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    struct sim *s = n->sim;
    if (!hub_message_decode(&m, frame))
        return false;
    if (m.kind == HUB_MSG_PROPOSE) {
        two_faces(n, &m, frame);
        return true;
    }
    if (m.kind != HUB_MSG_VOTE || m.u.vote.subject.kind != HUB_FINALIZE)
        return false;
    struct hub_subject nullify = {
        .kind = HUB_NULLIFY, .epoch = m.u.vote.subject.epoch, .view = m.u.vote.subject.view};
    for (uint8_t to = 0; to < s->plan.n; to++)
        if (to != n->index && (peer < 0 || peer == to) && sim_chance(&s->random[SIM_TRAITOR], 500))
            sim_traitor_vote(n, to, &nullify);
    return false;
}
