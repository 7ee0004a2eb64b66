/* What a replica keeps of votes, certificates and blocks that peers send, with a store that holds nothing and counts
 * how often it is asked. Validator 0 of 4, q = 3; the others sign with keys of known seeds. */
#include "node/replica_parts.h"

#include "ledger/epoch.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { N = 4, Q = 3 };

static struct hub_replica r;
static struct hub_now now = {.mono_ms = 100000, .wall_ms = 1000000};
static uint8_t secret[N][HUB_SECRET_BYTES];
static struct hub_certificate made[16]; /* what was put into the store */
static uint32_t made_count, certificate_reads, journal_reads;
static struct hub_vote journal;     /* all that it holds; kind 0: nothing */
static struct hub_span final_block; /* at every height */
static bool lost;                   /* the disk does not give it */
static struct hub_halt halt;
static uint8_t linked[HUB_LINK_BYTES_MAX], out_bytes[1 << 16];
static size_t linked_len; /* what was put as link to epoch 1; 0: nothing, or it is damaged */

static enum hub_status put_certificate(void *store, const struct hub_certificate *c, uint8_t n)
{
    cr_assert(store == NULL && n == N && made_count < sizeof made / sizeof *made);
    made[made_count++] = *c;
    return HUB_OK;
}

static enum hub_status get_certificate(void *store, uint64_t epoch, uint64_t view, uint8_t kind,
                                       struct hub_certificate *out)
{
    certificate_reads++;
    for (uint32_t i = 0; i < made_count; i++)
        if (made[i].subject.epoch == epoch && made[i].subject.view == view &&
            made[i].subject.kind == kind) {
            *out = made[i];
            return HUB_OK;
        }
    return store == NULL ? HUB_NOT_FOUND : HUB_IO;
}

static enum hub_status get_block(void *store, const struct hub_hash *hash, struct hub_span *bytes)
{
    (void)hash, (void)bytes;
    return store == NULL ? HUB_NOT_FOUND : HUB_IO;
}

static enum hub_status each_vote(void *store, uint64_t epoch, uint64_t from_view,
                                 hub_store_visit_vote *visit, void *ctx)
{
    journal_reads++;
    if (journal.subject.kind && journal.subject.epoch == epoch && journal.subject.view >= from_view)
        visit(ctx, &journal);
    return store == NULL ? HUB_OK : HUB_IO;
}

static void alarm(void *client, const char *what, const struct hub_hash *block)
{
    (void)client, (void)what, (void)block;
}

static enum hub_status get_block_at(void *store, uint64_t height, struct hub_span *bytes)
{
    cr_assert_geq(height, 1);
    *bytes = final_block;
    return store || lost || !final_block.len ? HUB_NOT_FOUND : HUB_OK;
}

static enum hub_status put_halt(void *store, const struct hub_halt *h)
{
    halt = *h;
    return store ? HUB_IO : HUB_OK;
}

static enum hub_status get_link(void *store, uint64_t epoch, struct hub_span *link)
{
    *link = (struct hub_span){linked, linked_len};
    return store || epoch != 1 || !linked_len ? HUB_NOT_FOUND : HUB_OK;
}

static enum hub_status put_link(void *store, uint64_t epoch, struct hub_span link)
{
    cr_assert(!store && epoch == 1 && link.len <= sizeof linked);
    memcpy(linked, link.data, link.len);
    linked_len = link.len;
    return HUB_OK;
}

