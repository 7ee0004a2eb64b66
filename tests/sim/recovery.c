/* recovery.c: the quorum is lost for good, and what people do then: read where the remaining validators stand, sign the
 * record that goes on from there, give it to the nodes. As tools/recovery.c does, of simulated journals. */
#include "sim.h"

#include "hub/cose.h"

#include <string.h>

enum { ROOM = 8192, VALID_MS = 3600000, STARTS_AFTER_MS = 200 };

/* Where those stand who are left: base is the block of the highest view of the epoch in which one of them cast FINALIZE, or
 * the block that began the epoch; NULL: they have neither. */
struct stand {
    uint8_t survivors;
    uint64_t epoch;
    const struct sim_block *base;
};

/* 0: it has cast no FINALIZE in this epoch. */
static uint64_t highest_view(const struct sim_journal *j, uint64_t epoch)
{
    uint64_t view = j->now.voted.epoch == epoch ? j->now.voted.view : 0;
    while (view && !sim_journal_vote(j, epoch, view, HUB_FINALIZE))
        view--;
    return view;
}

static const struct sim_block *base_of(const struct sim_journal *j, uint64_t epoch)
{
    const uint64_t view = highest_view(j, epoch);
    const struct sim_block *tip = sim_journal_at(j, j->now.tip.height);
    if (view)
        return sim_journal_find(
            j, &sim_journal_vote(j, epoch, view, HUB_FINALIZE)->subject.block_hash);
    return tip && hub_header_begins_epoch(&tip->header) && tip->header.epoch + 1 == epoch ? tip
                                                                                          : NULL;
}

static struct stand stand_of(const struct sim *s, uint8_t survivors)
{
    struct stand out = {.survivors = survivors};
    uint64_t top = 0;
    for (uint8_t i = 0; i < survivors; i++)
        if (s->node[i].journal.now.links > out.epoch)
            out.epoch = s->node[i].journal.now.links;
    for (uint8_t i = 0; i < survivors; i++) {
        const struct sim_journal *j = &s->node[i].journal;
        const struct sim_block *base = base_of(j, out.epoch);
        if (base && (!out.base || highest_view(j, out.epoch) > top)) {
            out.base = base;
            top = highest_view(j, out.epoch);
        }
    }
    return out;
}

static void put_body(struct hub_buf *b, const struct sim *s, const struct stand *at)
{
    const uint8_t survivors = at->survivors;
    const uint64_t now_ms = SIM_EPOCH_MS + s->now_ms, least_ms = at->base->header.time_ms + 1;
    hub_put_map(b, 8);
    hub_put_text(b, "base");
    hub_put_hash(b, &at->base->hash);
    hub_put_text(b, "epoch");
    hub_put_uint(b, at->epoch);
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
        hub_put_uint(b, highest_view(&s->node[i].journal, at->epoch));
    }
    hub_put_text(b, "time_ms");
    hub_put_uint(b, now_ms > least_ms ? now_ms : least_ms);
    hub_put_text(b, "validators");
    hub_put_array(b, survivors);
    for (uint8_t i = 0; i < survivors; i++)
        hub_put_hash(b, &s->world->validator[i].kid);
    hub_put_text(b, "fault_model");
    hub_put_text(b, survivors == 1 ? "single" : survivors == 3 ? "all-of-3" : "bft");
}

/* Governor 0 makes it; the other members' and the survivors' validators sign beside it. */
static void sign(struct hub_buf *out, const struct sim *s, const struct stand *at)
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
    put_body(&body, s, at);
    struct hub_record_draft d = {.type = HUB_TYPE_EPOCH_RECOVER,
                                 .kid = w->governor[0].kid,
                                 .chain = w->genesis.chain,
                                 .iss = {(const uint8_t *)iss, strlen(iss)},
                                 .sub = hub_text_span("recovery"),
                                 .seq = 1 + s->recovery.signed_,
                                 .valid_until_ms = SIM_EPOCH_MS + s->now_ms + VALID_MS};
    hub_record_protected(&head, &d);
    for (uint8_t i = 1; i < w->n; i++)
        hub_cosign(&co[n++], &scratch, hub_span_of(&head), hub_span_of(&body), &w->governor[i].key,
                   w->governor[i].secret);
    for (uint8_t i = 0; i < at->survivors; i++)
        hub_cosign(&co[n++], &scratch, hub_span_of(&head), hub_span_of(&body), &w->validator[i].key,
                   w->validator[i].secret);
    hub_payload_cosigned(&payload, hub_span_of(&body), co, n);
    d.payload = hub_span_of(&payload);
    HUB_ASSERT(hub_record_build(out, &scratch, &d, w->governor[0].secret) == HUB_OK);
}

/* Before they have followed the first recovery, to lose more of them is to lose more than it allows for. */
static bool may_be_lost(const struct sim *s, uint32_t ruin)
{
    for (uint8_t i = 0; i < s->plan.ruin[ruin].survivors; i++)
        if (s->node[i].journal.now.links < ruin)
            return false;
    return true;
}

void sim_gone(struct sim *s, uint32_t ruin)
{
    if (!may_be_lost(s, ruin)) {
        s->plan.ruin[ruin].survivors = 0;
        return;
    }
    for (uint8_t i = s->plan.ruin[ruin].survivors; i < s->plan.n; i++) {
        s->node[i].gone = true;
        if (s->node[i].up)
            sim_node_down(&s->node[i]);
    }
    sim_trace(s, "all but %u validators are gone", s->plan.ruin[ruin].survivors);
}

/* Who signs runs no more: it starts again with the record, and casts no vote of this epoch. Where none has cast a FINALIZE
 * there is no base; nothing was final, and a new network is as good. */
void sim_recover(struct sim *s, uint32_t ruin)
{
    static uint8_t bytes[ROOM];
    const uint8_t survivors = s->plan.ruin[ruin].survivors;
    const uint32_t number = s->recovery.signed_;
    struct hub_buf out = {.data = bytes, .cap = ROOM};
    struct hub_record *record = &s->recovery.record[number];
    const struct hub_span none = {NULL, 0};
    uint16_t why = 0;
    for (uint8_t i = 0; i < survivors; i++)
        if (s->node[i].up)
            sim_crash(&s->node[i], STARTS_AFTER_MS);
    const struct stand at = stand_of(s, survivors);
    if (!at.base) {
        s->plan.safety_only |= survivors > 0;
        return;
    }
    sign(&out, s, &at);
    const struct sim_record *r =
        sim_record_keep(s, hub_span_of(&out), none, &s->world->governor[0], s->now_ms, SIM_VALID);
    HUB_ASSERT(hub_record_decode(record, &why, sim_record_bytes(r), none,
                                 &s->world->genesis.chain) == HUB_OK);
    s->recovery.id[number] = record->id;
    s->recovery.genesis = s->world->genesis;
    s->recovery.genesis.accepted = (struct hub_accepted){s->recovery.id, number + 1, false};
    s->recovery.signed_ = s->recovery.given = number + 1;
    sim_trace(s, "recovery: %u validators go on from height %llu of epoch %llu", survivors,
              (unsigned long long)at.base->header.height, (unsigned long long)at.epoch);
}
