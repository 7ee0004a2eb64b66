/* ledger/epoch.h: the table of epochs: one row a validator set, the newest votes next.
 *
 *   row [epoch number, epoch bytes, height of the sealing block]      height 0: the epoch of genesis
 *
 *  1. A block is SEAL iff executing it appended a row. At most one row a block, and none within
 *     HUB_SEAL_GAP heights of the last sealing block (docs/governance.md).
 *  2. Whether the nodes of a set can be reached is a record, validator.ready, never a fact of the
 *     network: honest nodes would compute different results. */
#ifndef HUB_LEDGER_EPOCH_H
#define HUB_LEDGER_EPOCH_H

#include "hub/apply.h"
#include "hub/vote.h"

struct hub_epoch_row { /* borrowed from the table until its next write */
    uint64_t number, height;
    struct hub_span bytes;
};
void hub_epoch_get(struct hub_epoch_row *out, const struct hub_state *s, uint32_t row);

/* The newest set; chain and network name are empty, as only keys and numbers are asked for. */
void hub_epoch_newest(struct hub_validators *out, const struct hub_state *s);
/* Place of a key in the set, or -1. */
int hub_epoch_index(const struct hub_validators *set, const struct hub_hash *kid);
/* 0, or why this set may not follow now: quorum_unsafe, ready_missing, height_too_soon. next->n > 0. */
uint16_t hub_epoch_guard(const struct hub_apply *a, const struct hub_validators *next);
/* Appends the row of a set that passed the guard; its number is the newest one's plus one. */
void hub_epoch_append(struct hub_apply *a, struct hub_validators *next);
/* The row that genesis makes; HUB_LIMIT if the table is full. */
HUB_MUST_USE enum hub_status hub_epoch_genesis(struct hub_state *s,
                                               const struct hub_validators *set);

/* ---- validator.ready: row [kid, member row, software, protocol, endpoint, time, height, index] */
struct hub_ready { /* borrowed like a row */
    struct hub_hash kid;
    uint32_t member, index;
    uint64_t protocol, time_ms, height;
    struct hub_span software, endpoint;
};
bool hub_ready_find(struct hub_ready *out, const struct hub_state *s, const struct hub_hash *kid);
void hub_ready_get(struct hub_ready *out, const struct hub_state *s, uint32_t row);
/* Validators of the set whose last validator.ready is younger than ready.max_age_h at this time and says
 * that the node speaks this protocol version or a later one. */
uint32_t hub_ready_count(const struct hub_state *s, const struct hub_validators *set,
                         uint64_t time_ms, uint64_t protocol);

extern const struct hub_field hub_validator_ready_fields[], hub_validator_replace_fields[];
uint16_t hub_validator_ready_check(const struct hub_record *r);
uint16_t hub_validator_ready_apply(struct hub_apply *a);
uint16_t hub_validator_replace_check(const struct hub_record *r);
uint16_t hub_validator_replace_apply(struct hub_apply *a);

#endif
