/* Wire messages: the bytes formats.cddl section 12 prescribes, written out by hand from RFC 8949 (0x80+n array of n,
 * 0x40+n and 0x58 nn byte string, 0x00+n small integer), round trips, and every refusal. */
#include "hub/message.h"

#include "tests/support/space.h"
#include "tests/support/vectors.h"

#include <criterion/criterion.h>
#include <string.h>

static struct hub_buf out;
static struct hub_message m; /* large: not on the stack */

static void open(void)
{
    enum { ROOM = 1 << 20 };
    out = (struct hub_buf){test_space(ROOM), 0, ROOM, false};
    memset(&m, 0, sizeof m);
}
TestSuite(message, .init = open);

static struct hub_hash hash_of(uint8_t b)
{
    struct hub_hash h;
    memset(h.b, b, sizeof h.b);
    return h;
}

static bool decode(void)
{
    cr_assert(!out.full);
    return hub_message_decode(&m, hub_span_of(&out));
}

static void is(const uint8_t *bytes, size_t len)
{
    cr_assert_eq(out.len, len, "%zu bytes", out.len);
    cr_assert_arr_eq(out.data, bytes, len);
}

static bool refused(const uint8_t *bytes, size_t len)
{
    return !hub_message_decode(&m, (struct hub_span){bytes, len});
}
#define IS(...)                                                                                    \
    do {                                                                                           \
        const uint8_t want[] = {__VA_ARGS__};                                                      \
        is(want, sizeof want);                                                                     \
    } while (0)
#define REFUSED(...)                                                                               \
    do {                                                                                           \
        const uint8_t bad[] = {__VA_ARGS__};                                                       \
        cr_assert(refused(bad, sizeof bad));                                                       \
    } while (0)

/* No proper prefix of a good message is a message, and nothing may follow it. */
static void strict(void)
{
    cr_assert(decode());
    for (size_t len = 0; len < out.len; len++)
        cr_assert(refused(out.data, len), "cut to %zu bytes", len);
    out.data[out.len] = 0;
    cr_assert(refused(out.data, out.len + 1), "a byte behind");
}

Test(message, get_certs)
{
    hub_message_get_certs(&out, 1, 2, 65, 7);
    IS(0x85, 0x05, 0x01, 0x02, 0x18, 65, 0x07);
    strict();
    cr_assert(decode());
    cr_assert(m.kind == HUB_MSG_GET_CERTS && m.u.get_certs.epoch == 1);
    cr_assert(m.u.get_certs.from == 2 && m.u.get_certs.to == 65 && m.u.get_certs.kinds == 7);
    REFUSED(0x85, 0x05, 0x01, 0x02, 0x18, 66, 0x07);   /* 65 views */
    REFUSED(0x85, 0x05, 0x01, 0x03, 0x02, 0x07);       /* backwards */
    REFUSED(0x85, 0x05, 0x01, 0x02, 0x02, 0x00);       /* no kind */
    REFUSED(0x85, 0x05, 0x01, 0x02, 0x02, 0x08);       /* no such kind */
    REFUSED(0x85, 0x05, 0x01, 0x02, 0x18, 0x03, 0x07); /* not the shortest head */
}

Test(message, small_questions)
{
    hub_message_get_blocks(&out, 0, 63);
    IS(0x83, 0x07, 0x00, 0x18, 63);
    strict();
    REFUSED(0x83, 0x07, 0x00, 0x18, 64); /* 65 heights */
    open();
    hub_message_get_epochs(&out, 3);
    IS(0x82, 0x09, 0x03);
    strict();
    open();
    hub_message_get_records(&out, 65536);
    IS(0x82, 0x0c, 0x1a, 0x00, 0x01, 0x00, 0x00);
    strict();
    open();
    hub_message_get_votes(&out, 2, 63);
    IS(0x83, 0x0d, 0x02, 0x18, 63);
    strict();
    REFUSED(0x83, 0x0d, 0x02, 0x18, 64); /* signers are 0..63 */
    REFUSED(0x82, 0x12, 0x00);           /* kind 18 */
    REFUSED(0x82, 0x00, 0x00);           /* kind 0 */
    REFUSED(0x83, 0x09, 0x03, 0x00);     /* an item too many */
    REFUSED(0xa1, 0x09, 0x03);           /* a map */
    REFUSED(0x9f, 0x09, 0x03, 0xff);     /* indefinite length */
}