static void open(void)
{
    const struct hub_cons_config cfg = {.n = N, .q = Q, .me = 0, .delta_ms = 250};
    const struct hub_point fin = {0};
    struct hub_event start = {.kind = HUB_EV_START};
    static struct hub_effects out;
    r.chain.set.n = N;
    r.chain.set.q = Q;
    for (uint8_t i = 0; i < N; i++)
        hub_key_from_seed(&r.chain.set.v[i].key, secret[i], (uint8_t[HUB_SEED_BYTES]){i + 1});
    r.port.put_certificate = put_certificate;
    r.port.get_certificate = get_certificate;
    r.port.get_block = get_block;
    r.port.each_vote = each_vote;
    r.port.get_block_at = get_block_at;
    r.port.put_halt = put_halt;
    r.port.get_link = get_link;
    r.port.put_link = put_link;
    r.port.alarm = alarm;
    hub_cons_init(&r.cons, &cfg, &fin, 0);
    start.now_mono_ms = now.mono_ms;
    hub_cons_step(&r.cons, &start, &out);
    r.core_wake_ms = UINT64_MAX;
    r.outbox = (struct hub_buf){.data = out_bytes, .cap = sizeof out_bytes};
}
TestSuite(replica, .init = open);

static struct hub_subject about(uint8_t kind, uint64_t view, uint8_t block)
{
    struct hub_subject s = {.kind = kind, .view = view};
    if (kind != HUB_NULLIFY)
        s.block_hash.b[0] = block;
    if (kind == HUB_FINALIZE)
        s.height = s.log_size = 1;
    return s;
}

static struct hub_signature sign(const struct hub_subject *s, uint8_t signer)
{
    uint8_t bytes[1024];
    struct hub_buf message = {bytes, 0, sizeof bytes, false};
    struct hub_signature sig;
    hub_vote_message(&message, &r.chain.set, s, signer);
    hub_sign(&sig, secret[signer], hub_span_of(&message));
    return sig;
}

static void pass_on(const struct hub_vote *v, uint8_t peer)
{
    uint8_t bytes[1024];
    struct hub_buf frame = {bytes, 0, sizeof bytes, false};
    hub_message_vote(&frame, v);
    hub_replica_on_message(&r, peer, hub_span_of(&frame), now);
}

/* On its signer's link. */
static void vote(struct hub_subject s, uint8_t signer)
{
    const struct hub_vote v = {.subject = s, .signer = signer, .sig = sign(&s, signer)};
    pass_on(&v, signer);
}

/* Of validators 1, 2, 3, on the link of `peer`. */
static void certificate(struct hub_subject s, uint8_t peer)
{
    struct hub_certificate c = {.subject = s, .signers = 0xe};
    uint8_t bytes[HUB_CERTIFICATE_BYTES_MAX], outer[HUB_CERTIFICATE_BYTES_MAX + 64];
    struct hub_buf b = {bytes, 0, sizeof bytes, false}, frame = {outer, 0, sizeof outer, false};
    for (uint8_t i = 1; i < N; i++)
        c.sig[i] = sign(&s, i);
    hub_certificate_encode(&b, &c, N);
    hub_message_certificate(&frame, hub_span_of(&b));
    hub_replica_on_message(&r, peer, hub_span_of(&frame), now);
}

/* The core drops the tally of a view that was passed, and begins another when the view turns out to be notarized. A liar
 * who voted for one block before and for another after was counted the second time; if only its first signature were
 * kept, the certificate could not be made, and no other vote would be taken for it. */
Test(replica, a_certificate_is_made_of_the_votes_that_were_counted)
{
    vote(about(HUB_FINALIZE, 1, 'x'), 1);
    certificate(about(HUB_NULLIFY, 2, 0), 2);
    cr_assert_eq(r.cons.view, 3);
    cr_assert_not(hub_replica_view_held(&r, 1), "view 1 was passed");
    certificate(about(HUB_NOTARIZE, 1, 'b'), 2);
    cr_assert(hub_replica_view_held(&r, 1));
    cr_assert_eq(made_count, 2);
    for (uint8_t signer = 2; signer < N; signer++)
        vote(about(HUB_FINALIZE, 1, 'b'), signer);
    vote(about(HUB_FINALIZE, 1, 'b'), 1);
    cr_assert_eq(made_count, 3);
    const struct hub_subject b = about(HUB_FINALIZE, 1, 'b');
    cr_assert(hub_subject_equal(&made[2].subject, &b));
    cr_assert_eq(made[2].signers, 0xe);
    cr_assert(hub_certificate_ok(&made[2], &r.chain.set));
    cr_assert_eq(r.accuse.count, 1, "and who voted twice is convicted");
}

