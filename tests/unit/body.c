/* Each kind of field at and beyond its bounds. Check digits are CRC-16/IBM-3740 as the RevEng catalogue
 * gives it: "123456789" -> 0x29b1. */
#include "hub/body.h"

#include "hub/limits.h"
#include "hub/results.h"
#include "hub/sign.h"
#include "tests/support/hex.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *const colours[] = {"red", "green", NULL};
static const struct hub_field inner[] = {
    {.name = "n", .kind = HUB_FIELD_UINT, .required = true, .min = 1, .max = 9},
    {.name = NULL},
};
static const struct hub_field element = {.kind = HUB_FIELD_UINT, .min = 0, .max = 5};
static const struct hub_field item = {.kind = HUB_FIELD_MAP, .sub = inner};

/* Checks a map of one field "f" of this description, whose value is given in hex. */
static uint16_t code_of(struct hub_field f, const char *value_hex)
{
    struct hub_field fields[2] = {f, {.name = NULL}};
    uint8_t bytes[2048] = {0xa1, 0x61, 'f'};
    struct hub_span value = test_bytes(value_hex);

    fields[0].name = "f";
    fields[0].required = true;
    memcpy(bytes + 3, value.data, value.len);
    return hub_body_check((struct hub_span){bytes, 3 + value.len}, fields, NULL);
}

#define KIND(k, ...) ((struct hub_field){.kind = HUB_FIELD_##k, __VA_ARGS__})
#define GIVES(field, hex, code) cr_assert_eq(code_of(field, hex), (code), #field " " hex)

Test(body, uint_has_a_range)
{
    struct hub_field f = KIND(UINT, .min = 2, .max = 300);

    GIVES(f, "01", HUB_CODE_body_invalid);
    GIVES(f, "02", 0);
    GIVES(f, "19012c", 0);
    GIVES(f, "19012d", HUB_CODE_body_invalid);
    GIVES(f, "20", HUB_CODE_body_invalid);
    GIVES(f, "6132", HUB_CODE_body_invalid);
    GIVES(f, "1802", HUB_CODE_not_canonical);
}

Test(body, amount_has_codes_of_its_own)
{
    struct hub_field f = KIND(AMOUNT, .min = 0);

    GIVES(f, "00", HUB_CODE_amount_zero);
    GIVES(f, "01", 0);
    GIVES(f, "1b00038d7ea4c68000", 0); /* 10^15 */
    GIVES(f, "1b00038d7ea4c68001", HUB_CODE_amount_above_max);
    GIVES(f, "1bffffffffffffffff", HUB_CODE_amount_above_max);
    GIVES(f, "f4", HUB_CODE_body_invalid);
}

Test(body, time_is_below_two_to_the_53)
{
    struct hub_field f = KIND(TIME, .min = 0);

    GIVES(f, "00", 0);
    GIVES(f, "1b001fffffffffffff", 0);
    GIVES(f, "1b0020000000000000", HUB_CODE_body_invalid);
}

Test(body, wallet_numbers_carry_check_digits)
{
    struct hub_field f = KIND(WALLET, .min = 0);

    /* "123456" as the six bytes: institution 0x3132, slot 0x33343536; its CRC is 0x2ef4. */
    cr_assert_eq(hub_wallet_number(0x3132, 0x33343536), 0x3132333435362ef4u);
    cr_assert(hub_wallet_number_ok(0x3132333435362ef4u));
    GIVES(f, "1b3132333435362ef4", 0);
    GIVES(f, "1b3132333435362ef5", HUB_CODE_check_digits);
    GIVES(f, "1b3132333435352ef4", HUB_CODE_check_digits);
    GIVES(f, "00", HUB_CODE_check_digits);
}

Test(body, text_is_bounded_in_bytes_and_trimmed)
{
    struct hub_field f = KIND(TEXT, .min = 1, .max = 6);

    GIVES(f, "60", HUB_CODE_text_form);
    GIVES(f, "6161", 0);
    GIVES(f, "66e79bb8e59f8e", 0); /* 相城 */
    GIVES(f, "6761626364656667", HUB_CODE_text_form);
    GIVES(f, "622061", HUB_CODE_text_form);
    GIVES(f, "626120", HUB_CODE_text_form);
    GIVES(f, "64e3808061", HUB_CODE_text_form); /* the wide space */
    GIVES(f, "6461e38080", HUB_CODE_text_form);
    GIVES(f, "63612061", 0);
    GIVES(f, "620a61", HUB_CODE_not_canonical);
    GIVES(f, "63e280ae", HUB_CODE_not_canonical); /* U+202E */
    GIVES(f, "62c328", HUB_CODE_not_canonical);
    GIVES(f, "4161", HUB_CODE_body_invalid);
    f.min = 0;
    GIVES(f, "60", 0);
}

