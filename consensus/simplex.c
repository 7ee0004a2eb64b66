/* simplex.c: Simplex-H, the rules. Simplex (Chan and Pass, 2023) for lossy links and a small permissioned set;
 * the whole protocol is docs/protocol.md, the rules are these.
 *
 * n validators, one vote each; quorum q = floor(2n/3)+1 unless the epoch says otherwise. Views 1, 2, 3, ... each
 * have one leader, (offset + view) mod n. A block names the view it was proposed in and its parent's view. Three
 * signed statements exist, each at most once per validator and view:
 *   NOTARIZE(v, b)   b is the leader's block of view v, valid on a certified parent
 *   NULLIFY(v)       view v shall end without a finalized block
 *   FINALIZE(v, b)   NOTARIZATION(v, b) is held and no NULLIFY(v) was cast
 * q equal votes are the certificate: NOTARIZATION, NULLIFICATION, FINALIZATION. Views move by certificates only.
 *
 * top  the newest FINALIZATION held: (view, height, hash). Its block need not be held. Rules and admission use it.
 * fin  the newest final block whose block and ancestors are VALID: what the replica has committed. fin <= top.
 * Per view two block slots: `prop`, the first proposal (only N looks at it), and `cert_blk`, the block of the view's
 * certificate whatever `prop` is (advance and F look at it). One slot alone is a lock-up: an equivocating leader
 * stops n = 4 for ever.
 *
 * N  NOTARIZE b in v only if: v is the current view; no NOTARIZE or FINALIZE of ours in v; b is by leader(v);
 *    p = b.parent_view with top.view <= p < v; the parent is certified (p = top.view and b.parent = top.hash, or
 *    NOTARIZATION(p) of b.parent is held); b.height = parent's + 1 (TAIL: parent's); NULLIFICATION(u) is held for
 *    every u in (p, v);
 *    parent and b are VALID; b.time_ms <= wall clock + 5000 (if not yet: retried then, clocks never make a block
 *    invalid).
 * Z  NULLIFY v only if: v is the current view and no FINALIZE of ours in v.
 * F  FINALIZE b in any v > top.view only if: NOTARIZATION(v, b) is held; b is VALID; our NOTARIZE in v, if any, was b;
 *    no NULLIFY and no FINALIZE of ours in v. It makes b our NOTARIZE of v for good, though none is sent.
 * N then Z is legal; Z then N in the same current view is legal; Z and F exclude each other.
 *
 * Advance. NULLIFICATION(w), w >= view: enter w+1. FINALIZATION(w), w > top.view: top moves; enter w+1 if w >= view.
 * NOTARIZATION(w), w >= view: when its block is VALID, F first, then enter w+1, even if we nullified w
 * (commonware#2695). While the block is missing: stay, deadlines armed; else a block lost everywhere would be
 * nullified by nobody and extended by nobody.
 *
 * Why it is safe (up to 2q-n-1 Byzantine validators; time plays no part): an honest validator casts Z or F in a view,
 * not both, so NULLIFICATION(v) and FINALIZATION(v) exclude each other; it casts one NOTARIZE a view, so two blocks of
 * one view are not both notarized; ancestors of a notarized block are notarized; a block past v that does not descend
 * from the block finalized in v needs NULLIFICATION(v). Hence two finalized blocks are on one chain.
 *
 * A vote is a decision here (flags), a signature in the replica's journal, and a count in a tally, in that order: our
 * own votes enter our own tally only when the replica feeds them back, after their commit; the same way at restart
 * (commonware#4275: votes replayed to peers but not to the own tally stopped a network for ever).
 *
 * Deviations from the paper: NULLIFY instead of dummy blocks; proposals carry the certificates that justify them
 * instead of the whole chain; FINALIZE does not need an own NOTARIZE; NOTARIZE after an own NULLIFY is allowed; time-outs
 * back off to a cap and stand still while there is nothing to do (timer.c); resends (repair.c).
 *
 * The set of validators changes by starting a new core: an epoch's core knows its epoch only. It ends with the
 * finalization of a block that ends the epoch: SEAL, or a TAIL upon it. Whoever finalizes casts no vote any more. */
#include "hub/simplex.h"

#include "effects.h"
#include "repair.h"
#include "round.h"
#include "rules.h"
#include "timer.h"

#include <string.h>

enum { PERIOD_MAX_MS = 10000 }; /* a peer's announced STATUS period counts up to this */

/* ---- small questions */

