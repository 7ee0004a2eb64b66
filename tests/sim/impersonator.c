/* impersonator.c: a traitor that sends each vote of its node under another validator's number, the receiver's own
 * included, and passes its blocks off as another leader's. A vote counts only from its signer's own link; a vote
 * of the receiver's key with a bad signature must not silence the receiver. */
#include "sim.h"

static void vote_as(struct sim_node *n, uint8_t to, uint8_t signer, const struct hub_vote *v)
{
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_vote lie = *v;
    lie.signer = signer;
    hub_message_vote(&b, &lie);
    sim_net_put(n->sim, n->index, to, hub_span_of(&b));
}

static void propose_as(struct sim_node *n, uint8_t to, uint8_t proposer,
                       const struct hub_message *m)
{
    struct hub_subject vote;
    struct hub_header h = m->u.propose.header;
    h.proposer = proposer;
    sim_net_put(n->sim, n->index, to, sim_traitor_propose(n, &vote, &h, m->u.propose.entries, m));
}

bool sim_impersonator(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    uint8_t size = n->replica->chain.set.n;
    if (!hub_message_decode(&m, frame) || (m.kind != HUB_MSG_VOTE && m.kind != HUB_MSG_PROPOSE))
        return false;
    for (uint8_t to = 0; to < size; to++) {
        uint8_t other = (uint8_t)sim_below(&n->sim->random[SIM_TRAITOR], size);
        if (to == n->index || (peer >= 0 && peer != to) || other == n->index)
            continue;
        if (m.kind == HUB_MSG_VOTE)
            vote_as(n, to, other, &m.u.vote);
        else
            propose_as(n, to, other, &m);
    }
    return sim_chance(&n->sim->random[SIM_TRAITOR], 500); /* the true one follows, or not */
}
