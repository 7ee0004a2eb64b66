/* wallet.c: the rows of the currency tables: building, reading and writing them. */
#include "ledger/wallet.h"

#include <string.h>

_Static_assert(HUB_WALLET_YEAR + 1 == HUB_WALLET_ROW_BYTES, "the layout fills the row");

const char *const hub_wallet_kind_names[] = {
    "issuer", "reserve", "personal", "sub", "corporate", "sub-corporate", "hard", "fee", NULL};
_Static_assert(sizeof hub_wallet_kind_names / sizeof *hub_wallet_kind_names == HUB_WALLET_KINDS + 1,
               "one name a kind");

/* ---- days and years */

enum { DAY_2020 = 18262 }; /* days from 1970-01-01 to 2020-01-01 */
static const uint64_t day_ms = 86400000, utc8_ms = 28800000;

static uint64_t days_since_2020(uint64_t time_ms)
{
    uint64_t days = time_ms / day_ms + (time_ms % day_ms + utc8_ms) / day_ms;
    return days < DAY_2020 ? 0 : days - DAY_2020;
}

uint16_t hub_day_of(uint64_t time_ms)
{
    uint64_t days = days_since_2020(time_ms);
    return days > UINT16_MAX ? UINT16_MAX : (uint16_t)days;
}

/* 2020 begins a leap year, so four years are 1461 days from there; 2100 and 2200 are common years. */
uint8_t hub_year_of(uint64_t time_ms)
{
    enum { FOUR_YEARS = 1461, LEAP_YEAR = 366, YEAR = 365 };
    enum { MARCH_2100 = 29279, MARCH_2200 = 65803 }; /* days from 2020-01-01 */
    uint64_t days = days_since_2020(time_ms);
    if (days >= MARCH_2200)
        days += 2; /* as if 29 February 2100 and 2200 had been */
    else if (days >= MARCH_2100)
        days += 1;
    uint64_t rest = days % FOUR_YEARS;
    uint64_t year = days / FOUR_YEARS * 4 + (rest < LEAP_YEAR ? 0 : 1 + (rest - LEAP_YEAR) / YEAR);
    return year > UINT8_MAX ? UINT8_MAX : (uint8_t)year;
}

/* ---- wallets */

const uint8_t *hub_wallet_row(const struct hub_state *s, uint32_t slot)
{
    struct hub_span row = hub_state_row(s, HUB_TABLE_WALLETS, slot);
    HUB_ASSERT(row.len == HUB_WALLET_ROW_BYTES);
    return row.data;
}

bool hub_wallet_slot(uint32_t *slot, const struct hub_state *s, uint64_t number)
{
    uint32_t at = (uint32_t)(number >> 16);
    if (at >= s->count[HUB_TABLE_WALLETS])
        return false;
    if (hub_wallet_u16(hub_wallet_row(s, at), HUB_WALLET_INSTITUTION) != number >> 48 ||
        !hub_wallet_number_ok(number))
        return false;
    *slot = at;
    return true;
}

void hub_wallet_new(uint8_t row[HUB_WALLET_ROW_BYTES], const struct hub_state *s,
                    uint16_t institution, enum hub_wallet_kind kind, uint8_t tier,
                    const uint8_t *owner)
{
    uint16_t issuer = institution; /* the first wallet is the issuer's own */
    if (s->count[HUB_TABLE_WALLETS] > 0)
        issuer = hub_wallet_u16(hub_wallet_row(s, 0), HUB_WALLET_INSTITUTION);
    HUB_ASSERT((kind == HUB_WALLET_KIND_ISSUER) == (s->count[HUB_TABLE_WALLETS] == 0));
    memset(row, 0, HUB_WALLET_ROW_BYTES);
    if (owner != NULL)
        memcpy(row + HUB_WALLET_OWNER, owner, 16);
    hub_put_be16(row + HUB_WALLET_INSTITUTION, institution);
    hub_put_be16(row + HUB_WALLET_CUSTODIAN, institution);
    hub_put_be16(row + HUB_WALLET_ISSUER, issuer);
    row[HUB_WALLET_KIND] = (uint8_t)kind;
    row[HUB_WALLET_TIER] = tier;
    row[HUB_WALLET_CURRENCY] = HUB_CURRENCY_CNY;
}

uint32_t hub_wallet_add(struct hub_state *s, struct hub_supply *totals,
                        const uint8_t row[HUB_WALLET_ROW_BYTES])
{
    HUB_ASSERT(row[HUB_WALLET_KIND] < HUB_WALLET_KINDS);
    totals->wallets[row[HUB_WALLET_KIND]]++;
    return hub_state_add(s, HUB_TABLE_WALLETS, (struct hub_span){row, HUB_WALLET_ROW_BYTES});
}

/* ---- institutions */

void hub_institution_get(struct hub_institution *out, const struct hub_state *s, uint32_t row)
{
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_INSTITUTIONS, row));
    hub_cbor_array(&c, 5, 5);
    out->row = row;
    out->number = hub_cbor_uint(&c, 1, UINT16_MAX);
    out->quota = hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    out->issued = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->retired = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->reserve = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    HUB_ASSERT(hub_cbor_done(&c));
}

