/* message.c: the wire messages (formats.cddl section 12). One array each; the first item is the kind:
 *   1 PROPOSE      [1, header: bstr, entries: [* entry], signature, just: [*34 certificate]]
 *   2 VOTE         [2, subject, signer, signature]
 *   3 CERT         [3, certificate]
 *   4 STATUS       [4, chain, epoch, view, fin, top, flags, period_ms, q, n, version]; point = [view, height, hash]
 *   5 GET_CERTS    [5, epoch, from, to, kinds]
 *   6 GET_BLOCK    [6, [1*64 hash]]
 *   7 GET_BLOCKS   [7, from, to]
 *   8 BLOCK        [8, block: bstr, certificate / null]
 *   9 GET_EPOCHS   [9, from]
 *  10 EPOCH_PROOF  [10, [*64 link]]
 *  11 RECORDS      [11, [1*256 [record, attachment]]]
 *  12 GET_RECORDS  [12, max_bytes]
 *  13 GET_VOTES    [13, epoch, signer]
 *  14 EVIDENCE     [14, bstr .cbor evidence]
 *  15 VOTES        [15, epoch, signer, [*3 [subject, signature]]]
 *  16 GET_SNAPSHOT [16, id, offset]
 *  17 SNAPSHOT     [17, id, height, bytes, offset, piece: bstr] */
#include "hub/message.h"

enum { BLOCK_FRAME_BYTES = 16, ARRAY_OF_TWO = 0x82 };

/* ---- decoding: one reader a kind, after the kind itself was read */

/* The encoded array itself, of at most max items. */
static struct hub_span read_array(struct hub_cbor *c, uint32_t max)
{
    struct hub_cbor head = *c;
    hub_cbor_array(&head, 0, max);
    c->bad |= head.bad;
    return hub_cbor_item(c);
}

static void read_propose(struct hub_message *m, struct hub_cbor *c)
{
    m->u.propose.header_bytes = hub_cbor_bytes(c, 1, HUB_HEADER_BYTES_MAX);
    m->u.propose.entries = read_array(c, HUB_BLOCK_RECORDS_MAX);
    hub_cbor_copy(c, m->u.propose.signature.b, sizeof m->u.propose.signature.b);
    m->u.propose.just_count = hub_cbor_array(c, 0, HUB_JUST_MAX);
    for (uint32_t i = 0; i < m->u.propose.just_count; i++)
        m->u.propose.just[i] = hub_cbor_item(c);
    if (!c->bad && !hub_header_decode(&m->u.propose.header, m->u.propose.header_bytes))
        c->bad = true;
}

static void read_vote(struct hub_vote *v, struct hub_cbor *c)
{
    hub_subject_read(&v->subject, c);
    v->signer = (uint8_t)hub_cbor_uint(c, 0, HUB_VALIDATORS_MAX - 1);
    hub_cbor_copy(c, v->sig.b, sizeof v->sig.b);
}

static void read_point(struct hub_point *p, struct hub_cbor *c)
{
    hub_cbor_array(c, 3, 3);
    p->view = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    p->height = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    hub_cbor_hash(c, &p->block_hash);
}

static void read_status(struct hub_status_message *s, struct hub_cbor *c)
{
    hub_cbor_hash(c, &s->chain);
    s->epoch = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    s->view = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    read_point(&s->fin, c);
    read_point(&s->top, c);
    s->flags = (uint8_t)hub_cbor_uint(c, 0, HUB_STATUS_WORK_PENDING | HUB_STATUS_SYNCING);
    s->period_ms = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    s->q = (uint8_t)hub_cbor_uint(c, 1, HUB_VALIDATORS_MAX);
    s->n = (uint8_t)hub_cbor_uint(c, 1, HUB_VALIDATORS_MAX);
    s->version = hub_cbor_text(c, 1, 32);
}

/* A range of at most max views or heights. */
static void read_range(uint64_t *from, uint64_t *to, uint64_t max, struct hub_cbor *c)
{
    *from = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    *to = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    if (*from > *to || *to - *from >= max)
        c->bad = true;
}

static void read_block(struct hub_message *m, struct hub_cbor *c)
{
    m->u.block.block =
        hub_cbor_bytes(c, 1, HUB_BLOCK_BYTES_MAX + HUB_HEADER_BYTES_MAX + BLOCK_FRAME_BYTES);
    m->u.block.certificate = (struct hub_span){NULL, 0};
    if (hub_cbor_peek(c) == HUB_CBOR_ARRAY)
        m->u.block.certificate = hub_cbor_item(c);
    else
        hub_cbor_null(c);
}

