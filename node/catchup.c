/* catchup.c: execution of blocks in the order of the chain, finality, and catch-up by height.
 *  1. A block is executed when the core waits for its verdict or when its FINALIZATION is held; ancestors first,
 *     oldest first, from memory, the store, or a peer.
 *  2. One block is checked at a time: its records are decoded, their keys taken from the parent's state, the
 *     signatures checked by the port, then hub_chain_append decides.
 *  3. By height only blocks that a FINALIZATION vouches for are executed: an honest peer never has more
 *     unfinalized blocks with records than the chain has slots, so its certificates come often enough. */
#include "node/replica_parts.h"

#include <string.h>

enum {
    HEARD_MS = 15000, /* three idle STATUS periods */
    PATH_MAX_BLOCKS = HUB_BODIES_MAX,
    ASK_AGAIN_MS = 1000 /* what came may have been another's rubbish behind the right header */
};

/* ---- what the core waits for */

static bool heard(const struct hub_replica *r, uint8_t peer)
{
    const uint64_t at = r->peer[peer].seen_ms;
    return at && r->now.mono_ms - at < HEARD_MS;
}

int hub_catchup_next_peer(struct hub_replica *r, uint64_t peers)
{
    const uint8_t n = hub_replica_n(r);
    for (uint32_t pass = peers ? 0 : 1; pass < 3; pass++)
        for (uint32_t i = 1; i <= HUB_PEERS_MAX; i++) {
            const uint8_t peer = (uint8_t)((r->rotate + i) % HUB_PEERS_MAX);
            const bool validator = peer < n;
            if (peer == r->cfg.me || (pass == 0 && !(validator && peers >> peer & 1)) ||
                (pass == 1 && !heard(r, peer)) || (pass == 2 && !validator))
                continue;
            r->rotate = peer;
            return peer;
        }
    return -1;
}

static struct hub_want *want_find(struct hub_replica *r, const struct hub_hash *hash)
{
    for (uint32_t i = 0; i < HUB_WANTS_MAX; i++)
        if (r->want[i].used && hub_hash_equal(&r->want[i].hash, hash))
            return &r->want[i];
    return NULL;
}

/* The core still has a use for this block: others are forgotten with their view. */
static bool core_cares(const struct hub_replica *r, const struct hub_hash *hash)
{
    const struct hub_record *recovery = hub_recover_record(r);
    struct hub_recovery base;
    if (recovery)
        hub_recovery_read(&base, recovery);
    if (hub_hash_equal(&r->cons.top.block_hash, hash) ||
        (recovery && hub_hash_equal(&base.base, hash)))
        return true;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &r->cons.views[i];
        if (v->used &&
            ((v->prop_state != HUB_SLOT_NONE && hub_hash_equal(&v->prop.hash, hash)) ||
             (v->cert_state != HUB_SLOT_NONE && hub_hash_equal(&v->cert_blk.hash, hash))))
            return true;
    }
    return false;
}

void hub_catchup_want(struct hub_replica *r, const struct hub_hash *hash, uint64_t peers,
                      bool fetch)
{
    struct hub_want *w = want_find(r, hash);
    for (uint32_t i = 0; !w && i < HUB_WANTS_MAX; i++)
        if (!r->want[i].used || !core_cares(r, &r->want[i].hash)) {
            w = &r->want[i];
            *w = (struct hub_want){.used = true, .hash = *hash};
        }
    if (!w) /* the core asks again */
        return;
    w->fetch |= fetch;
    if (peers)
        w->peers = peers;
}

static void request_block(struct hub_replica *r, struct hub_want *w, const struct hub_hash *missing)
{
    if (!w->fetch && hub_hash_equal(&w->asked, missing) && r->now.mono_ms < w->again_ms)
        return;
    w->fetch = false;
    w->again_ms = r->now.mono_ms + ASK_AGAIN_MS;
    w->asked = *missing;
    int first = hub_catchup_next_peer(r, w->peers), second = hub_catchup_next_peer(r, w->peers);
    if (first >= 0)
        hub_outbox_get_block(r, first, missing);
    if (second != first)
        hub_outbox_get_block(r, second, missing);
}

/* ---- one block: check, append */

/* What lies between a block and what is applied. */
enum path { PATH_APPLIED, PATH_NEXT, PATH_MISSING, PATH_INVALID, PATH_FAR };

/* A final block below the newest one counts as applied; any other block that low can never be final. While the disk does
 * not give the one of this height, nothing is known: a verdict would halt voting. */
