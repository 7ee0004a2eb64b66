/* mend.c: final blocks that this node's disk lost or changed (docs/hazards.md H4). They are found when a peer asks for
 * them and by a slow reading of the whole chain, again and again; each is asked for by its hash, which the block above
 * it names, and put in its place. */
#include "node/replica_parts.h"

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

static struct hub_mend *mend_find(struct hub_replica *r, uint64_t height)
{
    for (uint32_t i = 0; i < HUB_MENDS_MAX; i++)
        if (r->mend.item[i].height == height)
            return &r->mend.item[i];
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
    struct hub_mend *m = mend_find(r, 0); /* a free place */
    if (!m || height < lowest(r) || height > r->chain.final_header.height ||
        hub_replica_n(r) == 1 || !hash_of_damaged(r, &height, &hash) || mend_find(r, height))
        return;
    *m = (struct hub_mend){.height = height, .hash = hash, .due_ms = r->now.mono_ms};
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
    struct hub_mend *m = mend_find(r, h.height);
    if (!h.height || !m || !hub_hash_equal(&m->hash, &hash) || !block_whole(r, bytes) ||
        !hub_replica_ok(r, r->port.put_block(r->port.store, &h, &hash, bytes)))
        return false;
    *m = (struct hub_mend){.height = 0};
    r->mend.mended++;
    hub_replica_put(r, false);
    return true;
}

/* A stretch of the chain is read; what the store cannot give any more is noted. */
static void scrub(struct hub_replica *r)
{
    size_t read = 0;
    r->mend.scrub_due_ms = r->now.mono_ms + SCRUB_PERIOD_MS;
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

uint64_t hub_mend_timer(struct hub_replica *r)
{
    uint64_t wake = UINT64_MAX, now = r->now.mono_ms;
    if (now >= r->mend.scrub_due_ms)
        scrub(r);
    for (uint32_t i = 0; i < HUB_MENDS_MAX; i++) {
        struct hub_mend *m = &r->mend.item[i];
        if (!m->height)
            continue;
        if (now >= m->due_ms) {
            int peer = hub_catchup_next_peer(r, 0);
            if (peer >= 0)
                hub_outbox_get_block(r, peer, &m->hash);
            uint64_t wait = (uint64_t)ASK_MS << (m->tries < 5 ? m->tries : 5);
            m->due_ms = now + (wait < ASK_MAX_MS ? wait : ASK_MAX_MS);
            m->tries++;
        }
        if (m->due_ms < wake)
            wake = m->due_ms;
    }
    return wake;
}
