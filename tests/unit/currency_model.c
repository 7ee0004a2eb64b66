/* Random operations against a model written from docs/currency.md alone: plain arrays, a list of everything that
 * was paid (day and year sums are counted from it each time), and the C library's calendar. Codes, balances,
 * counters shown and totals must agree after every operation; world_run checks the block's invariants. */
#include "tests/support/currency_world.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

enum { WALLETS = 26, HISTORY = 12000 };
#define NONE UINT64_MAX

enum model_kind { RESERVE, PERSON, SUB, FIRM, SUB_FIRM, HARD, FEE };

struct model_wallet {
    uint64_t number;
    enum model_kind kind;
    int tier, institution, parent; /* parent: index or -1 */
    int holder;                    /* key or -1 */
    bool no_p2p, closed, stop_out, stop_in;
    uint64_t balance, firm_limit[10];
};

struct model_payment {
    int payer; /* whose limits it used */
    bool redemption;
    uint64_t amount;
    int year, day; /* of the calendar in Shanghai */
};

struct model {
    struct model_wallet wallet[WALLETS];
    int wallets;
    struct model_payment history[HISTORY];
    int payments;
    uint64_t issued[4], reference[HISTORY][2]; /* payer, reference */
    int references;
    uint64_t random;
};

/* ---- the rules, once more */

/* Columns: single, day, day count, year, balance, redeem single, day, day count, year, year count. */
static const uint64_t tiers[5][10] = {
    {NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE},
    {NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE},
    {5000000, 10000000, NONE, NONE, 50000000, 5000000, 10000000, 20, 500000000, 1000},
    {500000, 1000000, NONE, NONE, 2000000, 500000, 1000000, 10, 50000000, 500},
    {200000, 500000, NONE, 5000000, 1000000, 200000, 500000, 5, 5000000, 100},
};

static const uint64_t *limits(const struct model *m, int payer)
{
    const struct model_wallet *w = &m->wallet[payer];

    return w->kind == FIRM ? w->firm_limit : tiers[w->tier];
}

static struct tm shanghai(uint64_t time_ms)
{
    time_t t = (time_t)(time_ms / 1000) + 8 * 3600;
    struct tm out;

    gmtime_r(&t, &out);
    return out;
}

struct spent {
    uint64_t day, year, day_count, year_count;
};

static struct spent spent(const struct model *m, int payer, bool redemption, uint64_t time_ms)
{
    struct tm now = shanghai(time_ms);
    struct spent s = {0};

    for (int i = 0; i < m->payments; i++) {
        const struct model_payment *p = &m->history[i];

        if (p->payer != payer || p->redemption != redemption || p->year != now.tm_year)
            continue;
        s.year += p->amount;
        s.year_count++;
        if (p->day == now.tm_yday) {
            s.day += p->amount;
            s.day_count++;
        }
    }
    return s;
}

static bool is_person(enum model_kind k)
{
    return k == PERSON || k == SUB || k == HARD;
}

static bool is_sub(enum model_kind k)
{
    return k == SUB || k == SUB_FIRM;
}

static bool may_sign(const struct model_wallet *w, enum world_key signer, uint16_t *code)
{
    bool operator_ok =
        (w->institution == WORLD_BANK && (signer == KEY_OPERATOR || signer == KEY_OPERATOR_2)) ||
        (w->institution == WORLD_OTHER_BANK && signer == KEY_OTHER_OPERATOR);

    *code = w->holder >= 0 ? HUB_CODE_not_holder : HUB_CODE_not_custodian;
    return w->holder >= 0 ? (int)signer == w->holder : operator_ok;
}

static bool referred(const struct model *m, uint64_t payer, uint64_t reference)
{
    for (int i = 0; i < m->references; i++)
        if (m->reference[i][0] == payer && m->reference[i][1] == reference)
            return true;
    return false;
}

static uint64_t family(const struct model *m, int parent)
{
    uint64_t sum = m->wallet[parent].balance;

    for (int i = 0; i < m->wallets; i++)
        if (m->wallet[i].parent == parent)
            sum += m->wallet[i].balance;
    return sum;
}

