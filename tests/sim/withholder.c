/* withholder.c: a traitor that shows its blocks to just as many others as a quorum needs, keeps the certificates it
 * forms to itself, and answers no request for a block, certificate or vote. */
#include "sim.h"

static void to_just_enough(struct sim_node *n, struct hub_span frame)
{
    uint8_t size = n->replica->chain.set.n, others = (uint8_t)(n->replica->chain.set.q - 1);
    uint8_t first = (uint8_t)sim_below(&n->sim->random[SIM_TRAITOR], size);
    for (uint8_t i = 0; i < size && others; i++) {
        uint8_t to = (uint8_t)((first + i) % size);
        if (to == n->index)
            continue;
        sim_net_put(n->sim, n->index, to, frame);
        others--;
    }
}

bool sim_withholder(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (!hub_message_decode(&m, frame))
        return false;
    if (m.kind == HUB_MSG_PROPOSE)
        to_just_enough(n, frame);
    /* Peer >= 0: an answer. */
    return m.kind == HUB_MSG_PROPOSE || m.kind == HUB_MSG_BLOCK || m.kind == HUB_MSG_CERT ||
           m.kind == HUB_MSG_VOTES || m.kind == HUB_MSG_EPOCH_PROOF ||
           (peer >= 0 && m.kind == HUB_MSG_VOTE);
}
