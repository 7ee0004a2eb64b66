/* Expected values: RFC 8949 appendix A as published in machine-readable form, the refusals of
 * docs/formats.cddl, and tests/vectors/cbor.txt, the verdicts of python's cbor2. */
#include "hub/cbor.h"

#include "hub/limits.h"
#include "tests/support/hex.h"
#include "tests/support/transcribe.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static bool ok(const char *hex)
{
    return hub_cbor_ok(test_bytes(hex));
}

static struct hub_cbor cursor(const char *hex)
{
    return hub_cbor_open(test_bytes(hex));
}

static void expect_round_trip(struct hub_span bytes, const char *hex)
{
    static uint8_t storage[4096];
    struct hub_buf out = {storage, 0, sizeof storage, false};
    struct hub_cbor c = hub_cbor_open(bytes);

    test_transcribe(&out, &c);
    cr_assert(hub_cbor_done(&c), "%s", hex);
    cr_assert(hub_span_equal(hub_span_of(&out), bytes), "%s", hex);
}

/* RFC 8949 appendix A, all that is deterministic CBOR of our subset. */
static const char *const accepted[] = {"00",
                                       "01",
                                       "0a",
                                       "17",
                                       "1818",
                                       "1819",
                                       "1864",
                                       "1903e8",
                                       "1a000f4240",
                                       "1b000000e8d4a51000",
                                       "1bffffffffffffffff",
                                       "20",
                                       "29",
                                       "3863",
                                       "3903e7",
                                       "f4",
                                       "f5",
                                       "f6",
                                       "40",
                                       "4401020304",
                                       "60",
                                       "6161",
                                       "6449455446",
                                       "62225c",
                                       "62c3bc",
                                       "63e6b0b4",
                                       "64f0908591",
                                       "80",
                                       "83010203",
                                       "8301820203820405",
                                       "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
                                       "a0",
                                       "a201020304",
                                       "a26161016162820203",
                                       "826161a161626163",
                                       "a56161614161626142616361436164614461656145"};

/* The rest of appendix A: bignums, floats, other simple values, other tags, indefinite lengths. */
static const char *const refused[] = {"c249010000000000000000",
                                      "c349010000000000000000",
                                      "f90000",
                                      "f98000",
                                      "f93c00",
                                      "fb3ff199999999999a",
                                      "f93e00",
                                      "f97bff",
                                      "fa47c35000",
                                      "fa7f7fffff",
                                      "fb7e37e43c8800759c",
                                      "f90001",
                                      "f90400",
                                      "f9c400",
                                      "fbc010666666666666",
                                      "f97c00",
                                      "f97e00",
                                      "f9fc00",
                                      "fa7f800000",
                                      "fa7fc00000",
                                      "faff800000",
                                      "fb7ff0000000000000",
                                      "fb7ff8000000000000",
                                      "fbfff0000000000000",
                                      "f7",
                                      "f0",
                                      "f818",
                                      "f8ff",
                                      "c074323031332d30332d32315432303a30343a30305a",
                                      "c11a514b67b0",
                                      "c1fb41d452d9ec200000",
                                      "d74401020304",
                                      "d818456449455446",
                                      "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
                                      "5f42010243030405ff",
                                      "7f657374726561646d696e67ff",
                                      "9fff",
                                      "9f018202039f0405ffff",
                                      "9f01820203820405ff",
                                      "83018202039f0405ff",
                                      "83019f0203ff820405",
                                      "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
                                      "bf61610161629f0203ffff",
                                      "826161bf61626163ff",
                                      "bf6346756ef563416d7421ff"};

Test(cbor, accepts_and_reproduces_what_rfc_8949_prints)
{
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        cr_assert(ok(accepted[i]), "%s", accepted[i]);
        expect_round_trip(test_bytes(accepted[i]), accepted[i]);
    }
    cr_assert(ok("3bffffffffffffffff"), "well-formed, though no reader of ours takes it");
}

Test(cbor, refuses_the_rest_of_rfc_8949)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        cr_assert_not(ok(refused[i]), "%s", refused[i]);
}

