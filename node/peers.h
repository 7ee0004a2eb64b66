/* peers.h: which keys may speak to this node, under which number, and where they are: the validators of the
 * epoch (0..63 by index), then every other key on the ledger that may listen (validators to come or gone,
 * observers) and peers of the configuration that carry their key (64..127). */
#ifndef HUB_PEERS_H
#define HUB_PEERS_H

#include "hub/chain.h"
#include "node/config.h"
#include "node/transport.h"

/* The state of c stands at the final block. own: this node's transport key, left out. known[i] of the
 * configuration's peers: it has a place. An address comes from the configuration, by member code, key id or
 * transport key; else from the validator's last `validator.ready` record. */
void hub_peers_fill(struct hub_transport_peer out[HUB_PEERS_MAX], bool known[HUB_VALIDATORS_MAX],
                    const struct hub_chain *c, const struct hub_config *cfg,
                    const uint8_t own[HUB_TRANSPORT_KEY_BYTES]);

#endif
