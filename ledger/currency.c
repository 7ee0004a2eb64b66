/* currency.c: one movement of money: every rule, in the order of results.def, then the writes.
 *
 *   who may pay whom (transfer and batch)          credit
 *   debit           personal  hard  corporate  fee   own sub-wallet   reserve
 *   reserve            y       y       y       y          -              -      own institution's wallets only
 *   personal, corp.    y       y       y       y          y              -
 *   sub-wallets        y       y       y       y          -              -
 *   hard, fee          y       y       y       y          -              -
 * The issuer pays by currency.issue only; a reserve is paid by currency.issue and currency.redeem only. Between
 * a wallet and its own sub-wallet money stays with one owner: no limit, no cap, nothing is counted. */
#include "ledger/wallet.h"

#define KIND(name) (1u << HUB_WALLET_KIND_##name)
enum { PAYEES = KIND(PERSONAL) | KIND(HARD) | KIND(CORPORATE) | KIND(FEE) };
static const uint32_t may_pay[HUB_WALLET_KINDS] = {
    [HUB_WALLET_KIND_ISSUER] = 0,
    [HUB_WALLET_KIND_RESERVE] = PAYEES,
    [HUB_WALLET_KIND_PERSONAL] = PAYEES | KIND(SUB),
    [HUB_WALLET_KIND_SUB] = PAYEES,
    [HUB_WALLET_KIND_CORPORATE] = PAYEES | KIND(SUB_CORPORATE),
    [HUB_WALLET_KIND_SUB_CORPORATE] = PAYEES,
    [HUB_WALLET_KIND_HARD] = PAYEES,
    [HUB_WALLET_KIND_FEE] = PAYEES,
};
enum {
    PERSONS = KIND(PERSONAL) | KIND(SUB) | KIND(HARD),
    REDEEMERS = KIND(PERSONAL) | KIND(CORPORATE) | KIND(HARD) |
                KIND(FEE) /* a sub-wallet returns to its parent first */
};

struct move { /* rows are borrowed until the first write */
    uint32_t debit, credit,
        payer; /* slots; payer: whose limits and counters, a sub-wallet's parent */
    const uint8_t *debit_row, *credit_row, *payer_row;
    uint64_t amount;
    bool own; /* between a wallet and its own sub-wallet */
};

enum counted { COUNT_NOTHING, COUNT_PAYMENT, COUNT_REDEMPTION };

/* ---- a record's turn */

uint16_t hub_turn_begin(struct hub_turn *t, struct hub_apply *a)
{
    *t = (struct hub_turn){
        .apply = a, .day = hub_day_of(a->time_ms), .year = hub_year_of(a->time_ms)};
    if (!hub_supply_read(&t->totals, a->state, NULL, 0))
        return HUB_CODE_currency_off;
    t->amount_max = hub_parameter(a->state, HUB_PARAM_CURRENCY_MAX_AMOUNT);
    if (a->signer->member != UINT32_MAX) {
        struct hub_member m;
        hub_member_get(&m, a->state, a->signer->member);
        t->institution = t->served = (uint16_t)m.institution;
    }
    return 0;
}

void hub_turn_end(struct hub_turn *t)
{
    hub_supply_put(t->apply->state, &t->totals);
}

uint16_t hub_turn_cosigned(const struct hub_apply *a, uint32_t roles, uint64_t need)
{
    if (need == 0 || hub_apply_cosigned(a, a->signer->member, roles, need))
        return 0;
    struct hub_hash kid;
    uint32_t found = 0;
    while (found < HUB_COSIGN_MAX && hub_record_cosigner(a->record, found, &kid))
        found++;
    return found >= need ? HUB_CODE_cosign_role : HUB_CODE_cosign_missing;
}

uint16_t hub_turn_custody(const struct hub_turn *t, const uint8_t *row)
{
    uint32_t key = hub_wallet_u32(row, HUB_WALLET_KEY);
    if (key > 0)
        return t->apply->signer->row == key - 1 ? 0 : HUB_CODE_not_holder;
    bool custodian =
        t->institution != 0 && t->institution == hub_wallet_u16(row, HUB_WALLET_CUSTODIAN);
    return custodian ? 0 : HUB_CODE_not_custodian;
}

/* ---- the parties of a movement */

/* The number's check digits were judged with the record's form. */
static bool known(uint32_t *slot, const struct hub_state *s, uint64_t number)
{
    *slot = (uint32_t)(number >> 16);
    return *slot < s->count[HUB_TABLE_WALLETS] &&
           hub_wallet_u16(hub_wallet_row(s, *slot), HUB_WALLET_INSTITUTION) == number >> 48;
}

