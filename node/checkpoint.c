#include "node/checkpoint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    ROW_KEY_BYTES = 7, /* table || be32 page || be16 part */
    LENGTH_BYTES = 2,  /* in front of every row but a wallet's */
    META_BYTES_MAX = 64 * 32 + HUB_TABLES * 6 + 128
};

struct checkpoint { /* the value of `checkpoint` in HUB_MAP_META */
    uint64_t height;
    struct hub_hash block;
    struct hub_edge edge;
    uint32_t count[HUB_TABLES];
};

__attribute__((format(printf, 3, 4))) static enum hub_status explain(char why[HUB_WHY_BYTES],
                                                                     enum hub_status status,
                                                                     const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, HUB_WHY_BYTES, format, args);
    va_end(args);
    return status;
}

/* ---- memory */
static void *map_zeroed(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

enum hub_status hub_chain_memory_map(struct hub_chain_memory *out, const uint32_t caps[HUB_TABLES])
{
    struct hub_chain_memory m = {NULL, NULL, hub_state_memory_bytes(caps), hub_chain_memory_bytes(),
                                 caps};
    m.state = map_zeroed(m.state_bytes);
    m.slots = map_zeroed(m.slot_bytes);
    if (!m.state || !m.slots) {
        hub_chain_memory_unmap(&m);
        return HUB_LIMIT;
    }
    *out = m;
    return HUB_OK;
}

void hub_chain_memory_unmap(struct hub_chain_memory *m)
{
    if (m->state)
        munmap(m->state, m->state_bytes);
    if (m->slots)
        munmap(m->slots, m->slot_bytes);
    m->state = m->slots = NULL;
}

/* Anonymous pages that are given back read as zeros. */
static void zero(void *at, size_t bytes)
{
    if (madvise(at, bytes, MADV_DONTNEED) != 0)
        memset(at, 0, bytes);
}

void hub_chain_memory_clear(struct hub_chain_memory *m)
{
    zero(m->state, m->state_bytes);
}

/* ---- what the checkpoint is of */
/* Beside a checkpoint that is not to be used: what else was derived is damaged. */
static struct hub_span given_up_key(void)
{
    return (struct hub_span){(const uint8_t *)"rebuild", 7};
}

static struct hub_span meta_key(void)
{
    return (struct hub_span){(const uint8_t *)"checkpoint", 10};
}

static enum hub_status save_meta(struct hub_env *env, const struct hub_chain *c)
{
    uint8_t bytes[META_BYTES_MAX];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 5);
    hub_put_uint(&b, c->final_header.height);
    hub_put_hash(&b, &c->final_hash);
    hub_put_uint(&b, c->final_edge.size);
    hub_put_bytes_head(&b, sizeof c->final_edge.node);
    for (int level = 0; level < 64; level++) {
        static const struct hub_hash none;
        const struct hub_hash *node =
            c->final_edge.size >> level & 1 ? &c->final_edge.node[level] : &none;
        hub_put_raw(&b, (struct hub_span){node->b, sizeof node->b});
    }
    hub_put_array(&b, HUB_TABLES);
    for (unsigned t = 0; t < HUB_TABLES; t++)
        hub_put_uint(&b, c->state.count[t]);
    HUB_ASSERT(!b.full);
    return hub_env_put(env, HUB_MAP_META, meta_key(), hub_span_of(&b));
}

static enum hub_status load_meta(struct checkpoint *out, const struct hub_reader *r)
{
    struct hub_span value;
    enum hub_status status = hub_env_get(r, HUB_MAP_META, meta_key(), &value);
    if (status)
        return status;
    struct hub_cbor c = hub_cbor_open(value);
    memset(out, 0, sizeof *out);
    hub_cbor_array(&c, 5, 5);
    out->height = hub_cbor_uint(&c, 1, HUB_UINT_MAX);
    hub_cbor_hash(&c, &out->block);
    out->edge.size = hub_cbor_uint(&c, 1, HUB_UINT_MAX);
    hub_cbor_copy(&c, (uint8_t *)out->edge.node, sizeof out->edge.node);
    hub_cbor_array(&c, HUB_TABLES, HUB_TABLES);
    for (unsigned t = 0; t < HUB_TABLES; t++)
        out->count[t] = (uint32_t)hub_cbor_uint(&c, 0, hub_table_kinds[t].rows_max);
    return hub_cbor_done(&c) ? HUB_OK : HUB_CORRUPT;
}

