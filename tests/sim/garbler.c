/* garbler.c: a traitor that flips bits of its frames or cuts them short: no signature, hash or length in them
 * can be relied on. */
#include "sim.h"

#include <string.h>

bool sim_garbler(struct sim_node *n, int peer, struct hub_span frame)
{
    static uint8_t bytes[HUB_FRAME_BYTES_MAX];
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    if (!sim_chance(r, 500) || frame.len > sizeof bytes)
        return false;
    memcpy(bytes, frame.data, frame.len);
    for (uint64_t i = 1 + sim_below(r, 3); i-- > 0;)
        bytes[sim_below(r, frame.len)] ^= (uint8_t)(1u << sim_below(r, 8));
    size_t len = sim_chance(r, 100) ? 1 + sim_below(r, frame.len) : frame.len;
    for (uint8_t to = 0; to < n->sim->plan.n; to++)
        if (to != n->index && (peer < 0 || peer == to))
            sim_net_put(n->sim, n->index, to, (struct hub_span){bytes, len});
    return true;
}
