/* adversary.c: the lying validators by name, and what they share: statements under their node's key that no honest
 * node would make. */
#include "sim.h"

#include "hub/hash.h"

#include <string.h>

const struct sim_adversary sim_adversaries[] = {
    {"equivocator", "as leader two different blocks; votes for both; NULLIFY beside FINALIZE",
     sim_equivocator, true},
    {"conflicter", "beside each NOTARIZE and FINALIZE one for a block that is not", sim_conflicter,
     true},
    {"impersonator", "good messages under another validator's number", sim_impersonator, true},
    {"nuller", "NULLIFY and FINALIZE for every view", sim_nuller, true},
    {"nullify_only", "NULLIFY in place of every vote for a block", sim_nullify_only, true},
    {"outdated", "votes again, as if new, for proposals of views long left", sim_outdated, true},
    {"reconfigurer", "every vote for the next epoch", sim_reconfigurer, true},
    {"corrupt_signature", "every signature wrong in one bit", sim_corrupt_signature, false},
    {"disrupter", "votes of changed or invented content: near, any and future views", sim_disrupter,
     true},
    {"mutator", "messages with one field changed, signed again where that needs a signature",
     sim_mutator, true},
    {"garbler", "frames with flipped bits, or cut short", sim_garbler, false},
    {"withholder", "shows its blocks to just enough others, and serves none", sim_withholder,
     false},
    {"silent", "never proposes", sim_silent, false},
    {"skipper", "proposes past a certified view without proof that it was empty", sim_skipper,
     true},
    {"invalid_block", "proposes blocks that claim what executing them does not give",
     sim_invalid_block, true},
    {"flooder", "bad signatures and hungry requests without end", sim_flooder, false},
    {"framer", "accuses others with forged, twisted and mixed evidence", sim_framer, false},
    {"lying_syncer", "false STATUS; other blocks, certificates and epochs than it was asked for",
     sim_lying_syncer, false},
    {"swapper",
     "other entries under the headers of good blocks, when these were driven out of memory",
     sim_swapper, false},
    {"replayer", "what it said long ago, in epochs that are over; forged links", sim_replayer,
     false},
};
const uint32_t sim_adversary_count = sizeof sim_adversaries / sizeof sim_adversaries[0];

const struct sim_adversary *sim_adversary_find(const char *name)
{
    for (uint32_t i = 0; i < sim_adversary_count; i++)
        if (!strcmp(sim_adversaries[i].name, name))
            return &sim_adversaries[i];
    return NULL;
}

static uint8_t block_bytes[HUB_BODY_BYTES_MAX], frame_bytes[HUB_FRAME_BYTES_MAX];

static void sign_subject(struct sim_node *n, struct hub_vote *v)
{
    uint8_t bytes[1024];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    v->signer = n->index;
    hub_vote_message(&b, &n->replica->chain.set, &v->subject, n->index);
    hub_sign(&v->sig, n->sim->world->validator[n->index].secret, hub_span_of(&b));
}

void sim_traitor_vote(struct sim_node *n, uint8_t to, const struct hub_subject *s)
{
    uint8_t bytes[512];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    struct hub_vote v = {.subject = *s};
    sign_subject(n, &v);
    oracle_distrust(n->sim->checker.oracle, n->index);
    oracle_vote(n->sim->checker.oracle, n->index, s);
    hub_message_vote(&b, &v);
    sim_net_put(n->sim, n->index, to, hub_span_of(&b));
}

void sim_traitor_put(struct sim_node *n, int peer, struct hub_span frame)
{
    for (uint8_t to = 0; to < n->sim->plan.n; to++)
        if (to != n->index && (peer < 0 || peer == to))
            sim_net_put(n->sim, n->index, to, frame);
}

void sim_traitor_votes(struct sim_node *n, int peer, const struct hub_subject *s)
{
    for (uint8_t to = 0; to < n->sim->plan.n; to++)
        if (to != n->index && (peer < 0 || peer == to))
            sim_traitor_vote(n, to, s);
}

const struct sim_block *sim_traitor_block(const struct sim_node *n, const struct hub_hash *hash)
{
    return sim_journal_find(&n->journal, hash);
}

struct hub_hash sim_traitor_hash(struct sim_node *n)
{
    struct hub_hash h = {{0}};
    for (size_t i = 0; i < sizeof h.b; i += 8)
        hub_put_be64(h.b + i, sim_random(&n->sim->random[SIM_TRAITOR]));
    return h;
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
