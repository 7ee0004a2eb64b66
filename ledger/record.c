/* record.c: decoding, verifying and building records (formats.cddl section 3).
 *
 * protected header, in encoding order:
 *   {1: -8, 3: media type, 4: kid, 15: {1: iss, 2: sub}, -70000: [chain, seq, valid_until_ms]}
 * co-signature: [<<{1: -8, 4: kid}>>, {}, signature] */
#include "hub/record.h"

#include "hub/apply.h"
#include "hub/cose.h"
#include "hub/merkle.h"
#include "ledger/body_walk.h"

#include <string.h>

enum {
    LABEL_ALG = 1,
    LABEL_CONTENT_TYPE = 3,
    LABEL_KID = 4,
    LABEL_CLAIMS = 15, /* RFC 9597 */
    LABEL_HUB_RECORD = -70000,
    ALG_EDDSA = -8,
    SUB_MAX = 64,
    PROTECTED_MAX = 320
};

static const char type_prefix[] = "application/vnd.hubledger.";
static const char type_suffix[] = "+cbor";

/* The record type a media type names, or HUB_RECORD_TYPES. */
static uint16_t type_of(struct hub_span media)
{
    size_t prefix = sizeof type_prefix - 1, suffix = sizeof type_suffix - 1;
    uint16_t t = HUB_RECORD_TYPES;

    if (media.len <= prefix + suffix || memcmp(media.data, type_prefix, prefix) != 0 ||
        memcmp(media.data + media.len - suffix, type_suffix, suffix) != 0)
        return t;
    media = (struct hub_span){media.data + prefix, media.len - prefix - suffix};
    for (t = 0; t < HUB_RECORD_TYPES; t++)
        if (hub_span_equal(media, hub_text_span(hub_record_types[t].name)))
            break;
    return t;
}

/* Fills type, kid, iss, sub, seq and valid_until_ms. 0 or a code. */
static uint16_t read_protected(struct hub_record *r, const struct hub_hash *chain)
{
    struct hub_cbor c = hub_cbor_open(r->protected_);
    struct hub_span media;
    struct hub_hash named;
    int64_t alg;

    hub_cbor_map(&c, 5, 5);
    hub_cbor_label(&c, LABEL_ALG);
    alg = hub_cbor_int(&c);
    hub_cbor_label(&c, LABEL_CONTENT_TYPE);
    media = hub_cbor_text(&c, 1, 64);
    hub_cbor_label(&c, LABEL_KID);
    hub_cbor_hash(&c, &r->kid);
    hub_cbor_label(&c, LABEL_CLAIMS);
    hub_cbor_map(&c, 2, 2);
    hub_cbor_label(&c, 1);
    r->iss = hub_cbor_text(&c, 1, 32);
    hub_cbor_label(&c, 2);
    r->sub = hub_cbor_text(&c, 1, SUB_MAX);
    hub_cbor_label(&c, LABEL_HUB_RECORD);
    hub_cbor_array(&c, 3, 3);
    hub_cbor_hash(&c, &named);
    r->seq = hub_cbor_uint(&c, 1, HUB_UINT_MAX);
    r->valid_until_ms = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    if (!hub_cbor_done(&c))
        return HUB_CODE_not_canonical;
    r->type = type_of(media);
    if (r->type == HUB_RECORD_TYPES)
        return HUB_CODE_type_unknown;
    return hub_first_code(hub_hash_equal(&named, chain) ? 0 : HUB_CODE_chain_mismatch,
                          alg == ALG_EDDSA ? 0 : HUB_CODE_alg_unknown);
}

/* Form, order, one a kid, never the main kid. */
static uint16_t cosign_code(const struct hub_record *r)
{
    struct hub_cbor c = hub_cbor_open(r->cosign);
    struct hub_cosignature last = {0}, next;
    uint32_t n;

    if (r->cosign.len == 0)
        return 0;
    n = hub_cbor_array(&c, 1, HUB_COSIGN_MAX);
    for (uint32_t i = 0; i < n; i++) {
        hub_cosignature_read(&next, &c);
        if (hub_hash_equal(&next.kid, &r->kid) ||
            (i > 0 && memcmp(last.kid.b, next.kid.b, sizeof last.kid.b) >= 0))
            return HUB_CODE_cosign_invalid;
        last = next;
    }
    return hub_cbor_done(&c) ? 0 : HUB_CODE_cosign_invalid;
}