static enum path path_below_final(struct hub_replica *r, const struct hub_hash *hash,
                                  uint64_t height)
{
    struct hub_span bytes, header_bytes;
    struct hub_header h;
    struct hub_hash at;
    if (!hub_replica_found(r, r->port.get_block_at(r->port.store, height, &bytes)) ||
        !hub_block_peek(&h, &at, &header_bytes, bytes)) {
        hub_mend_height(r, height);
        return PATH_FAR;
    }
    return hub_hash_equal(&at, hash) ? PATH_APPLIED : PATH_INVALID;
}

/* *at: the lowest block of the path that is not applied (NEXT) or not held (MISSING, and FAR when catch-up by
 * height or mend.c will bring it). */
static enum path path_of(struct hub_replica *r, struct hub_hash *at, const struct hub_hash *hash)
{
    uint64_t final = r->chain.final_header.height;
    *at = *hash;
    struct hub_hash next = *hash;
    bool any = false;
    for (uint32_t i = 0; i < PATH_MAX_BLOCKS; i++) {
        if (hub_chain_header(&r->chain, at)) {
            *at = next;
            return any ? PATH_NEXT : PATH_APPLIED;
        }
        struct hub_header h;
        if (!hub_body_header(r, &h, at))
            return PATH_MISSING;
        const struct hub_body *b = hub_body_find(r, at);
        if (b && b->invalid)
            return PATH_INVALID;
        if (h.height <= final)
            return any ? PATH_INVALID : path_below_final(r, at, h.height);
        if (h.height > final + PATH_MAX_BLOCKS)
            return PATH_FAR;
        next = *at;
        *at = h.parent;
        any = true;
    }
    return PATH_FAR;
}

/* Decodes the block, takes the keys from its parent's state and has the signatures checked. False: no verdict
 * can come of these bytes. */
static bool check_begin(struct hub_replica *r, struct hub_body *b)
{
    uint32_t bad;
    uint16_t why;
    struct hub_block *block = &r->check.block;
    *block = (struct hub_block){.records = r->records};
    if (hub_block_decode(block, &bad, &why, hub_span_of(&b->bytes), &r->chain.id) != HUB_OK ||
        hub_chain_move(&r->chain, &block->header.parent) != HUB_OK)
        return false;
    r->check.state = HUB_CHECK_RUNNING;
    for (uint32_t i = 0; i < block->count; i++)
        if (hub_record_resolve(&r->keys[i], &r->chain.state, &block->records[i])) {
            r->check.state =
                HUB_CHECK_BAD; /* refused on this parent, whatever the signature says */
            return true;
        }
    if (block->count)
        r->port.check(r->port.pool, &block->hash, block->records, r->keys, block->count);
    else
        r->check.state = HUB_CHECK_GOOD;
    return true;
}

void hub_replica_on_block_checked(struct hub_replica *r, const struct hub_hash *hash, bool valid)
{
    if (r->check.state == HUB_CHECK_RUNNING && hub_hash_equal(&r->check.block.hash, hash))
        r->check.state = valid ? HUB_CHECK_GOOD : HUB_CHECK_BAD;
}

static void check_finish(struct hub_replica *r)
{
    struct hub_block *block = &r->check.block;
    struct hub_body *b = hub_body_find(r, &block->hash);
    HUB_ASSERT(b); /* pinned while the check runs */
    enum hub_status st = HUB_BAD_BLOCK;
    struct hub_fault fault;
    if (r->check.state == HUB_CHECK_GOOD)
        st = block->header.flags == HUB_FLAG_TAIL ? hub_chain_tail(&r->chain, block, &fault)
                                                  : hub_chain_append(&r->chain, block, &fault);
    r->check.state = HUB_CHECK_NONE;
    if (st == HUB_OK) {
        b->unproven = false;
        hub_body_store(r, b);
    } else if (st == HUB_LIMIT)
        r->chain_full = true;
    else if (st == HUB_BAD_BLOCK)
        b->invalid = true;
    else if (st !=
             HUB_UNKNOWN_PARENT) /* its parent was pruned meanwhile: the path is walked again */
        hub_replica_ok(r, st);
}

/* Works on the path to one block; true if something was done. */
static bool path_advance(struct hub_replica *r, const struct hub_hash *next)
{
    struct hub_body *b = hub_body_load(r, next);
    if (!b || (r->chain_full && b->header.record_count))
        return false;
    if (!check_begin(r, b)) {
        hub_sync_bad_block(r, b);
        return false;
    }
    return true;
}

