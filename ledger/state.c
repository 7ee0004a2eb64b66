/* state.c: rows, the undo log, the tree over the rows, and the look-up index.
 *
 * An entry of the undo log, one a write:
 *
 *   table u8 | added u8 | room u16 | len u16 | row u32 | room bytes, len of them in use | room u16
 *
 * room is the longer of the row before and after, so that both fit when they are swapped, and stands
 * at both ends, so that the log is walked either way. While its block is applied an entry holds the
 * row as it was before (nothing, if the write added it); swapped out, the row as it was after. */
#include "hub/state.h"

#include "hub/cbor.h"

#include <string.h>

enum {
    ENTRY_HEAD = 10,
    ENTRY_BYTES = ENTRY_HEAD + 2, /* what an entry takes beside its room: a part of validity */
    LENGTH_BYTES = 2,             /* in front of every row but a wallet's */
    INDEX_SLOTS_FIRST = 1024      /* a page: what an index takes while its table is small */
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

static bool is_raw(enum hub_table t)
{
    return t == HUB_TABLE_WALLETS;
}

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
    m->index_cap = m->index_max < INDEX_SLOTS_FIRST ? m->index_max : INDEX_SLOTS_FIRST;
    m->rows = take(base, used, (size_t)rows * hub_table_kinds[t].slot_bytes);
    m->nodes = (struct hub_hash *)take(base, used, (size_t)rows * 2 * sizeof *m->nodes);
    m->dirty = (uint64_t *)(void *)take(base, used, words * sizeof *m->dirty);
    m->unsaved = (uint64_t *)(void *)take(base, used, words * sizeof *m->unsaved);
    m->index = NULL;
    if (is_raw(t))
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
    return slot_of(s, t, row) + (is_raw(t) ? 0 : LENGTH_BYTES);
}

static uint16_t row_length(const struct hub_state *s, enum hub_table t, uint32_t row)
{
    return is_raw(t) ? HUB_WALLET_ROW_BYTES : hub_get_be16(slot_of(s, t, row));
}

static void set_row_length(struct hub_state *s, enum hub_table t, uint32_t row, uint16_t len)
{
    if (!is_raw(t))
        hub_put_be16(slot_of(s, t, row), len);
    HUB_ASSERT(!is_raw(t) || len == HUB_WALLET_ROW_BYTES);
}

