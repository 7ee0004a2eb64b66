/* sync.c: catch-up by height: final blocks that this node lacks, from its own disk after a start that met a damaged one,
 * else from peers that are ahead. Nothing is executed that a FINALIZATION does not vouch for, so a lying peer can cost
 * time only, and little:
 *  1. Blocks by height are taken only from who was asked for them, and only at those heights.
 *  2. A peer that sends nothing in time, or what leads nowhere, or bytes that are not the block they name, rests:
 *     5 s, doubled each time up to 10 min. What it says of its height counts for nothing meanwhile.
 *  3. After a failure two others are asked at once; the first that helps is believed. */
#include "node/replica_parts.h"

#include <string.h>

enum {
    FIRST_REQUEST_MS = 300, /* a STATUS may simply be faster than the block it speaks of */
    REQUEST_MS = 1000,
    REST_MS = 5000,
    REST_DOUBLINGS_MAX = 7,
    QUIET_MS = 100,              /* without progress: the answer to a request has come to its end */
    NEAR_BLOCKS = 4,             /* so near the end of what was asked for, the next are asked for */
    HEIGHTS = HUB_BODIES_MAX / 2 /* in one request: the other bodies are the core's */
};

static bool rests(const struct hub_replica *r, uint32_t peer)
{
    return r->now.mono_ms < r->peer[peer].rest_until_ms;
}

static void let_rest(struct hub_replica *r, uint8_t peer)
{
    struct hub_peer *p = &r->peer[peer];
    p->rest_until_ms = r->now.mono_ms + ((uint64_t)REST_MS << p->failed_requests);
    p->failed_requests += p->failed_requests < REST_DOUBLINGS_MAX;
    p->sync_failures++;
}

/* What is known to be final above us, by certificates, or told by peers that are believed. */
static uint64_t height_ahead(const struct hub_replica *r)
{
    uint64_t height = r->cons.top.height;
    for (uint32_t i = 0; i < HUB_PEERS_MAX; i++)
        if (i != r->cfg.me && !rests(r, i) && r->peer[i].fin.height > height)
            height = r->peer[i].fin.height;
    return height;
}

/* The next peer in turn that told of a final block above ours; if all those rest, the next that told of one all the
 * same; -1: none. */
static int next_peer_ahead(struct hub_replica *r)
{
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 1; i <= HUB_PEERS_MAX; i++) {
            const uint8_t peer = (uint8_t)((r->rotate + i) % HUB_PEERS_MAX);
            if (peer == r->cfg.me || (pass == 0 && rests(r, peer)) ||
                r->peer[peer].fin.height <= r->chain.final_header.height)
                continue;
            r->rotate = peer;
            return peer;
        }
    return hub_catchup_next_peer(r, 0);
}

/* Blocks by height that led nowhere make room for another peer's. */
static void forget_unproven(struct hub_replica *r)
{
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++)
        if (r->body[i].unproven && !r->body[i].certified)
            hub_body_forget(r, &r->body[i]);
}

/* Something of the last answer is left to execute. What no certificate covers yet does not count: the next answer
 * brings it; nor what lies above, like the newest block, which came by its hash and waits for all below it. */
static bool any_certified(const struct hub_replica *r)
{
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++)
        if (r->body[i].used && r->body[i].certified && r->body[i].header.height <= r->sync.asked)
            return true;
    return false;
}

/* What is at home need not be asked for. A block of a later epoch counts as certified when the node has gone over to it:
 * tried before, it would be found bad. */
static bool load_stored(struct hub_replica *r)
{
    uint64_t final = r->chain.final_header.height, h = final + 1;
    for (; h <= r->sync.stored && h <= final + HEIGHTS; h++) {
        struct hub_span bytes;
        struct hub_certificate c;
        struct hub_body *b;
        if (!hub_replica_found(r, r->port.get_block_at(r->port.store, h, &bytes)) ||
            !(b = hub_body_put(r, bytes)))
            break;
        b->stored = b->unproven = true;
        b->certified =
            hub_replica_found(r, r->port.get_certificate(r->port.store, r->cons.cfg.epoch,
                                                         b->header.view, HUB_FINALIZE, &c)) &&
            hub_hash_equal(&c.subject.block_hash, &b->hash);
    }
    return h > final + 1;
}

/* ---- requests */

static bool was_asked(const struct hub_replica *r, uint8_t peer)
{
    for (uint32_t i = 0; i < r->sync.sources; i++)
        if (r->sync.source[i] == peer)
            return true;
    return false;
}

/* The time of the last request is over and nothing became final. Blocks that came may wait for their execution: once
 * they are given more time. */
