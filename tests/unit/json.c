/* Expected texts are written by hand from RFC 8259, RFC 3339 and the rules on top of json.h; moments are
 * those of `date -u -d @SECONDS`. */
#include "hub/json.h"

#include "tests/support/hex.h"
#include "tests/support/vectors.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint8_t bytes[1 << 16];
static struct hub_buf out;

static void start(void)
{
    out = (struct hub_buf){bytes, 0, sizeof bytes - 1, false};
}

static const char *text(void)
{
    cr_assert_not(out.full);
    bytes[out.len] = '\0';
    return (const char *)bytes;
}

#define WRITES(call, expected)                                                                     \
    do {                                                                                           \
        start();                                                                                   \
        call;                                                                                      \
        cr_assert_str_eq(text(), expected);                                                        \
    } while (0)

Test(json, strings_are_escaped)
{
    WRITES(hub_json_string(&out, ""), "\"\"");
    WRITES(hub_json_string(&out, "a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    WRITES(hub_json_string(&out, "\n\x1f"), "\"\\u000a\\u001f\"");
    WRITES(hub_json_string(&out, "相城区"), "\"相城区\"");
}

Test(json, numbers_bytes_and_bools)
{
    WRITES(hub_json_u64(&out, UINT64_MAX), "\"18446744073709551615\"");
    WRITES(hub_json_u64(&out, 0), "\"0\"");
    WRITES(hub_json_int(&out, INT64_MIN), "-9223372036854775808");
    WRITES(hub_json_int(&out, 0), "0");
    WRITES(hub_json_bool(&out, true), "true");
    WRITES(hub_json_hex(&out, test_bytes("00abff")), "\"00abff\"");
}

Test(json, members_of_an_object_and_an_empty_text_is_left_out)
{
    const struct hub_hash hash = {.b = {0xab}};

    WRITES(hub_json_object(&out); hub_json_string_member(&out, "a", "");
           hub_json_text_member(&out, "b", hub_text_span("x"));
           hub_json_text_member(&out, "c", hub_text_span("")); hub_json_u64_member(&out, "d", 7);
           hub_json_int_member(&out, "e", -7); hub_json_bool_member(&out, "f", false);
           hub_json_hex_member(&out, "g", test_bytes("00ff"));
           hub_json_object_end(&out),
           "{\"a\":\"\",\"b\":\"x\",\"d\":\"7\",\"e\":-7,\"f\":false,\"g\":\"00ff\"}");
    WRITES(hub_json_hash_member(&out, "kid", &hash),
           "\"kid\":\"ab00000000000000000000000000000000000000000000000000000000000000\"");
    WRITES(hub_json_wallet_member(&out, "to", hub_wallet_number(3, 1896)),
           "\"to\":\"00003-0000001896-38139\"");
    WRITES(hub_json_names_member(&out, "title", hub_text_span("虹桥"), hub_text_span("")),
           "\"title\":{\"zh\":\"虹桥\"}");
}

Test(json, amounts_are_fen_and_yuan)
{
    WRITES(hub_json_yuan(&out, 1250000), "\"12500.00\"");
    WRITES(hub_json_yuan(&out, 5), "\"0.05\"");
    WRITES(hub_json_yuan(&out, 0), "\"0.00\"");
    WRITES(hub_json_yuan(&out, 1000000000000000), "\"10000000000000.00\"");
}

Test(json, times_are_rfc_3339)
{
    WRITES(hub_json_time(&out, 0), "\"1970-01-01T00:00:00.000Z\"");
    WRITES(hub_json_time(&out, 1779444000000), "\"2026-05-22T10:00:00.000Z\"");
    WRITES(hub_json_time(&out, 951782399999), "\"2000-02-28T23:59:59.999Z\"");
    WRITES(hub_json_time(&out, 951782400000), "\"2000-02-29T00:00:00.000Z\"");
    WRITES(hub_json_time(&out, 951868800000), "\"2000-03-01T00:00:00.000Z\"");
    WRITES(hub_json_time(&out, 4107542399000), "\"2100-02-28T23:59:59.000Z\"");
    WRITES(hub_json_time(&out, 4107542400000), "\"2100-03-01T00:00:00.000Z\"");
    WRITES(hub_json_time(&out, 253402300799999), "\"9999-12-31T23:59:59.999Z\"");
    WRITES(hub_json_time(&out, 253402300800000), "\"253402300800000\"");
}

/* 13,889 days of a year and a half century, against the C library. */
Test(json, times_agree_with_gmtime)
{
    for (time_t day = 0; day < 60000; day += 3) {
        time_t seconds = day * 86400 + day % 86400;
        char expected[40];
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(expected, sizeof expected, "\"%Y-%m-%dT%H:%M:%S.000Z\"", &tm);
        WRITES(hub_json_time(&out, (uint64_t)seconds * 1000), expected);
    }
}

Test(json, wallet_numbers_are_shown_in_three_parts)
{
    WRITES(hub_json_wallet(&out, hub_wallet_number(3, 1896)), "\"00003-0000001896-38139\"");
}

Test(json, commas_stand_between_members_and_elements)
{
    start();
    hub_text_put(&out, "data: ");
    hub_json_object(&out);
    hub_json_key(&out, "a");
    hub_json_array(&out);
    hub_json_int(&out, 1);
    hub_json_object(&out);
    hub_json_object_end(&out);
    hub_json_array(&out);
    hub_json_array_end(&out);
    hub_json_string(&out, "x:");
    hub_json_string(&out, "[");
    hub_json_array_end(&out);
    hub_json_amount_members(&out, "amount", 100);
    hub_json_time_members(&out, "at", 1000);
    hub_json_key(&out, "raw");
    hub_json_raw(&out, test_text("{}"));
    hub_json_object_end(&out);
    hub_text_put(&out, "\n");
    hub_json_bool(&out, false);
    cr_assert_str_eq(
        text(), "data: {\"a\":[1,{},[],\"x:\",\"[\"],\"amount_fen\":\"100\",\"amount\":\"1.00\","
                "\"at\":\"1970-01-01T00:00:01.000Z\",\"at_ms\":\"1000\",\"raw\":{}}\nfalse");
}

Test(json, a_full_buffer_is_said_once)
{
    uint8_t small[8];
    struct hub_buf b = {small, 0, sizeof small, false};

    hub_json_object(&b);
    hub_json_key(&b, "name");
    hub_json_u64(&b, 7);
    cr_assert(b.full && b.len <= sizeof small);
}

/* ---- bodies */

static json_t *body_json(const char *name, enum hub_record_type_id type)
{
    char vector[64];
    json_error_t error;
    json_t *j;

    snprintf(vector, sizeof vector, "record.%s.body", name);
    start();
    hub_json_body(&out, test_vector(vector), hub_record_types[type].fields);
    j = json_loads(text(), JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(j, "%s: %s in %s", name, error.text, text());
    return j;
}

static const char *string_at(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));

    cr_assert_not_null(s, "no string %s", key);
    return s;
}

