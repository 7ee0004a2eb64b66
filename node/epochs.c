/* epochs.c: from one set of validators to the next (docs/protocol.md 14). A node leaves an epoch when its SEAL is
 * final here: by a FINALIZATION over it or over a TAIL upon it, or by a link that a peer showed. Nodes of
 * different epochs answer each other with links; nothing else of another epoch is looked at. */
#include "node/replica_parts.h"

#include "ledger/epoch.h"

#include <string.h>

enum { ASK_EVERY_MS = 1000, TELL_EVERY_MS = 1000 };

/* ---- messages of another epoch */

static void tell_links(struct hub_replica *r, uint8_t peer, uint64_t from)
{
    struct hub_span link[HUB_LINKS_MAX], bytes;
    uint32_t n = 0;
    r->scratch.len = 0;
    for (uint64_t e = from; e < r->chain.set.epoch && n < HUB_LINKS_MAX; e++) {
        size_t at = r->scratch.len;
        if (!hub_replica_found(r, r->port.get_link(r->port.store, e + 1, &bytes)) ||
            at + bytes.len > HUB_REPLY_BYTES_MAX)
            break;
        hub_put_raw(&r->scratch, bytes);
        link[n++] = (struct hub_span){r->scratch.data + at, bytes.len};
    }
    if (n)
        hub_outbox_epoch_proof(r, peer, link, n);
}

void hub_epochs_tell(struct hub_replica *r, uint8_t peer, uint64_t from)
{
    struct hub_peer *p = &r->peer[peer];
    if (from >= r->chain.set.epoch || r->now.mono_ms < p->links_told_ms + TELL_EVERY_MS ||
        !hub_outbox_reply_room(r))
        return;
    p->links_told_ms = r->now.mono_ms;
    tell_links(r, peer, from);
}

bool hub_epochs_same(struct hub_replica *r, uint8_t peer, uint64_t epoch)
{
    struct hub_peer *p = &r->peer[peer];
    if (epoch > r->chain.set.epoch && r->now.mono_ms >= p->links_asked_ms + ASK_EVERY_MS) {
        p->links_asked_ms = r->now.mono_ms;
        hub_outbox_get_epochs(r, peer, r->chain.set.epoch);
    }
    hub_epochs_tell(r, peer, epoch);
    return epoch == r->chain.set.epoch;
}

/* The epoch that it says to end. */
static bool epoch_of(uint64_t *out, const struct hub_link *l)
{
    struct hub_header h;
    const bool good = hub_header_decode(&h, l->headers.bytes[l->headers.n - 1]);
    *out = good ? h.epoch : 0;
    return good;
}

enum hub_links_verdict hub_epochs_take(struct hub_replica *r, struct hub_span links)
{
    struct hub_cbor c = hub_cbor_open(links);
    uint32_t n = hub_cbor_array(&c, 0, HUB_LINKS_MAX);
    for (uint32_t i = 0; i < n; i++) {
        struct hub_link_facts facts;
        struct hub_link l;
        const char *what;
        struct hub_span bytes = hub_cbor_item(&c);
        uint64_t ends;
        if (c.bad || bytes.len > HUB_LINK_BYTES_MAX || !hub_link_decode(&l, bytes) ||
            !epoch_of(&ends, &l))
            return HUB_LINKS_BAD;
        if (ends + 1 == r->mend.link.place && !hub_mend_take_link(r, &l, bytes))
            return HUB_LINKS_FORGED;
        if (r->proof.held || ends != r->chain.set.epoch ||
            (l.recovery.len && hub_recover_knows(r, l.recovery)))
            continue;
        const enum hub_verdict verdict =
            hub_link_check(&facts, &what, &l, &r->chain.set, &hub_accept_none);
        if (verdict == HUB_VERDICT_OVERRIDE) { /* never followed because a peer shows it */
            hub_recover_shown(r, &facts);
            return HUB_LINKS_TAKEN; /* nothing behind it leads on from here */
        }
        if (verdict != HUB_VERDICT_OK)
            return HUB_LINKS_FORGED;
        r->proof.held = true;
        r->proof.seal_hash = facts.seal_hash;
        r->proof.bytes.len = 0;
        hub_put_raw(&r->proof.bytes, bytes);
    }
    return HUB_LINKS_TAKEN;
}

/* ---- the end of an epoch */

/* The chain stands at the SEAL and the next set is its own: link and tip go into one commit. */
void hub_epochs_close(struct hub_replica *r)
{
    struct hub_chain *c = &r->chain;
    struct hub_point fin = {c->final_header.view, c->final_header.height, c->final_hash};
    if (r->failure ||
        !hub_replica_ok(
            r, r->port.put_link(r->port.store, c->set.epoch, hub_span_of(&r->proof.bytes))) ||
        !hub_replica_ok(r, r->port.put_tip(r->port.store, &fin, &c->final_edge)))
        return;
    hub_replica_put(r, true);
    r->ended = true;
}