static void judge_last(struct hub_replica *r)
{
    for (uint32_t i = 0; i < r->sync.sources; i++)
        let_rest(r, r->sync.source[i]);
    r->sync.sources = 0;
    forget_unproven(r);
}

static void ask(struct hub_replica *r)
{
    const uint64_t from = r->chain.final_header.height + 1;
    const uint32_t most = r->sync.tries ? 2 : 1;
    r->sync.sources = 0;
    r->sync.got = 0;
    r->sync.asked = from + HEIGHTS - 1;
    for (uint32_t i = 0; i < most; i++) {
        const int peer = next_peer_ahead(r);
        if (peer < 0 || was_asked(r, (uint8_t)peer))
            return;
        r->sync.source[r->sync.sources++] = (uint8_t)peer;
        hub_outbox_get_blocks(r, peer, from, r->sync.asked);
    }
}

static void progress(struct hub_replica *r)
{
    r->sync.final = r->chain.final_header.height;
    if (!r->sync.got) /* the votes of the day did it: no merit of whoever was asked */
        return;
    for (uint32_t i = 0; i < r->sync.sources; i++)
        r->peer[r->sync.source[i]].failed_requests = 0;
    r->sync.tries = 0;
    r->sync.patience = 1;
    /* What is left of the answer is under way, or lies above its last certificate. */
    const bool near = r->sync.final + NEAR_BLOCKS >= r->sync.asked;
    const uint64_t next_ms = r->now.mono_ms + (near ? 0 : QUIET_MS);
    if (!any_certified(r) && next_ms < r->sync.due_ms)
        r->sync.due_ms = next_ms;
}

static void begin(struct hub_replica *r)
{
    r->sync.active = true;
    r->sync.tries = r->sync.sources = 0;
    r->sync.patience = 1;
    r->sync.final = r->chain.final_header.height;
    r->sync.due_ms = r->now.mono_ms + FIRST_REQUEST_MS;
}

uint64_t hub_sync_timer(struct hub_replica *r)
{
    const uint64_t height = height_ahead(r), now = r->now.mono_ms,
                   final = r->chain.final_header.height;
    /* A single block comes by the core's own requests, but not one of an epoch that is over. */
    if (r->ended || height <= final || (height == final + 1 && !r->proof.held)) {
        r->sync.active = false;
        return UINT64_MAX;
    }
    if (!r->sync.active)
        begin(r);
    if (final > r->sync.final)
        progress(r);
    if (now < r->sync.due_ms)
        return r->sync.due_ms;
    r->sync.due_ms = now + REQUEST_MS;
    if (r->sync.tries && r->sync.got && r->sync.patience) {
        r->sync.patience--;
        return r->sync.due_ms;
    }
    if (r->sync.tries)
        judge_last(r);
    if (r->sync.tries || !load_stored(r))
        ask(r);
    r->sync.tries++;
    return r->sync.due_ms;
}

/* ---- answers */

bool hub_sync_wants(const struct hub_replica *r, const struct hub_hash *hash)
{
    for (uint32_t i = 0; i < HUB_WANTS_MAX; i++)
        if (r->want[i].used &&
            (hub_hash_equal(&r->want[i].asked, hash) || hub_hash_equal(&r->want[i].hash, hash)))
            return true;
    return false;
}

struct hub_body *hub_sync_receive(struct hub_replica *r, uint8_t peer, struct hub_span block)
{
    struct hub_header h;
    struct hub_hash hash;
    struct hub_span header_bytes;
    if (!hub_block_peek(&h, &hash, &header_bytes, block) || !hub_hash_equal(&h.chain, &r->chain.id))
        return NULL;
    const uint64_t final = r->chain.final_header.height;
    const bool by_height =
        r->sync.active && was_asked(r, peer) && h.height > final && h.height <= r->sync.asked;
    struct hub_body *b = hub_body_find(r, &hash);
    if (b) { /* held: it was an answer all the same */
        r->sync.got += by_height;
        return b;
    }
    const bool by_hash = hub_sync_wants(r, &hash);
    if (!by_hash && !by_height)
        return NULL;
    b = hub_body_take(r, block, &hash);
    if (!b)
        return NULL;
    if (!b->stored) {
        b->unproven = !by_hash;
        b->from = (uint8_t)(peer + 1);
    }
    r->sync.got += by_height;
    return b;
}

void hub_sync_bad_block(struct hub_replica *r, struct hub_body *b)
{
    b->used = false;
    if (!b->from)
        return;
    r->peer[b->from - 1].bad_messages++;
    let_rest(r, (uint8_t)(b->from - 1));
    if (r->sync.active && b->unproven) {
        r->sync.due_ms = r->now.mono_ms;
        r->sync.patience = 0;
    }
}
