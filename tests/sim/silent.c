/* silent.c: a traitor that leads views and never proposes, and otherwise does its duty. */
#include "sim.h"

bool sim_silent(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    (void)n, (void)peer;
    return hub_message_decode(&m, frame) && m.kind == HUB_MSG_PROPOSE;
}
