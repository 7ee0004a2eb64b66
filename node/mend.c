/* mend.c: what is final and this node's disk lost or changed (docs/hazards.md H4). It is found when a peer asks for it
 * and by a slow reading, again and again, and what comes from peers is put in its place:
 *  - each block, asked for by its hash, which the block above it names;
 *  - the FINALIZATION of the newest block, without which no receipt of its records can be given. Older ones are not
 *    looked at: a newer one proves as much;
 *  - each link from one epoch to the next, which the set before it proves. */
#include "node/replica_parts.h"

#include "ledger/epoch.h"

#include <string.h>

enum {
    SCRUB_PERIOD_MS = 1000,
    SCRUB_BLOCKS = 16,     /* a period: a million blocks in 17 hours */
    SCRUB_BYTES = 1 << 20, /* a period: about a millisecond of hashing */
    ASK_MS = 1000,
    ASK_MAX_MS = 30000
};

/* A node that joined by a snapshot never had what lies below it. */
static uint64_t lowest(const struct hub_replica *r)
{
    return r->cfg.floor ? r->cfg.floor : 1;
}

static struct hub_mend *block_find(struct hub_replica *r, uint64_t height)
{
    for (uint32_t i = 0; i < HUB_MENDS_MAX; i++)
        if (r->mend.block[i].place == height)
            return &r->mend.block[i];
    return NULL;
}

/* The header of a final block above the history's beginning. */
static bool header_at(struct hub_replica *r, struct hub_header *out, struct hub_hash *hash,
                      uint64_t height, size_t *len)
{
    struct hub_span bytes, header_bytes;
    if (!hub_replica_found(r, r->port.get_block_at(r->port.store, height, &bytes)))
        return false;
    *len = bytes.len;
    return hub_block_peek(out, hash, &header_bytes, bytes);
}

/* The lowest height at or above this one whose hash is known from above: the final block's own, or the parent that
 * the block above names. */
static bool hash_of_damaged(struct hub_replica *r, uint64_t *height, struct hub_hash *out)
{
    struct hub_header above;
    struct hub_hash ignored;
    size_t len;
    for (uint32_t i = 0; i < HUB_MENDS_MAX; i++, ++*height) {
        if (*height == r->chain.final_header.height) {
            *out = r->chain.final_hash;
            return true;
        }
        if (header_at(r, &above, &ignored, *height + 1, &len)) {
            *out = above.parent;
            return true;
        }
    }
    return false;
}

void hub_mend_height(struct hub_replica *r, uint64_t height)
{
    struct hub_hash hash;
    struct hub_mend *m = block_find(r, 0); /* a free place */
    if (!m || height < lowest(r) || height > r->chain.final_header.height ||
        hub_replica_n(r) == 1 || !hash_of_damaged(r, &height, &hash) || block_find(r, height))
        return;
    *m = (struct hub_mend){.place = height, .hash = hash, .due_ms = r->now.mono_ms};
    r->mend.found++;
}

/* Whole, and the block that was lost: its hash is over the header, which binds the records. */
static bool block_whole(struct hub_replica *r, struct hub_span bytes)
{
    static const struct hub_block empty;
    struct hub_block block = empty;
    uint32_t bad;
    uint16_t why;
    if (r->check.state != HUB_CHECK_NONE) /* records[] are in use: the block comes again */
        return false;
    block.records = r->records;
    return hub_block_decode(&block, &bad, &why, bytes, &r->chain.id) == HUB_OK;
}

bool hub_mend_receive(struct hub_replica *r, struct hub_span bytes)
{
    struct hub_header h;
    struct hub_hash hash;
    struct hub_span header_bytes;
    if (!r->mend.found || !hub_block_peek(&h, &hash, &header_bytes, bytes))
        return false;
    struct hub_mend *m = block_find(r, h.height);
    if (!h.height || !m || !hub_hash_equal(&m->hash, &hash) || !block_whole(r, bytes) ||
        !hub_replica_ok(r, r->port.put_block(r->port.store, &h, &hash, bytes)))
        return false;
    *m = (struct hub_mend){.place = 0};
    r->mend.mended++;
    hub_replica_put(r, false);
    return true;
}

/* A stretch of the chain is read; what the store cannot give any more is noted. */
static void read_blocks(struct hub_replica *r)
{
    size_t read = 0;
    for (uint32_t i = 0; i < SCRUB_BLOCKS && read < SCRUB_BYTES && !r->failure; i++) {
        struct hub_header h;
        struct hub_hash hash;
        size_t len = 0;
        if (r->mend.next < lowest(r) || r->mend.next > r->chain.final_header.height) {
            r->mend.next = lowest(r);
            return;
        }
        if (!header_at(r, &h, &hash, r->mend.next, &len))
            hub_mend_height(r, r->mend.next);
        read += len;
        r->mend.next++;
    }
}

/* ---- certificate and links */

static void note(struct hub_replica *r, struct hub_mend *m, uint64_t place)
{
    if (m->place != place)
        *m = (struct hub_mend){.place = place, .due_ms = r->now.mono_ms};
}