/* ---- pages of rows: as many as fit for sure; a row with a longer slot has a page of several parts */
static bool is_raw(unsigned t)
{
    return t == HUB_TABLE_WALLETS;
}

static uint32_t rows_a_page(unsigned t)
{
    uint32_t rows = HUB_ROW_PAGE_BYTES / hub_table_kinds[t].slot_bytes;
    return rows ? rows : 1;
}

static void row_key(uint8_t key[ROW_KEY_BYTES], unsigned t, uint32_t page, uint16_t part)
{
    key[0] = (uint8_t)t;
    hub_put_be32(key + 1, page);
    hub_put_be16(key + 5, part);
}

/* out[HUB_ROW_BYTES_MAX] */
static size_t encode_page(uint8_t *out, const struct hub_state *s, unsigned t, uint32_t page)
{
    uint32_t first = page * rows_a_page(t), end = first + rows_a_page(t);
    size_t len = 0;
    for (uint32_t row = first; row < end && row < s->count[t]; row++) {
        struct hub_span bytes = hub_state_row(s, (enum hub_table)t, row);
        HUB_ASSERT(len + LENGTH_BYTES + bytes.len <= HUB_ROW_BYTES_MAX);
        if (!is_raw(t)) {
            hub_put_be16(out + len, (uint16_t)bytes.len);
            len += LENGTH_BYTES;
        }
        memcpy(out + len, bytes.data, bytes.len);
        len += bytes.len;
    }
    return len;
}

static enum hub_status save_page(struct hub_env *env, const struct hub_state *s, unsigned t,
                                 uint32_t page, uint8_t *buffer, uint32_t *parts)
{
    size_t len = encode_page(buffer, s, t, page), at = 0;
    uint8_t key[ROW_KEY_BYTES];
    uint16_t part = 0;
    for (; at < len; at += HUB_ROW_PAGE_BYTES, part++) {
        size_t n = len - at < HUB_ROW_PAGE_BYTES ? len - at : HUB_ROW_PAGE_BYTES;
        row_key(key, t, page, part);
        enum hub_status status = hub_env_put(env, HUB_MAP_ROW, (struct hub_span){key, sizeof key},
                                             (struct hub_span){buffer + at, n});
        if (status)
            return status;
    }
    *parts += part;
    enum hub_status status = HUB_OK;
    while (hub_table_kinds[t].slot_bytes > HUB_ROW_PAGE_BYTES &&
           status == HUB_OK) { /* of a row that was longer */
        row_key(key, t, page, part++);
        status = hub_env_del(env, HUB_MAP_ROW, (struct hub_span){key, sizeof key});
    }
    return status == HUB_NOT_FOUND ? HUB_OK : status;
}

/* H10: what one transaction may not hold is committed in parts, and between them there is no checkpoint. */
static enum hub_status bound_transaction(struct hub_env *env, uint32_t *parts)
{
    if (*parts < HUB_CHECKPOINT_PAGES_MAX)
        return HUB_OK;
    *parts = 0;
    enum hub_status status = hub_env_del(env, HUB_MAP_META, meta_key());
    return status == HUB_OK || status == HUB_NOT_FOUND ? hub_env_commit(env) : status;
}

