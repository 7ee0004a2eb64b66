/* ledger/wallet.h: what the currency rules share: rows, limits, counters, and one movement of money.
 * Tables and the keys of their rows:
 *   limits        [tier 0..4 or be32(slot), single, day, ...]: ten uints or null, in the order of enum
 *                 hub_limit. Rows 0..4 are the tiers, written at genesis, where null = no limit; in a wallet's
 *                 own row null = as its tier.
 *   children      [parent slot, balance of all sub-wallets, number of them]
 *   institutions  [institution, quota, issued, retired, reserve slot + 1]
 *   batches       [be16(institution) || reference, height, index]
 *   references    [key, height, index, slot]; key = 1 || be16(institution) || reference of a wallet.open,
 *                 2 || be16(tier) || be16(institution) || owner of a personal wallet, 3 || be32(paying slot) || reference
 *   totals        [0, issued, retired, [balance of each kind], [wallets of each kind]]
 *  1. A rule checks everything before its first write; the first code of results.def that fits wins.
 *  2. Every write of a wallet sets last_height: hub_wallet_invariants_ok relies on it.
 *  3. No sum can wrap: each addition is compared with what its counter still holds. */
#ifndef HUB_LEDGER_WALLET_H
#define HUB_LEDGER_WALLET_H

#include "hub/apply.h"
#include "hub/wallet.h"

/* First rows of the currency: with authority, the tiers, the totals and the issuer wallet, slot 0, which must
 * come first (quota is not used); else an institution with its quota and reserve wallet. */
void hub_wallet_genesis(struct hub_state *s, uint16_t institution, uint64_t quota, bool authority);
/* The rows that the writes of log touched still balance; walks the log once. False can only be a bug or bad
 * memory: the node stops before it votes. */
bool hub_wallet_invariants_ok(const struct hub_state *s, const struct hub_undo *log);

/* ---- wallet.c: rows */
static inline uint64_t hub_wallet_u64(const uint8_t *row, enum hub_wallet_offset at)
{
    return hub_get_be64(row + at);
}
static inline uint32_t hub_wallet_u32(const uint8_t *row, enum hub_wallet_offset at)
{
    return hub_get_be32(row + at);
}
static inline uint16_t hub_wallet_u16(const uint8_t *row, enum hub_wallet_offset at)
{
    return hub_get_be16(row + at);
}
/* A holder's balance; the issuer, whose debits exceed its credits, has none. */
static inline uint64_t hub_wallet_balance(const uint8_t *row)
{
    uint64_t balance = 0;
    (void)hub_sub_u64(&balance, hub_wallet_u64(row, HUB_WALLET_CREDITS_POSTED),
                      hub_wallet_u64(row, HUB_WALLET_DEBITS_POSTED));
    return balance;
}
/* Pending amounts count as spent. */
static inline uint64_t hub_wallet_available(const uint8_t *row)
{
    uint64_t available = 0;
    (void)hub_sub_u64(&available, hub_wallet_balance(row),
                      hub_wallet_u64(row, HUB_WALLET_DEBITS_PENDING));
    return available;
}
/* slot < count of wallets; 128 bytes, valid until the next write to the table. */
const uint8_t *hub_wallet_row(const struct hub_state *s, uint32_t slot);
/* Appends a wallet, counts it in totals; UINT32_MAX when the table or the log is full. */
uint32_t hub_wallet_add(struct hub_state *s, struct hub_supply *totals,
                        const uint8_t row[HUB_WALLET_ROW_BYTES]);
/* A row of zeros but for what every new wallet has; owner may be NULL. */
void hub_wallet_new(uint8_t row[HUB_WALLET_ROW_BYTES], const struct hub_state *s,
                    uint16_t institution, enum hub_wallet_kind kind, uint8_t tier,
                    const uint8_t *owner);
void hub_institution_put(struct hub_state *s,
                         const struct hub_institution *i); /* i->row must exist */
HUB_MUST_USE bool hub_supply_decode(struct hub_supply *out,
                                    struct hub_span row); /* pending stays 0 */
void hub_supply_put(struct hub_state *s, const struct hub_supply *totals);

struct hub_children {
    uint32_t row; /* UINT32_MAX: no row yet */
    uint32_t parent, count;
    uint64_t total;
};
/* Sub-wallets of a parent; without a row all zero. */
void hub_children_get(struct hub_children *out, const struct hub_state *s, uint32_t parent);
void hub_children_put(struct hub_state *s, const struct hub_children *c);

