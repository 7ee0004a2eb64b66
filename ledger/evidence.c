/* evidence.c: offences of validators, and the items that prove them (formats.cddl section 10). */
#include "hub/evidence.h"

#include "hub/cose.h"
#include "hub/link.h"

#include <string.h>

enum {
    EVIDENCE_VERSION = 1,
    VOTE_BYTES_MAX = 700, /* a stand-alone FINALIZE: 320 of protected header, 32, 64 and heads */
    GENESIS_LEAVES = 2    /* of the log: the file and its parameters */
};

_Static_assert(HUB_EVIDENCE_BYTES_MAX >=
                   HUB_EPOCH_BYTES_MAX + 2 * VOTE_BYTES_MAX + HUB_HEADER_BYTES_MAX + 128,
               "an item without links");

/* ---- what is an offence */

enum hub_offence_kind hub_offence_of(const struct hub_vote *a, const struct hub_vote *b)
{
    const struct hub_subject *x = &a->subject, *y = &b->subject;
    bool same_block = hub_hash_equal(&x->block_hash, &y->block_hash);

    if (a->signer != b->signer || x->epoch != y->epoch || x->view != y->view)
        return HUB_OFFENCE_NONE;
    if (x->kind == y->kind) {
        if (same_block)
            return HUB_OFFENCE_NONE; /* NULLIFY has no block: its hash is zero */
        return x->kind == HUB_NOTARIZE ? HUB_OFFENCE_NOTARIZED_TWO : HUB_OFFENCE_FINALIZED_TWO;
    }
    if (x->kind != HUB_FINALIZE && y->kind != HUB_FINALIZE)
        return HUB_OFFENCE_NONE; /* NOTARIZE and NULLIFY: legal in either order */
    if (x->kind == HUB_NULLIFY || y->kind == HUB_NULLIFY)
        return HUB_OFFENCE_NULLIFIED_FINALIZED;
    return same_block ? HUB_OFFENCE_NONE : HUB_OFFENCE_FINALIZED_OTHER;
}

static const char *header_fault(const struct hub_header *h, const struct hub_validators *set)
{
    struct hub_hash nothing;
    bool same_set = hub_hash_equal(&h->next_validators, &h->validators);

    hub_hash_span(&nothing, (struct hub_span){NULL, 0});
    if (!hub_hash_equal(&h->chain, &set->chain))
        return "header: of another ledger";
    if (h->epoch != set->epoch || !hub_hash_equal(&h->validators, &set->hash))
        return "header: epoch and validators are not those that vote on it";
    if (h->proposer >= set->n)
        return "header: the proposer is no validator";
    if (h->height == 0 || h->parent_view >= h->view)
        return "header: height 0, or a parent that is not of an earlier view";
    if (h->log_size < (uint64_t)h->record_count + GENESIS_LEAVES)
        return "header: the log is shorter than the block's own records";
    if (h->record_count == 0 && (!hub_hash_equal(&h->records_root, &nothing) ||
                                 !hub_hash_equal(&h->results_root, &nothing)))
        return "header: no records, but roots of some";
    if (h->flags == HUB_FLAG_TAIL && h->record_count > 0)
        return "header: a TAIL block with records";
    if (h->flags == HUB_FLAG_SEAL ? same_set || h->record_count == 0 : !same_set)
        return "header: next validators change with SEAL, by a record, and only then";
    return NULL;
}

bool hub_header_possible(const struct hub_header *h, const struct hub_validators *set,
                         const char **why)
{
    const char *fault = header_fault(h, set);

    if (fault != NULL && why != NULL)
        *why = fault;
    return fault == NULL;
}

enum hub_offence_kind hub_offence_of_header(const struct hub_vote *v, struct hub_span header_bytes,
                                            const struct hub_header *h,
                                            const struct hub_validators *set)
{
    const struct hub_subject *s = &v->subject;
    struct hub_hash hash;

    hub_header_hash(&hash, header_bytes);
    if (s->kind == HUB_NULLIFY || !hub_hash_equal(&hash, &s->block_hash))
        return HUB_OFFENCE_NONE;
    /* A block is voted for in its own view: honest voters compare it before they sign. */
    bool elsewhere = h->epoch != s->epoch || h->view != s->view;
    if (s->kind == HUB_NOTARIZE)
        return elsewhere || !hub_header_possible(h, set, NULL) ? HUB_OFFENCE_IMPOSSIBLE_HEADER
                                                               : HUB_OFFENCE_NONE;
    return elsewhere || h->height != s->height || h->log_size != s->log_size ||
                   !hub_hash_equal(&h->log_root, &s->log_root)
               ? HUB_OFFENCE_BELIED_HEADER
               : HUB_OFFENCE_NONE;
}

