/* sign.c: takes the place of crypto/sign.c in the simulator. Keyed hashes that only the holder of the secret
 * can compute stand for signatures; verification looks the secret up by public key, which no node can. A
 * share of the seeds uses the real ones. */
#include "sim.h"

#include <sodium.h>
#include <string.h>

enum { KEYS_MAX = 4096 }; /* a power of two, twice as many as there are */

bool sim_real_signatures, sim_unchecked_signatures;
static struct registered {
    struct hub_public_key key;
    uint8_t secret[HUB_SECRET_BYTES];
    bool used;
} registry[KEYS_MAX];

/* Where the key is, or would be. */
static struct registered *find(const struct hub_public_key *key)
{
    size_t at = hub_get_be64(key->b) % KEYS_MAX;
    while (registry[at].used && memcmp(registry[at].key.b, key->b, sizeof key->b) != 0)
        at = (at + 1) % KEYS_MAX;
    return &registry[at];
}

void sim_sign_register(const struct hub_public_key *key, const uint8_t secret[HUB_SECRET_BYTES])
{
    static size_t count;
    struct registered *r = find(key);
    HUB_ASSERT(r->used || ++count < KEYS_MAX / 2);
    r->key = *key;
    r->used = true;
    memcpy(r->secret, secret, HUB_SECRET_BYTES);
}

/* Two lanes of multiplications that begin with the secret and take the message in 16 bytes at a time. Any bit of
 * either changes all of it; nobody but its holder and the judge has the secret, and no traitor here computes. */
static void tag(struct hub_signature *out, const uint8_t secret[HUB_SECRET_BYTES],
                struct hub_span message)
{
    uint64_t a = hub_get_be64(secret), b = hub_get_be64(secret + 8) ^ message.len;
    const uint8_t *at = message.data;
    size_t left = message.len;
    for (; left >= 16; at += 16, left -= 16) {
        a = (a ^ hub_get_be64(at)) * 0x9e3779b97f4a7c15u;
        b = (b ^ hub_get_be64(at + 8)) * 0xc2b2ae3d27d4eb4fu;
        a ^= b >> 31;
        b ^= a >> 29;
    }
    for (; left; at++, left--)
        a = (a ^ *at) * 0x9e3779b97f4a7c15u;
    b ^= a;
    for (size_t i = 0; i < sizeof out->b; i += 8) {
        hub_put_be64(out->b + i, sim_random(&b) ^ a);
        a = a << 23 | a >> 41;
    }
}

void hub_sign(struct hub_signature *out, const uint8_t secret[HUB_SECRET_BYTES],
              struct hub_span message)
{
    if (sim_real_signatures)
        (void)crypto_sign_detached(out->b, NULL, message.data, message.len, secret);
    else
        tag(out, secret, message);
}

bool hub_verify(const struct hub_signature *sig, struct hub_span message,
                const struct hub_public_key *key)
{
    if (sim_unchecked_signatures)
        return true;
    if (sim_real_signatures)
        return crypto_sign_verify_detached(sig->b, message.data, message.len, key->b) == 0;
    const struct registered *r = find(key);
    struct hub_signature good;
    if (!r->used)
        return false;
    tag(&good, r->secret, message);
    return !memcmp(&good, sig, sizeof good);
}
