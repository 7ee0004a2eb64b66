/* sign.c: takes the place of crypto/sign.c in the simulator. Keyed hashes that only the holder of the secret
 * can compute stand for signatures; verification looks the secret up by public key, which no node can. A
 * share of the seeds uses the real ones. */
#include "sim.h"

#include "hub/hash.h"

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
    const struct registered *r = find(key);
    struct hub_signature good;
    if (!r->used)
        return false;
    tag(&good, r->secret, message);
    return !memcmp(&good, sig, sizeof good);
}
