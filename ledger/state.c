/* state.c: rows and the undo log. The look-up index is in state_index.c, the tree over the rows in state_tree.c.
 *
 * An entry of the undo log, one a write:
 *
 *   table u8 | added u8 | room u16 | len u16 | row u32 | room bytes, len of them in use | room u16
 *
 * room is the longer of the row before and after, so that both fit when they are swapped, and stands
 * at both ends, so that the log is walked either way. While its block is applied an entry holds the
 * row as it was before (nothing, if the write added it); swapped out, the row as it was after. */
#include "ledger/state_parts.h"

#include <string.h>

enum {
    ENTRY_HEAD = 10,
    ENTRY_BYTES = ENTRY_HEAD + 2, /* what an entry takes beside its room: a part of validity */
    LENGTH_BYTES = 2              /* in front of every row but a wallet's */
};

_Static_assert(ENTRY_BYTES + HUB_WALLET_ROW_BYTES == 140, "as HUB_BLOCK_UNDO_BYTES_MAX reckons");
_Static_assert(HUB_ROW_BYTES_MAX - LENGTH_BYTES <= UINT16_MAX, "row lengths are 16 bits");

/* rows_max: what a region may need in decades; address space that is not touched costs nothing. */
const struct hub_table_kind hub_table_kinds[HUB_TABLES] = {
    [HUB_TABLE_PARAMETERS] = {"parameters", 128, 256},
    [HUB_TABLE_MEMBERS] = {"members", HUB_MEMBER_ROW_BYTES, 1024},
    [HUB_TABLE_KEYS] = {"keys", HUB_KEY_ROW_BYTES, 1 << 22},
    [HUB_TABLE_EPOCHS] = {"epochs", 8192, 1 << 14},
    [HUB_TABLE_PROPOSALS] = {"proposals", 32768, 1 << 14},
    [HUB_TABLE_AGREEMENTS] = {"agreements", 8192, 1 << 18},
    [HUB_TABLE_REVISIONS] = {"revisions", HUB_ROW_BYTES_MAX, 1 << 19},
    [HUB_TABLE_MOTIONS] = {"motions", 4096, 1 << 18},
    [HUB_TABLE_WALLETS] = {"wallets", HUB_WALLET_ROW_BYTES, 1 << 24},
    [HUB_TABLE_LIMITS] = {"limits", HUB_LIMITS_ROW_BYTES, 1 << 22},
    [HUB_TABLE_FREEZES] = {"freezes", 512, 1 << 22},
    [HUB_TABLE_HOLDS] = {"holds", 256, 1 << 24},
    [HUB_TABLE_ESCROWS] = {"escrows", 256, 1 << 22},
    [HUB_TABLE_CHILDREN] = {"children", HUB_CHILDREN_ROW_BYTES, 1 << 22},
    [HUB_TABLE_INSTITUTIONS] = {"institutions", HUB_INSTITUTION_ROW_BYTES, 65536},
    [HUB_TABLE_BATCHES] = {"batches", HUB_BATCH_ROW_BYTES, 1 << 24},
    [HUB_TABLE_REFERENCES] = {"references", HUB_REFERENCE_ROW_BYTES, 1 << 26},
    [HUB_TABLE_READY] = {"ready", 512, 65536},
    [HUB_TABLE_ATTESTS] = {"attests", 512, 1 << 20},
    [HUB_TABLE_TOTALS] = {"totals", HUB_TOTALS_ROW_BYTES, 65536},
    [HUB_TABLE_CONSENTS] = {"consents", 1280, 1 << 22},
    [HUB_TABLE_EVIDENCE] = {"evidence", HUB_EVIDENCE_ROW_BYTES, 65536},
};

static uint32_t capacity(const uint32_t caps[HUB_TABLES], unsigned t)
{
    uint32_t rows = caps == NULL ? hub_table_kinds[t].rows_max : caps[t];

    HUB_ASSERT(rows <= hub_table_kinds[t].rows_max);
    return rows;
}

/* ---- memory */

/* Takes the next n bytes, 64-byte aligned, of a block that begins at base (NULL while measuring). */
static uint8_t *take(uint8_t *base, size_t *used, size_t n)
{
    uint8_t *at = base == NULL ? NULL : base + *used;

    *used += (n + 63) / 64 * 64;
    return at;
}

