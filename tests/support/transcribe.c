#include "tests/support/transcribe.h"

void test_transcribe(struct hub_buf *out, struct hub_cbor *c)
{
    uint32_t n = 0;
    uint64_t tag;

    switch (hub_cbor_peek(c)) {
    case HUB_CBOR_UINT:
        hub_put_uint(out, hub_cbor_uint(c, 0, UINT64_MAX));
        return;
    case HUB_CBOR_NEGATIVE:
        if (c->at[0] == 0x3b && c->at[1] >= 0x80) /* below INT64_MIN: no reader takes it */
            hub_put_raw(out, hub_cbor_item(c));
        else
            hub_put_int(out, hub_cbor_int(c));
        return;
    case HUB_CBOR_BYTES:
        hub_put_bytes(out, hub_cbor_bytes(c, 0, SIZE_MAX));
        return;
    case HUB_CBOR_TEXT:
        hub_put_text_span(out, hub_cbor_text(c, 0, SIZE_MAX));
        return;
    case HUB_CBOR_ARRAY:
        n = hub_cbor_array(c, 0, UINT32_MAX);
        hub_put_array(out, n);
        break;
    case HUB_CBOR_MAP:
        n = hub_cbor_map(c, 0, UINT32_MAX);
        hub_put_map(out, n);
        n *= 2;
        break;
    case HUB_CBOR_TAG:
        tag = c->at[0] == 0xd2 ? 18 : 98;
        hub_cbor_tag(c, tag);
        hub_put_tag(out, tag);
        n = 1;
        break;
    case HUB_CBOR_SIMPLE:
        if (c->at[0] == 0xf6)
            hub_cbor_null(c), hub_put_null(out);
        else
            hub_put_bool(out, hub_cbor_bool(c));
        return;
    case HUB_CBOR_END:
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        test_transcribe(out, c);
}
