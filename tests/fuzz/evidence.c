/* Input: [genesis file, evidence]. Accepted means that a validator is convicted; then its item is what the encoder
 * makes of the offence, and both votes are signed by one listed key. */
#include "hub/evidence.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepts(struct hub_span input)
{
    static struct hub_genesis genesis;
    static struct hub_validators set;
    static uint8_t storage[HUB_BUNDLE_BYTES_MAX];
    struct hub_buf out = {storage, 0, sizeof storage, false};
    struct hub_cbor c = hub_cbor_open(input);
    struct hub_span file, item;
    struct hub_evidence e;
    struct hub_offence o;
    const char *why = NULL;

    hub_cbor_array(&c, 2, 2);
    file = hub_cbor_bytes(&c, 0, SIZE_MAX);
    item = hub_cbor_bytes(&c, 0, SIZE_MAX);
    if (!hub_cbor_done(&c) || hub_genesis_decode(&genesis, NULL, file) != HUB_OK)
        return false;
    if (!hub_evidence_verify(&o, &set, &why, item, &genesis)) {
        FUZZ_CHECK(why != NULL);
        return false;
    }
    FUZZ_CHECK(hub_vote_ok(&o.vote[0], &set));
    FUZZ_CHECK(o.header.len > 0 ||
               (hub_vote_ok(&o.vote[1], &set) && o.vote[0].signer == o.vote[1].signer));
    FUZZ_CHECK(hub_evidence_decode(&e, item));
    hub_evidence_encode(&out, &o, &set, e.links);
    FUZZ_CHECK(hub_span_equal(hub_span_of(&out), item));
    return true;
}