Test(body, member_codes_are_three_to_eighteen_capitals_and_digits)
{
    struct hub_field f = KIND(CODE, .min = 0);

    GIVES(f, "624142", HUB_CODE_text_form);
    GIVES(f, "63414239", 0);
    GIVES(f, "63414261", HUB_CODE_text_form);
    GIVES(f, "6341422d", HUB_CODE_text_form);
    GIVES(f, "72414141414141414141414141414141414141", 0);
    GIVES(f, "7341414141414141414141414141414141414141", HUB_CODE_text_form);
}

static uint16_t date_code(const char *date)
{
    struct hub_field fields[2] = {{.name = "f", .kind = HUB_FIELD_DATE, .required = true},
                                  {.name = NULL}};
    uint8_t bytes[64];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};

    hub_put_map(&b, 1);
    hub_put_text(&b, "f");
    hub_put_text(&b, date);
    return hub_body_check(hub_span_of(&b), fields, NULL);
}

Test(body, dates_exist_in_the_calendar)
{
    static const char *const good[] = {"2026-05-22", "--05-22", "2024-02-29",
                                       "2000-02-29", "--02-29", "2026-12-31"};
    static const char *const wrong[] = {"2026-5-22",
                                        "2026-02-29",
                                        "1900-02-29",
                                        "2026-13-01",
                                        "2026-00-10",
                                        "2026-04-31",
                                        "2026-05-00",
                                        "2026-05-32",
                                        "-05-22",
                                        "--13-01",
                                        "--02-30",
                                        "2026/05/22",
                                        "20x6-05-22",
                                        "2026-0a-22",
                                        "2026-05-2",
                                        "--05/22",
                                        ""};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert_eq(date_code(good[i]), 0, "%s", good[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        cr_assert_eq(date_code(wrong[i]), HUB_CODE_date_form, "%s", wrong[i]);
}

Test(body, byte_strings_have_their_lengths)
{
    GIVES(KIND(BYTES, .min = 1, .max = 2), "40", HUB_CODE_body_invalid);
    GIVES(KIND(BYTES, .min = 1, .max = 2), "420000", 0);
    GIVES(KIND(BYTES, .min = 1, .max = 2), "43000000", HUB_CODE_body_invalid);
    GIVES(KIND(HASH, .min = 0),
          "5820"
          "0000000000000000000000000000000000000000000000000000000000000000",
          0);
    GIVES(KIND(HASH, .min = 0),
          "581f"
          "00000000000000000000000000000000000000000000000000000000000000",
          HUB_CODE_hash_form);
    GIVES(KIND(REF, .min = 0), "5000000000000000000000000000000001", 0);
    GIVES(KIND(REF, .min = 0), "5000000000000000000000000000000000", HUB_CODE_hash_form);
    GIVES(KIND(REF, .min = 0), "4f000000000000000000000000000001", HUB_CODE_hash_form);
}

Test(body, keys_are_valid_points)
{
    struct hub_field f = KIND(COSE_KEY, .min = 0);

    /* RFC 8032 test 1's public key; then the point of order 4 with y = 0; then a wrong curve. */
    GIVES(f,
          "5828"
          "a3010120062158 20"
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
          0);
    GIVES(f,
          "5828"
          "a3010120062158 20"
          "0000000000000000000000000000000000000000000000000000000000000000",
          HUB_CODE_key_form_invalid);
    GIVES(f,
          "5828"
          "a3010120072158 20"
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
          HUB_CODE_key_form_invalid);
    GIVES(f, "40", HUB_CODE_key_form_invalid);
}

Test(body, enums_and_bools_take_their_values_only)
{
    GIVES(KIND(ENUM, .names = colours), "63726564", 0);
    GIVES(KIND(ENUM, .names = colours), "65677265656e", 0);
    GIVES(KIND(ENUM, .names = colours), "627265", HUB_CODE_body_invalid);
    GIVES(KIND(ENUM, .names = colours), "6472656464", HUB_CODE_body_invalid);
    GIVES(KIND(BOOL, .min = 0), "f4", 0);
    GIVES(KIND(BOOL, .min = 0), "f5", 0);
    GIVES(KIND(BOOL, .min = 0), "f6", HUB_CODE_body_invalid);
    GIVES(KIND(BOOL, .min = 0), "01", HUB_CODE_body_invalid);
}

Test(body, maps_arrays_and_nested_maps_are_entered)
{
    GIVES(KIND(MAP, .sub = inner), "a1616e01", 0);
    GIVES(KIND(MAP, .sub = inner), "a1616e00", HUB_CODE_body_invalid);
    GIVES(KIND(MAP, .sub = inner), "a0", HUB_CODE_body_invalid);
    GIVES(KIND(MAP, .sub = inner), "a2616e01616f01", HUB_CODE_body_invalid);
    GIVES(KIND(MAP, .sub = inner), "8101", HUB_CODE_body_invalid);
    GIVES(KIND(ARRAY, .min = 1, .max = 2, .sub = &element), "80", HUB_CODE_body_invalid);
    GIVES(KIND(ARRAY, .min = 1, .max = 2, .sub = &element), "820105", 0);
    GIVES(KIND(ARRAY, .min = 1, .max = 2, .sub = &element), "820106", HUB_CODE_body_invalid);
    GIVES(KIND(ARRAY, .min = 1, .max = 2, .sub = &element), "83010203", HUB_CODE_body_invalid);
    GIVES(KIND(ARRAY, .min = 0, .max = 2, .sub = &item), "82a1616e01a1616e09", 0);
    GIVES(KIND(ARRAY, .min = 0, .max = 2, .sub = &item), "82a1616e01a1616e0a",
          HUB_CODE_body_invalid);
    GIVES(KIND(NESTED, .min = 1, .max = 9, .sub = inner), "44a1616e01", 0);
    GIVES(KIND(NESTED, .min = 1, .max = 9, .sub = inner), "44a1616e00", HUB_CODE_body_invalid);
    GIVES(KIND(NESTED, .min = 1, .max = 9, .sub = inner), "45a1616e0100", HUB_CODE_not_canonical);
    GIVES(KIND(NESTED, .min = 1, .max = 9, .sub = inner), "45a1616e1801", HUB_CODE_not_canonical);
    GIVES(KIND(NESTED, .min = 1, .max = 3, .sub = inner), "44a1616e01", HUB_CODE_body_invalid);
    GIVES(KIND(NESTED, .min = 1, .max = 9, .sub = inner), "a1616e01", HUB_CODE_body_invalid);
    GIVES(KIND(RAW, .min = 0), "8301a00240", HUB_CODE_not_canonical);
    GIVES(KIND(RAW, .min = 0), "8301a040", 0);
}

static const struct hub_field several[] = {
    {.name = "a", .kind = HUB_FIELD_BOOL},
    {.name = "b", .kind = HUB_FIELD_ARRAY, .min = 0, .max = 3, .sub = &item},
    {.name = "z", .kind = HUB_FIELD_BOOL, .required = true},
    {.name = "aa", .kind = HUB_FIELD_UINT, .max = 7},
    {.name = NULL},
};

static void names_field(const char *hex, uint16_t code, const char *name)
{
    const char *field = "unset";

    cr_assert_eq(hub_body_check(test_bytes(hex), several, &field), code, "%s", hex);
    if (name == NULL)
        cr_assert_null(field, "%s: %s", hex, field);
    else
        cr_assert_str_eq(field, name, "%s", hex);
}

Test(body, names_the_field_that_breaks_a_rule)
{
    names_field("a1617af4", 0, NULL);
    names_field("a46161f5616280617af562616107", 0, NULL);
    names_field("a0", HUB_CODE_body_invalid, "z");
    names_field("a16161f5", HUB_CODE_body_invalid, "z");
    names_field("a162616101", HUB_CODE_body_invalid, "z");
    names_field("a2617af562616108", HUB_CODE_body_invalid, "aa");
    names_field("a2617af562626201", HUB_CODE_body_invalid, NULL);
    names_field("a2617af50001", HUB_CODE_not_canonical, NULL); /* 00 sorts before 617a */
    names_field("a20001617af5", HUB_CODE_body_invalid, NULL);
    names_field("a2616281a1616e0a617af5", HUB_CODE_body_invalid, "n");
}

Test(body, fields_are_read_by_name)
{
    struct hub_span map = test_bytes("a5616105616ff461746378797a62617282010262627343010203");
    struct hub_cbor items;
    uint32_t n;

    cr_assert(hub_cbor_ok(map));
    cr_assert(hub_field_has(map, "a") && !hub_field_has(map, "b"));
    cr_assert_eq(hub_field_uint(map, "a", 9), 5);
    cr_assert_eq(hub_field_uint(map, "b", 9), 9);
    cr_assert_eq(hub_field_bool(map, "o", true), false);
    cr_assert_eq(hub_field_bool(map, "p", true), true);
    cr_assert(hub_span_equal(hub_field_span(map, "t"), test_text("xyz")));
    cr_assert(hub_span_equal(hub_field_span(map, "bs"), test_bytes("010203")));
    cr_assert(hub_span_equal(hub_field_item(map, "a"), test_bytes("05")));
    cr_assert_null(hub_field_span(map, "zz").data);
    cr_assert(hub_field_array(map, "ar", &items, &n) && n == 2);
    cr_assert_eq(hub_cbor_uint(&items, 0, 9), 1);
    cr_assert_not(hub_field_array(map, "zz", &items, &n));
}
