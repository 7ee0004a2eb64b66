/* chain.h: rule 2 of the design: history grows through hub_chain_append (apply and check a block on its parent)
 * and hub_chain_finalize (a certificate makes it final), at the end of an epoch through hub_chain_cross (a link) and
 * hub_chain_recover (a record of those who are left), and nothing else.
 *  1. A block with records above the finalized one lies in a slot with its undo log. Slots form a tree:
 *     parent is the nearest ancestor with records. At most HUB_UNFINAL_MAX are used; one more is always free,
 *     and a block is tried there, so that a block that fails costs no other its place.
 *  2. The state stands at slot `at`, or at the finalized block when at = -1; moving undoes to the common
 *     ancestor and redoes from there.
 *  3. An empty block writes no row and has the state and the log of its nearest ancestor with records, its
 *     base. Of empty blocks only headers are held, of the HUB_EMPTY_MAX newest: as many as the protocol
 *     asks for may lie above the slots, however long an outage lasts.
 *  4. Held are: the finalized block; every ancestor with records of every held block; the newest empty
 *     blocks. A block may therefore stand on empty blocks that were forgotten: it can be extended and
 *     finalized like any other.
 *  5. A SEAL block is one whose execution appended a row to the table of epochs. On it only TAIL blocks can stand,
 *     which hold nothing and are no part of the history, until a FINALIZE covers it; then it is the final
 *     block and the next epoch's set votes.
 *  6. What is not held is answered HUB_UNKNOWN_PARENT or HUB_NOT_FOUND and is taken again once appended
 *     again, parents first. A slot is given up only when a new block needs one, and only if it is no
 *     ancestor of that block and no held block with records stands on it: the lowest view of those. */
#ifndef HUB_CHAIN_H
#define HUB_CHAIN_H

#include "hub/apply.h"
#include "hub/genesis.h"
#include "hub/link.h"
#include "hub/vote.h"

struct
    hub_applied { /* one block with records above the finalized one; slot reused after finalize or prune */
    struct hub_header header;
    struct hub_hash hash;
    struct hub_edge edge;
    struct hub_undo undo;
    struct hub_buf results; /* a CBOR sequence, one result a record */
    int8_t
        parent; /* slot of the nearest ancestor with records, -1 = the finalized block or below */
    bool used;
};

struct hub_empty { /* an empty block */
    struct hub_header header;
    struct hub_hash hash;
    int8_t base; /* slot whose state and log it has, -1 = those of the finalized block */
    bool used;
};

struct hub_chain { /* large: lives in the owner's memory, never on a stack */
    struct hub_hash id;
    struct hub_validators set; /* the epoch that votes now */
    struct hub_state state;
    struct hub_header final_header;
    struct hub_hash final_hash;
    struct hub_edge final_edge;
    struct hub_applied slot[HUB_UNFINAL_MAX + 1];
    struct hub_empty empty[HUB_EMPTY_MAX];
    uint32_t empty_next; /* place of the next empty block: the oldest goes */
    int8_t at;
};

/* Bytes for undo logs and results of all slots. */
size_t hub_chain_memory_bytes(void);
/* From genesis: state memory as in state.h; memory is zeroed, hub_chain_memory_bytes() long. Both owned by the
 * caller as long as the chain. *why as in hub_genesis_decode. */
HUB_MUST_USE enum hub_status hub_chain_init(struct hub_chain *c, const struct hub_genesis *g,
                                            void *state_memory, const uint32_t caps[HUB_TABLES],
                                            void *memory);
/* From a checkpoint whose rows were loaded into c->state (undo = NULL) after hub_chain_init's layout: checks the
 * state root and edge against the header, which the caller has from a certified tip. HUB_CORRUPT if they differ. */
HUB_MUST_USE enum hub_status hub_chain_resume(struct hub_chain *c, const struct hub_header *header,
                                              const struct hub_hash *hash,
                                              const struct hub_edge *edge,
                                              const struct hub_validators *set);

/* What is wrong with a block. */
struct hub_fault {
    uint32_t
        record; /* position of the record that can be in no block here; UINT32_MAX: the header */
    uint16_t
        why; /* result code of the refusal; 0: the header, or the record exceeds a bound of the block */
    const char *
        field; /* name of the first wrong header field; "block_bytes" or "block_writes" for a bound; else NULL */
    struct hub_hash expected, got; /* of that header field; a number as 32 bytes big-endian */
    uint32_t wrong;         /* every wrong header field: bit i = place i of formats.cddl `header` */
    struct hub_header want; /* the header with every wrong field as it should be */
};
struct hub_claim {
    const char *field;
    bool number; /* else a hash */
    uint64_t expected_number, got_number;
    struct hub_hash expected, got;
};
/* Wrong claim number i = 0, 1, .. of a fault; header is the block's. False behind the last. For `view` and
 * `time_ms` expected is the least value allowed, for `proposer` the greatest. */
