/* cose.h: COSE_Sign1 (RFC 9052) as used here: what is signed, and the tagged envelope around it.
 * The received bytes of a protected header are what is hashed and verified, never a re-encoding. */
#ifndef HUB_COSE_H
#define HUB_COSE_H

#include "hub/cbor.h"
#include "hub/hash.h"
#include "hub/sign.h"

/* #6.18([protected, unprotected, payload, signature]); all borrowed from the bytes decoded. */
struct hub_sign1 {
    struct hub_span protected_, unprotected; /* inside of the bstr; the encoded map */
    struct hub_span payload;                 /* data == NULL: detached (nil) */
    const struct hub_signature *signature;
};

/* Strict: tag 18, four items, nothing behind. unprotected is any strict map; the caller says what it may hold. */
HUB_MUST_USE bool hub_sign1_decode(struct hub_sign1 *out, struct hub_span bytes);
void hub_sign1_encode(struct hub_buf *out, struct hub_span protected_, struct hub_span unprotected,
                      struct hub_span payload, const struct hub_signature *signature);

/* Sig_structure ["Signature1", protected, h'', payload] appended to out; out must have room for
 * protected.len + payload.len + 32 bytes. */
void hub_sig_structure(struct hub_buf *out, struct hub_span protected_, struct hub_span payload);
/* SHA-256 of the same, without building it. */
void hub_sig_structure_hash(struct hub_hash *out, struct hub_span protected_,
                            struct hub_span payload);
/* ["Signature", body protected, sign protected, h'', payload] of COSE_Sign, for further signers. */
void hub_cosign_structure(struct hub_buf *out, struct hub_span body_protected,
                          struct hub_span sign_protected, struct hub_span payload);

/* One COSE_Signature [bstr .cbor {1: -8, 4: kid}, {}, sig]: its kid gives its protected header's bytes. */
struct hub_cosignature {
    struct hub_hash kid;
    struct hub_signature sig;
};
/* The next item; c->bad if it is anything else. */
void hub_cosignature_read(struct hub_cosignature *out, struct hub_cbor *c);
void hub_cosignature_put(struct hub_buf *out, const struct hub_cosignature *s);
/* Ascending by kid, as every array of them is written. */
void hub_cosignatures_sort(struct hub_cosignature *s, uint32_t n);
/* What the signer with this kid signs, appended to out: payload and body_protected and 96 bytes. */
void hub_cosign_message(struct hub_buf *out, struct hub_span body_protected,
                        const struct hub_hash *kid, struct hub_span payload);
/* Signs; scratch is overwritten with the message and must have room for it. */
void hub_cosign(struct hub_cosignature *out, struct hub_buf *scratch,
                struct hub_span body_protected, struct hub_span payload,
                const struct hub_public_key *key, const uint8_t secret[HUB_SECRET_BYTES]);

#endif
