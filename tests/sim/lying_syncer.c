/* lying_syncer.c: a traitor that lies to those who catch up: its STATUS claims a chain far ahead or far behind, it
 * answers with other blocks and certificates than it was asked for, with changed ones, or with a right block
 * under a wrong certificate, and it tells of epochs that never were. Its votes are honest. */
#include "sim.h"

#include <string.h>

static uint8_t block_bytes[HUB_BODY_BYTES_MAX], frame_bytes[HUB_FRAME_BYTES_MAX];

static uint64_t *dice(struct sim_node *n)
{
    return &n->sim->random[SIM_TRAITOR];
}

static void lie_status(struct sim_node *n, int peer, struct hub_status_message st)
{
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    uint64_t ahead = sim_below(dice(n), 2) ? 1 + sim_below(dice(n), 100000) : 0;
    st.top.height = ahead ? st.top.height + ahead : 0;
    st.top.view = ahead ? st.top.view + ahead : 0;
    st.top.block_hash = sim_traitor_hash(n);
    st.view = ahead ? st.top.view + 1 : 1;
    st.fin = st.top;
    hub_message_status(&b, &st);
    sim_traitor_put(n, peer, hub_span_of(&b));
}

static void false_epochs(struct sim_node *n, int peer)
{
    uint8_t junk[40] = {0x83}, bytes[256];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    for (size_t i = 1; i < sizeof junk; i++)
        junk[i] = (uint8_t)sim_below(dice(n), 24); /* small integers: well-formed */
    struct hub_span link = {junk, 4};
    hub_message_epoch_proof(&b, &link, 1);
    sim_traitor_put(n, peer, hub_span_of(&b));
}

static bool some_certificate(struct sim_node *n, struct hub_buf *out)
{
    const struct sim_journal *j = &n->journal;
    if (!j->now.certificates)
        return false;
    struct hub_certificate c;
    sim_kept_read(&c, &j->certificate[sim_below(dice(n), j->now.certificates)]);
    if (sim_chance(dice(n), 300))
        c.subject.block_hash.b[0] ^= 1;
    if (sim_chance(dice(n), 300))
        c.signers &= c.signers - 1; /* one short of a quorum */
    hub_certificate_encode(out, &c, n->sim->plan.n);
    return true;
}

/* Another block than the one asked for, or that one with a byte changed; and any certificate but its own. */
static void lie_block(struct sim_node *n, int peer, const struct hub_message *m)
{
    const struct sim_journal *j = &n->journal;
    uint8_t encoded[HUB_CERTIFICATE_BYTES_MAX];
    struct hub_buf certificate = {.data = encoded, .cap = sizeof encoded};
    struct hub_buf frame = {.data = frame_bytes, .cap = sizeof frame_bytes};
    struct hub_span block = m->u.block.block;
    if (sim_chance(dice(n), 400) && j->now.blocks) {
        const struct sim_block *other = &j->block[sim_below(dice(n), j->now.blocks)];
        block = (struct hub_span){other->bytes, other->len};
    } else if (sim_chance(dice(n), 500)) {
        memcpy(block_bytes, block.data, block.len);
        block_bytes[sim_below(dice(n), block.len)] ^= 1;
        block.data = block_bytes;
    }
    bool certified = some_certificate(n, &certificate);
    hub_message_block(&frame, block,
                      certified ? hub_span_of(&certificate) : (struct hub_span){NULL, 0});
    sim_traitor_put(n, peer, hub_span_of(&frame));
}

static void lie_certificate(struct sim_node *n, int peer)
{
    uint8_t encoded[HUB_CERTIFICATE_BYTES_MAX];
    struct hub_buf certificate = {.data = encoded, .cap = sizeof encoded};
    struct hub_buf frame = {.data = frame_bytes, .cap = sizeof frame_bytes};
    if (!some_certificate(n, &certificate))
        return;
    hub_message_certificate(&frame, hub_span_of(&certificate));
    sim_traitor_put(n, peer, hub_span_of(&frame));
}

bool sim_lying_syncer(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (!hub_message_decode(&m, frame))
        return false;
    switch (m.kind) {
    case HUB_MSG_STATUS:
        lie_status(n, peer, m.u.status);
        false_epochs(n, peer);
        return true;
    case HUB_MSG_BLOCK:
        lie_block(n, peer, &m);
        return true;
    case HUB_MSG_CERT:
        if (peer >= 0) /* an answer */
            lie_certificate(n, peer);
        return peer >= 0;
    default:
        return false;
    }
}