static uint16_t standing(const struct model_wallet *d, const struct model_wallet *c)
{
    if (d->closed)
        return HUB_CODE_debit_closed;
    if (c->closed)
        return HUB_CODE_credit_closed;
    if (d->stop_out)
        return HUB_CODE_debit_frozen;
    return c->stop_in ? HUB_CODE_credit_frozen : 0;
}

static uint16_t model_transfer(const struct model *m, enum world_key signer, int from, int to,
                               uint64_t amount, uint64_t reference, uint64_t time_ms)
{
    const struct model_wallet *d = &m->wallet[from], *c = &m->wallet[to];
    bool own = d->parent == to || c->parent == from;
    int payer = d->parent >= 0 ? d->parent : from;
    uint16_t code;

    if (from == to)
        return HUB_CODE_same_wallet;
    if (c->kind == RESERVE || (is_sub(c->kind) && c->parent != from) ||
        (d->kind == RESERVE && d->institution != c->institution))
        return HUB_CODE_credit_kind;
    if (!may_sign(d, signer, &code) || (code = standing(d, c)) != 0)
        return code;
    if (!own && is_person(d->kind) && is_person(c->kind) && (d->no_p2p || c->no_p2p))
        return HUB_CODE_p2p_forbidden;
    if (!own && payer != from && m->wallet[payer].closed)
        return HUB_CODE_parent_closed;
    if (!own && payer != from && m->wallet[payer].stop_out)
        return HUB_CODE_parent_frozen;
    if (reference != 0 && referred(m, d->number, reference))
        return HUB_CODE_reference_exists;
    if (!own && d->kind != RESERVE) {
        struct spent s = spent(m, payer, false, time_ms);
        const uint64_t *limit = limits(m, payer);

        if (amount > limit[0])
            return HUB_CODE_above_payment_limit;
        if (s.day + amount > limit[1])
            return HUB_CODE_above_day_limit;
        if (s.day_count + 1 > limit[2])
            return HUB_CODE_above_day_count;
        if (s.year + amount > limit[3])
            return HUB_CODE_above_year_limit;
    }
    if (!own && family(m, to) + amount > limits(m, to)[4])
        return HUB_CODE_above_balance_cap;
    return amount > d->balance ? HUB_CODE_insufficient_funds : 0;
}

static uint16_t model_redeem(const struct model *m, enum world_key signer, int from, int reserve,
                             uint64_t amount, uint64_t reference, uint64_t time_ms)
{
    const struct model_wallet *d = &m->wallet[from];
    const uint64_t *limit = limits(m, from);
    struct spent s = spent(m, from, true, time_ms);
    uint16_t code;

    if (d->kind == RESERVE || is_sub(d->kind))
        return HUB_CODE_debit_kind;
    if (!may_sign(d, signer, &code) || (code = standing(d, &m->wallet[reserve])) != 0)
        return code;
    if (referred(m, d->number, reference))
        return HUB_CODE_reference_exists;
    if (amount > limit[5])
        return HUB_CODE_above_redeem_single;
    if (s.day + amount > limit[6])
        return HUB_CODE_above_redeem_day;
    if (s.day_count + 1 > limit[7])
        return HUB_CODE_above_redeem_day_count;
    if (s.year + amount > limit[8])
        return HUB_CODE_above_redeem_year;
    if (s.year_count + 1 > limit[9])
        return HUB_CODE_above_redeem_year_count;
    return amount > d->balance ? HUB_CODE_insufficient_funds : 0;
}

static void model_move(struct model *m, int from, int to, uint64_t amount, uint64_t reference)
{
    m->wallet[from].balance -= amount;
    m->wallet[to].balance += amount;
    if (reference != 0) {
        m->reference[m->references][0] = m->wallet[from].number;
        m->reference[m->references++][1] = reference;
    }
}

static void model_count(struct model *m, int payer, bool redemption, uint64_t amount,
                        uint64_t time_ms)
{
    struct tm now = shanghai(time_ms);

    m->history[m->payments++] =
        (struct model_payment){payer, redemption, amount, now.tm_year, now.tm_yday};
}

/* ---- random operations */

