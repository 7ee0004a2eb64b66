/* nullify_only.c: a traitor that answers every proposal with NULLIFY, and never votes for a block or finalizes one. */
#include "sim.h"

bool sim_nullify_only(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (!hub_message_decode(&m, frame))
        return false;
    if (m.kind == HUB_MSG_PROPOSE)
        return true;
    if (m.kind != HUB_MSG_VOTE || m.u.vote.subject.kind == HUB_NULLIFY)
        return false;
    struct hub_subject s = {
        .kind = HUB_NULLIFY, .epoch = m.u.vote.subject.epoch, .view = m.u.vote.subject.view};
    sim_traitor_votes(n, peer, &s);
    return true;
}
