/* wallet_reference.c: business references: why a file submitted twice pays once (docs/currency.md). */
#include "ledger/wallet.h"

#include <string.h>

enum { REFERENCE_BYTES = 16, REFERENCE_KEY_MAX = 1 + 4 + REFERENCE_BYTES };

struct reference_key {
    uint8_t bytes[REFERENCE_KEY_MAX];
    size_t len;
};

static struct reference_key key_of(enum hub_reference_kind kind, uint32_t scope,
                                   const uint8_t reference[16])
{
    struct reference_key k;
    k.bytes[0] = (uint8_t)kind;
    if (kind != HUB_REFERENCE_OPENING) {
        hub_put_be32(k.bytes + 1, scope);
        k.len = 5;
    } else {
        HUB_ASSERT(scope <= UINT16_MAX);
        hub_put_be16(k.bytes + 1, (uint16_t)scope);
        k.len = 3;
    }
    memcpy(k.bytes + k.len, reference, REFERENCE_BYTES);
    k.len += REFERENCE_BYTES;
    return k;
}

bool hub_reference_find(struct hub_posting *out, const struct hub_state *s,
                        enum hub_reference_kind kind, uint32_t scope, const uint8_t reference[16])
{
    struct reference_key k = key_of(kind, scope, reference);
    uint32_t row;
    if (!hub_state_find(s, HUB_TABLE_REFERENCES, (struct hub_span){k.bytes, k.len}, &row))
        return false;
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_REFERENCES, row));
    hub_cbor_array(&c, 4, 4);
    hub_cbor_item(&c);
    struct hub_posting found = {.height = hub_cbor_uint(&c, 0, HUB_UINT_MAX)};
    found.index = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    found.slot = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    HUB_ASSERT(hub_cbor_done(&c));
    if (out != NULL)
        *out = found;
    return true;
}

void hub_reference_add(struct hub_apply *a, enum hub_reference_kind kind, uint32_t scope,
                       const uint8_t reference[16], uint32_t slot)
{
    struct reference_key k = key_of(kind, scope, reference);
    uint8_t bytes[HUB_REFERENCE_ROW_BYTES - 2];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 4);
    hub_put_bytes(&b, (struct hub_span){k.bytes, k.len});
    hub_put_uint(&b, a->height);
    hub_put_uint(&b, a->index);
    hub_put_uint(&b, slot);
    HUB_ASSERT(!b.full);
    hub_state_add(a->state, HUB_TABLE_REFERENCES, hub_span_of(&b));
}

bool hub_opening_find(struct hub_posting *out, const struct hub_state *s, uint16_t institution,
                      const uint8_t reference[16])
{
    return hub_reference_find(out, s, HUB_REFERENCE_OPENING, institution, reference);
}

bool hub_payment_find(struct hub_posting *out, const struct hub_state *s, uint32_t slot,
                      const uint8_t reference[16])
{
    return hub_reference_find(out, s, HUB_REFERENCE_PAYMENT, slot, reference);
}

/* ---- batches: a table of their own, so that one page lists them */

enum { BATCH_KEY_BYTES = 2 + REFERENCE_BYTES };

static struct hub_span batch_key(uint8_t key[BATCH_KEY_BYTES], uint16_t institution,
                                 const uint8_t reference[16])
{
    hub_put_be16(key, institution);
    memcpy(key + 2, reference, REFERENCE_BYTES);
    return (struct hub_span){key, BATCH_KEY_BYTES};
}

bool hub_batch_find(struct hub_posting *out, const struct hub_state *s, uint16_t institution,
                    const uint8_t reference[16])
{
    uint8_t key[BATCH_KEY_BYTES];
    uint32_t row;
    if (!hub_state_find(s, HUB_TABLE_BATCHES, batch_key(key, institution, reference), &row))
        return false;
    struct hub_cbor c = hub_cbor_open(hub_state_row(s, HUB_TABLE_BATCHES, row));
    hub_cbor_array(&c, 3, 3);
    hub_cbor_item(&c);
    struct hub_posting found = {.height = hub_cbor_uint(&c, 0, HUB_UINT_MAX)};
    found.index = (uint32_t)hub_cbor_uint(&c, 0, UINT32_MAX);
    HUB_ASSERT(hub_cbor_done(&c));
    if (out != NULL)
        *out = found;
    return true;
}

void hub_batch_add(struct hub_apply *a, uint16_t institution, const uint8_t reference[16])
{
    uint8_t key[BATCH_KEY_BYTES], bytes[HUB_BATCH_ROW_BYTES - 2];
    struct hub_buf b = {bytes, 0, sizeof bytes, false};
    hub_put_array(&b, 3);
    hub_put_bytes(&b, batch_key(key, institution, reference));
    hub_put_uint(&b, a->height);
    hub_put_uint(&b, a->index);
    HUB_ASSERT(!b.full);
    hub_state_add(a->state, HUB_TABLE_BATCHES, hub_span_of(&b));
}
