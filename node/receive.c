/* receive.c: what peers say. Every frame may hold anything. The core is asked whether it wants a vote,
 * certificate or proposal before a signature is checked, so checks that can help are bounded by construction;
 * those that fail, or that nothing bounds, are paid for by the peer's tokens, and so are looks at the store and requests
 * it wants answered (docs/protocol.md 9). An empty purse drops the message; it never mutes the peer. */
#include "node/replica_parts.h"

#include <string.h>

enum {
    TOKEN = 1000,
    CHECK_BURST_PER_VALIDATOR = 8, /* docs/protocol.md 9: n a second, burst 8 n */
    SERVICES_PER_S = 32,           /* a catching-up peer asks a few times a second */
    SERVICES_BURST = 64,
    LOOKS_PER_S =
        32, /* of three reads each: late certificates of an honest peer come a few a view */
    LOOKS_BURST = 3 * HUB_GET_VIEWS_MAX /* all of an answer to GET_CERTS after a fork */
};

static void refill(struct hub_replica *r, struct hub_peer *p)
{
    uint64_t n = hub_replica_n(r), ms = r->now.mono_ms - p->refilled_ms;
    uint64_t checks_max = n * CHECK_BURST_PER_VALIDATOR * TOKEN;
    if (ms > (uint64_t)SERVICES_BURST * TOKEN || !p->refilled_ms)
        ms = (uint64_t)SERVICES_BURST * TOKEN;
    p->refilled_ms = r->now.mono_ms;
    p->checks += ms * n;
    p->services += ms * SERVICES_PER_S;
    p->looks += ms * LOOKS_PER_S;
    if (p->checks > checks_max)
        p->checks = checks_max;
    if (p->services > (uint64_t)SERVICES_BURST * TOKEN)
        p->services = (uint64_t)SERVICES_BURST * TOKEN;
    if (p->looks > (uint64_t)LOOKS_BURST * TOKEN)
        p->looks = (uint64_t)LOOKS_BURST * TOKEN;
}

static bool may_check(const struct hub_replica *r, uint8_t peer)
{
    return r->peer[peer].checks >= TOKEN;
}

static void check_failed(struct hub_replica *r, uint8_t peer)
{
    r->peer[peer].bad_signatures++;
    r->peer[peer].checks -= TOKEN;
}

static bool may_serve(struct hub_replica *r, uint8_t peer)
{
    struct hub_peer *p = &r->peer[peer];
    if (p->services < TOKEN || !hub_outbox_reply_room(r))
        return false;
    p->services -= TOKEN;
    return true;
}

bool hub_receive_may_look(struct hub_replica *r, uint8_t peer)
{
    struct hub_peer *p = &r->peer[peer];
    if (p->looks < TOKEN)
        return false;
    p->looks -= TOKEN;
    return true;
}

static bool vote_good(struct hub_replica *r, uint8_t peer, const struct hub_vote *v)
{
    if (!may_check(r, peer))
        return false;
    if (hub_vote_ok(v, &r->chain.set))
        return true;
    check_failed(r, peer);
    return false;
}

/* What a peer passes on of our own key, unasked: good ones are paid for as well. An answer to our question is not: of
 * three validators that are all needed, one that floods would have no tokens left for it. */
static bool own_vote_good(struct hub_replica *r, uint8_t peer, const struct hub_vote *v)
{
    if (!vote_good(r, peer, v))
        return false;
    r->peer[peer].checks -= TOKEN;
    return true;
}

/* A vote counts only from its signer's own link, or a peer could plant it; one of our own key, from anybody,
 * tells what our journal must hold. */
static void on_vote(struct hub_replica *r, uint8_t peer, const struct hub_vote *v)
{
    struct hub_event ev = {.kind = HUB_EV_VOTE};
    if (!hub_epochs_same(r, peer, v->subject.epoch))
        return;
    if (v->signer == r->cfg.me) {
        if (v->subject.view > r->cons.top.view && own_vote_good(r, peer, v))
            hub_permit_vote_told(r, v);
        return;
    }
    if (v->signer != peer)
        return;
    ev.u.vote.subject = v->subject;
    ev.u.vote.signer = v->signer;
    if (!hub_cons_wants_vote(&r->cons, &v->subject, v->signer)) {
        if (v->subject.view >= r->cons.view)
            return;
        ev.kind = HUB_EV_LATE_VOTE;
    } else if (vote_good(r, peer, v)) {
        hub_replica_keep_vote(r, v);
        if (v->subject.kind == HUB_FINALIZE)
            hub_accuse_signer(r, v->subject.view, v->signer);
    } else {
        return;
    }
    hub_replica_push(r, &ev);
}

