/* ledger/member.h: the records key.add, key.revoke and key.cancel, and the key grants they share with genesis.
 *  1. A member's keys are its own affair: only its governors add and revoke them; a recovery key may add a
 *     governor, after seven days.
 *  2. A governor key added or revoked acts, or stops to act, after key.governor_delay_h of block time, so that
 *     any other governor of the member can cancel it. All other changes count from the next block.
 *  3. A member keeps two acting governor keys, or as many as its governors_needed says, if that is more. */
#ifndef HUB_LEDGER_MEMBER_H
#define HUB_LEDGER_MEMBER_H

#include "hub/apply.h"
#include "hub/genesis.h"

extern const struct hub_field hub_key_add_fields[], hub_key_revoke_fields[],
    hub_key_cancel_fields[];
extern const char *const hub_revoke_reasons[]; /* ends with NULL */

/* A code once used, by whomever, is never used again: those members were admitted with, and those a succession gave. */
bool hub_member_code_used(const struct hub_state *s, struct hub_span code);
/* Writes the row under this code, which is its own or was never used. */
void hub_member_rename(struct hub_state *s, struct hub_member *m, struct hub_span code);
/* Fills a member from a checked map `member` of a genesis file or an admission; spans borrow from the map. */
void hub_member_from_map(struct hub_member *out, struct hub_span map);
/* Fills a key from a checked grant (body of key.add, entry of a genesis file): all but row and
 * what governance adds (pending_until_ms). Spans borrow from the grant. */
void hub_key_from_grant(struct hub_key *out, struct hub_span grant, uint32_t member);
/* Adds the key's row and, if it is a governor, its place in the member's row. False: the member has all the
 * governors it may have. */
bool hub_key_register(struct hub_state *s, struct hub_key *k, uint64_t time_ms);

uint16_t hub_key_add_check(const struct hub_record *r);
uint16_t hub_key_add_apply(struct hub_apply *a);
uint16_t hub_key_revoke_check(const struct hub_record *r);
uint16_t hub_key_revoke_apply(struct hub_apply *a);
uint16_t hub_key_cancel_apply(struct hub_apply *a);

#endif
