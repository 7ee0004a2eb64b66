/* chain.h: rule 2 of the design: history grows through hub_chain_append (apply and check a block on its parent)
 * and hub_chain_finalize (a certificate makes it final), and nothing else.
 *  1. Blocks above the finalized one form a small tree of at most HUB_UNFINAL_MAX slots.
 *  2. The state stands at slot `at`, or at the finalized block when at = -1; moving undoes to the common
 *     ancestor and redoes from there.
 *  3. An empty block writes no row; when all slots hold ancestors only empty blocks can be added, and they
 *     need none: they are kept as empty[] headers on top of their parent. */
#ifndef HUB_CHAIN_H
#define HUB_CHAIN_H

#include "hub/apply.h"
#include "hub/genesis.h"
#include "hub/vote.h"

struct hub_applied { /* one block above the finalized one; slot reused after finalize or prune */
    struct hub_header header;
    struct hub_hash hash;
    struct hub_edge edge;
    struct hub_undo undo;
    struct hub_buf results;
    int8_t parent; /* slot of the parent, -1 = the finalized block */
    bool used;
};

struct hub_chain { /* large: lives in the owner's memory, never on a stack */
    struct hub_hash id;
    struct hub_validators set; /* the epoch that votes now */
    struct hub_state state;
    struct hub_header final_header;
    struct hub_hash final_hash;
    struct hub_edge final_edge;
    struct hub_applied slot[HUB_UNFINAL_MAX];
    int8_t at;
};

/* Bytes for undo logs and results of all slots. */
size_t hub_chain_memory_bytes(void);
/* From genesis: state memory as in state.h; memory is zeroed, hub_chain_memory_bytes() long. Both owned by the
 * caller as long as the chain. *why as in hub_genesis_decode. */
HUB_MUST_USE enum hub_status hub_chain_init(struct hub_chain *c, const struct hub_genesis *g, void *state_memory,
                                            const uint32_t caps[HUB_TABLES], void *memory);
/* From a checkpoint whose rows were loaded into c->state (undo = NULL) after hub_chain_init's layout: checks the
 * state root and edge against the header, which the caller has from a certified tip. HUB_CORRUPT if they differ. */
HUB_MUST_USE enum hub_status hub_chain_resume(struct hub_chain *c, const struct hub_header *header, const struct hub_hash *hash,
                                              const struct hub_edge *edge, const struct hub_validators *set);

/* Moves the state to block->header.parent, applies, compares every claim of the header. On failure nothing
 * has changed. Every record must be verified. HUB_UNKNOWN_PARENT; HUB_LIMIT: all slots hold ancestors (vote on
 * no non-empty block until something is final); HUB_BAD_BLOCK: *bad_record (UINT32_MAX = the header) and *why
 * (result code, or 0) and *field (name of the header field that differs, or NULL). */
struct hub_fault {
    uint32_t record;
    uint16_t why;
    const char *field;
    struct hub_hash expected, got;
};
HUB_MUST_USE enum hub_status hub_chain_append(struct hub_chain *c, struct hub_block *block, struct hub_fault *fault);
/* Moves the state to an appended block or the final one: what resolving keys and taking records look at.
 * HUB_UNKNOWN_PARENT: not held. */
HUB_MUST_USE enum hub_status hub_chain_move(struct hub_chain *c, const struct hub_hash *to);
/* Leader: compacts block->records to the candidates that apply on the parent and fills every derived field of
 * block->header; the caller has set view, parent_view, time_ms, proposer. Encodes into out and appends it. */
HUB_MUST_USE enum hub_status hub_chain_build(struct hub_chain *c, const struct hub_hash *parent, struct hub_block *block,
                                             struct hub_buf *out);
/* The certificate is a FINALIZE of the current epoch over an appended block; its signatures are checked here.
 * visit gets each newly final block, oldest first, before its slot is freed. */
typedef void hub_chain_visit(void *ctx, const struct hub_applied *final);
HUB_MUST_USE enum hub_status hub_chain_finalize(struct hub_chain *c, const struct hub_certificate *cert, hub_chain_visit *visit,
                                                void *ctx);
/* Header of an appended or the final block; NULL if not held. */
const struct hub_header *hub_chain_header(const struct hub_chain *c, const struct hub_hash *hash);
/* Undo logs from the finalized block up to where the state stands, oldest first, for hub_state_row_before. */
size_t hub_chain_logs(const struct hub_chain *c, const struct hub_undo *logs[HUB_UNFINAL_MAX]);

#endif
