/* wallet_limits.c: the tiers' limits and a wallet's own (docs/currency.md has the table). */
#include "ledger/wallet.h"

const char *const hub_limit_names[] = {"single",      "day",
                                       "day_count",   "year",
                                       "balance",     "redeem_single",
                                       "redeem_day",  "redeem_day_count",
                                       "redeem_year", "redeem_year_count",
                                       NULL};
_Static_assert(sizeof hub_limit_names / sizeof *hub_limit_names == HUB_LIMIT_COUNT + 1,
               "one name a limit");

#define LIMIT_FIELD(text)                                                                          \
    {                                                                                              \
        .name = text, .kind = HUB_FIELD_UINT, .max = HUB_UINT_MAX                                  \
    }
const struct hub_field hub_limits_fields[] = {
    LIMIT_FIELD("day"),
    LIMIT_FIELD("year"),
    LIMIT_FIELD("single"),
    LIMIT_FIELD("balance"),
    LIMIT_FIELD("day_count"),
    LIMIT_FIELD("redeem_day"),
    LIMIT_FIELD("redeem_year"),
    LIMIT_FIELD("redeem_single"),
    LIMIT_FIELD("redeem_day_count"),
    LIMIT_FIELD("redeem_year_count"),
    {.name = NULL},
};

#define NONE HUB_LIMIT_NONE
const struct hub_limits hub_limits_none = {
    {NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE}};

/* Payments and balances are the published figures for e-CNY wallets of types II to IV; what may be redeemed at
 * once and in a day follows the payments, in a year it is 50 days' worth, and IV, opened without identification,
 * redeems no more in a year than it may pay. Tier 0 (reserve, fee, corporate) and tier I have none. */
static const struct hub_limits tier_defaults[HUB_TIERS] = {
    {{NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE}},
    {{NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE}},
    {{5000000, 10000000, NONE, NONE, 50000000, 5000000, 10000000, 20, 500000000, 1000}},
    {{500000, 1000000, NONE, NONE, 2000000, 500000, 1000000, 10, 50000000, 500}},
    {{200000, 500000, NONE, 5000000, 1000000, 200000, 500000, 5, 5000000, 100}},
};

static void put_limit(struct hub_buf *b, uint64_t value)
{
    if (value == HUB_LIMIT_NONE)
        hub_put_null(b);
    else
        hub_put_uint(b, value);
}

void hub_limits_genesis(struct hub_state *s)
{
    for (uint32_t tier = 0; tier < HUB_TIERS; tier++) {
        uint8_t bytes[HUB_LIMITS_ROW_BYTES - 2];
        struct hub_buf b = {bytes, 0, sizeof bytes, false};
        hub_put_array(&b, 1 + HUB_LIMIT_COUNT);
        hub_put_uint(&b, tier);
        for (int i = 0; i < HUB_LIMIT_COUNT; i++)
            put_limit(&b, tier_defaults[tier].value[i]);
        HUB_ASSERT(!b.full);
        uint32_t row = hub_state_add(s, HUB_TABLE_LIMITS, hub_span_of(&b));
        HUB_ASSERT(row == tier);
    }
}

uint32_t hub_limits_add(struct hub_state *s, uint32_t slot, struct hub_span body)
{
    uint8_t bytes[HUB_LIMITS_ROW_BYTES - 2], key[4];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_be32(key, slot);
    hub_put_array(&b, 1 + HUB_LIMIT_COUNT);
    hub_put_bytes(&b, (struct hub_span){key, sizeof key});
    for (int i = 0; i < HUB_LIMIT_COUNT; i++)
        put_limit(&b, hub_field_uint(body, hub_limit_names[i], HUB_LIMIT_NONE));
    HUB_ASSERT(!b.full);
    return hub_state_add(s, HUB_TABLE_LIMITS, hub_span_of(&b));
}

void hub_limits_decode(struct hub_limits *out, struct hub_span row, const struct hub_limits *absent)
{
    struct hub_cbor c = hub_cbor_open(row);
    hub_cbor_array(&c, 1 + HUB_LIMIT_COUNT, 1 + HUB_LIMIT_COUNT);
    hub_cbor_item(&c);
    for (int i = 0; i < HUB_LIMIT_COUNT; i++) {
        if (hub_cbor_peek(&c) == HUB_CBOR_UINT) {
            out->value[i] = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
        } else {
            hub_cbor_null(&c);
            out->value[i] = absent->value[i];
        }
    }
    HUB_ASSERT(hub_cbor_done(&c));
}

/* ---- in force */

static const struct hub_limits *tier_limits(struct hub_turn *t, uint8_t tier)
{
    HUB_ASSERT(tier < HUB_TIERS);
    if (!(t->loaded >> tier & 1)) {
        hub_limits_decode(&t->tier[tier], hub_state_row(t->apply->state, HUB_TABLE_LIMITS, tier),
                          &hub_limits_none);
        t->loaded |= 1u << tier;
    }
    return &t->tier[tier];
}

