/* Rows, numbers, days and wallet.open. Layout and sample number: docs/currency.md as docs/formats.cddl quotes it;
 * CRC: the catalogue's check value; days: the C library's calendar. */
#include "tests/support/currency_world.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

/* ---- the row */

Test(wallet, row_fields_follow_each_other_and_fill_128_bytes)
{
    static const struct {
        unsigned offset, size;
    } fields[] = {
        {HUB_WALLET_DEBITS_POSTED, 8},
        {HUB_WALLET_CREDITS_POSTED, 8},
        {HUB_WALLET_DEBITS_PENDING, 8},
        {HUB_WALLET_CREDITS_PENDING, 8},
        {HUB_WALLET_PAY_DAY_SUM, 8},
        {HUB_WALLET_PAY_YEAR_SUM, 8},
        {HUB_WALLET_REDEEM_DAY_SUM, 8},
        {HUB_WALLET_REDEEM_YEAR_SUM, 8},
        {HUB_WALLET_OWNER, 16},
        {HUB_WALLET_LAST_HEIGHT, 8},
        {HUB_WALLET_KEY, 4},
        {HUB_WALLET_PARENT, 4},
        {HUB_WALLET_LIMITS, 4},
        {HUB_WALLET_PAY_DAY_COUNT, 4},
        {HUB_WALLET_RESERVED, 4},
        {HUB_WALLET_DAY, 2},
        {HUB_WALLET_INSTITUTION, 2},
        {HUB_WALLET_CUSTODIAN, 2},
        {HUB_WALLET_ISSUER, 2},
        {HUB_WALLET_REDEEM_DAY_COUNT, 2},
        {HUB_WALLET_REDEEM_YEAR_COUNT, 2},
        {HUB_WALLET_OPEN_ITEMS, 2},
        {HUB_WALLET_FLAGS, 2},
        {HUB_WALLET_KIND, 1},
        {HUB_WALLET_TIER, 1},
        {HUB_WALLET_CURRENCY, 1},
        {HUB_WALLET_YEAR, 1},
    };
    unsigned at = 0;

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        cr_assert_eq(fields[i].offset, at, "field %zu", i);
        at += fields[i].size;
    }
    cr_assert_eq(at, 128);
}

Test(wallet, opened_row_holds_what_the_record_said)
{
    struct world w = {0};
    struct world_opening o = {.institution = WORLD_BANK,
                              .kind = HUB_WALLET_KIND_PERSONAL,
                              .tier = 3,
                              .owner = 0x0102030405060708,
                              .no_p2p = true};
    uint64_t number;
    const uint8_t *row;

    world_open(&w, true);
    w.height = 0x10;
    number = world_wallet_of(&w, o, KEY_HOLDER);
    row = world_row(&w, number);
    cr_assert_eq(memcmp(row + 64, "\0\0\0\0\0\0\0\0\1\2\3\4\5\6\7\10", 16), 0, "owner");
    cr_assert_eq(memcmp(row + 80, "\0\0\0\0\0\0\0\x11", 8), 0, "last height");
    cr_assert_eq(memcmp(row + 88, "\0\0\0\x09", 4), 0, "key row 8, plus 1");
    cr_assert_eq(memcmp(row + 92, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18), 0, "parent to day");
    cr_assert_eq(memcmp(row + 110, "\0\2\0\2\0\1", 6), 0, "institution, custodian, issuer");
    cr_assert_eq(memcmp(row + 116, "\0\0\0\0\0\0\0\x08", 8), 0, "counts, open items, flags");
    cr_assert_eq(memcmp(row + 124, "\2\3\1\0", 4), 0, "kind, tier, currency, year");
    world_close(&w);
}

/* ---- numbers */

/* CRC-16/IBM-3740 bit by bit: polynomial 0x1021, initial value 0xffff, no reflection, no final xor. */
static uint16_t crc16(const uint8_t *p, size_t n)
{
    uint16_t crc = 0xffff;

    for (size_t i = 0; i < n * 8; i++) {
        bool in = p[i / 8] >> (7 - i % 8) & 1, out = crc >> 15;

        crc = (uint16_t)(crc << 1);
        if (in != out)
            crc ^= 0x1021;
    }
    return crc;
}

Test(wallet, numbers_end_in_the_crc_of_institution_and_slot)
{
    uint64_t state = 1;

    cr_assert_eq(crc16((const uint8_t *)"123456789", 9), 0x29b1, "the catalogue's check value");
    for (int i = 0; i < 1000; i++) {
        uint8_t six[6];
        uint16_t institution;
        uint32_t slot;

        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        institution = (uint16_t)(state >> 48);
        slot = (uint32_t)(state >> 16);
        hub_put_be16(six, institution);
        hub_put_be32(six + 2, slot);
        cr_assert_eq(hub_wallet_number(institution, slot),
                     (uint64_t)institution << 48 | (uint64_t)slot << 16 | crc16(six, 6));
    }
}

