/* cose.h: COSE_Sign1 (RFC 9052) as used here: what is signed, and the tagged envelope around it.
 * The received bytes of a protected header are what is hashed and verified, never a re-encoding. */
#ifndef HUB_COSE_H
#define HUB_COSE_H

#include "hub/cbor.h"
#include "hub/hash.h"

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

#endif