/* A reserve has none, so that topping up never stops at what is set for tier 0. */
static const struct hub_limits *limits_of(struct hub_turn *t, const uint8_t *row)
{
    if (row[HUB_WALLET_KIND] == HUB_WALLET_KIND_RESERVE)
        return &hub_limits_none;
    const struct hub_limits *tier = tier_limits(t, row[HUB_WALLET_TIER]);
    uint32_t own = hub_wallet_u32(row, HUB_WALLET_LIMITS);
    if (own == 0)
        return tier;
    if (own != t->own_row) {
        hub_limits_decode(&t->own, hub_state_row(t->apply->state, HUB_TABLE_LIMITS, own - 1), tier);
        t->own_row = own;
    }
    return &t->own;
}

/* sum + amount > limit, without the addition. True also where the sum itself would not fit. */
static bool above(uint64_t sum, uint64_t amount, uint64_t limit)
{
    return amount > limit || sum > limit - amount;
}

/* The counter's own width is a limit like any other: it never wraps. */
static bool count_full(uint64_t count, uint64_t limit, uint64_t width)
{
    return count >= limit || count >= width;
}

uint16_t hub_limits_payment(struct hub_turn *t, const uint8_t *row, uint64_t amount)
{
    const uint64_t *limit = limits_of(t, row)->value;
    bool today = hub_wallet_u16(row, HUB_WALLET_DAY) == t->day;
    bool this_year = row[HUB_WALLET_YEAR] == t->year;
    if (amount > limit[HUB_LIMIT_SINGLE])
        return HUB_CODE_above_payment_limit;
    if (above(today ? hub_wallet_u64(row, HUB_WALLET_PAY_DAY_SUM) : 0, amount,
              limit[HUB_LIMIT_DAY]))
        return HUB_CODE_above_day_limit;
    if (count_full(today ? hub_wallet_u32(row, HUB_WALLET_PAY_DAY_COUNT) : 0,
                   limit[HUB_LIMIT_DAY_COUNT], UINT32_MAX))
        return HUB_CODE_above_day_count;
    if (above(this_year ? hub_wallet_u64(row, HUB_WALLET_PAY_YEAR_SUM) : 0, amount,
              limit[HUB_LIMIT_YEAR]))
        return HUB_CODE_above_year_limit;
    return 0;
}

uint16_t hub_limits_redemption(struct hub_turn *t, const uint8_t *row, uint64_t amount)
{
    const uint64_t *limit = limits_of(t, row)->value;
    bool today = hub_wallet_u16(row, HUB_WALLET_DAY) == t->day;
    bool this_year = row[HUB_WALLET_YEAR] == t->year;
    uint16_t day_count = today ? hub_wallet_u16(row, HUB_WALLET_REDEEM_DAY_COUNT) : 0;
    uint16_t year_count = this_year ? hub_wallet_u16(row, HUB_WALLET_REDEEM_YEAR_COUNT) : 0;
    if (amount > limit[HUB_LIMIT_REDEEM_SINGLE])
        return HUB_CODE_above_redeem_single;
    if (above(today ? hub_wallet_u64(row, HUB_WALLET_REDEEM_DAY_SUM) : 0, amount,
              limit[HUB_LIMIT_REDEEM_DAY]))
        return HUB_CODE_above_redeem_day;
    if (count_full(day_count, limit[HUB_LIMIT_REDEEM_DAY_COUNT], UINT16_MAX))
        return HUB_CODE_above_redeem_day_count;
    if (above(this_year ? hub_wallet_u64(row, HUB_WALLET_REDEEM_YEAR_SUM) : 0, amount,
              limit[HUB_LIMIT_REDEEM_YEAR]))
        return HUB_CODE_above_redeem_year;
    if (count_full(year_count, limit[HUB_LIMIT_REDEEM_YEAR_COUNT], UINT16_MAX))
        return HUB_CODE_above_redeem_year_count;
    return 0;
}

uint16_t hub_limits_balance(struct hub_turn *t, uint32_t credit, uint64_t amount)
{
    const uint8_t *row = hub_wallet_row(t->apply->state, credit);
    uint64_t cap = limits_of(t, row)->value[HUB_LIMIT_BALANCE], held = hub_wallet_balance(row);
    struct hub_children children = {0};
    if (cap == HUB_LIMIT_NONE)
        return 0;
    if (hub_wallet_u16(row, HUB_WALLET_FLAGS) & HUB_WALLET_HAS_CHILDREN)
        hub_children_get(&children, t->apply->state, credit);
    if (!hub_add_u64(&held, held, hub_wallet_u64(row, HUB_WALLET_CREDITS_PENDING)) ||
        !hub_add_u64(&held, held, children.total))
        return HUB_CODE_overflow;
    return above(held, amount, cap) ? HUB_CODE_above_balance_cap : 0;
}