Test(cbor, decides_as_python_cbor2_does)
{
    static char line[1024];
    unsigned n = 0;
    FILE *f = fopen("tests/vectors/cbor.txt", "r");

    cr_assert_not_null(f, "tests/vectors/cbor.txt: run from the root of the project");
    while (fgets(line, sizeof line, f) != NULL) {
        char *verdict = strchr(line, ' ');
        struct hub_span bytes;
        bool want;

        cr_assert_not_null(verdict);
        *verdict++ = '\0';
        want = strcmp(verdict, "ok\n") == 0;
        cr_assert(want || strcmp(verdict, "bad\n") == 0);
        bytes = test_bytes(line);
        cr_assert_eq(hub_cbor_ok(bytes), want, "%s %s", line, verdict);
        if (want)
            expect_round_trip(bytes, line);
        n++;
    }
    fclose(f);
    cr_assert_eq(n, 2400);
}

Test(cbor, refuses_indefinite_lengths)
{
    static const char *const heads[] = {"1f", "3f", "5f", "7f", "9f", "bf", "df", "ff"};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        cr_assert_not(ok(heads[i]), "%s", heads[i]);
    cr_assert_not(ok("5f40ff") || ok("9f00ff") || ok("bf0000ff"));
}

Test(cbor, refuses_heads_that_are_not_shortest)
{
    static const char *const longer[] = {"1800",
                                         "1817",
                                         "190000",
                                         "1900ff",
                                         "1a00000000",
                                         "1a0000ffff",
                                         "1b0000000000000000",
                                         "1b00000000ffffffff",
                                         "3817",
                                         "3900ff",
                                         "580100",
                                         "5900010a",
                                         "780161",
                                         "79000161",
                                         "980100",
                                         "9900010a",
                                         "b8010000",
                                         "d81200",
                                         "d9006200",
                                         "1c",
                                         "1d",
                                         "1e",
                                         "f8f4",
                                         "f814"};

    for (size_t i = 0; i < sizeof longer / sizeof longer[0]; i++)
        cr_assert_not(ok(longer[i]), "%s", longer[i]);
    cr_assert(ok("1818") && ok("190100") && ok("1a00010000") && ok("1b0000000100000000"));
}

Test(cbor, refuses_unordered_and_duplicate_keys_at_any_depth)
{
    /* docs/formats.cddl: to < ref < from < amount; 01 < 0f < 19018b < 20 < 3a0001116f. */
    cr_assert(ok("a4 62746f00 6372656600 6466726f6d00 66616d6f756e7400"));
    cr_assert(ok("a5 0100 0f00 19018b00 2000 3a0001116f00"));
    cr_assert_not(ok("a2 63726566 00 62746f 00"), "longer text first");
    cr_assert_not(ok("a2 20 00 01 00"), "negative first");
    cr_assert_not(ok("a2 20 00 19018b 00"), "shorter encoding first: the order of RFC 7049");
    cr_assert_not(ok("a2 01 00 01 00"), "duplicate");
    cr_assert_not(ok("a2 6161 00 6161 01"), "duplicate text");
    cr_assert_not(ok("81 a1 00 a2 01 00 01 00"), "deep");
    cr_assert_not(ok("a1 a2 02 00 01 00 00"), "inside a key");
    cr_assert(ok("a2 00 a1 05 00 01 a1 05 00"), "each map has an order of its own");
}

Test(cbor, refuses_more_than_the_depth_limit)
{
    uint8_t nested[2 * HUB_CBOR_DEPTH_MAX + 4];
    const struct {
        uint8_t head[2];
        size_t len;
    } kinds[] = {{{0x81}, 1}, {{0xd2}, 1}, {{0xa1, 0x00}, 2}};

    for (size_t k = 0; k < 3; k++) {
        size_t n = 0;

        for (unsigned depth = 0; depth <= HUB_CBOR_DEPTH_MAX; depth++) {
            nested[n] = 0x00;
            cr_assert(hub_cbor_ok((struct hub_span){nested, n + 1}), "%u levels", depth);
            memcpy(nested + n, kinds[k].head, kinds[k].len);
            n += kinds[k].len;
        }
        nested[n] = 0x00;
        cr_assert_not(hub_cbor_ok((struct hub_span){nested, n + 1}));
        nested[n - kinds[k].len] = 0x80;
        cr_assert_not(hub_cbor_ok((struct hub_span){nested, n - kinds[k].len + 1}),
                      "an empty array is a level too");
    }
    memset(nested, 0x81, sizeof nested);
    cr_assert_not(hub_cbor_ok((struct hub_span){nested, sizeof nested}));
}

