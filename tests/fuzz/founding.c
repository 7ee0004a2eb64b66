/* A draft or invite that is accepted is written again as the same bytes. */
#include "tests/fuzz/fuzz.h"
#include "tools/founding.h"

bool fuzz_accepts(struct hub_span input)
{
    static struct hub_founding f;
    static uint8_t bytes[HUB_FOUNDING_BYTES_MAX];
    struct hub_buf out = {.data = bytes, .cap = sizeof bytes};
    const char *why = NULL;

    if (!hub_founding_read(&f, &why, input)) {
        FUZZ_CHECK(why != NULL);
        return false;
    }
    FUZZ_CHECK(hub_founding_write(&out, f.genesis.bytes, f.endpoints, f.signatures));
    FUZZ_CHECK(hub_span_equal(hub_span_of(&out), input));
    return true;
}
