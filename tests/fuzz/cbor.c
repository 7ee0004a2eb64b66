/* An item that is accepted is what the writer makes of its values, and has a JSON form. */
#include "hub/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/transcribe.h"

bool fuzz_accepts(struct hub_span input)
{
    struct hub_cbor c = hub_cbor_open(input), value;
    struct hub_buf out;

    (void)hub_text_ok(input);
    if (!hub_cbor_ok(input))
        return false;
    out = (struct hub_buf){malloc(8 * input.len + 64), 0, 8 * input.len + 64, false};
    FUZZ_CHECK(out.data != NULL);
    test_transcribe(&out, &c);
    FUZZ_CHECK(hub_cbor_done(&c));
    FUZZ_CHECK(hub_span_equal(hub_span_of(&out), input));
    if (hub_cbor_find(&value, input, "to"))
        FUZZ_CHECK(value.at >= input.data && value.end <= input.data + input.len && !value.bad);
    out.len = 0;
    hub_json_item(&out, input);
    FUZZ_CHECK(out.full || out.len > 0);
    free(out.data);
    return true;
}