/* Any peer may tell what our key signed, and each time it is checked and looked up; so each time is paid for. */
Test(replica, votes_of_the_own_key_cost_their_sender)
{
    enum { BURST = 8 * N };
    journal = (struct hub_vote){.subject = about(HUB_NULLIFY, 1, 0), .signer = 0};
    journal.sig = sign(&journal.subject, 0);
    for (uint32_t i = 0; i < 3 * BURST; i++)
        pass_on(&journal, 2);
    cr_assert_eq(journal_reads, BURST);
    now.mono_ms += 1000;
    for (uint32_t i = 0; i < 3 * N; i++)
        pass_on(&journal, 2);
    cr_assert_eq(journal_reads, BURST + N, "n more a second");
    cr_assert_eq(r.peer[2].bad_signatures, 0);
    cr_assert_eq(r.permit.halt.why, HUB_ABSTAIN_NOT, "the journal has it");
}

/* ---- certificates of the past */

/* Sent again and again they cost three reads of the store each; the sender pays for the look before it is taken. */
Test(replica, certificates_of_the_past_cost_their_sender)
{
    enum { READS = 3, BURST = 3 * HUB_GET_VIEWS_MAX, A_SECOND = 32 };
    certificate(about(HUB_FINALIZE, 50, 'b'), 1);
    cr_assert_eq(r.cons.top.view, 50);
    certificate_reads = 0;
    for (uint32_t i = 0; i < 3 * BURST; i++)
        certificate(about(HUB_FINALIZE, 1 + i % 40, 'b'), 2);
    cr_assert_eq(certificate_reads, READS * BURST);
    now.mono_ms += 1000;
    for (uint32_t i = 0; i < 3 * A_SECOND; i++)
        certificate(about(HUB_FINALIZE, 1 + i % 40, 'b'), 2);
    cr_assert_eq(certificate_reads, READS * (BURST + A_SECOND));
    certificate(about(HUB_FINALIZE, 7, 'b'), 3);
    cr_assert_eq(certificate_reads, READS * (BURST + A_SECOND + 1), "others have their own");
    certificate(about(HUB_FINALIZE, 50, 'b'), 3);
    cr_assert_eq(certificate_reads, READS * (BURST + A_SECOND + 1), "what is held costs nothing");
}

/* ---- what the disk damaged */

/* The frame that left last, to one of the others. */
static struct hub_message asked(void)
{
    struct hub_message m;
    cr_assert_geq(r.frame_count, 1);
    const struct hub_frame *f = &r.frame[r.frame_count - 1];
    cr_assert(f->peer > 0 && f->peer < N);
    cr_assert(hub_message_decode(&m, (struct hub_span){r.outbox.data + f->at, f->len}));
    return m;
}

/* Without it nobody gets a receipt for a record of the newest block, and on an idle network no other block comes. */
Test(replica, the_newest_certificate_is_fetched_again)
{
    certificate(about(HUB_FINALIZE, 5, 'b'), 1);
    r.chain.final_hash = about(HUB_FINALIZE, 5, 'b').block_hash;
    r.chain.final_header = (struct hub_header){.view = 5, .height = 1};
    final_block = (struct hub_span){out_bytes, 1}; /* what it is the reading does not care */
    r.frame_count = 0;
    (void)hub_mend_timer(&r);
    cr_assert_eq(r.frame_count, 0, "it is there");
    made_count = 0; /* a bit flips */
    certificate(about(HUB_FINALIZE, 5, 'b'), 2);
    cr_assert_eq(made_count, 0, "nobody asked for it yet");
    now.mono_ms = r.now.mono_ms = r.mend.scrub_due_ms;
    (void)hub_mend_timer(&r);
    const struct hub_message m = asked();
    cr_assert(m.kind == HUB_MSG_GET_CERTS && m.u.get_certs.from == 5 && m.u.get_certs.to == 5);
    certificate(about(HUB_NOTARIZE, 5, 'b'), 2);
    certificate(about(HUB_FINALIZE, 4, 'b'), 2);
    certificate(about(HUB_FINALIZE, 5, 'c'), 2);
    cr_assert_eq(made_count, 0, "no other helps");
    certificate(about(HUB_FINALIZE, 5, 'b'), 2);
    cr_assert_eq(made_count, 1);
    cr_assert_eq(r.mend.mended, 1);
    certificate(about(HUB_FINALIZE, 5, 'b'), 2);
    cr_assert_eq(made_count, 1, "and is not looked at twice");
}