Test(json, a_transfer_is_rendered_from_its_table)
{
    start();
    hub_json_body(&out, test_vector("record.currency.transfer.body"),
                  hub_record_types[HUB_TYPE_CURRENCY_TRANSFER].fields);
    /* Check digits of institution 3, slots 1 and 2: python's binascii.crc_hqx(six bytes, 0xffff). */
    cr_assert_str_eq(
        text(),
        "{\"debit\":\"00003-0000000001-61667\",\"amount_fen\":\"123456\",\"amount\":\"1234.56\","
        "\"credit\":\"00003-0000000002-49280\",\"purpose\":2,"
        "\"reference\":\"e3b98a4da31a127d4bde6e43033f66ba\"}");
}

Test(json, every_golden_body_is_json)
{
    static const struct {
        const char *name;
        enum hub_record_type_id type;
    } all[] = {{"key.add", HUB_TYPE_KEY_ADD},
               {"key.revoke", HUB_TYPE_KEY_REVOKE},
               {"validator.ready", HUB_TYPE_VALIDATOR_READY},
               {"key.cancel", HUB_TYPE_KEY_CANCEL},
               {"governance.propose", HUB_TYPE_GOVERNANCE_PROPOSE},
               {"governance.approve", HUB_TYPE_GOVERNANCE_APPROVE},
               {"governance.reject", HUB_TYPE_GOVERNANCE_REJECT},
               {"governance.withdraw", HUB_TYPE_GOVERNANCE_WITHDRAW},
               {"validator.replace", HUB_TYPE_VALIDATOR_REPLACE},
               {"evidence.report", HUB_TYPE_EVIDENCE_REPORT},
               {"epoch.recover", HUB_TYPE_EPOCH_RECOVER},
               {"agreement.propose", HUB_TYPE_AGREEMENT_PROPOSE},
               {"agreement.consent", HUB_TYPE_AGREEMENT_CONSENT},
               {"agreement.return", HUB_TYPE_AGREEMENT_CONSENT},
               {"agreement.amend", HUB_TYPE_AGREEMENT_AMEND},
               {"wallet.open", HUB_TYPE_WALLET_OPEN},
               {"currency.issue", HUB_TYPE_CURRENCY_ISSUE},
               {"currency.transfer", HUB_TYPE_CURRENCY_TRANSFER},
               {"currency.batch", HUB_TYPE_CURRENCY_BATCH},
               {"currency.redeem", HUB_TYPE_CURRENCY_REDEEM}};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        json_decref(body_json(all[i].name, all[i].type));
}

