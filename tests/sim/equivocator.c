/* equivocator.c: a traitor with one validator key. As leader it shows half of the others another block of the
 * same parent and records, a millisecond younger, and votes for both; it finalizes and nullifies the same view. */
#include "sim.h"

#include "hub/hash.h"

#include <string.h>

static uint8_t block_bytes[HUB_BODY_BYTES_MAX], frame_bytes[HUB_FRAME_BYTES_MAX];

static void sign_subject(struct sim_node *n, struct hub_vote *v)
{
    uint8_t bytes[1024];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    v->signer = n->index;
    hub_vote_message(&b, &n->sim->world->genesis.set, &v->subject, n->index);
    hub_sign(&v->sig, n->sim->world->validator[n->index].secret, hub_span_of(&b));
}

static void send_vote(struct sim_node *n, uint8_t to, const struct hub_subject *s)
{
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_vote v = {.subject = *s};
    sign_subject(n, &v);
    hub_message_vote(&b, &v);
    sim_net_put(n->sim, n->index, to, hub_span_of(&b));
}

/* The same proposal, a millisecond younger. */
static struct hub_span twin(struct sim_node *n, const struct hub_message *m, struct hub_vote *vote)
{
    struct hub_header h = m->u.propose.header;
    uint8_t header_bytes[HUB_HEADER_BYTES_MAX];
    struct hub_buf header = {.data = header_bytes, .cap = sizeof header_bytes};
    struct hub_buf block = {.data = block_bytes, .cap = sizeof block_bytes};
    struct hub_buf frame = {.data = frame_bytes, .cap = sizeof frame_bytes};
    h.time_ms++;
    hub_header_encode(&header, &h);
    hub_put_array(&block, 2);
    hub_put_bytes(&block, hub_span_of(&header));
    hub_put_raw(&block, m->u.propose.entries);
    *vote = (struct hub_vote){.subject = {.kind = HUB_NOTARIZE, .epoch = h.epoch, .view = h.view}};
    hub_header_hash(&vote->subject.block_hash, hub_span_of(&header));
    sign_subject(n, vote);
    hub_message_propose(&frame, hub_span_of(&block), &vote->sig, m->u.propose.just,
                        m->u.propose.just_count);
    return hub_span_of(&frame);
}

static void two_faces(struct sim_node *n, const struct hub_message *m, struct hub_span frame)
{
    struct sim *s = n->sim;
    struct hub_vote other;
    struct hub_span second = twin(n, m, &other);
    for (uint8_t to = 0; to < s->plan.n; to++) {
        if (to == n->index)
            continue;
        bool first = sim_random(&s->random[SIM_TRAITOR]) & 1;
        if (s->faces)
            first = !(s->faces >> to & 1);
        sim_net_put(s, n->index, to, first ? frame : second);
        if (s->faces)
            send_vote(n, to, &other.subject);
        else if (sim_chance(&s->random[SIM_TRAITOR], 300)) /* and then the other face too */
            sim_net_put(s, n->index, to, first ? second : frame);
        if (!s->faces && sim_chance(&s->random[SIM_TRAITOR], 300))
            send_vote(n, to, &other.subject);
    }
}

bool sim_equivocate(struct sim_node *n, int peer, struct hub_span frame)
{
    static struct hub_message m;
    struct sim *s = n->sim;
    if (s->healed || !hub_message_decode(&m, frame))
        return false;
    if (m.kind == HUB_MSG_PROPOSE) {
        two_faces(n, &m, frame);
        return true;
    }
    if (m.kind != HUB_MSG_VOTE || m.u.vote.subject.kind != HUB_FINALIZE)
        return false;
    struct hub_subject nullify = {
        .kind = HUB_NULLIFY, .epoch = m.u.vote.subject.epoch, .view = m.u.vote.subject.view};
    for (uint8_t to = 0; to < s->plan.n; to++)
        if (to != n->index && (peer < 0 || peer == to) && sim_chance(&s->random[SIM_TRAITOR], 500))
            send_vote(n, to, &nullify);
    return false;
}