static void on_certificate(struct hub_replica *r, uint8_t peer, struct hub_span bytes)
{
    struct hub_certificate c;
    if (!hub_certificate_decode(&c, bytes)) {
        r->peer[peer].bad_messages++;
        return;
    }
    if (!hub_epochs_same(r, peer, c.subject.epoch))
        return;
    const bool mends = hub_mend_wants_certificate(r, &c.subject);
    const bool wanted = mends || hub_cons_wants_certificate(&r->cons, &c.subject);
    if (!may_check(r, peer) || (!wanted && !hub_accuse_contradicts(r, peer, &c.subject)))
        return;
    if (!hub_certificate_ok(&c, &r->chain.set)) {
        check_failed(r, peer);
        return;
    }
    if (!wanted)
        r->peer[peer].checks -= TOKEN; /* of the past: paid for, or it could be sent for ever */
    if (mends)
        hub_mend_certificate_came(r);
    hub_replica_keep_certificate(r, &c);
    hub_replica_drain(r); /* the next one may be the same */
}

/* Puts header and entries of a PROPOSE together again as the block they came from. */
static bool rejoin(struct hub_replica *r, struct hub_buf *out, const struct hub_message *m)
{
    *out = r->scratch;
    out->len = 0;
    hub_put_array(out, 2);
    hub_put_bytes(out, m->u.propose.header_bytes);
    hub_put_raw(out, m->u.propose.entries);
    return !out->full && out->len <= HUB_BODY_BYTES_MAX;
}

static void keep_proposal(struct hub_replica *r, const struct hub_message *m,
                          const struct hub_hash *hash)
{
    struct hub_buf block;
    if (rejoin(r, &block, m))
        hub_body_take(r, hub_span_of(&block), hash);
}

/* The signature of a PROPOSE is the leader's NOTARIZE, so any peer may pass it on. */
static void on_propose(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    const struct hub_header *h = &m->u.propose.header;
    struct hub_event ev = {.kind = HUB_EV_PROPOSAL};
    struct hub_hash hash;
    if (!hub_hash_equal(&h->chain, &r->chain.id) || !hub_epochs_same(r, peer, h->epoch) ||
        h->proposer >= hub_replica_n(r) || h->proposer == r->cfg.me)
        return;
    for (uint32_t i = 0; i < m->u.propose.just_count && !r->ended; i++)
        on_certificate(r, peer, m->u.propose.just[i]);
    if (r->ended)
        return;
    hub_header_hash(&hash, m->u.propose.header_bytes);
    hub_header_facts_of(&ev.u.proposal.header, h, &hash);
    struct hub_vote v = {
        .subject = {.kind = HUB_NOTARIZE, .epoch = h->epoch, .view = h->view, .block_hash = hash},
        .signer = (uint8_t)h->proposer,
        .sig = m->u.propose.signature};
    bool proposal = hub_cons_wants_proposal(&r->cons, &ev.u.proposal.header);
    bool vote = hub_cons_leader(&r->cons, h->view) == h->proposer &&
                hub_cons_wants_vote(&r->cons, &v.subject, v.signer);
    /* Under the leader's header another may have sent entries that are none, first. */
    if (!proposal && hub_sync_wants(r, &hash) && !hub_body_find(r, &hash))
        keep_proposal(r, m, &hash);
    if ((!proposal && !vote) || !vote_good(r, peer, &v))
        return;
    hub_accuse_header(r, &v, h);
    ev.u.proposal.from = peer;
    if (proposal) {
        keep_proposal(r, m, &hash);
        hub_replica_push(r, &ev);
    }
    if (vote) {
        hub_replica_keep_vote(r, &v);
        ev = (struct hub_event){.kind = HUB_EV_VOTE};
        ev.u.vote.subject = v.subject;
        ev.u.vote.signer = v.signer;
        hub_replica_push(r, &ev);
    }
}