Test(wallet, sample_number_is_00003_0000001896_38139)
{
    uint64_t number = UINT64_C(3) << 48 | UINT64_C(1896) << 16 | 38139;

    cr_assert_eq(hub_wallet_number(3, 1896), number);
    cr_assert(hub_wallet_number_ok(number));
    for (int bit = 0; bit < 64; bit++)
        cr_assert_not(hub_wallet_number_ok(number ^ UINT64_C(1) << bit), "bit %d", bit);
}

/* ---- days and years in UTC+8 */

static uint64_t at(int year, int month, int day, int hour, int minute, int second)
{
    struct tm t = {.tm_year = year - 1900,
                   .tm_mon = month - 1,
                   .tm_mday = day,
                   .tm_hour = hour,
                   .tm_min = minute,
                   .tm_sec = second};

    return (uint64_t)(timegm(&t) - 8 * 3600) * 1000;
}

Test(wallet, days_and_years_change_at_midnight_in_utc_plus_8)
{
    cr_assert_eq(hub_day_of(at(2020, 1, 1, 0, 0, 0)), 0);
    cr_assert_eq(hub_day_of(at(2020, 1, 1, 23, 59, 59) + 999), 0);
    cr_assert_eq(hub_day_of(at(2020, 1, 2, 0, 0, 0)), 1);
    cr_assert_eq(hub_day_of(at(2026, 5, 22, 23, 59, 59) + 999) + 1,
                 hub_day_of(at(2026, 5, 23, 0, 0, 0)));
    cr_assert_eq(hub_year_of(at(2026, 12, 31, 23, 59, 59) + 999), 6);
    cr_assert_eq(hub_year_of(at(2027, 1, 1, 0, 0, 0)), 7);
    cr_assert_eq(hub_day_of(0), 0, "before 2020");
    cr_assert_eq(hub_year_of(at(2019, 12, 31, 23, 59, 59)), 0);
    cr_assert_eq(hub_day_of(UINT64_MAX), UINT16_MAX, "beyond the row's width");
    cr_assert_eq(hub_year_of(UINT64_MAX), UINT8_MAX);
}

Test(wallet, every_day_until_2275_has_the_year_of_the_calendar)
{
    for (uint64_t day = 0; day < 93500; day++) {
        uint64_t ms = at(2020, 1, 1, 0, 0, 0) + day * 86400000;
        time_t local = (time_t)(ms / 1000) + 8 * 3600;
        struct tm t;

        gmtime_r(&local, &t);
        cr_assert_eq(hub_year_of(ms), t.tm_year - 120, "day %lu", (unsigned long)day);
        if (day <= UINT16_MAX)
            cr_assert_eq(hub_day_of(ms), day);
    }
}

/* ---- the tiers */

Test(wallet, tiers_have_the_published_limits)
{
    static const struct {
        uint8_t tier;
        uint64_t balance, single, day, year;
    } published[] = {{1, HUB_LIMIT_NONE, HUB_LIMIT_NONE, HUB_LIMIT_NONE, HUB_LIMIT_NONE},
                     {2, 50000000, 5000000, 10000000, HUB_LIMIT_NONE},
                     {3, 2000000, 500000, 1000000, HUB_LIMIT_NONE},
                     {4, 1000000, 200000, 500000, 5000000}};
    struct world w = {0};

    world_open(&w, true);
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        struct hub_wallet v = world_read(
            &w, world_wallet(&w, WORLD_BANK, HUB_WALLET_KIND_PERSONAL, published[i].tier));

        cr_assert_eq(v.limits.value[HUB_LIMIT_BALANCE], published[i].balance);
        cr_assert_eq(v.limits.value[HUB_LIMIT_SINGLE], published[i].single);
        cr_assert_eq(v.limits.value[HUB_LIMIT_DAY], published[i].day);
        cr_assert_eq(v.limits.value[HUB_LIMIT_YEAR], published[i].year);
        cr_assert_eq(v.limits.value[HUB_LIMIT_DAY_COUNT], HUB_LIMIT_NONE);
    }
    world_close(&w);
}

