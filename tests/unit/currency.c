/* Every code that issue, transfer, batch and redeem can give, each provoked; what they write; the day's and the
 * year's end. Expected values are counted in the tests from the rules of docs/currency.md. */
#include "tests/support/currency_world.h"

#include <criterion/criterion.h>
#include <string.h>

#define DAY_MS 86400000u

static uint16_t transfer(struct world *w, enum world_key signer, uint64_t debit, uint64_t credit,
                         uint64_t amount)
{
    struct world_body body = world_transfer(debit, credit, amount, 0);

    return world_run(w, signer, &body);
}

static uint16_t redeem(struct world *w, enum world_key signer, uint64_t wallet, uint64_t amount)
{
    struct world_body body = world_redeem(wallet, amount, 1000 + w->height);

    return world_run(w, signer, &body);
}

static uint64_t corporate(struct world *w, uint16_t institution, const struct hub_limits *limits)
{
    struct world_opening o = {
        .institution = institution, .kind = HUB_WALLET_KIND_CORPORATE, .limits = limits};

    return world_wallet_of(w, o, -1);
}

/* A sub-wallet has the owner of its parent. */
static uint64_t sub_of(struct world *w, uint64_t parent, enum hub_wallet_kind kind)
{
    struct hub_wallet p = world_read(w, parent);
    struct world_opening o = {
        .institution = p.institution, .kind = kind, .tier = p.tier, .parent = parent};

    o.owner = hub_get_be64(p.owner + 8);
    return world_wallet_of(w, o, -1);
}

/* ---- issue */

Test(currency, issue_credits_the_reserve_and_is_the_issuers_debt)
{
    struct world w = {0};
    struct world_body body = world_issue(WORLD_BANK, 5000, 1);
    struct hub_supply supply;
    struct hub_institution bank;

    world_open(&w, true);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), 0);
    cr_assert_eq(world_read(&w, world_reserve(&w, WORLD_BANK)).balance, 5000);
    cr_assert_eq(world_read(&w, hub_wallet_number(WORLD_AUTHORITY, 0)).debits, 5000);
    cr_assert(hub_wallet_audit(&w.state, &supply));
    cr_assert_eq(supply.issued, 5000);
    cr_assert_eq(supply.balance[HUB_WALLET_KIND_RESERVE], 5000);
    cr_assert(hub_institution_find(&bank, &w.state, WORLD_BANK));
    cr_assert_eq(bank.issued, 5000);
    world_close(&w);
}

Test(currency, issue_needs_an_issuer_of_the_authority_and_a_known_institution)
{
    struct world w = {0};
    struct world_body body = world_issue(WORLD_BANK, 5000, 1);

    world_open(&w, true);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_role_missing);
    body = world_issue(9, 5000, 1);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_credit_unknown);
    body = world_issue(WORLD_AUTHORITY, 5000, 1);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_credit_unknown,
                 "the authority has no reserve");
    body = world_issue(WORLD_BANK, 0, 1);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_amount_zero);
    body = world_issue(WORLD_BANK, HUB_AMOUNT_MAX + 1, 1);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_amount_above_max);
    world_close(&w);
}

Test(currency, an_issuer_of_another_member_cannot_issue)
{
    struct world w = {0};
    struct world_body body = world_issue(WORLD_BANK, 5000, 1);
    struct hub_key k;

    world_open(&w, true);
    cr_assert(hub_key_find(&k, &w.state, &w.kid[KEY_OPERATOR]));
    k.roles |= HUB_ROLE_ISSUER;
    hub_key_put(&w.state, &k);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_not_custodian);
    world_close(&w);
}

Test(currency, issue_needs_as_many_issuers_as_the_parameter_says)
{
    struct world w = {.issue_quorum = 2};
    struct world_body body = world_issue(WORLD_BANK, 5000, 1);

    world_open(&w, true);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_cosign_missing);
    body.cosign[body.cosigns++] = KEY_ISSUER_2;
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_cosign_missing, "one of two");
    body.cosign[body.cosigns++] = KEY_OPERATOR;
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_cosign_role, "the second is no issuer");
    body.cosign[1] = KEY_ISSUER_3;
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), 0);
    world_close(&w);
}