/* Finds body and cosign inside the payload. */
static uint16_t read_payload(struct hub_record *r)
{
    struct hub_cbor c = hub_cbor_open(r->payload);
    uint32_t n;

    if (!hub_cbor_ok(r->payload))
        return HUB_CODE_not_canonical;
    r->body = r->payload;
    r->cosign = (struct hub_span){NULL, 0};
    if (!hub_record_types[r->type].cosigned)
        return 0;
    n = hub_cbor_map(&c, 1, 2);
    hub_cbor_key(&c, "core");
    r->body = hub_cbor_bytes(&c, 1, SIZE_MAX);
    if (n == 2) {
        hub_cbor_key(&c, "cosign");
        r->cosign = hub_cbor_item(&c);
    }
    return hub_cbor_done(&c) ? 0 : HUB_CODE_body_invalid;
}

static uint16_t sub_code(const struct hub_record *r)
{
    char expected[SUB_MAX + 1];

    if (!hub_record_sub(expected, r->type, r->body, r->iss))
        return HUB_CODE_sub_mismatch;
    return hub_span_equal(r->sub, hub_text_span(expected)) ? 0 : HUB_CODE_sub_mismatch;
}

static uint16_t read_envelope(struct hub_record *r, struct hub_span bytes)
{
    struct hub_sign1 s;

    if (bytes.len > HUB_RECORD_BYTES_MAX)
        return HUB_CODE_too_large;
    if (!hub_sign1_decode(&s, bytes) || s.payload.data == NULL || s.unprotected.len != 1)
        return HUB_CODE_not_canonical; /* the empty map is one byte; alg or kid there is no record */
    r->bytes = bytes;
    r->protected_ = s.protected_;
    r->payload = s.payload;
    r->signature = s.signature;
    return 0;
}

/* Everything but the type's check function. The header's own codes wait for the body's shape, because
 * body_invalid stands before them in the list. */
static uint16_t read_record(struct hub_record *r, struct hub_span bytes,
                            const struct hub_hash *chain)
{
    uint16_t code = read_envelope(r, bytes), header;

    if (code != 0)
        return code;
    header = read_protected(r, chain);
    if (header == HUB_CODE_not_canonical || header == HUB_CODE_type_unknown)
        return header;
    code = read_payload(r);
    if (code == 0)
        code = hub_body_check(r->body, hub_record_types[r->type].fields, NULL);
    if (code == HUB_CODE_not_canonical)
        return code;
    code = hub_first_code(code, hub_first_code(header, cosign_code(r)));
    return code != 0 ? code : sub_code(r);
}

static enum hub_status finish(struct hub_record *out, uint16_t *why, struct hub_record *r,
                              uint16_t code)
{
    if (code != 0) {
        *why = code;
        return HUB_REFUSED;
    }
    hub_sig_structure_hash(&r->id, r->protected_, r->payload);
    hub_merkle_leaf(&r->leaf, r->bytes);
    *out = *r;
    return HUB_OK;
}

enum hub_status hub_record_peek(struct hub_record *out, uint16_t *why, struct hub_span bytes,
                                const struct hub_hash *chain)
{
    struct hub_record r = {0};
    uint16_t code = read_record(&r, bytes, chain);

    return finish(out, why, &r, code);
}

static uint16_t attachment_code(const struct hub_record *r)
{
    const struct hub_record_type *type = &hub_record_types[r->type];

    if (r->attachment.len > HUB_ATTACHMENT_BYTES_MAX)
        return HUB_CODE_too_large;
    return !type->attachment && r->attachment.len > 0 ? HUB_CODE_batch_length : 0;
}