bool hub_fault_claim(struct hub_claim *out, const struct hub_fault *f,
                     const struct hub_header *header, unsigned i);

/* Applies the block to its parent and compares every claim of the header. On failure nothing has changed,
 * except that the state may have moved. Every record must be verified, else it counts as refused with
 * signature_invalid. A block already held is HUB_OK.
 * HUB_UNKNOWN_PARENT; HUB_LIMIT: all slots hold ancestors (vote on no block with records until something is
 * final); HUB_BAD_BLOCK: *fault says what is wrong. Claims that need no execution (chain, epoch, view, height,
 * parent_view, time_ms, proposer, epoch hashes, flags) are compared first, and the block is not executed if one is wrong. */
HUB_MUST_USE enum hub_status hub_chain_append(struct hub_chain *c, struct hub_block *block,
                                              struct hub_fault *fault);
/* The same for a TAIL, which is not executed: parent SEAL or TAIL of this epoch; height, roots and sets its
 * parent's, time_ms one more; no records; at most HUB_BUNDLE_HEADERS_MAX - 1 in a row. */
HUB_MUST_USE enum hub_status hub_chain_tail(struct hub_chain *c, const struct hub_block *block,
                                            struct hub_fault *fault);
/* The epoch that votes now ends with this block, or before it: only a TAIL may stand on it. */
static inline bool hub_chain_ends_epoch(const struct hub_chain *c, const struct hub_header *h)
{
    return h->epoch == c->set.epoch && h->flags != 0;
}
/* Moves the state to an appended block or the final one: what resolving keys and taking records look at.
 * HUB_UNKNOWN_PARENT: not held. */
HUB_MUST_USE enum hub_status hub_chain_move(struct hub_chain *c, const struct hub_hash *to);
/* Leader: compacts block->records to the candidates that apply on the parent and fills every derived field of
 * block->header; the caller has set view, parent_view, time_ms, proposer. Encodes into out and appends it: the
 * same code as hub_chain_append, but that candidates which are refused or have no room are left out. Without
 * a free slot the block is empty; on a block that ends the epoch it is a TAIL, whatever its time_ms. out: HUB_BLOCK_BYTES_MAX + 4096 bytes, emptied first; block->bytes, hash then
 * borrow from it. HUB_UNKNOWN_PARENT; HUB_BAD_BLOCK: view, parent_view, time_ms or proposer do not fit the parent. */
HUB_MUST_USE enum hub_status hub_chain_build(struct hub_chain *c, const struct hub_hash *parent,
                                             struct hub_block *block, struct hub_buf *out);
/* The certificate is a FINALIZE of the current epoch over a held block; its signatures are checked here. The
 * block and its ancestors are final: visit (may be NULL) gets each newly final block with records, oldest first,
 * before its slot is freed (empty blocks hold nothing to visit); final_header is then the certified
 * block. Blocks that do not descend from it are dropped; only where empty blocks between were forgotten may one
 * be kept that stands beside it, until a later block is final. HUB_OK also if it is the finalized block already.
 * Over a block that ends the epoch, SEAL or TAIL: final_header is the SEAL, and set is the next epoch's.
 * HUB_NOT_FOUND: not held; HUB_BAD_CERTIFICATE: not a quorum's, or a field differs from the block's. */
typedef void hub_chain_visit(void *ctx, const struct hub_applied *final);
HUB_MUST_USE enum hub_status hub_chain_finalize(struct hub_chain *c,
                                                const struct hub_certificate *cert,
                                                hub_chain_visit *visit, void *ctx);
/* The same by a link: its SEAL is held, and the TAILs between it and its certificate need not be. */
HUB_MUST_USE enum hub_status hub_chain_cross(struct hub_chain *c, const struct hub_link *link,
                                             hub_chain_visit *visit, void *ctx);
/* The recovery block of a verified record (hub/recovery.h) whose base is held, as hub_chain_build: nothing changes but
 * where the state stands. HUB_UNKNOWN_PARENT: the base is not held; HUB_REFUSED: *why, a result code. */
HUB_MUST_USE enum hub_status hub_chain_recovery(struct hub_chain *c,
                                                const struct hub_record *record,
                                                struct hub_block *block, struct hub_buf *out,
                                                uint16_t *why);
/* What it built is final, by the record that people accepted, with its ancestors: set is the next epoch's. */
void hub_chain_recover(struct hub_chain *c, struct hub_block *block, hub_chain_visit *visit,
                       void *ctx);
/* Header of an appended or the final block; NULL if not held. */
const struct hub_header *hub_chain_header(const struct hub_chain *c, const struct hub_hash *hash);
/* Undo logs from the finalized block up to where the state stands, oldest first, for hub_state_row_before. */
size_t hub_chain_logs(const struct hub_chain *c, const struct hub_undo *logs[HUB_UNFINAL_MAX]);

#endif
