/* wallet.h: the rows of the currency tables for those who read them: API, command line, verifier, tests.
 * The rules that write them are in ledger/wallet*.c and ledger/currency*.c (docs/currency.md).
 *  1. A wallet row is 128 bytes, big-endian, at the offsets below; its slot is its row index.
 *  2. Amounts are fen. A holder's balance is credits_posted - debits_posted and never negative; the issuer
 *     wallet, slot 0, is the only one in debt, and its debt is the money in circulation.
 *  3. A wallet number is institution:16 | slot:32 | CRC-16/IBM-3740 of these six bytes (body.h).
 *  4. Days and years are those of UTC+8, by integers from block time. A sum belongs to the day or year
 *     stored beside it and counts as zero on any other. */
#ifndef HUB_WALLET_H
#define HUB_WALLET_H

#include "hub/member.h"

enum hub_wallet_offset {
    HUB_WALLET_DEBITS_POSTED = 0,    /* u64 */
    HUB_WALLET_CREDITS_POSTED = 8,   /* u64 */
    HUB_WALLET_DEBITS_PENDING = 16,  /* u64: open holds this wallet will pay */
    HUB_WALLET_CREDITS_PENDING = 24, /* u64: open holds this wallet will receive */
    HUB_WALLET_PAY_DAY_SUM = 32,     /* u64 */
    HUB_WALLET_PAY_YEAR_SUM = 40,    /* u64 */
    HUB_WALLET_REDEEM_DAY_SUM = 48,  /* u64 */
    HUB_WALLET_REDEEM_YEAR_SUM = 56, /* u64 */
    HUB_WALLET_OWNER = 64,           /* 16 opaque bytes of the institution's choice, no name */
    HUB_WALLET_LAST_HEIGHT = 80,     /* u64: block that wrote the row last */
    HUB_WALLET_KEY = 88,             /* u32: row of its key + 1; 0 = custodied */
    HUB_WALLET_PARENT = 92,          /* u32: slot of the parent + 1; 0 = none */
    HUB_WALLET_LIMITS = 96,          /* u32: row of its own limits + 1; 0 = its tier's */
    HUB_WALLET_PAY_DAY_COUNT = 100,  /* u32 */
    HUB_WALLET_RESERVED = 104,       /* 4 zero bytes */
    HUB_WALLET_DAY = 108,            /* u16: days since 2020-01-01 UTC+8 */
    HUB_WALLET_INSTITUTION = 110,    /* u16 */
    HUB_WALLET_CUSTODIAN = 112, /* u16: institution whose operators sign while it is custodied */
    HUB_WALLET_ISSUER = 114,    /* u16: institution of the currency authority */
    HUB_WALLET_REDEEM_DAY_COUNT = 116,  /* u16 */
    HUB_WALLET_REDEEM_YEAR_COUNT = 118, /* u16 */
    HUB_WALLET_OPEN_ITEMS = 120,        /* u16: holds, escrows and freezes that name it */
    HUB_WALLET_FLAGS = 122,             /* u16 of enum hub_wallet_flag */
    HUB_WALLET_KIND = 124,              /* u8 of enum hub_wallet_kind */
    HUB_WALLET_TIER = 125,              /* u8: 1..4; 0 = no tier */
    HUB_WALLET_CURRENCY = 126,          /* u8: HUB_CURRENCY_CNY */
    HUB_WALLET_YEAR = 127               /* u8: years since 2020 */
};

enum hub_wallet_flag {
    HUB_WALLET_STOP_OUT = 1,
    HUB_WALLET_STOP_IN = 2,
    HUB_WALLET_CLOSED = 4,
    HUB_WALLET_NO_P2P = 8,
    HUB_WALLET_PART_FROZEN = 16,
    HUB_WALLET_HAS_CHILDREN = 32
};

enum hub_wallet_kind { /* stored: never renumber */
                       HUB_WALLET_KIND_ISSUER = 0,
                       HUB_WALLET_KIND_RESERVE = 1,
                       HUB_WALLET_KIND_PERSONAL = 2,
                       HUB_WALLET_KIND_SUB = 3, /* of a personal wallet */
                       HUB_WALLET_KIND_CORPORATE = 4,
                       HUB_WALLET_KIND_SUB_CORPORATE = 5,
                       HUB_WALLET_KIND_HARD = 6, /* hardware wallet */
                       HUB_WALLET_KIND_FEE = 7,  /* income of the institution */
                       HUB_WALLET_KINDS = 8
};
/* Name by number; hub_wallet_kind_names + 1, which wallet.open takes, leaves out the issuer. Ends with NULL. */
extern const char *const hub_wallet_kind_names[];

enum { HUB_TIERS = 5, HUB_CURRENCY_CNY = 1 };