enum hub_status hub_record_decode(struct hub_record *out, uint16_t *why, struct hub_span bytes,
                                  struct hub_span attachment, const struct hub_hash *chain)
{
    struct hub_record r = {.attachment = attachment};
    uint16_t code = read_record(&r, bytes, chain);

    if (code == 0)
        code = attachment_code(&r);
    if (code == 0 && hub_record_types[r.type].check != NULL)
        code = hub_record_types[r.type].check(&r);
    return finish(out, why, &r, code);
}

/* A Sig_structure of a record is shorter than the record itself: 13 bytes of context replace the
 * envelope's 69. The co-signers' is shorter still, since their array is not under it. */
static bool signed_by(const struct hub_signature *sig, const struct hub_record *r,
                      const struct hub_public_key *key)
{
    uint8_t bytes[HUB_RECORD_BYTES_MAX];
    struct hub_buf message = {bytes, 0, sizeof bytes, false};

    hub_sig_structure(&message, r->protected_, r->payload);
    return !message.full && hub_verify(sig, hub_span_of(&message), key);
}

static bool cosigned_by(const struct hub_cosignature *s, const struct hub_record *r,
                        const struct hub_public_key *key)
{
    uint8_t bytes[HUB_RECORD_BYTES_MAX];
    struct hub_buf message = {bytes, 0, sizeof bytes, false};

    hub_cosign_message(&message, r->protected_, &s->kid, r->body);
    return !message.full && hub_verify(&s->sig, hub_span_of(&message), key);
}

static bool key_is(const struct hub_public_key *key, const struct hub_hash *kid)
{
    struct hub_hash own;

    hub_kid_of(&own, key);
    return hub_hash_equal(&own, kid);
}

bool hub_record_signature_ok(const struct hub_record *r, const struct hub_public_key *key)
{
    return key_is(key, &r->kid) && signed_by(r->signature, r, key);
}

/* Positions a cursor at the first co-signature; their number, 0 when there are none. */
static uint32_t open_cosigners(struct hub_cbor *c, const struct hub_record *r)
{
    *c = hub_cbor_open(r->cosign);
    return r->cosign.len == 0 ? 0 : hub_cbor_array(c, 1, HUB_COSIGN_MAX);
}

bool hub_record_verify(struct hub_record *r, uint16_t *why, const struct hub_record_keys *keys)
{
    struct hub_cosignature s;
    struct hub_cbor c;
    uint32_t n = open_cosigners(&c, r);

    HUB_ASSERT(keys->count == 1 + n);
    if (!hub_record_signature_ok(r, &keys->key[0])) {
        *why = HUB_CODE_signature_invalid;
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct hub_public_key *key = &keys->key[1 + i];

        hub_cosignature_read(&s, &c);
        if (c.bad || !key_is(key, &s.kid) || !cosigned_by(&s, r, key)) {
            *why = HUB_CODE_cosign_invalid;
            return false;
        }
    }
    r->verified = true;
    return true;
}

void hub_record_trust_cache(struct hub_record *r)
{
    r->verified = true;
}

bool hub_record_cosigner(const struct hub_record *r, uint32_t i, struct hub_hash *kid)
{
    struct hub_cosignature s;
    struct hub_cbor c;

    if (i >= open_cosigners(&c, r))
        return false;
    for (uint32_t at = 0; at <= i; at++)
        hub_cosignature_read(&s, &c);
    *kid = s.kid;
    return true;
}

bool hub_record_cosignature_ok(const struct hub_record *r, uint32_t i,
                               const struct hub_public_key *key)
{
    struct hub_cosignature s;
    struct hub_cbor c;

    if (i >= open_cosigners(&c, r))
        return false;
    for (uint32_t at = 0; at <= i; at++)
        hub_cosignature_read(&s, &c);
    return !c.bad && key_is(key, &s.kid) && cosigned_by(&s, r, key);
}

