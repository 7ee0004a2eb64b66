/* framer.c: a traitor that accuses others: with votes under their number that it signed itself, with honest votes
 * that may stand together, and with votes of two validators as if they were one's. Nobody may believe it. */
#include "sim.h"

#include "hub/evidence.h"

static void accuse(struct sim_node *n, const struct hub_offence *o)
{
    static uint8_t item_bytes[HUB_EVIDENCE_BYTES_MAX + 64],
        frame_bytes[HUB_EVIDENCE_BYTES_MAX + 128];
    static const uint8_t none = 0x80;
    struct hub_buf item = {.data = item_bytes, .cap = sizeof item_bytes};
    struct hub_buf frame = {.data = frame_bytes, .cap = sizeof frame_bytes};
    struct hub_validators set;
    if (o->vote[0].subject.epoch >= n->sim->epochs)
        return;
    sim_set_of(n->sim, o->vote[0].subject.epoch, &set);
    if (o->vote[0].signer >= set.n || o->vote[1].signer >= set.n)
        return; /* its own vote of the epoch before, and a victim of today's larger set */
    hub_evidence_encode(&item, o, &set, (struct hub_span){&none, 1});
    hub_message_evidence(&frame, hub_span_of(&item));
    if (!item.full && !frame.full)
        sim_traitor_put(n, -1, hub_span_of(&frame));
}

/* Its own vote as another's, beside a NULLIFY of that other's view that it signs as well. */
static void forged(struct sim_node *n, const struct hub_vote *mine, uint8_t victim)
{
    struct hub_offence o = {.kind = HUB_OFFENCE_NULLIFIED_FINALIZED, .vote = {*mine, *mine}};
    o.vote[0].signer = o.vote[1].signer = victim;
    o.vote[0].subject = (struct hub_subject){
        .kind = HUB_NULLIFY, .epoch = mine->subject.epoch, .view = mine->subject.view};
    o.vote[1].subject.kind = HUB_FINALIZE;
    accuse(n, &o);
}

/* True votes of view `s->view`, of one signer or of two, under the name of an offence. */
static void twisted(struct sim_node *n, const struct hub_vote_set *s, uint8_t a, uint8_t b)
{
    for (unsigned k = 0; k < 9; k++) {
        unsigned first = k / 3, second = k % 3;
        if (first > second || !(s->held[first] >> a & 1) || !(s->held[second] >> b & 1))
            continue;
        struct hub_offence o = {
            .kind = (enum hub_offence_kind)(1 + sim_below(&n->sim->random[SIM_TRAITOR], 4)),
            .vote = {s->vote[first][a], s->vote[second][b]}};
        accuse(n, &o);
    }
}

bool sim_framer(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    uint64_t *r = &n->sim->random[SIM_TRAITOR];
    uint8_t size = n->replica->chain.set.n, a = (uint8_t)sim_below(r, size),
            b = (uint8_t)sim_below(r, size);
    (void)peer;
    if (!hub_message_decode(&m, frame) || m.kind != HUB_MSG_VOTE || m.u.vote.signer != n->index)
        return false;
    if (a != n->index)
        forged(n, &m.u.vote, a);
    for (uint32_t i = 0; i < HUB_VOTE_VIEWS_MAX; i++)
        if (n->replica->votes[i].view == m.u.vote.subject.view)
            twisted(n, &n->replica->votes[i], a, sim_chance(r, 500) ? a : b);
    return false;
}
