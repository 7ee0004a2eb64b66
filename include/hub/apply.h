/* apply.h: one record, one block, onto a state. Rule 1 of the design: valid means that applying a block to its
 * parent's state gives what its header claims, and this is the only code that says so. Leader, voter,
 * catch-up, restart, simulator and auditor call it.
 *
 * Three fates: refused (in no block; a block that holds one is invalid), failed (recorded with a code, no
 * effect, number spent), applied. */
#ifndef HUB_APPLY_H
#define HUB_APPLY_H

#include "hub/block.h"
#include "hub/member.h"
#include "hub/state.h"

struct hub_apply { /* everything a rule may read; borrowed for one record */
    struct hub_state *state;
    const struct hub_record *record;
    const struct hub_key *
        signer; /* as of the PARENT block but for its window: keys added here act from the next block */
    const struct hub_header *header; /* of the block; only what stands before execution */
    uint64_t height, time_ms, parent_time_ms;
    uint32_t index; /* of the record in its block */
    struct hub_hash chain;
    struct hub_buf *value; /* the result's value: one encoded item; nothing = null */
    uint32_t keys_before;  /* keys with row >= this were added by this block and do not act yet */
};

enum hub_sub_rule {                         /* what the record's sub must be (docs/formats.cddl) */
                    HUB_SUB_ISS,            /* the member code in iss */
                    HUB_SUB_MEMBER,         /* body.member */
                    HUB_SUB_GOVERNANCE,     /* the word "governance" */
                    HUB_SUB_PROPOSAL,       /* lower-case hex of body.proposal */
                    HUB_SUB_AGREEMENT,      /* lower-case hex of body.agreement */
                    HUB_SUB_BODY_AGREEMENT, /* lower-case hex of body.body.agreement */
                    HUB_SUB_DEBIT,          /* decimal body.debit */
                    HUB_SUB_WALLET,         /* decimal body.wallet */
                    HUB_SUB_INSTITUTION,    /* decimal body.institution */
                    HUB_SUB_EVIDENCE,       /* "evidence" */
                    HUB_SUB_RECOVERY        /* "recovery" */
};
enum hub_family { HUB_FAMILY_GOVERNANCE, HUB_FAMILY_AGREEMENT, HUB_FAMILY_MONEY };

struct hub_record_type { /* the table that makes a record type one row and one function */
    const char *name;    /* "currency.transfer": media type application/vnd.hubledger.<name>+cbor */
    enum hub_family family;
    const struct hub_field *fields;
    bool cosigned;   /* payload is {core, ? cosign} */
    bool attachment; /* batch entries travel beside it */
    uint32_t roles;  /* the signer needs one of these, else role_missing */
    enum hub_sub_rule sub;
    uint16_t (*check)(const struct hub_record *
                          r); /* static rules beyond the fields: 0 or a refused code; NULL = none */
    uint16_t (*apply)(
        struct hub_apply *a); /* state rules, all checked before the first write: 0 or a code */
};
enum hub_record_type_id {
#define HUB_RECORD_TYPE(id, ...) HUB_TYPE_##id,
#include "hub/record_types.def"
#undef HUB_RECORD_TYPE
    HUB_RECORD_TYPES
};
extern const struct hub_record_type hub_record_types[HUB_RECORD_TYPES];

/* sub by the type's rule, NUL-terminated; false if the body lacks the field. */
bool hub_record_sub(char out[65], uint16_t type, struct hub_span body, struct hub_span iss);
/* Keys of signer and co-signers: from the state, else from the body (new keys). 0, or key_unknown, cosign_invalid. */
uint16_t hub_record_resolve(struct hub_record_keys *out, const struct hub_state *s,
                            const struct hub_record *r);
/* True if some co-signer with these roles of this member (row) signed; n of them when need > 1. Keys of this block do not count. */
bool hub_apply_cosigned(const struct hub_apply *a, uint32_t member, uint32_t roles, uint64_t need);
/* True if this key signed beside the signer: proof of possession of a key that the body brings. */
bool hub_apply_cosigned_by(const struct hub_apply *a, const struct hub_hash *kid);
/* Rules that decide Refused before any effect: key standing, iss, sequence, validity time, with the parent's
 * state. 0 or the code. Also the admission check of a node (height and time of a block to come). */
uint16_t hub_apply_admit(const struct hub_state *s, const struct hub_record *r,
                         uint64_t parent_time_ms, uint64_t time_ms);

enum hub_fate {
    HUB_FATE_APPLIED,
    HUB_FATE_FAILED,
    HUB_FATE_REFUSED,
    HUB_FATE_NO_ROOM /* leader: leave it for the next block */
};

struct hub_outcome { /* what applying a block gave; results storage is the caller's */
    struct hub_edge edge;
    struct hub_hash records_root, results_root, state_root;
    struct hub_buf results; /* the result items one behind the other: a CBOR sequence */
    uint32_t kept;
};
/* strict: a refused record fails the block (voter, auditor): HUB_BAD_BLOCK with *bad_record and *why; so does
 * one that exceeds a bound of the block, with too_large for the bytes of the entries (parameter
 * consensus.block_bytes) and 0 for the row writes (HUB_BLOCK_UNDO_BYTES_MAX).
 * Not strict: it is left out and records[] is compacted to the kept ones (leader). Everything else is one
 * code path. log must be empty; on failure the state is as before. header gives height and time.
 * A record fails with member_suspended if its signer's member is suspended, unless it is about keys or a code
 * before that one applies. */
HUB_MUST_USE enum hub_status hub_state_apply(struct hub_state *s, struct hub_undo *log,
                                             const struct hub_header *parent,
                                             const struct hub_edge *parent_edge,
                                             struct hub_block *block, bool strict,
                                             struct hub_outcome *out, uint32_t *bad_record,
                                             uint16_t *why);

#endif