Test(currency, issue_stops_at_quota_supply_and_reference)
{
    struct world w = {0};
    struct world_body body = world_issue(WORLD_BANK, WORLD_QUOTA + 1, 1);
    uint8_t parameter[64];
    struct hub_buf b = {parameter, 0, sizeof parameter, false};

    world_open(&w, true);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_above_quota);
    body = world_issue(WORLD_BANK, WORLD_QUOTA - 10, 1);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), 0);
    body = world_issue(WORLD_BANK, 11, 2);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_above_quota);
    hub_put_array(&b, 2);
    hub_put_text(&b, "currency.supply_cap");
    hub_put_uint(&b, WORLD_QUOTA + 100);
    hub_state_add(&w.state, HUB_TABLE_PARAMETERS, hub_span_of(&b));
    body = world_issue(WORLD_OTHER_BANK, 111, 2);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_above_supply);
    body = world_issue(WORLD_OTHER_BANK, 110, 2);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), 0);
    body = world_issue(WORLD_BANK, 10, 2);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_reference_exists,
                 "before quota and supply");
    body = world_issue(WORLD_BANK, 10, 3);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_above_supply);
    world_close(&w);
}

/* ---- who may pay whom */

Test(currency, kinds_pay_as_the_table_says)
{
    enum { RESERVE, PERSON, SUB, FIRM, SUB_FIRM, HARD, FEE, WALLETS };
    /* Rows pay columns; 'o' only their own sub-wallet or parent, 'c' credit_kind, '.' the same wallet. */
    static const char table[WALLETS][WALLETS + 1] = {
        /*              R P S F s H f */
        /* reserve   */ ".ycycyy",
        /* personal  */ "c.yycyy",
        /* sub       */ "cy.ycyy",
        /* corporate */ "cyc.yyy",
        /* sub-corp. */ "cycy.yy",
        /* hard      */ "cycyc.y",
        /* fee       */ "cycycy.",
    };
    struct world w = {0};
    uint64_t number[WALLETS], issuer = hub_wallet_number(WORLD_AUTHORITY, 0);

    world_open(&w, true);
    number[RESERVE] = world_reserve(&w, WORLD_BANK);
    number[PERSON] = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL, 1);
    number[SUB] = sub_of(&w, number[PERSON], HUB_WALLET_KIND_SUB);
    number[FIRM] = corporate(&w, WORLD_BANK, NULL);
    number[SUB_FIRM] = sub_of(&w, number[FIRM], HUB_WALLET_KIND_SUB_CORPORATE);
    number[HARD] = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_HARD, 1);
    number[FEE] = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_FEE, 0);
    world_fund(&w, number[PERSON], 1000);
    world_fund(&w, number[FIRM], 1000);
    world_fund(&w, number[HARD], 1000);
    world_fund(&w, number[FEE], 1000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, number[PERSON], number[SUB], 500), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, number[FIRM], number[SUB_FIRM], 500), 0);
    struct world_body body = world_issue(WORLD_BANK, 1000, 1);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), 0);
    for (int from = 0; from < WALLETS; from++) {
        for (int to = 0; to < WALLETS; to++) {
            uint16_t want = table[from][to] == 'c'   ? HUB_CODE_credit_kind
                            : table[from][to] == '.' ? HUB_CODE_same_wallet
                                                     : 0;
            cr_assert_eq(transfer(&w, KEY_OPERATOR, number[from], number[to], 1), want,
                         "%d pays %d", from, to);
        }
        cr_assert_eq(transfer(&w, KEY_OPERATOR, number[from], issuer, 1), HUB_CODE_credit_kind);
        cr_assert_eq(transfer(&w, KEY_OPERATOR, issuer, number[from], 1), HUB_CODE_debit_kind);
    }
    cr_assert(hub_wallet_audit(&w.state, NULL));
    world_close(&w);
}

