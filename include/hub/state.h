/* state.h: the tables, in memory, updated in place; every write can be undone.
 *  1. A table is a dense array of row slots in memory the caller reserved; row < count; rows are never removed.
 *  2. A wallet row is 128 raw bytes and its key is its index. Every other row is a deterministic CBOR
 *     array whose first element is the row's key, stored behind a 2-byte length.
 *  3. All perfect nodes of the RFC 9162 tree over the rows are kept; hub_state_root recomputes the paths
 *     of rows written since its last call and nothing else. state_root is the RFC 9162 root over the
 *     leaves [table, row_count, table root] in the order of the enum.
 *  4. Each write pushes {table, row, old bytes} on the open undo log. Undoing swaps old and current, so
 *     the same log, walked forward, redoes. One log an unfinalized block; final means its log is dropped.
 *     A write takes 12 bytes of log and the longer of the row before and after; as the log is bounded, so is
 *     a block: the number is part of validity.
 *  5. The look-up index of a table holds exactly its rows: an undo takes the entries of the rows it removes.
 *  6. A write that finds the undo log or a table full does nothing and sets `full` or `table_full`,
 *     and so does every later write of the record. hub_state_apply looks after each record and undoes it;
 *     rules need not check each write, but may not read through an index that an add refused to give. */
#ifndef HUB_STATE_H
#define HUB_STATE_H

#include "hub/limits.h"
#include "hub/merkle.h"

enum hub_table {                           /* order and numbers are part of the format */
                 HUB_TABLE_PARAMETERS = 0, /* [name, value] */
                 HUB_TABLE_MEMBERS = 1,    /* member.h */
                 HUB_TABLE_KEYS = 2,       /* member.h */
                 HUB_TABLE_EPOCHS = 3,     /* ledger/epoch.h */
                 HUB_TABLE_PROPOSALS = 4,  /* governance.h */
                 HUB_TABLE_AGREEMENTS = 5, /* agreement.h */
                 HUB_TABLE_REVISIONS = 6,
                 HUB_TABLE_MOTIONS = 7,
                 HUB_TABLE_WALLETS = 8, /* wallet.h, raw 128 bytes */
                 HUB_TABLE_LIMITS =
                     9, /* ledger/wallet.h; so are children, institutions, batches, references, totals */
                 HUB_TABLE_FREEZES = 10,
                 HUB_TABLE_HOLDS = 11,
                 HUB_TABLE_ESCROWS = 12,
                 HUB_TABLE_CHILDREN = 13,
                 HUB_TABLE_INSTITUTIONS = 14,
                 HUB_TABLE_BATCHES = 15,
                 HUB_TABLE_REFERENCES = 16,
                 HUB_TABLE_READY = 17,
                 HUB_TABLE_ATTESTS = 18,
                 HUB_TABLE_TOTALS = 19,
                 HUB_TABLE_CONSENTS =
                     20, /* agreement.h: what each party said to each revision, <= 1,280 bytes a row */
                 HUB_TABLE_EVIDENCE = 21 /* ledger/evidence_record.h */
};

struct hub_table_kind {
    const char *name;
    uint32_t slot_bytes; /* bytes a row may take, the 2-byte length included */
    uint32_t rows_max;   /* bound of validity: no node may have a smaller one */
};
extern const struct hub_table_kind hub_table_kinds[HUB_TABLES];

struct hub_table_memory { /* parts of the one block of memory given to hub_state_init */
    uint8_t *rows;
    struct hub_hash *nodes; /* all levels, perfect nodes only */
    uint64_t *dirty;        /* bitmap over rows: path to be rehashed */
    uint64_t *unsaved;      /* bitmap over rows: written since the last checkpoint took it */
    uint32_t *index;        /* open addressing, row + 1; 0 = empty. NULL for wallets */
    uint32_t row_cap;
    uint32_t index_cap, index_max; /* slots in use, doubled as rows come; slots there is room for */
};

struct hub_undo { /* log storage is the caller's: HUB_BLOCK_UNDO_BYTES_MAX bytes */
    uint8_t *log;
    size_t len, cap;
    bool full, table_full;
};

