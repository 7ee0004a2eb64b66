/* snapshot.h: the state of one final block as a file (formats.cddl section 11), so that a new node joins at the cost of
 * the state and not of the history.
 *
 *     head: the manifest    parts: rows of the tables    blocks: from the snapshot's height to the certified one
 *
 *  1. Nothing in it is believed. From genesis, links lead to the epoch; its quorum's certificate to the headers; the
 *     last of these names the state root and the log root. Rows must give the one, the edge of the log the other.
 *  2. It is made from a checkpoint on disk, which was proven in the same way. A block that seals its epoch is certified by the
 *     link to the next.
 *  3. A node begun from it has history from there on only, and says so: hub_read_floor. */
#ifndef HUB_SNAPSHOT_H
#define HUB_SNAPSHOT_H

#include "node/checkpoint.h"

#include <stdio.h>

struct hub_snapshot_facts {
    uint64_t height, log_size, time_ms; /* of the block it is of */
    struct hub_hash block, state_root;
    uint64_t rows, bytes; /* bytes of rows */
};

/* From a data directory, beside its running node too: loads the checkpoint into c (memory m, all zeroed before) and
 * writes the file. HUB_NOT_FOUND: no checkpoint yet; HUB_NOT_NOW: no certificate is near above it, a later one
 * will do; HUB_CORRUPT, HUB_IO. why names what and the remedy. */
HUB_MUST_USE enum hub_status hub_snapshot_write(FILE *out, struct hub_store *from,
                                                struct hub_chain *c, struct hub_chain_memory *m,
                                                const struct hub_genesis *g,
                                                struct hub_snapshot_facts *facts,
                                                char why[HUB_WHY_BYTES]);
/* Verifies the file and, unless `to` is NULL, fills that new store with it; c and m as above. HUB_BAD_ENCODING: not
 * of the expected form, or cut; HUB_CONFLICT: of another network, or `to` is in use; HUB_CORRUPT: something in it is
 * not what the certified header names, why says what. */
HUB_MUST_USE enum hub_status hub_snapshot_read(FILE *in, struct hub_store *to, struct hub_chain *c,
                                               struct hub_chain_memory *m,
                                               const struct hub_genesis *g,
                                               struct hub_snapshot_facts *facts,
                                               char why[HUB_WHY_BYTES]);

/* Only the head: magic, and the manifest with its links, headers and certificate, verified. *id: SHA-256 of the manifest, by
 * which the hash of everything behind it is known. Rewinds the file first, and leaves it anywhere. HUB_NOT_NOW: it ends before
 * the manifest does; else as above. */
HUB_MUST_USE enum hub_status hub_snapshot_head(FILE *in, const struct hub_genesis *g,
                                               struct hub_hash *id, uint64_t *height,
                                               char why[HUB_WHY_BYTES]);

#endif