/* The parts of one table. A bitmap has a word more than its rows need: folding it reads words in pairs. */
static void lay_out(struct hub_table_memory *m, uint8_t *base, size_t *used, enum hub_table t,
                    uint32_t rows)
{
    size_t words = (size_t)rows / 64 + 2;

    m->row_cap = rows;
    m->index_max = 2;
    while (m->index_max < 2 * (uint64_t)rows)
        m->index_max *= 2;
    m->index_cap = m->index_max < HUB_INDEX_SLOTS_FIRST ? m->index_max : HUB_INDEX_SLOTS_FIRST;
    m->rows = take(base, used, (size_t)rows * hub_table_kinds[t].slot_bytes);
    m->nodes = (struct hub_hash *)take(base, used, (size_t)rows * 2 * sizeof *m->nodes);
    m->dirty = (uint64_t *)(void *)take(base, used, words * sizeof *m->dirty);
    m->unsaved = (uint64_t *)(void *)take(base, used, words * sizeof *m->unsaved);
    m->index = NULL;
    if (hub_table_is_raw(t))
        m->index_cap = m->index_max = 0;
    else
        m->index = (uint32_t *)(void *)take(base, used, m->index_max * sizeof *m->index);
}

size_t hub_state_memory_bytes(const uint32_t caps[HUB_TABLES])
{
    struct hub_table_memory m;
    size_t used = 0;

    for (unsigned t = 0; t < HUB_TABLES; t++)
        lay_out(&m, NULL, &used, (enum hub_table)t, capacity(caps, t));
    return used;
}

void hub_state_init(struct hub_state *s, void *memory, const uint32_t caps[HUB_TABLES])
{
    size_t used = 0;

    HUB_ASSERT(memory != NULL && (uintptr_t)memory % 64 == 0);
    memset(s, 0, sizeof *s);
    for (unsigned t = 0; t < HUB_TABLES; t++) {
        lay_out(&s->mem[t], memory, &used, (enum hub_table)t, capacity(caps, t));
        hub_hash_span(&s->table_root[t], (struct hub_span){NULL, 0});
    }
}

/* ---- rows */

static uint8_t *slot_of(const struct hub_state *s, enum hub_table t, uint32_t row)
{
    HUB_ASSERT(row < s->mem[t].row_cap);
    return s->mem[t].rows + (size_t)row * hub_table_kinds[t].slot_bytes;
}

static uint8_t *row_bytes(const struct hub_state *s, enum hub_table t, uint32_t row)
{
    return slot_of(s, t, row) + (hub_table_is_raw(t) ? 0 : LENGTH_BYTES);
}

static uint16_t row_length(const struct hub_state *s, enum hub_table t, uint32_t row)
{
    return hub_table_is_raw(t) ? HUB_WALLET_ROW_BYTES : hub_get_be16(slot_of(s, t, row));
}

static void set_row_length(struct hub_state *s, enum hub_table t, uint32_t row, uint16_t len)
{
    if (!hub_table_is_raw(t))
        hub_put_be16(slot_of(s, t, row), len);
    HUB_ASSERT(!hub_table_is_raw(t) || len == HUB_WALLET_ROW_BYTES);
}

static size_t row_room(enum hub_table t)
{
    return hub_table_kinds[t].slot_bytes - (hub_table_is_raw(t) ? 0 : LENGTH_BYTES);
}

static void mark_written(struct hub_state *s, enum hub_table t, uint32_t row)
{
    struct hub_table_memory *m = &s->mem[t];

    m->dirty[row / 64] |= (uint64_t)1 << row % 64;
    m->unsaved[row / 64] |= (uint64_t)1 << row % 64;
    if (s->dirty_low[t] >= s->dirty_high[t]) {
        s->dirty_low[t] = row;
        s->dirty_high[t] = row + 1;
    } else if (row < s->dirty_low[t]) {
        s->dirty_low[t] = row;
    } else if (row >= s->dirty_high[t]) {
        s->dirty_high[t] = row + 1;
    }
}

