/* core.c: one consensus core driven by hand. */
#include "core.h"

#include <string.h>

struct hub_hash core_hash(char name)
{
    struct hub_hash h;
    memset(h.b, name, sizeof h.b);
    return h;
}

void core_prepare(struct core *k, uint8_t n, uint8_t q, uint8_t me)
{
    struct hub_cons_config cfg = {.n = n, .q = q, .me = me, .delta_ms = 250};
    struct hub_point fin = {0, 0, core_hash('g')};
    memset(k, 0, sizeof *k);
    k->now_ms = 100000;
    k->wall_ms = CORE_WALL_MS;
    hub_cons_init(&k->c, &cfg, &fin, CORE_WALL_MS - 60000);
}

void core_start(struct core *k)
{
    core_step(k, &(struct hub_event){.kind = HUB_EV_START});
}

void core_open(struct core *k, uint8_t n, uint8_t q, uint8_t me)
{
    core_prepare(k, n, q, me);
    core_start(k);
}

struct hub_header_facts core_block(const struct core *k, char name, uint64_t view, char parent,
                                   uint64_t parent_view, uint64_t height)
{
    return (struct hub_header_facts){.hash = core_hash(name),
                                     .parent = core_hash(parent),
                                     .log_root = core_hash('r'),
                                     .view = view,
                                     .parent_view = parent_view,
                                     .height = height,
                                     .log_size = 10 + height,
                                     .time_ms = k->wall_ms,
                                     .proposer = hub_cons_leader(&k->c, view)};
}

struct hub_subject core_notarize(const struct hub_header_facts *b)
{
    return (struct hub_subject){.kind = HUB_NOTARIZE, .view = b->view, .block_hash = b->hash};
}

struct hub_subject core_nullify(uint64_t view)
{
    return (struct hub_subject){.kind = HUB_NULLIFY, .view = view};
}

struct hub_subject core_finalize(const struct hub_header_facts *b)
{
    return (struct hub_subject){.kind = HUB_FINALIZE,
                                .view = b->view,
                                .height = b->height,
                                .log_size = b->log_size,
                                .block_hash = b->hash,
                                .log_root = b->log_root};
}

void core_step(struct core *k, struct hub_event *ev)
{
    ev->now_mono_ms = k->now_ms;
    ev->now_wall_ms = k->wall_ms;
    hub_cons_step(&k->c, ev, &k->fx);
    hub_cons_assert(&k->c);
    for (uint32_t i = 0; i < k->fx.count; i++)
        if (k->fx.item[i].kind == HUB_FX_VOTE)
            k->votes[k->fx.item[i].subject.kind]++;
}

void core_tick(struct core *k, uint64_t ms)
{
    k->now_ms += ms;
    k->wall_ms += ms;
    core_step(k, &(struct hub_event){.kind = HUB_EV_TICK});
}

void core_vote(struct core *k, struct hub_subject s, uint8_t signer)
{
    struct hub_event ev = {.kind = HUB_EV_VOTE};
    ev.u.vote.subject = s;
    ev.u.vote.signer = signer;
    core_step(k, &ev);
}

void core_own(struct core *k, struct hub_subject s)
{
    struct hub_event ev = {.kind = HUB_EV_OWN_VOTE};
    ev.u.vote.subject = s;
    ev.u.vote.signer = k->c.cfg.me;
    core_step(k, &ev);
}

void core_certify(struct core *k, struct hub_subject s)
{
    struct hub_event ev = {.kind = HUB_EV_CERTIFICATE};
    uint8_t left = k->c.cfg.q;
    for (uint8_t i = k->c.cfg.n; i-- > 0 && left > 0;)
        if (i != k->c.cfg.me || left > i) {
            ev.u.certificate.signers |= UINT64_C(1) << i;
            left--;
        }
    ev.u.certificate.subject = s;
    core_step(k, &ev);
}

void core_propose(struct core *k, const struct hub_header_facts *b)
{
    struct hub_event ev = {.kind = HUB_EV_PROPOSAL};
    ev.u.proposal.header = *b;
    ev.u.proposal.from = b->proposer;
    core_step(k, &ev);
}

void core_verdict(struct core *k, const struct hub_header_facts *b, bool valid)
{
    struct hub_event ev = {.kind = HUB_EV_BLOCK};
    ev.u.block.header = *b;
    ev.u.block.valid = valid;
    core_step(k, &ev);
}

void core_built(struct core *k, const struct hub_header_facts *b, enum hub_built outcome)
{
    struct hub_event ev = {.kind = HUB_EV_BUILT};
    ev.u.built.view = b->view;
    ev.u.built.header = *b;
    ev.u.built.outcome = outcome;
    core_step(k, &ev);
}

void core_gate(struct core *k, bool has_records)
{
    struct hub_event ev = {.kind = HUB_EV_GATE};
    ev.u.gate.has_records = has_records;
    core_step(k, &ev);
}

void core_peer(struct core *k, uint8_t peer, uint64_t view, uint64_t top_view)
{
    struct hub_event ev = {.kind = HUB_EV_PEER};
    ev.u.peer.peer = peer;
    ev.u.peer.view = view;
    ev.u.peer.top.view = top_view;
    ev.u.peer.period_ms = 1000;
    core_step(k, &ev);
}

void core_notarized(struct core *k, const struct hub_header_facts *b)
{
    core_certify(k, core_notarize(b));
    core_verdict(k, b, true);
}

const struct hub_effect *core_effect(const struct core *k, enum hub_effect_kind kind)
{
    for (uint32_t i = 0; i < k->fx.count; i++)
        if (k->fx.item[i].kind == kind)
            return &k->fx.item[i];
    return NULL;
}

uint32_t core_count(const struct core *k, enum hub_effect_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < k->fx.count; i++)
        count += k->fx.item[i].kind == kind;
    return count;
}

bool core_casts(const struct core *k, struct hub_subject s)
{
    for (uint32_t i = 0; i < k->fx.count; i++)
        if (k->fx.item[i].kind == HUB_FX_VOTE && hub_subject_equal(&k->fx.item[i].subject, &s))
            return true;
    return false;
}