uint8_t hub_cons_leader(const struct hub_cons *c, uint64_t view)
{
    return (uint8_t)((c->cfg.leader_offset % c->cfg.n + view % c->cfg.n) % c->cfg.n);
}

static struct hub_view *current(struct hub_cons *c)
{
    struct hub_view *v = hub_round_open(c, c->view);
    HUB_ASSERT(v);
    return v;
}

void hub_header_facts_of(struct hub_header_facts *out, const struct hub_header *h,
                         const struct hub_hash *hash)
{
    *out = (struct hub_header_facts){.hash = *hash,
                                     .parent = h->parent,
                                     .log_root = h->log_root,
                                     .epoch = h->epoch,
                                     .view = h->view,
                                     .height = h->height,
                                     .parent_view = h->parent_view,
                                     .time_ms = h->time_ms,
                                     .log_size = h->log_size,
                                     .proposer = (uint8_t)h->proposer,
                                     .empty = h->record_count == 0,
                                     .ends_epoch = h->flags != 0,
                                     .tail = h->flags == HUB_FLAG_TAIL};
}

/* A certified block is not what its certificate or our execution says, or our key votes elsewhere: more faults
 * than the quorum stands, two machines that compute differently, or a cloned disk. Own voting stops for good;
 * serving goes on. */
static void halt(struct hub_cons *c, const struct hub_subject *s)
{
    if (!c->halted)
        c->why_halted = *s;
    c->halted = true;
}

/* ---- views */

static void enter(struct hub_cons *c, uint64_t view)
{
    HUB_ASSERT(view > c->view && view > c->top.view);
    c->view = view;
    c->entered_ms = c->now_mono_ms;
    c->building = c->build_failed = false;
    hub_timer_enter(c);
    hub_repair_reset(c);
    hub_round_prune(c);
    (void)current(c);
}

/* The highest view that a certificate permits to enter. */
static uint64_t permitted_view(const struct hub_cons *c)
{
    uint64_t view = c->view;
    if (c->top.view >= view)
        view = c->top.view + 1;
    if (c->nullified_count && c->nullified[c->nullified_count - 1].last >= view)
        view = c->nullified[c->nullified_count - 1].last + 1;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &c->views[i];
        if (v->used && v->notarized && v->cert_state == HUB_SLOT_VALID && v->view >= view)
            view = v->view + 1;
    }
    return view;
}

/* ---- events */

static void seen(struct hub_cons *c, uint8_t peer)
{
    if (peer < c->cfg.n)
        c->peer[peer].seen_ms = c->now_mono_ms;
}

/* Is this a vote that we decided to cast? */
static bool is_own(const struct hub_view *v, const struct hub_subject *s)
{
    bool same = hub_hash_equal(&v->my_notarize, &s->block_hash);
    switch (s->kind) {
    case HUB_NOTARIZE:
        return v->did_notarize && same;
    case HUB_NULLIFY:
        return v->did_nullify;
    default:
        return v->did_finalize && same;
    }
}

static void count_vote(struct hub_cons *c, struct hub_view *v, const struct hub_subject *s,
                       uint8_t signer, struct hub_effects *out)
{
    bool evidence = hub_round_contradicts(v, s, signer);
    enum hub_ballot ballot = hub_round_count(v, s, signer);
    evidence = ballot == HUB_BALLOT_CONFLICT || (ballot == HUB_BALLOT_COUNTED && evidence);
    if (evidence && signer == c->cfg.me)
        halt(c, s); /* a journal that holds two conflicting votes of ours */
    if (!evidence || v->accused >> signer & 1 || signer == c->cfg.me)
        return;
    v->accused |= UINT64_C(1) << signer;
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_EVIDENCE);
    fx->view = s->view;
    fx->subject = *s;
    fx->peer = signer;
}

static void on_vote(struct hub_cons *c, const struct hub_subject *s, uint8_t signer,
                    struct hub_effects *out)
{
    HUB_ASSERT(signer < c->cfg.n && s->epoch == c->cfg.epoch);
    HUB_ASSERT(c->started);
    if (signer != c->cfg.me) {
        seen(c, signer);
        hub_repair_help(c, s, signer, out);
    }
    if (s->view <= c->top.view)
        return;
    struct hub_view *v = hub_round_open(c, s->view);
    if (!v)
        return;
    if (signer == c->cfg.me && !v->closed && !is_own(v, s)) {
        halt(c, s); /* our key votes somewhere else: a cloned or restored disk */
        return;
    }
    count_vote(c, v, s, signer, out);
}