/* ---- wallet_reference.c: business references */
enum hub_reference_kind {
    HUB_REFERENCE_OPENING = 1,
    HUB_REFERENCE_OWNER = 2,
    HUB_REFERENCE_PAYMENT = 3
};
/* scope: institution; for an owner the tier above it; for a payment the paying slot. out may be NULL. */
bool hub_reference_find(struct hub_posting *out, const struct hub_state *s,
                        enum hub_reference_kind kind, uint32_t scope, const uint8_t reference[16]);
void hub_reference_add(struct hub_apply *a, enum hub_reference_kind kind, uint32_t scope,
                       const uint8_t reference[16], uint32_t slot);
void hub_batch_add(struct hub_apply *a, uint16_t institution, const uint8_t reference[16]);

/* ---- wallet_limits.c */
extern const struct hub_limits hub_limits_none;
extern const struct hub_field hub_limits_fields[];
/* Writes rows 0..4: the tiers' defaults. */
void hub_limits_genesis(struct hub_state *s);
/* A wallet's own limits from a checked body map; the row, or UINT32_MAX when full. */
uint32_t hub_limits_add(struct hub_state *s, uint32_t slot, struct hub_span body);
/* One row; null becomes the value of the same place in absent. */
void hub_limits_decode(struct hub_limits *out, struct hub_span row,
                       const struct hub_limits *absent);

/* ---- currency.c: what stays the same for all movements of one record */
struct hub_turn {
    struct hub_apply *apply;
    const uint8_t
        *reference; /* 16 bytes in the record's body: this payer pays it once; NULL = none */
    struct hub_supply totals;
    struct hub_limits tier[HUB_TIERS]; /* loaded when first needed: bit t of loaded */
    struct hub_limits own; /* those of row own_row - 1 over its tier's; own_row 0 = none yet */
    uint32_t loaded, own_row;
    uint64_t amount_max;
    uint16_t institution; /* of the signer's member; 0 = signed by a wallet key */
    uint16_t served;      /* an institution seen not to be removed; 0 = none yet */
    uint16_t day;
    uint8_t year;
};
/* wallet_limits.c: whether one movement more stays within the limits in force; 0 or the first code. */
uint16_t hub_limits_payment(struct hub_turn *t, const uint8_t *payer_row, uint64_t amount);
uint16_t hub_limits_redemption(struct hub_turn *t, const uint8_t *payer_row, uint64_t amount);
/* Held, expected and in sub-wallets: all of it counts against the payee's cap. */
uint16_t hub_limits_balance(struct hub_turn *t, uint32_t credit, uint64_t amount);

/* 0, or currency_off. */
uint16_t hub_turn_begin(struct hub_turn *t, struct hub_apply *a);
/* Writes the totals. Not called when the record failed. */
void hub_turn_end(struct hub_turn *t);
/* Further signers with these roles of the signer's member: 0, cosign_role or cosign_missing. */
uint16_t hub_turn_cosigned(const struct hub_apply *a, uint32_t roles, uint64_t need);
/* May the signer spend from this wallet: 0, not_custodian or not_holder. */
uint16_t hub_turn_custody(const struct hub_turn *t, const uint8_t *row);
/* One payment by numbers with every rule of currency.transfer; writes only when it answers 0. */
uint16_t hub_turn_pay(struct hub_turn *t, uint64_t debit, uint64_t credit, uint64_t amount);
/* The same by slots with the rules of currency.redeem: a wallet to the reserve of its institution. */
uint16_t hub_turn_redeem(struct hub_turn *t, uint32_t slot, uint32_t reserve, uint64_t amount);
/* The same for currency.issue: the issuer wallet to the reserve of *i (which is there), within its quota and
 * the supply cap; counts it in *i. */
uint16_t hub_turn_issue(struct hub_turn *t, struct hub_institution *i, uint64_t amount);

/* ---- the currency family's part of the table of record types */
extern const struct hub_field hub_wallet_open_fields[], hub_currency_issue_fields[],
    hub_currency_transfer_fields[], hub_currency_batch_fields[], hub_currency_redeem_fields[];
/* Static rules beyond the fields: 0, or a code of class refused. */
uint16_t hub_wallet_open_check(const struct hub_record *r);
uint16_t hub_currency_transfer_check(const struct hub_record *r);
uint16_t hub_currency_batch_check(const struct hub_record *r);
uint16_t hub_wallet_open_apply(struct hub_apply *a);
uint16_t hub_currency_issue_apply(struct hub_apply *a);
uint16_t hub_currency_transfer_apply(struct hub_apply *a);
uint16_t hub_currency_batch_apply(struct hub_apply *a);
uint16_t hub_currency_redeem_apply(struct hub_apply *a);

#endif
