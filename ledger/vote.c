/* vote.c: subjects, votes and certificates (formats.cddl section 8). */
#include "hub/vote.h"

#include "hub/cose.h"

#include <string.h>

enum {
    MESSAGE_BYTES_MAX = 600,
    PROTECTED_BYTES_MAX = 320,
    CERTIFICATE_VERSION = 1,
    ALG_EDDSA = -8,
    LABEL_VDS = 395, /* RFC 9942: verifiable data structure; 1 is RFC 9162 with SHA-256 */
    LABEL_HUB_RECEIPT = -70001
};

bool hub_subject_equal(const struct hub_subject *a, const struct hub_subject *b)
{
    return a->kind == b->kind && a->epoch == b->epoch && a->view == b->view &&
           a->height == b->height && a->log_size == b->log_size &&
           hub_hash_equal(&a->block_hash, &b->block_hash) &&
           hub_hash_equal(&a->log_root, &b->log_root);
}

void hub_subject_encode(struct hub_buf *out, const struct hub_subject *s)
{
    static const uint8_t items[] = {[HUB_NOTARIZE] = 4, [HUB_NULLIFY] = 3, [HUB_FINALIZE] = 7};

    HUB_ASSERT(s->kind >= HUB_NOTARIZE && s->kind <= HUB_FINALIZE);
    hub_put_array(out, items[s->kind]);
    hub_put_uint(out, s->kind);
    hub_put_uint(out, s->epoch);
    hub_put_uint(out, s->view);
    if (s->kind == HUB_FINALIZE) {
        hub_put_uint(out, s->height);
        hub_put_uint(out, s->log_size);
        hub_put_hash(out, &s->log_root);
    }
    if (s->kind != HUB_NULLIFY)
        hub_put_hash(out, &s->block_hash);
}

void hub_subject_read(struct hub_subject *out, struct hub_cbor *c)
{
    uint32_t items = hub_cbor_array(c, 3, 7);
    uint8_t kind = items == 4 ? HUB_NOTARIZE : items == 3 ? HUB_NULLIFY : HUB_FINALIZE;

    *out = (struct hub_subject){.kind = kind};
    if (items == 5 || items == 6)
        c->bad = true;
    hub_cbor_uint(c, kind, kind);
    out->epoch = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    out->view = hub_cbor_uint(c, 0, HUB_UINT_MAX);
    if (kind == HUB_FINALIZE) {
        out->height = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        out->log_size = hub_cbor_uint(c, 0, HUB_UINT_MAX);
        hub_cbor_hash(c, &out->log_root);
    }
    if (kind != HUB_NULLIFY)
        hub_cbor_hash(c, &out->block_hash);
}

/* {1: -8, 4: kid, 15: {1: member, 2: network}, 395: 1, -70001: [chain, epoch, view, height, log_size,
 * block_hash]}: the receipt of RFC 9942, with what its signature would otherwise leave open. */
static void put_finalize_protected(struct hub_buf *out, const struct hub_validators *set,
                                   const struct hub_subject *s, uint8_t signer)
{
    hub_put_map(out, 5);
    hub_put_uint(out, 1);
    hub_put_int(out, ALG_EDDSA);
    hub_put_uint(out, 4);
    hub_put_hash(out, &set->v[signer].kid);
    hub_put_uint(out, 15);
    hub_put_map(out, 2);
    hub_put_uint(out, 1);
    hub_put_text(out, set->v[signer].member);
    hub_put_uint(out, 2);
    hub_put_text(out, set->network);
    hub_put_uint(out, LABEL_VDS);
    hub_put_uint(out, 1);
    hub_put_int(out, LABEL_HUB_RECEIPT);
    hub_put_array(out, 6);
    hub_put_hash(out, &set->chain);
    hub_put_uint(out, s->epoch);
    hub_put_uint(out, s->view);
    hub_put_uint(out, s->height);
    hub_put_uint(out, s->log_size);
    hub_put_hash(out, &s->block_hash);
}

void hub_vote_protected(struct hub_buf *out, const struct hub_validators *set,
                        const struct hub_subject *s, uint8_t signer)
{
    HUB_ASSERT(signer < set->n);
    if (s->kind == HUB_FINALIZE) {
        put_finalize_protected(out, set, s, signer);
        return;
    }
    hub_put_map(out, 3);
    hub_put_uint(out, 1);
    hub_put_int(out, ALG_EDDSA);
    hub_put_uint(out, 3);
    hub_put_text(out, "application/vnd.hubledger.vote+cbor");
    hub_put_uint(out, 4);
    hub_put_hash(out, &set->v[signer].kid);
}

/* FINALIZE: the bytes of log_root. Else [kind, chain, epoch, view, ? block_hash]. */
static void put_payload(struct hub_buf *out, const struct hub_validators *set,
                        const struct hub_subject *s)
{
    if (s->kind == HUB_FINALIZE) {
        hub_put_raw(out, (struct hub_span){s->log_root.b, sizeof s->log_root.b});
        return;
    }
    hub_put_array(out, s->kind == HUB_NOTARIZE ? 5 : 4);
    hub_put_uint(out, s->kind);
    hub_put_hash(out, &set->chain);
    hub_put_uint(out, s->epoch);
    hub_put_uint(out, s->view);
    if (s->kind == HUB_NOTARIZE)
        hub_put_hash(out, &s->block_hash);
}

struct statement { /* protected header and payload of one vote */
    uint8_t protected_bytes[PROTECTED_BYTES_MAX], payload_bytes[128];
    struct hub_buf protected_, payload;
};

