/* hash.c: SHA-256 by nettle, which uses the processor's SHA instructions and keeps its context where
 * the caller puts it. libsodium's is four times slower at the sizes a ledger hashes. */
#include "hub/hash.h"

#include <nettle/sha2.h>
#include <stdalign.h>
#include <string.h>

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct hub_hasher), "the context fits");
_Static_assert(alignof(struct sha256_ctx) <= alignof(struct hub_hasher), "and is aligned");
_Static_assert(SHA256_DIGEST_SIZE == sizeof(struct hub_hash), "one digest is one hash");

static struct sha256_ctx *context(struct hub_hasher *h)
{
    return (struct sha256_ctx *)(void *)h->opaque;
}

void hub_hash_init(struct hub_hasher *h)
{
    sha256_init(context(h));
}

void hub_hash_add(struct hub_hasher *h, const void *data, size_t len)
{
    HUB_ASSERT(data != NULL || len == 0);
    if (len > 0)
        sha256_update(context(h), len, data);
}

void hub_hash_final(struct hub_hasher *h, struct hub_hash *out)
{
    sha256_digest(context(h), sizeof out->b, out->b);
}

void hub_hash_span(struct hub_hash *out, struct hub_span bytes)
{
    struct hub_hasher h;

    hub_hash_init(&h);
    hub_hash_add(&h, bytes.data, bytes.len);
    hub_hash_final(&h, out);
}

void hub_hash_tagged(struct hub_hash *out, const char *tag, struct hub_span bytes)
{
    struct hub_hasher h;

    HUB_ASSERT(tag[0] != '\0');
    hub_hash_init(&h);
    hub_hash_add(&h, tag, strlen(tag));
    hub_hash_add(&h, bytes.data, bytes.len);
    hub_hash_final(&h, out);
}
