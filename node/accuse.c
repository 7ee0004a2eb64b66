/* accuse.c: gathers what convicts a validator: two votes of one view, or a vote and the header it belies. Votes and
 * certificates come here verified; what is made of them is kept, told to every peer once, and handed to the rest of
 * the node, which has it recorded. Nobody is punished here (docs/protocol.md 9).
 *
 * Where the two halves meet:
 *   a second vote on its signer's link        hub_accuse_signer, asked for by the core
 *   a vote, and the header of its block       hub_accuse_signer, hub_accuse_block, whichever comes second
 *   a certificate, and another of its view    hub_accuse_certificate: all signers of both
 *   an item that a peer gathered              hub_accuse_item */
#include "node/replica_parts.h"

#include <string.h>

static bool is_known(const struct hub_replica *r, const struct hub_vote *v, uint32_t *of_signer)
{
    bool known = false;
    *of_signer = 0;
    for (uint32_t i = 0; i < r->accuse.count; i++) {
        const struct hub_accused *a = &r->accuse.known[i];
        if (a->signer != v->signer || a->epoch != v->subject.epoch)
            continue;
        ++*of_signer;
        known |= a->view == v->subject.view;
    }
    return known;
}

/* Offences of earlier epochs make room: their validators were another set. */
static void note(struct hub_replica *r, const struct hub_vote *v)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < r->accuse.count; i++)
        if (r->accuse.known[i].epoch == r->chain.set.epoch)
            r->accuse.known[kept++] = r->accuse.known[i];
    r->accuse.count = kept;
    HUB_ASSERT(r->accuse.count < HUB_ACCUSED_MAX);
    r->accuse.known[r->accuse.count++] =
        (struct hub_accused){v->subject.epoch, v->subject.view, v->signer};
}

static void stop_voting(struct hub_replica *r, const struct hub_offence *o)
{
    if (r->chain.set.fault_model == HUB_FAULT_CRASH_1_OF_3 &&
        o->kind <= HUB_OFFENCE_FINALIZED_OTHER)
        hub_permit_halt(r, HUB_ABSTAIN_BREAKER,
                        "fault model crash-1of3 does not hold: voting stopped",
                        &r->chain.final_hash);
}

/* One item of each validator and view, and HUB_OFFENCES_MAX of each validator. False: it is known or enough. */
static bool convict(struct hub_replica *r, const struct hub_offence *o)
{
    uint8_t bytes[HUB_EVIDENCE_BYTES_MAX];
    struct hub_buf item = {bytes, 0, sizeof bytes, false};
    uint32_t of_signer;
    if (o->vote[0].subject.epoch != r->chain.set.epoch || is_known(r, &o->vote[0], &of_signer) ||
        of_signer >= HUB_OFFENCES_MAX)
        return false;
    HUB_ASSERT(o->vote[0].signer != r->cfg.me);
    note(r, &o->vote[0]);
    hub_evidence_encode(&item, o, &r->chain.set, (struct hub_span){NULL, 0});
    HUB_ASSERT(!item.full);
    r->port.alarm(r->port.client,
                  o->header.len ? "a validator signed what its block does not say"
                                : "a validator signed two votes that exclude "
                                  "each other",
                  &o->vote[0].subject.block_hash);
    if (r->port.evidence)
        r->port.evidence(r->port.client, o, hub_span_of(&item));
    hub_replica_put(r, true);
    hub_outbox_evidence(r, -1, hub_span_of(&item));
    stop_voting(r, o);
    return true;
}

static bool accuse_pair(struct hub_replica *r, const struct hub_vote *a, const struct hub_vote *b)
{
    struct hub_offence o = {.kind = hub_offence_of(a, b), .vote = {*a, *b}};
    if (o.kind == HUB_OFFENCE_NONE || a->signer == r->cfg.me)
        return false;
    return convict(r, &o);
}

void hub_accuse_header(struct hub_replica *r, const struct hub_vote *v, const struct hub_header *h)
{
    uint8_t bytes[HUB_HEADER_BYTES_MAX];
    struct hub_buf header = {bytes, 0, sizeof bytes, false};
    struct hub_offence o = {.vote = {*v}};
    if (v->signer == r->cfg.me || v->subject.epoch != r->chain.set.epoch)
        return;
    hub_header_encode(&header, h);
    HUB_ASSERT(!header.full);
    o.header = hub_span_of(&header);
    o.kind = hub_offence_of_header(v, o.header, h, &r->chain.set);
    if (o.kind != HUB_OFFENCE_NONE)
        (void)convict(r, &o);
}

/* Votes of one validator in one view: one of each kind, and second ones. */
struct ballots {
    const struct hub_vote *vote[3 + HUB_SECONDS_MAX];
    uint32_t count;
};