static void on_late_vote(struct hub_cons *c, const struct hub_subject *s, uint8_t peer,
                         struct hub_effects *out)
{
    if (s->epoch != c->cfg.epoch || peer >= c->cfg.n || !c->started)
        return;
    seen(c, peer);
    hub_repair_help(c, s, peer, out);
}

/* From the journal: what we decided before the restart, through the same tally. */
static void on_own_vote(struct hub_cons *c, const struct hub_subject *s, struct hub_effects *out)
{
    HUB_ASSERT(!c->started && s->epoch == c->cfg.epoch);
    /* A NOTARIZE or NULLIFY of ours proves that we had entered its view. */
    if (s->kind != HUB_FINALIZE && s->view > c->view)
        enter(c, s->view);
    if (s->view <= c->top.view)
        return;
    struct hub_view *v = hub_round_open(c, s->view);
    if (!v) {
        if (s->view > c->closed_below)
            c->closed_below = s->view;
        return;
    }
    if (s->kind == HUB_NULLIFY) {
        v->did_nullify = true;
    } else {
        v->did_notarize = true;
        v->did_finalize |= s->kind == HUB_FINALIZE;
        v->my_notarize = s->block_hash;
    }
    count_vote(c, v, s, c->cfg.me, out);
}

/* A final block's certificate replaces the frontier: "no block needed". */
static void on_finalization(struct hub_cons *c, const struct hub_subject *s, uint64_t signers)
{
    c->top = (struct hub_point){s->view, s->height, s->block_hash};
    c->final = *s;
    c->last_block_ms = c->now_mono_ms;
    c->standstill_due_ms = HUB_NEVER;
    hub_repair_reset(c);
    struct hub_view *v = hub_round_open_certified(c, s->view);
    HUB_ASSERT(v); /* top's own view always has a place */
    if (!hub_round_certify(c, v, &s->block_hash, signers))
        halt(c, s);
    hub_round_prune(c);
}

static void on_notarization(struct hub_cons *c, const struct hub_subject *s, uint64_t signers)
{
    struct hub_view *v = hub_round_open_certified(c, s->view);
    c->last_block_ms = c->now_mono_ms;
    if (!v)
        return; /* 8 newer ones are held: it stays in the store */
    if (!hub_round_certify(c, v, &s->block_hash, signers)) {
        halt(c, s);
        return;
    }
    v->notarized = true;
    hub_round_prune(c);
}

static void on_certificate(struct hub_cons *c, const struct hub_subject *s, uint64_t signers)
{
    HUB_ASSERT(hub_bits_set(signers) >= c->cfg.q);
    if (!hub_cons_wants_certificate(c, s))
        return;
    switch (s->kind) {
    case HUB_NOTARIZE:
        on_notarization(c, s, signers);
        break;
    case HUB_NULLIFY:
        hub_round_nullify(c, s->view);
        break;
    default:
        on_finalization(c, s, signers);
    }
}

static void on_proposal(struct hub_cons *c, const struct hub_header_facts *h, uint8_t from)
{
    seen(c, from);
    if (!hub_cons_wants_proposal(c, h))
        return;
    struct hub_view *v = hub_round_open(c, h->view);
    if (!v)
        return;
    if (v->cert_state == HUB_SLOT_PENDING && hub_hash_equal(&v->cert_blk.hash, &h->hash))
        v->cert_state = HUB_SLOT_WANTED; /* its body is here: ask again at once */
    if (v->prop_state != HUB_SLOT_NONE)
        return; /* a second one: its leader's second NOTARIZE is the evidence */
    v->prop = *h;
    v->prop_state = HUB_SLOT_WANTED;
    if (v->cert_state != HUB_SLOT_NONE && hub_hash_equal(&v->cert_blk.hash, &h->hash) &&
        (v->cert_state == HUB_SLOT_VALID || v->cert_state == HUB_SLOT_INVALID))
        v->prop_state = v->cert_state;
}

static bool undecided(enum hub_slot s, const struct hub_hash *of, const struct hub_hash *hash)
{
    return (s == HUB_SLOT_WANTED || s == HUB_SLOT_PENDING) && hub_hash_equal(of, hash);
}

static void on_block(struct hub_cons *c, const struct hub_header_facts *h, bool valid)
{
    const enum hub_slot verdict = valid ? HUB_SLOT_VALID : HUB_SLOT_INVALID;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        struct hub_view *v = &c->views[i];
        if (!v->used)
            continue;
        if (undecided(v->prop_state, &v->prop.hash, &h->hash))
            v->prop_state = verdict;
        if (undecided(v->cert_state, &v->cert_blk.hash, &h->hash)) {
            v->cert_state = verdict;
            v->cert_blk = *h;
            v->cert_since_ms = c->now_mono_ms;
            if (h->view != v->view || h->epoch != c->cfg.epoch)
                v->cert_state = HUB_SLOT_INVALID; /* certified in a view that is not its own */
        }
    }
    if (valid)
        hub_repair_hurry(c, h->view);
}

