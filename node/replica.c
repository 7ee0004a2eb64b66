/* replica.c: the turn, and what each effect of the core does. See replica.h for the order that holds. */
#include "node/replica_parts.h"

#include "hub/member.h"

#include <string.h>

enum { VOTE_MESSAGE_BYTES = 1024 };

uint8_t hub_replica_n(const struct hub_replica *r)
{
    return r->chain.set.n;
}

bool hub_replica_ok(struct hub_replica *r, enum hub_status st)
{
    if (st != HUB_OK && r->failure == HUB_OK)
        r->failure = st;
    return st == HUB_OK;
}

bool hub_replica_found(struct hub_replica *r, enum hub_status st)
{
    return st != HUB_NOT_FOUND && hub_replica_ok(r, st);
}

void hub_replica_put(struct hub_replica *r, bool must)
{
    if (!r->may_commit)
        r->commit_due_ms = r->now.mono_ms + HUB_COMMIT_DELAY_MS;
    r->may_commit = true;
    r->must_commit |= must;
}

/* ---- events */

void hub_replica_push(struct hub_replica *r, const struct hub_event *ev)
{
    if (r->event_count == HUB_EVENTS_MAX) {
        r->events_lost++;
        return;
    }
    uint32_t at = (r->event_first + r->event_count++) % HUB_EVENTS_MAX;
    r->event[at] = *ev;
}

static void run_effect(struct hub_replica *r, const struct hub_effect *fx);

static void step(struct hub_replica *r)
{
    struct hub_event *ev = &r->event[r->event_first];
    r->event_first = (r->event_first + 1) % HUB_EVENTS_MAX;
    r->event_count--;
    ev->now_mono_ms = r->now.mono_ms;
    ev->now_wall_ms = r->now.wall_ms;
    hub_cons_step(&r->cons, ev, &r->effects);
    r->core_wake_ms = r->effects.wake_ms;
    for (uint32_t i = 0; i < r->effects.count && !r->failure && !r->ended; i++)
        run_effect(r, &r->effects.item[i]);
}

void hub_replica_drain(struct hub_replica *r)
{
    r->busy = false;
    for (uint32_t i = 0; i < HUB_TURN_STEPS_MAX && !r->failure; i++) {
        while (r->event_count && !r->failure && !r->ended)
            step(r);
        if (!hub_catchup_run(r))
            return;
    }
    r->busy = true;
}

/* ---- votes and certificates */

bool hub_replica_view_held(const struct hub_replica *r, uint64_t view)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        if (r->cons.views[i].used && r->cons.views[i].view == view)
            return true;
    return false;
}

struct hub_point hub_replica_fin(const struct hub_replica *r)
{
    const struct hub_header *h = &r->chain.final_header;
    return (struct hub_point){h->epoch == r->chain.set.epoch ? h->view : 0, h->height,
                              r->chain.final_hash};
}

static struct hub_vote_set *vote_set_find(struct hub_replica *r, uint64_t view)
{
    for (uint32_t i = 0; i < HUB_VOTE_VIEWS_MAX; i++)
        if (r->votes[i].view == view)
            return &r->votes[i];
    return NULL;
}

/* More sets than the core has views, so one is always free or of a view the core has dropped. */
static struct hub_vote_set *vote_set_make(struct hub_replica *r, uint64_t view)
{
    struct hub_vote_set *s = vote_set_find(r, view), *old = NULL;
    for (uint32_t i = 0; !s && i < HUB_VOTE_VIEWS_MAX; i++) {
        struct hub_vote_set *at = &r->votes[i];
        if ((!at->view || !hub_replica_view_held(r, at->view)) && (!old || at->view < old->view))
            old = at;
    }
    if (s)
        return s;
    HUB_ASSERT(old);
    old->view = view;
    memset(old->held, 0, sizeof old->held);
    return old;
}

static void keep_highest(struct hub_replica *r, const struct hub_vote *v)
{
    struct hub_vote *high = &r->highest[v->signer][v->subject.kind - 1];
    if (!high->subject.kind || v->subject.view > high->subject.view)
        *high = *v;
}

