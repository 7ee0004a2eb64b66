/* Expected values: FIPS 180-4 examples (NIST), and libsodium's own SHA-256 as a second implementation. */
#include "hub/hash.h"

#include "tests/support/hex.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

static void expect(const char *message, const char *digest)
{
    struct hub_hash got, want = test_hash(digest);

    hub_hash_span(&got, test_text(message));
    cr_assert(hub_hash_equal(&got, &want), "SHA-256(\"%s\")", message);
}

Test(hash, gives_the_digests_nist_publishes)
{
    expect("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
           "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect(
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
        "lmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

Test(hash, a_million_letters_added_in_uneven_pieces)
{
    struct hub_hash got, want;
    struct hub_hasher h;
    char piece[997];

    memset(piece, 'a', sizeof piece);
    hub_hash_init(&h);
    for (size_t left = 1000000; left > 0;) {
        size_t n = left < sizeof piece ? left : sizeof piece;

        hub_hash_add(&h, piece, n);
        left -= n;
    }
    hub_hash_final(&h, &got);
    want = test_hash("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    cr_assert(hub_hash_equal(&got, &want));
}

Test(hash, agrees_with_libsodium_at_every_length_and_split)
{
    uint8_t data[200];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 3);
    for (size_t len = 0; len <= sizeof data; len++) {
        struct hub_hash want;

        crypto_hash_sha256(want.b, data, len);
        for (size_t split = 0; split <= len; split++) {
            struct hub_hash got;
            struct hub_hasher h;

            hub_hash_init(&h);
            hub_hash_add(&h, data, split);
            hub_hash_add(&h, data + split, len - split);
            hub_hash_final(&h, &got);
            cr_assert(hub_hash_equal(&got, &want), "length %zu split at %zu", len, split);
        }
    }
}

Test(hash, a_tag_stands_in_front_without_terminator)
{
    struct hub_hash got, want;

    hub_hash_tagged(&got, "hubledger/header/1", test_text("\x92rest"));
    crypto_hash_sha256(want.b, (const uint8_t *)"hubledger/header/1\x92rest", 23);
    cr_assert(hub_hash_equal(&got, &want));
}

Test(hash, comparisons_see_every_byte_and_the_length)
{
    uint8_t a[32] = {0}, b[32] = {0};
    struct hub_hash x = {{0}}, y = {{0}};

    cr_assert(hub_span_equal((struct hub_span){NULL, 0}, (struct hub_span){a, 0}));
    cr_assert_not(hub_span_equal((struct hub_span){a, 31}, (struct hub_span){b, 32}));
    for (size_t i = 0; i < 32; i++) {
        b[i] = y.b[i] = 1;
        cr_assert_not(hub_span_equal((struct hub_span){a, 32}, (struct hub_span){b, 32}));
        cr_assert_not(hub_hash_equal(&x, &y));
        b[i] = y.b[i] = 0;
    }
    cr_assert(hub_span_equal((struct hub_span){a, 32}, (struct hub_span){b, 32}));
    cr_assert(hub_hash_equal(&x, &y));
}

Test(base, big_endian_integers_are_most_significant_first)
{
    uint8_t p[8];

    hub_put_be64(p, 0x0102030405060708);
    for (uint8_t i = 0; i < 8; i++)
        cr_assert_eq(p[i], i + 1);
    cr_assert_eq(hub_get_be64(p), 0x0102030405060708);
    cr_assert_eq(hub_get_be32(p), 0x01020304);
    cr_assert_eq(hub_get_be16(p), 0x0102);
    hub_put_be32(p, 0xfffefdfc);
    cr_assert_eq(hub_get_be32(p), 0xfffefdfc);
    hub_put_be16(p, 0x8001);
    cr_assert_eq(hub_get_be16(p), 0x8001);
}

Test(base, checked_arithmetic_leaves_its_output_alone_on_overflow)
{
    uint64_t v = 7;

    cr_assert(hub_add_u64(&v, UINT64_MAX - 1, 1));
    cr_assert_eq(v, UINT64_MAX);
    cr_assert_not(hub_add_u64(&v, UINT64_MAX, 1));
    cr_assert_not(hub_sub_u64(&v, 0, 1));
    cr_assert_eq(v, UINT64_MAX);
    cr_assert(hub_sub_u64(&v, 5, 5));
    cr_assert_eq(v, 0);
}
