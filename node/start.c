/* start.c: how a replica begins: memory, replay of stored blocks, the journal into the core, and the questions
 * to its peers before it votes (permit.c). */
#include "node/replica_parts.h"

#include "hub/member.h"

#include <string.h>

enum { SCRATCH_BYTES = HUB_BODY_BYTES_MAX + HUB_JUST_MAX * HUB_CERTIFICATE_BYTES_MAX };

size_t hub_replica_memory_bytes(void)
{
    return (size_t)HUB_BODIES_MAX * HUB_BODY_BYTES_MAX + HUB_OUTBOX_BYTES_MAX + SCRATCH_BYTES +
           2 * HUB_BLOCK_RECORDS_MAX * sizeof(struct hub_record) +
           HUB_BLOCK_RECORDS_MAX * sizeof(struct hub_record_keys) + HUB_LINK_BYTES_MAX + 8 * 64;
}

static void *carve(uint8_t **at, size_t bytes)
{
    void *p = *at;
    *at += (bytes + 63) / 64 * 64;
    return p;
}

static void lay_out_memory(struct hub_replica *r)
{
    uint8_t *at = r->cfg.memory;
    r->records = carve(&at, HUB_BLOCK_RECORDS_MAX * sizeof *r->records);
    r->candidates = carve(&at, HUB_BLOCK_RECORDS_MAX * sizeof *r->candidates);
    r->keys = carve(&at, HUB_BLOCK_RECORDS_MAX * sizeof *r->keys);
    r->outbox =
        (struct hub_buf){.data = carve(&at, HUB_OUTBOX_BYTES_MAX), .cap = HUB_OUTBOX_BYTES_MAX};
    r->scratch = (struct hub_buf){.data = carve(&at, SCRATCH_BYTES), .cap = SCRATCH_BYTES};
    r->proof.bytes =
        (struct hub_buf){.data = carve(&at, HUB_LINK_BYTES_MAX), .cap = HUB_LINK_BYTES_MAX};
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++)
        r->body[i].bytes =
            (struct hub_buf){.data = carve(&at, HUB_BODY_BYTES_MAX), .cap = HUB_BODY_BYTES_MAX};
}

static void init_core(struct hub_replica *r)
{
    const struct hub_state *s = &r->chain.state;
    uint8_t n = hub_replica_n(r);
    uint64_t bits = hub_parameter(s, HUB_PARAM_CONSENSUS_BLOCK_BYTES) * 8 * (n - 1u);
    struct hub_cons_config cfg = {
        .epoch = r->chain.set.epoch,
        .n = n,
        .q = r->chain.set.q,
        .me = r->cfg.me,
        .leader_offset = hub_get_be64(r->seal_hash.b) % n,
        .delta_ms = hub_parameter(s, HUB_PARAM_CONSENSUS_DELTA_MS),
        .pace_ms = hub_parameter(s, HUB_PARAM_CONSENSUS_PACE_MS),
        .heartbeat_ms = hub_parameter(s, HUB_PARAM_CONSENSUS_HEARTBEAT_S) * 1000,
        .block_send_ms = bits / (r->cfg.uplink_mbit * 1000),
        .jitter_seed = r->cfg.jitter_seed,
    };
    struct hub_point fin = hub_replica_fin(r);
    hub_cons_init(&r->cons, &cfg, &fin, r->chain.final_header.time_ms);
}

/* Steps without effects: before START the core asks for none. */
static void feed_before_start(struct hub_replica *r, struct hub_event *ev)
{
    ev->now_mono_ms = r->now.mono_ms;
    ev->now_wall_ms = r->now.wall_ms;
    hub_cons_step(&r->cons, ev, &r->effects);
    HUB_ASSERT(!r->effects.count);
}