static struct hub_span uint_key(uint8_t storage[9], uint64_t v)
{
    struct hub_buf b = {storage, 0, 9, false};
    hub_put_uint(&b, v);
    return hub_span_of(&b);
}

bool hub_institution_find(struct hub_institution *out, const struct hub_state *s, uint64_t number)
{
    uint8_t key[9];
    uint32_t row;
    if (!hub_state_find(s, HUB_TABLE_INSTITUTIONS, uint_key(key, number), &row))
        return false;
    hub_institution_get(out, s, row);
    return true;
}

static void institution_encode(struct hub_buf *b, const struct hub_institution *i)
{
    hub_put_array(b, 5);
    hub_put_uint(b, i->number);
    hub_put_uint(b, i->quota);
    hub_put_uint(b, i->issued);
    hub_put_uint(b, i->retired);
    hub_put_uint(b, i->reserve);
    HUB_ASSERT(!b->full);
}

void hub_institution_put(struct hub_state *s, const struct hub_institution *i)
{
    uint8_t bytes[HUB_INSTITUTION_ROW_BYTES - 2];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    institution_encode(&b, i);
    hub_state_put(s, HUB_TABLE_INSTITUTIONS, i->row, hub_span_of(&b));
}

/* ---- sub-wallets of a parent */

void hub_children_get(struct hub_children *out, const struct hub_state *s, uint32_t parent)
{
    uint8_t key[9];
    *out = (struct hub_children){.row = UINT32_MAX, .parent = parent};
    uint32_t row;
    if (!hub_state_find(s, HUB_TABLE_CHILDREN, uint_key(key, parent), &row))
        return;
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_CHILDREN, row));
    hub_cbor_array(&c, 3, 3);
    out->row = row;
    hub_cbor_uint(&c, parent, parent);
    out->total = hub_cbor_uint(&c, 0, UINT64_MAX);
    out->count = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    HUB_ASSERT(hub_cbor_done(&c));
}

void hub_children_put(struct hub_state *s, const struct hub_children *c)
{
    uint8_t bytes[HUB_CHILDREN_ROW_BYTES - 2];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 3);
    hub_put_uint(&b, c->parent);
    hub_put_uint(&b, c->total);
    hub_put_uint(&b, c->count);
    HUB_ASSERT(!b.full);
    if (c->row == UINT32_MAX)
        hub_state_add(s, HUB_TABLE_CHILDREN, hub_span_of(&b));
    else
        hub_state_put(s, HUB_TABLE_CHILDREN, c->row, hub_span_of(&b));
}

/* ---- totals */

static void supply_encode(struct hub_buf *b, const struct hub_supply *totals)
{
    hub_put_array(b, 5);
    hub_put_uint(b, 0);
    hub_put_uint(b, totals->issued);
    hub_put_uint(b, totals->retired);
    hub_put_array(b, HUB_WALLET_KINDS);
    for (int k = 0; k < HUB_WALLET_KINDS; k++)
        hub_put_uint(b, totals->balance[k]);
    hub_put_array(b, HUB_WALLET_KINDS);
    for (int k = 0; k < HUB_WALLET_KINDS; k++)
        hub_put_uint(b, totals->wallets[k]);
    HUB_ASSERT(!b->full);
}

void hub_supply_put(struct hub_state *s, const struct hub_supply *totals)
{
    uint8_t bytes[HUB_TOTALS_ROW_BYTES - 2];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    supply_encode(&b, totals);
    hub_state_put(s, HUB_TABLE_TOTALS, 0, hub_span_of(&b));
}

/* ---- genesis */

static void genesis_issuer(struct hub_state *s, uint16_t institution)
{
    HUB_ASSERT(s->count[HUB_TABLE_WALLETS] == 0 && s->count[HUB_TABLE_LIMITS] == 0);
    hub_limits_genesis(s);
    struct hub_supply totals = {0};
    uint8_t row[HUB_WALLET_ROW_BYTES];
    hub_wallet_new(row, s, institution, HUB_WALLET_KIND_ISSUER, 0, NULL);
    hub_wallet_add(s, &totals, row);
    uint8_t bytes[HUB_TOTALS_ROW_BYTES - 2];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    supply_encode(&b, &totals);
    hub_state_add(s, HUB_TABLE_TOTALS, hub_span_of(&b));
}

void hub_wallet_genesis(struct hub_state *s, uint16_t institution, uint64_t quota, bool authority)
{
    if (authority) {
        genesis_issuer(s, institution);
        return;
    }
    struct hub_supply totals;
    bool has_issuer = hub_supply_read(&totals, s, NULL, 0);
    HUB_ASSERT(has_issuer);
    uint8_t row[HUB_WALLET_ROW_BYTES];
    hub_wallet_new(row, s, institution, HUB_WALLET_KIND_RESERVE, 0, NULL);
    uint32_t slot = hub_wallet_add(s, &totals, row);
    hub_supply_put(s, &totals);
    struct hub_institution i = {.number = institution, .quota = quota, .reserve = slot + 1};
    uint8_t bytes[HUB_INSTITUTION_ROW_BYTES - 2];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    institution_encode(&b, &i);
    hub_state_add(s, HUB_TABLE_INSTITUTIONS, hub_span_of(&b));
}
