/* An item that is accepted is what the writer makes of its values, and has a JSON form. */
#include "hub/json.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/transcribe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hub_span bytes = {data, size};
    struct hub_cbor c = hub_cbor_open(bytes), value;
    struct hub_buf out;

    (void)hub_text_ok(bytes);
    if (!hub_cbor_ok(bytes))
        return 0;
    out = (struct hub_buf){malloc(8 * size + 64), 0, 8 * size + 64, false};
    FUZZ_CHECK(out.data != NULL);
    test_transcribe(&out, &c);
    FUZZ_CHECK(hub_cbor_done(&c));
    FUZZ_CHECK(hub_span_equal(hub_span_of(&out), bytes));
    if (hub_cbor_find(&value, bytes, "to"))
        FUZZ_CHECK(value.at >= data && value.end <= data + size && !value.bad);
    out.len = 0;
    hub_json_item(&out, bytes);
    FUZZ_CHECK(out.full || out.len > 0);
    free(out.data);
    return 0;
}
