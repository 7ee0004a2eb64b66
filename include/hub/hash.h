/* hash.h: SHA-256 (FIPS 180-4). The hash of every id, tree and commitment. */
#ifndef HUB_HASH_H
#define HUB_HASH_H

#include "hub/base.h"

/* Lives on the caller's stack; the size is asserted against the library's context in hash.c. */
struct hub_hasher {
    uint64_t opaque[16];
};

void hub_hash_init(struct hub_hasher *h);
void hub_hash_add(struct hub_hasher *h, const void *data, size_t len);
void hub_hash_final(struct hub_hasher *h, struct hub_hash *out);

/* out = SHA-256(bytes). */
void hub_hash_span(struct hub_hash *out, struct hub_span bytes);

/* out = SHA-256(ASCII tag || bytes): formats.cddl's NAME-HASH. The tag carries no terminator. */
void hub_hash_tagged(struct hub_hash *out, const char *tag, struct hub_span bytes);

#endif