Test(wallet, own_limits_replace_only_the_ones_they_name)
{
    struct world w = {0};
    struct hub_limits own = hub_limits_none;
    struct hub_wallet v;

    own.value[HUB_LIMIT_DAY] = 0;
    own.value[HUB_LIMIT_BALANCE] = 12345;
    world_open(&w, true);
    v = world_read(&w, world_wallet_of(&w,
                                       (struct world_opening){.institution = WORLD_BANK,
                                                              .kind = HUB_WALLET_KIND_CORPORATE,
                                                              .limits = &own},
                                       -1));
    for (int i = 0; i < HUB_LIMIT_COUNT; i++)
        cr_assert_eq(v.limits.value[i], own.value[i], "%s", hub_limit_names[i]);
    cr_assert_eq(v.pay_day.left, 0, "0 = none allowed");
    world_close(&w);
}

/* ---- wallet.open */

struct opening_case {
    const char *what;
    uint16_t code;
    enum world_key signer;
    struct world_opening o;
};

#define OWNER .institution = WORLD_BANK, .owner = 77
#define BANK OWNER, .reference = 99
#define PERSONAL BANK, .kind = HUB_WALLET_KIND_PERSONAL

Test(wallet, opening_is_refused_with_the_code_of_the_broken_rule)
{
    struct world w = {0};
    struct hub_limits limits = hub_limits_none;
    uint64_t person, firm, closed, frozen, other;

    world_open(&w, true);
    person = world_wallet_of(
        &w,
        (struct world_opening){OWNER, .kind = HUB_WALLET_KIND_PERSONAL, .tier = 2, .reference = 1},
        -1);
    firm = world_wallet_of(
        &w, (struct world_opening){OWNER, .kind = HUB_WALLET_KIND_CORPORATE, .reference = 2}, -1);
    other = world_wallet_of(&w,
                            (struct world_opening){.institution = WORLD_OTHER_BANK,
                                                   .owner = 77,
                                                   .kind = HUB_WALLET_KIND_PERSONAL,
                                                   .tier = 2},
                            -1);
    closed = world_wallet_of(
        &w, (struct world_opening){OWNER, .kind = HUB_WALLET_KIND_CORPORATE, .reference = 3}, -1);
    frozen = world_wallet_of(
        &w, (struct world_opening){OWNER, .kind = HUB_WALLET_KIND_CORPORATE, .reference = 4}, -1);
    world_flags(&w, closed, HUB_WALLET_CLOSED | HUB_WALLET_STOP_OUT);
    world_flags(&w, frozen, HUB_WALLET_STOP_OUT);
    const struct opening_case cases[] = {
        {"sub without parent",
         HUB_CODE_body_invalid,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2}},
        {"parent of no sub",
         HUB_CODE_body_invalid,
         KEY_OPERATOR,
         {PERSONAL, .tier = 2, .parent = person}},
        {"limits of a person",
         HUB_CODE_body_invalid,
         KEY_OPERATOR,
         {PERSONAL, .tier = 2, .limits = &limits}},
        {"tier 5", HUB_CODE_body_invalid, KEY_OPERATOR, {PERSONAL, .tier = 5}},
        {"the issuer's kind",
         HUB_CODE_body_invalid,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_ISSUER}},
        {"check digits",
         HUB_CODE_check_digits,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2, .parent = person ^ 1}},
        {"role", HUB_CODE_role_missing, KEY_CHECKER, {PERSONAL, .tier = 2}},
        {"parent unknown",
         HUB_CODE_debit_unknown,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2,
          .parent = hub_wallet_number(WORLD_BANK, 1000)}},
        {"parent's number of another institution",
         HUB_CODE_debit_unknown,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2,
          .parent = hub_wallet_number(WORLD_OTHER_BANK, (uint32_t)(person >> 16))}},
        {"parent of another kind",
         HUB_CODE_debit_kind,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2, .parent = firm}},
        {"parent at another institution",
         HUB_CODE_debit_kind,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2, .parent = other}},
        {"parent of another owner",
         HUB_CODE_debit_kind,
         KEY_OPERATOR,
         {.institution = WORLD_BANK,
          .reference = 99,
          .owner = 78,
          .kind = HUB_WALLET_KIND_SUB,
          .tier = 2,
          .parent = person}},
        {"another institution's operator",
         HUB_CODE_not_custodian,
         KEY_OTHER_OPERATOR,
         {PERSONAL, .tier = 2}},
        {"parent closed",
         HUB_CODE_parent_closed,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB_CORPORATE, .parent = closed}},
        {"parent frozen",
         HUB_CODE_parent_frozen,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB_CORPORATE, .parent = frozen}},
        {"reference again",
         HUB_CODE_reference_exists,
         KEY_OPERATOR,
         {.institution = WORLD_BANK,
          .owner = 5,
          .reference = 1,
          .kind = HUB_WALLET_KIND_HARD,
          .tier = 2}},
        {"owner again", HUB_CODE_owner_exists, KEY_OPERATOR, {PERSONAL, .tier = 2}},
        {"owner again, another tier",
         0,
         KEY_OPERATOR,
         {OWNER, .reference = 98, .kind = HUB_WALLET_KIND_PERSONAL, .tier = 3}},
        {"second reserve",
         HUB_CODE_wallet_exists,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_RESERVE}},
        {"person without tier",
         HUB_CODE_kind_tier,
         KEY_OPERATOR,
         {.institution = WORLD_BANK,
          .owner = 5,
          .reference = 99,
          .kind = HUB_WALLET_KIND_PERSONAL}},
        {"corporate with tier",
         HUB_CODE_kind_tier,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_CORPORATE, .tier = 1}},
        {"sub of another tier",
         HUB_CODE_kind_tier,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 3, .parent = person}},
        {"sub", 0, KEY_OPERATOR, {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2, .parent = person}},
        {"the same sub again",
         HUB_CODE_reference_exists,
         KEY_OPERATOR,
         {BANK, .kind = HUB_WALLET_KIND_SUB, .tier = 2, .parent = person}},
        {"same reference at another institution",
         0,
         KEY_OTHER_OPERATOR,
         {.institution = WORLD_OTHER_BANK,
          .owner = 78,
          .reference = 99,
          .kind = HUB_WALLET_KIND_PERSONAL,
          .tier = 2}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world_body body = world_opening(&cases[i].o);
        uint32_t before = w.state.count[HUB_TABLE_WALLETS];
        uint16_t code = world_run(&w, cases[i].signer, &body);

        cr_assert_eq(code, cases[i].code, "%s: %u, not %u", cases[i].what, code, cases[i].code);
        cr_assert_eq(w.state.count[HUB_TABLE_WALLETS], before + (code == 0), "%s", cases[i].what);
    }
    cr_assert(hub_wallet_audit(&w.state, NULL));
    world_close(&w);
}