Test(currency,
     a_sub_wallet_is_paid_by_no_parent_but_its_own_and_a_reserve_tops_up_its_own_institution)
{
    struct world w = {0};
    uint64_t one, two, sub, far;

    world_open(&w, true);
    one = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL, 1);
    two = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL, 1);
    far = world_wallet(&w, WORLD_OTHER_BANK, HUB_WALLET_KIND_PERSONAL, 1);
    sub = sub_of(&w, one, HUB_WALLET_KIND_SUB);
    world_fund(&w, two, 1000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, two, sub, 1), HUB_CODE_credit_kind);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, world_reserve(&w, WORLD_BANK), far, 1),
                 HUB_CODE_credit_kind);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, two, far, 1), 0, "wallets pay across institutions");
    world_close(&w);
}

Test(currency, wallets_of_an_institution_that_was_removed_are_paid_no_more)
{
    struct world w = {0};
    struct hub_member m;
    uint64_t near, far, held;

    world_open(&w, true);
    near = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL, 1);
    far = world_wallet(&w, WORLD_OTHER_BANK, HUB_WALLET_KIND_PERSONAL, 1);
    held = world_wallet_of(&w,
                           (struct world_opening){.institution = WORLD_OTHER_BANK,
                                                  .kind = HUB_WALLET_KIND_PERSONAL,
                                                  .tier = 1,
                                                  .owner = 77},
                           KEY_HOLDER);
    world_fund(&w, near, 1000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, near, held, 10), 0);
    cr_assert(hub_member_of_institution(&m, &w.state, WORLD_OTHER_BANK));
    m.removed = true;
    m.since_ms = w.time_ms;
    hub_member_put(&w.state, &m);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, near, far, 1), HUB_CODE_credit_closed);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, near, held, 1), HUB_CODE_credit_closed);
    struct world_body body = world_issue(WORLD_OTHER_BANK, 5, 9);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_credit_closed);
    body = world_redeem(held, 1, 9);
    cr_assert_eq(world_run(&w, KEY_HOLDER, &body), HUB_CODE_credit_closed,
                 "nobody pays cash for it");
    world_entry(&w, near, held, 1);
    body = world_batch(&w, WORLD_BANK, 3, true);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_batch_aborted);
    cr_assert_eq(transfer(&w, KEY_HOLDER, held, near, 10), 0, "a holder takes its money along");
    world_close(&w);
}

/* ---- transfer */

Test(currency, transfer_names_the_first_broken_rule)
{
    struct world w = {0};
    uint64_t debit, credit;
    uint16_t currency;

    world_open(&w, true);
    debit = corporate(&w, WORLD_BANK, NULL);
    credit = corporate(&w, WORLD_OTHER_BANK, NULL);
    world_fund(&w, debit, 1000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, debit, 1), HUB_CODE_same_wallet);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 0), HUB_CODE_amount_zero);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, HUB_AMOUNT_MAX + 1),
                 HUB_CODE_amount_above_max);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit + 1, credit, 1), HUB_CODE_check_digits);
    cr_assert_eq(transfer(&w, KEY_SEAL, debit, credit, 1), HUB_CODE_role_missing);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, hub_wallet_number(WORLD_BANK, 999), credit, 1),
                 HUB_CODE_debit_unknown);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, hub_wallet_number(WORLD_BANK, 999), 1),
                 HUB_CODE_credit_unknown);
    cr_assert_eq(
        transfer(&w, KEY_OPERATOR, hub_wallet_number(9, (uint32_t)(debit >> 16)), credit, 1),
        HUB_CODE_debit_unknown);
    cr_assert_eq(transfer(&w, KEY_OTHER_OPERATOR, debit, credit, 1), HUB_CODE_not_custodian);

    currency = HUB_WALLET_CURRENCY;
    world_row(&w, credit)[currency] = 2;
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 1), HUB_CODE_currency_mismatch);
    world_row(&w, credit)[currency] = HUB_CURRENCY_CNY;
    hub_put_be16(world_row(&w, credit) + HUB_WALLET_ISSUER, 7);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 1), HUB_CODE_issuer_mismatch);
    hub_put_be16(world_row(&w, credit) + HUB_WALLET_ISSUER, WORLD_AUTHORITY);

    /* Each flag set is judged before those of the line behind it. */
    world_flags(&w, credit, HUB_WALLET_STOP_IN);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 1), HUB_CODE_credit_frozen);
    world_flags(&w, debit, HUB_WALLET_STOP_OUT);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 1), HUB_CODE_debit_frozen);
    world_flags(&w, credit, HUB_WALLET_STOP_IN | HUB_WALLET_CLOSED);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 1), HUB_CODE_credit_closed);
    world_flags(&w, debit, HUB_WALLET_STOP_OUT | HUB_WALLET_CLOSED);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 1), HUB_CODE_debit_closed);
    world_flags(&w, debit, HUB_WALLET_STOP_IN);
    world_flags(&w, credit, HUB_WALLET_STOP_OUT);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 1), 0, "the other direction is free");
    world_flags(&w, debit, 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 1000), HUB_CODE_insufficient_funds);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, debit, credit, 999), 0);
    world_close(&w);
}