void hub_replica_keep_vote(struct hub_replica *r, const struct hub_vote *v)
{
    struct hub_vote_set *s = vote_set_make(r, v->subject.view);
    uint32_t kind = v->subject.kind - 1u;
    uint64_t bit = (uint64_t)1 << v->signer;
    keep_highest(r, v);
    struct hub_vote *kept = &s->vote[kind][v->signer];
    if (s->held[kind] & bit && !hub_subject_equal(&kept->subject, &v->subject)) {
        /* Two are evidence. Kept is the one that counts: the core may have dropped the first with its view. */
        const bool counted = hub_cons_counted(&r->cons, &kept->subject, v->signer);
        hub_accuse_keep_second(r, counted ? v : kept);
        if (counted)
            return;
    }
    s->held[kind] |= bit;
    *kept = *v;
}

void hub_replica_note_signers(struct hub_replica *r, const struct hub_certificate *c)
{
    for (uint8_t i = 0; i < hub_replica_n(r); i++)
        if (c->signers >> i & 1) {
            struct hub_vote v = {.subject = c->subject, .signer = i, .sig = c->sig[i]};
            keep_highest(r, &v);
        }
}

void hub_replica_keep_certificate(struct hub_replica *r, const struct hub_certificate *c)
{
    if (hub_accuse_certificate(r, c)) {
        hub_permit_halt(r, HUB_ABSTAIN_FORK,
                        "two certificates of one view exclude each other: more validators lied "
                        "than this ledger is safe with; voting stopped",
                        &c->subject.block_hash);
        return;
    }
    if (!hub_replica_ok(r, r->port.put_certificate(r->port.store, c, hub_replica_n(r))))
        return;
    hub_replica_put(r, false);
    hub_replica_note_signers(r, c);
    struct hub_event ev = {.kind = HUB_EV_CERTIFICATE};
    ev.u.certificate.subject = c->subject;
    ev.u.certificate.signers = c->signers;
    if (hub_cons_wants_certificate(&r->cons, &c->subject))
        hub_replica_push(r, &ev);
}

/* The core counted a quorum for this subject, and each vote it counts is kept: a vote is kept before it is counted, one
 * that is counted gives way to no other, and sets of views that the core holds are not used again. */
static void form_certificate(struct hub_replica *r, const struct hub_subject *subject)
{
    const struct hub_vote_set *s = vote_set_find(r, subject->view);
    struct hub_certificate c = {.subject = *subject};
    uint32_t kind = subject->kind - 1u, count = 0;
    for (uint8_t i = 0; s && i < hub_replica_n(r); i++)
        if (s->held[kind] >> i & 1 && hub_subject_equal(&s->vote[kind][i].subject, subject)) {
            c.signers |= (uint64_t)1 << i;
            c.sig[i] = s->vote[kind][i].sig;
            count++;
        }
    HUB_ASSERT(count >= r->chain.set.q);
    hub_replica_keep_certificate(r, &c);
    hub_outbox_certificate(r, -1, &c);
}

/* The only place where a vote of this node comes to be. The journal refuses what it contradicts. */
static void cast_vote(struct hub_replica *r, const struct hub_subject *subject)
{
    uint8_t bytes[VOTE_MESSAGE_BYTES];
    struct hub_buf message = {.data = bytes, .cap = sizeof bytes};
    struct hub_vote v = {.subject = *subject, .signer = r->cfg.me};
    HUB_ASSERT(r->cfg.me < hub_replica_n(r));
    if (r->voting != HUB_VOTING_ALLOWED || r->own_count == sizeof r->own / sizeof r->own[0])
        return;
    hub_vote_message(&message, &r->chain.set, subject, r->cfg.me);
    HUB_ASSERT(!message.full);
    r->port.sign(r->port.signer, &v.sig, hub_span_of(&message));
    if (!hub_replica_ok(r, r->port.put_vote(r->port.store, &v)))
        return;
    hub_replica_put(r, true);
    r->own[r->own_count++] = v;
    if (subject->kind != HUB_NOTARIZE || hub_cons_leader(&r->cons, subject->view) != r->cfg.me)
        hub_outbox_vote(r, -1, &v);
}

/* After the commit our votes count like everybody's. */
static void feed_own_votes(struct hub_replica *r)
{
    for (uint32_t i = 0; i < r->own_count; i++) {
        struct hub_event ev = {.kind = HUB_EV_VOTE};
        ev.u.vote.subject = r->own[i].subject;
        ev.u.vote.signer = r->own[i].signer;
        hub_replica_keep_vote(r, &r->own[i]);
        hub_replica_push(r, &ev);
    }
    r->own_count = 0;
}