/* The sets of epochs 0 and 1, the same four, in r.chain as a node of epoch 1 has them; out: the link between. */
static void cross_epoch(struct hub_buf *out)
{
    static const uint32_t caps[HUB_TABLES] = {[HUB_TABLE_EPOCHS] = 4};
    struct hub_validators *set = &r.chain.set;
    uint8_t epoch[2][HUB_EPOCH_BYTES_MAX], header[HUB_HEADER_BYTES_MAX];
    struct hub_buf e[2] = {{epoch[0], 0, sizeof epoch[0], false},
                           {epoch[1], 0, sizeof epoch[1], false}};
    uint8_t row_bytes[HUB_EPOCH_BYTES_MAX + 32];
    struct hub_buf h = {header, 0, sizeof header, false},
                   row = {row_bytes, 0, sizeof row_bytes, false};
    const struct hub_span name = hub_text_span("test");
    void *memory = aligned_alloc(64, (hub_state_memory_bytes(caps) + 63) / 64 * 64);
    cr_assert(memory);
    memset(memory, 0, hub_state_memory_bytes(caps));
    hub_state_init(&r.chain.state, memory, caps);
    for (uint8_t i = 0; i < N; i++) {
        memcpy(set->v[i].member, "MEMBER", 6);
        set->v[i].transport[0] = i;
    }
    hub_validators_encode(&e[0], set);
    cr_assert_eq(hub_validators_decode(set, hub_span_of(&e[0]), &r.chain.id, name), HUB_OK);
    cr_assert_eq(hub_epoch_genesis(&r.chain.state, set), HUB_OK);
    struct hub_header seal = {.version = 1,
                              .chain = r.chain.id,
                              .view = 7,
                              .height = 9,
                              .time_ms = 1,
                              .record_count = 1,
                              .flags = HUB_FLAG_SEAL,
                              .validators = set->hash};
    set->epoch = 1;
    hub_validators_encode(&e[1], set);
    set->epoch = 0;
    hub_hash_tagged(&seal.next_validators, "hubledger/epoch/1", hub_span_of(&e[1]));
    hub_header_encode(&h, &seal);
    struct hub_link link = {.next = hub_span_of(&e[1]), .headers = {.n = 1}};
    link.headers.bytes[0] = hub_span_of(&h);
    link.certificate = (struct hub_certificate){
        .subject = {.kind = HUB_FINALIZE, .view = 7, .height = 9}, .signers = 0xe};
    hub_header_hash(&link.certificate.subject.block_hash, hub_span_of(&h));
    for (uint8_t i = 1; i < N; i++)
        link.certificate.sig[i] = sign(&link.certificate.subject, i);
    hub_link_encode(out, &link, N);
    cr_assert_eq(hub_validators_decode(set, hub_span_of(&e[1]), &r.chain.id, name), HUB_OK);
    hub_put_array(&row, 3);
    hub_put_uint(&row, 1);
    hub_put_bytes(&row, hub_span_of(&e[1]));
    hub_put_uint(&row, seal.height);
    cr_assert_eq(hub_state_add(&r.chain.state, HUB_TABLE_EPOCHS, hub_span_of(&row)), 1);
    r.cons.cfg.epoch = 1;
}

static void tell_link(struct hub_span link, uint8_t peer)
{
    static uint8_t bytes[HUB_LINK_BYTES_MAX + 64];
    struct hub_buf frame = {bytes, 0, sizeof bytes, false};
    hub_message_epoch_proof(&frame, &link, 1);
    hub_replica_on_message(&r, peer, hub_span_of(&frame), now);
}

