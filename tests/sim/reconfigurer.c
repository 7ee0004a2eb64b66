/* reconfigurer.c: a traitor whose votes are all for the next epoch, which nobody has agreed on. They must not be
 * counted, and must not make anybody believe that it is behind. */
#include "sim.h"

bool sim_reconfigurer(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_VOTE || m.u.vote.signer != n->index)
        return false;
    struct hub_subject s = m.u.vote.subject;
    s.epoch++;
    sim_traitor_votes(n, peer, &s);
    return true;
}