static void verdict(struct hub_replica *r, struct hub_want *w, bool valid)
{
    struct hub_event ev = {.kind = HUB_EV_BLOCK};
    struct hub_header h;
    w->used = false;
    if (!hub_body_header(r, &h, &w->hash))
        return;
    hub_header_facts_of(&ev.u.block.header, &h, &w->hash);
    ev.u.block.valid = valid;
    hub_replica_push(r, &ev);
}

static bool want_run(struct hub_replica *r, struct hub_want *w)
{
    struct hub_hash at;
    switch (path_of(r, &at, &w->hash)) {
    case PATH_APPLIED:
        verdict(r, w, true);
        return true;
    case PATH_INVALID:
        verdict(r, w, false);
        return true;
    case PATH_NEXT:
        return path_advance(r, &at);
    case PATH_MISSING:
        request_block(r, w, &at);
        return false;
    case PATH_FAR:
        return false;
    }
    return false;
}

/* ---- finality */

void hub_catchup_visit(void *ctx, const struct hub_applied *applied)
{
    struct hub_replica *r = ctx;
    struct hub_span bytes;
    hub_catchup_keep_blocks(r, &applied->hash);
    if (hub_body_bytes(r, &bytes, &applied->hash))
        r->port.final(r->port.client, applied, bytes);
    else
        hub_replica_ok(r, HUB_CORRUPT); /* an applied block is in memory or in the store */
}

void hub_catchup_finalize(struct hub_replica *r, const struct hub_certificate *c)
{
    const struct hub_subject *s = &c->subject;
    struct hub_chain *chain = &r->chain;
    const struct hub_header *h = hub_chain_header(chain, &s->block_hash);
    if (r->ended || s->height <= chain->final_header.height || !h)
        return;
    if (hub_chain_ends_epoch(chain, h)) {
        hub_epochs_finalize(r, c);
        return;
    }
    if (!hub_replica_ok(r, hub_chain_finalize(chain, c, hub_catchup_visit, r)))
        return;
    struct hub_point fin = {chain->final_header.view, chain->final_header.height,
                            chain->final_hash};
    if (!hub_replica_ok(r, r->port.put_tip(r->port.store, &fin, &chain->final_edge)))
        return;
    hub_replica_put(r, false);
    hub_body_forget_final(r);
    r->chain_full = false;
    r->gate.stale = true;
    hub_permit_final(r);
}

void hub_catchup_keep_blocks(struct hub_replica *r, const struct hub_hash *hash)
{
    struct hub_hash at = *hash;
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++) {
        struct hub_body *b = hub_body_find(r, &at);
        if (!b || b->stored) /* stored ones were stored after their ancestors */
            return;
        hub_body_store(r, b);
        at = b->header.parent;
    }
}

/* The lowest block above the final one whose FINALIZATION came with it. */
static struct hub_body *lowest_certified(struct hub_replica *r)
{
    struct hub_body *best = NULL;
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++) {
        struct hub_body *b = &r->body[i];
        if (b->used && b->certified && (!best || b->header.height < best->header.height))
            best = b;
    }
    return best;
}

/* A link says that its SEAL is final. */
static bool proof_run(struct hub_replica *r)
{
    struct hub_hash at;
    if (!r->proof.held)
        return false;
    enum path path = path_of(r, &at, &r->proof.seal_hash);
    if (path == PATH_NEXT)
        return path_advance(r, &at);
    if (path == PATH_APPLIED)
        hub_epochs_cross(r);
    return path == PATH_APPLIED;
}

/* An accepted recovery ends the epoch as soon as its base is applied. */
static bool recovery_run(struct hub_replica *r)
{
    const struct hub_record *record = hub_recover_record(r);
    struct hub_recovery recovery;
    struct hub_hash at;
    if (!record || r->proof.held) /* a quorum ended it: nothing is overridden */
        return false;
    hub_recovery_read(&recovery, record);
    switch (path_of(r, &at, &recovery.base)) {
    case PATH_NEXT:
        return path_advance(r, &at);
    case PATH_APPLIED:
    case PATH_INVALID: /* it says so */
        hub_recover_cross(r);
        return true;
    case PATH_MISSING:
        if (hub_recover_asks(r))
            hub_catchup_want(r, &recovery.base, 0, true);
        return false;
    case PATH_FAR:
        return false;
    }
    return false;
}