Test(replica, a_damaged_link_is_fetched_again)
{
    static uint8_t bytes[HUB_LINK_BYTES_MAX];
    struct hub_buf link = {bytes, 0, sizeof bytes, false};
    cross_epoch(&link);
    tell_link(hub_span_of(&link), 1);
    cr_assert_eq(linked_len, 0, "nobody asked for it yet");
    r.now = now;
    (void)hub_mend_timer(&r);
    const struct hub_message m = asked();
    cr_assert(m.kind == HUB_MSG_GET_EPOCHS && m.u.from_epoch == 0);
    bytes[link.len - 1] ^= 1; /* the last signature */
    tell_link(hub_span_of(&link), 2);
    cr_assert_eq(linked_len, 0);
    cr_assert_eq(r.peer[2].bad_signatures, 1);
    bytes[link.len - 1] ^= 1;
    tell_link(hub_span_of(&link), 3);
    cr_assert(hub_span_equal((struct hub_span){linked, linked_len}, hub_span_of(&link)));
    r.frame_count = 0;
    r.now.mono_ms = r.mend.scrub_due_ms + 60000;
    (void)hub_mend_timer(&r);
    cr_assert_eq(r.frame_count, 0, "it is there again");
}

/* ---- blocks below the final one */

static void encode_block(struct hub_buf *out, struct hub_hash *hash, uint64_t time_ms)
{
    const struct hub_header h = {
        .version = 1, .chain = r.chain.id, .view = 1, .height = 3, .time_ms = time_ms};
    struct hub_header again;
    struct hub_span header_bytes;
    hub_block_encode(out, &h, NULL, 0);
    cr_assert(hub_block_peek(&again, hash, &header_bytes, hub_span_of(out)));
}

/* Two blocks of height 3, and the one with this time is final there; the other one, or that, is certified in view 1. */
static void certify_low(bool the_final_one)
{
    static uint8_t final_bytes[1024], other_bytes[1024], body[1024];
    struct hub_buf f = {final_bytes, 0, sizeof final_bytes, false},
                   o = {other_bytes, 0, sizeof other_bytes, false};
    struct hub_hash final_hash, other_hash;
    encode_block(&f, &final_hash, 1);
    encode_block(&o, &other_hash, 2);
    final_block = hub_span_of(&f);
    memset(r.chain.final_hash.b, 9, 32);
    r.chain.final_header = (struct hub_header){.view = 1, .height = 5};
    r.body[0].bytes = (struct hub_buf){body, 0, sizeof body, false};
    struct hub_body *b = hub_body_put(&r, the_final_one ? hub_span_of(&f) : hub_span_of(&o));
    cr_assert(b);
    b->stored = true;
    struct hub_subject s = about(HUB_NOTARIZE, 1, 0);
    s.block_hash = the_final_one ? final_hash : other_hash;
    certificate(s, 2);
}

/* Its certificate belies ours: more validators lied than the ledger is safe with, and this node stops voting. */
Test(replica, another_block_at_a_final_height_is_invalid)
{
    certify_low(false);
    cr_assert(r.cons.halted);
    cr_assert_eq(halt.why, HUB_ABSTAIN_DIVERGENCE);
}

Test(replica, the_final_block_of_a_lower_height_is_valid)
{
    certify_low(true);
    cr_assert_not(r.cons.halted);
    cr_assert_eq(r.cons.view, 2, "the view was notarized");
}

/* Nothing tells then whether it is the certified one; the peers do, when it has been fetched again. */
Test(replica, a_damaged_final_block_is_no_verdict)
{
    lost = true;
    certify_low(true);
    cr_assert_not(r.cons.halted);
    cr_assert_eq(r.cons.view, 1);
    cr_assert_eq(r.mend.found, 1, "it is asked for");
    lost = false;
    hub_replica_drain(&r);
    cr_assert_eq(r.cons.view, 2);
}
