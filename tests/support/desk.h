/* desk.h: a ledger's state with five members, and officials who sign agreement records into it one by one:
 * what the tests of the agreement rules stand on. Seeds are fixed; time is what the test says. */
#ifndef TEST_DESK_H
#define TEST_DESK_H

#include "hub/agreement_draft.h"
#include "hub/apply.h"
#include "ledger/agreement.h"

enum desk_member { /* rows of the member table; OUTSIDER is in no draft */
                   XIANGCHENG,
                   CHANGNING,
                   JIADING,
                   HUB_OFFICE,
                   OUTSIDER,
                   DESK_MEMBERS
};
enum { DESK_DAY_MS = 86400000 };
#define DESK_START_MS UINT64_C(1795341600000) /* 2026-11-22 10:00 UTC */

struct desk_key {
    struct hub_public_key key;
    struct hub_hash kid;
    uint8_t secret[HUB_SECRET_BYTES];
};
struct desk {
    struct hub_state state;
    struct hub_hash chain;
    uint64_t time_ms, height, seq;
    struct desk_key seal[DESK_MEMBERS], approver[DESK_MEMBERS], operator_[DESK_MEMBERS];
    const struct desk_key *cosigner; /* of the next record, or NULL */
    struct hub_hash last_id;
    bool skip_review, bad_signature;  /* of the next consents */
    const struct desk_key *sign_with; /* key of the consent instead of the record's, or NULL */
    const struct hub_hash *claim_kid; /* kid the consent names instead of that key's, or NULL */
};

/* The one desk, static, as on the first day: an earlier one is forgotten. */
struct desk *desk_open(void);
const char *desk_code(enum desk_member m);
void desk_suspend(struct desk *d, enum desk_member m, bool suspended);
void desk_seal_needs(struct desk *d, enum desk_member m, uint64_t needs);

/* A draft by Xiangcheng: lead and first three must sign, the hub office may as a witness; two documents,
 * sign by ten days from now, effective on the last signature, expires a thousand days from now. */
struct hub_draft desk_draft(const struct desk *d, uint8_t nonce);
/* Builds, decodes, verifies and applies one record; 0 or its code. */
uint16_t desk_submit(struct desk *d, uint16_t type, struct hub_span core,
                     const struct desk_key *signer);

uint16_t desk_propose(struct desk *d, const struct hub_draft *draft, uint8_t nonce,
                      enum desk_member by, bool sign);
uint16_t desk_amend(struct desk *d, const struct hub_draft *draft, enum desk_member by, bool sign);
/* revision and hash of the draft on the ledger unless given otherwise; remark NULL = none. */
uint16_t desk_decide(struct desk *d, const struct hub_hash *agreement, enum desk_member by,
                     enum hub_decision decision, const char *remark);
uint16_t desk_decide_on(struct desk *d, const struct hub_hash *agreement, uint32_t revision,
                        const struct hub_hash *hash, enum desk_member by,
                        enum hub_decision decision, const char *remark);
/* The draft's successor: revision + 1, hash of the body on the ledger, sign by ten days from now. */
struct hub_draft desk_next(const struct desk *d, const struct hub_draft *draft);

struct hub_agreement desk_agreement(const struct desk *d, const struct hub_hash *agreement);
enum hub_agreement_state desk_standing(const struct desk *d, const struct hub_hash *agreement);
/* Writes a stored state that no record of this version brings about (recalled, suspended, terminated). */
void desk_force(struct desk *d, const struct hub_hash *agreement, enum hub_agreement_state state);

#endif
