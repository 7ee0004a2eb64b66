/* ready.h: the node says on the ledger that it runs: validator.ready, when three quarters of ready.max_age_h have passed in block time, and when its software or
 * address changed. Sets of validators are enacted only if a quorum of them said so (docs/governance.md). */
#ifndef HUB_READY_H
#define HUB_READY_H

#include "node/node.h"

/* Posts it when it is due: the key is a registered validator key, the node is not catching up, and, if it is in the
 * present set, it votes. Call each turn. */
void hub_ready_tend(struct hub_node *n, uint64_t now_mono_ms);

#endif