Test(currency, only_the_holders_key_spends_from_a_self_custody_wallet)
{
    struct world w = {0};
    struct world_opening o = {
        .institution = WORLD_BANK, .kind = HUB_WALLET_KIND_PERSONAL, .tier = 1};
    uint64_t held, second, custodied;

    world_open(&w, true);
    held = world_wallet_of(&w, o, KEY_HOLDER);
    second = world_wallet_of(&w, o, KEY_HOLDER_2);
    custodied = world_wallet_of(&w, o, -1);
    world_fund(&w, held, 1000);
    world_fund(&w, custodied, 1000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, held, custodied, 1), HUB_CODE_not_holder);
    cr_assert_eq(transfer(&w, KEY_HOLDER_2, held, custodied, 1), HUB_CODE_not_holder);
    cr_assert_eq(transfer(&w, KEY_HOLDER, custodied, second, 1), HUB_CODE_not_custodian);
    cr_assert_eq(transfer(&w, KEY_HOLDER, held, custodied, 1), 0);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, held, 1), HUB_CODE_not_holder);
    cr_assert_eq(redeem(&w, KEY_HOLDER, held, 1), 0);
    world_entry(&w, held, custodied, 1);
    struct world_body body = world_batch(&w, WORLD_BANK, 1, true);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_batch_aborted);
    world_close(&w);
}

Test(currency, a_reference_pays_once_for_each_payer)
{
    struct world w = {0};
    uint64_t one, two;
    struct world_body body;
    struct hub_posting found;
    uint8_t reference[16] = {[15] = 5};

    world_open(&w, true);
    one = corporate(&w, WORLD_BANK, NULL);
    two = corporate(&w, WORLD_BANK, NULL);
    world_fund(&w, one, 1000);
    body = world_transfer(one, two, 2000, 5);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_insufficient_funds);
    body = world_transfer(one, two, 10, 5);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0, "a failure does not use the reference up");
    cr_assert(hub_payment_find(&found, &w.state, (uint32_t)(one >> 16), reference));
    cr_assert_eq(found.height, w.height);
    body = world_transfer(one, two, 5000, 5);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_reference_exists,
                 "before limits and funds");
    body = world_redeem(one, 10, 5);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_reference_exists);
    body = world_transfer(two, one, 10, 5);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0, "another payer");
    body = world_transfer(one, two, 10, 0);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0, "without a reference nothing is compared");
    world_close(&w);
}

Test(currency, persons_pay_no_person_where_a_wallet_forbids_it)
{
    struct world w = {0};
    struct world_opening o = {
        .institution = WORLD_BANK, .kind = HUB_WALLET_KIND_PERSONAL, .tier = 1, .no_p2p = true};
    uint64_t closed_group, person, firm, sub;

    world_open(&w, true);
    closed_group = world_wallet_of(&w, o, -1);
    person = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_HARD, 1);
    firm = corporate(&w, WORLD_BANK, NULL);
    sub = sub_of(&w, closed_group, HUB_WALLET_KIND_SUB);
    world_fund(&w, closed_group, 1000);
    world_fund(&w, person, 1000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, closed_group, person, 1), HUB_CODE_p2p_forbidden);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, person, closed_group, 1), HUB_CODE_p2p_forbidden);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, closed_group, firm, 1), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, closed_group, sub, 1), 0,
                 "its own sub-wallet is no other person");
    world_close(&w);
}

