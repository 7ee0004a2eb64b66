/* A certificate that is accepted is what the encoder makes of it for a set of that many validators. */
#include "hub/vote.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepts(struct hub_span input)
{
    static uint8_t storage[8192];
    static struct hub_certificate c;
    struct hub_buf out = {storage, 0, sizeof storage, false};

    if (!hub_certificate_decode(&c, input))
        return false;
    FUZZ_CHECK(c.signers != 0 && c.bitmap_bytes >= 1 && c.bitmap_bytes <= 8);
    hub_certificate_encode(&out, &c, (uint8_t)(8 * c.bitmap_bytes));
    FUZZ_CHECK(hub_span_equal(hub_span_of(&out), input));
    return true;
}
