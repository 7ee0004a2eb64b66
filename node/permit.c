/* permit.c: whether this node may vote (docs/hazards.md H12). A vote that was sent and then forgotten, because a disk
 * was lost, rolled back or copied, makes an honest operator a Byzantine validator; so in doubt a node abstains.
 *  1. The guard, the journal, a stored halt and the anchor are looked at once, at start, before anything is signed.
 *  2. Then q - 1 peers must have told what they hold of the votes of this key. Nobody's silence forbids anything, but
 *     nobody's silence allows it either: without q - 1 others no vote could be of use.
 *  3. A verified vote above the final view that the journal lacks halts voting, whenever it turns up.
 *  4. Reasons that only an operator may end are stored; all ways back lead through --resume-after-loss,
 *     --acknowledge-halt, or a new key. Who signed a recovery is silent until that epoch is over. */
#include "node/replica_parts.h"

#include "ledger/recovery.h"

static void stand(struct hub_replica *r, enum hub_abstain why)
{
    r->permit.why = why;
    hub_replica_set_voting(r, why == HUB_ABSTAIN_NOT      ? HUB_VOTING_ALLOWED
                              : why == HUB_ABSTAIN_ASKING ? HUB_VOTING_ASKING
                                                          : HUB_VOTING_FORBIDDEN);
}

/* Votes were lost, or may have been. */
static bool is_loss(enum hub_abstain why)
{
    return why >= HUB_ABSTAIN_GUARD_MISSING && why <= HUB_ABSTAIN_RESTORED;
}

static void store_halt(struct hub_replica *r, const struct hub_halt *h)
{
    r->permit.halt = *h;
    if (hub_replica_ok(r, r->port.put_halt(r->port.store, h)))
        hub_replica_put(r, true);
}

/* Once nothing else forbids it: a network of one has nobody to ask. */
static enum hub_abstain ask_first(const struct hub_replica *r)
{
    return hub_replica_n(r) == 1 ? HUB_ABSTAIN_NOT : HUB_ABSTAIN_ASKING;
}

/* ---- the anchor */

enum anchor { ANCHOR_HELD, ANCHOR_AHEAD, ANCHOR_CONFLICT };

static enum anchor anchor_of(struct hub_replica *r)
{
    const struct hub_point *a = &r->cfg.anchor;
    const struct hub_chain *c = &r->chain;
    struct hub_span bytes, header_bytes;
    struct hub_header h;
    struct hub_hash hash = c->final_hash;
    if (!a->height)
        return ANCHOR_HELD;
    if (a->height > c->final_header.height)
        return ANCHOR_AHEAD;
    if (a->height < c->final_header.height &&
        (!hub_replica_found(r, r->port.get_block_at(r->port.store, a->height, &bytes)) ||
         !hub_block_peek(&h, &hash, &header_bytes, bytes)))
        return ANCHOR_AHEAD; /* damaged here: looked at again when it was fetched */
    return hub_hash_equal(&hash, &a->block_hash) ? ANCHOR_HELD : ANCHOR_CONFLICT;
}

/* ---- at start */

