/* recovery.c: the quorum is lost for good, and what people do then: read where the remaining validators stand, sign the
 * record that goes on from there, give it to the nodes. As tools/recovery.c does, of simulated journals. */
#include "sim.h"

#include "hub/cose.h"

#include <string.h>

enum { ROOM = 8192, VALID_MS = 3600000, STARTS_AFTER_MS = 200 };

struct stand {
    uint64_t view; /* 0: it has cast no FINALIZE */
    const struct sim_block *base;
};

static struct stand stand_of(const struct sim_node *n)
{
    const struct sim_journal *j = &n->journal;
    struct stand out = {.view = 0};
    for (uint64_t view = 1; view <= j->now.voted.view; view++) {
        const struct hub_vote *f = sim_journal_vote(j, 0, view, HUB_FINALIZE);
        if (f)
            out = (struct stand){view, sim_journal_find(j, &f->subject.block_hash)};
    }
    return out;
}

static void put_body(struct hub_buf *b, const struct sim *s, const struct sim_block *base)
{
    const uint8_t survivors = s->plan.survivors;
    const uint64_t now_ms = SIM_EPOCH_MS + s->now_ms, least_ms = base->header.time_ms + 1;
    hub_put_map(b, 8);
    hub_put_text(b, "base");
    hub_put_hash(b, &base->hash);
    hub_put_text(b, "epoch");
    hub_put_uint(b, 0);
    hub_put_text(b, "quorum");
    hub_put_uint(b, hub_quorum_default(survivors));
    hub_put_text(b, "reason");
    hub_put_map(b, 1);
    hub_put_text(b, "zh");
    hub_put_text(b, "half is lost");
    hub_put_text(b, "signers");
    hub_put_array(b, survivors);
    for (uint8_t i = 0; i < survivors; i++) {
        hub_put_map(b, 2);
        hub_put_text(b, "kid");
        hub_put_hash(b, &s->world->validator[i].kid);
        hub_put_text(b, "view");
        hub_put_uint(b, stand_of(&s->node[i]).view);
    }
    hub_put_text(b, "time_ms");
    hub_put_uint(b, now_ms > least_ms ? now_ms : least_ms);
    hub_put_text(b, "validators");
    hub_put_array(b, survivors);
    for (uint8_t i = 0; i < survivors; i++)
        hub_put_hash(b, &s->world->validator[i].kid);
    hub_put_text(b, "fault_model");
    hub_put_text(b, survivors == 3 ? "all-of-3" : "bft");
}

/* Governor 0 makes it; the other members' and the survivors' validators sign beside it. */
static void sign(struct hub_buf *out, const struct sim *s, const struct sim_block *base)
{
    static uint8_t body_bytes[ROOM], header_bytes[ROOM], payload_bytes[ROOM], scratch_bytes[ROOM];
    struct hub_buf body = {.data = body_bytes, .cap = ROOM},
                   head = {.data = header_bytes, .cap = ROOM};
    struct hub_buf payload = {.data = payload_bytes, .cap = ROOM};
    struct hub_buf scratch = {.data = scratch_bytes, .cap = ROOM};
    const struct sim_world *w = s->world;
    const char *iss = sim_member_code(0);
    struct hub_cosignature co[HUB_COSIGN_MAX];
    uint32_t n = 0;
    put_body(&body, s, base);
    struct hub_record_draft d = {.type = HUB_TYPE_EPOCH_RECOVER,
                                 .kid = w->governor[0].kid,
                                 .chain = w->genesis.chain,
                                 .iss = {(const uint8_t *)iss, strlen(iss)},
                                 .sub = hub_text_span("recovery"),
                                 .seq = 1,
                                 .valid_until_ms = SIM_EPOCH_MS + s->now_ms + VALID_MS};
    hub_record_protected(&head, &d);
    for (uint8_t i = 1; i < w->n; i++)
        hub_cosign(&co[n++], &scratch, hub_span_of(&head), hub_span_of(&body), &w->governor[i].key,
                   w->governor[i].secret);
    for (uint8_t i = 0; i < s->plan.survivors; i++)
        hub_cosign(&co[n++], &scratch, hub_span_of(&head), hub_span_of(&body), &w->validator[i].key,
                   w->validator[i].secret);
    hub_payload_cosigned(&payload, hub_span_of(&body), co, n);
    d.payload = hub_span_of(&payload);
    HUB_ASSERT(hub_record_build(out, &scratch, &d, w->governor[0].secret) == HUB_OK);
}

void sim_gone(struct sim *s)
{
    for (uint8_t i = s->plan.survivors; i < s->plan.n; i++) {
        s->node[i].gone = true;
        if (s->node[i].up)
            sim_node_down(&s->node[i]);
    }
    sim_trace(s, "all but %u validators are gone", s->plan.survivors);
}

/* Who signs runs no more: it starts again with the record, and casts no vote of this epoch. Where none has cast a FINALIZE
 * there is no base; nothing was final, and a new network is as good. */
void sim_recover(struct sim *s)
{
    static uint8_t bytes[ROOM];
    struct hub_buf out = {.data = bytes, .cap = ROOM};
    const struct hub_span none = {NULL, 0};
    uint16_t why = 0;
    struct stand top = {.view = 0};
    for (uint8_t i = 0; i < s->plan.survivors; i++) {
        if (s->node[i].up)
            sim_crash(&s->node[i], STARTS_AFTER_MS);
        const struct stand its = stand_of(&s->node[i]);
        top = its.view > top.view ? its : top;
    }
    if (!top.view) {
        s->plan.safety_only = true;
        return;
    }
    sign(&out, s, top.base);
    const struct sim_record *r =
        sim_record_keep(s, hub_span_of(&out), none, &s->world->governor[0], s->now_ms, SIM_VALID);
    HUB_ASSERT(hub_record_decode(&s->recovery.record, &why, sim_record_bytes(r), none,
                                 &s->world->genesis.chain) == HUB_OK);
    s->recovery.id = s->recovery.record.id;
    s->recovery.genesis = s->world->genesis;
    s->recovery.genesis.accepted = (struct hub_accepted){&s->recovery.id, 1, false};
    s->recovery.signed_ = s->recovery.given = true;
    sim_trace(s, "recovery: %u validators go on from view %llu, height %llu", s->plan.survivors,
              (unsigned long long)top.view, (unsigned long long)top.base->header.height);
}