static void on_built(struct hub_cons *c, const struct hub_event *ev)
{
    const struct hub_header_facts *h = &ev->u.built.header;
    if (ev->u.built.view != c->view || !c->building)
        return; /* of a view that we left */
    c->building = false;
    c->build_failed = ev->u.built.outcome == HUB_BUILT_FAILED;
    if (ev->u.built.outcome == HUB_BUILT_NOTHING)
        c->has_records = false; /* until the next GATE */
    if (ev->u.built.outcome != HUB_BUILT_OK)
        return;
    struct hub_view *v = current(c);
    HUB_ASSERT(h->view == c->view && h->proposer == c->cfg.me && h->epoch == c->cfg.epoch);
    if (v->did_notarize || v->did_nullify || v->prop_state != HUB_SLOT_NONE)
        return;
    v->prop = *h;
    v->prop_state = HUB_SLOT_VALID; /* rule N decides about it as about any other */
}

static void on_peer(struct hub_cons *c, const struct hub_event *ev)
{
    uint8_t peer = ev->u.peer.peer;
    if (peer >= c->cfg.n)
        return;
    seen(c, peer);
    struct hub_peer_seen *p = &c->peer[peer];
    p->period_ms = ev->u.peer.period_ms < PERIOD_MAX_MS ? ev->u.peer.period_ms : PERIOD_MAX_MS;
    p->view = ev->u.peer.view;
    p->top_view = ev->u.peer.top.view;
}

static void on_start(struct hub_cons *c)
{
    c->started = true;
    c->entered_ms = c->last_block_ms = c->now_mono_ms;
    for (uint8_t i = 0; i < c->cfg.n; i++)
        seen(c, i);
    hub_timer_enter(c);
    hub_repair_reset(c);
    c->standstill_due_ms = HUB_NEVER;
    /* What we had voted may have reached nobody: say it again now. */
    c->retry_due_ms = c->now_mono_ms;
}

static void handle(struct hub_cons *c, const struct hub_event *ev, struct hub_effects *out)
{
    switch (ev->kind) {
    case HUB_EV_TICK:
        break;
    case HUB_EV_VOTE:
        on_vote(c, &ev->u.vote.subject, ev->u.vote.signer, out);
        break;
    case HUB_EV_LATE_VOTE:
        on_late_vote(c, &ev->u.vote.subject, ev->u.vote.signer, out);
        break;
    case HUB_EV_CERTIFICATE:
        on_certificate(c, &ev->u.certificate.subject, ev->u.certificate.signers);
        break;
    case HUB_EV_PROPOSAL:
        on_proposal(c, &ev->u.proposal.header, ev->u.proposal.from);
        break;
    case HUB_EV_BLOCK:
        on_block(c, &ev->u.block.header, ev->u.block.valid);
        break;
    case HUB_EV_BUILT:
        on_built(c, ev);
        break;
    case HUB_EV_GATE:
        c->has_records = ev->u.gate.has_records;
        break;
    case HUB_EV_PEER:
        on_peer(c, ev);
        break;
    case HUB_EV_VOTING:
        c->allowed = ev->u.voting.allowed;
        break;
    case HUB_EV_OWN_VOTE:
        on_own_vote(c, &ev->u.vote.subject, out);
        break;
    case HUB_EV_START:
        on_start(c);
        break;
    }
}

/* ---- after every event */

/* "FINALIZATION or NOTARIZATION of a block we judge invalid: stop voting, keep serving, ALARM." */
static void check_certified(struct hub_cons *c)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        struct hub_view *v = &c->views[i];
        if (!v->used || v->cert_state == HUB_SLOT_NONE)
            continue;
        struct hub_subject s = {.kind = HUB_NOTARIZE, .epoch = c->cfg.epoch, .view = v->view};
        s.block_hash = v->cert_blk.hash;
        if (v->view == c->top.view) {
            const struct hub_header_facts *b = &v->cert_blk;
            s = c->final;
            if (v->cert_state == HUB_SLOT_VALID &&
                (b->height != s.height || b->log_size != s.log_size ||
                 !hub_hash_equal(&b->log_root, &s.log_root)))
                v->cert_state = HUB_SLOT_INVALID; /* a quorum signed numbers that are not its */
        }
        if (v->cert_state == HUB_SLOT_INVALID)
            halt(c, &s);
    }
}