static bool has_header(enum hub_offence_kind kind)
{
    return kind == HUB_OFFENCE_IMPOSSIBLE_HEADER || kind == HUB_OFFENCE_BELIED_HEADER;
}

/* The one order of two votes: by kind, then by block hash. */
static bool in_order(const struct hub_vote *a, const struct hub_vote *b)
{
    if (a->subject.kind != b->subject.kind)
        return a->subject.kind < b->subject.kind;
    return memcmp(a->subject.block_hash.b, b->subject.block_hash.b,
                  sizeof a->subject.block_hash.b) < 0;
}

/* ---- encoding */

static void put_vote(struct hub_buf *out, const struct hub_validators *set,
                     const struct hub_vote *v)
{
    uint8_t bytes[VOTE_BYTES_MAX];
    struct hub_buf vote = {bytes, 0, sizeof bytes, false};

    hub_vote_encode(&vote, set, v);
    HUB_ASSERT(!vote.full);
    hub_put_bytes(out, hub_span_of(&vote));
}

/* {"kind", "chain", "epoch", "links", "votes", ? "header", "version"}, in the order of their encoding. */
void hub_evidence_encode(struct hub_buf *out, const struct hub_offence *o,
                         const struct hub_validators *set, struct hub_span links)
{
    uint8_t bytes[HUB_EPOCH_BYTES_MAX];
    struct hub_buf epoch = {bytes, 0, sizeof bytes, false};
    const bool header = has_header(o->kind);
    const unsigned first = !header && !in_order(&o->vote[0], &o->vote[1]);

    HUB_ASSERT(o->kind != HUB_OFFENCE_NONE && (o->header.len > 0) == header);
    hub_validators_encode(&epoch, set);
    HUB_ASSERT(!epoch.full);
    hub_put_map(out, header ? 7 : 6);
    hub_put_text(out, "kind");
    hub_put_uint(out, o->kind);
    hub_put_text(out, "chain");
    hub_put_hash(out, &set->chain);
    hub_put_text(out, "epoch");
    hub_put_bytes(out, hub_span_of(&epoch));
    hub_put_text(out, "links");
    if (links.len > 0)
        hub_put_raw(out, links);
    else
        hub_put_array(out, 0);
    hub_put_text(out, "votes");
    hub_put_array(out, header ? 1 : 2);
    put_vote(out, set, &o->vote[first]);
    if (!header)
        put_vote(out, set, &o->vote[1 - first]);
    if (header) {
        hub_put_text(out, "header");
        hub_put_bytes(out, o->header);
    }
    hub_put_text(out, "version");
    hub_put_uint(out, EVIDENCE_VERSION);
}

/* ---- decoding */

bool hub_evidence_decode(struct hub_evidence *out, struct hub_span bytes)
{
    struct hub_cbor c = hub_cbor_open(bytes);
    struct hub_evidence e = {0};
    uint32_t items = hub_cbor_map(&c, 6, 7), votes;

    hub_cbor_key(&c, "kind");
    e.kind = (enum hub_offence_kind)hub_cbor_uint(&c, HUB_OFFENCE_NOTARIZED_TWO,
                                                  HUB_OFFENCE_BELIED_HEADER);
    const bool header = has_header(e.kind);
    hub_cbor_key(&c, "chain");
    hub_cbor_hash(&c, &e.chain);
    hub_cbor_key(&c, "epoch");
    e.epoch = hub_cbor_bytes(&c, 1, HUB_EPOCH_BYTES_MAX);
    hub_cbor_key(&c, "links");
    struct hub_cbor links = c;
    hub_cbor_array(&links, 0, HUB_BUNDLE_LINKS_MAX);
    e.links = hub_cbor_item(&c);
    hub_cbor_key(&c, "votes");
    votes = hub_cbor_array(&c, header ? 1 : 2, header ? 1 : 2);
    for (uint32_t i = 0; i < votes; i++)
        e.vote[i] = hub_cbor_bytes(&c, 1, VOTE_BYTES_MAX);
    if (header) {
        hub_cbor_key(&c, "header");
        e.header = hub_cbor_bytes(&c, 1, HUB_HEADER_BYTES_MAX);
    }
    hub_cbor_key(&c, "version");
    hub_cbor_uint(&c, EVIDENCE_VERSION, EVIDENCE_VERSION);
    if (!hub_cbor_done(&c) || links.bad || items != (header ? 7u : 6u))
        return false;
    if (e.kind > HUB_OFFENCE_IMPOSSIBLE_HEADER && e.kind != HUB_OFFENCE_BELIED_HEADER)
        return false; /* 6 is a challenge */
    *out = e;
    return true;
}

