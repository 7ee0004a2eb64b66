/* ledger/state_parts.h: what state.c and its look-up index share. */
#ifndef HUB_LEDGER_STATE_PARTS_H
#define HUB_LEDGER_STATE_PARTS_H

#include "hub/state.h"

enum { HUB_INDEX_SLOTS_FIRST = 1024 }; /* a page: what an index takes while its table is small */

/* Rows without a length in front, which are found by number. */
static inline bool hub_table_is_raw(enum hub_table t)
{
    return t == HUB_TABLE_WALLETS;
}

/* The key of a CBOR row; empty if the bytes are no row. */
struct hub_span hub_row_key(struct hub_span row);
/* row is the last one of its table and counted. Nothing happens in a raw table. */
void hub_index_add(struct hub_state *s, enum hub_table t, uint32_t row);
void hub_index_remove(struct hub_state *s, enum hub_table t, uint32_t row);

#endif