static size_t row_room(enum hub_table t)
{
    return hub_table_kinds[t].slot_bytes - (is_raw(t) ? 0 : LENGTH_BYTES);
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

/* ---- index: linear probing. Rows are added and un-added in the order of a stack, so the entry to be
 * removed is always the newest and nothing was ever placed behind it: it is simply emptied. */

/* The key of a CBOR row; empty if the bytes are no row. */
static struct hub_span key_of(struct hub_span row)
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
    uint32_t at = home_of(m, key_of(hub_state_row(s, t, row)));

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

/* row is the last one of its table. */
static void index_add(struct hub_state *s, enum hub_table t, uint32_t row)
{
    const struct hub_table_memory *m = &s->mem[t];

    if (is_raw(t))
        return;
    HUB_ASSERT(row + 1 == s->count[t]);
    if (s->count[t] > m->index_cap / 2 && m->index_cap < m->index_max)
        index_grow(s, t); /* which places this row, too */
    else
        index_put(s, t, row);
}

static void index_remove(struct hub_state *s, enum hub_table t, uint32_t row)
{
    struct hub_table_memory *m = &s->mem[t];
    uint32_t at;

    if (is_raw(t))
        return;
    at = home_of(m, key_of(hub_state_row(s, t, row)));
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

    HUB_ASSERT((unsigned)t < HUB_TABLES && !is_raw(t));
    for (at = home_of(m, key); m->index[at] != 0; at = (at + 1) & (m->index_cap - 1)) {
        uint32_t found = m->index[at] - 1;

        if (hub_span_equal(key_of(hub_state_row(s, t, found)), key)) {
            *row = found;
            return true;
        }
    }
    return false;
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
    if (is_raw(t))
        return row.len == HUB_WALLET_ROW_BYTES;
    return row.len <= row_room(t) && key_of(row).data != NULL;
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
    index_add(s, t, at);
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
    HUB_ASSERT(is_raw(t) || hub_span_equal(key_of(old), key_of(bytes)));
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
        index_remove(s, t, row);
        s->count[t]--;
    }
    swap_bytes(e + ENTRY_HEAD, row_bytes(s, t, row), room);
    hub_put_be16(e + 4, in_row);
    if (!added || forward)
        set_row_length(s, t, row, in_log);
    if (added && forward) {
        HUB_ASSERT(row == s->count[t]);
        s->count[t]++;
        index_add(s, t, row);
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

/* ---- tree */

/* Node (level, 0): level l has room for row_cap >> l perfect nodes, level 0 first. */
static struct hub_hash *level_of(const struct hub_table_memory *m, unsigned level)
{
    struct hub_hash *at = m->nodes;

    for (unsigned l = 0; l < level; l++)
        at += m->row_cap >> l;
    return at;
}

/* The even bits of x, packed into the low half. */
static uint64_t pack_even(uint64_t x)
{
    x &= 0x5555555555555555u;
    x = (x | x >> 1) & 0x3333333333333333u;
    x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0fu;
    x = (x | x >> 4) & 0x00ff00ff00ff00ffu;
    x = (x | x >> 8) & 0x0000ffff0000ffffu;
    return (x | x >> 16) & 0x00000000ffffffffu;
}

/* Turns the bitmap of written nodes [*low, *high) into that of their parents, in place: word j is
 * written only after words 2j and 2j + 1 were read and cleared. */
static void fold_dirty(uint64_t *dirty, uint32_t *low, uint32_t *high)
{
    for (uint32_t j = *low / 128; j <= (*high - 1) / 128; j++) {
        uint64_t a = dirty[2 * (size_t)j], b = dirty[2 * (size_t)j + 1];

        dirty[2 * (size_t)j] = 0;
        dirty[2 * (size_t)j + 1] = 0;
        dirty[j] = pack_even(a | a >> 1) | pack_even(b | b >> 1) << 32;
    }
    *low /= 2;
    *high = (*high + 1) / 2;
}

/* Recomputes the written nodes of one level. The bitmap may name rows that an undo took away. */
static void rehash_level(const struct hub_state *s, enum hub_table t, unsigned level, uint32_t low,
                         uint32_t high)
{
    const struct hub_table_memory *m = &s->mem[t];
    struct hub_hash *node = level_of(m, level);
    const struct hub_hash *below = level == 0 ? NULL : level_of(m, level - 1);
    uint32_t perfect = s->count[t] >> level;

    for (uint32_t w = low / 64; w <= (high - 1) / 64; w++) {
        for (uint64_t bits = m->dirty[w]; bits != 0; bits &= bits - 1) {
            uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);

            if (i >= perfect)
                break;
            if (level == 0)
                hub_merkle_leaf(&node[i], hub_state_row(s, t, i));
            else
                hub_merkle_pair(&node[i], &below[2 * (size_t)i], &below[2 * (size_t)i + 1]);
        }
    }
}

static void rehash_table(struct hub_state *s, enum hub_table t)
{
    struct hub_table_memory *m = &s->mem[t];
    uint32_t low = s->dirty_low[t], high = s->dirty_high[t];
    struct hub_edge edge;

    if (low >= high)
        return;
    rehash_level(s, t, 0, low, high);
    for (unsigned level = 1; s->count[t] >> level > 0; level++) {
        fold_dirty(m->dirty, &low, &high);
        rehash_level(s, t, level, low, high);
    }
    memset(&m->dirty[low / 64], 0, ((high - 1) / 64 - low / 64 + 1) * sizeof m->dirty[0]);
    s->dirty_low[t] = s->dirty_high[t] = 0;

    edge.size = s->count[t];
    for (unsigned level = 0; edge.size >> level > 0; level++)
        if (edge.size >> level & 1)
            edge.node[level] = level_of(m, level)[(edge.size >> level) - 1];
    hub_merkle_root(&s->table_root[t], &edge);
}

/* The leaves [table, row_count, table root] of the state root. */
static void table_leaves(const struct hub_state *s, struct hub_hash leaf[HUB_TABLES])
{
    uint8_t bytes[48];

    for (unsigned t = 0; t < HUB_TABLES; t++) {
        struct hub_buf b = {bytes, 0, sizeof bytes, false};

        hub_put_array(&b, 3);
        hub_put_uint(&b, t);
        hub_put_uint(&b, s->count[t]);
        hub_put_hash(&b, &s->table_root[t]);
        HUB_ASSERT(!b.full);
        hub_merkle_leaf(&leaf[t], hub_span_of(&b));
    }
}

void hub_state_root(struct hub_state *s, struct hub_hash *root)
{
    struct hub_hash leaf[HUB_TABLES];

    for (unsigned t = 0; t < HUB_TABLES; t++)
        rehash_table(s, (enum hub_table)t);
    table_leaves(s, leaf);
    hub_merkle_root_of(root, leaf, HUB_TABLES);
}

struct row_tree {
    const struct hub_state *s;
    enum hub_table t;
};

static bool get_node(void *ctx, unsigned level, uint64_t index, struct hub_hash *node)
{
    const struct row_tree *tree = ctx;

    if (level >= 32 || index >= tree->s->count[tree->t] >> level)
        return false;
    *node = level_of(&tree->s->mem[tree->t], level)[index];
    return true;
}

void hub_state_proof(struct hub_state *s, enum hub_table t, uint32_t row,
                     struct hub_hash row_path[64], unsigned *row_len, struct hub_hash table_path[8],
                     unsigned *table_len)
{
    struct hub_hash leaf[HUB_TABLES], path[64], root;
    struct row_tree tree = {s, t};
    enum hub_status status;

    HUB_ASSERT((unsigned)t < HUB_TABLES && row < s->count[t]);
    hub_state_root(s, &root);
    status = hub_merkle_inclusion(row_path, row_len, row, s->count[t], get_node, &tree);
    HUB_ASSERT(status == HUB_OK);
    table_leaves(s, leaf);
    hub_merkle_inclusion_of(path, table_len, t, leaf, HUB_TABLES);
    HUB_ASSERT(*table_len <= 8);
    memcpy(table_path, path, *table_len * sizeof path[0]);
}