static struct move move_between(const struct hub_state *s, uint32_t debit, uint32_t credit,
                                uint64_t amount)
{
    struct move m = {.debit = debit, .credit = credit, .payer = debit, .amount = amount};
    m.debit_row = hub_wallet_row(s, debit);
    m.credit_row = hub_wallet_row(s, credit);
    m.payer_row = m.debit_row;
    uint32_t parent = hub_wallet_u32(m.debit_row, HUB_WALLET_PARENT);
    if (parent > 0) {
        m.payer = parent - 1;
        m.payer_row = hub_wallet_row(s, m.payer);
    }
    m.own = parent == credit + 1 || hub_wallet_u32(m.credit_row, HUB_WALLET_PARENT) == debit + 1;
    return m;
}

static uint16_t same_money(const struct move *m)
{
    if (m->debit_row[HUB_WALLET_CURRENCY] != m->credit_row[HUB_WALLET_CURRENCY])
        return HUB_CODE_currency_mismatch;
    if (hub_wallet_u16(m->debit_row, HUB_WALLET_ISSUER) !=
        hub_wallet_u16(m->credit_row, HUB_WALLET_ISSUER))
        return HUB_CODE_issuer_mismatch;
    return 0;
}

static uint16_t kinds_fit(const struct move *m)
{
    uint32_t payees = may_pay[m->debit_row[HUB_WALLET_KIND]];
    uint8_t kind = m->credit_row[HUB_WALLET_KIND];
    if (payees == 0)
        return HUB_CODE_debit_kind;
    if (!(payees >> kind & 1))
        return HUB_CODE_credit_kind;
    if ((1u << kind & (KIND(SUB) | KIND(SUB_CORPORATE))) && !m->own)
        return HUB_CODE_credit_kind;
    if (m->debit_row[HUB_WALLET_KIND] == HUB_WALLET_KIND_RESERVE &&
        hub_wallet_u16(m->debit_row, HUB_WALLET_INSTITUTION) !=
            hub_wallet_u16(m->credit_row, HUB_WALLET_INSTITUTION))
        return HUB_CODE_credit_kind;
    return 0;
}

/* The wallet's institution was removed: nobody keeps it any more. One that was seen to be there is remembered, and
 * the signer's own is there, or its key would not act. */
static bool institution_left(struct hub_turn *t, const uint8_t *row)
{
    const uint16_t number = hub_wallet_u16(row, HUB_WALLET_INSTITUTION);
    struct hub_member m;

    if (number == t->served || !hub_member_of_institution(&m, t->apply->state, number))
        return false;
    if (!m.removed)
        t->served = number;
    return m.removed;
}

static uint16_t open_to_move(struct hub_turn *t, const struct move *m)
{
    uint16_t debit = hub_wallet_u16(m->debit_row, HUB_WALLET_FLAGS);
    uint16_t credit = hub_wallet_u16(m->credit_row, HUB_WALLET_FLAGS);
    if (debit & HUB_WALLET_CLOSED)
        return HUB_CODE_debit_closed;
    if ((credit & HUB_WALLET_CLOSED) || institution_left(t, m->credit_row))
        return HUB_CODE_credit_closed;
    if (debit & HUB_WALLET_STOP_OUT)
        return HUB_CODE_debit_frozen;
    if (credit & HUB_WALLET_STOP_IN)
        return HUB_CODE_credit_frozen;
    return 0;
}

static uint16_t people_and_parents(const struct move *m)
{
    uint16_t debit = hub_wallet_u16(m->debit_row, HUB_WALLET_FLAGS);
    uint16_t credit = hub_wallet_u16(m->credit_row, HUB_WALLET_FLAGS);
    bool persons = (PERSONS >> m->debit_row[HUB_WALLET_KIND] & 1) &&
                   (PERSONS >> m->credit_row[HUB_WALLET_KIND] & 1);
    if (((debit | credit) & HUB_WALLET_NO_P2P) && persons && !m->own)
        return HUB_CODE_p2p_forbidden;
    if (m->payer == m->debit || m->own)
        return 0;
    uint16_t parent = hub_wallet_u16(m->payer_row, HUB_WALLET_FLAGS);
    if (parent & HUB_WALLET_CLOSED)
        return HUB_CODE_parent_closed;
    return parent & HUB_WALLET_STOP_OUT ? HUB_CODE_parent_frozen : 0;
}

static uint16_t not_repeated(const struct hub_turn *t, const struct move *m)
{
    const struct hub_state *s = t->apply->state;
    bool found = t->reference != NULL &&
                 hub_reference_find(NULL, s, HUB_REFERENCE_PAYMENT, m->debit, t->reference);
    return found ? HUB_CODE_reference_exists : 0;
}

