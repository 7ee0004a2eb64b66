/* anchor.h: a point of the chain that was kept outside of this machine (docs/hazards.md H12, `--anchor`): a receipt
 * bundle, or one line of text `HEIGHT HASH`, the block hash in 64 hex digits, as `hubledger status` shows them. A
 * chain that does not contain it is not the one the member has seen. */
#ifndef HUB_ANCHOR_H
#define HUB_ANCHOR_H

#include "hub/genesis.h"
#include "node/ports.h"

/* A receipt is verified with the genesis; a line is taken at its word. why[HUB_ANCHOR_WHY_BYTES]: the sentence. */
enum { HUB_ANCHOR_WHY_BYTES = 512 };
HUB_MUST_USE bool hub_anchor_read(struct hub_point *out, char *why, const char *path,
                                  const struct hub_genesis *g);

#endif