/* Saves every page with an unsaved row, and takes the marks away. */
static enum hub_status save_table(struct hub_env *env, struct hub_state *s, unsigned t,
                                  uint8_t *buffer, uint32_t *parts)
{
    uint64_t *unsaved = s->mem[t].unsaved;
    uint32_t per_page = rows_a_page(t), saved = UINT32_MAX;
    for (uint32_t w = 0; w * UINT64_C(64) < s->count[t]; w++) {
        for (uint64_t bits = unsaved[w]; bits != 0; bits &= bits - 1) {
            uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (row >= s->count[t] || row / per_page == saved)
                continue;
            saved = row / per_page;
            enum hub_status status = save_page(env, s, t, saved, buffer, parts);
            if (status == HUB_OK)
                status = bound_transaction(env, parts);
            if (status)
                return status;
        }
        unsaved[w] = 0;
    }
    return HUB_OK;
}

void hub_checkpoint_rewrite_page(struct hub_state *s, struct hub_span key)
{
    if (key.len != ROW_KEY_BYTES || key.data[0] >= HUB_TABLES)
        return;
    const unsigned t = key.data[0];
    const uint64_t row = (uint64_t)hub_get_be32(key.data + 1) * rows_a_page(t);
    if (row < s->count[t])
        s->mem[t].unsaved[row / 64] |= UINT64_C(1) << row % 64;
}

/* ---- writing */
static uint64_t pages_of(const struct hub_state *s)
{
    uint64_t pages = 0;
    for (unsigned t = 0; t < HUB_TABLES; t++)
        pages += s->count[t] / rows_a_page(t) + 1;
    return pages;
}

enum hub_checkpoint_due hub_checkpoint_due(const struct hub_chain *c, const struct hub_history *h,
                                           bool idle)
{
    struct hub_history_size size = hub_history_size(h);
    if ((idle && size.blocks > 0) || size.block_bytes >= HUB_CHECKPOINT_BLOCK_BYTES)
        return HUB_DUE_ALL;
    if (size.row_writes >= HUB_CHECKPOINT_WRITES_MAX &&
        pages_of(&c->state) > HUB_CHECKPOINT_PAGES_MAX)
        return HUB_DUE_ALL;
    bool much = size.held_bytes >= HUB_CHECKPOINT_LOG_BYTES ||
                size.held_blocks >= HUB_HISTORY_BLOCKS_MAX / 2 ||
                size.held_records >= HUB_HISTORY_RECORDS_MAX / 2;
    return much ? HUB_DUE_LOG : HUB_DUE_NOTHING;
}

enum hub_status hub_checkpoint_write_log(struct hub_store *s, struct hub_history *h)
{
    struct hub_env *env = hub_store_env(s);
    enum hub_status status = hub_history_save(h, env);
    if (status == HUB_OK)
        status = hub_env_commit(env);
    if (status == HUB_OK)
        hub_history_saved(h, false);
    return status;
}

static enum hub_status take_up_again(struct hub_env *env)
{
    enum hub_status status = hub_env_del(env, HUB_MAP_META, given_up_key());
    return status == HUB_NOT_FOUND ? HUB_OK : status;
}

enum hub_status hub_checkpoint_give_up(struct hub_store *s)
{
    struct hub_env *env = hub_store_env(s);
    enum hub_status status = hub_env_put(env, HUB_MAP_META, given_up_key(), given_up_key());
    return status ? status : hub_env_commit(env);
}

enum hub_status hub_checkpoint_write(struct hub_store *s, struct hub_chain *c,
                                     struct hub_history *h)
{
    static uint8_t buffer[HUB_ROW_BYTES_MAX]; /* one store a process, one thread that writes */
    struct hub_env *env = hub_store_env(s);
    const struct hub_reader r = hub_store_reader(s);
    struct hub_point tip;
    struct hub_edge edge;
    uint32_t parts = 0;
    enum hub_status status = hub_read_tip(&r, &tip, &edge);
    if (status)
        return status;
    HUB_ASSERT(tip.height >= c->final_header.height &&
               hub_history_edge(h)->size == c->final_edge.size);
    status = hub_chain_move(c, &c->final_hash);
    HUB_ASSERT(status == HUB_OK);
    for (unsigned t = 0; t < HUB_TABLES && status == HUB_OK; t++)
        status = save_table(env, &c->state, t, buffer, &parts);
    if (status == HUB_OK)
        status = hub_history_save(h, env);
    if (status == HUB_OK)
        status = save_meta(env, c);
    if (status == HUB_OK && hub_history_whole(h))
        status = take_up_again(env);
    if (status == HUB_OK)
        status = hub_env_commit(env);
    if (status == HUB_OK)
        hub_history_saved(h, true);
    return status;
}

