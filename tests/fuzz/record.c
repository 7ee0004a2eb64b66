/* Input: an entry [record, attachment] of a block, on the chain 0x11... A record that is accepted is what
 * the COSE writer makes of its parts, has a JSON form, and its co-signers are sorted. */
#include "hub/apply.h"
#include "hub/cose.h"
#include "hub/json.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void check_envelope(const struct hub_record *r)
{
    static uint8_t storage[HUB_RECORD_BYTES_MAX];
    static const uint8_t empty_map = 0xa0;
    struct hub_buf out = {storage, 0, sizeof storage, false};

    hub_sign1_encode(&out, r->protected_, (struct hub_span){&empty_map, 1}, r->payload,
                     r->signature);
    FUZZ_CHECK(hub_span_equal(hub_span_of(&out), r->bytes));
}

static void check_cosigners(const struct hub_record *r)
{
    struct hub_hash last = {{0}}, kid;
    uint32_t n = 0;

    for (; hub_record_cosigner(r, n, &kid); n++) {
        FUZZ_CHECK(n == 0 || memcmp(last.b, kid.b, sizeof kid.b) < 0);
        FUZZ_CHECK(!hub_hash_equal(&kid, &r->kid));
        last = kid;
    }
    FUZZ_CHECK(n <= HUB_COSIGN_MAX);
}

bool fuzz_accepts(struct hub_span input)
{
    static uint8_t storage[8 * HUB_RECORD_BYTES_MAX];
    struct hub_buf json = {storage, 0, sizeof storage, false};
    struct hub_cbor c = hub_cbor_open(input);
    struct hub_hash chain = FUZZ_CHAIN;
    struct hub_span bytes, attachment;
    struct hub_public_key brought;
    struct hub_record r, again;
    uint16_t why = 0;

    hub_cbor_array(&c, 2, 2);
    bytes = hub_cbor_bytes(&c, 0, SIZE_MAX);
    attachment = hub_cbor_bytes(&c, 0, SIZE_MAX);
    if (!hub_cbor_done(&c))
        return false;
    if (hub_record_decode(&r, &why, bytes, attachment, &chain) != HUB_OK) {
        FUZZ_CHECK(why != 0);
        return false;
    }
    FUZZ_CHECK(!r.verified && r.type < HUB_RECORD_TYPES);
    FUZZ_CHECK(hub_record_peek(&again, &why, bytes, &chain) == HUB_OK);
    FUZZ_CHECK(hub_hash_equal(&r.id, &again.id) && hub_hash_equal(&r.leaf, &again.leaf));
    check_envelope(&r);
    check_cosigners(&r);
    (void)hub_record_brings_key(&r, &r.kid, &brought);
    hub_json_body(&json, r.body, hub_record_types[r.type].fields);
    FUZZ_CHECK(json.full || json.len > 0);
    return true;
}