struct hub_span hub_state_row(const struct hub_state *s, enum hub_table t, uint32_t row)
{
    HUB_ASSERT((unsigned)t < HUB_TABLES && row < s->count[t]);
    return (struct hub_span){row_bytes(s, t, row), row_length(s, t, row)};
}

/* ---- undo log: writing */

/* True when nothing is to be written any more: a bound was met, and the record will be undone. */
static bool stopped(const struct hub_state *s)
{
    return s->undo != NULL && (s->undo->full || s->undo->table_full);
}

/* Saves what a write is about to replace; old.data NULL when it adds the row. False: no room. */
static bool save(struct hub_state *s, enum hub_table t, uint32_t row, struct hub_span old,
                 size_t room)
{
    struct hub_undo *u = s->undo;
    uint8_t *e;

    if (u == NULL)
        return true;
    HUB_ASSERT(old.len <= room && room <= UINT16_MAX && u->len <= u->cap);
    if (room + ENTRY_BYTES > u->cap - u->len) {
        u->full = true;
        return false;
    }
    e = u->log + u->len;
    e[0] = (uint8_t)t;
    e[1] = old.data == NULL;
    hub_put_be16(e + 2, (uint16_t)room);
    hub_put_be16(e + 4, (uint16_t)old.len);
    hub_put_be32(e + 6, row);
    if (old.len > 0) {
        HUB_ASSERT(old.data != NULL);
        memcpy(e + ENTRY_HEAD, old.data, old.len);
    }
    hub_put_be16(e + ENTRY_HEAD + room, (uint16_t)room);
    u->len += room + ENTRY_BYTES;
    return true;
}

bool hub_state_row_ok(enum hub_table t, struct hub_span row)
{
    if (hub_table_is_raw(t))
        return row.len == HUB_WALLET_ROW_BYTES;
    return row.len <= row_room(t) && hub_row_key(row).data != NULL;
}

uint32_t hub_state_add(struct hub_state *s, enum hub_table t, struct hub_span row)
{
    uint32_t at = s->count[t];

    HUB_ASSERT((unsigned)t < HUB_TABLES && hub_state_row_ok(t, row));
    if (stopped(s))
        return UINT32_MAX;
    if (at == s->mem[t].row_cap) {
        if (s->undo != NULL)
            s->undo->table_full = true;
        return UINT32_MAX;
    }
    if (!save(s, t, at, (struct hub_span){NULL, 0}, row.len))
        return UINT32_MAX;
    set_row_length(s, t, at, (uint16_t)row.len);
    memcpy(row_bytes(s, t, at), row.data, row.len);
    s->count[t]++;
    hub_index_add(s, t, at);
    mark_written(s, t, at);
    return at;
}

void hub_state_put(struct hub_state *s, enum hub_table t, uint32_t row, struct hub_span bytes)
{
    struct hub_span old;

    if (stopped(s))
        return; /* row may be the UINT32_MAX of an add that found no room */
    HUB_ASSERT(hub_state_row_ok(t, bytes));
    old = hub_state_row(s, t, row);
    HUB_ASSERT(hub_table_is_raw(t) || hub_span_equal(hub_row_key(old), hub_row_key(bytes)));
    if (!save(s, t, row, old, old.len > bytes.len ? old.len : bytes.len))
        return;
    set_row_length(s, t, row, (uint16_t)bytes.len);
    memcpy(row_bytes(s, t, row), bytes.data, bytes.len);
    mark_written(s, t, row);
}

uint8_t *hub_state_wallet_write(struct hub_state *s, uint32_t slot)
{
    struct hub_span old;

    if (stopped(s))
        return NULL;
    old = hub_state_row(s, HUB_TABLE_WALLETS, slot);
    if (!save(s, HUB_TABLE_WALLETS, slot, old, old.len))
        return NULL;
    mark_written(s, HUB_TABLE_WALLETS, slot);
    return row_bytes(s, HUB_TABLE_WALLETS, slot);
}

/* ---- undo log: walking */

static void swap_bytes(uint8_t *a, uint8_t *b, size_t n)
{
    uint8_t tmp[256];

    for (size_t at = 0, step; at < n; at += step) {
        step = n - at < sizeof tmp ? n - at : sizeof tmp;
        memcpy(tmp, a + at, step);
        memcpy(a + at, b + at, step);
        memcpy(b + at, tmp, step);
    }
}