/* ---- reading */
struct rows { /* one page being read: rows from a table's pages, in order */
    uint8_t bytes[HUB_ROW_BYTES_MAX];
    size_t len, at;
};

static enum hub_status load_page(struct rows *rows, const struct hub_reader *r, unsigned t,
                                 uint32_t page)
{
    rows->len = rows->at = 0;
    for (uint16_t part = 0;; part++) {
        uint8_t key[ROW_KEY_BYTES];
        struct hub_span value;
        row_key(key, t, page, part);
        enum hub_status status =
            hub_env_get(r, HUB_MAP_ROW, (struct hub_span){key, sizeof key}, &value);
        if (status == HUB_NOT_FOUND && part > 0)
            return HUB_OK;
        if (status)
            return status == HUB_NOT_FOUND ? HUB_CORRUPT : status;
        if (value.len > HUB_ROW_PAGE_BYTES || value.len > sizeof rows->bytes - rows->len)
            return HUB_CORRUPT;
        memcpy(rows->bytes + rows->len, value.data, value.len);
        rows->len += value.len;
        if (value.len < HUB_ROW_PAGE_BYTES || hub_table_kinds[t].slot_bytes <= HUB_ROW_PAGE_BYTES)
            return HUB_OK;
    }
}

/* False: the page ends inside a row or before it. */
static bool next_row(struct rows *rows, unsigned t, struct hub_span *out)
{
    size_t left = rows->len - rows->at, len = HUB_WALLET_ROW_BYTES;
    if (!is_raw(t)) {
        if (left < LENGTH_BYTES)
            return false;
        len = hub_get_be16(rows->bytes + rows->at);
        rows->at += LENGTH_BYTES;
        left -= LENGTH_BYTES;
    }
    if (left < len)
        return false;
    *out = (struct hub_span){rows->bytes + rows->at, len};
    rows->at += len;
    return true;
}

/* Calls act on the table's rows in order, as stored. */
typedef bool visit_row(void *ctx, unsigned t, uint32_t row, struct hub_span bytes);
static enum hub_status each_row(const struct hub_reader *r, unsigned t, uint32_t count,
                                visit_row *visit, void *ctx, uint32_t *bad_row)
{
    static struct rows rows; /* too large for a stack; one thread reads checkpoints */
    uint32_t per_page = rows_a_page(t);
    for (uint32_t row = 0; row < count; row++) {
        struct hub_span bytes;
        enum hub_status status =
            row % per_page == 0 ? load_page(&rows, r, t, row / per_page) : HUB_OK;
        if (status == HUB_OK && (!next_row(&rows, t, &bytes) || !visit(ctx, t, row, bytes)))
            status = HUB_CORRUPT;
        if (status) {
            *bad_row = row;
            return status;
        }
    }
    return HUB_OK;
}

static bool add_row(void *ctx, unsigned t, uint32_t row, struct hub_span bytes)
{
    struct hub_state *s = ctx;
    return hub_state_row_ok((enum hub_table)t, bytes) &&
           hub_state_add(s, (enum hub_table)t, bytes) == row;
}