/* ---- limits */

Test(currency, payments_stop_at_each_of_the_four_limits)
{
    struct world w = {0};
    struct hub_limits limits = hub_limits_none;
    uint64_t from, to;

    limits.value[HUB_LIMIT_SINGLE] = 100;
    limits.value[HUB_LIMIT_DAY] = 250;
    limits.value[HUB_LIMIT_DAY_COUNT] = 3;
    limits.value[HUB_LIMIT_YEAR] = 400;
    world_open(&w, true);
    from = corporate(&w, WORLD_BANK, &limits);
    to = corporate(&w, WORLD_BANK, NULL);
    world_fund(&w, from, 10000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 101), HUB_CODE_above_payment_limit);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 100), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 100), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 51), HUB_CODE_above_day_limit);
    cr_assert_eq(world_read(&w, from).pay_day.left, 50);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 49), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 1), HUB_CODE_above_day_count);
    cr_assert_eq(world_read(&w, from).pay_day.count, 3);
    w.time_ms += DAY_MS;
    cr_assert_eq(world_read(&w, from).pay_day.count, 0, "shown rolled over before any payment");
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 100), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 52), HUB_CODE_above_year_limit);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 51), 0);
    cr_assert_eq(world_read(&w, from).pay_year.sum, 400);
    cr_assert_eq(world_read(&w, from).pay_year.left, 0);
    world_close(&w);
}

Test(currency, redemptions_stop_at_each_of_the_five_limits_and_no_payment_limit)
{
    struct world w = {0};
    struct hub_limits limits = hub_limits_none;
    uint64_t from;

    limits.value[HUB_LIMIT_SINGLE] = 0;
    limits.value[HUB_LIMIT_REDEEM_SINGLE] = 100;
    limits.value[HUB_LIMIT_REDEEM_DAY] = 250;
    limits.value[HUB_LIMIT_REDEEM_DAY_COUNT] = 3;
    limits.value[HUB_LIMIT_REDEEM_YEAR] = 400;
    limits.value[HUB_LIMIT_REDEEM_YEAR_COUNT] = 5;
    world_open(&w, true);
    from = corporate(&w, WORLD_BANK, &limits);
    world_fund(&w, from, 10000);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 101), HUB_CODE_above_redeem_single);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 100), 0);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 100), 0);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 51), HUB_CODE_above_redeem_day);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 40), 0);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 1), HUB_CODE_above_redeem_day_count);
    w.time_ms += DAY_MS;
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 100), 0);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 61), HUB_CODE_above_redeem_year);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 1), 0);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 1), HUB_CODE_above_redeem_year_count);
    cr_assert_eq(world_read(&w, from).redeem_year.sum, 341);
    cr_assert_eq(world_read(&w, from).pay_year.sum, 0);
    cr_assert_eq(world_read(&w, from).balance, 10000 - 341);
    cr_assert_eq(world_read(&w, world_reserve(&w, WORLD_BANK)).balance, 341);
    world_close(&w);
}