void hub_replica_set_voting(struct hub_replica *r, enum hub_voting voting)
{
    struct hub_event ev = {.kind = HUB_EV_VOTING};
    r->voting = voting;
    ev.u.voting.allowed = voting == HUB_VOTING_ALLOWED;
    hub_replica_push(r, &ev);
}

/* ---- proposals */

/* Tells the core whether a record waits that could go into the next block. */
static void tell_gate(struct hub_replica *r)
{
    const struct hub_hash *base = hub_cons_base(&r->cons);
    bool moved = r->gate.view != r->cons.view || !hub_hash_equal(base, &r->gate.base);
    bool again = !r->gate.waiting && r->now.mono_ms >= r->gate.look_ms;
    if (!moved && !again && !r->gate.stale)
        return;
    r->gate.look_ms = r->now.mono_ms + HUB_STATUS_PERIOD_MS;
    if (hub_chain_move(&r->chain, base) != HUB_OK) /* catch-up is ahead of the core */
        return;
    r->gate.stale = false;
    r->gate.view = r->cons.view;
    r->gate.base = *base;
    bool waiting = r->port.waiting(r->port.pool, &r->chain.state, r->cons.view, r->now.mono_ms);
    if (waiting == r->gate.waiting)
        return;
    r->gate.waiting = waiting;
    struct hub_event ev = {.kind = HUB_EV_GATE};
    ev.u.gate.has_records = waiting;
    hub_replica_push(r, &ev);
}

static bool build_block(struct hub_replica *r, struct hub_block *block, const struct hub_effect *fx,
                        struct hub_buf *out)
{
    const struct hub_header *parent = hub_chain_header(&r->chain, &fx->parent);
    if (!parent || hub_chain_move(&r->chain, &fx->parent) != HUB_OK)
        return false;
    uint64_t after = parent->time_ms + 1, room;
    *block = (struct hub_block){.records = r->candidates};
    block->header.view = fx->view;
    block->header.parent_view = fx->first;
    block->header.time_ms = r->now.wall_ms > after ? r->now.wall_ms : after;
    block->header.proposer = r->cfg.me;
    room = hub_parameter(&r->chain.state, HUB_PARAM_CONSENSUS_BLOCK_BYTES);
    const bool empty = fx->empty || hub_chain_ends_epoch(&r->chain, parent);
    if (!empty)
        block->count = r->port.take(r->port.pool, &r->chain.state, block->header.time_ms,
                                    r->candidates, HUB_BLOCK_RECORDS_MAX, room);
    if (!empty && !block->count) {
        block->bytes = (struct hub_span){NULL, 0};
        return true;
    }
    return hub_chain_build(&r->chain, &fx->parent, block, out) == HUB_OK;
}

static void build(struct hub_replica *r, const struct hub_effect *fx)
{
    struct hub_event ev = {.kind = HUB_EV_BUILT};
    struct hub_block block;
    struct hub_body *b = hub_body_make(r);
    ev.u.built.view = fx->view;
    ev.u.built.outcome = HUB_BUILT_FAILED;
    if (b && build_block(r, &block, fx, &b->bytes)) {
        bool nothing = !block.bytes.len;
        ev.u.built.outcome = nothing ? HUB_BUILT_NOTHING : HUB_BUILT_OK;
        if (nothing) {
            r->gate.stale = true;
            tell_gate(r);
            /* The core takes it so now. If records wait and were not given, it is told again in a while. */
            r->gate.waiting = false;
        } else {
            b->hash = block.hash;
            b->header = block.header;
            b->used = true;
            hub_header_facts_of(&ev.u.built.header, &block.header, &block.hash);
        }
    }
    hub_replica_push(r, &ev);
}

/* ---- effects */

static void make_final(struct hub_replica *r, const struct hub_subject *s)
{
    struct hub_certificate c;
    if (hub_replica_found(
            r, r->port.get_certificate(r->port.store, s->epoch, s->view, HUB_FINALIZE, &c)))
        hub_catchup_finalize(r, &c);
}

static void on_evidence(struct hub_replica *r, const struct hub_effect *fx)
{
    hub_accuse_signer(r, fx->view, fx->peer);
}

static void ask_certificates(struct hub_replica *r, const struct hub_effect *fx)
{
    int peer = fx->peer < hub_replica_n(r) ? fx->peer : hub_catchup_next_peer(r, 0);
    if (peer >= 0)
        hub_outbox_get_certs(r, peer, fx->first, fx->last);
}