static void collect(const struct hub_replica *r, struct ballots *out, uint64_t view, uint8_t signer)
{
    out->count = 0;
    for (uint32_t i = 0; i < HUB_VOTE_VIEWS_MAX; i++)
        for (uint32_t kind = 0; kind < 3 && r->votes[i].view == view; kind++)
            if (r->votes[i].held[kind] >> signer & 1)
                out->vote[out->count++] = &r->votes[i].vote[kind][signer];
    for (uint32_t i = 0; i < HUB_SECONDS_MAX; i++) {
        const struct hub_vote *v = &r->accuse.second[i];
        if (v->subject.kind && v->subject.view == view && v->signer == signer)
            out->vote[out->count++] = v;
    }
}

/* The header of a block in memory; a vote for one that is not here is looked at when it comes. */
static const struct hub_header *header_of(struct hub_replica *r, const struct hub_hash *hash)
{
    const struct hub_header *h = hub_chain_header(&r->chain, hash);
    const struct hub_body *b = h ? NULL : hub_body_find(r, hash);
    return b ? &b->header : h;
}

void hub_accuse_signer(struct hub_replica *r, uint64_t view, uint8_t signer)
{
    struct ballots b;
    if (signer == r->cfg.me)
        return;
    collect(r, &b, view, signer);
    for (uint32_t i = 0; i < b.count; i++) {
        const struct hub_vote *v = b.vote[i];
        for (uint32_t k = 0; k < i; k++)
            if (v->subject.epoch == r->chain.set.epoch && accuse_pair(r, b.vote[k], v))
                return;
        const struct hub_header *h =
            v->subject.kind == HUB_FINALIZE ? header_of(r, &v->subject.block_hash) : NULL;
        if (h)
            hub_accuse_header(r, v, h);
    }
}

void hub_accuse_block(struct hub_replica *r, const struct hub_body *b)
{
    for (uint32_t i = 0; i < HUB_VOTE_VIEWS_MAX; i++) {
        if (r->votes[i].view != b->header.view || !r->votes[i].held[HUB_FINALIZE - 1])
            continue;
        for (uint8_t signer = 0; signer < hub_replica_n(r); signer++)
            if (r->votes[i].held[HUB_FINALIZE - 1] >> signer & 1)
                hub_accuse_signer(r, b->header.view, signer);
    }
}

void hub_accuse_keep_second(struct hub_replica *r, const struct hub_vote *v)
{
    r->accuse.second[r->accuse.next] = *v;
    r->accuse.next = (r->accuse.next + 1) % HUB_SECONDS_MAX;
}

/* ---- certificates */

static struct hub_vote vote_in(const struct hub_certificate *c, uint8_t signer)
{
    return (struct hub_vote){.subject = c->subject, .signer = signer, .sig = c->sig[signer]};
}

/* Kinds whose certificates exclude each other in one view; two of one kind do if their blocks differ. */
static bool excludes(const struct hub_subject *a, const struct hub_subject *b)
{
    struct hub_vote x = {.subject = *a}, y = {.subject = *b};
    return hub_offence_of(&x, &y) != HUB_OFFENCE_NONE;
}

/* The stored certificate of this kind and of c's view, if the two exclude each other. */
static bool opponent(struct hub_replica *r, struct hub_certificate *out,
                     const struct hub_subject *c, uint8_t kind)
{
    if (kind != c->kind && kind != HUB_FINALIZE && c->kind != HUB_FINALIZE)
        return false; /* NOTARIZATION and NULLIFICATION of one view may both exist */
    return hub_replica_found(
               r, r->port.get_certificate(r->port.store, c->epoch, c->view, kind, out)) &&
           excludes(&out->subject, c);
}

/* It says what the core holds for its view: the ordinary case, told without a look into the store. */
static bool repeats(const struct hub_replica *r, const struct hub_subject *c)
{
    if (c->kind == HUB_NULLIFY)
        return c->view > r->cons.top.view; /* every FINALIZATION held is at or below top */
    if (c->view == r->cons.top.view && hub_hash_equal(&c->block_hash, &r->cons.top.block_hash))
        return true;
    for (uint32_t i = 0; i < HUB_VIEWS_MAX; i++) {
        const struct hub_view *v = &r->cons.views[i];
        if (v->used && v->view == c->view && v->notarized && c->kind == HUB_NOTARIZE)
            return hub_hash_equal(&c->block_hash, &v->cert_blk.hash);
    }
    return false;
}

bool hub_accuse_contradicts(struct hub_replica *r, uint8_t peer, const struct hub_subject *c)
{
    struct hub_certificate held;
    if (c->epoch != r->cons.cfg.epoch || !c->view || c->view > r->cons.view || repeats(r, c) ||
        !hub_receive_may_look(r, peer))
        return false;
    for (uint8_t kind = HUB_NOTARIZE; kind <= HUB_FINALIZE; kind++)
        if (opponent(r, &held, c, kind))
            return true;
    return false;
}

