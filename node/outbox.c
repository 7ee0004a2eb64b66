/* outbox.c: what this node says. Frames collect in one buffer during a turn and leave after its commit. A
 * frame that finds no room is lost like one on the wire: the protocol repairs loss. */
#include "node/replica_parts.h"

#include <string.h>

enum { JUST_NULLIFICATIONS_MAX = HUB_JUST_MAX - 2, ALL_KINDS = 7 };

/* A writer into the room that is left; frame_close makes what it wrote a frame. */
static struct hub_buf frame_open(const struct hub_replica *r)
{
    size_t used = r->outbox.len;
    bool none = r->frame_count == HUB_OUTBOX_FRAMES_MAX;
    return (struct hub_buf){.data = r->outbox.data + used, .cap = none ? 0 : r->outbox.cap - used};
}

static bool frame_close(struct hub_replica *r, int peer, const struct hub_buf *w)
{
    if (w->full || !w->len) {
        r->frames_lost++;
        return false;
    }
    r->frame[r->frame_count++] =
        (struct hub_frame){.peer = peer, .at = r->outbox.len, .len = w->len};
    r->outbox.len += w->len;
    return true;
}

bool hub_outbox_reply_room(const struct hub_replica *r)
{
    return r->outbox.len < HUB_OUTBOX_REPLY_BYTES_MAX && r->frame_count < HUB_OUTBOX_FRAMES_MAX / 2;
}

void hub_outbox_flush(struct hub_replica *r)
{
    for (uint32_t i = 0; i < r->frame_count; i++) {
        const struct hub_frame *f = &r->frame[i];
        r->port.send(r->port.net, f->peer, (struct hub_span){r->outbox.data + f->at, f->len});
    }
    r->frame_count = 0;
    r->outbox.len = 0;
}

void hub_outbox_vote(struct hub_replica *r, int peer, const struct hub_vote *v)
{
    struct hub_buf w = frame_open(r);
    hub_message_vote(&w, v);
    frame_close(r, peer, &w);
}

void hub_outbox_certificate(struct hub_replica *r, int peer, const struct hub_certificate *c)
{
    uint8_t bytes[HUB_CERTIFICATE_BYTES_MAX];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    hub_certificate_encode(&b, c, hub_replica_n(r));
    HUB_ASSERT(!b.full);
    struct hub_buf w = frame_open(r);
    hub_message_certificate(&w, hub_span_of(&b));
    frame_close(r, peer, &w);
}

static bool stored(struct hub_replica *r, struct hub_certificate *out, uint64_t view, uint8_t kind)
{
    if (!view) /* the start of an epoch has no certificate of its own */
        return false;
    return hub_replica_found(
        r, r->port.get_certificate(r->port.store, r->cons.cfg.epoch, view, kind, out));
}

bool hub_outbox_stored(struct hub_replica *r, int peer, uint64_t view, uint8_t kind)
{
    struct hub_certificate c;
    if (!stored(r, &c, view, kind))
        return false;
    hub_outbox_certificate(r, peer, &c);
    return true;
}

static uint8_t status_flags(const struct hub_replica *r)
{
    bool syncing = r->sync.active || r->voting == HUB_VOTING_ASKING;
    return (uint8_t)((r->gate.waiting ? HUB_STATUS_WORK_PENDING : 0) |
                     (syncing ? HUB_STATUS_SYNCING : 0));
}

void hub_outbox_status(struct hub_replica *r, int peer)
{
    const struct hub_chain *c = &r->chain;
    struct hub_status_message s = {
        .chain = c->id,
        .epoch = r->cons.cfg.epoch,
        .view = r->cons.view,
        .period_ms = r->cons.gate_open ? HUB_STATUS_PERIOD_MS : HUB_STATUS_IDLE_MS,
        .fin = hub_replica_fin(r),
        .top = r->cons.top,
        .flags = status_flags(r),
        .q = c->set.q,
        .n = c->set.n,
        .version = {(const uint8_t *)r->cfg.version, strlen(r->cfg.version)},
    };
    struct hub_buf w = frame_open(r);
    hub_message_status(&w, &s);
    frame_close(r, peer, &w);
}

/* Own votes are resent only as they stand in the journal, never made again (ava-labs#280). */
struct own_votes {
    struct hub_replica *r;
    uint64_t last;
    uint8_t kinds;
};

static void send_own_vote(void *ctx, const struct hub_vote *v)
{
    struct own_votes *o = ctx;
    if (v->subject.view <= o->last && o->kinds >> (v->subject.kind - 1) & 1)
        hub_outbox_vote(o->r, -1, v);
}

void hub_outbox_own_votes(struct hub_replica *r, uint64_t first, uint64_t last, uint8_t kinds)
{
    struct own_votes o = {.r = r, .last = last, .kinds = kinds};
    hub_replica_found(
        r, r->port.each_vote(r->port.store, r->cons.cfg.epoch, first, send_own_vote, &o));
}