static enum hub_status load_rows(struct hub_state *s, const struct hub_reader *r,
                                 const struct checkpoint *cp, char why[HUB_WHY_BYTES])
{
    for (unsigned t = 0; t < HUB_TABLES; t++) {
        uint32_t bad = 0;
        if (cp->count[t] > s->mem[t].row_cap)
            return explain(why, HUB_LIMIT,
                           "checkpoint: %u rows of table %s, memory was reserved for %u",
                           cp->count[t], hub_table_kinds[t].name, s->mem[t].row_cap);
        enum hub_status status = each_row(r, t, cp->count[t], add_row, s, &bad);
        if (status)
            return explain(why, status, "checkpoint of height %llu: row %u of table %s is damaged",
                           (unsigned long long)cp->height, bad, hub_table_kinds[t].name);
        memset(s->mem[t].unsaved, 0, (cp->count[t] / 64 + 1) * sizeof *s->mem[t].unsaved);
    }
    return HUB_OK;
}

/* The block that ends the set's epoch is certified by the link to the next. */
static bool is_sealed(const struct hub_reader *r, const struct hub_hash *hash,
                      const struct hub_validators *set)
{
    struct hub_link link;
    struct hub_link_facts facts;
    struct hub_span bytes;
    const char *what;
    return !hub_read_link(r, set->epoch + 1, &bytes) && hub_link_decode(&link, bytes) &&
           hub_link_check(&facts, &what, &link, set, &hub_accept_all) == HUB_VERDICT_OK &&
           hub_hash_equal(&facts.seal_hash, hash);
}

/* The header of the checkpoint's height, reached downwards from a certified block at or above it. */
static enum hub_status certified_header(struct hub_header *out, const struct hub_reader *r,
                                        const struct checkpoint *cp, const struct hub_genesis *g)
{
    struct hub_validators set;
    struct hub_hash hash;
    enum hub_status status = hub_read_header(r, cp->height, out, &hash);
    if (status)
        return status == HUB_IO ? HUB_IO : HUB_CORRUPT;
    if (!hub_hash_equal(&hash, &cp->block))
        return HUB_CORRUPT;
    status = hub_read_set(r, g, out->epoch, &set);
    if (status || !hub_hash_equal(&out->validators, &set.hash))
        return status ? status : HUB_CORRUPT;
    struct hub_header at = *out;
    for (;;) {
        static struct hub_certificate cert; /* 4 KiB */
        if (hub_read_final_certificate(r, &at, &hash, &cert) == HUB_OK &&
            hub_certificate_ok(&cert, &set))
            return HUB_OK;
        if (hub_header_begins_epoch(&at))
            return is_sealed(r, &hash, &set) ? HUB_OK : HUB_CORRUPT;
        struct hub_header next;
        struct hub_hash next_hash;
        if (hub_read_header(r, at.height + 1, &next, &next_hash) ||
            !hub_hash_equal(&next.parent, &hash))
            return HUB_CORRUPT;
        at = next;
        hash = next_hash;
    }
}

static enum hub_status load(struct hub_chain *c, struct hub_history *h, const struct hub_reader *r,
                            const struct checkpoint *cp, const struct hub_genesis *g,
                            char why[HUB_WHY_BYTES])
{
    struct hub_header header;
    enum hub_status status = certified_header(&header, r, cp, g);
    if (status)
        return explain(why, status, "checkpoint of height %llu: no certificate leads to its block",
                       (unsigned long long)cp->height);
    status = load_rows(&c->state, r, cp, why);
    if (status)
        return status;
    struct hub_validators set;
    status = hub_read_set(r, g, header.epoch + hub_header_begins_epoch(&header), &set);
    if (status == HUB_OK)
        status = hub_chain_resume(c, &header, &cp->block, &cp->edge, &set);
    if (status)
        return explain(
            why, status,
            "checkpoint of height %llu: its rows or its log do not give the roots of its header",
            (unsigned long long)cp->height);
    status = hub_history_resume(h, r, &cp->edge);
    return status ? explain(why, status, "checkpoint of height %llu: nodes of the log are damaged",
                            (unsigned long long)cp->height)
                  : HUB_OK;
}