/* What every movement is asked before its own limits: who, in which state, and was it not made before. */
static uint16_t may_move(struct hub_turn *t, const struct move *m)
{
    uint16_t code = hub_turn_custody(t, m->debit_row);
    if (code == 0)
        code = open_to_move(t, m);
    if (code == 0)
        code = people_and_parents(m);
    if (code == 0)
        code = not_repeated(t, m);
    if (code == 0 && m->amount > t->amount_max)
        code = HUB_CODE_above_payment_limit;
    return code;
}

static uint16_t sums_fit(const struct move *m)
{
    uint64_t sum;
    bool fit =
        hub_add_u64(&sum, hub_wallet_u64(m->debit_row, HUB_WALLET_DEBITS_POSTED), m->amount) &&
        hub_add_u64(&sum, hub_wallet_u64(m->credit_row, HUB_WALLET_CREDITS_POSTED), m->amount);
    return fit ? 0 : HUB_CODE_overflow;
}

/* ---- writing: nothing here can fail but for want of room, which the state marks */

static void add_u64(uint8_t *row, enum hub_wallet_offset at, uint64_t amount)
{
    hub_put_be64(row + at, hub_wallet_u64(row, at) + amount);
}

static void roll_over(uint8_t *row, const struct hub_turn *t)
{
    if (hub_wallet_u16(row, HUB_WALLET_DAY) != t->day) {
        hub_put_be64(row + HUB_WALLET_PAY_DAY_SUM, 0);
        hub_put_be64(row + HUB_WALLET_REDEEM_DAY_SUM, 0);
        hub_put_be32(row + HUB_WALLET_PAY_DAY_COUNT, 0);
        hub_put_be16(row + HUB_WALLET_REDEEM_DAY_COUNT, 0);
        hub_put_be16(row + HUB_WALLET_DAY, t->day);
    }
    if (row[HUB_WALLET_YEAR] != t->year) {
        hub_put_be64(row + HUB_WALLET_PAY_YEAR_SUM, 0);
        hub_put_be64(row + HUB_WALLET_REDEEM_YEAR_SUM, 0);
        hub_put_be16(row + HUB_WALLET_REDEEM_YEAR_COUNT, 0);
        row[HUB_WALLET_YEAR] = t->year;
    }
}

static void count(uint8_t *row, const struct hub_turn *t, enum counted what, uint64_t amount)
{
    roll_over(row, t);
    if (what == COUNT_PAYMENT) {
        add_u64(row, HUB_WALLET_PAY_DAY_SUM, amount);
        add_u64(row, HUB_WALLET_PAY_YEAR_SUM, amount);
        hub_put_be32(row + HUB_WALLET_PAY_DAY_COUNT,
                     hub_wallet_u32(row, HUB_WALLET_PAY_DAY_COUNT) + 1);
    } else {
        add_u64(row, HUB_WALLET_REDEEM_DAY_SUM, amount);
        add_u64(row, HUB_WALLET_REDEEM_YEAR_SUM, amount);
        hub_put_be16(row + HUB_WALLET_REDEEM_DAY_COUNT,
                     (uint16_t)(hub_wallet_u16(row, HUB_WALLET_REDEEM_DAY_COUNT) + 1));
        hub_put_be16(row + HUB_WALLET_REDEEM_YEAR_COUNT,
                     (uint16_t)(hub_wallet_u16(row, HUB_WALLET_REDEEM_YEAR_COUNT) + 1));
    }
}

static uint8_t *writable(const struct hub_turn *t, uint32_t slot)
{
    uint8_t *row = hub_state_wallet_write(t->apply->state, slot);
    if (row != NULL)
        hub_put_be64(row + HUB_WALLET_LAST_HEIGHT, t->apply->height);
    return row;
}

/* The total of a parent's sub-wallets follows each movement of one of them. */
static void post_children(const struct hub_turn *t, uint32_t parent, bool in, uint64_t amount)
{
    struct hub_children c;
    hub_children_get(&c, t->apply->state, parent);
    HUB_ASSERT(c.row != UINT32_MAX && (in || c.total >= amount));
    c.total = in ? c.total + amount : c.total - amount;
    hub_children_put(t->apply->state, &c);
}

static void post_totals(struct hub_turn *t, uint8_t from, uint8_t to, uint64_t amount)
{
    if (from == HUB_WALLET_KIND_ISSUER) {
        t->totals.issued += amount;
    } else {
        HUB_ASSERT(t->totals.balance[from] >= amount);
        t->totals.balance[from] -= amount;
    }
    t->totals.balance[to] += amount;
}

