/* sign.h: Ed25519 as libsodium 1.0.18 to 1.0.22 verifies it, which is a rule of consensus.
 *  1. sign.c defines hub_sign and hub_verify and nothing else, so the simulator links its own object
 *     with these two names ahead of the archive.
 *  2. ed25519.c holds keys and the known-answer self-test that every program runs at start.
 *  3. A public key appears outside only as its COSE_Key (40 bytes); kid = SHA-256 of those bytes. */
#ifndef HUB_SIGN_H
#define HUB_SIGN_H

#include "hub/base.h"

enum { HUB_COSE_KEY_BYTES = 40, HUB_SEED_BYTES = 32, HUB_SECRET_BYTES = 64 };

void hub_sign(struct hub_signature *out, const uint8_t secret[HUB_SECRET_BYTES],
              struct hub_span message);
bool hub_verify(const struct hub_signature *sig, struct hub_span message,
                const struct hub_public_key *key);

/* seed[32] -> public key and the 64-byte secret of libsodium (seed || public). */
void hub_key_from_seed(struct hub_public_key *key, uint8_t secret[HUB_SECRET_BYTES],
                       const uint8_t seed[HUB_SEED_BYTES]);

/* True if the point is canonical, on the main subgroup and of full order: the rule for registering
 * a key (docs/hazards.md H25: crypto_sign_verify_detached accepts mixed-order keys). */
bool hub_public_key_ok(const struct hub_public_key *key);

/* COSE_Key {1: 1, -1: 6, -2: key}: exactly these 40 bytes in both directions. */
void hub_cose_key_encode(uint8_t out[HUB_COSE_KEY_BYTES], const struct hub_public_key *key);
HUB_MUST_USE bool hub_cose_key_decode(struct hub_public_key *key, struct hub_span bytes);

/* kid = SHA-256(COSE_Key bytes), RFC 9679. */
void hub_kid_of(struct hub_hash *kid, const struct hub_public_key *key);

/* Known-answer edge cases: HUB_OK, or HUB_CORRUPT when this machine's library decides differently
 * and the program must refuse to run. Also initialises the library; call first in every program. */
HUB_MUST_USE enum hub_status hub_crypto_self_test(void);

#endif
