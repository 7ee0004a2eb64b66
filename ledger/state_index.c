/* state_index.c: from a key to its row: open addressing, linear probing. Rows are added and un-added in the order of a
 * stack, so the entry to be removed is always the newest and nothing was ever placed behind it: it is simply
 * emptied. */
#include "ledger/state_parts.h"

#include "hub/cbor.h"

#include <string.h>

struct hub_span hub_row_key(struct hub_span row)
{
    struct hub_cbor c = hub_cbor_open(row);

    hub_cbor_array(&c, 1, UINT16_MAX);
    if (hub_cbor_peek(&c) == HUB_CBOR_BYTES)
        return hub_cbor_bytes(&c, 0, UINT16_MAX);
    if (hub_cbor_peek(&c) == HUB_CBOR_TEXT)
        return hub_cbor_text(&c, 0, UINT16_MAX);
    return hub_cbor_item(&c);
}

static uint32_t home_of(const struct hub_table_memory *m, struct hub_span key)
{
    struct hub_hash h;

    hub_hash_span(&h, key);
    return hub_get_be32(h.b) & (m->index_cap - 1);
}

static void index_put(struct hub_state *s, enum hub_table t, uint32_t row)
{
    struct hub_table_memory *m = &s->mem[t];
    uint32_t at = home_of(m, hub_row_key(hub_state_row(s, t, row)));

    while (m->index[at] != 0)
        at = (at + 1) & (m->index_cap - 1);
    m->index[at] = row + 1;
}

/* Twice the slots, filled again in the order of the rows, so that the newest entry stays the last of its
 * run. The index never shrinks: an undone block will mostly come again. */
static void index_grow(struct hub_state *s, enum hub_table t)
{
    struct hub_table_memory *m = &s->mem[t];

    memset(m->index, 0, m->index_cap * sizeof *m->index);
    m->index_cap *= 2;
    for (uint32_t row = 0; row < s->count[t]; row++)
        index_put(s, t, row);
}

void hub_index_add(struct hub_state *s, enum hub_table t, uint32_t row)
{
    const struct hub_table_memory *m = &s->mem[t];

    if (hub_table_is_raw(t))
        return;
    HUB_ASSERT(row + 1 == s->count[t]);
    if (s->count[t] > m->index_cap / 2 && m->index_cap < m->index_max)
        index_grow(s, t); /* which places this row, too */
    else
        index_put(s, t, row);
}

void hub_index_remove(struct hub_state *s, enum hub_table t, uint32_t row)
{
    struct hub_table_memory *m = &s->mem[t];
    uint32_t at;

    if (hub_table_is_raw(t))
        return;
    at = home_of(m, hub_row_key(hub_state_row(s, t, row)));
    while (m->index[at] != row + 1) {
        HUB_ASSERT(m->index[at] != 0);
        at = (at + 1) & (m->index_cap - 1);
    }
    m->index[at] = 0;
}

bool hub_state_find(const struct hub_state *s, enum hub_table t, struct hub_span key, uint32_t *row)
{
    const struct hub_table_memory *m = &s->mem[t];
    uint32_t at;

    HUB_ASSERT((unsigned)t < HUB_TABLES && !hub_table_is_raw(t));
    for (at = home_of(m, key); m->index[at] != 0; at = (at + 1) & (m->index_cap - 1)) {
        uint32_t found = m->index[at] - 1;

        if (hub_span_equal(hub_row_key(hub_state_row(s, t, found)), key)) {
            *row = found;
            return true;
        }
    }
    return false;
}

bool hub_state_row_new(const struct hub_state *s, enum hub_table t, struct hub_span row)
{
    uint32_t there;

    return hub_state_row_ok(t, row) &&
           (t == HUB_TABLE_WALLETS || !hub_state_find(s, t, hub_row_key(row), &there));
}
