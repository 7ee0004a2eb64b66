/* wallet_audit.c: the invariants of docs/currency.md: on the touched rows of a block, and in full.
 *
 * A block's log holds the bytes before each write, so a wallet written twice is in it twice. Its first write
 * is the one whose old last_height differs from the row's now: every write sets it to the block's height. */
#include "ledger/wallet.h"

#include <string.h>

/* The sum of 2^24 counters of 64 bits fits easily. */
__extension__ typedef unsigned __int128 u128;

struct sums { /* over some wallets; in the block check modulo 2^64, which equality survives */
    u128 debits, credits, debits_pending, credits_pending;
    uint64_t balance[HUB_WALLET_KINDS];
    uint32_t wallets[HUB_WALLET_KINDS];
};

/* Adds a row to the sums: its balance as what was credited less what was debited, the issuer's left out. */
static void sums_add(struct sums *sum, const uint8_t *row)
{
    uint64_t debits = hub_wallet_u64(row, HUB_WALLET_DEBITS_POSTED);
    uint64_t credits = hub_wallet_u64(row, HUB_WALLET_CREDITS_POSTED);
    uint8_t kind = row[HUB_WALLET_KIND];
    sum->debits += debits;
    sum->credits += credits;
    sum->debits_pending += hub_wallet_u64(row, HUB_WALLET_DEBITS_PENDING);
    sum->credits_pending += hub_wallet_u64(row, HUB_WALLET_CREDITS_PENDING);
    if (kind >= HUB_WALLET_KINDS)
        return;
    if (kind != HUB_WALLET_KIND_ISSUER)
        sum->balance[kind] += credits - debits;
    sum->wallets[kind]++;
}

/* The issuer's debt is not negative; a holder has what is spent and what is promised. */
static bool wallet_ok(const uint8_t *row)
{
    uint64_t debits = hub_wallet_u64(row, HUB_WALLET_DEBITS_POSTED), spent;
    uint64_t credits = hub_wallet_u64(row, HUB_WALLET_CREDITS_POSTED);
    if (row[HUB_WALLET_KIND] >= HUB_WALLET_KINDS)
        return false;
    if (row[HUB_WALLET_KIND] == HUB_WALLET_KIND_ISSUER)
        return credits <= debits && hub_wallet_u64(row, HUB_WALLET_DEBITS_PENDING) == 0;
    return hub_add_u64(&spent, debits, hub_wallet_u64(row, HUB_WALLET_DEBITS_PENDING)) &&
           credits >= spent;
}

static bool institution_ok(const struct hub_institution *i)
{
    return i->retired <= i->issued && i->issued - i->retired <= i->quota;
}

/* What was issued and not retired is what the holders have, and what the issuer owes. */
static bool supply_ok(const struct hub_state *s, const struct hub_supply *totals)
{
    const uint8_t *issuer = hub_wallet_row(s, 0);
    u128 held = 0;
    for (int k = 0; k < HUB_WALLET_KINDS; k++)
        held += totals->balance[k];
    return totals->retired <= totals->issued && held == totals->issued - totals->retired &&
           totals->balance[HUB_WALLET_KIND_ISSUER] == 0 &&
           hub_wallet_u64(issuer, HUB_WALLET_DEBITS_POSTED) == totals->issued &&
           hub_wallet_u64(issuer, HUB_WALLET_CREDITS_POSTED) == totals->retired;
}

/* ---- one block */

struct
    touched { /* sums of the touched wallets now and before the block, and the totals before it */
    struct sums now, before;
    struct hub_supply totals;
    bool totals_written, ok;
};

static void touch_wallet(struct touched *t, const struct hub_state *s, uint32_t slot,
                         struct hub_span old)
{
    const uint8_t *row = hub_wallet_row(s, slot);
    uint64_t height = hub_wallet_u64(row, HUB_WALLET_LAST_HEIGHT);
    if (old.data != NULL && hub_wallet_u64(old.data, HUB_WALLET_LAST_HEIGHT) == height)
        return; /* not its first write */
    t->ok = t->ok && wallet_ok(row);
    sums_add(&t->now, row);
    if (old.data != NULL)
        sums_add(&t->before, old.data);
}

static void touch(struct touched *t, const struct hub_state *s, enum hub_table table, uint32_t row,
                  struct hub_span old)
{
    struct hub_institution i;
    if (table == HUB_TABLE_WALLETS) {
        touch_wallet(t, s, row, old);
    } else if (table == HUB_TABLE_INSTITUTIONS) {
        hub_institution_get(&i, s, row);
        t->ok = t->ok && institution_ok(&i);
    } else if (table == HUB_TABLE_TOTALS && !t->totals_written) {
        t->totals_written = true;
        t->ok = t->ok && hub_supply_decode(&t->totals, old);
    }
}

/* What the block moved balances, and the totals moved with it. */
static bool movements_ok(const struct touched *t, const struct hub_supply *totals)
{
    const struct hub_supply *before = t->totals_written ? &t->totals : totals;
    bool ok = t->now.debits - t->before.debits == t->now.credits - t->before.credits &&
              t->now.debits_pending - t->before.debits_pending ==
                  t->now.credits_pending - t->before.credits_pending;
    for (int k = 0; k < HUB_WALLET_KINDS; k++) {
        ok = ok &&
             t->now.balance[k] - t->before.balance[k] == totals->balance[k] - before->balance[k];
        ok = ok &&
             t->now.wallets[k] - t->before.wallets[k] == totals->wallets[k] - before->wallets[k];
    }
    return ok;
}