struct hub_state {
    struct hub_table_memory mem[HUB_TABLES];
    uint32_t count[HUB_TABLES];
    struct hub_hash table_root[HUB_TABLES];
    uint32_t dirty_low[HUB_TABLES],
        dirty_high[HUB_TABLES];             /* rows written since the last root: [low, high) */
    char network[HUB_NETWORK_NAME_MAX + 1]; /* genesis name, in no row: FINALIZE votes sign it */
    struct hub_undo
        *undo; /* borrowed: the open log, NULL while genesis or a checkpoint is loaded */
};

/* Bytes of zeroed memory a state with these row capacities needs; caps NULL = rows_max of every table.
 * Pages never touched stay untouched, so a node maps the maximum without using it. */
size_t hub_state_memory_bytes(const uint32_t caps[HUB_TABLES]);
/* memory: zeroed, 64-byte aligned, hub_state_memory_bytes(caps) long; owned by the caller, who keeps it
 * as long as the state. */
void hub_state_init(struct hub_state *s, void *memory, const uint32_t caps[HUB_TABLES]);

/* The row's bytes without length; valid until the next write to the table. row < count. */
struct hub_span hub_state_row(const struct hub_state *s, enum hub_table t, uint32_t row);
/* key: the inside of the first element when it is a byte or text string, else its encoding. */
bool hub_state_find(const struct hub_state *s, enum hub_table t, struct hub_span key,
                    uint32_t *row);
/* True if the bytes may be added to the table: their length, and that they begin with a key. For bytes from
 * outside (a checkpoint); rows that rules write are right by construction. */
bool hub_state_row_ok(enum hub_table t, struct hub_span row);
/* And that no row has this key yet. */
bool hub_state_row_new(const struct hub_state *s, enum hub_table t, struct hub_span row);
/* Appends a row; its key must be new (the caller looked). Returns the index, or UINT32_MAX (invariant 6). */
uint32_t hub_state_add(struct hub_state *s, enum hub_table t, struct hub_span row);
/* Replaces a row; its key must stay. bytes may not point into the table. */
void hub_state_put(struct hub_state *s, enum hub_table t, uint32_t row, struct hub_span bytes);
/* The wallet row for writing in place, saved first; NULL when the log is full (invariant 6). */
uint8_t *hub_state_wallet_write(struct hub_state *s, uint32_t slot);

void hub_state_root(struct hub_state *s, struct hub_hash *root);
/* The same, of tables of which only the number of rows and the root are known. */
void hub_state_root_of(struct hub_hash *root, const uint32_t rows[HUB_TABLES],
                       const struct hub_hash roots[HUB_TABLES]);
/* Undoes and forgets the writes behind `mark` (an earlier undo->len): an all-or-nothing batch, a failed record.
 * `full` and `table_full` stay set: only hub_state_apply, which undoes the whole record, clears them. */
void hub_state_undo_to(struct hub_state *s, size_t mark);
void hub_state_swap_back(struct hub_state *s,
                         struct hub_undo *log); /* the block leaves the applied path */
void hub_state_swap_forward(struct hub_state *s, struct hub_undo *log); /* and comes back */
/* Walks a log, oldest write first: start with *at = 0. old->data is NULL where the write added the row. False at the end. */
bool hub_undo_next(const struct hub_undo *log, size_t *at, enum hub_table *t, uint32_t *row,
                   struct hub_span *old);
/* The row as of before logs[0..n), oldest first: the finalized row, for queries. False if it did not exist then. */
bool hub_state_row_before(const struct hub_state *s, const struct hub_undo *const *logs, size_t n,
                          enum hub_table t, uint32_t row, struct hub_span *out);
/* Row and table paths of one row against the last root, for a state proof. */
void hub_state_proof(struct hub_state *s, enum hub_table t, uint32_t row,
                     struct hub_hash row_path[64], unsigned *row_len, struct hub_hash table_path[8],
                     unsigned *table_len);

#endif
