/* disrupter.c: a traitor that changes or invents votes of all kinds, in one of three scopes: the views around its
 * own, any view at all, and views that nobody has reached; and now and then random bytes. */
#include "sim.h"

enum { SMALL = 3, FUTURE = 500 };

static uint64_t pick_view(struct sim_node *n, uint64_t view)
{
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    switch (sim_below(r, 3)) {
    case 0:
        return view + SMALL - sim_below(r, view < SMALL ? view + 1 : 2 * SMALL + 1);
    case 1:
        return sim_random(r) % HUB_UINT_MAX;
    default:
        return view + sim_below(r, FUTURE);
    }
}

/* The blocks of the journal, newest first by far. */
static const struct sim_block *some_block(struct sim_node *n)
{
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    size_t blocks = n->journal.now.blocks, back = (size_t)sim_below(r, sim_chance(r, 800) ? 4 : 64);
    return blocks ? &n->journal.block[blocks - 1 - (back < blocks ? back : 0)] : NULL;
}

static void invent(struct sim_node *n, int peer, const struct hub_subject *seen)
{
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    struct hub_subject s = {.kind = (uint8_t)(1 + sim_below(r, 3)),
                            .epoch = seen->epoch,
                            .view = pick_view(n, seen->view)};
    const struct sim_block *b = some_block(n);
    if (!s.view)
        s.view = 1;
    if (s.kind != HUB_NULLIFY)
        s.block_hash = b && sim_chance(r, 700) ? b->hash : sim_traitor_hash(n);
    if (s.kind == HUB_FINALIZE) {
        s.height = b ? b->header.height + sim_below(r, 2) : 1 + sim_below(r, 9);
        s.log_size = b ? b->header.log_size + sim_below(r, 2) : 1 + sim_below(r, 9);
        s.log_root = b && sim_chance(r, 700) ? b->header.log_root : sim_traitor_hash(n);
    }
    sim_traitor_votes(n, peer, &s);
}

static void noise(struct sim_node *n, int peer)
{
    uint8_t bytes[64];
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    size_t len = 1 + sim_below(r, sizeof bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)sim_random(r);
    sim_traitor_put(n, peer, (struct hub_span){bytes, len});
}

bool sim_disrupter(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_VOTE || m.u.vote.signer != n->index)
        return false;
    for (uint64_t i = 1 + sim_below(r, 3); i-- > 0;)
        invent(n, peer, &m.u.vote.subject);
    if (sim_chance(r, 200))
        noise(n, peer);
    return sim_chance(r, 500);
}