/* [kind, chain, epoch, view, ? block_hash] of NOTARIZE and NULLIFY. */
static void read_payload(struct hub_subject *s, struct hub_cbor *c)
{
    struct hub_hash chain;
    uint32_t items = hub_cbor_array(c, 4, 5);

    s->kind = (uint8_t)hub_cbor_uint(c, HUB_NOTARIZE, HUB_NULLIFY);
    hub_cbor_hash(c, &chain);
    s->epoch = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    s->view = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    if (items == 5)
        hub_cbor_hash(c, &s->block_hash);
}

/* What a FINALIZE says stands under -70001 of its protected header, its payload is the log root. */
static void read_finalize(struct hub_subject *s, struct hub_cbor *c, struct hub_span payload)
{
    struct hub_hash chain;

    s->kind = HUB_FINALIZE;
    hub_cbor_item(c); /* the value of 15: iss and sub */
    hub_cbor_item(c); /* 395 */
    hub_cbor_item(c);
    hub_cbor_item(c); /* -70001 */
    hub_cbor_array(c, 6, 6);
    hub_cbor_hash(c, &chain);
    s->epoch = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    s->view = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    s->height = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    s->log_size = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    hub_cbor_hash(c, &s->block_hash);
    if (payload.len == sizeof s->log_root.b)
        memcpy(s->log_root.b, payload.data, sizeof s->log_root.b);
    else
        c->bad = true;
}

/* {1: -8, 3: media type, 4: kid} of a vote, {1: -8, 4: kid, 15: .., 395: 1, -70001: ..} of a receipt. */
static bool read_statement(struct hub_subject *s, struct hub_hash *kid, const struct hub_sign1 *m)
{
    struct hub_cbor p = hub_cbor_open(m->protected_), payload = hub_cbor_open(m->payload);
    uint32_t entries = hub_cbor_map(&p, 3, 5);

    memset(s, 0, sizeof *s);
    hub_cbor_item(&p); /* 1: -8 */
    hub_cbor_item(&p);
    if (entries == 3) {
        hub_cbor_item(&p); /* 3 */
        hub_cbor_item(&p);
    }
    hub_cbor_label(&p, 4);
    hub_cbor_hash(&p, kid);
    if (entries == 3) {
        read_payload(s, &payload);
        return hub_cbor_done(&p) && hub_cbor_done(&payload);
    }
    hub_cbor_item(&p); /* 15 */
    read_finalize(s, &p, m->payload);
    return entries == 5 && hub_cbor_done(&p);
}

static bool signer_of(uint8_t *out, const struct hub_hash *kid, const struct hub_validators *set)
{
    for (uint8_t i = 0; i < set->n; i++)
        if (hub_hash_equal(kid, &set->v[i].kid)) {
            *out = i;
            return true;
        }
    return false;
}

/* Whatever the reading above skipped is compared here: the statement is written again from what was read, for this
 * set, and must come out as the same bytes. */
static const char *check_vote(struct hub_vote *out, struct hub_span bytes,
                              const struct hub_validators *set)
{
    uint8_t again[VOTE_BYTES_MAX];
    struct hub_buf b = {again, 0, sizeof again, false};
    struct hub_sign1 m;
    struct hub_hash kid;

    if (!hub_sign1_decode(&m, bytes) || m.payload.data == NULL ||
        !read_statement(&out->subject, &kid, &m))
        return "votes: not a vote of the expected form";
    if (!signer_of(&out->signer, &kid, set))
        return "votes: signed by no validator of the epoch";
    out->sig = *m.signature;
    hub_vote_encode(&b, set, out);
    if (b.full || !hub_span_equal(hub_span_of(&b), bytes) || out->subject.epoch != set->epoch)
        return "votes: not of this ledger and epoch";
    return hub_vote_ok(out, set) ? NULL : "votes: a signature is wrong";
}