/* "When b and all ancestors down to fin are VALID they are final." */
static void try_commit(struct hub_cons *c, struct hub_effects *out)
{
    const struct hub_view *v = hub_round_get(c, c->top.view);
    if (c->fin.view == c->top.view || !v || v->cert_state != HUB_SLOT_VALID)
        return;
    c->fin = c->top;
    c->fin_time_ms = v->cert_blk.time_ms;
    c->ended = v->cert_blk.ends_epoch;
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_FINAL);
    fx->view = c->top.view;
    fx->subject = c->final;
    fx->block_hash = c->top.block_hash;
    hub_repair_hurry(c, c->fin.view);
    hub_round_prune(c);
}

/* "q matching votes: build CERT, broadcast it once, feed it to ourselves through the same handler." */
static void try_certify(struct hub_cons *c, struct hub_effects *out)
{
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++)
        for (uint8_t kind = HUB_NOTARIZE; c->views[i].used && kind <= HUB_FINALIZE; kind++) {
            struct hub_view *v = &c->views[i];
            struct hub_subject s = {.kind = kind, .epoch = c->cfg.epoch, .view = v->view};
            const uint8_t bit = (uint8_t)(1u << (kind - 1));
            /* A second one in one step occurs at START only; it may wait for the next event. */
            if (v->formed & bit || out->count >= HUB_EFFECTS_MAX / 4)
                continue;
            uint64_t signers = hub_round_quorum(v, &s, c->cfg.q);
            if (!signers || !hub_cons_wants_certificate(c, &s))
                continue;
            v->formed |= bit;
            struct hub_effect *fx = hub_effects_add(out, HUB_FX_CERTIFICATE);
            fx->view = s.view;
            fx->subject = s;
            fx->peers = signers;
        }
}

static void raise_alarm(struct hub_cons *c, struct hub_effects *out)
{
    if (!c->halted || c->alarmed)
        return;
    c->alarmed = true;
    struct hub_effect *fx = hub_effects_add(out, HUB_FX_ALARM);
    fx->view = c->why_halted.view;
    fx->subject = c->why_halted;
    fx->block_hash = c->why_halted.block_hash;
}

static void advance(struct hub_cons *c)
{
    uint64_t view = permitted_view(c);
    if (view > c->view)
        enter(c, view);
}

static void try_all(struct hub_cons *c, struct hub_effects *out)
{
    check_certified(c);
    hub_rules_finalize(c, out); /* before advancing: it is the view we leave */
    advance(c);
    if (!c->started)
        return;
    raise_alarm(c, out);
    try_certify(c, out);
    try_commit(c, out);
    hub_rules_notarize(c, out);
    hub_timer_gate(c, out); /* an own NOTARIZE opens it */
    hub_rules_build(c, out);
    hub_rules_nullify(c, out);
    hub_repair_blocks(c, out);
    hub_repair_certificates(c, out);
    hub_repair_retry(c, out);
    hub_repair_standstill(c, out);
}

static void take_time(struct hub_cons *c, const struct hub_event *ev)
{
    if (ev->now_mono_ms > c->now_mono_ms)
        c->now_mono_ms = ev->now_mono_ms;
    c->now_wall_ms = ev->now_wall_ms;
}

void hub_cons_step(struct hub_cons *c, const struct hub_event *ev, struct hub_effects *out)
{
    out->count = 0;
    out->wake_ms = HUB_NEVER;
    take_time(c, ev);
    handle(c, ev, out);
    try_all(c, out);
    HUB_ASSERT(c->started || out->count == 0);
    HUB_ASSERT(out->wake_ms > c->now_mono_ms);
}

void hub_cons_init(struct hub_cons *c, const struct hub_cons_config *cfg,
                   const struct hub_point *fin, uint64_t fin_time_ms)
{
    HUB_ASSERT(cfg->n >= 1 && cfg->n <= HUB_VALIDATORS_MAX && cfg->me <= cfg->n);
    HUB_ASSERT(cfg->q > cfg->n / 2 && cfg->q <= cfg->n);
    memset(c, 0, sizeof *c);
    c->cfg = *cfg;
    c->allowed = true;
    c->fin = c->top = *fin;
    c->fin_time_ms = fin_time_ms;
    c->view = fin->view;
    enter(c, fin->view + 1);
    c->standstill_due_ms = HUB_NEVER;
}