Test(currency, redeem_names_the_first_broken_rule)
{
    struct world w = {0};
    uint64_t firm, sub;

    world_open(&w, true);
    firm = corporate(&w, WORLD_BANK, NULL);
    sub = sub_of(&w, firm, HUB_WALLET_KIND_SUB_CORPORATE);
    world_fund(&w, firm, 1000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, firm, sub, 10), 0);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, firm ^ 1, 1), HUB_CODE_check_digits);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, hub_wallet_number(WORLD_BANK, 999), 1),
                 HUB_CODE_debit_unknown);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, hub_wallet_number(WORLD_AUTHORITY, 0), 1),
                 HUB_CODE_credit_unknown);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, world_reserve(&w, WORLD_BANK), 1), HUB_CODE_debit_kind);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, sub, 1), HUB_CODE_debit_kind);
    cr_assert_eq(redeem(&w, KEY_OTHER_OPERATOR, firm, 1), HUB_CODE_not_custodian);
    world_flags(&w, firm, HUB_WALLET_HAS_CHILDREN | HUB_WALLET_STOP_OUT);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, firm, 1), HUB_CODE_debit_frozen);
    world_flags(&w, firm, HUB_WALLET_HAS_CHILDREN | HUB_WALLET_CLOSED);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, firm, 1), HUB_CODE_debit_closed);
    world_flags(&w, firm, HUB_WALLET_HAS_CHILDREN);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, firm, 991), HUB_CODE_insufficient_funds);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, firm, 990), 0);
    world_close(&w);
}

Test(currency, day_and_year_end_at_midnight_in_utc_plus_8)
{
    struct world w = {0};
    uint64_t from, to;

    world_open(&w, true);
    w.time_ms = UINT64_C(1798732799999); /* 2026-12-31T15:59:59.999Z, the last of 2026 in UTC+8 */
    from = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL, 4);
    to = corporate(&w, WORLD_BANK, NULL);
    world_fund(&w, from, 1000000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 200000), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 200000), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 200000), HUB_CODE_above_day_limit);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 200000), 0);
    cr_assert_eq(world_read(&w, from).pay_year.left, 5000000 - 400000);
    w.time_ms += 1;
    cr_assert_eq(world_read(&w, from).pay_year.left, 5000000);
    cr_assert_eq(world_read(&w, from).redeem_year.count, 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 200000), 0);
    cr_assert_eq(world_read(&w, from).pay_day.sum, 200000);
    cr_assert_eq(world_read(&w, from).pay_year.sum, 200000);
    cr_assert_eq(world_read(&w, from).redeem_day.sum, 0);
    w.time_ms += DAY_MS - 1;
    cr_assert_eq(world_read(&w, from).pay_day.sum, 200000);
    w.time_ms += 1;
    cr_assert_eq(world_read(&w, from).pay_day.sum, 0);
    cr_assert_eq(world_read(&w, from).pay_year.sum, 200000);
    world_close(&w);
}

Test(currency, a_full_counter_is_a_limit)
{
    struct world w = {0};
    uint64_t from, to;
    uint8_t *row;

    world_open(&w, true);
    from = corporate(&w, WORLD_BANK, NULL);
    to = corporate(&w, WORLD_BANK, NULL);
    world_fund(&w, from, 1000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 1), 0);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 1), 0);
    hub_put_be32(world_row(&w, from) + HUB_WALLET_PAY_DAY_COUNT, UINT32_MAX);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 1), HUB_CODE_above_day_count);
    hub_put_be16(world_row(&w, from) + HUB_WALLET_REDEEM_YEAR_COUNT, UINT16_MAX);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 1), HUB_CODE_above_redeem_year_count);
    hub_put_be16(world_row(&w, from) + HUB_WALLET_REDEEM_DAY_COUNT, UINT16_MAX);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, from, 1), HUB_CODE_above_redeem_day_count);
    hub_put_be64(world_row(&w, from) + HUB_WALLET_PAY_YEAR_SUM, UINT64_MAX);
    hub_put_be32(world_row(&w, from) + HUB_WALLET_PAY_DAY_COUNT, 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 1), HUB_CODE_above_year_limit);
    hub_put_be64(world_row(&w, from) + HUB_WALLET_PAY_YEAR_SUM, 0);
    row = world_row(&w, to);
    hub_put_be64(row + HUB_WALLET_CREDITS_POSTED, UINT64_MAX);
    hub_put_be64(row + HUB_WALLET_DEBITS_POSTED, UINT64_MAX - 1);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, from, to, 1), HUB_CODE_overflow);
    world_close(&w);
}

