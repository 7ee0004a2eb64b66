/* cose.c: the envelope and the bytes that are signed (RFC 9052 sections 4.2, 4.4). */
#include "hub/cose.h"

#include <string.h>

enum { TAG_SIGN1 = 18 };

bool hub_sign1_decode(struct hub_sign1 *out, struct hub_span bytes)
{
    struct hub_cbor c = hub_cbor_open(bytes);
    struct hub_sign1 s = {0};
    struct hub_span signature;

    hub_cbor_tag(&c, TAG_SIGN1);
    hub_cbor_array(&c, 4, 4);
    s.protected_ = hub_cbor_bytes(&c, 0, SIZE_MAX);
    if (hub_cbor_peek(&c) != HUB_CBOR_MAP)
        return false;
    s.unprotected = hub_cbor_item(&c);
    if (hub_cbor_peek(&c) == HUB_CBOR_BYTES)
        s.payload = hub_cbor_bytes(&c, 0, SIZE_MAX);
    else
        hub_cbor_null(&c);
    signature = hub_cbor_bytes(&c, sizeof *s.signature, sizeof *s.signature);
    if (!hub_cbor_done(&c))
        return false;
    /* A struct of bytes alone, so any address is aligned for it. */
    s.signature = (const struct hub_signature *)(const void *)signature.data;
    *out = s;
    return true;
}

void hub_sign1_encode(struct hub_buf *out, struct hub_span protected_, struct hub_span unprotected,
                      struct hub_span payload, const struct hub_signature *signature)
{
    hub_put_tag(out, TAG_SIGN1);
    hub_put_array(out, 4);
    hub_put_bytes(out, protected_);
    hub_put_raw(out, unprotected);
    if (payload.data == NULL)
        hub_put_null(out);
    else
        hub_put_bytes(out, payload);
    hub_put_bytes(out, (struct hub_span){signature->b, sizeof signature->b});
}

void hub_sig_structure(struct hub_buf *out, struct hub_span protected_, struct hub_span payload)
{
    hub_put_array(out, 4);
    hub_put_text(out, "Signature1");
    hub_put_bytes(out, protected_);
    hub_put_bytes_head(out, 0);
    hub_put_bytes(out, payload);
}

void hub_sig_structure_hash(struct hub_hash *out, struct hub_span protected_,
                            struct hub_span payload)
{
    uint8_t small[32];
    struct hub_buf head = {small, 0, sizeof small, false};
    struct hub_hasher h;

    hub_hash_init(&h);
    hub_put_array(&head, 4);
    hub_put_text(&head, "Signature1");
    hub_put_bytes_head(&head, protected_.len);
    hub_hash_add(&h, head.data, head.len);
    hub_hash_add(&h, protected_.data, protected_.len);
    head.len = 0;
    hub_put_bytes_head(&head, 0);
    hub_put_bytes_head(&head, payload.len);
    HUB_ASSERT(!head.full);
    hub_hash_add(&h, head.data, head.len);
    hub_hash_add(&h, payload.data, payload.len);
    hub_hash_final(&h, out);
}

void hub_cosign_structure(struct hub_buf *out, struct hub_span body_protected,
                          struct hub_span sign_protected, struct hub_span payload)
{
    hub_put_array(out, 5);
    hub_put_text(out, "Signature");
    hub_put_bytes(out, body_protected);
    hub_put_bytes(out, sign_protected);
    hub_put_bytes_head(out, 0);
    hub_put_bytes(out, payload);
}

enum { COSIGN_PROTECTED_BYTES = 38, LABEL_ALG = 1, LABEL_KID = 4, ALG_EDDSA = -8 };

static void put_cosign_protected(struct hub_buf *out, const struct hub_hash *kid)
{
    hub_put_map(out, 2);
    hub_put_uint(out, LABEL_ALG);
    hub_put_int(out, ALG_EDDSA);
    hub_put_uint(out, LABEL_KID);
    hub_put_hash(out, kid);
}

void hub_cosignature_read(struct hub_cosignature *out, struct hub_cbor *c)
{
    struct hub_cbor p;

    hub_cbor_array(c, 3, 3);
    p = hub_cbor_open(hub_cbor_bytes(c, COSIGN_PROTECTED_BYTES, COSIGN_PROTECTED_BYTES));
    hub_cbor_map(c, 0, 0);
    hub_cbor_copy(c, out->sig.b, sizeof out->sig.b);
    hub_cbor_map(&p, 2, 2);
    hub_cbor_label(&p, LABEL_ALG);
    hub_cbor_label(&p, ALG_EDDSA); /* the value, which is an integer as well */
    hub_cbor_label(&p, LABEL_KID);
    hub_cbor_hash(&p, &out->kid);
    if (!hub_cbor_done(&p))
        c->bad = true;
}

void hub_cosignature_put(struct hub_buf *out, const struct hub_cosignature *s)
{
    hub_put_array(out, 3);
    hub_put_bytes_head(out, COSIGN_PROTECTED_BYTES);
    put_cosign_protected(out, &s->kid);
    hub_put_map(out, 0);
    hub_put_bytes(out, (struct hub_span){s->sig.b, sizeof s->sig.b});
}

void hub_cosignatures_sort(struct hub_cosignature *s, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        struct hub_cosignature moved = s[i];
        uint32_t at = i;

        for (; at > 0 && memcmp(s[at - 1].kid.b, moved.kid.b, sizeof moved.kid.b) > 0; at--)
            s[at] = s[at - 1];
        s[at] = moved;
    }
}

void hub_cosign_message(struct hub_buf *out, struct hub_span body_protected,
                        const struct hub_hash *kid, struct hub_span payload)
{
    uint8_t header[COSIGN_PROTECTED_BYTES];
    struct hub_buf own = {header, 0, sizeof header, false};

    put_cosign_protected(&own, kid);
    HUB_ASSERT(!own.full);
    hub_cosign_structure(out, body_protected, hub_span_of(&own), payload);
}

void hub_cosign(struct hub_cosignature *out, struct hub_buf *scratch,
                struct hub_span body_protected, struct hub_span payload,
                const struct hub_public_key *key, const uint8_t secret[HUB_SECRET_BYTES])
{
    hub_kid_of(&out->kid, key);
    scratch->len = 0;
    hub_cosign_message(scratch, body_protected, &out->kid, payload);
    HUB_ASSERT(!scratch->full);
    hub_sign(&out->sig, secret, hub_span_of(scratch));
}