Test(cbor, refuses_texts_that_mislead)
{
    static const char *const bad[] = {
        "00",     "1f",     "0a",       "7f", /* controls */
        "c280",   "c285",   "c29f",           /* C1 controls */
        "e280aa", "e280ae",                   /* U+202A, U+202E: bidirectional overrides */
        "e281a6", "e281a9",                   /* U+2066, U+2069: isolates */
        "efbbbf",                             /* byte order mark */
        "80",     "bf",     "c3",       "c328",     "e6b0",                   /* not UTF-8 */
        "c0af",   "c1bf",   "e08080",   "e09fbf",   "f0808080",   "f08fbfbf", /* overlong */
        "eda080", "edbfbf", "f4908080", "f8888080", "f888808080", "ff",
        "fe", /* no code points */
    };
    static const char *const good[] = {"",       "20",     "7e",     "c2a0",     "dfbf",
                                       "e0a080", "e280a9", "e280af", "e281a5",   "e281aa",
                                       "ed9fbf", "ee8080", "efbfbf", "f0908080", "f48fbfbf",
                                       "e6b0b4", "e58d8f", "e280a8", "efbbbe",   "efbc81"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hub_span text = test_bytes(bad[i]);
        uint8_t item[16] = {(uint8_t)(0x60 + text.len)};

        memcpy(item + 1, text.data, text.len);
        cr_assert_not(hub_text_ok(text), "%s", bad[i]);
        cr_assert_not(hub_cbor_ok((struct hub_span){item, 1 + text.len}), "%s", bad[i]);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(hub_text_ok(test_bytes(good[i])), "%s", good[i]);
}

Test(cbor, refuses_floats_and_simple_values_by_every_first_byte)
{
    for (unsigned byte = 0xe0; byte <= 0xff; byte++) {
        uint8_t item[9] = {(uint8_t)byte};
        bool want = byte == 0xf4 || byte == 0xf5 || byte == 0xf6;

        for (size_t len = 1; len <= sizeof item; len++)
            cr_assert_eq(hub_cbor_ok((struct hub_span){item, len}), want && len == 1, "%02x", byte);
    }
}

Test(cbor, refuses_tags_but_cose_sign1_and_cose_sign)
{
    for (unsigned tag = 0; tag < 256; tag++) {
        uint8_t item[3] = {tag < 24 ? (uint8_t)(0xc0 | tag) : 0xd8, tag < 24 ? 0x41 : (uint8_t)tag,
                           tag < 24 ? 0x00 : 0x40};
        bool want = tag == 18 || tag == 98;

        cr_assert_eq(hub_cbor_ok((struct hub_span){item, 3}), want, "tag %u", tag);
    }
    cr_assert_not(ok("d9d9f7 00"), "55799 stands in front of files only");
    cr_assert_not(ok("d2"), "a tag of nothing");
    cr_assert_not(ok("d2 00 00"), "a tag has one item");
}

Test(cbor, refuses_trailing_bytes)
{
    struct hub_cbor c = cursor("0000");
    struct hub_cbor inner;

    cr_assert_not(ok("0000") || ok("8000") || ok("a000") || ok("4000") || ok("f6f6"));
    cr_assert_eq(hub_cbor_uint(&c, 0, 9), 0);
    cr_assert_not(hub_cbor_done(&c));
    c = cursor("420000");
    inner = hub_cbor_open(hub_cbor_bytes(&c, 0, 9));
    cr_assert(hub_cbor_done(&c));
    hub_cbor_uint(&inner, 0, 9);
    cr_assert_not(hub_cbor_done(&inner), "nor inside a byte string");
}

Test(cbor, refuses_every_truncation)
{
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        struct hub_span bytes = test_bytes(accepted[i]);

        for (size_t len = 0; len < bytes.len; len++)
            cr_assert_not(hub_cbor_ok((struct hub_span){bytes.data, len}), "%s", accepted[i]);
    }
    cr_assert_not(hub_cbor_ok((struct hub_span){NULL, 0}));
}