static enum hub_status at_genesis(struct hub_chain *c, struct hub_history *h,
                                  const struct hub_genesis *g, struct hub_chain_memory *m,
                                  struct hub_checkpoint_report *report)
{
    zero(m->state, m->state_bytes);
    zero(m->slots, m->slot_bytes);
    enum hub_status status = hub_chain_init(c, g, m->state, m->caps, m->slots);
    if (status)
        return explain(report->why, status, "genesis: its rows cannot be written");
    hub_history_genesis(h, g);
    report->height = 0;
    return HUB_OK;
}

enum hub_status hub_checkpoint_load(struct hub_store *s, struct hub_chain *c, struct hub_history *h,
                                    const struct hub_genesis *g, struct hub_chain_memory *m,
                                    struct hub_checkpoint_report *report)
{
    const struct hub_reader r = hub_store_reader(s);
    struct checkpoint cp;
    memset(report, 0, sizeof *report);
    enum hub_status status = at_genesis(c, h, g, m, report);
    if (status)
        return status;
    status = load_meta(&cp, &r);
    if (status == HUB_NOT_FOUND)
        return HUB_OK;
    struct hub_span given_up;
    if (hub_env_get(&r, HUB_MAP_META, given_up_key(), &given_up) != HUB_NOT_FOUND) {
        status = explain(report->why, HUB_CORRUPT,
                         "checkpoint of height %llu: a part of the record index, the results or "
                         "the log beside it is damaged",
                         (unsigned long long)cp.height);
    } else if (status == HUB_OK) {
        zero(m->state, m->state_bytes); /* the rows of genesis are in the checkpoint */
        hub_state_init(&c->state, m->state, m->caps);
        hub_genesis_name(g, &c->state);
        status = load(c, h, &r, &cp, g, report->why);
    } else {
        explain(report->why, status, "checkpoint: which block it is of cannot be read");
    }
    if (status == HUB_OK)
        report->height = cp.height;
    if (status == HUB_OK || status == HUB_IO || status == HUB_LIMIT)
        return status;
    report->damaged = true;
    return at_genesis(c, h, g, m, report);
}

/* ---- comparing */
enum hub_status hub_checkpoint_height(const struct hub_reader *r, uint64_t *height,
                                      struct hub_hash *block)
{
    struct checkpoint cp;
    enum hub_status status = load_meta(&cp, r);
    if (status)
        return status;
    *height = cp.height;
    *block = cp.block;
    return HUB_OK;
}

static bool same_row(void *ctx, unsigned t, uint32_t row, struct hub_span bytes)
{
    return hub_span_equal(hub_state_row(ctx, (enum hub_table)t, row), bytes);
}

enum hub_status hub_checkpoint_compare(const struct hub_reader *r, struct hub_chain *c,
                                       char why[HUB_WHY_BYTES])
{
    struct checkpoint cp;
    enum hub_status status = load_meta(&cp, r);
    if (status)
        return explain(why, status, "checkpoint: which block it is of cannot be read");
    HUB_ASSERT(cp.height == c->final_header.height);
    if (!hub_hash_equal(&cp.block, &c->final_hash))
        return explain(why, HUB_CORRUPT, "checkpoint of height %llu: it is of another block",
                       (unsigned long long)cp.height);
    status = hub_chain_move(c, &c->final_hash);
    HUB_ASSERT(status == HUB_OK);
    for (unsigned t = 0; t < HUB_TABLES; t++) {
        uint32_t bad = 0;
        if (cp.count[t] != c->state.count[t])
            return explain(why, HUB_CORRUPT,
                           "checkpoint of height %llu: table %s has %u rows, the blocks give %u",
                           (unsigned long long)cp.height, hub_table_kinds[t].name, cp.count[t],
                           c->state.count[t]);
        status = each_row(r, t, cp.count[t], same_row, &c->state, &bad);
        if (status)
            return explain(
                why, status,
                "checkpoint of height %llu: row %u of table %s is not what the blocks give",
                (unsigned long long)cp.height, bad, hub_table_kinds[t].name);
    }
    return HUB_OK;
}