static void read_records(struct hub_message *m, struct hub_cbor *c)
{
    m->u.records.count = hub_cbor_array(c, 1, HUB_RECORDS_MESSAGE_MAX);
    for (uint32_t i = 0; i < m->u.records.count; i++) {
        hub_cbor_array(c, 2, 2);
        m->u.records.entry[i].record = hub_cbor_bytes(c, 1, HUB_RECORD_BYTES_MAX);
        m->u.records.entry[i].attachment = hub_cbor_bytes(c, 0, HUB_ATTACHMENT_BYTES_MAX);
    }
}

static void read_hashes(struct hub_message *m, struct hub_cbor *c)
{
    m->u.get_block.count = hub_cbor_array(c, 1, HUB_GET_HASHES_MAX);
    for (uint32_t i = 0; i < m->u.get_block.count; i++)
        hub_cbor_hash(c, &m->u.get_block.hash[i]);
}

/* One vote a kind, by rising kind, all of the epoch the answer is about. */
static void read_votes(struct hub_message *m, struct hub_cbor *c)
{
    m->u.votes.epoch = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    m->u.votes.signer = (uint8_t)hub_cbor_uint(c, 0, HUB_VALIDATORS_MAX - 1);
    m->u.votes.count = hub_cbor_array(c, 0, 3);
    for (uint32_t i = 0; i < m->u.votes.count; i++) {
        struct hub_vote *v = &m->u.votes.vote[i];
        hub_cbor_array(c, 2, 2);
        hub_subject_read(&v->subject, c);
        hub_cbor_copy(c, v->sig.b, sizeof v->sig.b);
        v->signer = m->u.votes.signer;
        if (v->subject.epoch != m->u.votes.epoch ||
            (i > 0 && v->subject.kind <= v[-1].subject.kind))
            c->bad = true;
    }
}

static void read_snapshot(struct hub_snapshot_message *s, struct hub_cbor *c)
{
    hub_cbor_hash(c, &s->id);
    s->height = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    s->bytes = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    s->offset = hub_cbor_uint(c, 0, s->bytes);
    s->piece = hub_cbor_bytes(c, 0, HUB_SNAPSHOT_PIECE_BYTES);
    if (s->piece.len > s->bytes - s->offset)
        c->bad = true;
}

static void read_body(struct hub_message *m, struct hub_cbor *c)
{
    switch (m->kind) {
    case HUB_MSG_PROPOSE:
        read_propose(m, c);
        break;
    case HUB_MSG_VOTE:
        read_vote(&m->u.vote, c);
        break;
    case HUB_MSG_CERT:
        m->u.certificate = hub_cbor_item(c);
        break;
    case HUB_MSG_STATUS:
        read_status(&m->u.status, c);
        break;
    case HUB_MSG_GET_CERTS:
        m->u.get_certs.epoch = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        read_range(&m->u.get_certs.from, &m->u.get_certs.to, HUB_GET_VIEWS_MAX, c);
        m->u.get_certs.kinds = (uint8_t)hub_cbor_uint(c, 1, 7);
        break;
    case HUB_MSG_GET_BLOCK:
        read_hashes(m, c);
        break;
    case HUB_MSG_GET_BLOCKS:
        read_range(&m->u.get_blocks.from, &m->u.get_blocks.to, HUB_GET_HASHES_MAX, c);
        break;
    case HUB_MSG_BLOCK:
        read_block(m, c);
        break;
    case HUB_MSG_GET_EPOCHS:
        m->u.from_epoch = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        break;
    case HUB_MSG_EPOCH_PROOF:
        m->u.links = read_array(c, HUB_LINKS_MAX);
        break;
    case HUB_MSG_RECORDS:
        read_records(m, c);
        break;
    case HUB_MSG_GET_RECORDS:
        m->u.max_bytes = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        break;
    case HUB_MSG_GET_VOTES:
        m->u.get_votes.epoch = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        m->u.get_votes.signer = (uint8_t)hub_cbor_uint(c, 0, HUB_VALIDATORS_MAX - 1);
        break;
    case HUB_MSG_EVIDENCE:
        m->u.evidence = hub_cbor_bytes(c, 1, HUB_BUNDLE_BYTES_MAX);
        break;
    case HUB_MSG_VOTES:
        read_votes(m, c);
        break;
    case HUB_MSG_GET_SNAPSHOT:
        hub_cbor_hash(c, &m->u.get_snapshot.id);
        m->u.get_snapshot.offset = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        break;
    case HUB_MSG_SNAPSHOT:
        read_snapshot(&m->u.snapshot, c);
        break;
    }
}