Test(currency, one_amount_may_not_exceed_the_parameter)
{
    struct world w = {0};
    uint8_t parameter[64];
    struct hub_buf b = {parameter, 0, sizeof parameter, false};
    struct world_body body;

    world_open(&w, true);
    hub_put_array(&b, 2);
    hub_put_text(&b, "currency.max_amount");
    hub_put_uint(&b, 500);
    hub_state_add(&w.state, HUB_TABLE_PARAMETERS, hub_span_of(&b));
    body = world_issue(WORLD_BANK, 501, 1);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_above_payment_limit);
    body = world_issue(WORLD_BANK, 500, 1);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, world_reserve(&w, WORLD_BANK),
                          corporate(&w, WORLD_BANK, NULL), 501),
                 HUB_CODE_above_payment_limit);
    world_close(&w);
}

Test(currency, credits_stop_at_the_balance_cap_with_what_is_pending_and_what_sub_wallets_hold)
{
    struct world w = {0};
    uint64_t firm, person, sub;

    world_open(&w, true);
    firm = corporate(&w, WORLD_BANK, NULL);
    person = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL, 3); /* cap 2,000,000 */
    sub = sub_of(&w, person, HUB_WALLET_KIND_SUB);
    world_fund(&w, firm, 10000000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, firm, person, 2000001), HUB_CODE_above_balance_cap);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, firm, person, 1500000), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, person, sub, 1500000), 0,
                 "no payment limit between own wallets");
    cr_assert_eq(world_read(&w, person).children, 1500000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, firm, person, 500001), HUB_CODE_above_balance_cap);
    hub_put_be64(world_row(&w, person) + HUB_WALLET_CREDITS_PENDING, 1);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, firm, person, 500000), HUB_CODE_above_balance_cap);
    hub_put_be64(world_row(&w, person) + HUB_WALLET_CREDITS_PENDING, 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, firm, person, 500000), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, sub, person, 1500000), 0,
                 "own money coming home never bounces");
    world_close(&w);
}

Test(currency, sub_wallets_share_the_limits_and_the_fate_of_their_parent)
{
    struct world w = {0};
    uint64_t person, sub, firm;

    world_open(&w, true);
    firm = corporate(&w, WORLD_BANK, NULL);
    person = world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL,
                          3); /* 500,000 at once, 1,000,000 a day */
    sub = sub_of(&w, person, HUB_WALLET_KIND_SUB);
    world_fund(&w, person, 2000000);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, person, sub, 1000000), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, sub, firm, 500001), HUB_CODE_above_payment_limit);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, sub, firm, 400000), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, person, firm, 400000), 0);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, sub, firm, 200001), HUB_CODE_above_day_limit);
    cr_assert_eq(world_read(&w, sub).pay_day.sum, 800000, "shown are the counters it shares");
    cr_assert_eq(world_read(&w, sub).parent, person);
    cr_assert_eq(world_read(&w, person).children, 600000);
    world_flags(&w, person, HUB_WALLET_HAS_CHILDREN | HUB_WALLET_STOP_OUT);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, sub, firm, 1), HUB_CODE_parent_frozen);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, sub, person, 1), 0, "home it may go");
    world_flags(&w, person, HUB_WALLET_HAS_CHILDREN | HUB_WALLET_CLOSED);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, sub, firm, 1), HUB_CODE_parent_closed);
    cr_assert(hub_wallet_audit(&w.state, NULL));
    world_close(&w);
}

Test(currency, nothing_moves_without_a_currency_authority)
{
    struct world w = {0};
    struct world_body body = world_issue(WORLD_BANK, 1, 1);

    world_open(&w, false);
    cr_assert_eq(world_run(&w, KEY_ISSUER, &body), HUB_CODE_currency_off);
    cr_assert_eq(transfer(&w, KEY_OPERATOR, hub_wallet_number(2, 1), hub_wallet_number(2, 2), 1),
                 HUB_CODE_currency_off);
    cr_assert_eq(redeem(&w, KEY_OPERATOR, hub_wallet_number(2, 1), 1), HUB_CODE_currency_off);
    world_entry(&w, hub_wallet_number(2, 1), hub_wallet_number(2, 2), 1);
    body = world_batch(&w, WORLD_BANK, 1, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_currency_off);
    world_close(&w);
}