Test(message, vote)
{
    struct hub_vote v = {.subject = {.kind = HUB_NULLIFY, .epoch = 1, .view = 5}, .signer = 3};
    memset(v.sig.b, 0xee, sizeof v.sig.b);
    hub_message_vote(&out, &v);
    const uint8_t head[] = {0x84, 0x02, 0x83, 0x02, 0x01, 0x05, 0x03, 0x58, 64, 0xee};
    cr_assert(out.len == sizeof head + 63 && memcmp(out.data, head, sizeof head) == 0);
    strict();
    cr_assert(decode() && m.kind == HUB_MSG_VOTE && m.u.vote.signer == 3);
    cr_assert(hub_subject_equal(&m.u.vote.subject, &v.subject));
    cr_assert_arr_eq(m.u.vote.sig.b, v.sig.b, 64);
    open();
    v.subject = (struct hub_subject){HUB_FINALIZE, 1, 5, 9, 77, hash_of(1), hash_of(2)};
    hub_message_vote(&out, &v);
    strict();
    cr_assert(decode() && hub_subject_equal(&m.u.vote.subject, &v.subject));
}

Test(message, votes)
{
    struct hub_vote v[3] = {{.signer = 3}, {.signer = 3}, {.signer = 3}};
    hub_message_votes(&out, 1, 3, v, 0);
    IS(0x84, 0x0f, 0x01, 0x03, 0x80);
    strict();
    cr_assert(decode() && m.kind == HUB_MSG_VOTES && m.u.votes.count == 0);
    open();
    v[0].subject = (struct hub_subject){.kind = HUB_NULLIFY, .epoch = 1, .view = 5};
    memset(v[0].sig.b, 0xee, sizeof v[0].sig.b);
    hub_message_votes(&out, 1, 3, v, 1);
    uint8_t head[] = {0x84, 0x0f, 0x01, 0x03, 0x81, 0x82, 0x83, 0x02, 0x01, 0x05, 0x58, 64, 0xee};
    cr_assert(out.len == sizeof head + 63 && memcmp(out.data, head, sizeof head) == 0);
    strict();
    cr_assert(decode() && m.u.votes.vote[0].signer == 3);
    out.data[8] = 2; /* a vote of another epoch than the answer's */
    cr_assert(!decode());
    open();
    v[0].subject =
        (struct hub_subject){.kind = HUB_NOTARIZE, .epoch = 1, .view = 9, .block_hash = hash_of(1)};
    v[1].subject = (struct hub_subject){.kind = HUB_NULLIFY, .epoch = 1, .view = 8};
    v[2].subject = (struct hub_subject){HUB_FINALIZE, 1, 5, 9, 77, hash_of(1), hash_of(2)};
    hub_message_votes(&out, 1, 3, v, 3);
    strict();
    cr_assert(decode() && m.u.votes.count == 3 && m.u.votes.vote[2].subject.log_size == 77);
    open();
    v[2].subject = v[1].subject; /* a kind twice */
    hub_message_votes(&out, 1, 3, v, 3);
    cr_assert(!decode());
}

Test(message, status)
{
    struct hub_status_message s = {.chain = hash_of(7), .epoch = 1, .view = 30, .period_ms = 1000};
    s.fin = (struct hub_point){28, 11, hash_of(8)};
    s.top = (struct hub_point){29, 12, hash_of(9)};
    s.flags = HUB_STATUS_WORK_PENDING | HUB_STATUS_SYNCING;
    s.q = 3, s.n = 4;
    s.version = (struct hub_span){(const uint8_t *)"0.1", 3};
    hub_message_status(&out, &s);
    strict();
    cr_assert(decode() && m.kind == HUB_MSG_STATUS);
    const struct hub_status_message *got = &m.u.status;
    cr_assert(hub_hash_equal(&got->chain, &s.chain) && got->epoch == 1 && got->view == 30);
    cr_assert(got->fin.view == 28 && got->fin.height == 11 && got->top.height == 12);
    cr_assert(hub_hash_equal(&got->fin.block_hash, &s.fin.block_hash));
    cr_assert(hub_hash_equal(&got->top.block_hash, &s.top.block_hash));
    cr_assert(got->flags == 3 && got->period_ms == 1000 && got->q == 3 && got->n == 4);
    cr_assert(hub_span_equal(got->version, s.version));
    struct hub_status_message bad[4] = {s, s, s, s};
    bad[0].flags = 4, bad[1].q = 0, bad[2].n = 65, bad[3].version.len = 0;
    for (int i = 0; i < 4; i++) {
        open();
        hub_message_status(&out, &bad[i]);
        cr_assert(!decode(), "bad status %d", i);
    }
}

