/* Tables as spreadsheets write them (RFC 4180), and the references and bodies made from their rows. */
#include "tools/csv.h"
#include "tools/pay.h"
#include "tools/wallet.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"to", "amount", "note", NULL};

struct table { /* a copy with the byte of room the reader asks for */
    char text[4096];
    struct hub_csv csv;
};

static bool open_table(struct table *t, const char *text, size_t len)
{
    memcpy(t->text, text, len);
    return hub_csv_open(&t->csv, t->text, len, names, 2);
}

#define OPEN(t, text) open_table(t, text, sizeof text - 1)

Test(csv, reads_columns_in_any_order_with_bom_quotes_and_either_line_end)
{
    struct table t;

    cr_assert(OPEN(&t, "\xef\xbb\xbf"
                       "amount,note,to\r\n12.50,\"a, \"\"b\"\"\nc\",x\r\n\r\n 7 ,, y \n8"));
    cr_assert(hub_csv_next(&t.csv));
    cr_assert_eq(t.csv.line, 3, "the row ends in its third line");
    cr_assert_str_eq(hub_csv_get(&t.csv, 0), "x");
    cr_assert_str_eq(hub_csv_get(&t.csv, 1), "12.50");
    cr_assert_str_eq(hub_csv_get(&t.csv, 2), "a, \"b\"\nc");
    cr_assert(hub_csv_next(&t.csv));
    cr_assert_eq(t.csv.line, 5, "a blank line is passed");
    cr_assert_str_eq(hub_csv_get(&t.csv, 0), "y");
    cr_assert_str_eq(hub_csv_get(&t.csv, 1), "7");
    cr_assert_str_eq(hub_csv_get(&t.csv, 2), "");
    cr_assert(hub_csv_next(&t.csv), "the last line needs no end");
    cr_assert_str_eq(hub_csv_get(&t.csv, 1), "8");
    cr_assert_str_eq(hub_csv_get(&t.csv, 0), "", "a short row");
    cr_assert_not(hub_csv_next(&t.csv));
    cr_assert_null(t.csv.why);
}

Test(csv, an_optional_column_may_be_missing)
{
    struct table t;

    cr_assert(OPEN(&t, "to,amount\nx,1\n"));
    cr_assert(hub_csv_next(&t.csv));
    cr_assert_str_eq(hub_csv_get(&t.csv, 2), "");
}

Test(csv, says_what_is_wrong_and_in_which_line)
{
    static const struct {
        const char *text;
        unsigned line;
    } damaged[] = {
        {"", 0},
        {"to,note\nx,y\n", 1},
        {"to,amount,extra\nx,1,2\n", 1},
        {"to,amount,to\nx,1,2\n", 1},
        {"to,amount\nx,\"1\n", 3},
        {"to,amount\nx,\"1\"2\n", 2},
        {"to,amount\n,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n", 2},
    };
    struct table t;

    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        if (open_table(&t, damaged[i].text, strlen(damaged[i].text)))
            cr_assert_not(hub_csv_next(&t.csv), "%zu", i);
        cr_assert_not_null(t.csv.why, "%zu", i);
        cr_assert_not_null(t.csv.why_zh, "%zu", i);
        cr_assert_eq(t.csv.line, damaged[i].line, "%zu: line %u", i, t.csv.line);
    }
    cr_assert_not(OPEN(&t, "to,amount\nx\0,1\n"));
}

Test(csv, quotes_what_it_writes_only_where_needed)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    hub_csv_put(f, (const char *[]){"a", "b,c", "d\"e", "", "f\ng"}, 5);
    fclose(f);
    cr_assert_str_eq(text, "a,\"b,c\",\"d\"\"e\",,\"f\ng\"\r\n");
    free(text);
}

Test(csv, an_interrupted_run_is_seen_by_the_next)
{
    char path[] = "/tmp/hub-csv-XXXXXX.csv", result[64];
    struct hub_cli cli = {.quiet = true};
    static const char open[] = "line,name\r\n1,unknown,\r\n", done[] = "line,name\r\n1,ok,\r\n";

    close(mkstemps(path, 4));
    snprintf(result, sizeof result, "%.*s.result.csv", (int)strlen(path) - 4, path);
    cr_assert_not(hub_csv_result_exists(path));
    cr_assert_not(hub_csv_result_is_open(path));
    cr_assert(hub_csv_write_result(&cli, path, open, sizeof open - 1));
    cr_assert(hub_csv_result_exists(path));
    cr_assert(hub_csv_result_is_open(path));
    cr_assert(hub_csv_write_result(&cli, path, done, sizeof done - 1), "replaced");
    cr_assert_not(hub_csv_result_is_open(path));
    cr_assert_eq(access(result, R_OK), 0);
    unlink(path);
    unlink(result);
}

/* ---- references. Expected: python hashlib over b'hubledger/reference/1payroll-05',
 * b'hubledger/batch/1' + CBOR [h'11'*32, 1, 1], b'hubledger/owner/1' + b'\x22'*32 + b'ACME'. */

Test(csv, a_text_reference_is_the_beginning_of_its_hash)
{
    uint8_t out[16];
    static const uint8_t hash[16] = {0xfc, 0x9e, 0xbc, 0x41, 0xca, 0xc6, 0xeb, 0xef,
                                     0x75, 0x13, 0x44, 0xf0, 0x5f, 0x62, 0xee, 0x7f};
    static const uint8_t hex[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};

    cr_assert(hub_reference_of(out, "payroll-05"));
    cr_assert_eq(memcmp(out, hash, 16), 0);
    cr_assert(hub_reference_of(out, "00112233445566778899aabbccddeeff"));
    cr_assert_eq(memcmp(out, hex, 16), 0);
    cr_assert_not(hub_reference_of(out, ""));
    cr_assert_not(hub_reference_of(out, "00000000000000000000000000000000"),
                  "the ledger refuses zero");
}

