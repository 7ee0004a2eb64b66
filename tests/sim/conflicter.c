/* conflicter.c: a traitor that signs, beside each NOTARIZE and FINALIZE of its node, another one for a block that does
 * not exist; sometimes first, so that the lie is what is counted. */
#include "sim.h"

bool sim_conflicter(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_VOTE || m.u.vote.signer != n->index ||
        m.u.vote.subject.kind == HUB_NULLIFY)
        return false;
    struct hub_subject s = m.u.vote.subject;
    bool lie_first = sim_chance(&n->sim->random[SIM_TRAITOR], 500);
    s.block_hash = sim_traitor_hash(n);
    if (!lie_first)
        sim_traitor_put(n, peer, frame);
    sim_traitor_votes(n, peer, &s);
    if (lie_first)
        sim_traitor_put(n, peer, frame);
    return true;
}
