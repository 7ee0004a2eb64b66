/* nuller.c: a traitor that signs NULLIFY and FINALIZE of the same view: the lie that breaks finality beyond
 * b_safe. Each of its node's votes for a block brings both. */
#include "sim.h"

bool sim_nuller(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_VOTE || m.u.vote.signer != n->index)
        return false;
    struct hub_subject s = m.u.vote.subject, nullify = {.kind = HUB_NULLIFY};
    nullify.epoch = s.epoch;
    nullify.view = s.view;
    const struct sim_block *b = s.kind == HUB_NOTARIZE ? sim_traitor_block(n, &s.block_hash) : NULL;
    sim_traitor_votes(n, peer, &nullify);
    if (b) {
        s.kind = HUB_FINALIZE;
        s.height = b->header.height;
        s.log_size = b->header.log_size;
        s.log_root = b->header.log_root;
        sim_traitor_votes(n, peer, &s);
    }
    return false;
}