static void build_statement(struct statement *st, const struct hub_validators *set,
                            const struct hub_subject *s, uint8_t signer)
{
    st->protected_ = (struct hub_buf){st->protected_bytes, 0, sizeof st->protected_bytes, false};
    st->payload = (struct hub_buf){st->payload_bytes, 0, sizeof st->payload_bytes, false};
    hub_vote_protected(&st->protected_, set, s, signer);
    put_payload(&st->payload, set, s);
    HUB_ASSERT(!st->protected_.full && !st->payload.full);
}

void hub_vote_message(struct hub_buf *out, const struct hub_validators *set,
                      const struct hub_subject *s, uint8_t signer)
{
    struct statement st;

    build_statement(&st, set, s, signer);
    hub_sig_structure(out, hub_span_of(&st.protected_), hub_span_of(&st.payload));
}

bool hub_vote_ok(const struct hub_vote *v, const struct hub_validators *set)
{
    uint8_t bytes[MESSAGE_BYTES_MAX];
    struct hub_buf message = {bytes, 0, sizeof bytes, false};

    if (v->subject.epoch != set->epoch || v->signer >= set->n)
        return false;
    hub_vote_message(&message, set, &v->subject, v->signer);
    HUB_ASSERT(!message.full);
    return hub_verify(&v->sig, hub_span_of(&message), &set->v[v->signer].key);
}

void hub_vote_encode(struct hub_buf *out, const struct hub_validators *set,
                     const struct hub_vote *v)
{
    static const uint8_t empty_map = 0xa0;
    struct statement st;

    build_statement(&st, set, &v->subject, v->signer);
    hub_sign1_encode(out, hub_span_of(&st.protected_), (struct hub_span){&empty_map, 1},
                     hub_span_of(&st.payload), &v->sig);
}

/* Bytes of the signer bitmap of n validators. */
static unsigned bitmap_bytes(unsigned n)
{
    return (n + 7) / 8;
}

void hub_certificate_encode(struct hub_buf *out, const struct hub_certificate *c, uint8_t n)
{
    uint8_t bitmap[8];

    HUB_ASSERT(n >= 1 && n <= HUB_VALIDATORS_MAX && (n == 64 || c->signers >> n == 0));
    HUB_ASSERT(c->signers != 0);
    for (unsigned i = 0; i < sizeof bitmap; i++)
        bitmap[i] = (uint8_t)(c->signers >> 8 * i);
    hub_put_array(out, 4);
    hub_put_uint(out, CERTIFICATE_VERSION);
    hub_subject_encode(out, &c->subject);
    hub_put_bytes(out, (struct hub_span){bitmap, bitmap_bytes(n)});
    hub_put_bytes_head(out, hub_bits_set(c->signers) * sizeof c->sig[0]);
    for (unsigned i = 0; i < n; i++)
        if (c->signers >> i & 1)
            hub_put_raw(out, (struct hub_span){c->sig[i].b, sizeof c->sig[i].b});
}

void hub_certificate_read(struct hub_certificate *out, struct hub_cbor *c)
{
    struct hub_span bitmap, signatures;
    const uint8_t *next;

    memset(out, 0, sizeof *out);
    hub_cbor_array(c, 4, 4);
    hub_cbor_uint(c, CERTIFICATE_VERSION, CERTIFICATE_VERSION);
    hub_subject_read(&out->subject, c);
    bitmap = hub_cbor_bytes(c, 1, bitmap_bytes(HUB_VALIDATORS_MAX));
    signatures = hub_cbor_bytes(c, sizeof out->sig[0], sizeof out->sig);
    if (c->bad)
        return;
    out->bitmap_bytes = (uint8_t)bitmap.len;
    for (size_t i = 0; i < bitmap.len; i++)
        out->signers |= (uint64_t)bitmap.data[i] << 8 * i;
    if (hub_bits_set(out->signers) * sizeof out->sig[0] != signatures.len) {
        c->bad = true;
        return;
    }
    next = signatures.data;
    for (unsigned i = 0; i < HUB_VALIDATORS_MAX; i++)
        if (out->signers >> i & 1) {
            memcpy(out->sig[i].b, next, sizeof out->sig[i].b);
            next += sizeof out->sig[i].b;
        }
}

bool hub_certificate_decode(struct hub_certificate *out, struct hub_span bytes)
{
    struct hub_cbor c = hub_cbor_open(bytes);

    hub_certificate_read(out, &c);
    return hub_cbor_done(&c);
}

bool hub_certificate_form_ok(const struct hub_certificate *c, const struct hub_validators *set)
{
    if (c->bitmap_bytes != 0 && c->bitmap_bytes != bitmap_bytes(set->n))
        return false;
    return c->subject.epoch == set->epoch && (set->n == 64 || c->signers >> set->n == 0);
}

unsigned hub_certificate_good(const struct hub_certificate *c, const struct hub_validators *set,
                              unsigned *bad)
{
    unsigned good = 0;

    *bad = 0;
    for (unsigned i = 0; i < set->n; i++) {
        struct hub_vote vote = {.subject = c->subject, .signer = (uint8_t)i, .sig = c->sig[i]};

        if (!(c->signers >> i & 1))
            continue;
        if (hub_vote_ok(&vote, set))
            good++;
        else
            ++*bad;
    }
    return good;
}

bool hub_certificate_ok(const struct hub_certificate *c, const struct hub_validators *set)
{
    /* Counted before a signature is checked: too few can never become a quorum. */
    if (!hub_certificate_form_ok(c, set) || hub_bits_set(c->signers) < set->q)
        return false;
    for (unsigned i = 0; i < set->n; i++) {
        const struct hub_vote vote = {
            .subject = c->subject, .signer = (uint8_t)i, .sig = c->sig[i]};

        if (c->signers >> i & 1 && !hub_vote_ok(&vote, set))
            return false; /* the first bad one: whoever sent it pays for one */
    }
    return true;
}