static enum hub_abstain reason_at_start(struct hub_replica *r)
{
    struct hub_vote_mark guard, journal = {.epoch = 0};
    r->permit.lost_view = 0; /* views begin anew with each epoch */
    if (r->cfg.me == hub_replica_n(r))
        return HUB_ABSTAIN_OBSERVER;
    if (hub_recover_record(r))
        return HUB_ABSTAIN_RECOVERY;
    if (hub_replica_found(r, r->port.get_mark(r->port.store, &journal)) &&
        journal.epoch == r->cons.cfg.epoch)
        r->permit.lost_view = journal.view;
    if (r->port.guard_read(r->port.guard, &guard) != HUB_OK)
        return r->permit.halt.why ? r->permit.halt.why : HUB_ABSTAIN_GUARD_MISSING;
    if (guard.epoch == r->cons.cfg.epoch && guard.view == HUB_VIEW_SILENT)
        return HUB_ABSTAIN_RECOVERY; /* whatever this directory says, or forgot */
    if (guard.epoch == r->cons.cfg.epoch && guard.view > r->permit.lost_view)
        r->permit.lost_view = guard.view;
    if (r->permit.halt.why)
        return r->permit.halt.why;
    const bool left = guard.epoch > r->cons.cfg.epoch || journal.epoch > r->cons.cfg.epoch;
    if (!hub_replica_found(r, r->port.has_mark(r->port.store, &guard)))
        return left && r->cfg.resume ? HUB_ABSTAIN_LEFT : HUB_ABSTAIN_GUARD_AHEAD;
    if (left)
        return HUB_ABSTAIN_LEFT;
    return anchor_of(r) == ANCHOR_HELD ? ask_first(r) : HUB_ABSTAIN_ANCHOR;
}

enum hub_status hub_permit_begin(struct hub_replica *r)
{
    const struct hub_halt none = {.why = HUB_ABSTAIN_NOT};
    enum hub_status st = r->port.get_halt(r->port.store, &r->permit.halt);
    if (st)
        return st;
    const enum hub_abstain halted = r->permit.halt.why;
    if (halted == HUB_ABSTAIN_RECOVERY) { /* stays stored: a damaged disk may lead back there */
        if (r->permit.halt.epoch < r->cons.cfg.epoch)
            r->permit.halt = none;
    } else if (halted && r->cfg.acknowledge && !is_loss(halted)) {
        store_halt(r, &none);
    }
    if (anchor_of(r) == ANCHOR_CONFLICT)
        return HUB_CONFLICT;
    enum hub_abstain why = reason_at_start(r);
    if (is_loss(why) && r->cfg.resume && r->chain.set.q < hub_replica_n(r))
        why = HUB_ABSTAIN_RESUMING;
    bool asks =
        why == HUB_ABSTAIN_ASKING || why == HUB_ABSTAIN_RESUMING || why == HUB_ABSTAIN_ANCHOR;
    r->permit.ask_due_ms = asks ? r->now.mono_ms : UINT64_MAX;
    stand(r, why);
    return r->failure;
}

/* No node can follow it: what this one signed for it binds it to nothing but silence. */
void hub_permit_recovery_failed(struct hub_replica *r, const struct hub_record *record)
{
    static const struct hub_hash none;
    struct hub_halt h = r->permit.halt;
    struct hub_vote_mark guard;
    struct hub_hash what;
    hub_epoch_recover_what(&what, record);
    if (h.why != HUB_ABSTAIN_RECOVERY || h.epoch != r->cons.cfg.epoch)
        return;
    if (hub_hash_equal(&h.block, &what)) {
        h.block = none;
        store_halt(r, &h);
    }
    /* Behind the store: where a crash came between, the same file brings it here again. */
    if (hub_hash_equal(&h.block, &none) && r->port.guard_read(r->port.guard, &guard) == HUB_OK &&
        hub_hash_equal(&guard.signed_, &what)) {
        guard.signed_ = none;
        r->port.guard_note(r->port.guard, &guard);
    }
}

/* ---- questions */

struct journal_search {
    const struct hub_vote *vote;
    bool found;
};

static void search_vote(void *ctx, const struct hub_vote *v)
{
    struct journal_search *s = ctx;
    s->found |= hub_subject_equal(&v->subject, &s->vote->subject);
}