static bool certified_run(struct hub_replica *r)
{
    struct hub_body *b = lowest_certified(r);
    if (!b)
        return false;
    struct hub_hash at;
    enum path path = path_of(r, &at, &b->hash);
    if (path == PATH_NEXT)
        return path_advance(r, &at);
    if (path != PATH_APPLIED)
        return false;
    struct hub_certificate c;
    b->certified = false;
    if (hub_replica_found(r, r->port.get_certificate(r->port.store, r->cons.cfg.epoch,
                                                     b->header.view, HUB_FINALIZE, &c)))
        hub_catchup_finalize(r, &c);
    return true;
}

bool hub_catchup_run(struct hub_replica *r)
{
    if (r->failure || r->ended || r->check.state == HUB_CHECK_RUNNING)
        return false;
    if (r->check.state != HUB_CHECK_NONE) {
        check_finish(r);
        return true;
    }
    for (uint32_t i = 0; i < HUB_WANTS_MAX; i++) {
        struct hub_want *w = &r->want[i];
        if (w->used && !core_cares(r, &w->hash))
            w->used = false;
        if (w->used && want_run(r, w))
            return true;
    }
    return proof_run(r) || certified_run(r) || recovery_run(r);
}

/* ---- restart */

/* One stored final block, checked like any other; the disk is trusted no more than a peer. */
static enum hub_status replay_block(struct hub_replica *r, struct hub_block *block,
                                    struct hub_span bytes)
{
    uint32_t bad;
    uint16_t why;
    struct hub_fault fault;
    *block = (struct hub_block){.records = r->records};
    if (hub_block_decode(block, &bad, &why, bytes, &r->chain.id) != HUB_OK ||
        hub_chain_move(&r->chain, &block->header.parent) != HUB_OK)
        return HUB_CORRUPT;
    for (uint32_t i = 0; i < block->count; i++) {
        struct hub_record *record = &block->records[i];
        if (hub_record_resolve(&r->keys[0], &r->chain.state, record) ||
            !hub_record_verify(record, &why, &r->keys[0]))
            return HUB_CORRUPT;
    }
    if (block->header.flags == HUB_FLAG_RECOVERY)
        return hub_recover_replay(r, block);
    enum hub_status st = hub_chain_append(&r->chain, block, &fault);
    return st == HUB_OK || st == HUB_LIMIT ? st : HUB_CORRUPT;
}

enum hub_status hub_catchup_replay(struct hub_replica *r)
{
    struct hub_point tip;
    struct hub_edge edge;
    enum hub_status st = r->port.get_tip(r->port.store, &tip, &edge);
    if (st)
        return st == HUB_NOT_FOUND ? HUB_OK : st;
    for (uint64_t h = r->chain.final_header.height + 1; h <= tip.height; h++) {
        struct hub_span bytes;
        struct hub_block block;
        struct hub_certificate c;
        struct hub_body *b;
        st = r->port.get_block_at(r->port.store, h, &bytes);
        if (st == HUB_NOT_FOUND && hub_replica_n(r) > 1)
            break; /* damaged: the peers have it */
        if (st)
            return st == HUB_NOT_FOUND ? HUB_CORRUPT : st;
        if (!(b = hub_body_put(r, bytes)))
            return HUB_CORRUPT;
        b->stored = true;
        if ((st = replay_block(r, &block, hub_span_of(&b->bytes))))
            return HUB_CORRUPT;
        if (block.header.flags == HUB_FLAG_RECOVERY)
            continue;
        if (block.header.flags == HUB_FLAG_SEAL) {
            st = hub_epochs_replay(r);
            if (st == HUB_NOT_FOUND && hub_replica_n(r) > 1)
                break; /* damaged: the journal's FINALIZATION or the peers' link says that it is final */
            if (st)
                return st == HUB_NOT_FOUND ? HUB_CORRUPT : st;
            continue;
        }
        st = r->port.get_certificate(r->port.store, block.header.epoch, block.header.view,
                                     HUB_FINALIZE, &c);
        if (st && st != HUB_NOT_FOUND)
            return st;
        if (!st && hub_hash_equal(&c.subject.block_hash, &block.hash) &&
            (st = hub_chain_finalize(&r->chain, &c, hub_catchup_visit, r)))
            return HUB_CORRUPT;
    }
    r->sync.stored = tip.height;
    if (r->chain.final_header.height < tip.height && hub_replica_n(r) > 1)
        return HUB_OK; /* catch-up goes on from here, with what is on disk and what is not */
    return hub_hash_equal(&tip.block_hash, &r->chain.final_hash) ? HUB_OK : HUB_CORRUPT;
}