Test(json, nested_bodies_keep_their_structure)
{
    json_t *j = body_json("agreement.propose", HUB_TYPE_AGREEMENT_PROPOSE);
    json_t *body = json_object_get(j, "body"), *milestone, *consent;

    cr_assert_str_eq(string_at(body, "number"), "HQ-2026-1");
    cr_assert_str_eq(string_at(json_object_get(body, "title"), "zh"), "区域战略合作框架协议");
    cr_assert_eq(json_array_size(json_object_get(body, "parties")), 3);
    cr_assert_str_eq(string_at(body, "sign_by"), "2026-05-23T10:00:00.000Z");
    cr_assert_str_eq(string_at(body, "sign_by_ms"), "1779530400000");
    milestone = json_array_get(json_object_get(body, "milestones"), 0);
    cr_assert_str_eq(json_string_value(json_array_get(
                         json_object_get(json_object_get(milestone, "accept"), "who"), 0)),
                     "CHANGNING");
    cr_assert_eq(json_integer_value(json_object_get(milestone, "no")), 1);
    cr_assert_eq(json_integer_value(json_object_get(
                     json_object_get(json_object_get(body, "rules"), "renew"), "need")),
                 2);
    consent = json_object_get(j, "consent");
    cr_assert_eq(json_array_size(json_object_get(consent, "signature")), 3);
    json_decref(j);
}

Test(json, items_of_any_shape)
{
    WRITES(hub_json_item(&out, test_bytes("00")), "0");
    WRITES(hub_json_item(&out, test_bytes("1affffffff")), "4294967295");
    WRITES(hub_json_item(&out, test_bytes("1b0000000100000000")), "\"4294967296\"");
    WRITES(hub_json_item(&out, test_bytes("26")), "-7");
    WRITES(hub_json_item(&out, test_bytes("f6")), "null");
    WRITES(hub_json_item(&out, test_bytes("a0")), "{}");
    WRITES(hub_json_item(&out, test_bytes("80")), "[]");
    WRITES(hub_json_item(&out, test_bytes("83010203")), "[1,2,3]");
    WRITES(
        hub_json_item(
            &out, test_bytes("a2012638455820"
                             "0000000000000000000000000000000000000000000000000000000000000000")),
        "{\"1\":-7,\"-70\":\"0000000000000000000000000000000000000000000000000000000000000000\"}");
    WRITES(hub_json_item(&out, test_bytes("a2616180616282a0f4")), "{\"a\":[],\"b\":[{},false]}");
    WRITES(hub_json_item(&out, test_bytes("d2814101")), "[\"01\"]");
    WRITES(hub_json_item(&out, test_bytes("d86282d28001")), "[[],1]");
    WRITES(hub_json_item(&out, test_bytes("8181818181818180")), "[[[[[[[[]]]]]]]]");
}

static struct hub_record batch(void)
{
    struct hub_hash chain = test_vector_hash("genesis.chain");
    struct hub_record r;
    uint16_t why;

    cr_assert_eq(hub_record_decode(&r, &why, test_vector("record.currency.batch"),
                                   test_vector("batch.attachment"), &chain),
                 HUB_OK);
    return r;
}

Test(json, values_of_results)
{
    struct hub_record r = batch();

    WRITES(cr_assert(hub_json_result_value(&out, &r, 0, test_bytes("828201 19014b 8204 190154"))),
           "{\"applied\":3,\"failed\":2}");
    WRITES(cr_assert(hub_json_result_value(&out, &r, 0, test_bytes("80"))),
           "{\"applied\":5,\"failed\":0}");
    /* An atomic batch names the entry that stopped it, and nothing of it was paid. */
    WRITES(cr_assert(hub_json_result_value(&out, &r, HUB_CODE_batch_aborted,
                                           test_bytes("818201 19014b"))),
           "{\"applied\":0,\"failed\":1}");
    WRITES(cr_assert_not(hub_json_result_value(&out, &r, 0, test_bytes("f6"))), "");
    WRITES(cr_assert_not(hub_json_result_value(&out, &r, 0, test_bytes(""))), "");
    WRITES(cr_assert(hub_json_result_value(&out, &r, 0, test_bytes("1b000300000768 94fb"))),
           "{\"wallet\":\"00003-0000001896-38139\"}");
}

Test(json, failed_entries_name_payee_and_amount)
{
    struct hub_record r = batch();

    WRITES(hub_json_failed_entries(&out, &r, test_bytes("81820419 0154")),
           "[{\"n\":4,\"code\":340,\"name\":\"above_balance_cap\",\"to\":\"00003-0000000006-"
           "32772\",\"amount_fen\":\"1004\","
           "\"amount\":\"10.04\",\"reference\":\"d1b34d02f5d5e920999d835b7f520c50\"}]");
    WRITES(hub_json_failed_entries(&out, &r, test_bytes("f6")), "[]");
}