Test(cbor, checks_counts_against_the_bytes_left_first)
{
    static const char *const huge[] = {"5bffffffffffffffff",
                                       "7bffffffffffffffff",
                                       "9bffffffffffffffff",
                                       "bbffffffffffffffff",
                                       "bb8000000000000000",
                                       "5affffffff",
                                       "9affffffff00",
                                       "bb7fffffffffffffff",
                                       "4100 00",
                                       "8300 00",
                                       "a20000 01"};
    struct hub_cbor c = cursor("82 00");

    for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++)
        cr_assert_not(ok(huge[i]), "%s", huge[i]);
    cr_assert_eq(hub_cbor_array(&c, 0, UINT32_MAX), 0, "two items cannot be in one byte");
    cr_assert(c.bad);
    c = cursor("a2 00 00 01");
    cr_assert_eq(hub_cbor_map(&c, 0, UINT32_MAX), 0, "two pairs cannot be in three bytes");
    cr_assert(c.bad);
}

Test(cbor, integers_are_held_to_their_range)
{
    struct hub_cbor c = cursor("09");

    cr_assert_eq(hub_cbor_uint(&c, 9, 9), 9);
    cr_assert(hub_cbor_done(&c));
    c = cursor("09"), hub_cbor_uint(&c, 10, 20);
    cr_assert(c.bad);
    c = cursor("09"), hub_cbor_uint(&c, 0, 8);
    cr_assert(c.bad);
    c = cursor("20"), hub_cbor_uint(&c, 0, UINT64_MAX);
    cr_assert(c.bad, "a negative integer is no unsigned one");
    c = cursor("1b001fffffffffffff");
    cr_assert_eq(hub_cbor_uint(&c, 0, HUB_UINT_MAX), HUB_UINT_MAX);
    c = cursor("1b0020000000000000"), hub_cbor_uint(&c, 0, HUB_UINT_MAX);
    cr_assert(c.bad);
    c = cursor("1b7fffffffffffffff 3b7fffffffffffffff");
    cr_assert_eq(hub_cbor_int(&c), INT64_MAX);
    cr_assert_eq(hub_cbor_int(&c), INT64_MIN);
    cr_assert(hub_cbor_done(&c));
    c = cursor("1b8000000000000000"), hub_cbor_int(&c);
    cr_assert(c.bad);
    c = cursor("3b8000000000000000"), hub_cbor_int(&c);
    cr_assert(c.bad);
}

Test(cbor, lengths_and_counts_are_held_to_their_range)
{
    struct hub_cbor c = cursor("43010203 63616263 820000 a100 00 58");
    uint8_t out[4] = {9, 9, 9, 9};

    cr_assert_eq(hub_cbor_bytes(&c, 3, 3).len, 3);
    cr_assert_eq(hub_cbor_text(&c, 1, 3).len, 3);
    cr_assert_eq(hub_cbor_array(&c, 2, 2), 2);
    hub_cbor_uint(&c, 0, 0), hub_cbor_uint(&c, 0, 0);
    cr_assert_eq(hub_cbor_map(&c, 1, 1), 1);
    cr_assert_not(c.bad);
    c = cursor("43010203"), hub_cbor_bytes(&c, 0, 2);
    cr_assert(c.bad);
    c = cursor("43010203"), hub_cbor_bytes(&c, 4, 9);
    cr_assert(c.bad);
    c = cursor("63616263"), hub_cbor_text(&c, 4, 9);
    cr_assert(c.bad);
    c = cursor("820000"), hub_cbor_array(&c, 0, 1);
    cr_assert(c.bad);
    c = cursor("a0"), hub_cbor_map(&c, 1, 1);
    cr_assert(c.bad);
    c = cursor("43010203"), hub_cbor_copy(&c, out, 4);
    cr_assert(c.bad && out[0] == 0 && out[3] == 0, "zeroed on failure");
    c = cursor("44010203ff"), hub_cbor_copy(&c, out, 4);
    cr_assert(hub_cbor_done(&c) && out[0] == 1 && out[3] == 0xff);
    c = cursor("63616263"), hub_cbor_bytes(&c, 0, 9);
    cr_assert(c.bad, "text is no byte string");
    c = cursor("43616263"), hub_cbor_text(&c, 0, 9);
    cr_assert(c.bad, "nor the reverse");
}