static uint64_t below(struct model *m, uint64_t n)
{
    m->random ^= m->random << 13;
    m->random ^= m->random >> 7;
    m->random ^= m->random << 17;
    return m->random % n;
}

static int add(struct model *m, struct world *w, struct model_wallet x)
{
    static const enum hub_wallet_kind kinds[] = {
        HUB_WALLET_KIND_RESERVE,   HUB_WALLET_KIND_PERSONAL,      HUB_WALLET_KIND_SUB,
        HUB_WALLET_KIND_CORPORATE, HUB_WALLET_KIND_SUB_CORPORATE, HUB_WALLET_KIND_HARD,
        HUB_WALLET_KIND_FEE};
    struct hub_limits own;
    struct world_opening o = {
        .institution = (uint16_t)x.institution, .kind = kinds[x.kind], .tier = (uint8_t)x.tier};

    memcpy(own.value, x.firm_limit, sizeof own.value);
    o.owner = (uint64_t)(x.parent >= 0 ? x.parent : m->wallets) + 1000;
    o.reference = (uint64_t)m->wallets + 1000;
    o.no_p2p = x.no_p2p;
    if (x.parent >= 0)
        o.parent = m->wallet[x.parent].number;
    if (x.kind == FIRM)
        o.limits = &own;
    if (x.kind == RESERVE)
        x.number = world_reserve(w, (uint16_t)x.institution);
    else
        x.number = world_wallet_of(w, o, x.holder);
    m->wallet[m->wallets] = x;
    return m->wallets++;
}

static void populate(struct model *m, struct world *w)
{
    for (int bank = WORLD_BANK; bank <= WORLD_OTHER_BANK; bank++) {
        struct model_wallet x = {.institution = bank, .parent = -1, .holder = -1};
        int firm, person;

        add(m, w, x);
        x.kind = PERSON;
        for (x.tier = 1; x.tier <= 4; x.tier++) {
            x.no_p2p = x.tier == 3 && bank == WORLD_BANK;
            person = add(m, w, x);
            x.kind = SUB, x.parent = person;
            if (x.tier != 2)
                add(m, w, x);
            x.kind = PERSON, x.parent = -1;
        }
        x.no_p2p = false;
        x.kind = HARD, x.tier = 4, x.holder = KEY_HOLDER + bank - WORLD_BANK;
        add(m, w, x);
        x.kind = FEE, x.tier = 0, x.holder = -1;
        add(m, w, x);
        x.kind = FIRM;
        memcpy(x.firm_limit, tiers[0], sizeof x.firm_limit);
        add(m, w, x);
        memcpy(x.firm_limit,
               (const uint64_t[10]){40000, 100000, 7, 500000, 3000000, 30000, 80000, 4, 240000, 20},
               sizeof x.firm_limit);
        firm = add(m, w, x);
        x.kind = SUB_FIRM, x.parent = firm;
        add(m, w, x);
    }
    cr_assert_leq(m->wallets, WALLETS);
}

/* Often exactly at an edge: one, a limit, what is left of it, the balance, and one more of each. */
static uint64_t amount_for(struct model *m, int from, uint64_t time_ms)
{
    int payer = m->wallet[from].parent >= 0 ? m->wallet[from].parent : from;
    const uint64_t *limit = limits(m, payer);
    struct spent pay = spent(m, payer, false, time_ms), redeem = spent(m, payer, true, time_ms);
    uint64_t a;

    switch (below(m, 14)) {
    case 0:
        a = limit[0];
        break;
    case 1:
        a = limit[1] - pay.day;
        break;
    case 2:
        a = limit[3] - pay.year;
        break;
    case 3:
        a = m->wallet[from].balance;
        break;
    case 4:
        a = limit[5];
        break;
    case 5:
        a = limit[6] - redeem.day;
        break;
    case 6:
        a = limit[8] - redeem.year;
        break;
    case 7:
        a = 1 + below(m, 100000);
        break;
    default:
        a = 1 + below(m, 9000);
        break;
    }
    if (a > 100000000)
        a = 1 + below(m, 200000);
    a += below(m, 4) == 0;
    if (a > m->wallet[from].balance && m->wallet[from].balance > 0 && below(m, 8) != 0)
        a = 1 + below(m, m->wallet[from].balance < 40000 ? m->wallet[from].balance : 40000);
    if (m->wallet[from].kind == RESERVE && below(m, 2) == 0)
        a = 1 + below(m, 3000000); /* towards the caps */
    return a == 0 ? 1 : a;
}

