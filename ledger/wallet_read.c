/* wallet_read.c: what people and programs ask of the currency tables, newest or as of a finalized block. */
#include "ledger/wallet.h"

#include <string.h>

struct reading { /* rows as of before logs[0..n); n = 0: the newest */
    const struct hub_state *state;
    const struct hub_undo *const *logs;
    size_t n;
};

static bool row_at(struct hub_span *out, const struct reading *r, enum hub_table t, uint32_t row)
{
    if (row >= r->state->count[t])
        return false;
    if (r->n > 0)
        return hub_state_row_before(r->state, r->logs, r->n, t, row, out);
    *out = hub_state_row(r->state, t, row);
    return true;
}

/* A sum that belongs to another day or year is zero. */
static struct hub_limit_use use(bool current, uint64_t sum, uint64_t count, uint64_t limit)
{
    struct hub_limit_use u = {0, 0, limit};
    if (!current)
        return u;
    u.sum = sum;
    u.count = count;
    if (limit != HUB_LIMIT_NONE)
        u.left = sum < limit ? limit - sum : 0;
    return u;
}

static void read_counters(struct hub_wallet *out, const uint8_t *payer, uint64_t time_ms)
{
    bool today = hub_wallet_u16(payer, HUB_WALLET_DAY) == hub_day_of(time_ms);
    bool this_year = payer[HUB_WALLET_YEAR] == hub_year_of(time_ms);
    const uint64_t *limit = out->limits.value;
    out->pay_day = use(today, hub_wallet_u64(payer, HUB_WALLET_PAY_DAY_SUM),
                       hub_wallet_u32(payer, HUB_WALLET_PAY_DAY_COUNT), limit[HUB_LIMIT_DAY]);
    out->pay_year =
        use(this_year, hub_wallet_u64(payer, HUB_WALLET_PAY_YEAR_SUM), 0, limit[HUB_LIMIT_YEAR]);
    out->redeem_day =
        use(today, hub_wallet_u64(payer, HUB_WALLET_REDEEM_DAY_SUM),
            hub_wallet_u16(payer, HUB_WALLET_REDEEM_DAY_COUNT), limit[HUB_LIMIT_REDEEM_DAY]);
    out->redeem_year =
        use(this_year, hub_wallet_u64(payer, HUB_WALLET_REDEEM_YEAR_SUM),
            hub_wallet_u16(payer, HUB_WALLET_REDEEM_YEAR_COUNT), limit[HUB_LIMIT_REDEEM_YEAR]);
}

static void read_limits(struct hub_limits *out, const struct reading *r, const uint8_t *payer)
{
    struct hub_span row;
    *out = hub_limits_none;
    if (row_at(&row, r, HUB_TABLE_LIMITS, payer[HUB_WALLET_TIER]))
        hub_limits_decode(out, row, &hub_limits_none);
    uint32_t own = hub_wallet_u32(payer, HUB_WALLET_LIMITS);
    struct hub_limits tier = *out;
    if (own > 0 && row_at(&row, r, HUB_TABLE_LIMITS, own - 1))
        hub_limits_decode(out, row, &tier);
}

static void read_row(struct hub_wallet *out, const uint8_t *row)
{
    out->key = hub_wallet_u32(row, HUB_WALLET_KEY);
    out->institution = hub_wallet_u16(row, HUB_WALLET_INSTITUTION);
    out->custodian = hub_wallet_u16(row, HUB_WALLET_CUSTODIAN);
    out->issuer = hub_wallet_u16(row, HUB_WALLET_ISSUER);
    out->open_items = hub_wallet_u16(row, HUB_WALLET_OPEN_ITEMS);
    out->flags = hub_wallet_u16(row, HUB_WALLET_FLAGS);
    out->kind = (enum hub_wallet_kind)row[HUB_WALLET_KIND];
    out->tier = row[HUB_WALLET_TIER];
    out->currency = row[HUB_WALLET_CURRENCY];
    memcpy(out->owner, row + HUB_WALLET_OWNER, sizeof out->owner);
    out->last_height = hub_wallet_u64(row, HUB_WALLET_LAST_HEIGHT);
    out->debits = hub_wallet_u64(row, HUB_WALLET_DEBITS_POSTED);
    out->credits = hub_wallet_u64(row, HUB_WALLET_CREDITS_POSTED);
    out->pending_out = hub_wallet_u64(row, HUB_WALLET_DEBITS_PENDING);
    out->pending_in = hub_wallet_u64(row, HUB_WALLET_CREDITS_PENDING);
    out->balance = hub_wallet_balance(row);
    out->available = hub_wallet_available(row);
    out->number = hub_wallet_number(out->institution, out->slot);
}

static uint64_t read_children(const struct reading *r, uint32_t slot)
{
    struct hub_children children;
    hub_children_get(&children, r->state,
                     slot); /* the row's place never changes, its content may be newer */
    struct hub_span row;
    if (children.row == UINT32_MAX || !row_at(&row, r, HUB_TABLE_CHILDREN, children.row))
        return 0;
    struct hub_cbor c = hub_cbor_open(row);
    hub_cbor_array(&c, 3, 3);
    hub_cbor_item(&c);
    return hub_cbor_uint(&c, 0, UINT64_MAX);
}

bool hub_wallet_read(struct hub_wallet *out, const struct hub_state *s,
                     const struct hub_undo *const *logs, size_t n, uint64_t number,
                     uint64_t time_ms)
{
    struct reading r = {s, logs, n};
    struct hub_span row, parent;
    uint32_t slot;
    if (!hub_wallet_slot(&slot, s, number) || !row_at(&row, &r, HUB_TABLE_WALLETS, slot))
        return false;
    *out = (struct hub_wallet){.slot = slot};
    read_row(out, row.data);
    const uint8_t *payer = row.data; /* whose limits and counters these are */
    uint32_t parent_slot = hub_wallet_u32(row.data, HUB_WALLET_PARENT);
    if (parent_slot > 0 && row_at(&parent, &r, HUB_TABLE_WALLETS, parent_slot - 1)) {
        payer = parent.data;
        out->parent =
            hub_wallet_number(hub_wallet_u16(payer, HUB_WALLET_INSTITUTION), parent_slot - 1);
    }
    if (out->flags & HUB_WALLET_HAS_CHILDREN)
        out->children = read_children(&r, slot);
    read_limits(&out->limits, &r, payer);
    read_counters(out, payer, time_ms);
    return true;
}

bool hub_supply_decode(struct hub_supply *out, struct hub_span row)
{
    *out = (struct hub_supply){0};
    struct hub_cbor c = hub_cbor_open(row);
    hub_cbor_array(&c, 5, 5);
    hub_cbor_uint(&c, 0, 0);
    out->issued = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->retired = hub_cbor_uint(&c, 0, UINT64_MAX);
    hub_cbor_array(&c, HUB_WALLET_KINDS, HUB_WALLET_KINDS);
    for (int k = 0; k < HUB_WALLET_KINDS; k++)
        out->balance[k] = hub_cbor_uint(&c, 0, UINT64_MAX);
    hub_cbor_array(&c, HUB_WALLET_KINDS, HUB_WALLET_KINDS);
    for (int k = 0; k < HUB_WALLET_KINDS; k++)
        out->wallets[k] = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    return hub_cbor_done(&c);
}

bool hub_supply_read(struct hub_supply *out, const struct hub_state *s,
                     const struct hub_undo *const *logs, size_t n)
{
    struct reading r = {s, logs, n};
    struct hub_span row;
    return row_at(&row, &r, HUB_TABLE_TOTALS, 0) && hub_supply_decode(out, row);
}
