/* replayer.c: a traitor that lives in the past: it says again, to everybody, what it said long ago, also in an epoch
 * that is over, and shows links to the next epoch in which one bit is not what was signed. */
#include "sim.h"

#include <string.h>

enum { KEPT = 64, KEPT_BYTES = 2048 };

static struct {
    uint64_t seed, last_ms;
    uint32_t count;
    struct {
        uint8_t bytes[KEPT_BYTES];
        size_t len;
    } frame[KEPT];
} past[SIM_NODES_MAX];

static void remember(struct sim_node *n, struct hub_span frame)
{
    const struct sim *s = n->sim;
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    if (past[n->index].seed != s->seed || s->now_ms < past[n->index].last_ms)
        past[n->index].count = 0; /* another run */
    past[n->index].seed = s->seed;
    past[n->index].last_ms = s->now_ms;
    if (frame.len > KEPT_BYTES)
        return;
    /* Some early frames stay to the end: those of the first epoch among them. */
    const uint32_t count = past[n->index].count;
    const uint32_t at = count < KEPT ? past[n->index].count++ : (uint32_t)sim_below(r, 8 * KEPT);
    if (at >= KEPT)
        return;
    memcpy(past[n->index].frame[at].bytes, frame.data, frame.len);
    past[n->index].frame[at].len = frame.len;
}

static void forge_link(struct sim_node *n, int peer)
{
    static uint8_t link[HUB_LINK_BYTES_MAX], bytes[HUB_LINK_BYTES_MAX + 64];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_span good = sim_journal_link(&n->journal, 1);
    if (!good.len)
        return;
    memcpy(link, good.data, good.len);
    /* Behind the heads of the map and of "next", so that it is still some link. */
    link[16 + sim_below(&n->sim->random[SIM_TRAITOR], good.len - 16)] ^= 1;
    hub_message_epoch_proof(&b, &(struct hub_span){link, good.len}, 1);
    sim_traitor_put(n, peer, hub_span_of(&b));
}

bool sim_replayer(struct sim_node *n, int peer, struct hub_span frame)
{
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    remember(n, frame);
    if (past[n->index].count && sim_chance(r, 500)) {
        uint32_t i = (uint32_t)sim_below(r, past[n->index].count);
        sim_traitor_put(
            n, -1, (struct hub_span){past[n->index].frame[i].bytes, past[n->index].frame[i].len});
    }
    if (sim_chance(r, 100))
        forge_link(n, peer);
    return false;
}
