/* skipper.c: a traitor that proposes an empty block on the grandparent of its own proposal, past a certified
 * view that it has no NULLIFICATION for (ava-labs#281), and votes for it. Who notarizes such a block forks. */
#include "sim.h"

/* An empty child: the roots are its parent's, and nothing needs to be executed. */
static struct hub_header empty_child(const struct sim_block *parent, const struct hub_header *mine)
{
    struct hub_header h = parent->header;
    const struct hub_span nothing = {NULL, 0};
    h.view = mine->view;
    h.time_ms = mine->time_ms;
    h.proposer = mine->proposer;
    h.height++;
    h.parent = parent->hash;
    h.parent_view = parent->header.view;
    h.record_count = 0;
    hub_hash_span(&h.records_root, nothing);
    hub_hash_span(&h.results_root, nothing);
    return h;
}

bool sim_skipper(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    struct hub_subject vote;
    uint8_t none = 0x80;
    (void)peer;
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_PROPOSE)
        return false;
    const struct sim_block *parent = sim_traitor_block(n, &m.u.propose.header.parent);
    const struct sim_block *before = parent ? sim_traitor_block(n, &parent->header.parent) : NULL;
    if (!before)
        return false;
    struct hub_header h = empty_child(before, &m.u.propose.header);
    struct hub_span lie = sim_traitor_propose(n, &vote, &h, (struct hub_span){&none, 1}, &m);
    for (uint8_t to = 0; to < n->sim->plan.n; to++)
        if (to != n->index) {
            sim_net_put(n->sim, n->index, to, lie);
            sim_traitor_vote(n, to, &vote);
        }
    return true;
}
