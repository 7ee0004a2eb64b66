/* ed25519.c: keys in their one outside form, and the proof that the library under us decides edge
 * cases the way every other node's does (docs/protocol.md). */
#include "hub/sign.h"

#include "hub/hash.h"

#include <sodium.h>
#include <string.h>

_Static_assert(crypto_sign_SEEDBYTES == HUB_SEED_BYTES, "one seed, one key");
_Static_assert(crypto_sign_PUBLICKEYBYTES == sizeof(struct hub_public_key), "one point");

/* {1: 1 (OKP), -1: 6 (Ed25519), -2: bstr of 32 bytes}; the point follows. */
static const uint8_t cose_key_head[8] = {0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20};
_Static_assert(sizeof cose_key_head + sizeof(struct hub_public_key) == HUB_COSE_KEY_BYTES, "");

/* Known answers. "speccheck" are the twelve vectors of Chalkias, Garillot, Nikolaenko, "Taming the
 * many EdDSAs" (2020), table 6; the verdicts are those the authors publish for libsodium, which are
 * the rule: canonical S; A canonical and not of small order; R not of small order; cofactorless
 * equation with R compared as bytes. A cofactored library accepts 4 and 5. */
static const struct known_answer {
    char message[65], key[65], signature[129];
    bool valid;
} known_answers[] = {
    /* speccheck 0: small-order A and R, S = 0 */
    {"8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "0000000000000000000000000000000000000000000000000000000000000000",
     false},
    /* speccheck 1: small-order A */
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false},
    /* speccheck 2: small-order R */
    {"aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
     false},
    /* speccheck 3: mixed-order A and R, both equations hold */
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
     true},
    /* speccheck 4: mixed-order A and R, only the cofactored equation holds */
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
     false},
    /* speccheck 5: only a cofactored equation reduced beforehand fails */
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
     "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
     false},
    /* speccheck 6: S > L */
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
     "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
     false},
    /* speccheck 7: S >> L */
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
     "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
     false},
    /* speccheck 8: non-canonical R, reduced before hashing */
    {"9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
     false},
    /* speccheck 9: non-canonical R, hashed as received */
    {"9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
     false},
    /* speccheck 10: non-canonical A, reduced before hashing */
    {"e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false},
    /* speccheck 11: non-canonical A, hashed as received */
    {"39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     false},
    /* RFC 8032 7.1, TEST 2: as published */
    {"72", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
     true},
    /* the same with S + L: the equation holds, S is not canonical (RFC 8032 5.1.7, step 1) */
    {"72", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "f52db7415978abc61b2c2eb6aeebfca0387b2eaeb4302aeeb00d291612bb0c10",
     false},
    /* the same over another message */
    {"73", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
     false},
    /* identity as A and R with S = 0: the equation holds for every message, A is of small order */
    {"72", "0100000000000000000000000000000000000000000000000000000000000000",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000",
     false},
};

void hub_key_from_seed(struct hub_public_key *key, uint8_t secret[HUB_SECRET_BYTES],
                       const uint8_t seed[HUB_SEED_BYTES])
{
    int failed = crypto_sign_seed_keypair(key->b, secret, seed);

    HUB_ASSERT(failed == 0);
}

bool hub_public_key_ok(const struct hub_public_key *key)
{
    return crypto_core_ed25519_is_valid_point(key->b) == 1;
}

void hub_cose_key_encode(uint8_t out[HUB_COSE_KEY_BYTES], const struct hub_public_key *key)
{
    memcpy(out, cose_key_head, sizeof cose_key_head);
    memcpy(out + sizeof cose_key_head, key->b, sizeof key->b);
}

bool hub_cose_key_decode(struct hub_public_key *key, struct hub_span bytes)
{
    if (bytes.len != HUB_COSE_KEY_BYTES)
        return false;
    if (memcmp(bytes.data, cose_key_head, sizeof cose_key_head) != 0)
        return false;
    memcpy(key->b, bytes.data + sizeof cose_key_head, sizeof key->b);
    return true;
}

void hub_kid_of(struct hub_hash *kid, const struct hub_public_key *key)
{
    uint8_t bytes[HUB_COSE_KEY_BYTES];

    hub_cose_key_encode(bytes, key);
    hub_hash_span(kid, (struct hub_span){bytes, sizeof bytes});
}

static size_t unhex(uint8_t *out, size_t cap, const char *hex)
{
    size_t n = 0;
    int failed = sodium_hex2bin(out, cap, hex, strlen(hex), NULL, &n, NULL);

    HUB_ASSERT(failed == 0);
    return n;
}

/* The library is asked itself, not hub_verify, which the simulator replaces. */
static bool decided_as_known(const struct known_answer *known)
{
    uint8_t message[32], key[32], signature[64];
    size_t len = unhex(message, sizeof message, known->message);

    unhex(key, sizeof key, known->key);
    unhex(signature, sizeof signature, known->signature);
    return (crypto_sign_verify_detached(signature, message, len, key) == 0) == known->valid;
}

enum hub_status hub_crypto_self_test(void)
{
    if (sodium_init() < 0)
        return HUB_CORRUPT;
    for (size_t i = 0; i < sizeof known_answers / sizeof known_answers[0]; i++)
        if (!decided_as_known(&known_answers[i]))
            return HUB_CORRUPT;
    return HUB_OK;
}
