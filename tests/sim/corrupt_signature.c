/* corrupt_signature.c: a traitor whose votes, certificates and proposals decode well and are signed wrongly: one bit
 * of one signature is flipped. */
#include "sim.h"

static uint8_t block_bytes[HUB_BODY_BYTES_MAX], frame_bytes[HUB_FRAME_BYTES_MAX];

static void flip(struct sim_node *n, struct hub_signature *sig)
{
    uint64_t bit = sim_below(&n->sim->random[SIM_TRAITOR], 8 * sizeof sig->b);
    sig->b[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static void corrupt_certificate(struct sim_node *n, struct hub_buf *out, struct hub_span bytes)
{
    static struct hub_certificate c;
    uint8_t encoded[HUB_CERTIFICATE_BYTES_MAX];
    struct hub_buf b = {.data = encoded, .cap = sizeof encoded};
    if (!hub_certificate_decode(&c, bytes))
        return;
    const uint8_t size = (uint8_t)(8 * c.bitmap_bytes); /* of its epoch, which may be over */
    uint8_t i = (uint8_t)sim_below(&n->sim->random[SIM_TRAITOR], size);
    while (!(c.signers >> i & 1))
        i = (uint8_t)((i + 1) % size);
    flip(n, &c.sig[i]);
    hub_certificate_encode(&b, &c, size);
    hub_message_certificate(out, hub_span_of(&b));
}

static void corrupt_proposal(struct sim_node *n, struct hub_buf *out, struct hub_message *m)
{
    struct hub_buf block = {.data = block_bytes, .cap = sizeof block_bytes};
    hub_message_proposed_block(&block, m);
    flip(n, &m->u.propose.signature);
    hub_message_propose(out, hub_span_of(&block), &m->u.propose.signature, m->u.propose.just,
                        m->u.propose.just_count);
}

bool sim_corrupt_signature(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    struct hub_buf out = {.data = frame_bytes, .cap = sizeof frame_bytes};
    if (!hub_message_decode(&m, frame))
        return false;
    switch (m.kind) {
    case HUB_MSG_VOTE:
        flip(n, &m.u.vote.sig);
        hub_message_vote(&out, &m.u.vote);
        break;
    case HUB_MSG_CERT:
        corrupt_certificate(n, &out, m.u.certificate);
        break;
    case HUB_MSG_PROPOSE:
        corrupt_proposal(n, &out, &m);
        break;
    default:
        return false;
    }
    sim_traitor_put(n, peer, hub_span_of(&out));
    return true;
}