static struct hub_span sample_block(uint8_t *bytes, size_t cap)
{
    static uint8_t record[300];
    struct hub_buf b = {bytes, 0, cap, false};
    uint8_t header_bytes[HUB_HEADER_BYTES_MAX];
    struct hub_buf header = {header_bytes, 0, sizeof header_bytes, false};
    struct hub_header h = {.version = 1, .epoch = 1, .view = 6, .height = 4, .proposer = 2};
    hub_header_encode(&header, &h);
    hub_put_array(&b, 2);
    hub_put_bytes(&b, hub_span_of(&header));
    hub_put_array(&b, 1);
    hub_put_array(&b, 2);
    hub_put_bytes(&b, (struct hub_span){record, sizeof record});
    hub_put_bytes(&b, (struct hub_span){record, 0});
    return hub_span_of(&b);
}

static struct hub_span sample_certificate(uint8_t *bytes, size_t cap, uint64_t view)
{
    static struct hub_certificate c;
    struct hub_buf b = {bytes, 0, cap, false};
    c.subject = (struct hub_subject){.kind = HUB_NULLIFY, .epoch = 1, .view = view};
    c.signers = 7;
    hub_certificate_encode(&b, &c, 4);
    return hub_span_of(&b);
}

Test(message, propose_gives_back_block_and_justification)
{
    uint8_t bytes[2][1000], block_bytes[1000], joined[1000];
    struct hub_span block = sample_block(block_bytes, sizeof block_bytes), just[HUB_JUST_MAX + 1];
    struct hub_signature sig;
    memset(sig.b, 0x5a, sizeof sig.b);
    just[0] = sample_certificate(bytes[0], 1000, 4),
    just[1] = sample_certificate(bytes[1], 1000, 5);
    hub_message_propose(&out, block, &sig, just, 2);
    strict();
    cr_assert(decode() && m.kind == HUB_MSG_PROPOSE && m.u.propose.just_count == 2);
    cr_assert(m.u.propose.header.view == 6 && m.u.propose.header.proposer == 2);
    cr_assert_arr_eq(m.u.propose.signature.b, sig.b, 64);
    struct hub_buf again = {joined, 0, sizeof joined, false};
    hub_message_proposed_block(&again, &m);
    cr_assert(hub_span_equal(hub_span_of(&again), block));
    struct hub_certificate c;
    for (uint32_t i = 0; i < 2; i++) {
        cr_assert(hub_span_equal(m.u.propose.just[i], just[i]));
        cr_assert(hub_certificate_decode(&c, m.u.propose.just[i]) && c.subject.view == 4 + i);
    }
    open();
    for (uint32_t i = 0; i < HUB_JUST_MAX; i++)
        just[i] = just[0];
    hub_message_propose(&out, block, &sig, just, HUB_JUST_MAX);
    cr_assert(decode() && m.u.propose.just_count == HUB_JUST_MAX);
    /* One more, written without the encoder's help: [1, header, entries, sig, [35 certificates]]. */
    open();
    hub_put_array(&out, 5);
    hub_put_uint(&out, 1);
    hub_put_raw(&out, (struct hub_span){block.data + 1, block.len - 1});
    hub_put_bytes(&out, (struct hub_span){sig.b, 64});
    hub_put_array(&out, HUB_JUST_MAX + 1);
    for (uint32_t i = 0; i <= HUB_JUST_MAX; i++)
        hub_put_raw(&out, just[0]);
    cr_assert(!decode());
}

Test(message, propose_needs_a_header_and_an_array_of_entries)
{
    struct hub_signature sig = {{0}};
    uint8_t junk[4] = {0x82, 0x41, 0x00, 0x80}; /* [h'00', []] */
    hub_message_propose(&out, (struct hub_span){junk, 4}, &sig, NULL, 0);
    cr_assert(!decode());
    uint8_t bytes[1000];
    struct hub_span block = sample_block(bytes, sizeof bytes);
    struct hub_header h;
    struct hub_hash hash;
    struct hub_span header;
    cr_assert(hub_block_peek(&h, &hash, &header, block));
    open();
    hub_put_array(&out, 5);
    hub_put_uint(&out, 1);
    hub_put_bytes(&out, header);
    hub_put_uint(&out, 0); /* instead of entries */
    hub_put_bytes(&out, (struct hub_span){sig.b, 64});
    hub_put_array(&out, 0);
    cr_assert(!decode());
}