bool hub_wallet_invariants_ok(const struct hub_state *s, const struct hub_undo *log)
{
    struct touched t = {.ok = true};
    struct hub_supply totals;
    enum hub_table table;
    struct hub_span old;
    uint32_t row;
    size_t at = 0;
    if (!hub_supply_read(&totals, s, NULL, 0))
        return s->count[HUB_TABLE_WALLETS] == 0;
    while (hub_undo_next(log, &at, &table, &row, &old))
        touch(&t, s, table, row, old);
    return t.ok && supply_ok(s, &totals) && movements_ok(&t, &totals);
}

/* ---- all of it */

/* Whether the rows a wallet points to are there and point back. */
static bool references_ok(const struct hub_state *s, uint32_t slot, const uint8_t *row)
{
    uint32_t key = hub_wallet_u32(row, HUB_WALLET_KEY),
             parent = hub_wallet_u32(row, HUB_WALLET_PARENT);
    uint8_t kind = row[HUB_WALLET_KIND];
    bool sub = kind == HUB_WALLET_KIND_SUB || kind == HUB_WALLET_KIND_SUB_CORPORATE;
    struct hub_key k;
    if (row[HUB_WALLET_TIER] >= HUB_TIERS ||
        hub_wallet_u32(row, HUB_WALLET_LIMITS) > s->count[HUB_TABLE_LIMITS])
        return false;
    if (sub != (parent > 0) || parent > s->count[HUB_TABLE_WALLETS] ||
        (slot == 0) != (kind == HUB_WALLET_KIND_ISSUER))
        return false;
    if (key == 0)
        return true;
    if (key > s->count[HUB_TABLE_KEYS])
        return false;
    hub_key_get(&k, s, key - 1);
    return k.wallet == hub_wallet_number(hub_wallet_u16(row, HUB_WALLET_INSTITUTION), slot);
}

static bool audit_wallets(struct sums *sum, const struct hub_state *s)
{
    bool ok = true;
    for (uint32_t slot = 0; slot < s->count[HUB_TABLE_WALLETS]; slot++) {
        const uint8_t *row = hub_wallet_row(s, slot);
        ok = ok && wallet_ok(row) && references_ok(s, slot, row);
        sums_add(sum, row);
    }
    return ok && sum->debits == sum->credits && sum->debits_pending == sum->credits_pending;
}

static bool audit_institutions(const struct hub_state *s, const struct hub_supply *totals)
{
    u128 issued = 0, retired = 0;
    bool ok = true;
    for (uint32_t row = 0; row < s->count[HUB_TABLE_INSTITUTIONS]; row++) {
        struct hub_institution i;
        hub_institution_get(&i, s, row);
        ok = ok && institution_ok(&i) && i.reserve <= s->count[HUB_TABLE_WALLETS];
        if (ok && i.reserve > 0) {
            const uint8_t *reserve = hub_wallet_row(s, i.reserve - 1);
            ok = reserve[HUB_WALLET_KIND] == HUB_WALLET_KIND_RESERVE &&
                 hub_wallet_u16(reserve, HUB_WALLET_INSTITUTION) == i.number;
        }
        issued += i.issued;
        retired += i.retired;
    }
    return ok && issued == totals->issued && retired == totals->retired;
}

/* The parents' totals together are what all sub-wallets hold. */
static bool audit_children(const struct hub_state *s, const struct sums *sum)
{
    enum { SUB = HUB_WALLET_KIND_SUB, SUB_CORPORATE = HUB_WALLET_KIND_SUB_CORPORATE };
    u128 total = 0;
    uint64_t count = 0;
    for (uint32_t slot = 0; slot < s->count[HUB_TABLE_WALLETS]; slot++) {
        struct hub_children c;
        if (!(hub_wallet_u16(hub_wallet_row(s, slot), HUB_WALLET_FLAGS) & HUB_WALLET_HAS_CHILDREN))
            continue;
        hub_children_get(&c, s, slot);
        total += c.total;
        count += c.count;
    }
    return total == (u128)sum->balance[SUB] + sum->balance[SUB_CORPORATE] &&
           count == (uint64_t)sum->wallets[SUB] + sum->wallets[SUB_CORPORATE];
}

bool hub_wallet_audit(const struct hub_state *s, struct hub_supply *out)
{
    struct sums sum = {0};
    struct hub_supply totals = {0}, counted = {0};
    bool on = hub_supply_read(&totals, s, NULL, 0), ok = on || s->count[HUB_TABLE_WALLETS] == 0;
    if (ok && on)
        ok = s->count[HUB_TABLE_WALLETS] > 0 && s->count[HUB_TABLE_LIMITS] >= HUB_TIERS;
    ok = audit_wallets(&sum, s) && ok;
    ok = audit_institutions(s, &totals) && ok;
    ok = audit_children(s, &sum) && ok;
    ok = (!on || supply_ok(s, &totals)) && ok;
    memcpy(counted.balance, sum.balance, sizeof counted.balance);
    memcpy(counted.wallets, sum.wallets, sizeof counted.wallets);
    counted.issued = totals.issued;
    counted.retired = totals.retired;
    counted.pending = (uint64_t)sum.debits_pending;
    ok = ok && memcmp(counted.balance, totals.balance, sizeof counted.balance) == 0 &&
         memcmp(counted.wallets, totals.wallets, sizeof counted.wallets) == 0;
    if (out != NULL)
        *out = counted;
    return ok;
}