/* Headers from the certified block down to the SEAL. */
static bool collect_headers(struct hub_replica *r, struct hub_headers *out, struct hub_hash at)
{
    struct hub_header h = {.flags = HUB_FLAG_TAIL};
    r->scratch.len = 0;
    for (out->n = 0; h.flags == HUB_FLAG_TAIL && out->n < HUB_BUNDLE_HEADERS_MAX; out->n++) {
        size_t begin = r->scratch.len;
        if (!hub_body_header(r, &h, &at))
            return false;
        hub_header_encode(&r->scratch, &h);
        out->bytes[out->n] = (struct hub_span){r->scratch.data + begin, r->scratch.len - begin};
        at = h.parent;
    }
    return h.flags == HUB_FLAG_SEAL;
}

void hub_epochs_finalize(struct hub_replica *r, const struct hub_certificate *c)
{
    uint8_t epoch[HUB_EPOCH_BYTES_MAX];
    struct hub_buf next = {.data = epoch, .cap = sizeof epoch};
    struct hub_link link = {.certificate = *c};
    const uint8_t n = hub_replica_n(r);
    /* Every block that was applied lies in the store. One that the disk damaged: peers have the link. */
    if (!collect_headers(r, &link.headers, c->subject.block_hash))
        return;
    if (!hub_replica_ok(r, hub_chain_finalize(&r->chain, c, hub_catchup_visit, r)))
        return;
    hub_validators_encode(&next, &r->chain.set);
    link.next = hub_span_of(&next);
    r->proof.bytes.len = 0;
    hub_link_encode(&r->proof.bytes, &link, n);
    HUB_ASSERT(!next.full && !r->proof.bytes.full);
    hub_epochs_close(r);
}

void hub_epochs_cross(struct hub_replica *r)
{
    struct hub_link link;
    bool good = hub_link_decode(&link, hub_span_of(&r->proof.bytes));
    HUB_ASSERT(good && r->proof.held); /* hub_epochs_take looked */
    if (hub_replica_ok(r, hub_chain_cross(&r->chain, &link, hub_catchup_visit, r)))
        hub_epochs_close(r);
}

/* ---- at a restart */

enum hub_status hub_epochs_replay(struct hub_replica *r)
{
    struct hub_link link;
    struct hub_span bytes;
    enum hub_status st = r->port.get_link(r->port.store, r->chain.set.epoch + 1, &bytes);
    if (st)
        return st;
    if (!hub_link_decode(&link, bytes))
        return HUB_CORRUPT;
    return hub_chain_cross(&r->chain, &link, hub_catchup_visit, r) ? HUB_CORRUPT : HUB_OK;
}

/* The block whose height the row of this epoch names. HUB_NOT_FOUND: damaged, or below a snapshot. */
static enum hub_status seal_of_row(struct hub_replica *r, struct hub_hash *out, bool *recovered)
{
    struct hub_epoch_row row;
    struct hub_header h = {.flags = 0};
    struct hub_span bytes, header_bytes;
    hub_epoch_get(&row, &r->chain.state, (uint32_t)r->chain.set.epoch);
    HUB_ASSERT(row.number == r->chain.set.epoch);
    enum hub_status st = r->port.get_block_at(r->port.store, row.height, &bytes);
    if (st)
        return st;
    const bool good = hub_block_peek(&h, out, &header_bytes, bytes);
    *recovered = h.flags == HUB_FLAG_RECOVERY;
    return good ? HUB_OK : HUB_CORRUPT;
}

enum hub_status hub_epochs_seal_hash(struct hub_replica *r, struct hub_hash *out)
{
    struct hub_link link;
    struct hub_span bytes;
    bool recovered = false;
    if (r->chain.set.epoch == 0) {
        *out = r->chain.id;
        return HUB_OK;
    }
    enum hub_status st = r->port.get_link(r->port.store, r->chain.set.epoch, &bytes);
    if (st == HUB_NOT_FOUND) /* damaged: mend.c asks for it */
        st = seal_of_row(r, out, &recovered);
    else if (st == HUB_OK && !hub_link_decode(&link, bytes))
        st = HUB_CORRUPT;
    else if (st == HUB_OK) {
        hub_header_hash(out, link.headers.bytes[link.headers.n - 1]);
        recovered = link.recovery.len > 0;
    }
    if (recovered) /* a link binds of such a block what its record says, and not its hash */
        *out = r->chain.set.hash;
    return st == HUB_NOT_FOUND ? HUB_CORRUPT : st;
}

uint8_t hub_replica_arrived(const struct hub_replica *r)
{
    uint8_t count = 0;
    for (uint8_t i = 0; i < hub_replica_n(r); i++)
        count = (uint8_t)(count + (r->peer[i].seen_ms && r->peer[i].epoch >= r->chain.set.epoch));
    return count;
}
