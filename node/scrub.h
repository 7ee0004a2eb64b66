/* scrub.h: the slow reading of what is derived (docs/hazards.md H4): what nobody asks for rots unseen. Blocks, links and
 * the newest certificate are read by mend.c. */
#ifndef HUB_SCRUB_H
#define HUB_SCRUB_H

#include "node/checkpoint.h"

struct hub_scrub {                /* zeroed at first */
    uint8_t key[HUB_ENV_KEY_MAX]; /* the next one read is at or above it */
    size_t key_len;
    uint32_t map;     /* which of the derived maps */
    uint64_t damaged; /* values, since start */
};

/* Reads the next 64 derived values, or to the end of a map. Once a second: a million values take some four hours. Damaged
 * rows are written again at once, with a checkpoint. The record index, results and nodes of the log come of the blocks: they
 * are made again at the next start, which replays all; a node that began with a snapshot has to join again. Each is
 * logged. Statuses as hub_checkpoint_write. */
HUB_MUST_USE enum hub_status hub_scrub(struct hub_scrub *at, struct hub_store *s,
                                       struct hub_chain *c, struct hub_history *h);

#endif