static enum world_key signer_for(struct model *m, int from)
{
    static const enum world_key any[] = {KEY_OPERATOR, KEY_OPERATOR_2, KEY_OTHER_OPERATOR,
                                         KEY_HOLDER, KEY_HOLDER_2};
    const struct model_wallet *w = &m->wallet[from];

    if (below(m, 30) == 0)
        return any[below(m, 5)];
    if (w->holder >= 0)
        return (enum world_key)w->holder;
    return w->institution == WORLD_BANK ? KEY_OPERATOR : KEY_OTHER_OPERATOR;
}

/* Mostly somebody who may be paid, and every fourth time by a reserve, so that there is money to pay with. */
static void choose_parties(struct model *m, int *from, int *to)
{
    *from = (int)below(m, (uint64_t)m->wallets);
    if (below(m, 4) == 0)
        *from = below(m, 2) == 0 ? 0 : m->wallets / 2;
    *to = (int)below(m, (uint64_t)m->wallets);
    for (int i = 0; i < 4 && (m->wallet[*to].kind == RESERVE || is_sub(m->wallet[*to].kind) ||
                              (m->wallet[*from].kind == RESERVE &&
                               m->wallet[*from].institution != m->wallet[*to].institution));
         i++)
        *to = (int)below(m, (uint64_t)m->wallets);
}

static void random_transfer(struct model *m, struct world *w)
{
    int from, to;

    choose_parties(m, &from, &to);
    uint64_t amount = amount_for(m, from, w->time_ms);
    uint64_t reference = below(m, 3) == 0 ? 1 + below(m, 200) : 0;
    enum world_key signer = signer_for(m, from);
    struct world_body body =
        world_transfer(m->wallet[from].number, m->wallet[to].number, amount, reference);
    uint16_t want = model_transfer(m, signer, from, to, amount, reference, w->time_ms),
             got = world_run(w, signer, &body);

    cr_assert_eq(got, want, "%d pays %d %lu: %u, not %u", from, to, (unsigned long)amount, got,
                 want);
    if (got != 0)
        return;
    model_move(m, from, to, amount, reference);
    if (m->wallet[from].parent != to && m->wallet[to].parent != from)
        model_count(m, m->wallet[from].parent >= 0 ? m->wallet[from].parent : from, false, amount,
                    w->time_ms);
}

static void random_redeem(struct model *m, struct world *w)
{
    int from = (int)below(m, (uint64_t)m->wallets), reserve = 0;

    while (below(m, 8) != 0 && (m->wallet[from].kind == RESERVE || is_sub(m->wallet[from].kind)))
        from = (int)below(m, (uint64_t)m->wallets);
    uint64_t amount = amount_for(m, from, w->time_ms), reference = 1 + below(m, 2000);
    enum world_key signer = signer_for(m, from);
    struct world_body body = world_redeem(m->wallet[from].number, amount, reference);
    uint16_t want, got;

    while (m->wallet[reserve].kind != RESERVE ||
           m->wallet[reserve].institution != m->wallet[from].institution)
        reserve++;
    want = model_redeem(m, signer, from, reserve, amount, reference, w->time_ms);
    got = world_run(w, signer, &body);
    cr_assert_eq(got, want, "%d redeems %lu: %u, not %u", from, (unsigned long)amount, got, want);
    if (got != 0)
        return;
    model_move(m, from, reserve, amount, reference);
    model_count(m, from, true, amount, w->time_ms);
}

