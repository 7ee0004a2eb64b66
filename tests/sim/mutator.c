/* mutator.c: a traitor that changes one field of a well-formed message and signs again where that needs a
 * signature: each field of each statement it can make is a lie once. */
#include "sim.h"

static struct hub_subject changed_subject(struct sim_node *n, struct hub_subject s)
{
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    bool finalize = s.kind == HUB_FINALIZE;
    switch (sim_below(r, finalize ? 6 : s.kind == HUB_NULLIFY ? 2 : 3)) {
    case 0:
        s.view += sim_chance(r, 500) || s.view < 2 ? 1 : UINT64_MAX;
        break;
    case 1:
        s.epoch++;
        break;
    case 2:
        s.block_hash.b[sim_below(r, 32)] ^= 1;
        break;
    case 3:
        s.height += 1 + sim_below(r, 3);
        break;
    case 4:
        s.log_size += 1 + sim_below(r, 3);
        break;
    default:
        s.log_root.b[sim_below(r, 32)] ^= 1;
    }
    return s;
}

static void change_status(struct hub_status_message *st, uint64_t *r)
{
    switch (sim_below(r, 8)) {
    case 0:
        st->view += sim_below(r, 1000);
        break;
    case 1:
        st->epoch++;
        break;
    case 2:
        st->fin.height += sim_below(r, 1000);
        break;
    case 3:
        st->top.view += sim_below(r, 1000);
        break;
    case 4:
        st->top.block_hash.b[0] ^= 1;
        break;
    case 5:
        st->period_ms = sim_below(r, 2) ? 1 : 1000000;
        break;
    case 6:
        st->flags ^= 3;
        break;
    default:
        st->chain.b[31] ^= 1;
    }
}

bool sim_mutator(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    if (!hub_message_decode(&m, frame) || sim_chance(r, 300))
        return false;
    if (m.kind == HUB_MSG_VOTE && m.u.vote.signer == n->index) {
        struct hub_subject s = changed_subject(n, m.u.vote.subject);
        sim_traitor_votes(n, peer, &s);
        return sim_chance(r, 500);
    }
    if (m.kind != HUB_MSG_STATUS)
        return false;
    change_status(&m.u.status, r);
    hub_message_status(&b, &m.u.status);
    sim_traitor_put(n, peer, hub_span_of(&b));
    return true;
}
