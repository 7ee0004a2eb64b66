/* history.h: what finality adds to what can be derived, since the last checkpoint, in memory: the log's nodes,
 * the results and the record ids; and the questions that are answered from it and from the checkpoint alike.
 *  1. Fed each final block with records, in order (empty ones add nothing). What is held begins where the
 *     checkpoint ends; together they cover the log from leaf 0.
 *  2. A question takes a reader and the history, or NULL for the history: then it is answered up to the
 *     checkpoint (the HTTP thread), and HUB_NOT_FOUND may mean that the main thread knows more.
 *  3. Bounded by HUB_HISTORY_*: the owner writes a checkpoint as soon as hub_checkpoint_due says so.
 *
 * Owner's thread only, but for questions without a history. */
#ifndef HUB_HISTORY_H
#define HUB_HISTORY_H

#include "hub/chain.h"
#include "node/store_env.h"

struct hub_history; /* owned; released by hub_history_free */

/* NULL: no memory. Empty: hub_history_genesis or hub_checkpoint_load comes next. */
struct hub_history *hub_history_new(void);
void hub_history_free(struct hub_history *h);
/* Starts at the log of the genesis block: leaf 0 the file, leaf 1 the parameters. */
void hub_history_genesis(struct hub_history *h, const struct hub_genesis *g);
/* Begins behind a log of which only the edge is known: what lies before it can never be asked for. */
void hub_history_begin(struct hub_history *h, const struct hub_edge *edge);
/* One final block with records; block: its bytes. The log must continue. */
void hub_history_add(struct hub_history *h, const struct hub_applied *final, struct hub_span block);

struct hub_history_size {
    uint64_t blocks, block_bytes, row_writes; /* above the checkpoint; only blocks with records */
    uint64_t held_records, held_blocks, held_bytes; /* of these, what is still only in memory */
};
struct hub_history_size hub_history_size(const struct hub_history *h);
/* The log as far as it is known here. */
const struct hub_edge *hub_history_edge(const struct hub_history *h);

/* ---- questions. HUB_CORRUPT: what is stored is damaged. */
struct hub_place { /* of a record */
    uint64_t log_index, height;
    uint32_t position; /* in its block */
};
/* The record's first place in the log. HUB_NOT_FOUND. */
HUB_MUST_USE enum hub_status hub_find_record(const struct hub_reader *r,
                                             const struct hub_history *h, const struct hub_hash *id,
                                             struct hub_place *out);
/* HUB_NOT_FOUND at the leaves of genesis and behind the last. */
HUB_MUST_USE enum hub_status hub_find_leaf(const struct hub_reader *r, const struct hub_history *h,
                                           uint64_t log_index, struct hub_place *out);
/* Result items of the final block at this height, one behind the other; empty for a block without records or
 * unknown here. Borrowed: until the next call on reader or history. */
HUB_MUST_USE enum hub_status hub_find_results(const struct hub_reader *r,
                                              const struct hub_history *h, uint64_t height,
                                              struct hub_span *out);
/* The item at `position` of a sequence of results. HUB_NOT_FOUND: it has fewer. */
HUB_MUST_USE enum hub_status hub_result_at(struct hub_span *item, struct hub_span results,
                                           uint32_t position);
/* The parts of the entry at `position` of a block. */
HUB_MUST_USE enum hub_status hub_block_entry(struct hub_span *record, struct hub_span *attachment,
                                             struct hub_span block, uint32_t position);
/* Paths in the log; as hub_merkle_inclusion and hub_merkle_consistency. size at most what is known. */
HUB_MUST_USE enum hub_status hub_log_inclusion(const struct hub_reader *r,
                                               const struct hub_history *h,
                                               struct hub_hash path[64], unsigned *len,
                                               uint64_t index, uint64_t size);
HUB_MUST_USE enum hub_status hub_log_consistency(const struct hub_reader *r,
                                                 const struct hub_history *h,
                                                 struct hub_hash path[64], unsigned *len,
                                                 uint64_t size1, uint64_t size2);

/* ---- between history and checkpoint */
/* Nodes of the log's tree lie on pages of 32 of one level, so that one value of LMDB holds 1 KiB, not 32 bytes. */
enum { HUB_NODE_PAGE = 32, HUB_NODE_KEY_BYTES = 9, HUB_RECORD_KEY_BYTES = 12 };
void hub_node_key(uint8_t key[HUB_NODE_KEY_BYTES], unsigned level, uint64_t page);
void hub_record_key(uint8_t key[HUB_RECORD_KEY_BYTES], uint64_t log_index,
                    const struct hub_hash *id);
/* Puts everything held under its keys. What is final never changes, so it may be saved ahead of the checkpoint and
 * again after a restart. */
HUB_MUST_USE enum hub_status hub_history_save(const struct hub_history *h, struct hub_env *env);
/* Once that is committed: holds nothing but the last page of each level, which will be written again.
 * checkpoint: the rows were saved too. */
void hub_history_saved(struct hub_history *h, bool checkpoint);
/* It began at genesis and no checkpoint has been written since: the next one replaces all that is stored. */
bool hub_history_whole(const struct hub_history *h);
/* Begins behind the checkpoint with this log. HUB_CORRUPT: its last nodes cannot be read. */
HUB_MUST_USE enum hub_status hub_history_resume(struct hub_history *h, const struct hub_reader *r,
                                                const struct hub_edge *edge);

#endif
