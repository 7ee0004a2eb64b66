/* ledger/governance.h: the records of governance, and what an enacted proposal does. */
#ifndef HUB_LEDGER_GOVERNANCE_H
#define HUB_LEDGER_GOVERNANCE_H

#include "hub/apply.h"
#include "hub/governance.h"
#include "hub/vote.h"

extern const struct hub_field hub_governance_propose_fields[], hub_governance_vote_fields[];
extern const struct hub_field hub_action_fields[];

enum hub_action_kind {
    HUB_ACTION_ADMIT,
    HUB_ACTION_SUSPEND,
    HUB_ACTION_RESTORE,
    HUB_ACTION_REMOVE,
    HUB_ACTION_SUCCEED,
    HUB_ACTION_VALIDATORS,
    HUB_ACTION_PARAMETER,
    HUB_ACTION_GOVERNOR,
    HUB_ACTION_VERSION,
    HUB_ACTIONS
};
/* The first field of each kind, whose value names the thing. */
extern const char *const hub_action_names[]; /* ends with NULL */
/* Which of the shapes of docs/formats.cddl this map has, or -1. */
int hub_action_kind(struct hub_span action);

/* No kid stands twice in the array of this name. */
bool hub_kids_differ(struct hub_span map, const char *name);
/* The set that {validators, quorum, fault_model} of a checked map names: acting validator keys of members that were
 * not removed, else validator_unknown. Its number and hash are not set. */
uint16_t hub_validators_named(struct hub_validators *out, const struct hub_apply *a,
                              struct hub_span map);
/* Does all actions in their order; the caller undoes what was written when the answer is not 0. */
uint16_t hub_actions_enact(struct hub_apply *a, struct hub_span actions);
/* Whether a code of hub_actions_enact speaks of the state of today and may have gone by the time of the deciding
 * vote: a guard of docs/governance.md. */
bool hub_guard_code(uint16_t code);

void hub_proposal_put(struct hub_state *s, const struct hub_proposal *p);
/* False: the table is full. */
bool hub_proposal_add(struct hub_state *s, const struct hub_proposal *p);

/* From which height a version is in force: row ["protocol.<version>", height] of the parameters; 0: none set it. */
uint64_t hub_version_height(const struct hub_state *s, uint64_t version);

uint16_t hub_governance_propose_check(const struct hub_record *r);
uint16_t hub_governance_propose_apply(struct hub_apply *a);
uint16_t hub_governance_approve_apply(struct hub_apply *a);
uint16_t hub_governance_reject_apply(struct hub_apply *a);
uint16_t hub_governance_withdraw_apply(struct hub_apply *a);

#endif
