/* An epoch that is accepted is what the encoder makes of the set, and keeps the rules of a quorum. */
#include "hub/vote.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepts(struct hub_span input)
{
    static uint8_t storage[65536];
    static struct hub_validators set;
    struct hub_buf out = {storage, 0, sizeof storage, false};
    struct hub_hash chain = FUZZ_CHAIN;

    if (hub_validators_decode(&set, input, &chain, hub_text_span("fuzz")) != HUB_OK)
        return false;
    FUZZ_CHECK(set.n >= 1 && set.n <= HUB_VALIDATORS_MAX && set.q <= set.n && 2 * set.q > set.n);
    hub_validators_encode(&out, &set);
    FUZZ_CHECK(hub_span_equal(hub_span_of(&out), input));
    return true;
}
