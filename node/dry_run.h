/* dry_run.h: what would become of a record if it were the only one in the next block: the same hub_state_apply as
 * always, on the finalized state, undone at once. */
#ifndef HUB_DRY_RUN_H
#define HUB_DRY_RUN_H

#include "hub/chain.h"

struct hub_dry_run; /* memory for one record's writes; owned, released by hub_dry_run_close */
HUB_MUST_USE enum hub_status hub_dry_run_open(struct hub_dry_run **out);
void hub_dry_run_close(struct hub_dry_run *d);
/* 0 or the code the record would get now. The signature must have been checked. Moves the chain's state to the
 * finalized block. */
uint16_t hub_dry_run(struct hub_dry_run *d, struct hub_chain *c, struct hub_span record,
                     struct hub_span attachment, uint64_t now_wall_ms);

#endif
