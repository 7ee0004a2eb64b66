/* genesis.h: the file that is the root of trust (formats.cddl section 2). chain id = SHA-256("hubledger/genesis/1"
 * || file bytes). Members, first keys, the first validator set and parameters; its rows are the first
 * rows of the state; log leaf 0 is the file, log leaf 1 the encoded parameters. */
#ifndef HUB_GENESIS_H
#define HUB_GENESIS_H

#include "hub/block.h"
#include "hub/body.h"
#include "hub/cose.h"
#include "hub/recovery.h"
#include "hub/state.h"
#include "hub/vote.h"

/* formats.cddl `member` and `key-grant`, as they stand in genesis and in a member card. */
extern const struct hub_field hub_member_fields[], hub_grant_fields[];
/* Bits of enum hub_role that a checked key-grant (or the body of a key.add) names. */
uint32_t hub_grant_roles(struct hub_span grant);
/* NULL, or the sentence that tells which rule between its fields a checked grant breaks. */
const char *hub_grant_fault(struct hub_span grant);

struct hub_genesis {                                  /* a view into bytes, checked; borrowed */
    struct hub_span bytes, members, keys, parameters; /* encoded items */
    struct hub_span name;
    uint64_t time_ms;
    struct hub_hash chain;
    struct hub_validators set;
    struct hub_accepted
        accepted; /* recoveries that people follow: as much a root of trust; none when decoded */
};

/* Every rule of a genesis file that needs no state. *why (may be NULL) gets a sentence that names the
 * field and the rule, static storage. */
HUB_MUST_USE enum hub_status hub_genesis_decode(struct hub_genesis *out, const char **why,
                                                struct hub_span bytes);
/* Writes the first rows into an empty state: parameters, members, keys, epoch, issuer and reserve wallets. */
HUB_MUST_USE enum hub_status hub_genesis_apply(const struct hub_genesis *g, struct hub_state *s);
/* What a state knows beside its rows: for one whose rows come from a checkpoint. */
void hub_genesis_name(const struct hub_genesis *g, struct hub_state *s);
/* Header 0 and the log's edge after its two leaves; s is the state hub_genesis_apply left. */
void hub_genesis_header(struct hub_header *out, struct hub_hash *hash, struct hub_edge *edge,
                        const struct hub_genesis *g, struct hub_state *s);
/* genesis.signatures: a CBOR array of COSE_Signature (cose.h) over the file bytes with an empty body
 * header, sorted by kid; a governor of each voting member signs. */
HUB_MUST_USE enum hub_status hub_genesis_signatures_ok(const struct hub_genesis *g,
                                                       const char **why,
                                                       struct hub_span signatures);
/* One of them, by whichever member. */
HUB_MUST_USE enum hub_status hub_genesis_signature_ok(const struct hub_genesis *g, const char **why,
                                                      const struct hub_cosignature *s);
/* How many voting members have no governor's signature among these; their codes into code[room]. */
uint32_t hub_genesis_unsigned(const struct hub_genesis *g, struct hub_span signatures,
                              struct hub_span *code, uint32_t room);

#endif
