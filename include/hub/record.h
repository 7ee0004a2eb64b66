/* record.h: one record: a COSE_Sign1 statement by one key, the only input the ledger accepts
 * (formats.cddl section 3). Decoding checks everything that needs no state; what the record means is in the rules.
 *  1. id = SHA-256(Sig_structure): never over the signature. leaf = SHA-256(0x00 || all bytes).
 *  2. verified is set only by hub_record_verify and by the verified cache of node/verifier.c, whose
 *     key is leaf; hub_state_apply refuses a record without it.
 *  3. A kid is the hash of a key, so a signature's verdict does not depend on where the key came from. */
#ifndef HUB_RECORD_H
#define HUB_RECORD_H

#include "hub/body.h"
#include "hub/cose.h"
#include "hub/hash.h"
#include "hub/limits.h"
#include "hub/results.h"
#include "hub/sign.h"

struct hub_record { /* a view into bytes; borrowed, valid while bytes are */
    struct hub_span bytes, attachment;
    struct hub_span protected_, payload;
    struct hub_span body;   /* map of the body: payload, or the inside of core when cosigned */
    struct hub_span cosign; /* the encoded array, or empty */
    struct hub_span iss, sub;
    const struct hub_signature *signature;
    struct hub_hash id, leaf, kid;
    uint64_t seq, valid_until_ms;
    uint16_t type; /* enum hub_record_type_id: row in hub_record_types */
    bool verified;
};

/* The keys whose signatures a record carries: its signer first, then the co-signers in order. */
struct hub_record_keys {
    uint32_t count;
    struct hub_public_key key[1 + HUB_COSIGN_MAX];
};

/* Decodes and checks form, sizes, chain, type, body and the type's static rules, attachment included
 * (batch root, totals). *why gets the result code when the answer is HUB_REFUSED. Nothing is copied. */
HUB_MUST_USE enum hub_status hub_record_decode(struct hub_record *out, uint16_t *why,
                                               struct hub_span bytes, struct hub_span attachment,
                                               const struct hub_hash *chain);

/* The same without the type's own check function and without an attachment: for receipts, displays and
 * tools, where what travels beside a record is not at hand. Never for a record that will be applied. */
HUB_MUST_USE enum hub_status hub_record_peek(struct hub_record *out, uint16_t *why,
                                             struct hub_span bytes, const struct hub_hash *chain);
/* True if the signer's own signature is good and key is the one its kid names. Co-signatures are not
 * looked at, and verified is not set. */
HUB_MUST_USE bool hub_record_signature_ok(const struct hub_record *r,
                                          const struct hub_public_key *key);

/* Checks the signer's and every co-signer's signature with the given keys (their kids are compared
 * with the record's) and sets verified. Any thread. False: signature_invalid or cosign_invalid in *why. */
HUB_MUST_USE bool hub_record_verify(struct hub_record *r, uint16_t *why,
                                    const struct hub_record_keys *keys);
/* For node/verifier.c only: these exact bytes (leaf) were verified before. */
void hub_record_trust_cache(struct hub_record *r);

/* Co-signatures: kid of the i-th, in order; false behind the last. */
bool hub_record_cosigner(const struct hub_record *r, uint32_t i, struct hub_hash *kid);
/* True if the i-th co-signature is good under this key, which must be the one that its kid names. For who has no state
 * to ask: verified is not set. */
HUB_MUST_USE bool hub_record_cosignature_ok(const struct hub_record *r, uint32_t i,
                                            const struct hub_public_key *key);
/* The key with this id among those that the body itself brings (key.add, wallet.open with key, new validators and
 * governors); false if it brings no such key. */
bool hub_record_brings_key(const struct hub_record *r, const struct hub_hash *kid,
                           struct hub_public_key *key);

/* What a signer fills in. iss and sub follow the type's rule and are computed by the caller. */
struct hub_record_draft {
    uint16_t type;
    struct hub_hash kid, chain;
    struct hub_span iss, sub,
        payload; /* payload: BODY, or {core, cosign} encoded by hub_payload_* */
    uint64_t seq, valid_until_ms;
};
/* Encodes the protected header into out. */
void hub_record_protected(struct hub_buf *out, const struct hub_record_draft *d);
/* Protected header, signature over it and payload, envelope: the whole record into out. scratch holds
 * the Sig_structure (payload.len + 512 bytes). HUB_LIMIT if it does not fit 65,535 bytes or a buffer. */
HUB_MUST_USE enum hub_status hub_record_build(struct hub_buf *out, struct hub_buf *scratch,
                                              const struct hub_record_draft *d,
                                              const uint8_t secret[HUB_SECRET_BYTES]);
/* payload {core, ? cosign} for types of the cosigned shape; cosign[n] is sorted by kid in place. */
void hub_payload_cosigned(struct hub_buf *out, struct hub_span core, struct hub_cosignature *cosign,
                          uint32_t n);

#endif