Test(message, certificate_block_and_its_null)
{
    uint8_t bytes[1000], block_bytes[1000];
    struct hub_span cert = sample_certificate(bytes, sizeof bytes, 4);
    struct hub_span block = sample_block(block_bytes, sizeof block_bytes);
    hub_message_certificate(&out, cert);
    strict();
    cr_assert(decode() && hub_span_equal(m.u.certificate, cert));
    open();
    hub_message_block(&out, block, cert);
    strict();
    cr_assert(decode() && hub_span_equal(m.u.block.block, block));
    cr_assert(hub_span_equal(m.u.block.certificate, cert));
    open();
    hub_message_block(&out, block, (struct hub_span){NULL, 0});
    strict();
    cr_assert(decode() && m.u.block.certificate.len == 0);
    REFUSED(0x83, 0x08, 0x41, 0x00, 0xf5); /* true is neither certificate nor null */
    REFUSED(0x83, 0x08, 0x40, 0xf6);       /* an empty block */
}

Test(message, get_block)
{
    struct hub_hash h[HUB_GET_HASHES_MAX];
    for (uint8_t i = 0; i < HUB_GET_HASHES_MAX; i++)
        h[i] = hash_of(i);
    hub_message_get_block(&out, h, HUB_GET_HASHES_MAX);
    strict();
    cr_assert(decode() && m.u.get_block.count == HUB_GET_HASHES_MAX);
    cr_assert(hub_hash_equal(&m.u.get_block.hash[63], &h[63]));
    REFUSED(0x82, 0x06, 0x80); /* for nothing */
    open();
    hub_put_array(&out, 2);
    hub_put_uint(&out, 6);
    hub_put_array(&out, HUB_GET_HASHES_MAX + 1);
    for (int i = 0; i <= HUB_GET_HASHES_MAX; i++)
        hub_put_hash(&out, &h[0]);
    cr_assert(!decode());
}

Test(message, records)
{
    uint8_t a[40] = {1}, b[80] = {2};
    struct hub_span record[2] = {{a, 40}, {b, 80}}, attachment[2] = {{NULL, 0}, {a, 40}};
    hub_message_records(&out, record, attachment, 2);
    strict();
    cr_assert(decode() && m.u.records.count == 2);
    for (int i = 0; i < 2; i++) {
        cr_assert(hub_span_equal(m.u.records.entry[i].record, record[i]));
        cr_assert(hub_span_equal(m.u.records.entry[i].attachment, attachment[i]));
    }
    REFUSED(0x82, 0x0b, 0x80);                         /* none */
    REFUSED(0x82, 0x0b, 0x81, 0x82, 0x40, 0x40);       /* an empty record */
    REFUSED(0x82, 0x0b, 0x81, 0x81, 0x41, 0x00);       /* no attachment */
    REFUSED(0x82, 0x0b, 0x81, 0x82, 0x41, 0x00, 0x60); /* a text as attachment */
}

Test(message, proofs_and_evidence)
{
    const uint8_t link_bytes[] = {0xa1, 0x00, 0x01}, evidence[] = {0xa0};
    struct hub_span link[HUB_LINKS_MAX];
    for (int i = 0; i < HUB_LINKS_MAX; i++)
        link[i] = (struct hub_span){link_bytes, sizeof link_bytes};
    hub_message_epoch_proof(&out, link, 1);
    IS(0x82, 0x0a, 0x81, 0xa1, 0x00, 0x01);
    strict();
    cr_assert(decode() && m.u.links.len == 4 && m.u.links.data[0] == 0x81);
    open();
    hub_message_epoch_proof(&out, link, 0);
    cr_assert(decode() && m.u.links.len == 1);
    open();
    hub_message_evidence(&out, (struct hub_span){evidence, 1});
    IS(0x82, 0x0e, 0x41, 0xa0);
    strict();
    cr_assert(decode() && m.u.evidence.len == 1 && m.u.evidence.data[0] == 0xa0);
    REFUSED(0x82, 0x0e, 0x40);
}