enum hub_limit { /* places in a limits row; names in hub_limit_names */
                 HUB_LIMIT_SINGLE,
                 HUB_LIMIT_DAY,
                 HUB_LIMIT_DAY_COUNT,
                 HUB_LIMIT_YEAR,
                 HUB_LIMIT_BALANCE,
                 HUB_LIMIT_REDEEM_SINGLE,
                 HUB_LIMIT_REDEEM_DAY,
                 HUB_LIMIT_REDEEM_DAY_COUNT,
                 HUB_LIMIT_REDEEM_YEAR,
                 HUB_LIMIT_REDEEM_YEAR_COUNT,
                 HUB_LIMIT_COUNT
};
extern const char *const hub_limit_names[]; /* ends with NULL */
#define HUB_LIMIT_NONE UINT64_MAX           /* no limit; a row holds null */

struct hub_limits {
    uint64_t value[HUB_LIMIT_COUNT]; /* fen, or times for the counts */
};

/* Days since 2020-01-01 and years since 2020 in UTC+8; before 2020 zero, later than the row can hold its
 * highest value (2199-06-06; 2275). */
uint16_t hub_day_of(uint64_t time_ms);
uint8_t hub_year_of(uint64_t time_ms);

struct hub_limit_use {         /* rolled over to the time asked for */
    uint64_t sum, count, left; /* fen, times, fen left; left = HUB_LIMIT_NONE without a limit */
};

struct hub_wallet {          /* what people see of a wallet (docs/operations.md) */
    uint64_t number, parent; /* parent: number, 0 = none */
    uint32_t slot, key;      /* key: row + 1, 0 = custodied */
    uint16_t institution, custodian, issuer, open_items, flags;
    enum hub_wallet_kind kind;
    uint8_t tier, currency;
    uint8_t owner[16];
    uint64_t last_height;
    uint64_t debits, credits, pending_out, pending_in;
    uint64_t balance, available; /* the issuer's balance is 0 and its debt is debits - credits */
    uint64_t children;           /* held by its sub-wallets, which count in its balance limit */
    struct hub_limits
        limits; /* in force: its own, else its tier's; a sub-wallet's are its parent's */
    /* Used of them; a sub-wallet shows its parent's, which it shares. The counts of a year of payments are not kept: 0. */
    struct hub_limit_use pay_day, pay_year, redeem_day, redeem_year;
};
/* Reads a wallet by number as of before logs[0..n), oldest first (hub_state_row_before); n = 0 reads the
 * newest rows. False: no such wallet. */
bool hub_wallet_read(struct hub_wallet *out, const struct hub_state *s,
                     const struct hub_undo *const *logs, size_t n, uint64_t number,
                     uint64_t time_ms);
/* Slot of a number if that wallet is in the state. */
bool hub_wallet_slot(uint32_t *slot, const struct hub_state *s, uint64_t number);

struct
    hub_institution { /* row of table institutions: [institution, quota, issued, retired, reserve slot + 1] */
    uint32_t row;
    uint64_t number, quota, issued, retired;
    uint32_t reserve; /* slot + 1; 0 = not opened yet */
};
bool hub_institution_find(struct hub_institution *out, const struct hub_state *s, uint64_t number);
void hub_institution_get(struct hub_institution *out, const struct hub_state *s, uint32_t row);

struct
    hub_supply { /* row 0 of table totals: [0, issued, retired, [balance of each kind], [wallets of each kind]] */
    uint64_t issued, retired;
    uint64_t balance[HUB_WALLET_KINDS]; /* the issuer's is 0: it has a debt of issued - retired */
    uint32_t wallets[HUB_WALLET_KINDS];
    uint64_t pending; /* open holds; only hub_wallet_audit fills it */
};
/* The totals row as of before logs[0..n); false on a network without a currency authority. */
bool hub_supply_read(struct hub_supply *out, const struct hub_state *s,
                     const struct hub_undo *const *logs, size_t n);
/* Goes through all rows of the currency tables: debits = credits, posted and pending apart; no holder below
 * zero; issued - retired = balances of all holders = the issuer's debt = institutions' issued - retired, each
 * within its quota; totals and sub-wallet totals are the sums they claim to be; keys and numbers point to each
 * other. out (may be NULL) gets the sums counted, also on false. A state without currency is true and all zero. */
bool hub_wallet_audit(const struct hub_state *s, struct hub_supply *out);

struct hub_posting { /* where a business reference was recorded */
    uint64_t height;
    uint32_t index; /* of the record in its block */
    uint32_t slot;  /* the wallet opened, or the paying wallet; 0 for a batch */
};
/* Batch of an institution by its reference. */
bool hub_batch_find(struct hub_posting *out, const struct hub_state *s, uint16_t institution,
                    const uint8_t reference[16]);
/* wallet.open by its reference; a payment (issue, transfer, redeem) by paying wallet and reference. */
bool hub_opening_find(struct hub_posting *out, const struct hub_state *s, uint16_t institution,
                      const uint8_t reference[16]);
bool hub_payment_find(struct hub_posting *out, const struct hub_state *s, uint32_t slot,
                      const uint8_t reference[16]);

#endif
