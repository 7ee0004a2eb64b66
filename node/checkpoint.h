/* checkpoint.h: everything derived, on disk with the height it belongs to: rows, log nodes, results, record
 * index. Written in one transaction; read once, at start.
 *  1. A checkpoint is of a final block whose tip is in the same transaction or an earlier one: derived state
 *     is never ahead of what is certified.
 *  2. It is trusted no more than any input: rows must give the state root of that height's header, and that
 *     header must be reached from a certificate. A checkpoint that does not is left aside and built again from
 *     the blocks: slow, never wrong (H4).
 *  3. Rows lie in pages of at most 1,920 bytes, because LMDB gives a value above 2,030 bytes pages of its own;
 *     only pages with rows written since the last checkpoint are written again. */
#ifndef HUB_CHECKPOINT_H
#define HUB_CHECKPOINT_H

#include "node/history.h"
#include "node/store.h"

enum { HUB_ROW_PAGE_BYTES = 1920 };

/* Zeroed memory for a chain: address space for the row capacities, touched as used. caps: as hub_state_init,
 * borrowed as long as the memory. HUB_LIMIT: the system refuses it. */
struct hub_chain_memory {
    void *state, *slots;
    size_t state_bytes, slot_bytes;
    const uint32_t *caps;
};
HUB_MUST_USE enum hub_status hub_chain_memory_map(struct hub_chain_memory *out,
                                                  const uint32_t caps[HUB_TABLES]);
/* Zeros the state again. */
void hub_chain_memory_clear(struct hub_chain_memory *m);
void hub_chain_memory_unmap(struct hub_chain_memory *m);

/* What is to be written now. Ask after every turn, and after every final block while many are replayed. */
enum hub_checkpoint_due {
    HUB_DUE_NOTHING,
    HUB_DUE_LOG, /* nodes, ids and results of 8 MiB of blocks wait: hub_checkpoint_write_log */
    HUB_DUE_ALL /* 32 MiB of blocks lie above the last checkpoint, or as many row writes as one transaction may
                  * take, or anything when idle: hub_checkpoint_write */
};
enum hub_checkpoint_due hub_checkpoint_due(const struct hub_chain *c, const struct hub_history *h,
                                           bool idle);
/* Both commit, with whatever was put before. Statuses as hub_env_commit: the process ends on any but HUB_OK. */
HUB_MUST_USE enum hub_status hub_checkpoint_write_log(struct hub_store *s, struct hub_history *h);
/* Moves the state to the final block, whose tip has been put; it may be moved on afterwards. One transaction,
 * unless more rows were written than one may hold (after a replay from genesis): then the old checkpoint goes
 * first, and a crash before the end leaves none. */
HUB_MUST_USE enum hub_status hub_checkpoint_write(struct hub_store *s, struct hub_chain *c,
                                                  struct hub_history *h);

/* ---- what scrub.c found damaged */
/* The page of rows under this key of HUB_MAP_ROW is written again with the next checkpoint. */
void hub_checkpoint_rewrite_page(struct hub_state *s, struct hub_span key);
/* From the next start on there is no checkpoint, until one is written that began at genesis. Puts and commits. */
HUB_MUST_USE enum hub_status hub_checkpoint_give_up(struct hub_store *s);

struct hub_checkpoint_report { /* what a load did, for the log */
    uint64_t height;           /* where chain and history stand; 0 = genesis */
    bool damaged;              /* there was a checkpoint and it could not be used */
    char why[HUB_WHY_BYTES];   /* which part, if damaged */
};
/* Makes c and h stand at the checkpoint, or at genesis if there is none that can be used. The caller appends
 * and finalizes the blocks above. Statuses: HUB_BAD_GENESIS (*why in report), HUB_LIMIT (the rows do not fit
 * m->caps), HUB_IO. */
HUB_MUST_USE enum hub_status hub_checkpoint_load(struct hub_store *s, struct hub_chain *c,
                                                 struct hub_history *h, const struct hub_genesis *g,
                                                 struct hub_chain_memory *m,
                                                 struct hub_checkpoint_report *report);

/* For auditors, who trust no checkpoint: compares it with a state that was computed from the blocks and stands
 * at its height. hub_checkpoint_height: HUB_NOT_FOUND if there is none. */
HUB_MUST_USE enum hub_status hub_checkpoint_height(const struct hub_reader *r, uint64_t *height,
                                                   struct hub_hash *block);
HUB_MUST_USE enum hub_status hub_checkpoint_compare(const struct hub_reader *r, struct hub_chain *c,
                                                    char why[HUB_WHY_BYTES]);

#endif