/* A SEAL that a link crossed has the link instead, and genesis nothing. */
static void look_at_certificate(struct hub_replica *r)
{
    const struct hub_header *h = &r->chain.final_header;
    struct hub_certificate c;
    const bool none = !h->height || h->epoch != r->cons.cfg.epoch;
    const bool held =
        none || (hub_replica_found(r, r->port.get_certificate(r->port.store, h->epoch, h->view,
                                                              HUB_FINALIZE, &c)) &&
                 hub_hash_equal(&c.subject.block_hash, &r->chain.final_hash));
    note(r, &r->mend.certificate, held ? 0 : h->view);
}

bool hub_mend_wants_certificate(const struct hub_replica *r, const struct hub_subject *s)
{
    return r->mend.certificate.place && s->kind == HUB_FINALIZE && s->epoch == r->cons.cfg.epoch &&
           s->view == r->mend.certificate.place &&
           hub_hash_equal(&s->block_hash, &r->chain.final_hash);
}

void hub_mend_certificate_came(struct hub_replica *r)
{
    note(r, &r->mend.certificate, 0);
    r->mend.mended++;
}

/* One link at a time, and no other while one is asked for. */
static void look_at_link(struct hub_replica *r)
{
    struct hub_span bytes;
    if (!r->chain.set.epoch || r->mend.link.place)
        return;
    r->mend.next_link = r->mend.next_link % r->chain.set.epoch + 1;
    if (!hub_replica_found(r, r->port.get_link(r->port.store, r->mend.next_link, &bytes)))
        note(r, &r->mend.link, r->mend.next_link);
}

/* No certificate covers the header of a recovery: only the block itself says that it is the one. */
static bool is_own(struct hub_replica *r, const struct hub_link_facts *facts, uint64_t height)
{
    struct hub_header h;
    struct hub_hash hash;
    size_t len;
    return !facts->recovered || !header_at(r, &h, &hash, height, &len) ||
           hub_hash_equal(&hash, &facts->seal_hash);
}

bool hub_mend_take_link(struct hub_replica *r, const struct hub_link *l, struct hub_span bytes)
{
    struct hub_epoch_row row;
    struct hub_validators set;
    struct hub_link_facts facts;
    const char *what;
    hub_epoch_get(&row, &r->chain.state, (uint32_t)(r->mend.link.place - 1));
    enum hub_status st =
        hub_validators_decode(&set, row.bytes, &r->chain.id, hub_text_span(r->chain.set.network));
    HUB_ASSERT(st == HUB_OK && set.epoch + 1 == r->mend.link.place);
    /* It was crossed: a recovery was accepted then, and the next set stands in the state. */
    hub_epoch_get(&row, &r->chain.state, (uint32_t)r->mend.link.place);
    if (hub_link_check(&facts, &what, l, &set, &hub_accept_all) != HUB_VERDICT_OK ||
        !hub_span_equal(row.bytes, l->next) || !is_own(r, &facts, row.height))
        return false;
    if (!hub_replica_ok(r, r->port.put_link(r->port.store, r->mend.link.place, bytes)))
        return true;
    note(r, &r->mend.link, 0);
    r->mend.mended++;
    hub_replica_put(r, false);
    return true;
}

/* ---- reading on, asking on */

/* After a second, then twice as long each time. The peer to be asked, or -1. */
static int ask_whom(struct hub_replica *r, struct hub_mend *m, uint64_t *wake_ms)
{
    int peer = -1;
    if (!m->place)
        return -1;
    if (r->now.mono_ms >= m->due_ms) {
        const uint64_t wait = (uint64_t)ASK_MS << (m->tries < 5 ? m->tries : 5);
        peer = hub_catchup_next_peer(r, 0);
        m->due_ms = r->now.mono_ms + (wait < ASK_MAX_MS ? wait : ASK_MAX_MS);
        m->tries++;
    }
    if (m->due_ms < *wake_ms)
        *wake_ms = m->due_ms;
    return peer;
}

uint64_t hub_mend_timer(struct hub_replica *r)
{
    uint64_t wake = UINT64_MAX;
    if (r->now.mono_ms >= r->mend.scrub_due_ms) {
        r->mend.scrub_due_ms = r->now.mono_ms + SCRUB_PERIOD_MS;
        read_blocks(r);
        look_at_certificate(r);
        look_at_link(r);
    }
    for (uint32_t i = 0; i < HUB_MENDS_MAX; i++) {
        const int peer = ask_whom(r, &r->mend.block[i], &wake);
        if (peer >= 0)
            hub_outbox_get_block(r, peer, &r->mend.block[i].hash);
    }
    const uint64_t view = r->mend.certificate.place, epoch = r->mend.link.place;
    int peer = ask_whom(r, &r->mend.certificate, &wake);
    if (peer >= 0)
        hub_outbox_get_certs(r, peer, view, view);
    peer = ask_whom(r, &r->mend.link, &wake);
    if (peer >= 0)
        hub_outbox_get_epochs(r, peer, epoch - 1);
    return wake;
}