static void on_status(struct hub_replica *r, uint8_t peer, const struct hub_status_message *s)
{
    if (!hub_hash_equal(&s->chain, &r->chain.id))
        return;
    struct hub_peer *p = &r->peer[peer];
    const bool moved = !hub_hash_equal(&p->fin.block_hash, &s->fin.block_hash);
    p->fin = s->fin; /* heights grow over epochs as well */
    p->epoch = s->epoch;
    p->seen_ms = r->now.mono_ms;
    if (!hub_epochs_same(r, peer, s->epoch))
        return;
    if (moved)
        hub_accuse_fork(r, peer, &s->fin);
    if (r->permit.why == HUB_ABSTAIN_ASKING && !p->answered)
        hub_outbox_get_votes(r, peer); /* it was in another epoch, or away, when all were asked */
    struct hub_event ev = {.kind = HUB_EV_PEER};
    ev.u.peer.peer = peer;
    ev.u.peer.view = s->view;
    ev.u.peer.period_ms = s->period_ms;
    ev.u.peer.fin = s->fin;
    ev.u.peer.top = s->top;
    ev.u.peer.syncing = s->flags & HUB_STATUS_SYNCING;
    hub_replica_push(r, &ev);
    if (s->flags & HUB_STATUS_WORK_PENDING && !r->gate.waiting)
        hub_outbox_get_records(r, peer);
}

static void on_get_certs(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    uint64_t from = m->u.get_certs.from, to = m->u.get_certs.to;
    uint32_t sent = 0;
    if (!hub_epochs_same(r, peer, m->u.get_certs.epoch) || !may_serve(r, peer))
        return;
    if (to > r->cons.view)
        to = r->cons.view;
    /* Newest first: one FINALIZATION makes everything below it unnecessary. */
    for (uint64_t v = to; v >= from && v && to - v < HUB_GET_VIEWS_MAX; v--)
        for (uint8_t kind = HUB_FINALIZE; kind >= HUB_NOTARIZE; kind--)
            if (m->u.get_certs.kinds >> (kind - 1) & 1 && sent < HUB_REPLY_ITEMS_MAX &&
                hub_outbox_reply_room(r) && hub_outbox_stored(r, peer, v, kind))
                sent++;
}

static void on_get_block(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    size_t began = r->outbox.len;
    if (!may_serve(r, peer))
        return;
    for (uint32_t i = 0; i < m->u.get_block.count; i++) {
        struct hub_header h;
        const struct hub_hash *hash = &m->u.get_block.hash[i];
        if (!hub_outbox_reply_room(r)) /* asked before the store is read */
            return;
        if (hub_body_header(r, &h, hash))
            hub_outbox_block(r, peer, hash, &h);
        if (r->outbox.len - began >= HUB_REPLY_BYTES_MAX)
            return;
    }
}

static void on_get_blocks(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    uint64_t from = m->u.get_blocks.from, to = m->u.get_blocks.to;
    size_t began = r->outbox.len;
    if (!may_serve(r, peer))
        return;
    if (to > r->chain.final_header.height)
        to = r->chain.final_header.height;
    for (uint64_t h = from; h && h <= to && h - from < HUB_REPLY_ITEMS_MAX; h++) {
        struct hub_span bytes, header_bytes;
        struct hub_header header;
        struct hub_hash hash;
        if (!hub_outbox_reply_room(r))
            return;
        if (!hub_replica_found(r, r->port.get_block_at(r->port.store, h, &bytes))) {
            hub_mend_height(r, h);
            return;
        }
        if (!hub_block_peek(&header, &hash, &header_bytes, bytes) ||
            !hub_outbox_block(r, peer, &hash, &header) ||
            r->outbox.len - began >= HUB_REPLY_BYTES_MAX)
            return;
    }
}

/* A block with its FINALIZATION needs no other vouching. */
static void on_block(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    struct hub_certificate c;
    if (hub_mend_receive(r, m->u.block.block))
        return;
    struct hub_body *b = hub_sync_receive(r, peer, m->u.block.block);
    if (!b || b->certified || !m->u.block.certificate.len ||
        !hub_certificate_decode(&c, m->u.block.certificate))
        return;
    if (c.subject.kind != HUB_FINALIZE || c.subject.epoch != r->cons.cfg.epoch ||
        !hub_hash_equal(&c.subject.block_hash, &b->hash) || !may_check(r, peer))
        return;
    if (!hub_certificate_ok(&c, &r->chain.set)) {
        check_failed(r, peer);
        return;
    }
    b->certified = true;
    hub_replica_keep_certificate(r, &c);
}

static void on_records(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    for (uint32_t i = 0; i < m->u.records.count; i++)
        r->port.offer(r->port.pool, peer, m->u.records.entry[i].record,
                      m->u.records.entry[i].attachment);
    hub_replica_on_records(r);
}

static void on_get_votes(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    uint8_t signer = m->u.get_votes.signer;
    if (hub_epochs_same(r, peer, m->u.get_votes.epoch) && signer < hub_replica_n(r) &&
        may_serve(r, peer)) {
        hub_outbox_votes(r, peer, signer);
        hub_outbox_status(r, peer); /* who asks has just started, and learns whether it is behind */
    }
}