/* Signatures are checked again: the disk is trusted no more than a peer. */
static void feed_certificate(void *ctx, const struct hub_certificate *c)
{
    struct hub_replica *r = ctx;
    struct hub_event ev = {.kind = HUB_EV_CERTIFICATE};
    ev.u.certificate.subject = c->subject;
    ev.u.certificate.signers = c->signers;
    if (!hub_certificate_ok(c, &r->chain.set)) {
        hub_replica_ok(r, HUB_CORRUPT);
        return;
    }
    hub_replica_note_signers(r, c);
    if (hub_cons_wants_certificate(&r->cons, &c->subject))
        feed_before_start(r, &ev);
}

static void feed_own_vote(void *ctx, const struct hub_vote *v)
{
    struct hub_replica *r = ctx;
    struct hub_event ev = {.kind = HUB_EV_OWN_VOTE};
    ev.u.vote.subject = v->subject;
    ev.u.vote.signer = v->signer;
    if (v->signer != r->cfg.me || !hub_vote_ok(v, &r->chain.set)) {
        hub_replica_ok(r, HUB_CORRUPT);
        return;
    }
    feed_before_start(r, &ev);
    if (hub_replica_view_held(r, v->subject.view))
        hub_replica_keep_vote(r, v);
}

static void feed_journal(struct hub_replica *r)
{
    uint64_t epoch = r->chain.set.epoch, from = hub_replica_fin(r).view;
    hub_replica_found(r, r->port.each_certificate(r->port.store, epoch, from, feed_certificate, r));
    if (r->cfg.me < hub_replica_n(r))
        hub_replica_found(r, r->port.each_vote(r->port.store, epoch, from + 1, feed_own_vote, r));
}

/* The epoch in which the chain stands: its core, what the journal has of it, the questions before a vote. */
static void begin_epoch(struct hub_replica *r)
{
    const uint8_t n = hub_replica_n(r);
    struct hub_event start = {.kind = HUB_EV_START};
    if (!hub_replica_ok(r, hub_epochs_seal_hash(r, &r->seal_hash)))
        return;
    for (r->cfg.me = 0; r->cfg.me < n; r->cfg.me++)
        if (hub_hash_equal(&r->chain.set.v[r->cfg.me].kid, &r->cfg.kid))
            break;
    r->port.epoch(r->port.client, &r->chain.set, r->cfg.me);
    init_core(r);
    hub_recover_begin(r);
    if (!hub_replica_ok(r, hub_permit_begin(r)))
        return;
    r->cfg.acknowledge = false; /* said once, of what had happened by then */
    feed_journal(r);
    hub_replica_push(r, &start);
    r->status_due_ms = r->now.mono_ms;
    r->gate.stale = true;
}

/* What belongs to the old set goes: its events, votes, wants, and the peers' places. */
void hub_replica_next_epoch(struct hub_replica *r)
{
    r->event_first = r->event_count = r->own_count = 0;
    for (uint32_t i = 0; i < HUB_VOTE_VIEWS_MAX; i++)
        r->votes[i].view = 0;
    memset(r->highest, 0, sizeof r->highest);
    memset(r->want, 0, sizeof r->want);
    memset(r->peer, 0, sizeof r->peer);
    memset(r->accuse.second, 0, sizeof r->accuse.second);
    memset(&r->gate, 0, sizeof r->gate);
    const uint64_t stored = r->sync.stored;
    memset(&r->sync, 0, sizeof r->sync);
    r->sync.stored = stored;
    r->proof.held = r->ended = r->chain_full = false;
    hub_body_forget_final(r);
    begin_epoch(r);
}

enum hub_status hub_replica_start(struct hub_replica *r, const struct hub_ports *ports,
                                  const struct hub_replica_config *cfg, struct hub_now now)
{
    r->port = *ports;
    r->cfg = *cfg;
    r->now = now;
    HUB_ASSERT(cfg->uplink_mbit);
    lay_out_memory(r);
    enum hub_status st = hub_catchup_replay(r);
    if (st)
        return st;
    begin_epoch(r);
    hub_replica_drain(r);
    return r->failure;
}
