/* invalid_block.c: a traitor whose proposals claim what executing them does not give: another state, log, number of
 * records, time, height or parent. Everybody must judge them alike, and nobody may certify one. */
#include "sim.h"

static void forge(struct hub_header *h, uint64_t which)
{
    switch (which) {
    case 0:
        h->state_root.b[0] ^= 1;
        break;
    case 1:
        h->log_root.b[31] ^= 1;
        break;
    case 2:
        h->results_root.b[7] ^= 1;
        break;
    case 3:
        h->record_count++;
        break;
    case 4:
        h->time_ms = 1;
        break;
    case 5:
        h->height += 7;
        break;
    case 6:
        h->parent.b[5] ^= 1;
        break;
    case 7:
        h->records_root.b[0] ^= 1;
        break;
    case 8:
        h->parent_view ^= 1;
        break;
    default:
        h->time_ms += 3600 * 1000; /* valid, but not for an hour yet */
    }
}

bool sim_invalid_block(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    struct hub_subject vote;
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    (void)peer;
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_PROPOSE || sim_chance(r, 200))
        return false;
    struct hub_header h = m.u.propose.header;
    forge(&h, sim_below(r, 10));
    struct hub_span lie = sim_traitor_propose(n, &vote, &h, m.u.propose.entries, &m);
    for (uint8_t to = 0; to < n->sim->plan.n; to++)
        if (to != n->index) {
            sim_net_put(n->sim, n->index, to, lie);
            sim_traitor_vote(n, to, &vote);
        }
    return true;
}
