/* own_record.h: records that the node itself posts with its key: nobody types them, no client waits for them. */
#ifndef HUB_OWN_RECORD_H
#define HUB_OWN_RECORD_H

#include "node/node.h"

/* Signs a body of this type (not a cosigned one) with the node's key, number and validity by the finalized state and
 * what waits in the pool, and submits it like a client's. HUB_REFUSED: the key is not registered, or the
 * intake's code is in *why. HUB_LIMIT, HUB_NOT_NOW: try again later. body is borrowed for the call. */
HUB_MUST_USE enum hub_status hub_own_record_submit(struct hub_node *n, uint16_t *why, uint16_t type,
                                                   struct hub_span body);

#endif
