/* An executed agreement that is accepted is what its parts make again. */
#include "hub/agreement.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepts(struct hub_span input)
{
    struct hub_executed e;
    struct hub_buf out;

    if (!hub_executed_decode(&e, input))
        return false;
    FUZZ_CHECK(e.count >= 1 && e.count <= HUB_PARTIES_MAX);
    out = (struct hub_buf){malloc(input.len), 0, input.len, false};
    FUZZ_CHECK(out.data != NULL);
    hub_executed_begin(&out, e.body, e.count);
    for (uint32_t i = 0; i < e.count; i++) {
        uint8_t bytes[HUB_REMARK_BYTES_MAX + 64];
        struct hub_buf own = {bytes, 0, sizeof bytes, false};

        hub_consent_protected(&own, &e.consent[i].kid, e.consent[i].remark);
        FUZZ_CHECK(!own.full);
        hub_consent_encode(&out, hub_span_of(&own), e.consent[i].signature);
    }
    FUZZ_CHECK(!out.full && hub_span_equal(hub_span_of(&out), input));
    free(out.data);
    return true;
}