/* Bytes from outside: whatever they are, the answer is yes or no. */
Test(message, any_single_changed_byte_is_refused_or_still_well_formed)
{
    uint8_t bytes[1000], block_bytes[1000], copy[2000];
    struct hub_signature sig = {{1}};
    struct hub_span just = sample_certificate(bytes, sizeof bytes, 4);
    hub_message_propose(&out, sample_block(block_bytes, sizeof block_bytes), &sig, &just, 1);
    cr_assert_leq(out.len, sizeof copy);
    uint32_t accepted = 0;
    for (size_t i = 0; i < out.len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(copy, out.data, out.len);
            copy[i] ^= (uint8_t)(1u << bit);
            if (!refused(copy, out.len)) {
                accepted++;
                cr_assert(hub_cbor_ok((struct hub_span){copy, out.len}));
            }
        }
    cr_assert_gt(accepted, 0, "signature bits, for one, are not judged here");
}

/* tests/vectors/golden.txt, written by python from docs/formats.cddl. */
Test(message, snapshots_have_the_golden_bytes)
{
    uint8_t ten[10];
    struct hub_hash id;
    struct hub_snapshot_message s = {{{0}}, 811, 131082, 131072, {ten, sizeof ten}};
    for (uint8_t i = 0; i < sizeof ten; i++)
        ten[i] = i;
    hub_hash_span(&id, hub_text_span("manifest"));
    s.id = id;
    hub_message_get_snapshot(&out, &id, 131072);
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("wire.get_snapshot")));
    open();
    hub_message_snapshot(&out, &s);
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("wire.snapshot")));
    open();
    s = (struct hub_snapshot_message){.height = 0};
    hub_message_snapshot(&out, &s);
    cr_assert(hub_span_equal(hub_span_of(&out), test_vector("wire.snapshot_none")));
}

Test(message, get_snapshot)
{
    const struct hub_hash id = hash_of(0xaa);
    uint8_t want[2 + 34 + 5] = {0x83, 0x10, 0x58, 32};
    memset(want + 4, 0xaa, 32);
    memcpy(want + 36, (const uint8_t[]){0x1a, 0x00, 0x02, 0x00, 0x00}, 5); /* 131,072 */
    hub_message_get_snapshot(&out, &id, 131072);
    is(want, sizeof want);
    strict();
    cr_assert(decode() && m.kind == HUB_MSG_GET_SNAPSHOT);
    cr_assert(hub_hash_equal(&m.u.get_snapshot.id, &id) && m.u.get_snapshot.offset == 131072);
    open();
    hub_message_get_snapshot(&out, &id, UINT64_C(1) << 53); /* above every number of the format */
    cr_assert(!decode());
}

Test(message, snapshot_pieces_lie_inside_their_file)
{
    static uint8_t piece[HUB_SNAPSHOT_PIECE_BYTES + 1];
    struct hub_snapshot_message s = {hash_of(0xbb), 5, 10, 8, {piece, 2}};
    uint8_t want[2 + 34 + 6] = {0x86, 0x11, 0x58, 32};
    memset(want + 4, 0xbb, 32);
    memcpy(want + 36, (const uint8_t[]){0x05, 0x0a, 0x08, 0x42, 0x00, 0x00}, 6);
    hub_message_snapshot(&out, &s);
    is(want, sizeof want);
    strict();
    cr_assert(decode() && m.kind == HUB_MSG_SNAPSHOT && m.u.snapshot.height == 5);
    cr_assert(m.u.snapshot.bytes == 10 && m.u.snapshot.offset == 8 && m.u.snapshot.piece.len == 2);
    want[38] = 0x09; /* from 9 on: one byte too far */
    cr_assert(refused(want, sizeof want));
    want[38] = 0x0b; /* behind the end */
    cr_assert(refused(want, sizeof want));
    open();
    s = (struct hub_snapshot_message){hash_of(0), 0, 0, 0, {NULL, 0}}; /* there is none */
    hub_message_snapshot(&out, &s);
    strict();
    open();
    s = (struct hub_snapshot_message){hash_of(1), 1, HUB_UINT_MAX, 0, {piece, sizeof piece - 1}};
    hub_message_snapshot(&out, &s);
    cr_assert(decode() && m.u.snapshot.piece.len == HUB_SNAPSHOT_PIECE_BYTES);
    open(); /* the same, one byte longer */
    hub_put_array(&out, 6);
    hub_put_uint(&out, HUB_MSG_SNAPSHOT);
    hub_put_hash(&out, &s.id);
    hub_put_uint(&out, 1);
    hub_put_uint(&out, HUB_UINT_MAX);
    hub_put_uint(&out, 0);
    hub_put_bytes(&out, (struct hub_span){piece, sizeof piece});
    cr_assert(!decode());
}