/* Items of each message, its kind included. */
static const uint8_t items_of[HUB_MSG_SNAPSHOT + 1] = {
    [HUB_MSG_PROPOSE] = 5,      [HUB_MSG_VOTE] = 4,      [HUB_MSG_CERT] = 2,
    [HUB_MSG_STATUS] = 11,      [HUB_MSG_GET_CERTS] = 5, [HUB_MSG_GET_BLOCK] = 2,
    [HUB_MSG_GET_BLOCKS] = 3,   [HUB_MSG_BLOCK] = 3,     [HUB_MSG_GET_EPOCHS] = 2,
    [HUB_MSG_EPOCH_PROOF] = 2,  [HUB_MSG_RECORDS] = 2,   [HUB_MSG_GET_RECORDS] = 2,
    [HUB_MSG_GET_VOTES] = 3,    [HUB_MSG_EVIDENCE] = 2,  [HUB_MSG_VOTES] = 4,
    [HUB_MSG_GET_SNAPSHOT] = 3, [HUB_MSG_SNAPSHOT] = 6};

bool hub_message_decode(struct hub_message *out, struct hub_span frame)
{
    struct hub_cbor c = hub_cbor_open(frame);
    uint32_t items = hub_cbor_array(&c, 2, items_of[HUB_MSG_STATUS]);
    uint64_t kind = hub_cbor_uint(&c, HUB_MSG_PROPOSE, HUB_MSG_SNAPSHOT);

    if (c.bad || items != items_of[kind])
        return false;
    out->kind = (enum hub_message_kind)kind;
    read_body(out, &c);
    return hub_cbor_done(&c);
}

/* ---- encoding */

static void open_message(struct hub_buf *out, enum hub_message_kind kind)
{
    hub_put_array(out, items_of[kind]);
    hub_put_uint(out, kind);
}

static void put_signature(struct hub_buf *out, const struct hub_signature *sig)
{
    hub_put_bytes(out, (struct hub_span){sig->b, sizeof sig->b});
}

static void put_items(struct hub_buf *out, const struct hub_span *item, uint32_t n)
{
    hub_put_array(out, n);
    for (uint32_t i = 0; i < n; i++)
        hub_put_raw(out, item[i]);
}

static void put_point(struct hub_buf *out, const struct hub_point *p)
{
    hub_put_array(out, 3);
    hub_put_uint(out, p->view);
    hub_put_uint(out, p->height);
    hub_put_hash(out, &p->block_hash);
}

void hub_message_propose(struct hub_buf *out, struct hub_span block,
                         const struct hub_signature *sig, const struct hub_span *just, uint32_t n)
{
    HUB_ASSERT(n <= HUB_JUST_MAX && block.len > 1 && block.data[0] == ARRAY_OF_TWO);
    open_message(out, HUB_MSG_PROPOSE);
    hub_put_raw(out, (struct hub_span){block.data + 1, block.len - 1}); /* header, entries */
    put_signature(out, sig);
    put_items(out, just, n);
}

void hub_message_proposed_block(struct hub_buf *out, const struct hub_message *m)
{
    HUB_ASSERT(m->kind == HUB_MSG_PROPOSE);
    hub_put_array(out, 2);
    hub_put_bytes(out, m->u.propose.header_bytes);
    hub_put_raw(out, m->u.propose.entries);
}

void hub_message_vote(struct hub_buf *out, const struct hub_vote *v)
{
    open_message(out, HUB_MSG_VOTE);
    hub_subject_encode(out, &v->subject);
    hub_put_uint(out, v->signer);
    put_signature(out, &v->sig);
}

void hub_message_certificate(struct hub_buf *out, struct hub_span certificate)
{
    open_message(out, HUB_MSG_CERT);
    hub_put_raw(out, certificate);
}

void hub_message_status(struct hub_buf *out, const struct hub_status_message *s)
{
    open_message(out, HUB_MSG_STATUS);
    hub_put_hash(out, &s->chain);
    hub_put_uint(out, s->epoch);
    hub_put_uint(out, s->view);
    put_point(out, &s->fin);
    put_point(out, &s->top);
    hub_put_uint(out, s->flags);
    hub_put_uint(out, s->period_ms);
    hub_put_uint(out, s->q);
    hub_put_uint(out, s->n);
    hub_put_text_span(out, s->version);
}