Test(cbor, hash_is_a_byte_string_of_32)
{
    struct hub_hash h;
    struct hub_cbor c =
        cursor("5820 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    struct hub_hash want =
        test_hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    hub_cbor_hash(&c, &h);
    cr_assert(hub_cbor_done(&c) && hub_hash_equal(&h, &want));
    c = cursor("581f e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8");
    hub_cbor_hash(&c, &h);
    cr_assert(c.bad);
}

Test(cbor, booleans_and_null_are_nothing_else)
{
    struct hub_cbor c = cursor("f4f5f6");

    cr_assert_not(hub_cbor_bool(&c));
    cr_assert(hub_cbor_bool(&c));
    hub_cbor_null(&c);
    cr_assert(hub_cbor_done(&c));
    c = cursor("f6"), hub_cbor_bool(&c);
    cr_assert(c.bad);
    c = cursor("00"), hub_cbor_bool(&c);
    cr_assert(c.bad);
    c = cursor("f4"), hub_cbor_null(&c);
    cr_assert(c.bad);
    c = cursor(""), hub_cbor_bool(&c);
    cr_assert(c.bad);
    c = cursor(""), hub_cbor_null(&c);
    cr_assert(c.bad);
}

Test(cbor, a_wrong_or_missing_tag_is_refused)
{
    struct hub_cbor c = cursor("d2 00");

    hub_cbor_tag(&c, 18), hub_cbor_uint(&c, 0, 0);
    cr_assert(hub_cbor_done(&c));
    c = cursor("d2 00"), hub_cbor_tag(&c, 98);
    cr_assert(c.bad);
    c = cursor("00"), hub_cbor_tag(&c, 0);
    cr_assert(c.bad);
    c = cursor("d9d9f7 00"), hub_cbor_tag(&c, 55799), hub_cbor_uint(&c, 0, 0);
    cr_assert(hub_cbor_done(&c), "a file's own tag can be asked for");
}

Test(cbor, keys_must_be_the_ones_expected)
{
    struct hub_cbor c = cursor("a2 62746f 01 63726566 02");

    hub_cbor_map(&c, 2, 3);
    hub_cbor_key(&c, "to"), hub_cbor_uint(&c, 1, 1);
    cr_assert_not(hub_cbor_has_key(&c, "not"));
    cr_assert_not(hub_cbor_has_key(&c, "re"), "a prefix is another key");
    cr_assert(hub_cbor_has_key(&c, "ref"));
    hub_cbor_uint(&c, 2, 2);
    cr_assert_not(hub_cbor_has_key(&c, "from"), "nothing is left");
    cr_assert(hub_cbor_done(&c));
    c = cursor("a1 63616c6c 00"), hub_cbor_map(&c, 1, 1), hub_cbor_key(&c, "to");
    cr_assert(c.bad, "unknown key");
    c = cursor("a1 42746f 00"), hub_cbor_map(&c, 1, 1), hub_cbor_key(&c, "to");
    cr_assert(c.bad, "a byte string is no text");
    c = cursor("01 20 3a0001116f"), hub_cbor_label(&c, 1), hub_cbor_label(&c, -1);
    hub_cbor_label(&c, -70000);
    cr_assert(hub_cbor_done(&c));
    c = cursor("02"), hub_cbor_label(&c, 1);
    cr_assert(c.bad);
}

Test(cbor, after_a_failure_every_read_fails)
{
    struct hub_cbor c = cursor("f7 00 4100 6161 80 a0 d2 00 f4 f6");
    uint8_t byte = 9;

    hub_cbor_uint(&c, 0, 9);
    cr_assert(c.bad);
    c.at++;
    cr_assert_eq(hub_cbor_peek(&c), HUB_CBOR_END);
    cr_assert_eq(hub_cbor_uint(&c, 0, 9), 0);
    cr_assert_eq(hub_cbor_int(&c), 0);
    c.at++;
    cr_assert_null(hub_cbor_bytes(&c, 0, 9).data);
    hub_cbor_copy(&c, &byte, 1);
    cr_assert_eq(byte, 0);
    c.at += 2;
    cr_assert_null(hub_cbor_text(&c, 0, 9).data);
    cr_assert_not(hub_cbor_has_key(&c, "a"));
    cr_assert_null(hub_cbor_item(&c).data);
    c.at += 2;
    cr_assert_eq(hub_cbor_array(&c, 0, 9), 0);
    c.at++;
    cr_assert_eq(hub_cbor_map(&c, 0, 9), 0);
    c.at = c.end - 2;
    cr_assert_not(hub_cbor_bool(&c));
    hub_cbor_null(&c);
    c.at = c.end;
    cr_assert(c.bad && !hub_cbor_done(&c));
}

Test(cbor, item_is_skipped_whole_and_returned)
{
    struct hub_cbor c = cursor("00 a161618201f5 d2 80 6161");

    cr_assert(hub_span_equal(hub_cbor_item(&c), test_bytes("00")));
    cr_assert(hub_span_equal(hub_cbor_item(&c), test_bytes("a161618201f5")));
    cr_assert(hub_span_equal(hub_cbor_item(&c), test_bytes("d280")));
    cr_assert(hub_span_equal(hub_cbor_text(&c, 1, 1), test_text("a")));
    cr_assert(hub_cbor_done(&c));
    cr_assert_null(hub_cbor_item(&c).data);
    cr_assert(c.bad);
}

Test(cbor, find_positions_at_the_value_and_no_further)
{
    struct hub_span map = test_bytes("a4 01 00 62746f 820102 63726566 f6 6466726f6d 07");
    struct hub_cbor v;

    cr_assert(hub_cbor_ok(map));
    cr_assert(hub_cbor_find(&v, map, "to"));
    cr_assert_eq(hub_cbor_array(&v, 2, 2), 2);
    hub_cbor_uint(&v, 1, 1), hub_cbor_uint(&v, 2, 2);
    cr_assert(hub_cbor_done(&v), "the value ends where the next key begins");
    cr_assert(hub_cbor_find(&v, map, "from"));
    cr_assert_eq(hub_cbor_uint(&v, 0, 9), 7);
    cr_assert_not(hub_cbor_find(&v, map, "amount"));
    cr_assert_not(hub_cbor_find(&v, map, ""));
    cr_assert_not(hub_cbor_find(&v, test_bytes("80"), "to"), "an array has no keys");
    cr_assert_not(hub_cbor_find(&v, test_bytes("a0"), "to"));
    cr_assert_not(hub_cbor_find(&v, (struct hub_span){NULL, 0}, "to"));
}

Test(cbor, writer_stops_for_good_when_full)
{
    uint8_t storage[8];

    for (size_t cap = 0; cap <= 5; cap++) {
        struct hub_buf b = {storage, 0, cap, false};

        memset(storage, 0xee, sizeof storage);
        hub_put_text(&b, "four");
        cr_assert_eq(b.full, cap < 5);
        cr_assert(b.len <= cap);
        cr_assert_eq(storage[cap], 0xee, "nothing beyond the end");
        if (b.full) {
            size_t len = b.len;

            hub_put_uint(&b, 0);
            cr_assert_eq(b.len, len, "a later put that would fit does not hide the hole");
        }
    }
}

Test(cbor, writer_gives_the_heads_of_every_length)
{
    static const struct {
        uint64_t v;
        const char *hex;
    } heads[] = {{0, "00"},
                 {23, "17"},
                 {24, "1818"},
                 {255, "18ff"},
                 {256, "190100"},
                 {65535, "19ffff"},
                 {65536, "1a00010000"},
                 {4294967295, "1affffffff"},
                 {4294967296, "1b0000000100000000"},
                 {UINT64_MAX, "1bffffffffffffffff"}};

    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        uint8_t storage[9];
        struct hub_buf b = {storage, 0, sizeof storage, false};

        hub_put_uint(&b, heads[i].v);
        cr_assert(!b.full && hub_span_equal(hub_span_of(&b), test_bytes(heads[i].hex)));
        b.len = 0;
        hub_put_tag(&b, heads[i].v);
        cr_assert_eq(storage[0] >> 5, HUB_CBOR_TAG);
        b.len = 0;
        hub_put_bytes_head(&b, heads[i].v);
        cr_assert_eq(storage[0] >> 5, HUB_CBOR_BYTES);
    }
}