static const char *check_pair(const struct hub_offence *o)
{
    if (hub_offence_of(&o->vote[0], &o->vote[1]) != o->kind)
        return "votes: they may stand together, or are another offence than kind says";
    return in_order(&o->vote[0], &o->vote[1]) ? NULL
                                              : "votes: not in the order of kind and block hash";
}

static const char *check_against_header(const struct hub_offence *o,
                                        const struct hub_validators *set)
{
    struct hub_header h;

    if (!hub_header_decode(&h, o->header))
        return "header: not of the expected form";
    if (hub_offence_of_header(&o->vote[0], o->header, &h, set) != o->kind)
        return "header: not of the block voted for, or the vote does not belie it";
    return NULL;
}

static const char *check(struct hub_offence *o, const struct hub_evidence *e,
                         const struct hub_validators *set)
{
    uint8_t bytes[HUB_EPOCH_BYTES_MAX];
    struct hub_buf epoch = {bytes, 0, sizeof bytes, false};
    const char *why = NULL;

    hub_validators_encode(&epoch, set);
    if (!hub_hash_equal(&e->chain, &set->chain))
        return "chain: of another ledger";
    if (epoch.full || !hub_span_equal(hub_span_of(&epoch), e->epoch))
        return "epoch: not the validators of this epoch of the ledger";
    o->kind = e->kind;
    o->header = e->header;
    for (unsigned i = 0; why == NULL && i < 2 && e->vote[i].len > 0; i++)
        why = check_vote(&o->vote[i], e->vote[i], set);
    if (why != NULL)
        return why;
    return has_header(e->kind) ? check_against_header(o, set) : check_pair(o);
}

bool hub_evidence_ok(struct hub_offence *out, const char **why, const struct hub_evidence *e,
                     const struct hub_validators *set)
{
    struct hub_offence o = {0};
    const char *fault = check(&o, e, set);

    if (fault != NULL) {
        *why = fault;
        return false;
    }
    *out = o;
    return true;
}

bool hub_evidence_verify(struct hub_offence *out, struct hub_validators *set, const char **why,
                         struct hub_span bytes, const struct hub_genesis *genesis)
{
    struct hub_evidence e;
    struct hub_validators of_epoch;
    bool known;

    if (bytes.len > HUB_BUNDLE_BYTES_MAX || !hub_evidence_decode(&e, bytes)) {
        *why = "evidence: not of the expected form";
        return false;
    }
    if (!hub_hash_equal(&e.chain, &genesis->chain)) {
        *why = "evidence: of a ledger with another genesis file";
        return false;
    }
    of_epoch = genesis->set;
    if (hub_links_walk(&of_epoch, why, e.links, &genesis->accepted, &known) != HUB_VERDICT_OK)
        return false;
    if (!known) {
        *why =
            "evidence: of a recovery epoch that has a validator whom the set before has not: whose "
            "it is shows on the ledger only (hubledger-verify)";
        return false;
    }
    if (!hub_evidence_ok(out, why, &e, &of_epoch))
        return false;
    if (set != NULL)
        *set = of_epoch;
    return true;
}

const char *hub_offence_text(enum hub_offence_kind kind, bool zh)
{
    static const char *const text[HUB_OFFENCE_BELIED_HEADER + 1][2] = {
        [HUB_OFFENCE_NOTARIZED_TWO] = {"signed NOTARIZE for two blocks of one view",
                                       "在同一视图对两个区块签署了公证票"},
        [HUB_OFFENCE_NULLIFIED_FINALIZED] = {"signed NULLIFY and FINALIZE in one view",
                                             "在同一视图既签署作废票又签署确认票"},
        [HUB_OFFENCE_FINALIZED_TWO] = {"signed FINALIZE for two blocks of one view",
                                       "在同一视图对两个区块签署了确认票"},
        [HUB_OFFENCE_FINALIZED_OTHER] =
            {"signed FINALIZE for one block and NOTARIZE for another of "
             "the same view",
             "在同一视图对一区块签署确认票，又对另一区块签署公证票"},
        [HUB_OFFENCE_IMPOSSIBLE_HEADER] =
            {"signed NOTARIZE for a block header that breaks the rules",
             "对违反规则的区块头签署了公证票"},
        [HUB_OFFENCE_BELIED_HEADER] = {"signed FINALIZE with numbers that are not its block's",
                                       "确认票所签数值与区块头不符"},
    };

    if (kind > HUB_OFFENCE_BELIED_HEADER || text[kind][0] == NULL)
        return zh ? "未知" : "unknown";
    return text[kind][zh];
}
