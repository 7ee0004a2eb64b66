/* evidence.h: what convicts a validator: its own signatures, and nothing else (formats.cddl section 10).
 *  1. Two votes of one validator in one (epoch, view) that may not both exist (E1 to E4), or one vote and the
 *     header it belies (E5, E7). Conflicts are judged per (epoch, view), never by height.
 *  2. An item carries its votes as stand-alone COSE_Sign1 statements, the epoch that lists the key, and the links
 *     from the genesis epoch to that one: it can be checked with the genesis file alone.
 *  3. One offence has one encoding but for the signatures: votes stand in the order of (kind, block hash), and
 *     encode(decode(x)) == x.
 *  4. NOTARIZE and NULLIFY of one view together are legal, and a FINALIZE followed by votes of later views is: no
 *     honest validator can be convicted, whatever others sign.
 *
 *   E1  two NOTARIZE of different blocks        E4  FINALIZE of one block, NOTARIZE of another
 *   E2  NULLIFY and FINALIZE                    E5  NOTARIZE of a header that no block can have
 *   E3  two FINALIZE of different blocks        E7  FINALIZE whose numbers are not those of its block's header
 * E6 is a challenge, not a proof (docs/protocol.md 9): there is no item for it. */
#ifndef HUB_EVIDENCE_H
#define HUB_EVIDENCE_H

#include "hub/block.h"
#include "hub/genesis.h"
#include "hub/vote.h"

enum hub_offence_kind {
    HUB_OFFENCE_NONE = 0,
    HUB_OFFENCE_NOTARIZED_TWO = 1,
    HUB_OFFENCE_NULLIFIED_FINALIZED = 2,
    HUB_OFFENCE_FINALIZED_TWO = 3,
    HUB_OFFENCE_FINALIZED_OTHER = 4,
    HUB_OFFENCE_IMPOSSIBLE_HEADER = 5,
    HUB_OFFENCE_BELIED_HEADER = 7
};

/* An offence in memory: what is signed, by whom. For E5 and E7 vote[1] is unused and header borrowed. */
struct hub_offence {
    enum hub_offence_kind kind;
    struct hub_vote vote[2];
    struct hub_span header; /* encoded; empty for E1 to E4 */
};

struct hub_evidence { /* a view into bytes; borrowed */
    enum hub_offence_kind kind;
    struct hub_hash chain;
    struct hub_span epoch, links; /* epoch: inside of the bstr; links: the encoded array */
    struct hub_span vote[2];      /* inside of the bstr; vote[1] empty for E5 and E7 */
    struct hub_span header;
};

/* The offence that these two votes are, both good: NONE if they may stand together, are of different views or
 * signers, or are FINALIZEs of one block with different numbers (one of them is E7 then). */
enum hub_offence_kind hub_offence_of(const struct hub_vote *a, const struct hub_vote *b);
/* The offence that this vote for the block with this header is: E5, E7 or NONE. header_bytes encode h. */
enum hub_offence_kind hub_offence_of_header(const struct hub_vote *v, struct hub_span header_bytes,
                                            const struct hub_header *h,
                                            const struct hub_validators *set);
/* True if a block can have this header in this epoch, whatever the state: what every honest voter has checked.
 * *why (may be NULL) names the rule that it breaks, static storage. */
HUB_MUST_USE bool hub_header_possible(const struct hub_header *h, const struct hub_validators *set,
                                      const char **why);

/* The item of a real offence, at most HUB_EVIDENCE_BYTES_MAX and the links long; links: encoded array, empty = []. */
void hub_evidence_encode(struct hub_buf *out, const struct hub_offence *o,
                         const struct hub_validators *set, struct hub_span links);
/* Form only: exactly one deterministic item of the shape of its kind. */
HUB_MUST_USE bool hub_evidence_decode(struct hub_evidence *out, struct hub_span bytes);
/* A decoded item against the set of its epoch, which the caller trusts: chain, epoch bytes, both signatures, and that
 * the votes are what kind says. out->vote[].signer names the guilty. *why names the first thing that is
 * wrong, static storage. links are not looked at. */
HUB_MUST_USE bool hub_evidence_ok(struct hub_offence *out, const char **why,
                                  const struct hub_evidence *e, const struct hub_validators *set);
/* The same with nothing but the genesis file: the links lead to the epoch. set (may be NULL) gets it. */
HUB_MUST_USE bool hub_evidence_verify(struct hub_offence *out, struct hub_validators *set,
                                      const char **why, struct hub_span bytes,
                                      const struct hub_genesis *genesis);

/* One sentence for people: what the validator did. zh or English. */
const char *hub_offence_text(enum hub_offence_kind kind, bool zh);

#endif
