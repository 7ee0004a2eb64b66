/* store.h: the journal of a node: blocks, own votes, certificates, tip. What cannot be derived, synced before
 * anything of it is sent (docs/protocol.md 10). Derived data lies beside it: checkpoint.h.
 *  1. One store object a process, one process a directory, one genesis a directory.
 *  2. A vote is refused when an own vote of the same view forbids it; own votes form a hash chain in the order
 *     they were cast, checked whole at every open.
 *  3. The tip never moves back. A height up to the tip is bound to one block, its ancestor, for ever.
 *  4. The first put or commit that fails ends the process (exit 70): nothing is retried, nothing sent.
 *  5. Blocks are self-certifying (key = hash of the header); everything else is sealed by store_env.h.
 *
 * Not here: execution, signatures, consensus. Used by the main thread only, but for hub_store_begin. */
#ifndef HUB_STORE_H
#define HUB_STORE_H

#include "hub/genesis.h"
#include "node/disk.h"
#include "node/ports.h"
#include "node/store_env.h"

enum {
    HUB_STORE_FORMAT = 1, /* a store with a higher number was written by a newer program: refused */
    HUB_STORE_VOTES_KEPT =
        4096 /* views below the final one whose own votes stay: no vote is cast that far back */
};

struct hub_store; /* owned; released by hub_store_close */

/* Opens the store in dir, or makes it. map_bytes: HUB_STORE_MAP_BYTES. On failure why holds a sentence that
 * names directory, rule and remedy. HUB_NOT_NOW: another process holds the directory. HUB_CONFLICT: it belongs
 * to another genesis. HUB_BAD_ENCODING: a newer format. HUB_CORRUPT: the database does not open, or the own
 * votes are not the ones that were written; a store that does not open is never made anew (H2). HUB_IO. */
HUB_MUST_USE enum hub_status hub_store_open(struct hub_store **out, char why[HUB_WHY_BYTES],
                                            const char *dir, const struct hub_genesis *g,
                                            uint64_t map_bytes);
/* For auditors: reads only, beside a running node (alone = false) or a stopped one. genesis gets the bytes of
 * the directory's genesis file, valid until close; the caller compares. Own votes are not looked at. */
HUB_MUST_USE enum hub_status hub_store_open_read(struct hub_store **out, char why[HUB_WHY_BYTES],
                                                 const char *dir, bool alone,
                                                 struct hub_span *genesis);
/* Drops what was not committed. NULL is allowed. */
void hub_store_close(struct hub_store *s);
/* The sentence for the last failure of a call on this store. */
const char *hub_store_why(const struct hub_store *s);

/* Fills the store part of p. */
void hub_store_ports(struct hub_store *s, struct hub_ports *p);

/* The owner's view, which sees uncommitted puts; and a snapshot for one request of another thread (H8), ended
 * with hub_env_end. HUB_NOT_NOW: too many snapshots are open. */
struct hub_reader hub_store_reader(struct hub_store *s);
struct hub_env_commits hub_store_commits(const struct hub_store *s);
HUB_MUST_USE enum hub_status hub_store_begin(struct hub_store *s, struct hub_reader *out);
struct hub_env *hub_store_env(struct hub_store *s);

/* Reads on any reader; spans as in store_env.h. Final blocks only. HUB_NOT_FOUND above the tip and at height 0. */
HUB_MUST_USE enum hub_status hub_read_tip(const struct hub_reader *r, struct hub_point *fin,
                                          struct hub_edge *edge);
HUB_MUST_USE enum hub_status hub_read_block(const struct hub_reader *r, uint64_t height,
                                            struct hub_span *bytes);
/* As stored, whatever the disk says: for the auditor, who finds out what is wrong with it. */
HUB_MUST_USE enum hub_status hub_read_block_raw(const struct hub_reader *r, uint64_t height,
                                                struct hub_span *bytes);
/* Self-certified by its hash; does not read the records. */
HUB_MUST_USE enum hub_status hub_read_header(const struct hub_reader *r, uint64_t height,
                                             struct hub_header *out, struct hub_hash *hash);
HUB_MUST_USE enum hub_status hub_read_certificate(const struct hub_reader *r, uint64_t epoch,
                                                  uint64_t view, uint8_t kind,
                                                  struct hub_certificate *out);
/* As stored, whatever the disk says. */
HUB_MUST_USE enum hub_status hub_read_certificate_raw(const struct hub_reader *r, uint64_t epoch,
                                                      uint64_t view, uint8_t kind,
                                                      struct hub_span *bytes);
/* The encoded link that leads to this epoch, 1 and above. */
HUB_MUST_USE enum hub_status hub_read_link(const struct hub_reader *r, uint64_t epoch,
                                           struct hub_span *bytes);
/* The encoded array of the links that lead to this epoch from the first, for receipts and evidence. HUB_LIMIT: more
 * than HUB_BUNDLE_LINKS_MAX, or no room. */
HUB_MUST_USE enum hub_status hub_read_links(const struct hub_reader *r, uint64_t epoch,
                                            struct hub_buf *out);
/* The set of this epoch: from the genesis set over the stored links, each checked. HUB_CORRUPT: one is missing or
 * does not hold. */
HUB_MUST_USE enum hub_status hub_read_set(const struct hub_reader *r,
                                          const struct hub_genesis *genesis, uint64_t epoch,
                                          struct hub_validators *out);
/* The FINALIZE certificate of the block with this header. HUB_NOT_FOUND: it has none of its own, or none that is whole:
 * that of a later block proves as much. */
HUB_MUST_USE enum hub_status hub_read_final_certificate(const struct hub_reader *r,
                                                        const struct hub_header *h,
                                                        const struct hub_hash *hash,
                                                        struct hub_certificate *out);

/* A backup: final blocks, certificates and links of `from` (of any opening) into `to`, which is new, with a mark by
 * which a node started from it does not vote. Each value is checked on the way. *height: of the last block.
 * HUB_CONFLICT: `to` is not empty; HUB_CORRUPT: a block is damaged; HUB_NOT_FOUND: nothing is final. */
HUB_MUST_USE enum hub_status hub_store_copy(struct hub_store *to, struct hub_store *from,
                                            uint64_t *height, char why[HUB_WHY_BYTES]);

/* A directory that was begun by a snapshot has no block below `height` and no proofs of leaves below `log_size`;
 * both 0: it has everything. */
struct hub_floor {
    uint64_t height, log_size;
};
HUB_MUST_USE enum hub_status hub_read_floor(const struct hub_reader *r, struct hub_floor *out);
/* For a new store: h is the header of the snapshot's block; blocks from it up to tip have been put. */
HUB_MUST_USE enum hub_status hub_store_begin_at(struct hub_store *s, const struct hub_header *h,
                                                const struct hub_point *tip,
                                                const struct hub_edge *edge);

/* Free space (H6), by name of what the node still does. At HUB_DISK_STOP the reserve is given back, so that
 * what is under way can be committed before the node stops. */
HUB_MUST_USE enum hub_status hub_store_disk(struct hub_store *s, enum hub_disk_level *out);
/* Once a minute: frees the slots of readers that died, renews the reserve. *dead may be NULL. */
HUB_MUST_USE enum hub_status hub_store_tend(struct hub_store *s, int *dead);

#endif
