/* bodies.c: encoded blocks in memory: proposals, fetched blocks, those being executed. When all places are taken
 * the least useful goes: what nothing vouches for, then what the store holds too. */
#include "node/replica_parts.h"

#include <string.h>

struct hub_body *hub_body_find(struct hub_replica *r, const struct hub_hash *hash)
{
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++)
        if (r->body[i].used && hub_hash_equal(&r->body[i].hash, hash)) {
            r->body[i].touched = ++r->touches;
            return &r->body[i];
        }
    return NULL;
}

/* Smaller = given up earlier; UINT64_MAX = in use now. */
static uint64_t body_worth(const struct hub_replica *r, const struct hub_body *b)
{
    const uint64_t rank = (uint64_t)1 << 60;
    if (!b->used)
        return 0;
    if (r->check.state != HUB_CHECK_NONE && hub_hash_equal(&b->hash, &r->check.block.hash))
        return UINT64_MAX;
    if (b->unproven && !b->certified)
        return rank + b->touched;
    if (b->stored)
        return 2 * rank + b->touched;
    return 3 * rank + b->touched;
}

struct hub_body *hub_body_make(struct hub_replica *r)
{
    struct hub_body *best = NULL;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++) {
        uint64_t worth = body_worth(r, &r->body[i]);
        if (worth < least) {
            least = worth;
            best = &r->body[i];
        }
    }
    if (!best)
        return NULL;
    struct hub_buf bytes = best->bytes;
    bytes.len = 0;
    bytes.full = false;
    *best = (struct hub_body){.bytes = bytes, .touched = ++r->touches};
    return best;
}

/* Unless its records are being checked: they point into its bytes. */
void hub_body_forget(struct hub_replica *r, struct hub_body *b)
{
    if (body_worth(r, b) != UINT64_MAX)
        b->used = false;
}

void hub_body_forget_final(struct hub_replica *r)
{
    for (uint32_t i = 0; i < HUB_BODIES_MAX; i++)
        if (r->body[i].header.height <= r->chain.final_header.height)
            hub_body_forget(r, &r->body[i]);
}

struct hub_body *hub_body_put(struct hub_replica *r, struct hub_span bytes)
{
    struct hub_header header;
    struct hub_hash hash;
    struct hub_span header_bytes;
    if (bytes.len > HUB_BODY_BYTES_MAX || !hub_block_peek(&header, &hash, &header_bytes, bytes))
        return NULL;
    struct hub_body *b = hub_body_find(r, &hash);
    if (b)
        return b;
    b = hub_body_make(r);
    if (!b)
        return NULL;
    memcpy(b->bytes.data, bytes.data, bytes.len);
    b->bytes.len = bytes.len;
    b->hash = hash;
    b->header = header;
    b->used = true;
    hub_accuse_block(r, b);
    return b;
}

struct hub_body *hub_body_put_own(struct hub_replica *r, struct hub_span bytes,
                                  const struct hub_hash *hash)
{
    struct hub_body *theirs = hub_body_find(r, hash);
    if (theirs)
        hub_body_forget(r, theirs);
    return hub_body_find(r, hash) ? NULL : hub_body_put(r, bytes);
}

struct hub_body *hub_body_load(struct hub_replica *r, const struct hub_hash *hash)
{
    struct hub_body *b = hub_body_find(r, hash);
    if (b)
        return b;
    struct hub_span bytes;
    if (!hub_replica_found(r, r->port.get_block(r->port.store, hash, &bytes)))
        return NULL;
    b = hub_body_put(r, bytes);
    if (b)
        b->stored = true;
    return b;
}

struct hub_body *hub_body_take(struct hub_replica *r, struct hub_span bytes,
                               const struct hub_hash *hash)
{
    return hub_chain_header(&r->chain, hash) ? hub_body_load(r, hash) : hub_body_put(r, bytes);
}

bool hub_body_bytes(struct hub_replica *r, struct hub_span *bytes, const struct hub_hash *hash)
{
    const struct hub_body *b = hub_body_find(r, hash);
    if (b) {
        *bytes = hub_span_of(&b->bytes);
        return true;
    }
    return hub_replica_found(r, r->port.get_block(r->port.store, hash, bytes));
}

bool hub_body_header(struct hub_replica *r, struct hub_header *out, const struct hub_hash *hash)
{
    struct hub_span bytes, header_bytes;
    struct hub_hash again;
    return hub_body_bytes(r, &bytes, hash) && hub_block_peek(out, &again, &header_bytes, bytes);
}

void hub_body_store(struct hub_replica *r, struct hub_body *b)
{
    if (b->stored || !hub_replica_ok(r, r->port.put_block(r->port.store, &b->header, &b->hash,
                                                          hub_span_of(&b->bytes))))
        return;
    b->stored = true;
    hub_replica_put(r, false);
}
