/* swapper.c: a traitor that sends other entries under the header of a block that was good: a block's hash covers its header
 * only. It claims to be far ahead, so that it is asked for blocks by height; then its own block comes before its proposal,
 * many that lead nowhere drive it out of memory, and it comes again, changed, before it is final. */
#include "sim.h"

static uint8_t frame_bytes[HUB_FRAME_BYTES_MAX], block_bytes[HUB_BODY_BYTES_MAX];

static void put_block(struct sim_node *n, struct hub_span header, struct hub_span entries)
{
    struct hub_buf block = {.data = block_bytes, .cap = sizeof block_bytes};
    struct hub_buf frame = {.data = frame_bytes, .cap = sizeof frame_bytes};
    hub_put_array(&block, 2);
    hub_put_bytes(&block, header);
    hub_put_raw(&block, entries);
    hub_message_block(&frame, hub_span_of(&block), (struct hub_span){NULL, 0});
    if (!block.full && !frame.full)
        sim_traitor_put(n, -1, hub_span_of(&frame));
}

static void lie_status(struct sim_node *n, int peer, struct hub_status_message st)
{
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    st.fin.height += 1000;
    hub_message_status(&b, &st);
    sim_traitor_put(n, peer, hub_span_of(&b));
}

static void swap(struct sim_node *n, const struct hub_message *m, struct hub_span proposal)
{
    static const uint8_t none = 0x80;
    uint8_t bytes[HUB_HEADER_BYTES_MAX];
    struct hub_header h = m->u.propose.header;
    put_block(n, m->u.propose.header_bytes, m->u.propose.entries);
    sim_traitor_put(n, -1, proposal);
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++) {
        struct hub_buf header = {.data = bytes, .cap = sizeof bytes};
        h.state_root = sim_traitor_hash(n);
        h.height = n->final_height + 1 + i % 32;
        hub_header_encode(&header, &h);
        put_block(n, hub_span_of(&header), (struct hub_span){&none, 1});
    }
    put_block(n, m->u.propose.header_bytes, (struct hub_span){&none, 1});
}

bool sim_swapper(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    if (!hub_message_decode(&m, frame))
        return false;
    if (m.kind == HUB_MSG_STATUS)
        lie_status(n, peer, m.u.status);
    else if (m.kind == HUB_MSG_PROPOSE && m.u.propose.header.proposer == n->index &&
             m.u.propose.header.record_count && sim_chance(&n->sim->random[SIM_TRAITOR], 300))
        swap(n, &m, frame);
    else
        return false;
    return true;
}
