/* outdated.c: a traitor that, with each of its votes, votes again as if it were new for a block of a view some way
 * back: again for the one it voted for, or for the first time for one it had let pass. */
#include "sim.h"

enum { BACK_MAX = 12 };

static const struct sim_block *older(struct sim_node *n, uint64_t view)
{
    uint64_t back = 1 + sim_below(&n->sim->random[SIM_TRAITOR], BACK_MAX);
    for (size_t i = n->journal.now.blocks; i-- > 0;)
        if (n->journal.block[i].header.view + back <= view)
            return &n->journal.block[i];
    return NULL;
}

bool sim_outdated(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_VOTE || m.u.vote.signer != n->index)
        return false;
    const struct sim_block *b = older(n, m.u.vote.subject.view);
    if (!b || b->header.epoch != m.u.vote.subject.epoch)
        return false;
    struct hub_subject s = {.kind = HUB_NOTARIZE,
                            .epoch = b->header.epoch,
                            .view = b->header.view,
                            .block_hash = b->hash};
    sim_traitor_votes(n, peer, &s);
    if (sim_chance(&n->sim->random[SIM_TRAITOR], 500)) {
        s.kind = HUB_FINALIZE;
        s.height = b->header.height;
        s.log_size = b->header.log_size;
        s.log_root = b->header.log_root;
        sim_traitor_votes(n, peer, &s);
    }
    return sim_chance(&n->sim->random[SIM_TRAITOR], 300);
}