Test(wallet, self_custody_needs_the_holders_key_to_sign_and_to_be_new)
{
    struct world w = {0};
    uint8_t cose_key[HUB_COSE_KEY_BYTES];
    struct world_opening o = {PERSONAL, .tier = 2, .key = cose_key};
    struct world_body body;
    struct hub_key k;

    world_open(&w, true);
    hub_cose_key_encode(cose_key, &w.key[KEY_HOLDER]);
    body = world_opening(&o);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_cosign_missing);
    body.cosign[body.cosigns++] = KEY_HOLDER_2;
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_cosign_missing, "another key signed");
    body.cosign[body.cosigns++] = KEY_HOLDER;
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), 0);
    cr_assert(hub_key_find(&k, &w.state, &w.kid[KEY_HOLDER]));
    cr_assert_eq(k.roles, HUB_ROLE_WALLET);
    cr_assert_eq(k.member, UINT32_MAX);
    cr_assert_eq(k.wallet, hub_wallet_number(WORLD_BANK, 3));
    cr_assert_eq(memcmp(k.key.b, w.key[KEY_HOLDER].b, 32), 0);
    o.owner++, o.reference++;
    body = world_opening(&o);
    body.cosign[body.cosigns++] = KEY_HOLDER;
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_key_exists);
    o.kind = HUB_WALLET_KIND_FEE, o.tier = 0;
    body = world_opening(&o);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_body_invalid,
                 "a fee wallet is the institution's");
    world_close(&w);
}

Test(wallet, opening_is_found_by_its_reference)
{
    struct world w = {0};
    struct hub_posting found;
    uint8_t reference[16] = {[15] = 99};
    uint64_t number;

    world_open(&w, true);
    number = world_wallet_of(&w, (struct world_opening){PERSONAL, .tier = 1}, -1);
    cr_assert(hub_opening_find(&found, &w.state, WORLD_BANK, reference));
    cr_assert_eq(found.height, w.height);
    cr_assert_eq(hub_wallet_number(WORLD_BANK, found.slot), number);
    cr_assert_not(hub_opening_find(&found, &w.state, WORLD_OTHER_BANK, reference));
    world_close(&w);
}

Test(wallet, nothing_opens_without_a_currency_authority)
{
    struct world w = {0};
    struct world_body body = world_opening(&(struct world_opening){PERSONAL, .tier = 2});
    struct hub_supply supply;

    world_open(&w, false);
    cr_assert_eq(world_run(&w, KEY_OPERATOR, &body), HUB_CODE_currency_off);
    cr_assert_not(hub_supply_read(&supply, &w.state, NULL, 0));
    cr_assert(hub_wallet_audit(&w.state, &supply));
    world_close(&w);
}
