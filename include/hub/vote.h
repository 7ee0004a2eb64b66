/* vote.h: validator sets (epochs), votes and certificates (formats.cddl sections 2 and 8).
 *  1. A subject holds exactly what its vote signs; chain, member code and network name are added when
 *     the signed bytes are rebuilt, so no receiver needs the header.
 *  2. FINALIZE signs the receipt form of RFC 9942: its payload is log_root, detached.
 *  3. Certificates of one subject are not unique: never hashed into blocks, never compared as bytes. */
#ifndef HUB_VOTE_H
#define HUB_VOTE_H

#include "hub/cbor.h"
#include "hub/hash.h"
#include "hub/limits.h"
#include "hub/sign.h"

enum hub_vote_kind { HUB_NOTARIZE = 1, HUB_NULLIFY = 2, HUB_FINALIZE = 3 };
enum hub_fault_model {
    HUB_FAULT_BFT,
    HUB_FAULT_ALL_OF_3,
    HUB_FAULT_CRASH_1_OF_3,
    HUB_FAULT_SINGLE
};
extern const char *const hub_fault_model_names[]; /* in this order; ends with NULL */

/* Fields a kind does not sign are zero, so subjects are compared field by field (hub_subject_equal). */
struct hub_subject {
    uint8_t kind;
    uint64_t epoch, view, height, log_size; /* height, log_size: FINALIZE only */
    struct hub_hash block_hash;             /* NOTARIZE, FINALIZE */
    struct hub_hash log_root;               /* FINALIZE */
};

struct hub_vote {
    struct hub_subject subject;
    uint8_t signer; /* index in the epoch's set */
    struct hub_signature sig;
};

struct hub_certificate {
    struct hub_subject subject;
    uint64_t signers;                             /* bit i = validator i */
    struct hub_signature sig[HUB_VALIDATORS_MAX]; /* sig[i] of validator i; unused ones zero */
    uint8_t
        bitmap_bytes; /* length of the bitmap as read, compared with the set's; 0: made in memory */
};

struct hub_validators { /* one epoch */
    struct hub_hash chain;
    char network[HUB_NETWORK_NAME_MAX + 1]; /* genesis name: sub of receipts */
    uint64_t epoch;
    uint8_t n, q;
    enum hub_fault_model fault_model;
    struct hub_hash hash; /* epoch hash */
    struct {
        struct hub_public_key key;
        struct hub_hash kid;
        uint8_t transport[32];                /* CURVE public key */
        char member[HUB_MEMBER_CODE_MAX + 1]; /* iss of its receipts */
    } v[HUB_VALIDATORS_MAX];
};

bool hub_subject_equal(const struct hub_subject *a, const struct hub_subject *b);
void hub_subject_encode(struct hub_buf *out, const struct hub_subject *s);
void hub_subject_read(struct hub_subject *out, struct hub_cbor *c); /* sets c->bad */

/* The exact bytes a vote signs (Sig_structure), 600 bytes at most. */
void hub_vote_message(struct hub_buf *out, const struct hub_validators *set,
                      const struct hub_subject *s, uint8_t signer);
/* Protected header of a vote or, for FINALIZE, of the receipt. */
void hub_vote_protected(struct hub_buf *out, const struct hub_validators *set,
                        const struct hub_subject *s, uint8_t signer);
/* The subject's epoch must be the set's, signer < n. */
HUB_MUST_USE bool hub_vote_ok(const struct hub_vote *v, const struct hub_validators *set);
/* The vote as a stand-alone COSE_Sign1 (formats.cddl `vote`), for evidence. */
void hub_vote_encode(struct hub_buf *out, const struct hub_validators *set,
                     const struct hub_vote *v);

void hub_certificate_encode(struct hub_buf *out, const struct hub_certificate *c, uint8_t n);
void hub_certificate_read(struct hub_certificate *out,
                          struct hub_cbor *c); /* checks padding, counts; sets c->bad */
HUB_MUST_USE bool hub_certificate_decode(struct hub_certificate *out, struct hub_span bytes);
/* Epoch equal, signers within n, at least q, every signature good. */
HUB_MUST_USE bool hub_certificate_ok(const struct hub_certificate *c,
                                     const struct hub_validators *set);
/* The two halves, for a verdict that tells too few signatures from a bad one: epoch equal, bitmap of the
 * set's length and signers within n; then how many signatures are good, and how many are not. */
HUB_MUST_USE bool hub_certificate_form_ok(const struct hub_certificate *c,
                                          const struct hub_validators *set);
unsigned hub_certificate_good(const struct hub_certificate *c, const struct hub_validators *set,
                              unsigned *bad);

/* Epoch bytes <-> set. decode checks shape and keys (HUB_BAD_ENCODING), then q > n/2, distinct signing and
 * transport keys, and that n and q keep what the fault model says (HUB_CONFLICT): single n = 1, all-of-3
 * 3 of 3, crash-1of3 2 of 3, bft any other n with 2q - n - 1 >= 1. */
void hub_validators_encode(struct hub_buf *out, const struct hub_validators *set);
HUB_MUST_USE enum hub_status hub_validators_decode(struct hub_validators *out,
                                                   struct hub_span epoch,
                                                   const struct hub_hash *chain,
                                                   struct hub_span network);
/* q > n/2, and n and q keep what the fault model promises; three validators must say in words which. */
bool hub_quorum_ok(unsigned n, unsigned q, enum hub_fault_model model);
/* floor(2n/3) + 1, never 2f + 1 (arXiv 1901.07160). */
uint8_t hub_quorum_default(uint8_t n);

#endif