/* What a peer has of our own votes. A bad signature spoils the answer. */
static void on_votes(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    if (!hub_epochs_same(r, peer, m->u.votes.epoch) || m->u.votes.signer != r->cfg.me)
        return;
    if (r->peer[peer].answered && !hub_receive_may_look(r, peer)) /* again: it is paid for */
        return;
    for (uint32_t i = 0; i < m->u.votes.count; i++)
        if (!vote_good(r, peer, &m->u.votes.vote[i]))
            return;
    for (uint32_t i = 0; i < m->u.votes.count; i++)
        hub_permit_vote_told(r, &m->u.votes.vote[i]);
    hub_permit_answered(r, peer);
}

/* A new item is checked for free, as it can convict once only; all others are paid for. */
static void on_evidence(struct hub_replica *r, uint8_t peer, struct hub_span item)
{
    if (!may_check(r, peer))
        return;
    switch (hub_accuse_item(r, item)) {
    case HUB_ITEM_NEW:
        break;
    case HUB_ITEM_KNOWN:
        r->peer[peer].checks -= TOKEN;
        break;
    case HUB_ITEM_WRONG:
        check_failed(r, peer);
        break;
    case HUB_ITEM_MALFORMED:
        r->peer[peer].bad_messages++;
        break;
    }
}

static void on_epoch_proof(struct hub_replica *r, uint8_t peer, struct hub_span links)
{
    if (!may_check(r, peer))
        return;
    switch (hub_epochs_take(r, links)) {
    case HUB_LINKS_TAKEN:
        break;
    case HUB_LINKS_BAD:
        r->peer[peer].bad_messages++;
        break;
    case HUB_LINKS_FORGED:
        check_failed(r, peer);
        break;
    }
}

static void dispatch(struct hub_replica *r, uint8_t peer, const struct hub_message *m)
{
    switch (m->kind) {
    case HUB_MSG_PROPOSE:
        on_propose(r, peer, m);
        break;
    case HUB_MSG_VOTE:
        on_vote(r, peer, &m->u.vote);
        break;
    case HUB_MSG_CERT:
        on_certificate(r, peer, m->u.certificate);
        break;
    case HUB_MSG_STATUS:
        on_status(r, peer, &m->u.status);
        break;
    case HUB_MSG_GET_CERTS:
        on_get_certs(r, peer, m);
        break;
    case HUB_MSG_GET_BLOCK:
        on_get_block(r, peer, m);
        break;
    case HUB_MSG_GET_BLOCKS:
        on_get_blocks(r, peer, m);
        break;
    case HUB_MSG_BLOCK:
        on_block(r, peer, m);
        break;
    case HUB_MSG_RECORDS:
        on_records(r, peer, m);
        break;
    case HUB_MSG_GET_RECORDS:
        if (may_serve(r, peer))
            hub_outbox_records(r, peer, false);
        break;
    case HUB_MSG_GET_VOTES:
        on_get_votes(r, peer, m);
        break;
    case HUB_MSG_VOTES:
        on_votes(r, peer, m);
        break;
    case HUB_MSG_GET_EPOCHS:
        if (may_serve(r, peer))
            hub_epochs_tell(r, peer, m->u.from_epoch);
        break;
    case HUB_MSG_EPOCH_PROOF:
        on_epoch_proof(r, peer, m->u.links);
        break;
    case HUB_MSG_EVIDENCE:
        on_evidence(r, peer, m->u.evidence);
        break;
    case HUB_MSG_GET_SNAPSHOT:
        if (may_serve(r, peer))
            hub_outbox_snapshot(r, peer, &m->u.get_snapshot.id, m->u.get_snapshot.offset);
        break;
    case HUB_MSG_SNAPSHOT: /* this node has a chain: it asked nobody, or no longer */
        break;
    }
}

void hub_replica_on_message(struct hub_replica *r, uint8_t peer, struct hub_span frame,
                            struct hub_now now)
{
    const bool known = peer < hub_replica_n(r) || peer >= HUB_VALIDATORS_MAX;
    if (r->failure || r->ended || !known || peer >= HUB_PEERS_MAX || peer == r->cfg.me)
        return;
    r->now = now;
    refill(r, &r->peer[peer]);
    struct hub_message m;
    if (!hub_message_decode(&m, frame)) {
        r->peer[peer].bad_messages++;
        return;
    }
    dispatch(r, peer, &m);
    hub_replica_drain(r);
}