struct own_notarize {
    struct hub_vote vote;
    uint64_t view;
    bool found;
};

static void find_own_notarize(void *ctx, const struct hub_vote *v)
{
    struct own_notarize *o = ctx;
    if (v->subject.view == o->view && v->subject.kind == HUB_NOTARIZE) {
        o->vote = *v;
        o->found = true;
    }
}

/* Encodes a stored certificate behind the others in scratch and adds it to just[]. */
static void add_just(struct hub_replica *r, struct hub_span just[HUB_JUST_MAX], uint32_t *count,
                     uint64_t view, uint8_t kind)
{
    struct hub_certificate c;
    if (*count == HUB_JUST_MAX || !stored(r, &c, view, kind))
        return;
    struct hub_buf *s = &r->scratch;
    size_t at = s->len;
    hub_certificate_encode(s, &c, hub_replica_n(r));
    HUB_ASSERT(!s->full);
    just[(*count)++] = (struct hub_span){s->data + at, s->len - at};
}

/* The newest FINALIZATION, the parent's certificate unless it is that one, and the newest NULLIFICATIONs of
 * the views between: with these in hand any receiver can vote for the block (docs/protocol.md 6). */
static uint32_t collect_just(struct hub_replica *r, struct hub_span just[HUB_JUST_MAX],
                             uint64_t parent_view, uint64_t view)
{
    uint32_t count = 0;
    uint64_t top = r->cons.top.view;
    r->scratch.len = 0;
    add_just(r, just, &count, top, HUB_FINALIZE);
    if (parent_view != top)
        add_just(r, just, &count, parent_view, HUB_NOTARIZE);
    for (uint64_t v = view - 1; v > parent_view && view - v <= JUST_NULLIFICATIONS_MAX; v--)
        add_just(r, just, &count, v, HUB_NULLIFY);
    return count;
}

void hub_outbox_propose(struct hub_replica *r, uint64_t view, const struct hub_hash *hash)
{
    struct own_notarize own = {.view = view};
    hub_replica_found(
        r, r->port.each_vote(r->port.store, r->cons.cfg.epoch, view, find_own_notarize, &own));
    const struct hub_header *h = hub_chain_header(&r->chain, hash);
    if (!h || !own.found || !hub_hash_equal(&own.vote.subject.block_hash, hash))
        return;
    struct hub_span bytes, just[HUB_JUST_MAX];
    uint32_t count = collect_just(r, just, h->parent_view, view);
    if (!hub_body_bytes(r, &bytes, hash))
        return;
    struct hub_buf w = frame_open(r);
    hub_message_propose(&w, bytes, &own.vote.sig, just, count);
    frame_close(r, -1, &w);
}

static void send_entry_certificate(struct hub_replica *r, int peer, uint64_t view)
{
    if (!hub_outbox_stored(r, peer, view - 1, HUB_FINALIZE) &&
        !hub_outbox_stored(r, peer, view - 1, HUB_NULLIFY))
        hub_outbox_stored(r, peer, view - 1, HUB_NOTARIZE);
}

/* A certificate that the disk has damaged may have been the only one: with everybody's own vote, the peer's too, it
 * can be formed again. */
void hub_outbox_help(struct hub_replica *r, uint8_t peer, uint64_t view)
{
    uint64_t top = r->cons.top.view;
    bool told = top >= view && hub_outbox_stored(r, peer, top, HUB_FINALIZE);
    if (!told)
        for (uint8_t kind = HUB_NOTARIZE; kind <= HUB_FINALIZE; kind++)
            told |= hub_outbox_stored(r, peer, view, kind);
    if (!told)
        hub_outbox_own_votes(r, view, view, ALL_KINDS);
    if (r->cons.view > 1)
        send_entry_certificate(r, peer, r->cons.view);
}

void hub_outbox_retry(struct hub_replica *r, uint64_t view, uint64_t first, uint64_t last)
{
    uint64_t top = r->cons.top.view;
    hub_outbox_stored(r, -1, top, HUB_FINALIZE);
    if (view > 1 && view - 1 != top)
        send_entry_certificate(r, -1, view);
    hub_outbox_stored(r, -1, view, HUB_NOTARIZE);
    hub_outbox_own_votes(r, view, view, 1 << (HUB_NOTARIZE - 1) | 1 << (HUB_NULLIFY - 1));
    hub_outbox_own_votes(r, first, last, 1 << (HUB_FINALIZE - 1));
    hub_outbox_records(r, -1, false);
}