void hub_message_get_certs(struct hub_buf *out, uint64_t epoch, uint64_t from, uint64_t to,
                           uint8_t kinds)
{
    HUB_ASSERT(from <= to && to - from < HUB_GET_VIEWS_MAX && kinds >= 1 && kinds <= 7);
    open_message(out, HUB_MSG_GET_CERTS);
    hub_put_uint(out, epoch);
    hub_put_uint(out, from);
    hub_put_uint(out, to);
    hub_put_uint(out, kinds);
}

void hub_message_get_block(struct hub_buf *out, const struct hub_hash *hash, uint32_t n)
{
    HUB_ASSERT(n >= 1 && n <= HUB_GET_HASHES_MAX);
    open_message(out, HUB_MSG_GET_BLOCK);
    hub_put_array(out, n);
    for (uint32_t i = 0; i < n; i++)
        hub_put_hash(out, &hash[i]);
}

void hub_message_get_blocks(struct hub_buf *out, uint64_t from, uint64_t to)
{
    HUB_ASSERT(from <= to && to - from < HUB_GET_HASHES_MAX);
    open_message(out, HUB_MSG_GET_BLOCKS);
    hub_put_uint(out, from);
    hub_put_uint(out, to);
}

void hub_message_block(struct hub_buf *out, struct hub_span block, struct hub_span certificate)
{
    open_message(out, HUB_MSG_BLOCK);
    hub_put_bytes(out, block);
    if (certificate.len)
        hub_put_raw(out, certificate);
    else
        hub_put_null(out);
}

void hub_message_get_epochs(struct hub_buf *out, uint64_t from_epoch)
{
    open_message(out, HUB_MSG_GET_EPOCHS);
    hub_put_uint(out, from_epoch);
}

void hub_message_epoch_proof(struct hub_buf *out, const struct hub_span *link, uint32_t n)
{
    HUB_ASSERT(n <= HUB_LINKS_MAX);
    open_message(out, HUB_MSG_EPOCH_PROOF);
    put_items(out, link, n);
}

void hub_message_records(struct hub_buf *out, const struct hub_span *record,
                         const struct hub_span *attachment, uint32_t n)
{
    HUB_ASSERT(n >= 1 && n <= HUB_RECORDS_MESSAGE_MAX);
    open_message(out, HUB_MSG_RECORDS);
    hub_put_array(out, n);
    for (uint32_t i = 0; i < n; i++) {
        hub_put_array(out, 2);
        hub_put_bytes(out, record[i]);
        hub_put_bytes(out, attachment[i]);
    }
}

void hub_message_get_records(struct hub_buf *out, uint64_t max_bytes)
{
    open_message(out, HUB_MSG_GET_RECORDS);
    hub_put_uint(out, max_bytes);
}

void hub_message_get_votes(struct hub_buf *out, uint64_t epoch, uint8_t signer)
{
    open_message(out, HUB_MSG_GET_VOTES);
    hub_put_uint(out, epoch);
    hub_put_uint(out, signer);
}

void hub_message_evidence(struct hub_buf *out, struct hub_span evidence)
{
    open_message(out, HUB_MSG_EVIDENCE);
    hub_put_bytes(out, evidence);
}

void hub_message_votes(struct hub_buf *out, uint64_t epoch, uint8_t signer,
                       const struct hub_vote *vote, uint32_t n)
{
    HUB_ASSERT(n <= 3);
    open_message(out, HUB_MSG_VOTES);
    hub_put_uint(out, epoch);
    hub_put_uint(out, signer);
    hub_put_array(out, n);
    for (uint32_t i = 0; i < n; i++) {
        HUB_ASSERT(vote[i].signer == signer && vote[i].subject.epoch == epoch);
        hub_put_array(out, 2);
        hub_subject_encode(out, &vote[i].subject);
        put_signature(out, &vote[i].sig);
    }
}

void hub_message_get_snapshot(struct hub_buf *out, const struct hub_hash *id, uint64_t offset)
{
    open_message(out, HUB_MSG_GET_SNAPSHOT);
    hub_put_hash(out, id);
    hub_put_uint(out, offset);
}

void hub_message_snapshot(struct hub_buf *out, const struct hub_snapshot_message *s)
{
    HUB_ASSERT(s->piece.len <= HUB_SNAPSHOT_PIECE_BYTES && s->offset <= s->bytes &&
               s->piece.len <= s->bytes - s->offset);
    open_message(out, HUB_MSG_SNAPSHOT);
    hub_put_hash(out, &s->id);
    hub_put_uint(out, s->height);
    hub_put_uint(out, s->bytes);
    hub_put_uint(out, s->offset);
    hub_put_bytes(out, s->piece);
}
