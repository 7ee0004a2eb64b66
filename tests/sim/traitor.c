/* traitor.c: what traitors share: statements under their node's key that no honest node would make. */
#include "sim.h"

#include "hub/hash.h"

static uint8_t block_bytes[HUB_BODY_BYTES_MAX], frame_bytes[HUB_FRAME_BYTES_MAX];

static void sign_subject(struct sim_node *n, struct hub_vote *v)
{
    uint8_t bytes[1024];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    v->signer = n->index;
    hub_vote_message(&b, &n->sim->world->genesis.set, &v->subject, n->index);
    hub_sign(&v->sig, n->sim->world->validator[n->index].secret, hub_span_of(&b));
}

void sim_traitor_vote(struct sim_node *n, uint8_t to, const struct hub_subject *s)
{
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_vote v = {.subject = *s};
    sign_subject(n, &v);
    hub_message_vote(&b, &v);
    sim_net_put(n->sim, n->index, to, hub_span_of(&b));
}

struct hub_span sim_traitor_propose(struct sim_node *n, struct hub_subject *notarize,
                                    const struct hub_header *h, struct hub_span entries,
                                    const struct hub_message *m)
{
    uint8_t header_bytes[HUB_HEADER_BYTES_MAX];
    struct hub_buf header = {.data = header_bytes, .cap = sizeof header_bytes};
    struct hub_buf block = {.data = block_bytes, .cap = sizeof block_bytes};
    struct hub_buf frame = {.data = frame_bytes, .cap = sizeof frame_bytes};
    struct hub_vote v = {.subject = {.kind = HUB_NOTARIZE, .epoch = h->epoch, .view = h->view}};
    hub_header_encode(&header, h);
    hub_put_array(&block, 2);
    hub_put_bytes(&block, hub_span_of(&header));
    hub_put_raw(&block, entries);
    hub_header_hash(&v.subject.block_hash, hub_span_of(&header));
    sign_subject(n, &v);
    hub_message_propose(&frame, hub_span_of(&block), &v.sig, m->u.propose.just,
                        m->u.propose.just_count);
    *notarize = v.subject;
    return hub_span_of(&frame);
}
