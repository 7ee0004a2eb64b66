/* membership.h: what this node is in its network, and who may speak to it, as the ledger says (docs/protocol.md 14). */
#ifndef HUB_MEMBERSHIP_H
#define HUB_MEMBERSHIP_H

#include "hub/chain.h"

struct hub_node;

/* These validators vote from now on, at start and after a SEAL; me = set->n: not this node. */
void hub_membership_enter(struct hub_node *n, const struct hub_validators *set, uint8_t me);
/* A block became final: it may have brought a key that may listen. */
void hub_membership_final(struct hub_node *n, const struct hub_applied *applied);
/* After each turn. now_ms: monotonic. */
void hub_membership_tend(struct hub_node *n, uint64_t now_ms);

#endif