static void random_issue(struct model *m, struct world *w)
{
    int bank = WORLD_BANK + (int)below(m, 2), reserve = 0;
    uint64_t amount = 1 + below(m, WORLD_QUOTA / 40), reference = UINT64_C(1) << 40 | w->height;
    struct world_body body = world_issue((uint16_t)bank, amount, reference);
    uint16_t want = m->issued[bank] + amount > WORLD_QUOTA ? HUB_CODE_above_quota : 0, got;

    while (m->wallet[reserve].kind != RESERVE || m->wallet[reserve].institution != bank)
        reserve++;
    if (m->wallet[reserve].closed || m->wallet[reserve].stop_in)
        want = m->wallet[reserve].closed ? HUB_CODE_credit_closed : HUB_CODE_credit_frozen;
    got = world_run(w, KEY_ISSUER, &body);
    cr_assert_eq(got, want);
    if (got == 0) {
        m->issued[bank] += amount;
        m->wallet[reserve].balance += amount;
    }
}

/* What freezes and closings of other records will do to the row. */
static void random_flags(struct model *m, struct world *w)
{
    struct model_wallet *x = &m->wallet[below(m, (uint64_t)m->wallets)];
    uint16_t keep = hub_get_be16(world_row(w, x->number) + HUB_WALLET_FLAGS) &
                    (HUB_WALLET_NO_P2P | HUB_WALLET_HAS_CHILDREN);

    x->stop_out = below(m, 20) == 0;
    x->stop_in = below(m, 20) == 0;
    x->closed = below(m, 40) == 0;
    world_flags(w, x->number,
                (uint16_t)(keep | (x->stop_out ? HUB_WALLET_STOP_OUT : 0) |
                           (x->stop_in ? HUB_WALLET_STOP_IN : 0) |
                           (x->closed ? HUB_WALLET_CLOSED : 0)));
}

static void compare(const struct model *m, const struct world *w)
{
    for (int i = 0; i < m->wallets; i++) {
        struct hub_wallet v = world_read(w, m->wallet[i].number);
        int payer = m->wallet[i].parent >= 0 ? m->wallet[i].parent : i;

        cr_assert_eq(v.balance, m->wallet[i].balance, "balance of %d", i);
        cr_assert_eq(v.available, m->wallet[i].balance);
        cr_assert_eq(v.children, family(m, i) - m->wallet[i].balance);
        if (m->wallet[i].kind == RESERVE)
            continue;
        struct spent pay = spent(m, payer, false, w->time_ms),
                     redeem = spent(m, payer, true, w->time_ms);
        uint64_t day = limits(m, payer)[1];

        cr_assert_eq(v.pay_day.sum, pay.day, "day of %d", i);
        cr_assert_eq(v.pay_day.count, pay.day_count);
        cr_assert_eq(v.pay_day.left, day == NONE ? NONE : day - pay.day);
        cr_assert_eq(v.pay_year.sum, pay.year);
        cr_assert_eq(v.redeem_day.sum, redeem.day);
        cr_assert_eq(v.redeem_day.count, redeem.day_count);
        cr_assert_eq(v.redeem_year.sum, redeem.year);
        cr_assert_eq(v.redeem_year.count, redeem.year_count);
    }
}

static void run(uint64_t seed, int operations)
{
    static struct model m;
    struct world w = {0};
    struct hub_supply supply;

    memset(&m, 0, sizeof m);
    m.random = seed * UINT64_C(0x9e3779b97f4a7c15);
    world_open(&w, true);
    populate(&m, &w);
    for (int i = 0; i < operations; i++) {
        switch (below(&m, 16)) {
        case 0:
            w.time_ms += below(&m, 5) * 3600000;
            break;
        case 1:
            w.time_ms += below(&m, 60) == 0 ? UINT64_C(86400000) * below(&m, 120) : 1;
            break;
        case 2:
            random_flags(&m, &w);
            break;
        case 3:
            random_issue(&m, &w);
            break;
        case 4:
        case 5:
        case 6:
            random_redeem(&m, &w);
            break;
        default:
            random_transfer(&m, &w);
            break;
        }
        if (i % 8 == 0)
            compare(&m, &w);
    }
    compare(&m, &w);
    cr_assert(hub_wallet_audit(&w.state, &supply));
    cr_assert_eq(supply.issued, m.issued[WORLD_BANK] + m.issued[WORLD_OTHER_BANK]);
    cr_assert_gt(m.payments, operations / 40, "enough of it was paid");
    world_close(&w);
}

Test(currency_model, random_operations_agree_with_the_rules_written_twice)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        run(seed, 6000);
}