/* Swaps one entry with its row. forward: the block comes back; else it leaves. */
static void swap_entry(struct hub_state *s, uint8_t *e, bool forward)
{
    enum hub_table t = (enum hub_table)e[0];
    uint16_t room = hub_get_be16(e + 2), in_log = hub_get_be16(e + 4), in_row;
    uint32_t row = hub_get_be32(e + 6);
    bool added = e[1] != 0;

    HUB_ASSERT((unsigned)t < HUB_TABLES && row + (added && forward ? 0 : 1) <= s->count[t]);
    in_row = added && forward ? 0 : row_length(s, t, row);
    if (added && !forward) {
        HUB_ASSERT(row + 1 == s->count[t] && in_log == 0);
        hub_index_remove(s, t, row);
        s->count[t]--;
    }
    swap_bytes(e + ENTRY_HEAD, row_bytes(s, t, row), room);
    hub_put_be16(e + 4, in_row);
    if (!added || forward)
        set_row_length(s, t, row, in_log);
    if (added && forward) {
        HUB_ASSERT(row == s->count[t]);
        s->count[t]++;
        hub_index_add(s, t, row);
    }
    mark_written(s, t, row);
}

/* Start of the entry that ends at `end`. */
static size_t entry_before(const struct hub_undo *u, size_t end)
{
    size_t room;

    HUB_ASSERT(end >= ENTRY_BYTES && end <= u->len);
    room = hub_get_be16(u->log + end - 2);
    HUB_ASSERT(end >= ENTRY_BYTES + room &&
               hub_get_be16(u->log + end - ENTRY_BYTES - room + 2) == room);
    return end - ENTRY_BYTES - room;
}

void hub_state_undo_to(struct hub_state *s, size_t mark)
{
    struct hub_undo *u = s->undo;

    HUB_ASSERT(u != NULL && mark <= u->len);
    while (u->len > mark) {
        size_t at = entry_before(u, u->len);

        swap_entry(s, u->log + at, false);
        u->len = at;
    }
    HUB_ASSERT(u->len == mark);
}

void hub_state_swap_back(struct hub_state *s, struct hub_undo *log)
{
    HUB_ASSERT(s->undo == NULL && !log->full && !log->table_full);
    for (size_t end = log->len; end > 0;) {
        end = entry_before(log, end);
        swap_entry(s, log->log + end, false);
    }
}

void hub_state_swap_forward(struct hub_state *s, struct hub_undo *log)
{
    HUB_ASSERT(s->undo == NULL && !log->full && !log->table_full);
    for (size_t at = 0; at < log->len; at += ENTRY_BYTES + hub_get_be16(log->log + at + 2))
        swap_entry(s, log->log + at, true);
}

bool hub_undo_next(const struct hub_undo *log, size_t *at, enum hub_table *t, uint32_t *row,
                   struct hub_span *old)
{
    const uint8_t *e = log->log + *at;

    if (*at >= log->len)
        return false;
    *t = (enum hub_table)e[0];
    *row = hub_get_be32(e + 6);
    *old = (struct hub_span){e[1] ? NULL : e + ENTRY_HEAD, hub_get_be16(e + 4)};
    *at += ENTRY_BYTES + hub_get_be16(e + 2);
    HUB_ASSERT(*at <= log->len);
    return true;
}

bool hub_state_row_before(const struct hub_state *s, const struct hub_undo *const *logs, size_t n,
                          enum hub_table t, uint32_t row, struct hub_span *out)
{
    enum hub_table wrote;
    uint32_t where;
    struct hub_span old;

    /* The first write after the final block saw the final row. */
    for (size_t i = 0; i < n; i++) {
        for (size_t at = 0; hub_undo_next(logs[i], &at, &wrote, &where, &old);) {
            if (wrote != t || where != row)
                continue;
            if (old.data != NULL)
                *out = old;
            return old.data != NULL;
        }
    }
    if (row >= s->count[t])
        return false;
    *out = hub_state_row(s, t, row);
    return true;
}