static void announce(struct hub_replica *r)
{
    uint64_t period = r->cons.gate_open ? HUB_STATUS_PERIOD_MS : HUB_STATUS_IDLE_MS;
    r->status_due_ms = r->now.mono_ms + period;
    hub_outbox_status(r, -1);
}

static void run_effect(struct hub_replica *r, const struct hub_effect *fx)
{
    switch (fx->kind) {
    case HUB_FX_KEEP_BLOCK:
        hub_catchup_keep_blocks(r, &fx->block_hash);
        break;
    case HUB_FX_VOTE:
        cast_vote(r, &fx->subject);
        break;
    case HUB_FX_CERTIFICATE:
        form_certificate(r, &fx->subject);
        break;
    case HUB_FX_FINAL:
        make_final(r, &fx->subject);
        break;
    case HUB_FX_BUILD:
        build(r, fx);
        break;
    case HUB_FX_EXECUTE:
        hub_catchup_want(r, &fx->block_hash, fx->peers, false);
        break;
    case HUB_FX_FETCH_BLOCK:
        hub_catchup_want(r, &fx->block_hash, fx->peers, true);
        break;
    case HUB_FX_PROPOSE:
        hub_outbox_propose(r, fx->view, &fx->block_hash);
        break;
    case HUB_FX_FETCH_CERTS:
        ask_certificates(r, fx);
        break;
    case HUB_FX_HELP:
        hub_outbox_help(r, fx->peer, fx->first);
        break;
    case HUB_FX_RETRY:
        hub_outbox_retry(r, fx->view, fx->first, fx->last);
        break;
    case HUB_FX_RESEND_FINALIZE:
        hub_outbox_own_votes(r, fx->first, fx->last, 1 << (HUB_FINALIZE - 1));
        break;
    case HUB_FX_STATUS:
        announce(r);
        break;
    case HUB_FX_EVIDENCE:
        on_evidence(r, fx);
        break;
    case HUB_FX_ALARM:
        hub_permit_halt(r, HUB_ABSTAIN_DIVERGENCE,
                        "a certified block breaks a rule here: voting stopped", &fx->block_hash);
        /* A fork: what the others certified in the views around our final block tells who lied. */
        hub_outbox_get_certs(r, -1, hub_replica_fin(r).view,
                             hub_replica_fin(r).view + HUB_GET_VIEWS_MAX - 1);
        break;
    }
}

/* ---- turn */

/* While the gate is open more records change nothing, and looking may cost a move of the state. */
void hub_replica_on_records(struct hub_replica *r)
{
    r->gate.stale |= !r->gate.waiting;
}

static void timers(struct hub_replica *r)
{
    struct hub_event tick = {.kind = HUB_EV_TICK};
    hub_permit_ask(r);
    if (r->now.mono_ms >= r->core_wake_ms)
        hub_replica_push(r, &tick);
    hub_replica_drain(r);
    if (r->ended)
        return;
    tell_gate(r);
    hub_replica_drain(r);
    if (r->ended)
        return;
    if (r->now.mono_ms >= r->status_due_ms)
        announce(r);
    hub_outbox_records(r, -1, true);
}

static void commit(struct hub_replica *r)
{
    bool due = r->may_commit && r->now.mono_ms >= r->commit_due_ms;
    if (r->failure || (!r->must_commit && !due))
        return;
    if (hub_replica_ok(r, r->port.commit(r->port.store)) && r->own_count)
        hub_permit_voted(r);
    r->must_commit = r->may_commit = false;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

enum hub_status hub_replica_turn(struct hub_replica *r, struct hub_now now, uint64_t *wake_ms)
{
    r->now = now;
    timers(r);
    uint64_t sync_ms = least(hub_sync_timer(r), hub_mend_timer(r));
    commit(r);
    if (r->failure)
        return r->failure;
    hub_outbox_flush(r);
    if (r->ended)
        hub_replica_next_epoch(r);
    feed_own_votes(r);
    hub_replica_drain(r);
    if (r->must_commit || r->frame_count || r->busy || r->event_count) {
        *wake_ms = now.mono_ms;
        return r->failure;
    }
    uint64_t wake =
        least(least(r->core_wake_ms, r->status_due_ms), least(sync_ms, r->permit.ask_due_ms));
    if (r->may_commit)
        wake = least(wake, r->commit_due_ms);
    if (!r->gate.waiting)
        wake = least(wake, r->gate.look_ms);
    *wake_ms = wake;
    return r->failure;
}
