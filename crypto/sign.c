/* sign.c: signing and verifying by libsodium, and nothing else (sign.h, point 1). */
#include "hub/sign.h"

#include <sodium.h>

_Static_assert(crypto_sign_SECRETKEYBYTES == HUB_SECRET_BYTES, "seed || public");
_Static_assert(crypto_sign_BYTES == sizeof(struct hub_signature), "r || s");

void hub_sign(struct hub_signature *out, const uint8_t secret[HUB_SECRET_BYTES],
              struct hub_span message)
{
    int failed = crypto_sign_detached(out->b, NULL, message.data, message.len, secret);

    HUB_ASSERT(failed == 0);
}

bool hub_verify(const struct hub_signature *sig, struct hub_span message,
                const struct hub_public_key *key)
{
    return crypto_sign_verify_detached(sig->b, message.data, message.len, key->b) == 0;
}