Test(csv, a_batch_is_named_by_file_payer_and_part)
{
    struct hub_hash file;
    uint8_t one[16], other[16];
    static const uint8_t want[16] = {0x61, 0x25, 0xf5, 0xa0, 0xe3, 0x6f, 0xaf, 0x28,
                                     0x36, 0xf8, 0xbc, 0x1a, 0xf8, 0x91, 0xff, 0x37};

    memset(file.b, 0x11, sizeof file.b);
    hub_batch_reference(one, &file, 1, 1);
    cr_assert_eq(memcmp(one, want, 16), 0);
    hub_batch_reference(other, &file, 1, 2);
    cr_assert_neq(memcmp(one, other, 16), 0);
    hub_batch_reference(other, &file, 2, 1);
    cr_assert_neq(memcmp(one, other, 16), 0);
    file.b[31] ^= 1;
    hub_batch_reference(other, &file, 1, 1);
    cr_assert_neq(memcmp(one, other, 16), 0);
}

Test(csv, an_owners_name_leaves_only_a_keyed_hash)
{
    struct hub_owner_key key = {.given = false};
    uint8_t out[16];
    static const uint8_t want[16] = {0x2e, 0xc1, 0xa3, 0x36, 0x10, 0xe5, 0xef, 0x4e,
                                     0x14, 0x8c, 0xa5, 0xe2, 0x94, 0x13, 0x90, 0x29};

    cr_assert_not(hub_owner_of(out, &key, "ACME"), "without the key anybody could guess names");
    cr_assert(hub_owner_of(out, &key, "00112233445566778899aabbccddeeff"));
    memset(key.key.b, 0x22, sizeof key.key.b);
    key.given = true;
    cr_assert(hub_owner_of(out, &key, "ACME"));
    cr_assert_eq(memcmp(out, want, 16), 0);
    cr_assert_not(hub_owner_of(out, &key, ""));
}

/* ---- bodies: what the commands encode must be what the ledger takes */

static uint16_t check_opening(const struct hub_opening *o)
{
    uint8_t bytes[HUB_BULK_CORE_MAX];
    struct hub_buf b = {.data = bytes, .cap = sizeof bytes};
    const struct hub_record_type *type = &hub_record_types[HUB_TYPE_WALLET_OPEN];
    struct hub_record r = {.type = HUB_TYPE_WALLET_OPEN};

    hub_opening_encode(&b, o);
    r.body = hub_span_of(&b);
    const uint16_t code = hub_body_check(r.body, type->fields, NULL);
    return code ? code : type->check(&r);
}

Test(csv, openings_are_encoded_as_the_ledger_reads_them)
{
    struct hub_opening o = {.institution = 2, .kind = "personal", .tier = 2, .owner = {1}};
    struct hub_keyfile holder = {0};
    uint8_t seed[HUB_SEED_BYTES] = {1}, secret[HUB_SECRET_BYTES], first[16];

    for (int i = 0; i < HUB_LIMIT_COUNT; i++)
        o.limits.value[i] = HUB_LIMIT_NONE;
    hub_opening_reference(&o);
    cr_assert_eq(check_opening(&o), 0);
    memcpy(first, o.reference, 16);
    o.tier = 3, o.has_reference = false;
    hub_opening_reference(&o);
    cr_assert_neq(memcmp(first, o.reference, 16), 0, "another opening, another reference");
    o.no_p2p = true;
    hub_key_from_seed(&holder.key, secret, seed);
    o.holder = &holder;
    cr_assert_eq(check_opening(&o), 0);
    o.holder = NULL, o.kind = "sub", o.parent = hub_wallet_number(2, 7);
    cr_assert_eq(check_opening(&o), 0);
    o.kind = "corporate", o.tier = 0, o.parent = 0, o.no_p2p = false;
    for (int i = 0; i < HUB_LIMIT_COUNT; i++)
        o.limits.value[i] = (uint64_t)i;
    cr_assert_eq(check_opening(&o), 0, "all ten limits, in the order of their encoding");
}

Test(csv, limits_are_read_as_amounts_and_counts)
{
    struct hub_limits l = {{0}};

    cr_assert(hub_limit_of(&l, "single=100.50"));
    cr_assert_eq(l.value[HUB_LIMIT_SINGLE], 10050);
    cr_assert(hub_limit_of(&l, "day_count=7"));
    cr_assert_eq(l.value[HUB_LIMIT_DAY_COUNT], 7);
    cr_assert(hub_limit_of(&l, "day=0"));
    cr_assert_eq(l.value[HUB_LIMIT_DAY], 0);
    cr_assert(hub_limit_of(&l, "redeem_year_count=12"));
    cr_assert_eq(l.value[HUB_LIMIT_REDEEM_YEAR_COUNT], 12);
    cr_assert_not(hub_limit_of(&l, "day_count=7.5"));
    cr_assert_not(hub_limit_of(&l, "daily=7"));
    cr_assert_not(hub_limit_of(&l, "single"));
}

Test(csv, purposes_are_names_or_numbers)
{
    uint64_t p;

    cr_assert(hub_purpose_of(&p, "wages") && p == 1);
    cr_assert(hub_purpose_of(&p, "refund") && p == 8);
    cr_assert(hub_purpose_of(&p, "899") && p == 899);
    cr_assert_not(hub_purpose_of(&p, "900"), "the ledger's own");
    cr_assert_not(hub_purpose_of(&p, "gift"));
}
