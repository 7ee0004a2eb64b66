/* flooder.c: a traitor that pours bad signatures and hungry requests over the others, and otherwise does its
 * duty. What it may cost them is bounded by its tokens (docs/protocol.md 9). */
#include "sim.h"

#include <string.h>

enum { VOTES = 120, REQUESTS = 80 };

static void put_all(struct sim_node *n, const struct hub_buf *b)
{
    for (uint8_t to = 0; to < n->sim->plan.n; to++)
        if (to != n->index)
            sim_net_put(n->sim, n->index, to, hub_span_of(b));
}

static void bad_vote(struct sim_node *n, uint64_t view)
{
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_vote v = {.subject = {.kind = HUB_NULLIFY, .view = view}, .signer = n->index};
    hub_put_be64(v.sig.b, sim_random(&n->sim->random[SIM_TRAITOR]));
    hub_message_vote(&b, &v);
    put_all(n, &b);
}

static void hungry_request(struct sim_node *n)
{
    uint8_t bytes[64];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    hub_message_get_blocks(&b, 1, HUB_REPLY_ITEMS_MAX);
    put_all(n, &b);
}

/* With every STATUS, so about once a second. */
bool sim_flooder(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (peer >= 0 || !hub_message_decode(&m, frame) || m.kind != HUB_MSG_STATUS)
        return false;
    for (unsigned i = 0; i < VOTES; i++)
        bad_vote(n, m.u.status.view + 1);
    for (unsigned i = 0; i < REQUESTS; i++)
        hungry_request(n);
    return false;
}
