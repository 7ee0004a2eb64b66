/* sign.c: takes the place of crypto/sign.c in the simulator. Keyed hashes that only the holder of the secret
 * can compute stand for signatures; verification looks the secret up by public key, which no node can. A
 * share of the seeds uses the real ones. */
#include "sim.h"

#include "hub/hash.h"

#include <sodium.h>
#include <string.h>

enum { KEYS_MAX = 1024 };

bool sim_real_signatures, sim_unchecked_signatures;
static struct {
    struct hub_public_key key;
    uint8_t secret[HUB_SECRET_BYTES];
} registry[KEYS_MAX];
static size_t registered;

void sim_sign_register(const struct hub_public_key *key, const uint8_t secret[HUB_SECRET_BYTES])
{
    HUB_ASSERT(registered < KEYS_MAX);
    registry[registered].key = *key;
    memcpy(registry[registered++].secret, secret, HUB_SECRET_BYTES);
}

static void tag(struct hub_signature *out, const uint8_t secret[HUB_SECRET_BYTES],
                struct hub_span message)
{
    struct hub_hasher h;
    struct hub_hash first;
    hub_hash_init(&h);
    hub_hash_add(&h, secret, HUB_SECRET_BYTES);
    hub_hash_add(&h, message.data, message.len);
    hub_hash_final(&h, &first);
    memcpy(out->b, first.b, 32);
    memcpy(out->b + 32, first.b, 32);
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
    for (size_t i = 0; i < registered; i++)
        if (!memcmp(registry[i].key.b, key->b, sizeof key->b)) {
            struct hub_signature good;
            tag(&good, registry[i].secret, message);
            return !memcmp(&good, sig, sizeof good);
        }
    return false;
}
