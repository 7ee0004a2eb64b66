/* Expected values: RFC 8032 section 7.1; verdicts of the edge cases are checked by the self-test itself,
 * and here through hub_verify. */
#include "hub/sign.h"

#include "hub/hash.h"
#include "tests/support/hex.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

static const struct {
    const char *seed, *key, *message, *signature;
} rfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
     "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"},
};

static struct hub_public_key public_key(const char *hex)
{
    struct hub_public_key key;

    cr_assert_eq(test_unhex(key.b, sizeof key.b, hex), sizeof key.b);
    return key;
}

Test(ed25519, signs_and_verifies_as_rfc_8032_prints)
{
    for (size_t i = 0; i < sizeof rfc8032 / sizeof rfc8032[0]; i++) {
        uint8_t seed[HUB_SEED_BYTES], secret[HUB_SECRET_BYTES];
        struct hub_public_key key, want_key = public_key(rfc8032[i].key);
        struct hub_signature sig, want_sig;
        struct hub_span message = test_bytes(rfc8032[i].message);

        test_unhex(seed, sizeof seed, rfc8032[i].seed);
        test_unhex(want_sig.b, sizeof want_sig.b, rfc8032[i].signature);
        hub_key_from_seed(&key, secret, seed);
        cr_assert_eq(memcmp(key.b, want_key.b, 32), 0, "key of test %zu", i);
        hub_sign(&sig, secret, message);
        cr_assert_eq(memcmp(sig.b, want_sig.b, 64), 0, "signature of test %zu", i);
        cr_assert(hub_verify(&sig, message, &key));
    }
}

Test(ed25519, refuses_any_changed_bit_of_signature_message_or_key)
{
    struct hub_public_key key = public_key(rfc8032[3].key);
    struct hub_signature sig;
    uint8_t message[64];

    test_unhex(sig.b, sizeof sig.b, rfc8032[3].signature);
    test_unhex(message, sizeof message, rfc8032[3].message);
    for (unsigned bit = 0; bit < 8 * 160; bit++) {
        uint8_t *byte = bit < 512    ? &sig.b[bit / 8]
                        : bit < 1024 ? &message[bit / 8 - 64]
                                     : &key.b[bit / 8 - 128];

        *byte ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(hub_verify(&sig, (struct hub_span){message, 64}, &key), "bit %u", bit);
        *byte ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert(hub_verify(&sig, (struct hub_span){message, 64}, &key));
    cr_assert_not(hub_verify(&sig, (struct hub_span){message, 63}, &key));
}

Test(ed25519, self_test_accepts_this_library)
{
    cr_assert_eq(hub_crypto_self_test(), HUB_OK);
    cr_assert_eq(hub_crypto_self_test(), HUB_OK, "and may be called again");
}

/* The eight points of small order (libsodium, ed25519_ref10.c, blocklist), and the non-canonical ones. */
static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
};

Test(ed25519, registers_only_points_of_the_main_subgroup)
{
    struct hub_public_key key;

    for (size_t i = 0; i < sizeof rfc8032 / sizeof rfc8032[0]; i++) {
        key = public_key(rfc8032[i].key);
        cr_assert(hub_public_key_ok(&key));
    }
    for (size_t i = 0; i < sizeof small_order / sizeof small_order[0]; i++) {
        key = public_key(small_order[i]);
        cr_assert_not(hub_public_key_ok(&key), "small order %zu", i);
    }
    /* Mixed order: verifies signatures (speccheck 3), must not be registered (docs/hazards.md H25). */
    key = public_key("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d");
    cr_assert_not(hub_public_key_ok(&key));
    /* y = 2 is on no point of the curve: (y^2 - 1) / (d y^2 + 1) is no square. */
    key = public_key("0200000000000000000000000000000000000000000000000000000000000000");
    cr_assert_not(hub_public_key_ok(&key));
}

Test(ed25519, cose_key_is_forty_bytes_and_its_hash_is_the_kid)
{
    struct hub_public_key key = public_key(rfc8032[0].key), back;
    struct hub_span want = test_bytes(
        "a3 0101 2006 215820 d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    uint8_t bytes[HUB_COSE_KEY_BYTES + 1] = {0};
    struct hub_hash kid, want_kid;

    hub_cose_key_encode(bytes, &key);
    cr_assert(hub_span_equal((struct hub_span){bytes, HUB_COSE_KEY_BYTES}, want));
    cr_assert(hub_cose_key_decode(&back, want));
    cr_assert_eq(memcmp(back.b, key.b, 32), 0);
    hub_kid_of(&kid, &key);
    crypto_hash_sha256(want_kid.b, want.data, want.len);
    cr_assert(hub_hash_equal(&kid, &want_kid));

    cr_assert_not(hub_cose_key_decode(&back, (struct hub_span){bytes, 39}));
    cr_assert_not(hub_cose_key_decode(&back, (struct hub_span){bytes, 41}));
    for (size_t i = 0; i < 8; i++) {
        bytes[i] ^= 1;
        cr_assert_not(hub_cose_key_decode(&back, (struct hub_span){bytes, 40}), "byte %zu", i);
        bytes[i] ^= 1;
    }
}