void hub_outbox_records(struct hub_replica *r, int peer, bool fresh)
{
    struct hub_span record[HUB_RECORDS_MESSAGE_MAX], attachment[HUB_RECORDS_MESSAGE_MAX];
    while (hub_outbox_reply_room(r)) {
        uint32_t n = r->port.share(r->port.pool, fresh, record, attachment, HUB_RECORDS_MESSAGE_MAX,
                                   HUB_RECORDS_FRAME_BYTES_MAX);
        if (!n)
            return;
        struct hub_buf w = frame_open(r);
        hub_message_records(&w, record, attachment, n);
        frame_close(r, peer, &w);
        if (!fresh) /* one frame of old ones at a time: the next retry sends the next */
            return;
    }
}

void hub_outbox_get_certs(struct hub_replica *r, int peer, uint64_t first, uint64_t last)
{
    struct hub_buf w = frame_open(r);
    hub_message_get_certs(&w, r->cons.cfg.epoch, first, last, 7);
    frame_close(r, peer, &w);
}

void hub_outbox_get_block(struct hub_replica *r, int peer, const struct hub_hash *hash)
{
    struct hub_buf w = frame_open(r);
    hub_message_get_block(&w, hash, 1);
    frame_close(r, peer, &w);
}

void hub_outbox_get_blocks(struct hub_replica *r, int peer, uint64_t first, uint64_t last)
{
    struct hub_buf w = frame_open(r);
    hub_message_get_blocks(&w, first, last);
    frame_close(r, peer, &w);
}

void hub_outbox_get_votes(struct hub_replica *r, int peer)
{
    struct hub_buf w = frame_open(r);
    hub_message_get_votes(&w, r->cons.cfg.epoch, r->cfg.me);
    frame_close(r, peer, &w);
}

void hub_outbox_evidence(struct hub_replica *r, int peer, struct hub_span item)
{
    struct hub_buf w = frame_open(r);
    hub_message_evidence(&w, item);
    frame_close(r, peer, &w);
}

void hub_outbox_votes(struct hub_replica *r, int peer, uint8_t signer)
{
    struct hub_vote held[3];
    uint32_t count = 0;
    for (uint32_t kind = 0; kind < 3; kind++)
        if (r->highest[signer][kind].subject.kind &&
            r->highest[signer][kind].subject.epoch == r->cons.cfg.epoch)
            held[count++] = r->highest[signer][kind];
    struct hub_buf w = frame_open(r);
    hub_message_votes(&w, r->cons.cfg.epoch, signer, held, count);
    frame_close(r, peer, &w);
}

void hub_outbox_get_records(struct hub_replica *r, int peer)
{
    struct hub_buf w = frame_open(r);
    hub_message_get_records(&w, HUB_RECORDS_FRAME_BYTES_MAX);
    frame_close(r, peer, &w);
}

void hub_outbox_get_epochs(struct hub_replica *r, int peer, uint64_t from)
{
    struct hub_buf w = frame_open(r);
    hub_message_get_epochs(&w, from);
    frame_close(r, peer, &w);
}

void hub_outbox_epoch_proof(struct hub_replica *r, int peer, const struct hub_span *link,
                            uint32_t n)
{
    struct hub_buf w = frame_open(r);
    hub_message_epoch_proof(&w, link, n);
    frame_close(r, peer, &w);
}

/* The FINALIZATION of a block of whatever epoch, encoded into scratch: its bitmap says how long it is. */
static struct hub_span own_certificate(struct hub_replica *r, const struct hub_hash *hash,
                                       const struct hub_header *h)
{
    struct hub_certificate c;
    r->scratch.len = 0;
    if (!h->view ||
        !hub_replica_found(
            r, r->port.get_certificate(r->port.store, h->epoch, h->view, HUB_FINALIZE, &c)) ||
        !hub_hash_equal(&c.subject.block_hash, hash))
        return (struct hub_span){NULL, 0};
    hub_certificate_encode(&r->scratch, &c,
                           c.bitmap_bytes ? (uint8_t)(8 * c.bitmap_bytes) : hub_replica_n(r));
    return hub_span_of(&r->scratch);
}

bool hub_outbox_block(struct hub_replica *r, int peer, const struct hub_hash *hash,
                      const struct hub_header *h)
{
    struct hub_span bytes;
    if (!hub_outbox_reply_room(r))
        return false;
    const struct hub_span certificate = own_certificate(r, hash, h);
    if (!hub_body_bytes(r, &bytes, hash))
        return false;
    struct hub_buf w = frame_open(r);
    hub_message_block(&w, bytes, certificate);
    return frame_close(r, peer, &w);
}

void hub_outbox_snapshot(struct hub_replica *r, int peer, const struct hub_hash *id,
                         uint64_t offset)
{
    struct hub_snapshot_message s = {.height = 0};
    if (r->port.snapshot)
        r->port.snapshot(r->port.client, id, offset, &s);
    struct hub_buf w = frame_open(r);
    hub_message_snapshot(&w, &s);
    frame_close(r, peer, &w);
}