/* Without room for its writes the record will be undone; its later entries must not be taken for paid. */
static bool out_of_room(const struct hub_state *s)
{
    return s->undo->full || s->undo->table_full;
}

static void post(struct hub_turn *t, const struct move *m, enum counted what)
{
    if (out_of_room(t->apply->state))
        return;
    uint8_t from = m->debit_row[HUB_WALLET_KIND], to = m->credit_row[HUB_WALLET_KIND];
    bool to_sub = m->own && m->payer == m->debit;
    uint8_t *row = writable(t, m->debit);
    if (row != NULL) {
        add_u64(row, HUB_WALLET_DEBITS_POSTED, m->amount);
        if (what != COUNT_NOTHING && m->payer == m->debit)
            count(row, t, what, m->amount);
    }
    row = writable(t, m->credit);
    if (row != NULL)
        add_u64(row, HUB_WALLET_CREDITS_POSTED, m->amount);
    if (what != COUNT_NOTHING && m->payer != m->debit) {
        row = writable(t, m->payer);
        if (row != NULL)
            count(row, t, what, m->amount);
    }
    if (m->payer != m->debit || to_sub)
        post_children(t, m->payer, to_sub, m->amount);
    post_totals(t, from, to, m->amount);
    if (t->reference != NULL)
        hub_reference_add(t->apply, HUB_REFERENCE_PAYMENT, m->debit, t->reference, m->debit);
}

/* ---- the three movements */

uint16_t hub_turn_pay(struct hub_turn *t, uint64_t debit, uint64_t credit, uint64_t amount)
{
    const struct hub_state *s = t->apply->state;
    uint32_t from, to;
    if (!known(&from, s, debit))
        return HUB_CODE_debit_unknown;
    if (!known(&to, s, credit))
        return HUB_CODE_credit_unknown;
    struct move m = move_between(s, from, to, amount);
    uint16_t code = same_money(&m);
    if (code == 0)
        code = kinds_fit(&m);
    if (code == 0)
        code = may_move(t, &m);
    if (code == 0 && !m.own)
        code = hub_limits_payment(t, m.payer_row, amount);
    if (code == 0 && !m.own)
        code = hub_limits_balance(t, m.credit, amount);
    if (code == 0 && amount > hub_wallet_available(m.debit_row))
        code = HUB_CODE_insufficient_funds;
    if (code == 0)
        code = sums_fit(&m);
    if (code == 0)
        post(t, &m, m.own ? COUNT_NOTHING : COUNT_PAYMENT);
    return code;
}

uint16_t hub_turn_redeem(struct hub_turn *t, uint32_t slot, uint32_t reserve, uint64_t amount)
{
    struct move m = move_between(t->apply->state, slot, reserve, amount);
    uint16_t code = same_money(&m);
    if (code == 0 && !(REDEEMERS >> m.debit_row[HUB_WALLET_KIND] & 1))
        code = HUB_CODE_debit_kind;
    if (code == 0)
        code = may_move(t, &m);
    if (code == 0)
        code = hub_limits_redemption(t, m.payer_row, amount);
    if (code == 0 && amount > hub_wallet_available(m.debit_row))
        code = HUB_CODE_insufficient_funds;
    if (code == 0)
        code = sums_fit(&m);
    if (code == 0)
        post(t, &m, COUNT_REDEMPTION);
    return code;
}

/* issued - retired + amount > most */
static bool beyond(uint64_t issued, uint64_t retired, uint64_t amount, uint64_t most)
{
    HUB_ASSERT(issued >= retired);
    return amount > most || issued - retired > most - amount;
}

uint16_t hub_turn_issue(struct hub_turn *t, struct hub_institution *i, uint64_t amount)
{
    HUB_ASSERT(i->reserve > 0);
    struct move m = move_between(t->apply->state, 0, i->reserve - 1, amount);
    uint64_t cap = hub_parameter(t->apply->state, HUB_PARAM_CURRENCY_SUPPLY_CAP);
    uint16_t code = may_move(t, &m);
    if (code == 0 && beyond(i->issued, i->retired, amount, i->quota))
        code = HUB_CODE_above_quota;
    if (code == 0 && cap != 0 && beyond(t->totals.issued, t->totals.retired, amount, cap))
        code = HUB_CODE_above_supply;
    if (code == 0)
        code = sums_fit(&m); /* of the issuer wallet, so of the totals and the institution, too */
    if (code != 0)
        return code;
    post(t, &m, COUNT_NOTHING);
    i->issued += amount;
    hub_institution_put(t->apply->state, i);
    return 0;
}
