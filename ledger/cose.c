/* cose.c: the envelope and the bytes that are signed (RFC 9052 sections 4.2, 4.4). */
#include "hub/cose.h"

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
