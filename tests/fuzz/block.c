/* Input: an encoded block on the chain 0x11... A block that is accepted is what the encoder makes of its
 * header and records. */
#include "hub/block.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_accepts(struct hub_span input)
{
    static struct hub_record records[HUB_BLOCK_RECORDS_MAX];
    struct hub_block block = {.records = records};
    struct hub_hash chain = FUZZ_CHAIN, hash;
    struct hub_header header;
    struct hub_span header_bytes;
    struct hub_buf out;
    uint32_t bad_record = 0;
    uint16_t why = 0;

    if (hub_block_decode(&block, &bad_record, &why, input, &chain) != HUB_OK)
        return false;
    FUZZ_CHECK(hub_block_peek(&header, &hash, &header_bytes, input));
    FUZZ_CHECK(hub_hash_equal(&hash, &block.hash) && header.record_count == block.count);
    out = (struct hub_buf){malloc(input.len), 0, input.len, false};
    FUZZ_CHECK(out.data != NULL);
    hub_block_encode(&out, &block.header, block.records, block.count);
    FUZZ_CHECK(hub_span_equal(hub_span_of(&out), input));
    free(out.data);
    return true;
}