/* Signers of a FINALIZATION whose block says something else. */
static void accuse_numbers(struct hub_replica *r, const struct hub_certificate *c)
{
    const struct hub_header *h =
        c->subject.kind == HUB_FINALIZE ? header_of(r, &c->subject.block_hash) : NULL;
    for (uint8_t i = 0; h && i < hub_replica_n(r); i++) {
        struct hub_vote v = vote_in(c, i);
        if (c->signers >> i & 1)
            hub_accuse_header(r, &v, h);
    }
}

bool hub_accuse_certificate(struct hub_replica *r, const struct hub_certificate *c)
{
    struct hub_certificate held;
    struct ballots b;
    bool contradicted = false;
    for (uint8_t kind = HUB_NOTARIZE; kind <= HUB_FINALIZE; kind++) {
        if (!opponent(r, &held, &c->subject, kind))
            continue;
        contradicted = true;
        for (uint8_t i = 0; i < hub_replica_n(r); i++) {
            struct hub_vote x = vote_in(c, i), y = vote_in(&held, i);
            if (c->signers >> i & held.signers >> i & 1)
                (void)accuse_pair(r, &x, &y);
        }
    }
    for (uint8_t i = 0; i < hub_replica_n(r); i++) {
        struct hub_vote x = vote_in(c, i);
        if (c->signers >> i & 1)
            collect(r, &b, c->subject.view, i);
        else
            b.count = 0;
        for (uint32_t k = 0; k < b.count; k++)
            (void)accuse_pair(r, &x, b.vote[k]);
    }
    accuse_numbers(r, c);
    return contradicted;
}

/* ---- items of others */

enum hub_item_verdict hub_accuse_item(struct hub_replica *r, struct hub_span bytes)
{
    struct hub_evidence e;
    struct hub_offence o;
    struct hub_hash epoch;
    const char *why;
    if (!hub_evidence_decode(&e, bytes))
        return HUB_ITEM_MALFORMED;
    hub_hash_tagged(&epoch, "hubledger/epoch/1", e.epoch);
    if (!hub_hash_equal(&e.chain, &r->chain.id) || !hub_hash_equal(&epoch, &r->chain.set.hash))
        return HUB_ITEM_KNOWN; /* of an epoch that we are not in: its records tell of it */
    if (!hub_evidence_ok(&o, &why, &e, &r->chain.set))
        return HUB_ITEM_WRONG;
    if (o.vote[0].signer == r->cfg.me) {
        hub_permit_halt(r, HUB_ABSTAIN_VOTE_UNKNOWN,
                        "a peer holds two votes of this node's key that exclude each other: voting "
                        "stopped",
                        &r->chain.final_hash);
        return HUB_ITEM_KNOWN;
    }
    return convict(r, &o) ? HUB_ITEM_NEW : HUB_ITEM_KNOWN;
}

void hub_replica_on_evidence(struct hub_replica *r, struct hub_span item)
{
    (void)hub_accuse_item(r, item);
}

void hub_replica_knows_offence(struct hub_replica *r, uint64_t epoch, uint64_t view, uint8_t signer)
{
    if (r->accuse.count < HUB_ACCUSED_MAX)
        r->accuse.known[r->accuse.count++] = (struct hub_accused){epoch, view, signer};
}

/* ---- forks */

/* A peer says that another block than ours is final at this height. Its certificates tell who lied: they are asked
 * for, and meet ours in hub_accuse_certificate. */
void hub_accuse_fork(struct hub_replica *r, uint8_t peer, const struct hub_point *fin)
{
    struct hub_span bytes, header_bytes;
    struct hub_header h;
    struct hub_hash hash;
    if (!fin->height || !fin->view || fin->height > r->chain.final_header.height ||
        !hub_receive_may_look(r, peer) ||
        !hub_replica_found(r, r->port.get_block_at(r->port.store, fin->height, &bytes)) ||
        !hub_block_peek(&h, &hash, &header_bytes, bytes) || hub_hash_equal(&hash, &fin->block_hash))
        return;
    uint64_t newest = hub_replica_fin(r).view;
    uint64_t first = h.view < fin->view ? h.view : fin->view;
    uint64_t last = newest < fin->view ? fin->view : newest;
    if (last - first >= HUB_GET_VIEWS_MAX)
        hub_outbox_get_certs(r, peer, first, first);
    if (last - first >= HUB_GET_VIEWS_MAX)
        first = last - HUB_GET_VIEWS_MAX + 1;
    hub_outbox_get_certs(r, peer, first, last);
}
