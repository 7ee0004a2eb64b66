/* recovery.h: the recovery epoch (docs/protocol.md 16): what remains of validators and members goes on with a new set
 * when the quorum is lost for good. Its record, epoch.recover, stands alone in a block of its own, the recovery block,
 * which everybody computes from the record and its base, and which is final by the record: no vote makes it so.
 *  1. Two benches sign: of the epoch that ends n - q + 1 validators, who vote no more in it, and as many voting
 *     members as a change of the set needs. Without state only the first can be checked (hub_recovery_signed).
 *  2. The base is the block of the highest view in which one of these validators cast FINALIZE, or the one that began the
 *     epoch. So nothing that was told final is lost.
 *  3. It overrides a quorum, so nobody follows it silently: who walks over links says which ones people accepted. */
#ifndef HUB_RECOVERY_H
#define HUB_RECOVERY_H

#include "hub/block.h"
#include "hub/vote.h"

struct hub_recovery { /* the body of an epoch.recover; borrowed */
    struct hub_hash base;
    uint64_t epoch, time_ms; /* the epoch that ends; of the recovery block */
    struct hub_span signers; /* encoded: [{kid, view}] */
};
/* of: a record of this type. */
void hub_recovery_read(struct hub_recovery *out, const struct hub_record *of);
/* The highest view in which one of the signers cast FINALIZE, by their own word; 0: none did. */
uint64_t hub_recovery_view(const struct hub_recovery *r);
/* The i-th of the signers; false behind the last. */
bool hub_recovery_signer(const struct hub_recovery *r, uint32_t i, struct hub_hash *kid,
                         uint64_t *view);
/* This key is among the signers, so it is a validator's. */
bool hub_recovery_names(const struct hub_record *of, const struct hub_hash *kid);
/* Whether the validators' bench of this set, whose epoch ends, signed the record: those of the set that it names as
 * signers and whose signatures are good are at least n - q + 1. *who (may be NULL): bit i = validator i. */
bool hub_recovery_signed(const struct hub_record *of, const struct hub_validators *set,
                         uint64_t *who);
/* The next set as the record names it: kids, quorum and fault model; keys from `next` are compared with these. */
bool hub_recovery_leads_to(const struct hub_record *of, const struct hub_validators *next);

/* Records that people have decided to follow, by their ids. */
struct hub_accepted {
    const struct hub_hash *id;
    uint32_t n;
    bool all; /* what the own store holds was accepted before it was put there */
};
extern const struct hub_accepted hub_accept_none, hub_accept_all;
bool hub_is_accepted(const struct hub_accepted *a, const struct hub_hash *id);

#endif