/* Below the newest FINALIZATION no vote can do harm any more, and the journal may have dropped its own. */
void hub_permit_vote_told(struct hub_replica *r, const struct hub_vote *v)
{
    struct journal_search s = {.vote = v};
    if (r->permit.why == HUB_ABSTAIN_RESUMING) {
        if (v->subject.view > r->permit.lost_view)
            r->permit.lost_view = v->subject.view;
        return;
    }
    if (v->subject.view <= r->cons.top.view || r->cfg.me == hub_replica_n(r))
        return;
    hub_replica_found(
        r, r->port.each_vote(r->port.store, v->subject.epoch, v->subject.view, search_vote, &s));
    if (!s.found && !r->failure)
        hub_permit_halt(r, HUB_ABSTAIN_VOTE_UNKNOWN,
                        "a peer holds a vote of this node's key that its journal lacks (old disk "
                        "or second node): voting stopped",
                        &r->chain.final_hash);
}

void hub_permit_answered(struct hub_replica *r, uint8_t peer)
{
    r->peer[peer].answered = true;
}

static bool enough_answered(const struct hub_replica *r)
{
    uint32_t answers = 0;
    for (uint8_t i = 0; i < hub_replica_n(r); i++)
        answers += r->peer[i].answered;
    return answers + 1 >= r->chain.set.q;
}

/* The chain has passed every vote that was lost: none of ours can be wanted again. The guard follows behind: after
 * a crash before it does, it knows of the lost votes still, and the operator says so once more. */
static void try_resume(struct hub_replica *r)
{
    const struct hub_halt none = {.why = HUB_ABSTAIN_NOT};
    const struct hub_header *fin = &r->chain.final_header;
    struct hub_vote_mark mark;
    if (!enough_answered(r) || fin->epoch != r->cons.cfg.epoch || anchor_of(r) != ANCHOR_HELD ||
        fin->view <= r->permit.lost_view + HUB_RESUME_VIEWS ||
        !hub_replica_ok(r, r->port.get_mark(r->port.store, &mark)))
        return;
    store_halt(r, &none);
    mark.epoch = fin->epoch;
    mark.view = fin->view;
    r->port.guard_note(r->port.guard, &mark);
    stand(r, HUB_ABSTAIN_NOT);
}

void hub_permit_ask(struct hub_replica *r)
{
    if (r->permit.why == HUB_ABSTAIN_ASKING && enough_answered(r))
        stand(r, HUB_ABSTAIN_NOT);
    if (r->permit.why == HUB_ABSTAIN_RESUMING)
        try_resume(r);
    if (r->now.mono_ms < r->permit.ask_due_ms)
        return;
    hub_outbox_get_votes(r, -1);
    r->permit.ask_due_ms =
        r->now.mono_ms + (enough_answered(r) ? HUB_ASK_CLONE_MS : HUB_ASK_VOTES_MS);
}

/* ---- later */

/* Whoever holds to an anchor, voting or not, has no use for a chain that does not contain it. */
void hub_permit_final(struct hub_replica *r)
{
    if (r->permit.anchored)
        return;
    const enum anchor a = anchor_of(r);
    r->permit.anchored = a == ANCHOR_HELD;
    if (a == ANCHOR_HELD && r->permit.why == HUB_ABSTAIN_ANCHOR)
        stand(r, ask_first(r));
    if (a != ANCHOR_CONFLICT)
        return;
    r->port.alarm(r->port.client, "the chain does not contain the anchor",
                  &r->cfg.anchor.block_hash);
    hub_replica_ok(r, HUB_CONFLICT);
}

void hub_permit_voted(struct hub_replica *r)
{
    struct hub_vote_mark mark;
    if (hub_replica_ok(r, r->port.get_mark(r->port.store, &mark)))
        r->port.guard_note(r->port.guard, &mark);
}

void hub_permit_halt(struct hub_replica *r, enum hub_abstain why, const char *what,
                     const struct hub_hash *block)
{
    if (r->permit.halt.why)
        return;
    const struct hub_halt h = {.why = why,
                               .epoch = r->cons.cfg.epoch,
                               .view = r->cons.view,
                               .time_ms = r->now.wall_ms,
                               .block = *block};
    store_halt(r, &h);
    r->permit.ask_due_ms = UINT64_MAX;
    stand(r, why);
    r->port.alarm(r->port.client, what, block);
}