bool hub_record_brings_key(const struct hub_record *r, const struct hub_hash *kid,
                           struct hub_public_key *key)
{
    const struct hub_record_type *type = &hub_record_types[r->type];
    struct hub_body_walk w;
    enum hub_walk_step step = HUB_WALK_OPEN;
    struct hub_hash own;

    if (!type->cosigned || type->family == HUB_FAMILY_AGREEMENT)
        return false; /* agreements bring no keys, and their bodies are long */
    hub_body_walk_init(&w, r->body, type->fields);
    while (step != HUB_WALK_END && step != HUB_WALK_BROKEN) {
        step = hub_body_walk_next(&w);
        if (step != HUB_WALK_VALUE)
            continue;
        struct hub_cbor value = hub_cbor_open(hub_cbor_item(&w.at));

        if (w.field->kind != HUB_FIELD_COSE_KEY ||
            !hub_cose_key_decode(key, hub_cbor_bytes(&value, 0, SIZE_MAX)))
            continue;
        hub_kid_of(&own, key);
        if (hub_hash_equal(&own, kid))
            return true;
    }
    return false;
}

void hub_record_protected(struct hub_buf *out, const struct hub_record_draft *d)
{
    uint8_t text[64];
    struct hub_buf media = {text, 0, sizeof text, false};

    HUB_ASSERT(d->type < HUB_RECORD_TYPES);
    hub_put_raw(&media, hub_text_span(type_prefix));
    hub_put_raw(&media, hub_text_span(hub_record_types[d->type].name));
    hub_put_raw(&media, hub_text_span(type_suffix));
    HUB_ASSERT(!media.full);
    hub_put_map(out, 5);
    hub_put_uint(out, LABEL_ALG);
    hub_put_int(out, ALG_EDDSA);
    hub_put_uint(out, LABEL_CONTENT_TYPE);
    hub_put_text_span(out, hub_span_of(&media));
    hub_put_uint(out, LABEL_KID);
    hub_put_hash(out, &d->kid);
    hub_put_uint(out, LABEL_CLAIMS);
    hub_put_map(out, 2);
    hub_put_uint(out, 1);
    hub_put_text_span(out, d->iss);
    hub_put_uint(out, 2);
    hub_put_text_span(out, d->sub);
    hub_put_int(out, LABEL_HUB_RECORD);
    hub_put_array(out, 3);
    hub_put_hash(out, &d->chain);
    hub_put_uint(out, d->seq);
    hub_put_uint(out, d->valid_until_ms);
}

enum hub_status hub_record_build(struct hub_buf *out, struct hub_buf *scratch,
                                 const struct hub_record_draft *d,
                                 const uint8_t secret[HUB_SECRET_BYTES])
{
    uint8_t header[PROTECTED_MAX];
    struct hub_buf protected_ = {header, 0, sizeof header, false};
    struct hub_signature sig;
    uint8_t none = 0xa0; /* the empty map */
    size_t start = out->len;

    hub_record_protected(&protected_, d);
    scratch->len = 0;
    hub_sig_structure(scratch, hub_span_of(&protected_), d->payload);
    if (protected_.full || scratch->full)
        return HUB_LIMIT;
    hub_sign(&sig, secret, hub_span_of(scratch));
    hub_sign1_encode(out, hub_span_of(&protected_), (struct hub_span){&none, 1}, d->payload, &sig);
    return out->full || out->len - start > HUB_RECORD_BYTES_MAX ? HUB_LIMIT : HUB_OK;
}

void hub_payload_cosigned(struct hub_buf *out, struct hub_span core, struct hub_cosignature *cosign,
                          uint32_t n)
{
    HUB_ASSERT(n <= HUB_COSIGN_MAX);
    hub_cosignatures_sort(cosign, n);
    hub_put_map(out, n > 0 ? 2 : 1);
    hub_put_text(out, "core");
    hub_put_bytes(out, core);
    if (n == 0)
        return;
    hub_put_text(out, "cosign");
    hub_put_array(out, n);
    for (uint32_t i = 0; i < n; i++)
        hub_cosignature_put(out, &cosign[i]);
}
